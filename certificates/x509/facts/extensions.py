"""The extensions of a certificate in words, a list of lines each (RFC 5280 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cryptography import x509

from certificates.x509.encoding.texts import MAX_LINE, MAX_LINES, hex_dump, shortened
from certificates.x509.facts.certificate import printable

PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "Server Authentication",
    "1.3.6.1.5.5.7.3.2": "Client Authentication",
    "1.3.6.1.5.5.7.3.3": "Code Signing",
    "1.3.6.1.5.5.7.3.4": "Secure Email",
    "1.3.6.1.5.5.7.3.8": "Time Stamping",
    "1.3.6.1.5.5.7.3.9": "OCSP Signing",
    "1.3.6.1.4.1.311.20.2.2": "Smart Card Logon",
    "1.3.6.1.4.1.311.10.3.4": "Encrypting File System",
    "2.5.29.37.0": "Any Purpose",
}

_NAMES = {
    "2.5.29.9": "Subject Directory Attributes",
    "2.5.29.14": "Subject Key Identifier",
    "2.5.29.15": "Key Usage",
    "2.5.29.17": "Subject Alternative Name",
    "2.5.29.18": "Issuer Alternative Name",
    "2.5.29.19": "Basic Constraints",
    "2.5.29.30": "Name Constraints",
    "2.5.29.31": "CRL Distribution Points",
    "2.5.29.32": "Certificate Policies",
    "2.5.29.33": "Policy Mappings",
    "2.5.29.35": "Authority Key Identifier",
    "2.5.29.36": "Policy Constraints",
    "2.5.29.37": "Enhanced Key Usage",
    "2.5.29.46": "Freshest CRL",
    "2.5.29.54": "Inhibit Any Policy",
    "1.3.6.1.5.5.7.1.1": "Authority Information Access",
    "1.3.6.1.5.5.7.1.11": "Subject Information Access",
    "1.3.6.1.5.5.7.1.24": "TLS Feature",
    "1.3.6.1.5.5.7.48.1.5": "OCSP No Revocation Checking",
    "1.3.6.1.4.1.11129.2.4.2": "SCT List",
    "1.3.6.1.4.1.11129.2.4.3": "Precertificate Poison",
    "1.3.6.1.4.1.311.20.2": "Certificate Template Name",
    "1.3.6.1.4.1.311.21.1": "CA Version",
    "1.3.6.1.4.1.311.21.7": "Certificate Template Information",
    "2.16.840.1.113730.1.1": "Netscape Cert Type",
    "2.16.840.1.113730.1.13": "Netscape Comment",
}

# Property of x509.KeyUsage, its words.
_USAGES = (
    ("digital_signature", "Digital Signature"),
    ("content_commitment", "Non-Repudiation"),
    ("key_encipherment", "Key Encipherment"),
    ("data_encipherment", "Data Encipherment"),
    ("key_agreement", "Key Agreement"),
    ("key_cert_sign", "Certificate Signing"),
    ("crl_sign", "CRL Signing"),
)

_METHODS = {
    "1.3.6.1.5.5.7.48.1": "On-line Certificate Status Protocol",
    "1.3.6.1.5.5.7.48.2": "Certification Authority Issuer",
}


def extension_name(oid: str) -> str:
    """The name of an extension, or its dotted number."""
    return _NAMES.get(oid, oid)


def extension_lines(value: x509.ExtensionType) -> list[str]:
    """What the extension says, a line for each thing; never raises.

    One that has no words here is shown as its bytes. Lines beyond :data:`texts.MAX_LINES` may be
    empty: their number alone counts.
    """
    words = _WORDS.get(type(value))
    if words is None:
        return hex_dump(value.public_bytes()).splitlines()
    return [printable(shortened(line, MAX_LINE)) for line in words(value)]


def general_name(name: x509.GeneralName) -> str:
    """A name of any kind with its kind, such as ``DNS Name=backend.contoso.test``."""
    if isinstance(name, x509.DNSName):
        return f"DNS Name={name.value}"
    if isinstance(name, x509.IPAddress):
        return f"IP Address={name.value}"
    if isinstance(name, x509.RFC822Name):
        return f"RFC822 Name={name.value}"
    if isinstance(name, x509.UniformResourceIdentifier):
        return f"URL={name.value}"
    if isinstance(name, x509.DirectoryName):
        return f"Directory Address={name.value.rfc4514_string()}"
    if isinstance(name, x509.RegisteredID):
        return f"Registered ID={name.value.dotted_string}"
    if isinstance(name, x509.OtherName):
        return f"Other Name={name.type_id.dotted_string}: {name.value[:64].hex(' ')}"
    return type(name).__name__


def _names(names: Iterable[x509.GeneralName]) -> list[str]:
    found = list(names)
    # A certificate may name ten thousand hosts; only so many are ever shown.
    shown = [general_name(name) for name in found[:MAX_LINES]]
    return shown + [""] * (len(found) - len(shown))


def _basic_constraints(value: x509.BasicConstraints) -> list[str]:
    if not value.ca:
        return ["Subject Type=End Entity"]
    length = "None" if value.path_length is None else value.path_length
    return ["Subject Type=CA", f"Path Length Constraint={length}"]


def _key_usage(value: x509.KeyUsage) -> list[str]:
    found = [words for name, words in _USAGES if getattr(value, name)]
    if value.key_agreement:
        found += ["Encipher Only"] * value.encipher_only + ["Decipher Only"] * value.decipher_only
    return found or ["(none)"]


def _extended_key_usage(value: x509.ExtendedKeyUsage) -> list[str]:
    numbers = [purpose.dotted_string for purpose in value]
    return [f"{PURPOSES.get(one, 'Unknown purpose')} ({one})" for one in numbers]


def _subject_key(value: x509.SubjectKeyIdentifier) -> list[str]:
    return [_octets(value.digest)]


def _authority_key(value: x509.AuthorityKeyIdentifier) -> list[str]:
    lines = [] if value.key_identifier is None else [f"KeyID={_octets(value.key_identifier)}"]
    lines += [f"Issuer: {line}" for line in _names(value.authority_cert_issuer or ())]
    if value.authority_cert_serial_number is not None:
        lines.append(f"Serial number={value.authority_cert_serial_number:x}")
    return lines or ["(empty)"]


def _access(
    value: x509.AuthorityInformationAccess | x509.SubjectInformationAccess,
) -> list[str]:
    lines: list[str] = []
    for one in value:
        number = one.access_method.dotted_string
        lines += [
            f"Method={_METHODS.get(number, number)}",
            f"  {general_name(one.access_location)}",
        ]
    return lines


def _distribution_points(value: x509.CRLDistributionPoints | x509.FreshestCRL) -> list[str]:
    lines: list[str] = []
    for number, point in enumerate(value, start=1):
        lines.append(f"[{number}] CRL Distribution Point")
        lines += [f"  {line}" for line in _names(point.full_name or ())]
        if point.relative_name is not None:
            lines.append(f"  Relative Name={point.relative_name.rfc4514_string()}")
        lines += [f"  CRL Issuer: {line}" for line in _names(point.crl_issuer or ())]
        if point.reasons:
            lines.append(f"  Reasons={', '.join(sorted(one.value for one in point.reasons))}")
    return lines


def _name_constraints(value: x509.NameConstraints) -> list[str]:
    lines: list[str] = []
    for title, names in (
        ("Permitted", value.permitted_subtrees),
        ("Excluded", value.excluded_subtrees),
    ):
        lines += [title, *(f"  {line}" for line in _names(names or ()))] if names else []
    return lines


def _policies(value: x509.CertificatePolicies) -> list[str]:
    lines: list[str] = []
    for number, policy in enumerate(value, start=1):
        lines.append(f"[{number}] Policy Identifier={policy.policy_identifier.dotted_string}")
        for qualifier in policy.policy_qualifiers or ():
            if isinstance(qualifier, str):
                lines.append(f"  CPS={qualifier}")
            else:
                lines.append(f"  Notice={qualifier.explicit_text or '(reference only)'}")
    return lines


def _timestamps(value: x509.PrecertificateSignedCertificateTimestamps) -> list[str]:
    lines: list[str] = []
    for one in value:
        lines += [f"Log={one.log_id.hex()}", f"  Time={one.timestamp:%Y-%m-%d %H:%M:%S} UTC"]
    return lines


def _features(value: x509.TLSFeature) -> list[str]:
    return [f"{one.name} ({one.value})" for one in value]


def _unknown(value: x509.UnrecognizedExtension) -> list[str]:
    return hex_dump(value.value).splitlines()


def _octets(data: bytes) -> str:
    return shortened(data[:64].hex(), 120)


_WORDS: dict[type[x509.ExtensionType], Callable[[Any], list[str]]] = {
    x509.SubjectAlternativeName: _names,
    x509.IssuerAlternativeName: _names,
    x509.BasicConstraints: _basic_constraints,
    x509.KeyUsage: _key_usage,
    x509.ExtendedKeyUsage: _extended_key_usage,
    x509.SubjectKeyIdentifier: _subject_key,
    x509.AuthorityKeyIdentifier: _authority_key,
    x509.AuthorityInformationAccess: _access,
    x509.SubjectInformationAccess: _access,
    x509.CRLDistributionPoints: _distribution_points,
    x509.FreshestCRL: _distribution_points,
    x509.NameConstraints: _name_constraints,
    x509.CertificatePolicies: _policies,
    x509.PrecertificateSignedCertificateTimestamps: _timestamps,
    x509.TLSFeature: _features,
    x509.UnrecognizedExtension: _unknown,
}
