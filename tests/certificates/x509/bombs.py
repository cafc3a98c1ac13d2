"""Inputs that are made to take long or to take much: files, chains, names and PFX files.

Each is built anew when asked for; what they have in common comes from
:mod:`tests.certificates.x509.hostile`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from certificates.x509.files.read import MAX_READ_BYTES
from tests.certificates.x509 import hostile, makers
from tests.certificates.x509.makers import NAME, asn1_value, leaf, root
from tests.certificates.x509.places.test_listeners import good_pfx, openssl_pfx, with_mac_rounds


def sans(*names: str) -> bytes:
    return hostile.extension(hostile.ALTERNATIVE_NAMES, hostile.general_names(*names))


def hosts(count: int) -> list[str]:
    return [f"n{number}.contoso.test" for number in range(count)]


def many(count: int, **options: object) -> bytes:
    """A text with many certificates that have nothing in common but their making."""
    made = [hostile.certificate(**options) for _ in range(count)]  # type: ignore[arg-type]
    return hostile.pem(*made)[:MAX_READ_BYTES]


def filled(text: str) -> bytes:
    """A megabyte of ``text`` again and again."""
    data = text.encode()
    return (data * (MAX_READ_BYTES // len(data) + 1))[:MAX_READ_BYTES]


def explicit_curve() -> bytes:
    """A certificate whose EC key spells out its curve instead of naming it (CVE-2022-0778)."""
    pem = makers.openssl(
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
        "ec_param_enc:explicit", "-nodes", "-keyout", "{dir}/explicit.key", "-subj", "/CN=explicit",
    )  # fmt: skip
    return pem


def subject_of(count: int) -> bytes:
    return hostile.name(*["a"] * count)


def long_name(count: int) -> bytes:
    return hostile.name("ü" * count)


def in_one_part(count: int) -> bytes:
    """A name of a single part that has many values."""
    values = [
        asn1_value(0x30, asn1_value(6, hostile.COMMON_NAME), asn1_value(0x0C, str(at).encode()))
        for at in range(count)
    ]
    return asn1_value(0x30, asn1_value(0x31, *values))


def pem_of(label: str, data: bytes) -> bytes:
    body = base64.encodebytes(data)
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label.encode(), body, label.encode())


TINY = b"\x05\x00"
FILES: dict[str, Callable[[], bytes]] = {
    "RSA-16384 keys": lambda: many(170, key=hostile.rsa_key(16384), signature_bits=16384),
    "RSA-8192 keys": lambda: many(200, key=hostile.rsa_key(8192), signature_bits=8192),
    "RSA-8192 keys with large exponents": lambda: many(
        200, key=hostile.rsa_key(8192, 1 << 32 | 1), signature_bits=8192
    ),
    "huge exponents": lambda: many(
        200, key=hostile.rsa_key(3072, 1 << 3071 | 1), signature_bits=3072
    ),
    "EC keys with explicit parameters": explicit_curve,
    "10,000 names": lambda: hostile.certificate(extensions=[sans(*hosts(10_000))]),
    "10,000 names as text": lambda: hostile.pem(
        hostile.certificate(extensions=[sans(*hosts(10_000))])
    ),
    "85,000 tiny names": lambda: hostile.certificate(extensions=[sans(*["a"] * 85_000)]),
    "200,000 tiny names in 100 certificates": lambda: many(
        100, extensions=[sans(*["a"] * 2_000)]
    ),
    "a subject of 10,000 parts": lambda: hostile.certificate(subject=subject_of(10_000)),
    "a subject part of 8,000 values": lambda: hostile.certificate(subject=in_one_part(8_000)),
    "subjects of 250 parts": lambda: many(190, subject=subject_of(250)),
    "a certificate of a megabyte": lambda: hostile.certificate(subject=long_name(260_000)),
    "a common name of 2,000 letters": lambda: hostile.certificate(subject=long_name(2_000)),
    "10,000 name constraints": lambda: hostile.certificate(
        extensions=[hostile.AUTHORITY, limits(10_000)]
    ),
    "15,000 extensions": lambda: hostile.certificate(
        extensions=[
            hostile.extension(bytes([0x2A, 3, 0x81 + at // 128, at % 128]), TINY)
            for at in range(15_000)
        ]
    ),
    "30,000 policies": lambda: hostile.certificate(
        extensions=[
            hostile.extension(
                bytes.fromhex("551d20"),
                asn1_value(
                    0x30,
                    *(
                        asn1_value(0x30, asn1_value(6, bytes([0x2A, 1 + at // 100 % 90, at % 90])))
                        for at in range(30_000)
                    ),
                ),
            )
        ]
    ),
    "a list of nothings": lambda: asn1_value(0x30, TINY * 500_000),
    "a certificate and nothings": lambda: root().certificate.der + TINY * 500_000,
    "a certificate and empty ones": lambda: root().certificate.der + b"\x30\x00" * 500_000,
    "a certificate and nothings as text": lambda: hostile.pem(
        root().certificate.der + TINY * 380_000
    ),
    "a P7B of 2,400 certificates": lambda: hostile.pkcs7(*[root().certificate.der] * 2_400),
    "a P7B of 500,000 empty ones": lambda: hostile.pkcs7(*[b"\x30\x00"] * 500_000),
    "200 P7B of 7": lambda: (
        pem_of("PKCS7", hostile.pkcs7(*[root().certificate.der] * 7)) * 200
    )[:MAX_READ_BYTES],
    "200 P7B of 199 empty ones": lambda: pem_of("PKCS7", hostile.pkcs7(*[b"\x30\x00"] * 199)) * 200,
    "containers in containers": lambda: hostile.nested(0x30, 20_000),
    "containers in containers, open": lambda: b"\x30\x80" * 500_000,
    "open containers in one": lambda: b"\x30\x80" + b"\x30\x80\0\0" * 250_000 + b"\0\0",
    "heaps of open containers": lambda: asn1_value(0x30, hostile.nested_open(0x30, 23) * 10_000),
    "a P7B of open containers": lambda: hostile.pkcs7(*[hostile.nested_open(0x30, 20)] * 10_000),
    "lines": lambda: (
        b"\n" * 900_000 + b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" * 199
    ),
    "good lines before bad ones": lambda: (
        b"-----BEGIN CERTIFICATE-----\n" * 390 + filled("BEGIN CERTIFICATE\n")
    )[:MAX_READ_BYTES],
    "bad lines before good ones": lambda: (
        filled("BEGIN CERTIFICATE\n") + b"-----BEGIN CERTIFICATE-----\n" * 390
    )[-MAX_READ_BYTES:],
} | {
    f"a megabyte of {text!r}": lambda text=text: filled(text)  # type: ignore[misc]
    for text in (
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN A-----\n-----END A-----\n",
        "-----END CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY-----\n",
        "BEGIN CERTIFICATE ",
        "BEGIN A A A ",
        "\N{EM DASH}BEGIN CERTIFICATE\N{EM DASH}",
        "-",
        "<html",
        "<p ",
        "{\\rtf1 ",
        "MI\u00a0",
        "MIIB",
        "=?",
        "\\n",
        "> ",
        "\n",
        "\u00a0\n",
    )
}  # fmt: skip


def limits(count: int, *, excluded: bool = False, form: str = "n{}.contoso.test") -> bytes:
    """Name constraints on host names."""
    subtrees = [asn1_value(0x30, asn1_value(0x82, form.format(at).encode())) for at in range(count)]
    listed = asn1_value(0xA1 if excluded else 0xA0, *subtrees)
    return hostile.extension(hostile.NAME_CONSTRAINTS, asn1_value(0x30, listed), critical=True)


def net_limits(count: int) -> bytes:
    """Name constraints on networks, each of a single address."""
    subtrees = [
        asn1_value(0x30, asn1_value(0x87, (10 << 24 | at).to_bytes(4, "big") + b"\xff" * 4))
        for at in range(count)
    ]
    listed = asn1_value(0xA1, *subtrees)
    return hostile.extension(hostile.NAME_CONSTRAINTS, asn1_value(0x30, listed), critical=True)


def addresses(count: int) -> bytes:
    listed = [asn1_value(0x87, (11 << 24 | at).to_bytes(4, "big")) for at in range(count)]
    return hostile.extension(hostile.ALTERNATIVE_NAMES, asn1_value(0x30, *listed))


Chain = tuple[list[bytes], list[bytes]]
"""What a server presents, and the roots that are uploaded."""

TOP = hostile.name("Hostile Root")


def top() -> bytes:
    """The root of the chains that lead somewhere; its key is the one of :func:`hostile.ec_key`."""
    return hostile.certificate(subject=TOP, extensions=[hostile.AUTHORITY], signer=hostile.ec_key())


def below(issuer: bytes, subject: str, *extensions: bytes, **options: Any) -> bytes:
    return hostile.certificate(
        subject=hostile.name(subject),
        issuer=issuer,
        extensions=extensions,
        signer=hostile.ec_key(),
        **options,
    )


def look_alikes(count: int) -> Chain:
    """Authorities with one name and one key, each of which may have issued every other."""
    name = hostile.name("Same")
    ring = [below(name, "Same", hostile.AUTHORITY) for _ in range(count)]
    return [below(name, "server"), *ring], [top()]


def bombed(names: bytes, limits: bytes) -> Chain:
    """Names below an authority that is limited."""
    middle = below(TOP, "Middle", hostile.AUTHORITY, limits)
    return [below(hostile.name("Middle"), "server", names), middle], [top()]


def long_chain(count: int) -> Chain:
    chain = [below(TOP, "A0", hostile.AUTHORITY)]
    for at in range(1, count):
        chain.insert(0, below(hostile.name(f"A{at - 1}"), f"A{at}", hostile.AUTHORITY))
    return [below(hostile.name(f"A{count - 1}"), "server"), *chain], [top()]


def tangle(layers: int, each: int) -> Chain:
    """Layers of authorities of one name and key: every one of a layer leads to all of the next."""
    chain = [below(hostile.name("L0"), "server")]
    for layer in range(layers):
        issuer = hostile.name(f"L{layer + 1}")
        chain += [below(issuer, f"L{layer}", hostile.AUTHORITY) for _ in range(each)]
    return chain, [top()]


def same_name(count: int, key: Callable[[], bytes]) -> Chain:
    """Authorities of one name and different keys, none of which signed the server's certificate."""
    name = hostile.name("Same")
    others = [
        hostile.certificate(subject=name, key=key(), extensions=[hostile.AUTHORITY])
        for _ in range(count)
    ]
    return [hostile.certificate(issuer=name), *others], others


