"""What a piece of binary data is, told from its outermost structure alone.

Nothing is decoded or trusted here, so it works on private keys without reading them and on files
that are far too broken to load.
"""

from __future__ import annotations

from typing import Literal

from certificates.x509.encoding import asn1
from certificates.x509.encoding.asn1 import Asn1CutOff, Asn1Error, Node

Shape = Literal[
    "certificate",
    "request",
    "crl",
    "pkcs7",
    "pfx",
    "private-key",
    "public-key",
    "cut-off",
    "other",
]

SIGNED_DATA = "1.2.840.113549.1.7.2"
_TIMES = {0x17, 0x18}
# No shape needs more elements to be told: nine numbers make an RSA key.
_TELLING = 10


def shape_of(data: bytes) -> Shape:
    """The shape of the first element in ``data``; never raises."""
    try:
        node = asn1.read(data)
        return _shape(node.first(_TELLING)) if node.tag == asn1.SEQUENCE else "other"
    except Asn1CutOff:
        return "cut-off" if data[:1] == b"\x30" else "other"
    except Asn1Error:
        return "other"


def certificates_of_pkcs7(data: bytes) -> list[bytes]:
    """The DER certificates of a P7B (RFC 2315 9.1); raises :class:`Asn1Error` if it is none
    and :class:`~certificates.x509.encoding.asn1.Asn1TooMany` if it has thousands."""
    content = asn1.read(data).children()
    if len(content) < 2 or asn1.oid(content[0]) != SIGNED_DATA or not content[1].children():
        raise Asn1Error("It is not a set of certificates.")
    signed_data = content[1].children()[0]
    found: list[bytes] = []
    for field in signed_data.children():
        if field.tag == asn1.CONTEXT_0:
            found.extend(item.raw for item in field.children() if item.tag == asn1.SEQUENCE)
    return found


def _shape(parts: list[Node]) -> Shape:
    tags = [part.tag for part in parts]
    if tags[:3] == [asn1.SEQUENCE, asn1.SEQUENCE, asn1.BIT_STRING]:
        return _signed(parts[0].first(_TELLING))
    if tags[:2] == [asn1.OBJECT_IDENTIFIER, asn1.CONTEXT_0]:
        return "pkcs7" if asn1.oid(parts[0]) == SIGNED_DATA else "other"
    if tags[:2] == [asn1.INTEGER, asn1.SEQUENCE]:
        if tags[2:3] == [asn1.OCTET_STRING]:
            return "private-key"
        return "pfx" if asn1.integer(parts[0]) == 3 else "other"
    if tags[:2] == [asn1.INTEGER, asn1.OCTET_STRING]:
        return "private-key"
    if tags == [asn1.SEQUENCE, asn1.OCTET_STRING]:
        return "private-key"
    if tags == [asn1.SEQUENCE, asn1.BIT_STRING]:
        return "public-key"
    if tags and set(tags[:9]) == {asn1.INTEGER}:
        # PKCS #1: modulus and exponent, or those two and the seven numbers of the private half.
        return "private-key" if len(tags) >= 9 else "public-key" if len(tags) == 2 else "other"
    return "other"


def _signed(parts: list[Node]) -> Shape:
    """Certificate, request and revocation list share an outer form and differ inside."""
    tags = [part.tag for part in parts]
    if tags[:1] == [asn1.CONTEXT_0]:
        return "certificate"
    if tags[:1] == [asn1.INTEGER]:
        tags = tags[1:]
    if any(tag in _TIMES for tag in tags[:3]):
        return "crl"
    if tags[:5] == [asn1.SEQUENCE] * 5:
        return "certificate"
    if tags[:2] == [asn1.SEQUENCE] * 2:
        return "request"
    return "other"
