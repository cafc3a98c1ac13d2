"""Certificates for the tests: made once per run with the product's own issuer, or with openssl."""

from __future__ import annotations

import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from math import gcd
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PSS
from cryptography.x509.oid import NameOID

from certificates.x509.facts.certificate import Certificate
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing.issue import (
    Issued,
    PrivateKey,
    make_intermediate,
    make_key,
    make_leaf,
    make_root,
    make_self_signed,
)
from certificates.x509.trust.anchors import AnchorStore

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
YESTERDAY = NOW - timedelta(days=1)
TOMORROW = NOW + timedelta(days=1)
NAME = "backend.contoso.test"


@cache
def root(name: str = "Contoso Root") -> Issued:
    return make_root(name, now=NOW)


@cache
def intermediate() -> Issued:
    return make_intermediate(root(), "Contoso Issuing CA", now=NOW)


@cache
def leaf() -> Issued:
    return make_leaf(intermediate(), NAME, now=NOW, dns_names=[NAME])


@cache
def direct_leaf() -> Issued:
    return make_leaf(root(), NAME, now=NOW, dns_names=[NAME])


@cache
def self_signed(*, ca: bool) -> Issued:
    return make_self_signed(NAME, now=NOW, ca=ca, dns_names=[NAME])


@cache
def other_root() -> Issued:
    return make_root("Fabrikam Root", now=NOW)


def certs(*issued: Issued) -> list[Certificate]:
    return [one.certificate for one in issued]


def store(*issued: Issued) -> AnchorStore:
    return AnchorStore.from_certificates(certs(*issued))


def openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run ``openssl``; in the arguments, ``{dir}`` is the directory of :func:`workshop`."""
    done = subprocess.run(
        ["openssl", *(argument.format(dir=workshop()) for argument in arguments)],
        input=stdin,
        capture_output=True,
        check=True,
    )
    return done.stdout


@cache
def workshop() -> Path:
    """A directory that lives as long as the test run."""
    directory = tempfile.TemporaryDirectory()
    _KEPT.append(directory)
    return Path(directory.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def put(name: str, data: bytes) -> str:
    path = workshop() / name
    path.write_bytes(data)
    return str(path)


def one(pem: bytes) -> Certificate:
    (certificate,) = read_certificates(pem).certificates
    return certificate


@cache
def version_1_pair() -> tuple[Certificate, Certificate]:
    """(leaf, root) as ``openssl x509 -req`` makes them: X.509 version 1, no extensions at all."""
    for name, subject in (("v1root", "/CN=Old Root"), ("v1leaf", f"/CN={NAME}")):
        openssl("ecparam", "-out", f"{{dir}}/{name}.key", "-name", "prime256v1", "-genkey")
        openssl("req", "-new", "-key", f"{{dir}}/{name}.key", "-subj", subject,
                "-out", f"{{dir}}/{name}.csr")  # fmt: skip
    openssl("x509", "-req", "-in", "{dir}/v1root.csr", "-signkey", "{dir}/v1root.key",
            "-days", "9000", "-out", "{dir}/v1root.crt")  # fmt: skip
    openssl("x509", "-req", "-in", "{dir}/v1leaf.csr", "-CA", "{dir}/v1root.crt",
            "-CAkey", "{dir}/v1root.key", "-set_serial", "7", "-days", "9000",
            "-out", "{dir}/v1leaf.crt")  # fmt: skip
    leaf_pem = (workshop() / "v1leaf.crt").read_bytes()
    return one(leaf_pem), one((workshop() / "v1root.crt").read_bytes())


def weak_digest(digest: str, *, key: str = "rsa:2048", issuer: Issued | None = None) -> Certificate:
    """A certificate signed with ``sha1`` or ``md5``: self-signed CA, or a leaf of ``issuer``."""
    arguments = ["req", "-x509", "-newkey", key, "-nodes", "-keyout", "{dir}/weak.key",
                 "-subj", "/CN=weak", f"-{digest}", "-days", "9000"]  # fmt: skip
    if key == "ec":
        arguments += ["-pkeyopt", "ec_paramgen_curve:P-256"]
    if issuer is not None:
        put("issuer.pem", issuer.certificate.pem.encode())
        put("issuer.key", pem_key(issuer))
        arguments += ["-CA", "{dir}/issuer.pem", "-CAkey", "{dir}/issuer.key",
                      "-addext", "basicConstraints=critical,CA:FALSE"]  # fmt: skip
    return one(openssl(*arguments))


def pem_key(issued: Issued) -> bytes:
    return issued.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@cache
def revocation_list() -> bytes:
    """A revocation list of the root, as text."""
    database = str(workshop() / "index").encode()
    settings = b"[ca]\ndefault_ca=d\n[d]\ndefault_md=sha256\ndefault_crl_days=9\ndatabase=%s\n"
    put("crl.cnf", settings % database)
    put("index", b"")
    put("crlca.pem", root().certificate.pem.encode())
    put("crlca.key", pem_key(root()))
    return openssl("ca", "-gencrl", "-config", "{dir}/crl.cnf", "-cert", "{dir}/crlca.pem",
                   "-keyfile", "{dir}/crlca.key")  # fmt: skip


def crafted(
    *extensions: tuple[x509.ExtensionType, bool],
    subject: str = "crafted",
    issuer: Issued | None = None,
    not_before: datetime = LONG_AGO,
    not_after: datetime | None = None,
    key: PrivateKey | None = None,
    digest: hashes.HashAlgorithm | None = None,
    padding: PSS | None = None,
) -> Issued:
    """A certificate with exactly these extensions, which the product's issuer would never make."""
    key = key or make_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.x509.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after or NOW + timedelta(days=400))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(
        issuer.key if issuer else key, digest or hashes.SHA256(), rsa_padding=padding
    )
    der = signed.public_bytes(serialization.Encoding.DER)
    return Issued(Certificate.from_der(der), key, issuer)


