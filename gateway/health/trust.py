"""Whether a gateway accepts the certificates that a server presents, and which one is at fault.

One error per server; of several the first counts: leaf, order, intermediate, trust anchor, dates,
name, anything else ("Troubleshoot backend health issues in Application Gateway").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from certificates.x509.facts.certificate import Certificate, printable
from certificates.x509.facts.names import match_name
from certificates.x509.problems import ProblemError
from certificates.x509.trust.chains import (
    Anchor,
    AnchorStore,
    ChainVerdict,
    judge_chain,
    judge_leaf_pin,
)
from gateway.health.catalogue import OF_FINDING
from gateway.health.plans import ProbePlan
from gateway.health.unhealthy import E_AUTHCERT, E_CN, E_DATES, E_VERIFY
from gateway.problems import Kind

# Bytes of a certificate that may be kept in memory; honest ones are smaller.
SMALL = 8 * 1024


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of the certificate stage; ``kind`` is ``None`` if the gateway accepts them.

    ``path`` runs from the leaf to the anchor as far as it was built; ``at_fault`` is the
    certificate to look at; ``detail`` and ``rule`` are sentences for people.
    """

    kind: Kind | None
    detail: str
    rule: str = ""
    at_fault: Certificate | None = None
    path: tuple[Certificate, ...] = ()
    anchor: Anchor | None = None


def examine(
    plan: ProbePlan,
    presented: Sequence[bytes],
    *,
    well_known: AnchorStore,
    now: datetime,
) -> Examination:
    """Judge the DER certificates that a server sent, in the order in which it sent them.

    ``well_known`` is the built-in store, ``now`` is aware. Never raises for what a server sends.
    """
    certificates, unreadable = read_presented(presented)
    if unreadable:
        return Examination(
            E_VERIFY, f"Certificate {unreadable} of the server's chain cannot be read."
        )
    if plan.trust.kind == "pinned":
        return _pinned(plan, certificates, now)
    if plan.trust.kind == "app-service":
        return _app_service(plan, certificates, well_known, now)
    return _rooted(plan, certificates, well_known, now)


def read_presented(presented: Sequence[bytes]) -> tuple[tuple[Certificate, ...], int]:
    """(the certificates that can be read, number of the first that cannot, from 1, else 0)."""
    found: list[Certificate] = []
    unreadable = 0
    for number, der in enumerate(presented, start=1):
        try:
            found.append(_known(der) if len(der) <= SMALL else Certificate.from_der(der))
        except ProblemError:
            unreadable = unreadable or number
    return tuple(found), unreadable


@lru_cache(maxsize=512)
def _known(der: bytes) -> Certificate:
    """The same certificates come again and again: from one server, and from many of one issuer."""
    return Certificate.from_der(der)


def _rooted(
    plan: ProbePlan, presented: tuple[Certificate, ...], well_known: AnchorStore, now: datetime
) -> Examination:
    """v2: a path to an uploaded root, or to a well-known one if none is uploaded."""
    name_fault = _name_fault(plan, presented) if plan.trust.validate_name else None
    if not plan.trust.validate_chain:
        return name_fault or Examination(
            None, "The HTTP setting switches off the check of chain and expiry.", path=presented[:1]
        )
    is_public = plan.trust.kind == "well-known"
    anchors = (
        well_known
        if is_public
        else AnchorStore.from_certificates(one.certificate for one in plan.trust.certificates)
    )
    verdict = judge_chain(presented, anchors, well_known=is_public, now=now)
    if not verdict.ok and verdict.finding != "verify":
        return _of_chain(verdict, OF_FINDING[verdict.finding])
    if name_fault is not None:
        return name_fault
    return _of_chain(verdict, None if verdict.ok else OF_FINDING[verdict.finding])


def _pinned(plan: ProbePlan, presented: tuple[Certificate, ...], now: datetime) -> Examination:
    """v1: the server's own certificate is one of the uploaded ones."""
    pinned = [one.certificate for one in plan.trust.certificates]
    verdict = judge_leaf_pin(presented, pinned, now=now)
    if verdict.finding == "dates":
        return Examination(E_DATES, verdict.detail, verdict.rule, verdict.at_fault, presented[:1])
    if not verdict.ok:
        detail = verdict.detail
        if plan.leg.sni is None:
            detail += (
                " No server name was sent, because the pool holds an IP address, so this is the "
                "certificate of the server's default site."
            )
        return Examination(E_AUTHCERT, detail, verdict.rule, verdict.at_fault, presented[:1])
    name_fault = _name_fault(plan, presented)
    return name_fault or Examination(None, verdict.detail, verdict.rule, path=presented[:1])


def _app_service(
    plan: ProbePlan, presented: tuple[Certificate, ...], well_known: AnchorStore, now: datetime
) -> Examination:
    """v1, *Use for App service*: a well-known authority and the name of the pool."""
    verdict = judge_chain(presented, well_known, well_known=True, now=now)
    if verdict.finding == "dates":
        return _of_chain(verdict, E_DATES)
    if not verdict.ok:
        return _of_chain(verdict, E_AUTHCERT)
    if plan.leg.checked_name is None:
        return Examination(
            E_AUTHCERT,
            f"“Use for App service” needs a name to check, and the pool holds {plan.target}.",
            "An App Service is known by its name.",
            presented[0],
            verdict.path,
            verdict.anchor,
        )
    fault = _name_fault(plan, presented)
    if fault is not None:
        return Examination(E_AUTHCERT, fault.detail, fault.rule, presented[0], verdict.path)
    return _of_chain(verdict, None)


def _name_fault(plan: ProbePlan, presented: tuple[Certificate, ...]) -> Examination | None:
    """The mismatch between the checked name and the server's certificate, if there is one."""
    wanted = plan.leg.checked_name
    if wanted is None or not presented:
        return None
    leaf = presented[0]
    if plan.leg.name_is_address:
        detail = (
            f"{plan.leg.why} “{wanted}” is an IP address, which no server name can be, so the "
            f"certificate “{leaf.label}” does not count as issued for it."
        )
        return Examination(E_CN, detail, "The certificate must carry a host name.", leaf)
    verdict = match_name(leaf, wanted)
    if verdict.ok:
        return None
    names = ", ".join(verdict.candidates[:8])
    more = f" and {len(verdict.candidates) - 8} more" if len(verdict.candidates) > 8 else ""
    carries = f"is for {names}{more}" if names else "carries no name at all"
    expected = (
        f"The pool names “{printable(wanted)}”, which a v1 gateway expects in the certificate"
        if plan.is_v1
        else f"The gateway sends and expects the server name “{printable(wanted)}”"
    )
    where = " (subject alternative names; the common name does not count beside them)"
    detail = (
        f"{expected}, but the certificate “{leaf.label}” {carries}"
        f"{where if verdict.used == 'san' else ''}. {plan.leg.why}"
    )
    return Examination(E_CN, detail, "The certificate must carry the expected name.", leaf)


def _of_chain(verdict: ChainVerdict, kind: Kind | None) -> Examination:
    return Examination(
        kind, verdict.detail, verdict.rule, verdict.at_fault, verdict.path, verdict.anchor
    )
