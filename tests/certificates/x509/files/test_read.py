"""What a file is told to be, whatever is in it."""

from __future__ import annotations

import base64
import re

import pytest

from certificates.x509.files import read
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing.issue import key_pem, to_pem, to_pfx
from tests.certificates.x509 import hostile, makers
from tests.certificates.x509.makers import asn1_value, intermediate, leaf, root

PEM = to_pem(root().certificate)
DER = root().certificate.der
BODY = base64.b64encode(DER)


def ids(data: bytes) -> list[str]:
    return [problem.id for problem in read_certificates(data).problems]


def p7b(form: str) -> bytes:
    path = makers.put("bundle.pem", to_pem(*makers.certs(leaf(), intermediate(), root())))
    return makers.openssl("crl2pkcs7", "-nocrl", "-certfile", path, "-outform", form)


def test_the_exported_text_is_read_without_a_word():
    reading = read_certificates(PEM)
    assert reading.certificates == (root().certificate,)
    assert (reading.encoding, reading.problems, reading.ok) == ("base64", (), True)


@pytest.mark.parametrize(
    "text",
    [
        PEM.replace(b"\n", b"\r\n"),
        PEM.replace(b"\n", b"\r"),
        PEM.replace(b"\n", b"  \t\n"),
        b"\n\n" + PEM + b"\n\n",
        PEM.rstrip(),
        b"-----BEGIN CERTIFICATE-----\n" + BODY + b"\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----" + BODY + b"-----END CERTIFICATE-----",
        PEM.replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
    ],
)
def test_line_ends_blanks_and_joined_lines_do_no_harm(text):
    reading = read_certificates(text)
    assert reading.certificates == (root().certificate,)
    assert reading.problems == ()


def test_openssl_s_trusted_certificate_is_read():
    path = makers.put("root.pem", PEM)
    text = makers.openssl("x509", "-in", path, "-trustout", "-addtrust", "serverAuth")
    assert b"TRUSTED" in text
    assert read_certificates(text).certificates == (root().certificate,)


def test_several_certificates_keep_their_order():
    chain = makers.certs(leaf(), intermediate(), root())
    assert read_certificates(to_pem(*chain)).certificates == tuple(chain)


def test_the_binary_form_is_told_apart():
    reading = read_certificates(DER)
    assert reading.certificates == (root().certificate,)
    assert (reading.encoding, reading.problems) == ("der", ())


def test_blanks_after_the_binary_form_do_no_harm():
    assert read_certificates(DER + b"\r\n").certificates == (root().certificate,)


def test_binary_certificates_may_follow_one_another():
    chain = makers.certs(leaf(), intermediate())
    assert read_certificates(chain[0].der + chain[1].der).certificates == tuple(chain)


@pytest.mark.parametrize("form", ["DER", "PEM"])
def test_a_p7b_gives_its_certificates(form):
    reading = read_certificates(p7b(form))
    assert set(reading.certificates) == set(makers.certs(leaf(), intermediate(), root()))
    assert (reading.encoding, reading.problems) == ("pkcs7", ())


def test_a_p7b_as_bare_base64_is_still_a_p7b():
    reading = read_certificates(base64.b64encode(p7b("DER")))
    assert reading.encoding == "pkcs7"
    assert len(reading.certificates) == 3


