"""The well-known certificate authorities: certifi's bundle, and what the lab adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import certifi

from certificates.x509.facts.certificate import Certificate
from certificates.x509.files.read import read_certificates
from certificates.x509.trust.anchors import Anchor, AnchorStore


def well_known_store(extra: Sequence[Certificate] = ()) -> AnchorStore:
    """The anchors of certifi, and ``extra`` ones marked as the lab's public CA.

    The store is built once per set of extra anchors and shared, so it must not be changed.
    """
    return _store(tuple(extra))


@lru_cache(maxsize=8)
def _store(extra: tuple[Certificate, ...]) -> AnchorStore:
    lab = [Anchor(certificate, "lab-public") for certificate in extra]
    return AnchorStore([*lab, *_bundle()])


@cache
def _bundle() -> tuple[Anchor, ...]:
    # The cloud's own list is not published; certifi is Mozilla's, which every public CA is in.
    reading = read_certificates(Path(certifi.where()).read_bytes())
    return tuple(Anchor(certificate, "well-known") for certificate in reading.certificates)
