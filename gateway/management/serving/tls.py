"""The portal's own certificate and the certificate authority of the installation above it.

The authority may only vouch for names of this machine (name constraints), so whoever trusts it
trusts it for nothing else. Both live in a directory of mode 0700, in files of mode 0600.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
# Apple's clients refuse server certificates that live longer.
SERVER_LIFE = timedelta(days=397)
RENEWED_BEFORE = timedelta(days=30)
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
LOOPBACK_NETWORKS = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class PortalCertificate:
    """Paths of the PEM files; ``new_authority`` is true when clients must trust a new one."""

    authority: Path
    certificate: Path
    key: Path
    new_authority: bool


def ensure(
    directory: Path, names: Iterable[str], *, installation: str, now: datetime
) -> PortalCertificate:
    """Make what is missing, has run out or does not cover ``names`` (DNS names or addresses)."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = list(dict.fromkeys([*LOOPBACK_NAMES, *names]))
    paths = {name: directory / name for name in ("ca.pem", "ca.key", "portal.pem", "portal.key")}
    authority = _load(paths["ca.pem"], paths["ca.key"])
    renewed = False
    if authority is None or not _serves(authority[0], now) or not _covers(authority, wanted):
        renewed = True
        authority = _make_authority(wanted, installation, now)
        _write(paths["ca.key"], _key_pem(authority[1]))
        _write(paths["ca.pem"], authority[0].public_bytes(serialization.Encoding.PEM))
    server = _load(paths["portal.pem"], paths["portal.key"])
    if renewed or server is None or not _serves(server[0], now) or _names(server[0]) != wanted:
        certificate, key = _make_server(authority, wanted, now)
        _write(paths["portal.key"], _key_pem(key))
        # The authority is sent along: a client that is to trust it can then show it.
        chain = b"".join(
            item.public_bytes(serialization.Encoding.PEM) for item in (certificate, authority[0])
        )
        _write(paths["portal.pem"], chain)
    return PortalCertificate(paths["ca.pem"], paths["portal.pem"], paths["portal.key"], renewed)


Pair = tuple[x509.Certificate, EllipticCurvePrivateKey]


def _load(certificate: Path, key: Path) -> Pair | None:
    """The pair in the two files; ``None`` when one is missing, damaged or does not fit."""
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        secret = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return None
    if not isinstance(secret, EllipticCurvePrivateKey):
        return None
    return (loaded, secret) if loaded.public_key() == secret.public_key() else None


def _serves(certificate: x509.Certificate, now: datetime) -> bool:
    return (
        certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEWED_BEFORE
    )


def _covers(authority: Pair, names: list[str]) -> bool:
    constraints = authority[0].extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = list(constraints.permitted_subtrees or ())
    return all(constraint in permitted for constraint in _constraints(names))


def _constraints(names: list[str]) -> list[x509.GeneralName]:
    """What the authority must be allowed to vouch for: these very names and the loopback."""
    networks = [*LOOPBACK_NETWORKS]
    hosts = []
    for name in names:
        address = _address(name)
        if address is None:
            hosts.append(name)
        elif not address.is_loopback:
            networks.append(f"{address}/{address.max_prefixlen}")
    return [
        *(x509.DNSName(host) for host in hosts),
        *(x509.IPAddress(ipaddress.ip_network(network)) for network in networks),
    ]


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _names(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def _builder(
    subject: str, issuer: x509.Name | None, key: EllipticCurvePrivateKey, now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:  # fmt: skip
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer or name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of other machines may be a little behind.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(**allowed: bool) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in every})


def _make_authority(names: list[str], installation: str, now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    # A name of its own each time: clients that keep an old authority must not mix the two up.
    subject = f"Gatewright {installation} portal authority {secrets.token_hex(3)}"
    certificate = (
        _builder(subject, None, key, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(
            x509.NameConstraints(permitted_subtrees=_constraints(names), excluded_subtrees=None),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def _make_server(authority: Pair, names: list[str], now: datetime) -> Pair:
    issuer, issuer_key = authority
    key = ec.generate_private_key(ec.SECP256R1())
    alternative: list[x509.GeneralName] = [
        x509.DNSName(name) if (address := _address(name)) is None else x509.IPAddress(address)
        for name in names
    ]
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    life = min(SERVER_LIFE, issuer.not_valid_after_utc - now)
    certificate = (
        _builder("Gatewright portal", issuer.subject, key, now, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )
    return certificate, key


def _key_pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> None:
    """Put the content in place at once: no reader ever sees half a file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
