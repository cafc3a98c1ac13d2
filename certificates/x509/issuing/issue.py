"""Making certificates: roots, intermediates, leaves, self-signed ones and PFX files.

Used for lab servers, for the installation's own authority, and for tests. All times are aware; a
certificate is valid from one hour before ``now`` (so that a slow clock does not refuse it) for
``days``, unless ``not_before`` or ``not_after`` say otherwise.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certificates.x509.facts.certificate import Certificate
from certificates.x509.facts.names import LONGEST_LABEL, a_name
from certificates.x509.issuing.sha1 import sign_anew

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
KeySpec = Literal["ec", "ec384", "rsa1024", "rsa2048", "rsa3072", "rsa4096", "ed25519"]
Purpose = Literal["server", "client", "code-signing"]
Digest = Literal["sha256", "sha1"]
"""``sha1`` is the outdated one, for practice."""
ChainForm = Literal["complete", "with-root", "leaf-only", "reversed"]
"""What a chain file holds; ``complete`` is the leaf and its intermediates, in this order."""

_PURPOSES = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code-signing": ExtendedKeyUsageOID.CODE_SIGNING,
}
_CA_USAGE = frozenset({"key_cert_sign", "crl_sign", "digital_signature"})
_LEAF_USAGE = frozenset({"digital_signature", "key_encipherment"})
_ALL_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its private key, and who issued it (``None``: it signed itself)."""

    certificate: Certificate
    key: PrivateKey = field(repr=False)
    issuer: Issued | None = field(default=None, repr=False)

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """The issuers upward, root last; empty for a self-signed certificate."""
        if self.issuer is None:
            return ()
        return (self.issuer.certificate, *self.issuer.chain)


def make_root(
    common_name: str,
    *,
    now: datetime,
    days: int = 3650,
    key: KeySpec = "ec",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    path_length: int | None = None,
    digest: Digest = "sha256",
) -> Issued:
    """A self-signed authority; raises ``ValueError`` for a name that no certificate can hold."""
    extensions = _ca_extensions(path_length)
    dates = _dates(now, days, not_before, not_after)
    return _issue(None, common_name, make_key(key), dates, extensions, digest)


def make_intermediate(
    issuer: Issued,
    common_name: str,
    *,
    now: datetime,
    days: int = 1825,
    key: KeySpec = "ec",
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    path_length: int | None = None,
    digest: Digest = "sha256",
) -> Issued:
    """An authority below ``issuer``; raises ``ValueError`` as :func:`make_root`."""
    extensions = _ca_extensions(path_length)
    dates = _dates(now, days, not_before, not_after)
    return _issue(issuer, common_name, make_key(key), dates, extensions, digest)


def make_leaf(
    issuer: Issued,
    common_name: str,
    *,
    now: datetime,
    days: int = 365,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[str] = (),
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    key: KeySpec | PrivateKey = "ec",
    purposes: Sequence[Purpose] = ("server",),
    digest: Digest = "sha256",
) -> Issued:
    """A server's or client's certificate; no names means no subject alternative name at all, no
    ``purposes`` that it is good for everything. ``key`` is the kind of a new key, or a key.

    International names are written as A-labels. Raises ``ValueError`` for names or addresses that
    no certificate can hold, and for a SHA-1 signature by an issuer with an Ed25519 key.
    """
    extensions = _leaf_extensions(dns_names, ip_addresses, purposes)
    dates = _dates(now, days, not_before, not_after)
    own_key = make_key(key) if isinstance(key, str) else key
    return _issue(issuer, common_name, own_key, dates, extensions, digest)


def make_self_signed(
    common_name: str,
    *,
    now: datetime,
    ca: bool,
    days: int = 365,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[str] = (),
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    key: KeySpec = "ec",
    purposes: Sequence[Purpose] = ("server",),
    digest: Digest = "sha256",
) -> Issued:
    """A server's self-signed certificate, with CA:TRUE (as ``openssl req -x509`` does) or without.

    Raises ``ValueError`` as :func:`make_leaf`.
    """
    usage = _CA_USAGE | _LEAF_USAGE if ca else _LEAF_USAGE
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=ca, path_length=None), True),
        (_key_usage(usage), True),
        *_name_extensions(dns_names, ip_addresses, purposes),
    ]
    dates = _dates(now, days, not_before, not_after)
    return _issue(None, common_name, make_key(key), dates, extensions, digest)


def to_pem(*certificates: Certificate) -> bytes:
    """The certificates as Base-64 text, one after the other."""
    return "".join(certificate.pem for certificate in certificates).encode("ascii")


def ordered_chain(
    leaf: Certificate, issuers: Sequence[Certificate], form: ChainForm = "complete"
) -> tuple[Certificate, ...]:
    """The certificates of a server's chain file. ``issuers`` run upward from the leaf's own; a root
    among them is the self-signed last one."""
    if form == "leaf-only":
        return (leaf,)
    if form == "with-root":
        return (leaf, *issuers)
    if form == "reversed":
        return (*reversed(issuers), leaf)
    return (leaf, *(issuer for issuer in issuers if not issuer.self_signed))


