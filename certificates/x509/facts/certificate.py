"""One certificate and the facts that the judgement needs, read once."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import NameConstraints
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from certificates.x509.encoding import asn1
from certificates.x509.facts.signatures import (
    MAX_EXPONENT_BITS,
    MAX_RSA_BITS,
    WEAK_DIGESTS,
    is_signed_by,
    signature_digest,
)
from certificates.x509.kinds.files import NOT_CERTIFICATE, TOO_LARGE
from certificates.x509.problems import Problem, ProblemError

Role = Literal["root", "intermediate", "leaf", "self-signed"]

# What a certificate is, in words that the documents use.
ROLE_WORDS: dict[Role, str] = {
    "root": "This is a root certificate.",
    "intermediate": "This is an intermediate certificate.",
    "leaf": "This is a leaf: a server's own certificate.",
    "self-signed": "This is a self-signed certificate that is not an authority.",
}

MAX_DER_BYTES = 256 * 1024
"""The largest certificate that is read: room for 10,000 names. TLS programs take 100 KB."""

MAX_NAME_BYTES = 4 * 1024
MAX_NAME_PARTS = 40
"""The longest distinguished name that is read: the largest real ones have 400 bytes, 10 parts."""

# Certificates up to this size keep what the library made of their names and extensions.
_SMALL = 4 * 1024

# An odd serial number or a long name says nothing about trust; a line in the server's log would
# help nobody.
warnings.filterwarnings(
    "ignore", message="Parsed a serial number", category=CryptographyDeprecationWarning
)
warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)

_UNREADABLE = "(unreadable)"
_CURVES = {
    "secp192r1": "P-192",
    "secp224r1": "P-224",
    "secp256r1": "P-256",
    "secp384r1": "P-384",
    "secp521r1": "P-521",
}
_SERVER_PURPOSES = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
# Extensions that a verification may meet as critical: those judged here, and those on policies and
# revocation, which nobody asks of a backend's certificate.
_UNDERSTOOD = {
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.CRL_DISTRIBUTION_POINTS,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.INHIBIT_ANY_POLICY,
    ExtensionOID.ISSUER_ALTERNATIVE_NAME,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.NAME_CONSTRAINTS,
    ExtensionOID.POLICY_CONSTRAINTS,
    ExtensionOID.POLICY_MAPPINGS,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.SUBJECT_INFORMATION_ACCESS,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.TLS_FEATURE,
}


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A public key: ``algorithm`` ("RSA", "EC", "Ed25519", …), size in ``bits``, ``label``, and
    of an RSA key the size of the public exponent."""

    algorithm: str
    bits: int
    label: str
    exponent_bits: int = 0

    @property
    def is_weak(self) -> bool:
        """Below 112 bits of security: RSA and DSA under 2048 bits, EC under 224 bits."""
        if self.algorithm in {"RSA", "DSA"}:
            return self.bits < 2048
        return self.algorithm == "EC" and self.bits < 224

    @property
    def is_unreasonable(self) -> bool:
        """So large that its signatures are not checked
        (:mod:`certificates.x509.facts.signatures`)."""
        return self.bits > MAX_RSA_BITS or self.exponent_bits > MAX_EXPONENT_BITS


