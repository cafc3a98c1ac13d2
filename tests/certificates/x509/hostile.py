"""Files and chains that try to take long or to take much: none of them is a real certificate's.

Certificates are put together byte by byte, as no library would make them; their signatures are
nobody's unless said otherwise.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certificates.x509.issuing.issue import PrivateKey, make_key
from tests.certificates.x509.makers import asn1_value

SEQUENCE, SET, OID, UTF8, OCTETS, BITS, BOOLEAN = 0x30, 0x31, 0x06, 0x0C, 0x04, 0x03, 0x01
COMMON_NAME = bytes.fromhex("550403")
SHA256_RSA = asn1_value(SEQUENCE, asn1_value(OID, bytes.fromhex("2a864886f70d01010b")), b"\x05\x00")
SHA256_EC = asn1_value(SEQUENCE, asn1_value(OID, bytes.fromhex("2a8648ce3d040302")))
RSA = asn1_value(SEQUENCE, asn1_value(OID, bytes.fromhex("2a864886f70d010101")), b"\x05\x00")
ALTERNATIVE_NAMES, BASIC_CONSTRAINTS, NAME_CONSTRAINTS = (
    bytes.fromhex(number) for number in ("551d11", "551d13", "551d1e")
)
AUTHORITY = asn1_value(
    SEQUENCE,
    asn1_value(OID, BASIC_CONSTRAINTS),
    b"\x01\x01\xff",
    asn1_value(OCTETS, b"\x30\x03\x01\x01\xff"),
)
_DATES = asn1_value(
    SEQUENCE, asn1_value(0x17, b"250101000000Z"), asn1_value(0x17, b"450101000000Z")
)


def name(*common_names: str) -> bytes:
    """A distinguished name of common names."""
    return asn1_value(
        SEQUENCE,
        *(
            asn1_value(
                SET,
                asn1_value(SEQUENCE, asn1_value(OID, COMMON_NAME), asn1_value(UTF8, text.encode())),
            )
            for text in common_names
        ),
    )


def extension(oid: bytes, value: bytes, *, critical: bool = False) -> bytes:
    flag = b"\x01\x01\xff" if critical else b""
    return asn1_value(SEQUENCE, asn1_value(OID, oid), flag, asn1_value(OCTETS, value))


def number(value: int) -> bytes:
    return asn1_value(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def rsa_key(bits: int, exponent: int = 65537) -> bytes:
    """A public key of that size for which nobody has the private half."""
    modulus = secrets.randbits(bits) | 1 | 1 << (bits - 1)
    inner = asn1_value(SEQUENCE, number(modulus), number(exponent))
    return asn1_value(SEQUENCE, RSA, asn1_value(BITS, b"\x00", inner))


@cache
def ec_key() -> PrivateKey:
    return make_key()


def public(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def certificate(
    *,
    subject: bytes | None = None,
    issuer: bytes | None = None,
    key: bytes | None = None,
    extensions: Iterable[bytes] = (),
    signer: PrivateKey | None = None,
    signature_bits: int = 2048,
) -> bytes:
    """DER of a certificate, signed by ``signer`` (an EC key) or with RSA by nobody."""
    subject = subject if subject is not None else name("hostile")
    algorithm = SHA256_EC if signer else SHA256_RSA
    listed = list(extensions)
    tbs = asn1_value(
        SEQUENCE,
        b"\xa0\x03\x02\x01\x02",
        number(secrets.randbits(64)),
        algorithm,
        issuer if issuer is not None else subject,
        _DATES,
        subject,
        key or public(ec_key()),
        *([asn1_value(0xA3, asn1_value(SEQUENCE, *listed))] if listed else []),
    )
    if isinstance(signer, ec.EllipticCurvePrivateKey):
        signature = signer.sign(tbs, ec.ECDSA(hashes.SHA256()))
    else:
        signature = b"\x00" + secrets.token_bytes(signature_bits // 8 - 1)
    return asn1_value(SEQUENCE, tbs, algorithm, asn1_value(BITS, b"\x00", signature))


def general_names(*names: str) -> bytes:
    return asn1_value(SEQUENCE, *(asn1_value(0x82, text.encode()) for text in names))


def pem(*ders: bytes) -> bytes:
    return b"".join(
        b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
        for der in ders
    )


def pkcs7(*ders: bytes) -> bytes:
    """A P7B with these certificates (RFC 2315)."""
    data = asn1_value(SEQUENCE, asn1_value(OID, bytes.fromhex("2a864886f70d010701")))
    signed = asn1_value(
        SEQUENCE, b"\x02\x01\x01", asn1_value(SET), data, asn1_value(0xA0, *ders), asn1_value(SET)
    )
    return asn1_value(
        SEQUENCE, asn1_value(OID, bytes.fromhex("2a864886f70d010702")), asn1_value(0xA0, signed)
    )


def nested(tag: int, depth: int) -> bytes:
    """A container in a container in a container …"""
    value = b""
    for _ in range(depth):
        value = asn1_value(tag, value)
    return value


def nested_open(tag: int, depth: int) -> bytes:
    """The same with lengths that are left open, as BER allows."""
    return bytes([tag, 0x80]) * depth + b"\x00\x00" * depth