def reissued(subject: Issued, issuer: Issued, *, key: PrivateKey | None = None) -> Issued:
    """Another authority's certificate with the name of ``subject`` and its key (or ``key``)."""
    key = key or subject.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.certificate.x509.subject)
        .issuer_name(issuer.certificate.x509.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(LONG_AGO)
        .not_valid_after(NOW + timedelta(days=900))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    der = builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return Issued(Certificate.from_der(der), key, issuer)


@cache
def large_exponent() -> Issued:
    """A self-signed certificate whose RSA key has a public exponent of 41 bits."""
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    exponent, order = (1 << 40) + 1, (numbers.p - 1) * (numbers.q - 1)
    while gcd(exponent, order) != 1:
        exponent += 2
    private = pow(exponent, -1, order)
    key = rsa.RSAPrivateNumbers(
        numbers.p,
        numbers.q,
        private,
        private % (numbers.p - 1),
        private % (numbers.q - 1),
        rsa.rsa_crt_iqmp(numbers.p, numbers.q),
        rsa.RSAPublicNumbers(exponent, numbers.public_numbers.n),
    ).private_key()
    return crafted(subject="large exponent", key=key)


def spoilt_extension() -> Certificate:
    """A certificate whose basic constraints are no ASN.1: loads, but cannot be read completely."""
    return spoilt().certificate


@cache
def spoilt() -> Issued:
    oid = x509.ObjectIdentifier("2.5.29.19")
    return crafted((x509.UnrecognizedExtension(oid, b"\x01\x02\x03"), True))


def doubled_extension() -> Certificate:
    """A certificate with the same extension twice."""
    first = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    second = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.6"), b"\x05\x00")
    der = crafted((first, False), (second, False)).certificate.der
    return Certificate.from_der(der.replace(b"\x2a\x03\x04\x06", b"\x2a\x03\x04\x05"))


def resigned(certificate: Certificate) -> Certificate:
    """The certificate with one bit of its signature changed."""
    der = bytearray(certificate.der)
    der[-1] ^= 1
    return Certificate.from_der(bytes(der))


def asn1_value(tag: int, *parts: bytes) -> bytes:
    """DER of one element."""
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content
