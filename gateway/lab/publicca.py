"""The lab's "public" authority: one for the installation, trusted as the well-known ones are."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from certificates.authorities import find_authority, issuer_of, keep_authority
from certificates.models import Authority
from certificates.publicroot import NAME
from certificates.x509.issuing.issue import make_intermediate, make_root

ISSUING_NAME = f"{NAME}-issuing"
ROOT_SUBJECT = "Gatewright Lab Public Root CA"
ISSUING_SUBJECT = "Gatewright Lab Public Issuing CA"
DAYS = 7300


def ensure_public_authority(now: datetime | None = None) -> Authority:
    """The authority that issues below the lab's public root; both are made at the first call.

    Safe when several processes call it at once: the one that stores first wins.
    """
    now = now or timezone.now()
    issuing = find_authority(None, ISSUING_NAME)
    if issuing is not None:
        return issuing
    root = find_authority(None, NAME) or keep_authority(
        None, NAME, make_root(ROOT_SUBJECT, now=now, days=DAYS)
    )
    # One day less than the root, so that no chain outlives its anchor.
    issued = make_intermediate(
        issuer_of(root), ISSUING_SUBJECT, now=now, not_after=now + timedelta(days=DAYS - 1)
    )
    return keep_authority(None, ISSUING_NAME, issued, parent=root)
