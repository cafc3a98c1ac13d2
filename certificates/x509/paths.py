"""The way from a server's certificate up to a trust anchor, as far as it can be walked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from certificates.x509.anchors import Anchor, AnchorStore
from certificates.x509.certificate import Certificate
from certificates.x509.signatures import is_signed_by

MAX_PRESENTED = 20
"""More certificates than any server sends; a longer list is not searched."""

MAX_CHECKS = 500
"""Signature checks for one chain. An honest chain takes fewer than ten."""

Stop = Literal["anchor", "root", "no-issuer", "bad-signature"]


class TooMuchWork(Exception):
    """The certificates are so alike that the search would go on for too long."""


@dataclass(frozen=True, slots=True)
class Walk:
    """``path`` from the leaf upward as far as issuers were found, and why it ends there.

    ``anchor``: it is the last of the path. ``root``: a self-signed certificate that is no anchor.
    ``no-issuer``: nobody issued the last one. ``bad-signature``: ``suspect`` has the issuer's name
    but its key did not make the signature.
    """

    path: tuple[Certificate, ...]
    stop: Stop
    anchor: Anchor | None = None
    suspect: Certificate | None = None


Signed = Callable[[Certificate, Certificate], bool]
Keep = Callable[[Certificate], bool]


def walk(
    leaf: Certificate,
    presented: Sequence[Certificate],
    anchors: AnchorStore,
    now: datetime,
) -> Walk:
    """Climb from ``leaf`` by issuer's name and signature; raises :class:`TooMuchWork`.

    ``presented`` has at most :data:`MAX_PRESENTED` certificates. Each is visited once, so loops and
    cross-signed look-alikes end by themselves. A path whose certificates are all valid at ``now``
    is preferred, as renewed and old certificates of one authority often travel together.
    """
    signed = _signature_checker()
    valid_only, _ = _search(leaf, presented, anchors, signed, lambda one: one.is_valid_at(now))
    if valid_only is not None:
        return valid_only
    found, paths = _search(leaf, presented, anchors, signed, lambda one: True)
    if found is not None:
        return found
    path = max(paths, key=lambda path: (path[-1].self_signed, len(path)))
    top = path[-1]
    if top.self_signed:
        return Walk(path, "root")
    suspects = (
        *presented,
        *(anchor.certificate for anchor in anchors.with_subject(top.issuer_key)),
    )
    for suspect in suspects:
        if _fits(top, suspect) and not signed(top, suspect):
            return Walk(path, "bad-signature", suspect=suspect)
    return Walk(path, "no-issuer")


def _search(
    leaf: Certificate,
    presented: Sequence[Certificate],
    anchors: AnchorStore,
    signed: Signed,
    keep: Keep,
) -> tuple[Walk | None, list[tuple[Certificate, ...]]]:
    """The shortest path to an anchor, breadth first, and every path that was tried."""
    tried: list[tuple[Certificate, ...]] = []
    visited = {leaf}
    queue: deque[tuple[Certificate, ...]] = deque([(leaf,)] if keep(leaf) else [])
    while queue:
        path = queue.popleft()
        tried.append(path)
        top = path[-1]
        itself = anchors.find(top)
        if itself is not None and itself.is_usable:
            return Walk(path, "anchor", itself), tried
        if top.self_signed:
            continue
        for anchor in anchors.with_subject(top.issuer_key):
            issuer = anchor.certificate
            if anchor.is_usable and _fits(top, issuer) and keep(issuer) and signed(top, issuer):
                return Walk((*path, issuer), "anchor", anchor), tried
        for issuer in presented:
            if (
                issuer not in visited
                and _fits(top, issuer)
                and keep(issuer)
                and signed(top, issuer)
            ):
                visited.add(issuer)
                queue.append((*path, issuer))
    return None, tried


def _fits(child: Certificate, issuer: Certificate) -> bool:
    """Same name and, where both are given, same key identifier (RFC 5280 4.2.1.1)."""
    if issuer.subject_key != child.issuer_key or issuer == child:
        return False
    wanted, has = child.authority_key_id, issuer.subject_key_id
    return wanted is None or has is None or wanted == has


def _signature_checker() -> Signed:
    """A check that remembers its answers and refuses to be asked without end."""
    answers: dict[tuple[bytes, bytes], bool] = {}

    def signed(child: Certificate, issuer: Certificate) -> bool:
        pair = (child.der, issuer.der)
        if pair not in answers:
            if len(answers) >= MAX_CHECKS:
                raise TooMuchWork
            answers[pair] = is_signed_by(child.x509, issuer.x509)
        return answers[pair]

    return signed