def brainpool() -> bytes:
    return hostile.public(ec.generate_private_key(ec.BrainpoolP512R1()))


CHAINS: dict[str, Callable[[], Chain]] = {
    "100 of one name and key": lambda: look_alikes(100),
    "19 of one name and key": lambda: look_alikes(19),
    "19 of one name and key, 1,000 roots alike": lambda: (
        look_alikes(19)[0],
        [below(hostile.name("Same"), "Same", hostile.AUTHORITY) for _ in range(1_000)],
    ),
    "19 RSA-8192 keys": lambda: same_name(19, lambda: hostile.rsa_key(8192, 1 << 32 | 1)),
    "19 RSA-16384 keys": lambda: same_name(19, lambda: hostile.rsa_key(16384, 1 << 63 | 1)),
    "19 huge exponents": lambda: same_name(19, lambda: hostile.rsa_key(3072, 1 << 3071 | 1)),
    "19 brainpool keys": lambda: same_name(19, brainpool),
    "500 roots with RSA-8192 keys": lambda: same_name(
        500, lambda: hostile.rsa_key(8192, 1 << 32 | 1)
    ),
    "layers of look-alikes": lambda: tangle(6, 3),
    "a chain of 19": lambda: long_chain(18),
    "1,000 names, 1,000 constraints": lambda: bombed(
        sans(*hosts(1_000)), limits(1_000, excluded=True, form="x{}.test")
    ),
    "10,000 names, 10,000 constraints": lambda: bombed(
        sans(*hosts(10_000)), limits(10_000, excluded=True, form="x{}.test")
    ),
    "300 names, 300 constraints": lambda: bombed(
        sans(*hosts(300)), limits(300, excluded=True, form="x{}.test")
    ),
    "10,000 names, 9 constraints": lambda: bombed(
        sans(*hosts(10_000)), limits(9, excluded=True, form="x{}.test")
    ),
    "300 addresses, 300 networks": lambda: bombed(addresses(300), net_limits(300)),
    "10,000 addresses, 10,000 networks": lambda: bombed(addresses(10_000), net_limits(10_000)),
    "names of many labels": lambda: bombed(
        sans(*[f"{at}." + "a." * 120 + "test" for at in range(1_000)]),
        limits(90, excluded=True, form="{}." + "b." * 120 + "test"),
    ),
    "15,000 critical extensions": lambda: (
        [
            below(
                TOP,
                "server",
                *(
                    hostile.extension(
                        bytes([0x2A, 3, 0x81 + at // 128, at % 128]), TINY, critical=True
                    )
                    for at in range(15_000)
                ),
            )
        ],
        [top()],
    ),
    "a subject of 10,000 parts": lambda: (
        [hostile.certificate(subject=subject_of(10_000), issuer=TOP, signer=hostile.ec_key())],
        [top()],
    ),
}

NAMES: dict[str, Callable[[], tuple[bytes, str]]] = {
    "10,000 names": lambda: (hostile.certificate(extensions=[sans(*hosts(10_000))]), NAME),
    "10,000 addresses": lambda: (hostile.certificate(extensions=[addresses(10_000)]), "10.0.0.1"),
    "10,000 wildcards": lambda: (
        hostile.certificate(extensions=[sans(*[f"*.n{at}.test" for at in range(10_000)])]),
        NAME,
    ),
    "a common name of a kilobyte": lambda: (
        hostile.certificate(subject=hostile.name("ü" * 1_000)),
        NAME,
    ),
    "a wanted name of a megabyte": lambda: (root().certificate.der, "ü." * 400_000),
    "a wanted name of many labels": lambda: (root().certificate.der, "ü." * 126),
}

REAL_PFX: dict[str, Callable[[], bytes]] = {
    "usual": good_pfx,
    "600,000 rounds": lambda: openssl_pfx(leaf(), "-iter", "600000"),
    "1,000,000 rounds": lambda: openssl_pfx(leaf(), "-iter", "1000000"),
    "1,000,000 rounds of the old kind": lambda: openssl_pfx(leaf(), "-legacy", "-iter", "1000000"),
}
HOSTILE_PFX: dict[str, Callable[[], bytes]] = {
    "2,000,000,000 rounds": lambda: with_mac_rounds(good_pfx(), 2_000_000_000),
    "3,100,000 rounds and a wrong checksum": lambda: with_mac_rounds(good_pfx(), 3_100_000),
    "a megabyte": lambda: good_pfx() + bytes(MAX_READ_BYTES),
    "countless pieces": lambda: asn1_value(0x30, b"\2\1\3", asn1_value(0x30, TINY * 400_000)),
}
