"""The rules that every chain has to keep, whichever trust it is judged by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of verification: a sentence, where it stands, and the number that OpenSSL gives to a
    certificate that breaks it (``None`` where it has none of its own)."""

    text: str
    source: str
    openssl: int | None = None


def _rfc5280(section: str, text: str, openssl: int | None = None) -> Rule:
    return Rule(text, f"RFC 5280 {section}", openssl)


def _baseline(section: str, text: str, openssl: int | None = None) -> Rule:
    return Rule(text, f"CA/Browser Forum Baseline Requirements {section}", openssl)


_STRONG = "Keys must be strong enough: RSA with 2048 bits or more, or EC."

READABLE = _rfc5280("4.1", "Every part of a certificate must be readable.")
SIGNATURE = _rfc5280("6.1.3", "The key of the issuer must have made the signature.", 7)
WEAK_LEAF_KEY = _baseline("6.1.5", _STRONG, 66)
WEAK_CA_KEY = _baseline("6.1.5", _STRONG, 67)
WEAK_DIGEST = _baseline("7.1.3", "Signatures must not use SHA-1 or MD5.", 68)
KEY_SIZE = Rule(
    "Keys must not be larger than verifiers accept.", "Release notes of Go 1.20.7, crypto/tls"
)
KEY_KIND = _baseline("6.1.5", "Authorities sign with RSA or with EC on P-256, P-384 or P-521.")
AUTHORITY = _rfc5280("4.2.1.9", "Only an authority (CA:TRUE) may issue certificates.", 79)
KEY_USAGE = _rfc5280(
    "4.2.1.3", "The key usage of an issuer must allow it to sign certificates.", 32
)
PATH_LENGTH = _rfc5280(
    "4.2.1.9", "An authority may limit how many intermediates stand below it.", 25
)
PURPOSE = _rfc5280(
    "4.2.1.12", "Where purposes are listed, server authentication must be among them.", 26
)
SERVER_KEY_USAGE = _rfc5280(
    "4.2.1.3", "The key usage of a server must allow it to sign or to receive keys.", 26
)
CRITICAL = _rfc5280(
    "4.2", "A critical extension that is not understood makes a certificate unusable.", 34
)
PERMITTED = _rfc5280("4.2.1.10", "An authority may limit the names below it to permitted ones.", 47)
EXCLUDED = _rfc5280("4.2.1.10", "An authority may exclude names below it.", 48)
COMPARISONS = _rfc5280(
    "4.2.1.10", "Names and name constraints must be few enough to be compared.", 1
)
ALGORITHM = _baseline("7.1.3.2", "Signatures must use SHA-256, SHA-384 or SHA-512.")
STRICT = _rfc5280("6.1", "Every certificate of the chain must pass verification.")
