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

from certificates.x509.certificate import Certificate


@dataclass(frozen=True, slots=True)
class Refusal:
    """The certificate that does not pass and why, in words that follow its name."""

    certificate: Certificate
    reason: str


# The library takes no other issuers either, but would not say which certificate it means.
_ISSUER_CURVES = {"EC P-256", "EC P-384", "EC P-521"}

_LIBRARY_WORDS = (
    ("name constraint", "is outside the names that an issuer above it may certify"),
    ("critical extension", "has a critical extension that is not understood"),
    ("unaccounted-for", "has a critical extension that is not understood"),
    ("signature algorithm", "is signed in a way that is not accepted"),
    ("max depth", "stands on a chain that is too long"),
    ("serial", "has a serial number that the standard forbids"),
)


def own_refusal(path: Sequence[Certificate], *, any_purpose: bool = False) -> Refusal | None:
    """Why a path (leaf first, anchor last) is not sound, by the rules of RFC 5280 4.2 and 6.1.

    The path must be fit for a server, unless ``any_purpose`` will do.
    """
    last = len(path) - 1
    for depth, certificate in enumerate(path):
        reason = _common_fault(certificate, is_anchor=depth == last)
        if reason is None and depth > 0:
            reason = _issuer_fault(certificate, path[1:depth])
        wrong_purpose = not any_purpose and not certificate.may_serve
        if reason is None and (depth == 0 or depth < last) and wrong_purpose:
            reason = "is limited to purposes other than server authentication"
        if reason is not None:
            return Refusal(certificate, reason)
    return None


def library_refusal(path: Sequence[Certificate], now: datetime) -> Refusal | None:
    """What ``cryptography`` says to a path that the walk found good.

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
    anchor = issuers[-1] if issuers else leaf
    policy = PolicyBuilder().time(now).max_chain_depth(len(path) + 1)
    try:
        policy.store(Store([anchor.x509])).extension_policies(
            ca_policy=ExtensionPolicy.permit_all().require_present(
                x509.BasicConstraints, Criticality.AGNOSTIC, None
            ),
            ee_policy=ExtensionPolicy.permit_all(),
        ).build_client_verifier().verify(leaf.x509, [issuer.x509 for issuer in issuers[:-1]])
    except (VerificationError, ValueError) as error:
        words = str(error).lower()
    else:
        return None
    for text, reason in _LIBRARY_WORDS:
        if text in words:
            return Refusal(leaf, reason)
    return Refusal(leaf, "does not pass a strict verification of its chain")


def _common_fault(certificate: Certificate, *, is_anchor: bool) -> str | None:
    if certificate.faults:
        return f"cannot be read completely ({', '.join(certificate.faults)})"
    if certificate.key.is_weak:
        return f"has a key that is too short ({certificate.key.label})"
    # Nobody relies on the signature that a root puts on itself.
    if certificate.has_weak_signature and not is_anchor:
        return f"has an outdated signature ({certificate.signature_algorithm})"
    return None


def _issuer_fault(issuer: Certificate, below: Sequence[Certificate]) -> str | None:
    if issuer.key.algorithm != "RSA" and issuer.key.label not in _ISSUER_CURVES:
        return f"signs with a key of a kind that is not accepted ({issuer.key.label})"
    if issuer.version == 1 and issuer.self_signed:
        return None  # the rule of OpenSSL and BoringSSL for roots that cannot say CA:TRUE
    if not issuer.is_ca:
        return "is no authority (CA:TRUE is missing), so it may not issue certificates"
    if not issuer.may_sign_certificates:
        return "may not sign certificates (its key usage leaves that out)"
    count = sum(not certificate.self_issued for certificate in below)
    if issuer.path_length is not None and count > issuer.path_length:
        return f"allows {issuer.path_length} intermediates below it, but the chain has {count}"
    return None