@dataclass(frozen=True, slots=True, repr=False)
class Certificate:
    """An X.509 certificate. Two are equal when their DER bytes are.

    Dates are aware UTC. ``faults`` names the parts that could not be read; the facts that would
    come from them have their empty value. ``subject_key`` and ``issuer_key`` are the names as
    encoded: two names are the same name when these bytes are; ``public_key_der`` is the key as
    encoded. ``may_serve`` is what the extended key usage says, ``may_handshake`` what the key usage
    says to a TLS server. ``unknown_critical`` has the numbers of the critical extensions that
    nobody here understands.
    """

    der: bytes
    x509: x509.Certificate = field(compare=False)
    version: int = field(compare=False)
    sha256: str = field(compare=False)
    thumbprint: str = field(compare=False)
    serial: str = field(compare=False)
    subject: str = field(compare=False)
    issuer: str = field(compare=False)
    subject_key: bytes = field(compare=False)
    issuer_key: bytes = field(compare=False)
    public_key_der: bytes = field(compare=False)
    common_name: str | None = field(compare=False)
    issuer_common_name: str | None = field(compare=False)
    dns_names: tuple[str, ...] = field(compare=False)
    ip_addresses: tuple[str, ...] = field(compare=False)
    not_before: datetime = field(compare=False)
    not_after: datetime = field(compare=False)
    key: KeyInfo = field(compare=False)
    signature_algorithm: str = field(compare=False)
    signature_digest: str | None = field(compare=False)
    is_ca: bool = field(compare=False)
    path_length: int | None = field(compare=False)
    may_sign_certificates: bool = field(compare=False)
    may_serve: bool = field(compare=False)
    may_handshake: bool = field(compare=False)
    name_constraints: NameConstraints | None = field(compare=False)
    unknown_critical: tuple[str, ...] = field(compare=False)
    subject_key_id: bytes | None = field(compare=False)
    authority_key_id: bytes | None = field(compare=False)
    self_signed: bool = field(compare=False)
    faults: tuple[str, ...] = field(compare=False)

    @classmethod
    def from_der(cls, der: bytes) -> Certificate:
        """Read ``der``; raises :class:`ProblemError` (``cer-not-certificate``, ``cer-too-large``)
        and nothing else."""
        if len(der) > MAX_DER_BYTES:
            message = f"A certificate has {len(der):,} bytes; {MAX_DER_BYTES:,} are the most."
            raise ProblemError(Problem(kind=TOO_LARGE, message=message))
        try:
            loaded = x509.load_der_x509_certificate(der)
            subject_key, issuer_key, public_key = _raw_parts(loaded.tbs_certificate_bytes)
            not_before, not_after = loaded.not_valid_before_utc, loaded.not_valid_after_utc
            version = loaded.version.value + 1
            serial = format(loaded.serial_number, "X")
        except Exception as error:
            # The library raises ValueError, TypeError, x509.InvalidVersion and its own kinds here.
            raise ProblemError(
                Problem(
                    kind=NOT_CERTIFICATE,
                    message="The data has no readable certificate in it.",
                )
            ) from error
        faults: list[str] = []
        subject, common_name = _name(loaded, "subject", subject_key, faults)
        issuer, issuer_common_name = _name(loaded, "issuer", issuer_key, faults)
        facts = _extension_facts(loaded, faults)
        return cls(
            der=der,
            # A fresh one has nothing of what was unfolded above, which can be forty times as much.
            x509=loaded if len(der) <= _SMALL else x509.load_der_x509_certificate(der),
            version=version,
            sha256=hashlib.sha256(der).hexdigest().upper(),
            thumbprint=hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
            serial=serial,
            subject=subject,
            issuer=issuer,
            subject_key=subject_key,
            issuer_key=issuer_key,
            public_key_der=public_key,
            common_name=common_name,
            issuer_common_name=issuer_common_name,
            dns_names=facts.dns_names,
            ip_addresses=facts.ip_addresses,
            not_before=not_before.astimezone(UTC),
            not_after=not_after.astimezone(UTC),
            key=_key_info(loaded, faults),
            signature_algorithm=_signature_algorithm(loaded),
            signature_digest=signature_digest(loaded),
            is_ca=facts.is_ca,
            path_length=facts.path_length,
            may_sign_certificates=facts.may_sign_certificates,
            may_serve=facts.may_serve,
            may_handshake=facts.may_handshake,
            name_constraints=facts.name_constraints,
            unknown_critical=facts.unknown_critical,
            subject_key_id=facts.subject_key_id,
            authority_key_id=facts.authority_key_id,
            self_signed=subject_key == issuer_key and is_signed_by(loaded, loaded),
            faults=tuple(faults),
        )

    def __repr__(self) -> str:
        return f"<Certificate {self.describes()}>"

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name; the signature may still be another's."""
        return self.subject_key == self.issuer_key

    @property
    def role(self) -> Role:
        """``root`` is a self-signed CA, ``self-signed`` a self-signed certificate that is no CA."""
        if self.self_signed:
            return "root" if self.is_ca else "self-signed"
        return "intermediate" if self.is_ca else "leaf"

    @property
    def pem(self) -> str:
        """The Base-64 text with BEGIN and END lines."""
        return self.x509.public_bytes(serialization.Encoding.PEM).decode("ascii")

    @property
    def label(self) -> str:
        """The shortest name that a person would use: the common name, else the subject."""
        return self.common_name or (self.dns_names[0] if self.dns_names else self.subject)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the subject alternative name: hosts, then addresses."""
        return (*self.dns_names, *self.ip_addresses)

    @property
    def has_weak_signature(self) -> bool:
        return self.signature_digest in WEAK_DIGESTS

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether ``moment`` (aware) lies between *Valid from* and *Valid to*, both included."""
        return self.not_before <= moment <= self.not_after

    def describes(self) -> str:
        """One line for people: name, role, key and last day."""
        return f"{self.subject} ({self.role}, {self.key.label}, until {self.not_after:%Y-%m-%d})"


@dataclass(frozen=True, slots=True)
class _ExtensionFacts:
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    is_ca: bool = False
    path_length: int | None = None
    may_sign_certificates: bool = True
    may_serve: bool = True
    may_handshake: bool = True
    name_constraints: NameConstraints | None = None
    unknown_critical: tuple[str, ...] = ()
    subject_key_id: bytes | None = None
    authority_key_id: bytes | None = None


