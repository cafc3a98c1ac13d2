"""Tags and lengths, and what they make of a file."""

from __future__ import annotations

import pytest

from certificates.x509.encoding import asn1
from certificates.x509.encoding.asn1 import Asn1CutOff, Asn1Error, Asn1TooMany
from certificates.x509.encoding.shapes import certificates_of_pkcs7, shape_of
from tests.certificates.x509.makers import asn1_value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x05abc",
        b"\x30\x82\x01",
        b"\x30\x80\x30\x00",
        b"\x30\x84\x7f\xff\xff\xff",
    ],
)
def test_data_that_ends_too_early_is_cut_off(data):
    with pytest.raises(Asn1CutOff):
        asn1.read(data)


@pytest.mark.parametrize(
    "data", [b"\x1f\x01\x00", b"\0\0", b"\x04\x80ab\0\0", b"\x30\x85\1\1\1\1\1"]
)
def test_other_data_is_no_asn1(data):
    with pytest.raises(Asn1Error):
        asn1.read(data)


def test_nesting_is_bounded():
    with pytest.raises(Asn1Error, match="deeply"):
        asn1.read(b"\x30\x80" * 50 + b"\0\0" * 50)


def test_the_number_of_parts_is_bounded():
    assert len(asn1.read(asn1_value(0x30, b"\5\0" * asn1.MAX_PARTS)).children()) == asn1.MAX_PARTS
    whole = asn1.read(asn1_value(0x30, b"\5\0" * (asn1.MAX_PARTS + 1)))
    with pytest.raises(Asn1TooMany):
        whole.children()
    assert len(whole.first(3)) == 3
    within = b"\5\0" * (asn1.MAX_OPEN_PARTS - 1)
    assert asn1.read(b"\x30\x80" + within + b"\0\0").content == within
    with pytest.raises(Asn1TooMany):
        asn1.read(b"\x30\x80" + within + b"\5\0\0\0")


def test_open_ends_and_split_strings_are_read():
    node = asn1.read(b"\x24\x80\x04\x02ab\x04\x01c\0\0rest")
    assert node.octets() == b"abc"
    assert node.raw == b"\x24\x80\x04\x02ab\x04\x01c\0\0"
    assert asn1.read(b"\x04\x01x").octets() == b"x"


def test_numbers_and_names_are_read():
    assert asn1.integer(asn1.read(b"\2\1\xff")) == -1
    assert asn1.oid(asn1.read(bytes.fromhex("06092a864886f70d010702"))) == "1.2.840.113549.1.7.2"
    assert asn1.oid(asn1.read(b"\x06\x02\x88\x37")) == "2.999"
    with pytest.raises(Asn1Error):
        asn1.integer(asn1.read(b"\4\0"))
    for bad in (b"\6\0", b"\6\1\x80", b"\4\1x", asn1_value(6, b"\1" * 65)):
        with pytest.raises(Asn1Error):
            asn1.oid(asn1.read(bad))


SEQUENCE = b"\x30\x00"
BITS = b"\x03\x01\x00"


@pytest.mark.parametrize(
    ("parts", "shape"),
    [
        ([], "other"),
        ([SEQUENCE], "other"),
        ([b"\2\1\2", SEQUENCE], "other"),
        ([b"\2\1\3", SEQUENCE], "pfx"),
        ([b"\2\1\0", SEQUENCE, b"\4\0"], "private-key"),
        ([b"\2\1\1", b"\4\0"], "private-key"),
        ([SEQUENCE, b"\4\0"], "private-key"),
        ([SEQUENCE, BITS], "public-key"),
        ([b"\2\1\1"] * 2, "public-key"),
        ([b"\2\1\1"] * 9, "private-key"),
        ([b"\2\1\1"] * 5, "other"),
        ([b"\6\1\x2a", b"\xa0\0"], "other"),
        ([b"\6\0", b"\xa0\0"], "other"),
        ([SEQUENCE, SEQUENCE, BITS], "other"),
        ([asn1_value(0x30, b"\xa0\0"), SEQUENCE, BITS], "certificate"),
        ([asn1_value(0x30, b"\2\0", *[SEQUENCE] * 5), SEQUENCE, BITS], "certificate"),
        ([asn1_value(0x30, b"\2\0", *[SEQUENCE] * 2, b"\xa0\0"), SEQUENCE, BITS], "request"),
        ([asn1_value(0x30, b"\2\0", *[SEQUENCE] * 2, b"\x17\0"), SEQUENCE, BITS], "crl"),
        ([b"\x04\x02\x04"], "cut-off"),
    ],
)
def test_the_outer_structure_tells_the_shape(parts, shape):
    assert shape_of(asn1_value(0x30, *parts)) == shape


def test_what_is_no_sequence_has_no_shape():
    assert shape_of(b"\x31\x00") == "other"
    assert shape_of(b"text") == "other"
    assert shape_of(b"\x30\x10") == "cut-off"


def test_other_cms_content_is_no_set_of_certificates():
    for data in (b"\x30\0", asn1_value(0x30, b"\6\1\x2a", b"\xa0\0")):
        with pytest.raises(Asn1Error):
            certificates_of_pkcs7(data)
    signed = bytes.fromhex("06092a864886f70d010702")
    with pytest.raises(Asn1Error):
        certificates_of_pkcs7(asn1_value(0x30, signed, b"\xa0\0"))
