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
from certificates.x509.trust import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of verification: a sentence, where it stands, and the number that OpenSSL gives to a
    certificate that breaks it (``None`` where it has none of its own)."""

    text: str
    source: str
    openssl: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The certificate that does not pass, why in words that follow its name, and the rule."""

    certificate: Certificate
    reason: str
    rule: Rule


_BASELINE = "CA/Browser Forum Baseline Requirements"
READABLE = Rule(text="Every part of a certificate must be readable.", source="RFC 5280 4.1")
SIGNATURE = Rule(
    text="The key of the issuer must have made the signature.", source="RFC 5280 6.1.3", openssl=7
)
WEAK_LEAF_KEY = Rule(
    text="Keys must be strong enough: RSA with 2048 bits or more, or EC.",
    source=f"{_BASELINE} 6.1.5",
    openssl=66,
)
WEAK_CA_KEY = Rule(text=WEAK_LEAF_KEY.text, source=WEAK_LEAF_KEY.source, openssl=67)
WEAK_DIGEST = Rule(
    text="Signatures must not use SHA-1 or MD5.", source=f"{_BASELINE} 7.1.3", openssl=68
)
KEY_SIZE = Rule(
    text="Keys must not be larger than verifiers accept.",
    source="Release notes of Go 1.20.7, crypto/tls",
)
KEY_KIND = Rule(
    text="Authorities sign with RSA or with EC on P-256, P-384 or P-521.",
    source=f"{_BASELINE} 6.1.5",
)
AUTHORITY = Rule(
    text="Only an authority (CA:TRUE) may issue certificates.",
    source="RFC 5280 4.2.1.9",
    openssl=79,
)
KEY_USAGE = Rule(
    text="The key usage of an issuer must allow it to sign certificates.",
    source="RFC 5280 4.2.1.3",
    openssl=32,
)
PATH_LENGTH = Rule(
    text="An authority may limit how many intermediates stand below it.",
    source="RFC 5280 4.2.1.9",
    openssl=25,
)
PURPOSE = Rule(
    text="Where purposes are listed, server authentication must be among them.",
    source="RFC 5280 4.2.1.12",
    openssl=26,
)
SERVER_KEY_USAGE = Rule(
    text="The key usage of a server must allow it to sign or to receive keys.",
    source="RFC 5280 4.2.1.3",
    openssl=26,
)
CRITICAL = Rule(
    text="A critical extension that is not understood makes a certificate unusable.",
    source="RFC 5280 4.2",
    openssl=34,
)
PERMITTED = Rule(
    text="An authority may limit the names below it to permitted ones.",
    source="RFC 5280 4.2.1.10",
    openssl=47,
)
EXCLUDED = Rule(
    text="An authority may exclude names below it.", source="RFC 5280 4.2.1.10", openssl=48
)
COMPARISONS = Rule(
    text="Names and name constraints must be few enough to be compared.",
    source="RFC 5280 4.2.1.10",
    openssl=1,
)
ALGORITHM = Rule(
    text="Signatures must use SHA-256, SHA-384 or SHA-512.", source=f"{_BASELINE} 7.1.3.2"
)
STRICT = Rule(text="Every certificate of the chain must pass verification.", source="RFC 5280 6.1")

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
        return Refusal(at_fault, reason, ALGORITHM)
    return Refusal(at_fault, "does not pass a strict verification of its chain", STRICT)


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
        return Refusal(certificate, f"cannot be read completely ({faults})", READABLE)
    if key.is_weak:
        rule = WEAK_CA_KEY if depth else WEAK_LEAF_KEY
        return Refusal(certificate, f"has a key that is too short ({key.label})", rule)
    if key.is_unreasonable:
        return unreasonable_key(certificate)
    # Nobody relies on the signature that a root puts on itself.
    if certificate.has_weak_signature and not is_anchor:
        reason = f"has an outdated signature ({certificate.signature_algorithm})"
        return Refusal(certificate, reason, WEAK_DIGEST)
    if certificate.unknown_critical:
        reason = (
            "has a critical extension that is not understood "
            f"({', '.join(certificate.unknown_critical[:4])})"
        )
        return Refusal(certificate, reason, CRITICAL)
    return None


def unreasonable_key(certificate: Certificate) -> Refusal:
    """The refusal of a certificate whose signatures are not checked because of its key's size."""
    reason = f"has a key that is larger than any in use ({certificate.key.label})"
    return Refusal(certificate, reason, KEY_SIZE)


def _issuer_fault(issuer: Certificate, below: Sequence[Certificate]) -> Refusal | None:
    if issuer.key.algorithm != "RSA" and issuer.key.label not in _ISSUER_CURVES:
        reason = f"signs with a key of a kind that is not accepted ({issuer.key.label})"
        return Refusal(issuer, reason, KEY_KIND)
    if issuer.version == 1 and issuer.self_signed:
        return None  # the rule of OpenSSL and BoringSSL for roots that cannot say CA:TRUE
    if not issuer.is_ca:
        reason = "is no authority (CA:TRUE is missing), so it may not issue certificates"
        return Refusal(issuer, reason, AUTHORITY)
    if not issuer.may_sign_certificates:
        reason = "may not sign certificates (its key usage leaves that out)"
        return Refusal(issuer, reason, KEY_USAGE)
    count = sum(not certificate.self_issued for certificate in below)
    if issuer.path_length is not None and count > issuer.path_length:
        reason = f"allows {issuer.path_length} intermediates below it, but the chain has {count}"
        return Refusal(issuer, reason, PATH_LENGTH)
    return None


def _purpose_fault(certificate: Certificate, depth: int, *, is_anchor: bool) -> Refusal | None:
    """Purposes bind the server and, as OpenSSL and Windows have it, the intermediates above it."""
    if not certificate.may_serve and (depth == 0 or not is_anchor):
        reason = "is limited to purposes other than server authentication"
        return Refusal(certificate, reason, PURPOSE)
    if depth == 0 and not certificate.may_handshake:
        reason = "may not be used by a TLS server (its key usage leaves that out)"
        return Refusal(certificate, reason, SERVER_KEY_USAGE)
    return None


def _constraint_fault(path: Sequence[Certificate]) -> Refusal | None:
    if not any(issuer.name_constraints for issuer in path[1:]):
        return None
    if constraints.comparisons(path) > constraints.MAX_COMPARISONS:
        reason = "has more names than can be compared with the limits of the authorities above it"
        return Refusal(path[0], reason, COMPARISONS)
    found = constraints.violation(path)
    if found is None:
        return None
    issuer, name = found.issuer.label, found.name
    if found.why == "permitted":
        reason = f"has the name {name}, which is outside the names that “{issuer}” may certify"
        return Refusal(found.certificate, reason, PERMITTED)
    reason = f"has the name {name}, which is among those that “{issuer}” must not certify"
    return Refusal(found.certificate, reason, EXCLUDED)
