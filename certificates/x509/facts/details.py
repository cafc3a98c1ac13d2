"""Everything that a certificate says, field by field, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certificates.x509.encoding import asn1
from certificates.x509.encoding.texts import hex_dump, limited, shortened
from certificates.x509.facts.certificate import Certificate, printable
from certificates.x509.facts.extensions import PURPOSES, extension_lines, extension_name

Group = Literal["field", "extension", "property"]

SUMMARY_LENGTH = 120
_MAX_PURPOSES = 20
_CONTEXT_3 = 0xA3


@dataclass(frozen=True, slots=True)
class Detail:
    """One line of the list: ``summary`` fits in it, ``full`` has all lines (of bounded length)."""

    group: Group
    name: str
    summary: str
    full: str
    critical: bool = False


def details(certificate: Certificate) -> tuple[Detail, ...]:
    """The fields of version 1, the extensions in their order, and the digests; never raises.

    What cannot be read is shown as bytes. Lists are cut after a hundred lines, bytes after 2,048.
    """
    return (
        *_fields(certificate),
        *_extensions(certificate),
        _property("Thumbprint", certificate.thumbprint),
        _property("Thumbprint (SHA-256)", certificate.sha256),
    )


def purposes(certificate: Certificate) -> tuple[str, ...]:
    """What the certificate may be used for, in words; ``<All>`` where it sets no limit.

    RFC 5280 4.2.1.12: one without the extension, or with "any" in it, is good for everything.
    """
    if "the extensions" in certificate.faults:
        return ("(unreadable)",)
    for extension in certificate.x509.extensions:
        if isinstance(extension.value, x509.ExtendedKeyUsage):
            if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in extension.value:
                break
            names = [PURPOSES.get(one.dotted_string, one.dotted_string) for one in extension.value]
            return tuple(dict.fromkeys(names))[:_MAX_PURPOSES]
    return ("<All>",)


def _fields(certificate: Certificate) -> tuple[Detail, ...]:
    key = certificate.key
    bits = f" ({key.bits} Bits)" if key.bits else ""
    dump = hex_dump(_public_key(certificate))
    return (
        _field("Version", f"V{certificate.version}"),
        _field("Serial number", _serial(certificate)),
        _field("Signature algorithm", certificate.signature_algorithm),
        _field("Signature hash algorithm", _digest(certificate)),
        _name(certificate, "Issuer", certificate.issuer, certificate.issuer_key),
        _field("Valid from", _moment(certificate.not_before)),
        _field("Valid to", _moment(certificate.not_after)),
        _name(certificate, "Subject", certificate.subject, certificate.subject_key),
        Detail("field", "Public key", f"{key.label}{bits}", f"{key.label}{bits}\n{dump}"),
    )


def _field(name: str, value: str) -> Detail:
    return Detail("field", name, shortened(value, SUMMARY_LENGTH), value)


def _property(name: str, value: str) -> Detail:
    return Detail("property", name, value, value)


def _name(certificate: Certificate, name: str, line: str, raw: bytes) -> Detail:
    """A distinguished name: in the list on one line, below it a line for each part."""
    try:
        parts = (certificate.x509.issuer if name == "Issuer" else certificate.x509.subject).rdns
        lines = [
            printable(f"{one.rfc4514_attribute_name} = {one.value!s}")
            for part in reversed(parts)
            for one in part
        ]
    except Exception:
        # Badly encoded strings, as where the certificate was read.
        return Detail("field", name, line, f"{line}\n{hex_dump(raw)}")
    return Detail("field", name, shortened(line, SUMMARY_LENGTH), limited(lines) or line)


def _serial(certificate: Certificate) -> str:
    # The first zero is left out of an odd number of digits.
    serial = certificate.serial
    return serial if len(serial) % 2 == 0 or serial.startswith("-") else f"0{serial}"


def _digest(certificate: Certificate) -> str:
    try:
        digest = certificate.x509.signature_hash_algorithm
    except Exception:
        # An algorithm that the library does not know.
        return "unknown"
    return "none of its own" if digest is None else digest.name


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _tbs(certificate: Certificate) -> list[asn1.Node]:
    """The elements of the signed part after the optional version (RFC 5280 4.1)."""
    elements = asn1.read(certificate.x509.tbs_certificate_bytes).children()
    return elements[1:] if elements[0].tag == asn1.CONTEXT_0 else elements


def _public_key(certificate: Certificate) -> bytes:
    _, bits = _tbs(certificate)[5].children()
    return bits.content[1:]


def _extensions(certificate: Certificate) -> list[Detail]:
    try:
        found = list(certificate.x509.extensions)
    except Exception:
        # One that is malformed or doubled makes all of them unreadable in the library.
        return _raw_extensions(certificate)
    return [_extension(one.oid.dotted_string, one.critical, one.value) for one in found]


def _extension(oid: str, critical: bool, value: x509.ExtensionType) -> Detail:
    lines = extension_lines(value)
    return Detail(
        "extension", extension_name(oid), _one_line(lines), limited(lines), critical=critical
    )


def _raw_extensions(certificate: Certificate) -> list[Detail]:
    """The extensions as bytes, read from the outer form alone."""
    found: list[Detail] = []
    for element in _tbs(certificate):
        if element.tag != _CONTEXT_3:
            continue
        for one in element.children()[0].children():
            first, *flag, last = one.children()
            dump = hex_dump(last.octets())
            critical = any(node.content != b"\x00" for node in flag)
            name = extension_name(asn1.oid(first))
            found.append(Detail("extension", name, "(unreadable)", dump, critical=critical))
    return found


def _one_line(lines: Sequence[str]) -> str:
    return shortened(", ".join(line.strip() for line in lines[:10]), SUMMARY_LENGTH)
