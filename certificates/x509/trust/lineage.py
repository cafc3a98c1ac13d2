"""The certification path of any certificate, as a tree is drawn from it: the root first."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from certificates.x509.facts.certificate import Certificate
from certificates.x509.trust.anchors import AnchorStore, Origin
from certificates.x509.trust.paths import MAX_PRESENTED, TooMuchWork, Walk, walks
from certificates.x509.trust.verifier import library_refusal, own_refusal


@dataclass(frozen=True, slots=True)
class Node:
    """One place of a path. ``certificate`` is ``None`` where the issuer was not found, and
    ``label`` then its name. ``problem`` is a sentence or two on what is wrong at this place (empty
    when ``ok``); ``trusted`` says that the path ends here in trust, which comes from ``origin``."""

    certificate: Certificate | None
    label: str
    ok: bool
    problem: str = ""
    trusted: bool = False
    origin: Origin | None = None


def lineage(
    certificate: Certificate,
    candidates: Iterable[Certificate],
    anchors: AnchorStore,
    now: datetime,
) -> tuple[Node, ...]:
    """The path of ``certificate`` up through ``candidates`` to an anchor, root first; never raises.

    The last node is the certificate itself. ``now`` is aware. Of the candidates only those are
    looked at whose names lead upward, 20 at most.
    """
    known = tuple(dict.fromkeys(candidates))
    try:
        ways = walks(certificate, _upward(certificate, known, now), anchors, now)
    except TooMuchWork:
        words = "Too many certificates look like its issuer, so its path was not followed."
        return (Node(certificate, certificate.label, ok=False, problem=words),)
    # A way on which nothing is wrong goes before a shorter one on which something is.
    judged = [(way, _problems(way, now)) for way in ways]
    result, problems = next((pair for pair in judged if not pair[1]), judged[0])
    nodes = [
        Node(
            one,
            one.label,
            ok=one not in problems,
            problem=problems.get(one, ""),
            trusted=result.anchor is not None and one == result.path[-1],
            origin=result.anchor.origin if result.anchor and one == result.path[-1] else None,
        )
        for one in result.path
    ]
    if result.anchor is None and not result.path[-1].self_issued:
        nodes.append(_missing(result, known, anchors))
    return tuple(reversed(nodes))


def is_sound(nodes: Sequence[Node]) -> bool:
    """Whether a path leads to trust and nothing is wrong with any certificate of it."""
    return all(node.ok for node in nodes) and nodes[0].trusted


def _upward(
    certificate: Certificate, known: Sequence[Certificate], now: datetime
) -> tuple[Certificate, ...]:
    """The certificates that may be above, nearest first; those in date before those that are not.

    Their number is what :func:`walks` may be given, so that a store full of look-alikes costs
    nothing and cannot crowd out the issuer whose key identifier fits.
    """
    by_name: dict[bytes, list[Certificate]] = defaultdict(list)
    for one in known:
        by_name[one.subject_key].append(one)
    found: dict[Certificate, None] = {}
    waiting = deque([certificate])
    while waiting and len(found) < MAX_PRESENTED:
        child = waiting.popleft()
        wanted = child.authority_key_id
        fitting = [
            one
            for one in by_name[child.issuer_key]
            if one != certificate
            and one not in found
            and (wanted is None or one.subject_key_id in {None, wanted})
        ]
        for one in sorted(fitting, key=lambda one: not one.is_valid_at(now)):
            found[one] = None
            waiting.append(one)
    return tuple(found)[:MAX_PRESENTED]


def _problems(result: Walk, now: datetime) -> dict[Certificate, str]:
    """What is wrong with certificates of the path themselves."""
    path = result.path
    problems = {one: _dates(one, now) for one in path if not one.is_valid_at(now)}
    top = path[-1]
    if result.anchor is None and top.self_issued:
        problems[top] = " ".join(filter(None, (problems.get(top), _not_trusted(top))))
    refusal = own_refusal(path, any_purpose=True)
    if refusal is None and result.anchor is not None and not problems:
        refusal = library_refusal(path, now)
    if refusal is not None:
        told = problems.get(refusal.certificate)
        problems[refusal.certificate] = " ".join(filter(None, (told, f"It {refusal.reason}.")))
    return problems


def _not_trusted(top: Certificate) -> str:
    """What to say of a certificate that names itself as its issuer and is no anchor."""
    if not top.self_signed:
        return "It names itself as its issuer, but its signature does not fit its key."
    if not top.is_ca:
        return "It is self-signed and no authority: nobody vouches for it."
    return "It is its own issuer and not among the trusted roots."


def _missing(result: Walk, known: Sequence[Certificate], anchors: AnchorStore) -> Node:
    """The place above a path that ends too early."""
    top = result.path[-1]
    name = top.issuer_common_name or top.issuer
    problem = f"The issuer “{name}” was not found."
    namesakes = anchors.with_subject(top.issuer_key)
    if any(anchor.is_usable for anchor in namesakes):
        problem += " A trusted root has this name, but another key: it was made anew."
    elif any(one.subject_key == top.issuer_key for one in known):
        problem += " A certificate of this name is here, but its key did not sign the one below."
    return Node(None, name, ok=False, problem=problem)


def _dates(certificate: Certificate, now: datetime) -> str:
    if now > certificate.not_after:
        return f"It expired on {certificate.not_after:%Y-%m-%d}."
    return f"It is not valid before {certificate.not_before:%Y-%m-%d}."
