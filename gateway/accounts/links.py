"""One-time sign-in links: single use, short-lived, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from gateway.accounts.models import SignInLink, User

LIFETIME = timedelta(minutes=15)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def issue(user: User, *, now: datetime, lifetime: timedelta = LIFETIME) -> str:
    """A fresh token for ``user``; links that have run out are swept."""
    SignInLink.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, token_hash=_hash(token), expires_at=now + lifetime)
    return token


def holder(token: str, *, now: datetime) -> User | None:
    """Whose valid link this is, without using it up."""
    link = (
        SignInLink.objects.select_related("user")
        .filter(token_hash=_hash(token), used_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    return link.user if link else None


def redeem(token: str, *, now: datetime) -> User | None:
    """Use the link up and return its user; ``None`` if it is unknown, used or has run out.

    The conditional update lets exactly one of two simultaneous requests win.
    """
    user = holder(token, now=now)
    if user is None:
        return None
    won = SignInLink.objects.filter(token_hash=_hash(token), used_at=None).update(used_at=now)
    return user if won else None


def revoke(user: User, *, now: datetime) -> None:
    """Make every link of ``user`` that is still open void."""
    SignInLink.objects.filter(user=user, used_at=None).update(used_at=now)
