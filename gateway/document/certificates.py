"""What a document says about stored certificates: public parts only, never a key."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from certificates.models import Certificate
from gateway.models import LoadedGateway, SslCertificate, TrustedClientCertificate


def encode(data: bytes | memoryview) -> str:
    return base64.b64encode(bytes(data)).decode("ascii")


def public_certificates(loaded: LoadedGateway, row: SslCertificate) -> str | None:
    """The certificates of a listener's PFX as Base-64 of a PKCS#7 bundle; none for Key Vault."""
    parts = [bytes(part.certificate.der) for part in loaded.ssl_certificate_parts(row)]
    return _bundle(tuple(parts)) if parts else None


@lru_cache(maxsize=1000)
def _bundle(parts: tuple[bytes, ...]) -> str:
    # Each page of a gateway's document would make them again, and they never change.
    opened = [x509.load_der_x509_certificate(part) for part in parts]
    return encode(pkcs7.serialize_certificates(opened, Encoding.DER))


def client_certificate_pem(loaded: LoadedGateway, row: TrustedClientCertificate) -> str | None:
    """The certificates found in a client CA file, as Base-64 of their PEM texts."""
    parts = _client_parts(loaded, row)
    return encode(b"".join(part.public_bytes(Encoding.PEM) for part in parts)) if parts else None


def client_issuer_name(loaded: LoadedGateway, row: TrustedClientCertificate) -> str | None:
    """The name of the authority that signs client certificates: the one that signs no other."""
    parts = _client_parts(loaded, row)
    issuers = {_name(part, "issuer") for part in parts if not _self_issued(part)}
    lowest = [part for part in parts if _name(part, "subject") not in issuers]
    return _name((lowest or parts)[0], "subject") if parts else None


def describe(certificates: list[Certificate], data: bytes | memoryview | None = None) -> str:
    """One line for a diff: who the certificates are for, and a digest of the file as sent."""
    names = ", ".join(f"{one.subject} ({one.sha256[:12]})" for one in certificates)
    if data is None:
        return names
    return f"{names}; file {hashlib.sha256(bytes(data)).hexdigest()[:12]}"


def _client_parts(loaded: LoadedGateway, row: Any) -> list[x509.Certificate]:
    return [_open(part.certificate) for part in loaded.client_certificate_parts(row)]


def _open(row: Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(bytes(row.der))


def _name(certificate: x509.Certificate, which: str) -> str:
    # A stored certificate may carry a name that the library cannot decode.
    try:
        name: x509.Name = getattr(certificate, which)
        return name.rfc4514_string()
    except ValueError:
        return ""


def _self_issued(certificate: x509.Certificate) -> bool:
    return _name(certificate, "issuer") == _name(certificate, "subject")