def chain_pem(issued: Issued, form: ChainForm = "complete") -> bytes:
    """The chain file of a server as Base-64 text, as :func:`ordered_chain` orders it."""
    return to_pem(*ordered_chain(issued.certificate, issued.chain, form))


def key_pem(issued: Issued) -> bytes:
    """The private key as unencrypted PKCS #8 text."""
    return issued.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_key(pem: bytes) -> PrivateKey:
    """The key in unencrypted PEM; raises ``ValueError`` if it is none of a supported kind."""
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, PrivateKey):
        raise ValueError("The key is neither RSA nor EC nor Ed25519.")
    return key


def load_issued(certificate: Certificate, pem: bytes, issuer: Issued | None = None) -> Issued:
    """A stored certificate and its key in PEM as an issuer again; raises ``ValueError`` if they
    do not belong together."""
    key = load_key(pem)
    if key.public_key() != certificate.x509.public_key():
        raise ValueError("Key and certificate do not belong together.")
    return Issued(certificate, key, issuer)


def to_pfx(
    issued: Issued,
    password: str,
    *,
    name: str = "",
    chain: Sequence[Certificate] = (),
    legacy: bool = False,
) -> bytes:
    """A PFX with key, certificate and ``chain``, protected with AES-256 and SHA-256, or in the
    ``legacy`` way of old Windows (3DES, SHA-1). An empty password leaves it unprotected."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        builder = serialization.PrivateFormat.PKCS12.encryption_builder()
        if legacy:
            builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
            builder = builder.hmac_hash(hashes.SHA1())  # noqa: S303 - what the old format uses
        else:
            builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
            builder = builder.hmac_hash(hashes.SHA256())
        encryption = builder.build(password.encode())
    return pkcs12.serialize_key_and_certificates(
        name.encode() or None,
        issued.key,
        issued.certificate.x509,
        [certificate.x509 for certificate in chain] or None,
        encryption,
    )


def make_key(spec: KeySpec = "ec") -> PrivateKey:
    """A new private key; ``ec`` is P-256. Raises ``ValueError`` for an unknown kind."""
    if spec == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    if spec == "ec384":
        return ec.generate_private_key(ec.SECP384R1())
    if spec == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if spec.startswith("rsa"):
        bits = int(spec.removeprefix("rsa"))
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    raise ValueError(f"There is no kind of key called {spec!r}.")


def _issue(
    issuer: Issued | None,
    common_name: str,
    key: PrivateKey,
    dates: tuple[datetime, datetime],
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    digest: Digest,
) -> Issued:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.x509.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dates[0])
        .not_valid_after(dates[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_authority_key_id(issuer, key), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(
        signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    )
    if digest == "sha1":
        der = sign_anew(signed, signer)
    else:
        der = signed.public_bytes(serialization.Encoding.DER)
    return Issued(Certificate.from_der(der), key, issuer)


def _authority_key_id(issuer: Issued | None, own_key: PrivateKey) -> x509.AuthorityKeyIdentifier:
    if issuer is not None and issuer.certificate.subject_key_id is not None:
        return x509.AuthorityKeyIdentifier(issuer.certificate.subject_key_id, None, None)
    key = issuer.key if issuer else own_key
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _dates(
    now: datetime, days: int, not_before: datetime | None, not_after: datetime | None
) -> tuple[datetime, datetime]:
    start = not_before or now - timedelta(hours=1)
    end = not_after or max(now, start) + timedelta(days=days)
    return start.replace(microsecond=0), end.replace(microsecond=0)


def _ca_extensions(path_length: int | None) -> list[tuple[x509.ExtensionType, bool]]:
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_key_usage(_CA_USAGE), True),
    ]


def _leaf_extensions(
    dns_names: Sequence[str], ip_addresses: Sequence[str], purposes: Sequence[Purpose]
) -> list[tuple[x509.ExtensionType, bool]]:
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(_LEAF_USAGE), True),
        *_name_extensions(dns_names, ip_addresses, purposes),
    ]


def _name_extensions(
    dns_names: Sequence[str], ip_addresses: Sequence[str], purposes: Sequence[Purpose]
) -> list[tuple[x509.ExtensionType, bool]]:
    names: list[x509.GeneralName] = [x509.DNSName(_dns_name(name)) for name in dns_names]
    names.extend(x509.IPAddress(ipaddress.ip_address(address)) for address in ip_addresses)
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if purposes:
        usages = [_PURPOSES[purpose] for purpose in purposes]
        extensions.append((x509.ExtendedKeyUsage(usages), False))
    if names:
        extensions.append((x509.SubjectAlternativeName(names), False))
    return extensions


def _dns_name(name: str) -> str:
    """``name`` with international labels as A-labels; raises ``ValueError`` if it has none."""
    if name.isascii():
        return name  # whatever it is: certificates are made to be refused, too
    spelt = a_name(name)
    if not all(0 < len(label) <= LONGEST_LABEL for label in spelt.split(".")):
        raise ValueError(f"A certificate cannot hold the name {name!r}.")
    return spelt


def _key_usage(allowed: frozenset[str]) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in allowed for usage in _ALL_USAGES})
