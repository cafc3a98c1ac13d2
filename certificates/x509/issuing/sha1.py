"""SHA-1 signatures for practice: ``cryptography`` declines to make them on certificates.

A certificate that the library signed gets another signature algorithm in its body, and the body a
new signature (RFC 5280 4.1; the algorithms' identifiers are in RFC 3279 2.2).
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from certificates.x509.encoding import asn1

_RSA = bytes.fromhex("300d06092a864886f70d0101050500")  # sha1WithRSAEncryption, NULL
_ECDSA = bytes.fromhex("300906072a8648ce3d0401")  # ecdsa-with-SHA1

_PARTS_BEFORE_ALGORITHM = 2  # version and serial number


def sign_anew(
    signed: x509.Certificate,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
) -> bytes:
    """DER of ``signed`` with a SHA-1 signature by ``key`` in place of its own.

    Raises ``ValueError`` for an Ed25519 key, whose signatures have no choice of digest.
    """
    if isinstance(key, ed25519.Ed25519PrivateKey):
        raise ValueError("An Ed25519 key cannot sign with SHA-1.")
    algorithm = _RSA if isinstance(key, rsa.RSAPrivateKey) else _ECDSA
    parts = [part.raw for part in asn1.read(signed.tbs_certificate_bytes).children()]
    parts[_PARTS_BEFORE_ALGORITHM] = algorithm
    body = _der(asn1.SEQUENCE, *parts)
    digest = hashes.SHA1()  # noqa: S303 - the weak digest is what is asked for
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(body, padding.PKCS1v15(), digest)
    else:
        signature = key.sign(body, ec.ECDSA(digest))
    return _der(asn1.SEQUENCE, body, algorithm, _der(asn1.BIT_STRING, b"\0", signature))


def _der(tag: int, *parts: bytes) -> bytes:
    """One element of DER."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
