"""The register of agents: tokens, credentials, who may carry what.

Tokens and credentials are 256 random bits; only their SHA-256 is stored, for which a slow hash
would add nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from gateway.models import Agent, ApplicationGateway, EnrolmentToken

LIFETIME = timedelta(minutes=30)
SEEN_EVERY = timedelta(seconds=5)


class NameTakenError(Exception):
    """There is an agent of that name already."""


def issue_token(
    name: str,
    *,
    now: datetime,
    gateways: Iterable[ApplicationGateway] | None = None,
) -> str:
    """A token with which one agent enrols once, within :data:`LIFETIME`.

    ``gateways`` are what it will carry; ``None`` means all there are. Raises
    :class:`NameTakenError`.
    """
    if Agent.objects.filter(name=name, revoked_at=None).exists():
        raise NameTakenError(f"There is an agent called “{name}” already; revoke it first.")
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        EnrolmentToken.objects.filter(expires_at__lt=now).delete()
        row = EnrolmentToken.objects.create(
            token_hash=_hash(token),
            name=name,
            everything=gateways is None,
            expires_at=now + LIFETIME,
        )
        row.assigned.set(gateways or ())
    return token


def enrol(token: str, *, now: datetime) -> tuple[Agent, str] | None:
    """The new agent and its credential; ``None`` if the token is unknown, used or too old."""
    with transaction.atomic():
        row = EnrolmentToken.objects.select_for_update().filter(token_hash=_hash(token)).first()
        if row is None or row.used_at is not None or row.expires_at <= now:
            return None
        if Agent.objects.filter(name=row.name, revoked_at=None).exists():
            return None
        row.used_at = now
        row.save(update_fields=["used_at"])
        agent, credential = _admit(row.name, now=now, everything=row.everything)
        agent.assigned.set(row.assigned.all())
    return agent, credential


def admit_local(name: str, *, now: datetime) -> str:
    """A fresh credential for the agent that `serve` starts itself; it carries all gateways."""
    with transaction.atomic():
        return _admit(name, now=now, everything=True)[1]


def _admit(name: str, *, now: datetime, everything: bool) -> tuple[Agent, str]:
    credential = secrets.token_urlsafe(32)
    agent, _ = Agent.objects.update_or_create(
        name=name,
        defaults={
            "credential_hash": _hash(credential),
            "enrolled_at": now,
            "revoked_at": None,
            "everything": everything,
            "last_report": "",
        },
    )
    return agent, credential


def known(credential: str) -> Agent | None:
    """The agent with this credential, unless it was revoked."""
    return Agent.objects.filter(credential_hash=_hash(credential), revoked_at=None).first()


def seen(agent: Agent, *, now: datetime) -> None:
    """Note that the agent lives; written every few seconds at most."""
    if agent.last_seen_at is None or now - agent.last_seen_at >= SEEN_EVERY:
        Agent.objects.filter(pk=agent.pk).update(last_seen_at=now)
        agent.last_seen_at = now


def revoke(name: str, *, now: datetime) -> bool:
    """Close the door to an agent; false if there is none of that name."""
    found = Agent.objects.filter(name=name, revoked_at=None)
    return found.update(revoked_at=now, last_seen_at=None) > 0


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
