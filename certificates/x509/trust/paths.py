"""The ways from a server's certificate up to a trust anchor, as far as they can be walked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from certificates.x509.facts.certificate import Certificate
from certificates.x509.facts.signatures import is_signed_by
from certificates.x509.trust.anchors import Anchor, AnchorStore

MAX_PRESENTED = 20
"""More certificates than any server sends; a longer list is not searched."""

MAX_CHECKS = 500
"""Signature checks for one chain. An honest chain takes fewer than ten."""

MAX_STEPS = 1_000
"""Partial paths that are looked at. An honest chain has as many as it has certificates."""

MAX_WAYS = 8
"""Paths to an anchor that are compared. An authority that renewed its certificates has two or
three; each is judged whole, so their number bounds the work."""

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
# Who a certificate speaks of: a name and a key, whoever certified the two (RFC 4158 2.4.2).
Entity = tuple[bytes, bytes]


def walk(
    leaf: Certificate,
    presented: Sequence[Certificate],
    anchors: AnchorStore,
    now: datetime,
) -> Walk:
    """The best of :func:`walks`; raises :class:`TooMuchWork`."""
    return walks(leaf, presented, anchors, now)[0]


def walks(
    leaf: Certificate,
    presented: Sequence[Certificate],
    anchors: AnchorStore,
    now: datetime,
) -> tuple[Walk, ...]:
    """Climb from ``leaf`` by issuer's name and signature; raises :class:`TooMuchWork`.

    All ways to an anchor (:data:`MAX_WAYS` at most), or the one that shows best why there is none.
    Those whose certificates are all valid at ``now`` come first, then the shorter ones, as renewed,
    old and cross-signed certificates of one authority often travel together. No name and key come
    twice in a path, so loops end by themselves.
    """
    signed = _signature_checker()
    found: list[Walk] = []
    best: tuple[Certificate, ...] = (leaf,)
    try:
        for path, anchor in _climb(leaf, presented, anchors, signed):
            if anchor is not None:
                found.append(Walk(path, "anchor", anchor))
                if len(found) == MAX_WAYS:
                    break
            elif (path[-1].self_signed, len(path)) > (best[-1].self_signed, len(best)):
                best = path
    except TooMuchWork:
        if not found:
            raise
    if found:
        found.sort(key=lambda one: not all(part.is_valid_at(now) for part in one.path))
        return tuple(found)
    return (_unanchored(best, presented, anchors, signed),)


def _climb(
    leaf: Certificate,
    presented: Sequence[Certificate],
    anchors: AnchorStore,
    signed: Signed,
) -> Iterator[tuple[tuple[Certificate, ...], Anchor | None]]:
    """Every path, shortest first, with the anchor that it ends in; those without one may go on in
    later ones."""
    itself = anchors.find(leaf)
    if itself is not None and itself.is_usable:
        yield (leaf,), itself
        return
    queue: deque[tuple[tuple[Certificate, ...], frozenset[Entity]]] = deque()
    queue.append(((leaf,), frozenset([_entity(leaf)])))
    for _ in range(MAX_STEPS):
        if not queue:
            return
        path, members = queue.popleft()
        top = path[-1]
        yield path, None
        if top.self_signed:
            continue
        for anchor in anchors.with_subject(top.issuer_key):
            issuer = anchor.certificate
            if anchor.is_usable and _fits(top, issuer) and signed(top, issuer):
                yield (*path, issuer), anchor
        for issuer in presented:
            entity = _entity(issuer)
            if entity not in members and _fits(top, issuer) and signed(top, issuer):
                queue.append(((*path, issuer), members | {entity}))
    raise TooMuchWork


def _unanchored(
    path: tuple[Certificate, ...],
    presented: Sequence[Certificate],
    anchors: AnchorStore,
    signed: Signed,
) -> Walk:
    top = path[-1]
    if top.self_signed:
        return Walk(path, "root")
    same_name = (anchor.certificate for anchor in anchors.with_subject(top.issuer_key))
    for suspect in (*presented, *same_name):
        if suspect not in path and _fits(top, suspect) and not signed(top, suspect):
            return Walk(path, "bad-signature", suspect=suspect)
    return Walk(path, "no-issuer")


def _entity(certificate: Certificate) -> Entity:
    return certificate.subject_key, certificate.public_key_der


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
        # The answer depends on the issuer's key alone, which many certificates may share.
        pair = (child.der, issuer.public_key_der)
        if pair not in answers:
            if len(answers) >= MAX_CHECKS:
                raise TooMuchWork
            answers[pair] = is_signed_by(child.x509, issuer.x509)
        return answers[pair]

    return signed