def printable(text: str) -> str:
    """``text`` with every character that could disturb a line of output written as its code."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}" for character in text
    )


def _raw_parts(tbs: bytes) -> tuple[bytes, bytes, bytes]:
    """(subject, issuer, public key) as encoded in a certificate's signed part, RFC 5280 4.1."""
    fields = asn1.read(tbs).children()
    first = 1 if fields[0].tag == asn1.CONTEXT_0 else 0
    return fields[first + 4].raw, fields[first + 2].raw, fields[first + 5].raw


def _name(
    loaded: x509.Certificate, which: Literal["subject", "issuer"], raw: bytes, faults: list[str]
) -> tuple[str, str | None]:
    """(readable name, most specific common name); most specific part first, as Windows shows it."""
    try:
        if _is_endless(raw):
            faults.append(f"the {which} name, which is too long")
            return _UNREADABLE, None
        name = loaded.subject if which == "subject" else loaded.issuer
        text = ", ".join(printable(rdn.rfc4514_string()) for rdn in reversed(name.rdns))
        common_names = name.get_attributes_for_oid(NameOID.COMMON_NAME)
        common_name = printable(str(common_names[-1].value)) if common_names else None
    except Exception:
        # Badly encoded strings surface only when the name is first looked at.
        faults.append(f"the {which} name")
        return _UNREADABLE, None
    return text or "(no name)", common_name or None


def _is_endless(name: bytes) -> bool:
    """Whether an encoded name has more parts than are worth reading; short ones have not."""
    if len(name) > MAX_NAME_BYTES:
        return True
    if len(name) <= MAX_NAME_PARTS * 7:  # the shortest part has seven bytes
        return False
    parts = asn1.read(name).first(MAX_NAME_PARTS + 1)
    return sum(len(part.first(MAX_NAME_PARTS + 1)) for part in parts) > MAX_NAME_PARTS


def _key_info(loaded: x509.Certificate, faults: list[str]) -> KeyInfo:
    try:
        key = loaded.public_key()
    except Exception:
        faults.append("the public key")
        return KeyInfo("unknown", 0, "unknown key")
    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e
        label = f"RSA {key.key_size}"
        if exponent.bit_length() > MAX_EXPONENT_BITS:
            label += f" with an exponent of {exponent.bit_length()} bits"
        return KeyInfo("RSA", key.key_size, label, exponent.bit_length())
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve = _CURVES.get(key.curve.name, key.curve.name)
        return KeyInfo("EC", key.curve.key_size, f"EC {curve}")
    if isinstance(key, ed25519.Ed25519PublicKey):
        return KeyInfo("Ed25519", 256, "Ed25519")
    if isinstance(key, ed448.Ed448PublicKey):
        return KeyInfo("Ed448", 456, "Ed448")
    if isinstance(key, dsa.DSAPublicKey):
        return KeyInfo("DSA", key.key_size, f"DSA {key.key_size}")
    other = type(key).__name__.removesuffix("PublicKey")
    return KeyInfo(other, 0, other)


def _signature_algorithm(loaded: x509.Certificate) -> str:
    """A name such as ``sha256WithRSAEncryption``, or the dotted number of an unknown one."""
    algorithm = loaded.signature_algorithm_oid
    name: str = algorithm._name
    return algorithm.dotted_string if name == "Unknown OID" else name


def _extension_facts(loaded: x509.Certificate, faults: list[str]) -> _ExtensionFacts:
    try:
        extensions = list(loaded.extensions)
    except Exception:
        # One malformed or doubled extension makes all of them unreadable in the library.
        faults.append("the extensions")
        return _ExtensionFacts()
    unknown = [one.oid for one in extensions if one.critical and one.oid not in _UNDERSTOOD]
    values: dict[str, Any] = {"unknown_critical": tuple(oid.dotted_string for oid in unknown)}
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName):
            values["dns_names"] = tuple(
                printable(name) for name in value.get_values_for_type(x509.DNSName)
            )
            values["ip_addresses"] = tuple(
                str(address) for address in value.get_values_for_type(x509.IPAddress)
            )
        elif isinstance(value, x509.BasicConstraints):
            values["is_ca"], values["path_length"] = value.ca, value.path_length
        elif isinstance(value, x509.KeyUsage):
            values["may_sign_certificates"] = value.key_cert_sign
            values["may_handshake"] = (
                value.digital_signature or value.key_encipherment or value.key_agreement
            )
        elif isinstance(value, x509.ExtendedKeyUsage):
            values["may_serve"] = not _SERVER_PURPOSES.isdisjoint(value)
        elif isinstance(value, x509.SubjectKeyIdentifier):
            values["subject_key_id"] = value.digest
        elif isinstance(value, NameConstraints):
            values["name_constraints"] = value
        elif isinstance(value, x509.AuthorityKeyIdentifier):
            values["authority_key_id"] = value.key_identifier
    return _ExtensionFacts(**values)
