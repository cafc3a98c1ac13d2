"""The root that the lab counts as well known, beside the real well-known authorities.

With it the way of a publicly issued certificate can be walked without a network.
"""

from __future__ import annotations

from certificates.models import Certificate
from certificates.wellknown import well_known_store
from certificates.x509.facts.certificate import Certificate as Parsed
from certificates.x509.trust.anchors import AnchorStore

NAME = "lab-public"


def public_root() -> Parsed | None:
    """The lab's public root, ``None`` until it has been made (one query)."""
    row = Certificate.objects.filter(authority__owner__isnull=True, authority__name=NAME).first()
    return row.parsed if row else None


def well_known() -> AnchorStore:
    """The real well-known roots and the lab's own, which is marked ``lab-public``.

    One query; the store itself is built once per root and shared.
    """
    root = public_root()
    return well_known_store((root,) if root else ())
