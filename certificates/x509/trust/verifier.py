"""The last word on a chain: our own rules on each certificate, then the library's verifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from certificates.x509.facts.certificate import Certificate
from certificates.x509.trust import constraints, rules
from certificates.x509.trust.rules import Rule


@dataclass(frozen=True, slots=True)
class Refusal:
    """The certificate that does not pass, why in words that follow its name, and the rule."""

    certificate: Certificate
    reason: str
    rule: Rule


# The library takes no other issuers either, but would not say which certificate it means.
_ISSUER_CURVES = {"EC P-256", "EC P-384", "EC P-521"}

# What the library declines to judge, and what has been judged above.
_NOT_ITS_CALL = (
    "malformed dns name constraint",  # one with a leading dot
    "unsupported directoryname constraint",
    "unaccounted-for critical extensions",  # those on policies
)
_FORBIDDEN_ALGORITHM = "forbidden signature algorithm"


def own_refusal(path: Sequence[Certificate], *, any_purpose: bool = False) -> Refusal | None:
    """Why a path (leaf first, anchor last) is not sound, by the rules of RFC 5280 4.2 and 6.1.

    The path must be fit for a server, unless ``any_purpose`` will do.
    """
    last = len(path) - 1
    for depth, certificate in enumerate(path):
        refusal = _common_fault(certificate, depth, is_anchor=depth == last) or (
            _issuer_fault(certificate, path[1:depth]) if depth else None
        )
        if refusal is None and not any_purpose:
            refusal = _purpose_fault(certificate, depth, is_anchor=depth == last)
        if refusal is not None:
            return refusal
    return _constraint_fault(path)


def library_refusal(path: Sequence[Certificate], now: datetime) -> Refusal | None:
    """What ``cryptography`` says to a path that :func:`own_refusal` found good.

    Its server verifier demands a subject alternative name, which a gateway does not, so the client
    verifier is used without demands on purposes. It knows version 3 only: a root of version 1 (what
    OpenSSL signs without extensions, and what gateways trust) is replaced by the certificate below
    it, whose signature the walk has checked. A leaf of version 1 has nothing left to verify.
    """
    leaf, *issuers = path
    if issuers and issuers[-1].version == 1:
        issuers.pop()
    if leaf.version == 1 or (len(path) > 1 and not issuers):
        return None
    trail = (leaf, *issuers)
    words, at_fault = _library_words(trail, now), leaf
    if words is None:
        return None
    # It does not say which certificate it means: the uppermost from which on it refuses.
    for depth in range(len(trail) - 1, 0, -1):
        above = _library_words(trail[depth:], now)
        if above is not None:
            words, at_fault = above, trail[depth]
            break
    if _FORBIDDEN_ALGORITHM in words:
        reason = f"is signed in a way that is not accepted ({at_fault.signature_algorithm})"
        return Refusal(at_fault, reason, rules.ALGORITHM)
    return Refusal(at_fault, "does not pass a strict verification of its chain", rules.STRICT)


def _library_words(path: Sequence[Certificate], now: datetime) -> str | None:
    """What the library says against ``path``; ``None`` if it passes or is not for it to judge."""
    policy = PolicyBuilder().time(now).max_chain_depth(len(path) + 1)
    try:
        policy.store(Store([path[-1].x509])).extension_policies(
            ca_policy=ExtensionPolicy.permit_all().require_present(
                x509.BasicConstraints, Criticality.AGNOSTIC, None
            ),
            ee_policy=ExtensionPolicy.permit_all(),
        ).build_client_verifier().verify(path[0].x509, [one.x509 for one in path[1:-1]])
    except (VerificationError, ValueError) as error:
        words = str(error).lower()
        return None if any(text in words for text in _NOT_ITS_CALL) else words
    return None


def _common_fault(certificate: Certificate, depth: int, *, is_anchor: bool) -> Refusal | None:
    key = certificate.key
    if certificate.faults:
        faults = ", ".join(certificate.faults)
        return Refusal(certificate, f"cannot be read completely ({faults})", rules.READABLE)
    if key.is_weak:
        rule = rules.WEAK_CA_KEY if depth else rules.WEAK_LEAF_KEY
        return Refusal(certificate, f"has a key that is too short ({key.label})", rule)
    if key.is_unreasonable:
        return unreasonable_key(certificate)
    # Nobody relies on the signature that a root puts on itself.
    if certificate.has_weak_signature and not is_anchor:
        reason = f"has an outdated signature ({certificate.signature_algorithm})"
        return Refusal(certificate, reason, rules.WEAK_DIGEST)
    if certificate.unknown_critical:
        reason = (
            "has a critical extension that is not understood "
            f"({', '.join(certificate.unknown_critical[:4])})"
        )
        return Refusal(certificate, reason, rules.CRITICAL)
    return None


def unreasonable_key(certificate: Certificate) -> Refusal:
    """The refusal of a certificate whose signatures are not checked because of its key's size."""
    reason = f"has a key that is larger than any in use ({certificate.key.label})"
    return Refusal(certificate, reason, rules.KEY_SIZE)


def _issuer_fault(issuer: Certificate, below: Sequence[Certificate]) -> Refusal | None:
    if issuer.key.algorithm != "RSA" and issuer.key.label not in _ISSUER_CURVES:
        reason = f"signs with a key of a kind that is not accepted ({issuer.key.label})"
        return Refusal(issuer, reason, rules.KEY_KIND)
    if issuer.version == 1 and issuer.self_signed:
        return None  # the rule of OpenSSL and BoringSSL for roots that cannot say CA:TRUE
    if not issuer.is_ca:
        reason = "is no authority (CA:TRUE is missing), so it may not issue certificates"
        return Refusal(issuer, reason, rules.AUTHORITY)
    if not issuer.may_sign_certificates:
        reason = "may not sign certificates (its key usage leaves that out)"
        return Refusal(issuer, reason, rules.KEY_USAGE)
    count = sum(not certificate.self_issued for certificate in below)
    if issuer.path_length is not None and count > issuer.path_length:
        reason = f"allows {issuer.path_length} intermediates below it, but the chain has {count}"
        return Refusal(issuer, reason, rules.PATH_LENGTH)
    return None


def _purpose_fault(certificate: Certificate, depth: int, *, is_anchor: bool) -> Refusal | None:
    """Purposes bind the server and, as OpenSSL and Windows have it, the intermediates above it."""
    if not certificate.may_serve and (depth == 0 or not is_anchor):
        reason = "is limited to purposes other than server authentication"
        return Refusal(certificate, reason, rules.PURPOSE)
    if depth == 0 and not certificate.may_handshake:
        reason = "may not be used by a TLS server (its key usage leaves that out)"
        return Refusal(certificate, reason, rules.SERVER_KEY_USAGE)
    return None


def _constraint_fault(path: Sequence[Certificate]) -> Refusal | None:
    if not any(issuer.name_constraints for issuer in path[1:]):
        return None
    if constraints.comparisons(path) > constraints.MAX_COMPARISONS:
        reason = "has more names than can be compared with the limits of the authorities above it"
        return Refusal(path[0], reason, rules.COMPARISONS)
    found = constraints.violation(path)
    if found is None:
        return None
    issuer, name = found.issuer.label, found.name
    if found.why == "permitted":
        reason = f"has the name {name}, which is outside the names that “{issuer}” may certify"
        return Refusal(found.certificate, reason, rules.PERMITTED)
    reason = f"has the name {name}, which is among those that “{issuer}” must not certify"
    return Refusal(found.certificate, reason, rules.EXCLUDED)