def test_a_p7b_with_open_ends_is_read_as_well():
    certificates = asn1_value(0xA0, DER)
    empty = asn1_value(0x30, asn1_value(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"))
    signed_data = b"\x30\x80" + asn1_value(2, b"\1") + b"\x31\x00" + empty + certificates + b"\0\0"
    oid = asn1_value(6, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
    reading = read_certificates(b"\x30\x80" + oid + b"\xa0\x80" + signed_data + b"\0\0\0\0")
    assert reading.certificates == (root().certificate,)
    assert reading.encoding == "pkcs7"


def test_a_byte_order_mark_is_skipped_with_a_warning():
    reading = read_certificates(b"\xef\xbb\xbf" + PEM)
    assert reading.certificates == (root().certificate,)
    assert ids(b"\xef\xbb\xbf" + PEM) == ["cer-bom"]
    assert reading.ok


def test_text_around_the_certificate_is_skipped_with_a_warning():
    reading = read_certificates(b"Bag Attributes\n    friendlyName: x\n" + PEM)
    assert reading.certificates == (root().certificate,)
    assert [problem.id for problem in reading.problems] == ["cer-text-around"]
    assert reading.ok


def test_bare_base64_is_taken_with_a_warning():
    reading = read_certificates(BODY)
    assert reading.certificates == (root().certificate,)
    assert reading.encoding == "base64"
    assert [problem.id for problem in reading.problems] == ["cer-markers-missing"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_recognised_with_and_without_its_mark(encoding):
    assert ids(PEM.decode().encode(encoding)) == ["cer-utf16"]


@pytest.mark.parametrize(
    "document",
    [
        b"{\\rtf1\\ansi " + PEM + b"}",
        b"PK\x03\x04" + b"\0" * 40,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"%PDF-1.7",
        b"<!DOCTYPE html><html><pre>" + PEM,
        PEM.replace(b"\n", b"<br>\n"),
    ],
)
def test_documents_are_recognised(document):
    assert ids(document) == ["cer-rich-text"]


@pytest.mark.parametrize("dash", ["–", "—", "‐", "−"])
@pytest.mark.parametrize("word", ["BEGIN", "END"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_dashes_instead_of_hyphens_are_pointed_at(dash, word, encoding):
    text = PEM.decode().replace(f"-----{word}", f"{dash * 3}{word}")
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        data = text.encode("utf-8")
    assert "cer-smart-dashes" in ids(data)


def test_dashes_after_the_label_are_pointed_at_with_their_line():
    text = PEM.decode().replace("BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE—–")
    (problem,) = read_certificates(text.encode()).problems
    assert problem.id == "cer-smart-dashes"
    assert "Line 1" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        PEM.replace(b"-----BEGIN", b"----BEGIN"),
        PEM.replace(b"-----END", b"---END"),
        PEM.replace(b"BEGIN CERTIFICATE-----", b"BEGIN CERTIFICATE--"),
        PEM.replace(b"BEGIN", b"Begin"),
        PEM.replace(b"END CERTIFICATE", b"END PKCS7"),
        PEM.replace(b"-----BEGIN CERTIFICATE-----\n", b""),
    ],
)
def test_damaged_markers_are_pointed_at(text):
    assert ids(text) == ["cer-marker-damaged"]


@pytest.mark.parametrize("character", ["\u00a0", "\u200b", "\ufeff", "\u202f"])
def test_invisible_characters_are_named(character):
    text = PEM.decode().replace("\n", f"{character}\n", 3).replace(f"-{character}", "-")
    (problem,) = read_certificates(text.encode()).problems
    assert problem.id == "cer-hidden-characters"
    assert f"U+{ord(character):04X}" in problem.message


def test_a_no_break_space_of_a_windows_editor_is_recognised():
    assert ids(PEM.replace(b"\n", b"\xa0\n", 4)) == ["cer-hidden-characters"]


def test_invisible_characters_in_bare_base64_are_recognised():
    assert ids(BODY[:40] + "\u200b".encode() + BODY[40:]) == ["cer-hidden-characters"]


@pytest.mark.parametrize(
    "data",
    [
        PEM[: len(PEM) // 2],
        PEM.replace(b"-----END CERTIFICATE-----", b""),
        PEM.replace(b"-----END CERTIFICATE-----\n", b"") + PEM,
        DER[:-10],
        DER[:3],
        b"-----BEGIN CERTIFICATE-----\n"
        + base64.b64encode(DER[:-30])
        + b"\n-----END CERTIFICATE-----",
        p7b("DER")[:-40],
    ],
)
def test_cut_off_files_are_recognised(data):
    assert ids(data) == ["cer-cut-off"]


def test_a_damaged_p7b_is_recognised():
    oid = asn1_value(6, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
    filler = asn1_value(4, b"x" * 200)
    assert ids(asn1_value(0x30, oid, asn1_value(0xA0, filler))) == ["cer-cut-off"]
    nothing = asn1_value(0xA0, asn1_value(0x30, asn1_value(2, b"\1"), filler))
    assert ids(asn1_value(0x30, oid, nothing)) == ["cer-not-certificate"]
    assert ids(asn1_value(0x30, oid, asn1_value(0xA0, b""), filler)) == ["cer-cut-off"]


def test_a_block_with_nothing_in_it_is_recognised():
    assert ids(b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n") == ["cer-block-empty"]


@pytest.mark.parametrize("spoilt", [b"MIIB!", b"MII", b"MIIB=AAA"])
def test_text_that_is_no_base64_is_recognised(spoilt):
    text = b"-----BEGIN CERTIFICATE-----\n" + spoilt + b"\n-----END CERTIFICATE-----\n"
    assert ids(text) == ["cer-damaged"]


def test_bare_base64_that_lost_a_character_is_recognised():
    assert ids(BODY.rstrip(b"=")[:-1][:81]) == ["cer-damaged"]


@pytest.mark.parametrize("data", [b"", b"  \r\n", b"\xef\xbb\xbf", b"\0\0\0"])
def test_empty_files_are_recognised(data):
    assert ids(data)[-1] == "cer-empty"


@pytest.mark.parametrize(
    "data", [b"hello", b"0123456789", b"\xfe\xed\xfe\xed\0\0\0\2", bytes(range(256)), b"0\x84\xff"]
)
def test_anything_else_is_no_certificate(data):
    reading = read_certificates(data)
    assert reading.problems[0].id in {"cer-not-certificate", "cer-cut-off"}
    assert not reading.ok
    assert reading.encoding == "unknown"


def test_a_block_of_another_kind_is_no_certificate():
    text = (
        b"-----BEGIN SOMETHING-----\n" + base64.b64encode(b"x" * 60) + b"\n-----END SOMETHING-----"
    )
    assert ids(text) == ["cer-not-certificate"]


def test_a_certificate_that_is_one_only_outside_is_recognised():
    hollow = asn1_value(0x30, asn1_value(0x30, asn1_value(0xA0, b"x" * 130)), b"\x30\0", b"\3\1\0")
    assert ids(hollow) == ["cer-not-certificate"]
    text = (
        b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(hollow) + b"\n-----END CERTIFICATE-----"
    )
    (problem,) = read_certificates(text).problems
    assert "line 1" in problem.message


def test_bytes_after_the_certificate_are_recognised():
    assert ids(DER + b"garbage") == ["cer-trailing-data"]
    text = (
        b"-----BEGIN CERTIFICATE-----\n"
        + base64.b64encode(DER + b"xx")
        + b"\n-----END CERTIFICATE-----"
    )
    assert ids(text) == ["cer-trailing-data"]
    text = (
        b"-----BEGIN CERTIFICATE-----\n"
        + base64.b64encode(DER + DER)
        + b"\n-----END CERTIFICATE-----"
    )
    assert ids(text) == ["cer-trailing-data"]


KEY_COMMANDS = {
    "pkcs8": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "sec1": ["ecparam", "-name", "prime256v1", "-genkey"],
    "encrypted": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                  "-aes-256-cbc", "-pass", "pass:x"],
    "pkcs1": ["genrsa", "-traditional", "1024"],
}  # fmt: skip


@pytest.mark.parametrize("command", KEY_COMMANDS.values(), ids=KEY_COMMANDS)
def test_a_private_key_is_recognised_in_every_form_and_never_repeated(command):
    key = makers.openssl(*command)
    secret = re.findall(rb"^[A-Za-z0-9+/=]{40,}$", key, re.M)[-1].decode()
    for data in (key, PEM + key, key + PEM):
        reading = read_certificates(data)
        assert reading.has_private_key
        assert not reading.ok
        assert [problem.id for problem in reading.problems] == ["cer-private-key"]
        assert secret not in repr(reading)


def test_a_binary_private_key_is_recognised():
    for command in (
        ["pkcs8", "-topk8", "-nocrypt"],
        ["ec"],
        ["pkcs8", "-topk8", "-passout", "pass:x"],
    ):
        der = makers.openssl(*command, "-outform", "DER", stdin=key_pem(leaf()))
        # Small keys have a short length; in a file they come with a longer one or as text.
        assert read.shape_of(der) == "private-key"
    assert read_certificates(makers.openssl("genrsa", "-traditional", "1024")).has_private_key
    rsa = makers.openssl("rsa", "-outform", "DER", stdin=makers.openssl("genrsa", "1024"))
    assert read_certificates(rsa).has_private_key


def test_a_private_key_with_damaged_markers_is_still_a_private_key():
    text = key_pem(leaf()).replace(b"-----BEGIN", "——BEGIN".encode())
    assert read_certificates(text).has_private_key


def test_a_pfx_is_recognised():
    pfx = to_pfx(leaf(), "secret")
    assert ids(pfx) == ["cer-is-pfx"]
    assert ids(base64.b64encode(pfx)) == ["cer-is-pfx"]
    text = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(pfx) + b"\n-----END CERTIFICATE-----"
    assert ids(text) == ["cer-is-pfx"]


def request(form: str) -> bytes:
    makers.put("req.key", key_pem(leaf()))
    return makers.openssl(
        "req", "-new", "-key", "{dir}/req.key", "-subj", "/CN=a", "-outform", form
    )


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_a_request_is_recognised(form):
    assert ids(request(form)) == ["cer-is-request"]


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_a_public_key_is_recognised(form):
    makers.openssl("genrsa", "-out", "{dir}/pub.key", "2048")
    for extra in (["-pubout"], ["-RSAPublicKey_out"]):
        key = makers.openssl("rsa", "-in", "{dir}/pub.key", *extra, "-outform", form)
        assert ids(key) == ["cer-is-public-key"]


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_a_revocation_list_is_recognised(form):
    assert ids(makers.openssl("crl", "-outform", form, stdin=makers.revocation_list())) == [
        "cer-is-crl"
    ]


def test_curve_parameters_beside_a_certificate_do_not_matter():
    parameters = makers.openssl("ecparam", "-name", "prime256v1")
    assert read_certificates(parameters + PEM).problems == ()


def test_too_large_files_are_not_looked_at():
    assert ids(b"x" * (read.MAX_READ_BYTES + 1)) == ["cer-too-large"]
    assert [p.id for p in read_certificates(PEM, limit=10).problems] == ["cer-too-large"]


def test_the_number_of_certificates_is_bounded_in_every_form(monkeypatch):
    many = read.MAX_CERTIFICATES + 1
    assert ids(PEM * many) == ["cer-too-many"]
    assert "cer-too-many" in ids(DER * many)
    monkeypatch.setattr(read, "MAX_CERTIFICATES", 2)
    assert ids(p7b("DER")) == ["cer-too-many"]


@pytest.mark.parametrize("count", [201, 1200])
def test_a_p7b_of_countless_certificates_is_told_so(count):
    many = hostile.pkcs7(*[root().certificate.der] * count)
    assert "cer-too-many" in ids(many)
    assert len(read_certificates(many).certificates) <= read.MAX_CERTIFICATES


def test_what_is_no_certificate_counts_as_one_too():
    reading = read_certificates(root().certificate.der + b"\x30\0" * 500)
    assert "cer-too-many" in [problem.id for problem in reading.problems]
    assert len(reading.certificates) == 1


def test_a_pile_of_markers_is_read_in_no_time():
    assert ids(b"-----BEGIN CERTIFICATE-----" * 30_000) == ["cer-too-many"]
    assert "cer-cut-off" in ids(b"-----BEGIN CERTIFICATE-----" * 300)
    assert "cer-marker-damaged" in ids(b"----BEGIN CERTIFICATE----" * 300)
    assert not read_certificates(b"-" * 1_000_000).ok
    assert not read_certificates(b"BEGIN " * 150_000).ok
    assert not read_certificates(b"<" * 1_000_000).ok


def test_deep_nesting_is_refused():
    assert not read_certificates(b"\x30\x80" * 100_000).ok


def test_the_number_of_problems_is_bounded():
    cut_off = b"-----BEGIN CERTIFICATE-----\nMIIB\n" * 150
    assert len(read_certificates(cut_off).problems) == read.MAX_PROBLEMS


def test_every_problem_is_told_once():
    empty = b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"
    problems = read_certificates(empty * 5).problems
    assert len(problems) == len(set(problems))
