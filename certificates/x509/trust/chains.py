"""Judging the chain that a backend presents, and naming the certificate at fault.

A v2 gateway wants a path from the server's certificate to a root that it trusts; a v1 gateway wants
the very certificate that was uploaded. The order of the checks decides which of several faults is
told: leaf missing, leaf not first, intermediate missing, trust anchor, dates, anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from certificates.x509.facts.certificate import Certificate
from certificates.x509.trust.anchors import Anchor, AnchorStore, Origin
from certificates.x509.trust.paths import MAX_PRESENTED, TooMuchWork, Walk, walks
from certificates.x509.trust.rules import SIGNATURE, STRICT
from certificates.x509.trust.verifier import (
    Refusal,
    library_refusal,
    own_refusal,
    unreasonable_key,
)

__all__ = [
    "MAX_PRESENTED",
    "Anchor",
    "AnchorStore",
    "ChainVerdict",
    "Finding",
    "Origin",
    "PinFinding",
    "PinVerdict",
    "judge_chain",
    "judge_leaf_pin",
]

Finding = Literal[
    "ok",
    "no-certificate",
    "leaf-missing",
    "leaf-not-first",
    "intermediate-missing",
    "not-public",
    "intermediate-not-public",
    "root-mismatch-no-root",
    "root-mismatch",
    "dates",
    "verify",
]
PinFinding = Literal["ok", "no-certificate", "not-allow-listed", "dates"]

HEALTH_ARTICLE = "Application Gateway backend health article"
SSL_ARTICLE = "SSL overview article"

RULES: dict[str, str] = {
    "ok": "The chain leads to a trusted root.",
    "no-certificate": "The server must present a certificate.",
    "leaf-missing": "The server must present a certificate of its own, not authorities only.",
    "leaf-not-first": "The server's own certificate must come first in the chain.",
    "intermediate-missing": "The server must send its certificate and every intermediate.",
    "not-public": "With a well-known CA, the root must be in the gateway's built-in store.",
    "intermediate-not-public": "With a well-known CA, a public root must issue the intermediate.",
    "root-mismatch-no-root": "An uploaded root must have signed the topmost intermediate.",
    "root-mismatch": "The root that the server sends must be one of the uploaded roots.",
    "dates": "Every certificate of the chain must be inside its validity.",
    "verify": STRICT.text,
    "not-allow-listed": "The server must present exactly the certificate that was uploaded.",
}


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """The judgement on a presented chain.

    ``path`` runs from the leaf upward as far as it was built, the anchor included; ``at_fault`` is
    the certificate to look at, ``detail`` a sentence or two that name it, ``rule`` the rule that
    was broken and ``source`` the public document that it comes from. ``openssl`` is the number that
    OpenSSL's verification gives to a ``verify`` finding, where it has one.
    """

    finding: Finding
    at_fault: Certificate | None
    path: tuple[Certificate, ...]
    anchor: Anchor | None
    detail: str
    rule: str
    source: str = HEALTH_ARTICLE
    openssl: int | None = None

    @property
    def ok(self) -> bool:
        return self.finding == "ok"


@dataclass(frozen=True, slots=True)
class PinVerdict:
    """The judgement of a v1 gateway, which compares the presented leaf with the uploaded ones."""

    finding: PinFinding
    at_fault: Certificate | None
    detail: str
    rule: str
    source: str = SSL_ARTICLE

    @property
    def ok(self) -> bool:
        return self.finding == "ok"


def judge_chain(
    presented: Sequence[Certificate],
    anchors: AnchorStore,
    *,
    well_known: bool,
    now: datetime,
) -> ChainVerdict:
    """Judge what a server presented (in the order it was sent) as a v2 gateway does.

    ``anchors`` are the uploaded roots, or the well-known store with ``well_known`` set; ``now`` is
    aware. Never raises. Names are not checked here (see :mod:`certificates.x509.facts.names`). The
    order of the checks and the trust rules follow the backend health article.

    Where several ways lead to an anchor, as with cross-signed authorities, a good one is enough; if
    there is none, the fault of the best is told. Revocation is not looked at: a gateway asks nobody
    whether a backend's certificate was revoked.
    """
    chain = tuple(dict.fromkeys(presented))
    if not chain:
        return _verdict("no-certificate", None, (), "The server presented no certificate.")
    if len(chain) > MAX_PRESENTED:
        detail = f"The server presented {len(chain)} certificates; {MAX_PRESENTED} are the most."
        return _verdict("verify", None, (), detail)
    first = chain[0]
    if first.is_ca and not (first.self_signed and len(chain) == 1):
        return _no_leaf_on_top(chain)
    if first.self_signed and not first.is_ca:
        detail = (
            f"“{first.label}” is self-signed but no authority (CA:TRUE is missing), so it "
            "counts as a server certificate whose issuer is missing."
        )
        return _verdict("intermediate-missing", first, (first,), detail)
    try:
        results = walks(first, chain, anchors, now)
    except TooMuchWork:
        detail = "The presented certificates are so alike that following them takes too much work."
        return _verdict("verify", first, (first,), detail)
    if results[0].anchor is None:
        return _no_anchor(results[0], anchors, well_known=well_known)
    verdicts = [_sound(results[0], now)]
    for result in results[1:]:
        if verdicts[-1].ok:
            break
        verdicts.append(_sound(result, now))
    return verdicts[-1] if verdicts[-1].ok else verdicts[0]


def judge_leaf_pin(
    presented: Sequence[Certificate], pinned: Sequence[Certificate], *, now: datetime
) -> PinVerdict:
    """Judge as a v1 gateway does: the first certificate must equal a pinned one and be in date.

    ``pinned`` are the authentication certificates of the setting. Never raises.
    """
    if not presented:
        return _pin("no-certificate", None, "The server presented no certificate.")
    leaf = presented[0]
    if leaf not in pinned:
        return _pin("not-allow-listed", leaf, _pin_hint(leaf, presented, pinned))
    if not leaf.is_valid_at(now):
        return _pin("dates", leaf, _dates(leaf, now))
    return _pin("ok", None, f"“{leaf.label}” is the certificate that was uploaded.")


def _no_leaf_on_top(chain: tuple[Certificate, ...]) -> ChainVerdict:
    first = chain[0]
    for certificate in chain:
        if not certificate.is_ca:
            detail = (
                f"The server sends the authority “{first.label}” before its own certificate "
                f"“{certificate.label}”."
            )
            return _verdict("leaf-not-first", first, (), detail)
    detail = f"The server sends authorities only, “{first.label}” first."
    return _verdict("leaf-missing", first, (), detail)


def _no_anchor(result: Walk, anchors: AnchorStore, *, well_known: bool) -> ChainVerdict:
    path, top = result.path, result.path[-1]
    if result.suspect is not None:
        if result.suspect.key.is_unreasonable:
            return _refused(unreasonable_key(result.suspect), path)
        reason = (
            f"was not signed by the key of “{result.suspect.label}”, which has its issuer's name: "
            "one of the two was altered or replaced"
        )
        return _refused(Refusal(top, reason, SIGNATURE), path)
    if result.stop == "root":
        if well_known:
            detail = f"The chain ends in “{top.label}”, which is not among the well-known roots."
            return _verdict("not-public", top, path, detail)
        detail = (
            f"The chain ends in “{top.label}” with the thumbprint {top.thumbprint}, "
            "and no uploaded root has that thumbprint."
        )
        return _verdict("root-mismatch", top, path, detail)
    issuer = top.issuer_common_name or top.issuer
    hint = _near_miss(top, anchors)
    if len(path) == 1:
        detail = f"The server sends “{top.label}” without the certificate of its issuer “{issuer}”."
        return _verdict("intermediate-missing", top, path, detail + hint)
    if well_known:
        detail = f"“{top.label}” was issued by “{issuer}”, which is not among the well-known roots."
        return _verdict("intermediate-not-public", top, path, detail + hint)
    detail = (
        f"“{top.label}” was issued by “{issuer}”, which the server does not send and which is not "
        "among the uploaded roots."
    )
    return _verdict("root-mismatch-no-root", top, path, detail + hint)


def _near_miss(top: Certificate, anchors: AnchorStore) -> str:
    """A sentence on an uploaded certificate that looks right and is not."""
    if anchors.find(top) is not None:
        return " It is uploaded itself, but only a root can be trusted that way."
    for anchor in anchors.with_subject(top.issuer_key):
        if anchor.is_usable:
            return " A trusted root has that name, but another key: it was made anew."
        return " A certificate of that name is uploaded, but it is an intermediate, not a root."
    return ""


def _sound(result: Walk, now: datetime) -> ChainVerdict:
    """The verdict on a path that leads to an anchor."""
    path, anchor = result.path, result.anchor
    for certificate in path:
        if not certificate.is_valid_at(now):
            return _verdict("dates", certificate, path, _dates(certificate, now), anchor)
    refusal = own_refusal(path) or library_refusal(path, now)
    if refusal is not None:
        return _refused(refusal, path, anchor)
    detail = f"The chain leads to the trusted root “{path[-1].label}”."
    return _verdict("ok", None, path, detail, anchor)


def _dates(certificate: Certificate, now: datetime) -> str:
    if now > certificate.not_after:
        return f"“{certificate.label}” expired on {_moment(certificate.not_after)}."
    return f"“{certificate.label}” is not valid before {_moment(certificate.not_before)}."


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _pin_hint(
    leaf: Certificate, presented: Sequence[Certificate], pinned: Sequence[Certificate]
) -> str:
    told = f"The server presents “{leaf.label}” with the thumbprint {leaf.thumbprint}"
    if not pinned:
        return f"{told}, and no authentication certificate is uploaded."
    told = f"{told}, which none of the uploaded certificates has."
    if any(certificate in pinned for certificate in presented[1:]):
        return f"{told} Another certificate of its chain is uploaded; the server's own is needed."
    for certificate in pinned:
        if certificate.subject_key == leaf.subject_key:
            return f"{told} One with the same name is uploaded: the server's was renewed since."
        if certificate.subject_key == leaf.issuer_key:
            return f"{told} Its issuer is uploaded; the server's own certificate is needed."
    return f"{told} It may be the certificate of another site on that server."


def _verdict(
    finding: Finding,
    at_fault: Certificate | None,
    path: tuple[Certificate, ...],
    detail: str,
    anchor: Anchor | None = None,
) -> ChainVerdict:
    return ChainVerdict(finding, at_fault, path, anchor, detail, RULES[finding])


def _refused(
    refusal: Refusal, path: tuple[Certificate, ...], anchor: Anchor | None = None
) -> ChainVerdict:
    """A failed verification, in the words of the rule that was broken."""
    rule, certificate = refusal.rule, refusal.certificate
    number = f" (OpenSSL error {rule.openssl})" if rule.openssl is not None else ""
    detail = f"“{certificate.label}” {refusal.reason}{number}."
    return ChainVerdict(
        "verify", certificate, path, anchor, detail, rule.text, rule.source, rule.openssl
    )


def _pin(finding: PinFinding, at_fault: Certificate | None, detail: str) -> PinVerdict:
    rule = RULES[finding] if finding != "ok" else "The presented certificate is an uploaded one."
    return PinVerdict(finding, at_fault, detail, rule)
