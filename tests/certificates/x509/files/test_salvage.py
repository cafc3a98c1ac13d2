"""Spoilt texts that have one reading, and those that have none."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.x509.files.salvage import plain_text, salvage
from certificates.x509.issuing.issue import key_pem, to_pem
from tests.certificates.x509.files.test_read import p7b
from tests.certificates.x509.makers import intermediate, leaf, root

ROOT = root().certificate
PEM = ROOT.pem
BODY = base64.b64encode(ROOT.der).decode()
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
RTF = r"{\rtf1\ansi{\fonttbl\f0 Courier;}\f0 " + PEM.replace("\n", "\\par\n") + "}"
URL_SAFE = base64.urlsafe_b64encode(leaf().certificate.der).decode()

SPOILT = {
    "utf16": (PEM.encode("utf-16"), "UTF-16"),
    "utf16-be": (b"\xfe\xff" + PEM.encode("utf-16-be"), "UTF-16"),
    "utf16-without-mark": (PEM.encode("utf-16-le"), "UTF-16"),
    "utf16-be-without-mark": (PEM.encode("utf-16-be"), "UTF-16"),
    "bom": (b"\xef\xbb\xbf" + PEM.encode(), "byte order mark"),
    "twice": (base64.b64encode(PEM.encode()), "encoded twice"),
    "twice-bare": (base64.b64encode(BODY.encode()), "encoded twice"),
    "rich-text": (RTF.encode(), "document"),
    "html": (f"<html><pre>{PEM}</pre></html>".replace("\n", "<br>").encode(), "web page"),
    "escaped": (PEM.replace("\n", "\\n").encode(), "written out"),
    "escaped-crlf": (PEM.replace("\n", "\\r\\n").encode(), "written out"),
    "escaped-cr": (PEM.replace("\n", "\\r").encode(), "written out"),
    "no-break-spaces": (PEM.replace("\n", "\u00a0\n").replace("BEGIN ", "BEGIN\u00a0").encode(),
                        "Invisible"),
    "zero-width": (PEM.replace("MII", "M\u200bII", 1).encode(), "Invisible"),
    "line-separators": (PEM.replace("\n", "\u2028").encode(), "Invisible"),
    "quoted-mail": (("> " + PEM.replace("\n", "\n> ")).encode(), "quoted"),
    "smart-dashes": (PEM.replace("-----", "\u2014\u2014-").encode(), "written properly"),
    "four-hyphens": (PEM.replace("-----", "----").encode(), "written properly"),
    "lower-case": (PEM.replace(BEGIN, BEGIN.lower()).encode(), "written properly"),
    "no-end": (PEM.replace(END, "").encode(), "missing END"),
    "two-without-ends": ((PEM + PEM).replace(END, "").encode(), "missing END"),
    "no-begin": (PEM.replace(BEGIN, "").encode(), "put in"),
    "json": (f'{{"data": "{BODY}", "name": "root"}}'.encode(), "put in"),
    "foreign-characters": (PEM.replace("\n", "\n* ", 3).replace("* ", "", 1).encode(),
                           "no Base-64"),
    "ansi": (PEM.replace(BEGIN, BEGIN + "\n€").encode("cp1252"), "no Base-64"),
    "goes-on": (f"{BEGIN}\n{BODY}\nKind regards, the team".encode(), "left out"),
    "doubled-body": (f"{BEGIN}\n{BODY}\n{BODY}\n{END}".encode(), None),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT)
def test_what_has_one_reading_is_mended_and_told(case):
    data, repair = SPOILT[case]
    mended = salvage(data)
    assert dict.fromkeys(mended.certificates) == {ROOT: None}
    if repair is not None:
        assert any(repair in words for words in mended.repairs), mended.repairs
    assert len(set(mended.repairs)) == len(mended.repairs)


def test_a_good_text_needs_no_repair():
    mended = salvage(to_pem(leaf().certificate, ROOT))
    assert mended.certificates == (leaf().certificate, ROOT)
    assert mended.repairs == ()


def test_the_alphabet_of_addresses_is_read():
    for other in (leaf(), intermediate(), root()):
        text = base64.urlsafe_b64encode(other.certificate.der).decode()
        if "_" in text:
            found = salvage(f"{BEGIN}\n{text}\n{END}".encode())
            assert found.certificates == (other.certificate,)


def test_a_collection_is_unpacked():
    text = p7b("PEM").decode().replace("-----", "--")
    assert len(salvage(text.encode()).certificates) == 3


def test_blocks_without_a_line_break_between_them_are_told_apart():
    text = (leaf().certificate.pem + PEM).replace("\n", "") + "\u00a0"
    assert salvage(text.encode()).certificates == (leaf().certificate, ROOT)


def test_private_keys_and_requests_are_passed_over():
    text = (key_pem(root()).decode() + PEM).replace("-----", "\u2014\u2014")
    assert salvage(text.encode()).certificates == (ROOT,)
    assert salvage(key_pem(root())) == salvage(b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        PEM[:300].encode(),
        PEM.replace(BODY[100:104], "").encode(),
        f"{BEGIN}\n{END}".encode(),
        f"{BEGIN}\n{base64.b64encode(b'hello').decode()}\n{END}".encode(),
        f"{BEGIN}\nA\n{END}".encode(),
        END.encode(),
        b"TUlJ" * 100,
        b"\xff\xfe\x00",
    ],
)
def test_what_lacks_a_part_stays_lost(data):
    assert salvage(data).certificates == ()
    assert salvage(data).repairs == ()


def test_the_text_is_what_its_author_saw():
    assert plain_text("a\u200bb".encode("utf-16"))[0] == "ab"
    assert plain_text(b"plain") == ("plain", [])


@pytest.mark.parametrize(
    "data",
    [
        b"-" * 1_000_000,
        b"-----BEGIN CERTIFICATE-----" * 30_000,
        b"BEGIN " * 160_000,
        b"MII" * 330_000,
        b"> " * 500_000,
        b"<pre" + b"<" * 900_000,
        b"{\\rtf" + b"\\" * 900_000,
        b"\\n" * 500_000,
        b" " * 1_000_000 + b"x",
        b"A1 " * 330_000,
    ],
)
def test_hostile_texts_take_no_time(data):
    began = time.process_time()
    salvage(data)
    assert time.process_time() - began < 5


@given(st.binary(max_size=400))
def test_it_never_raises(data):
    salvage(data)


@given(st.integers(0, 2000), st.text(max_size=8))
def test_what_comes_out_was_there(at, junk):
    at %= len(PEM)
    for one in salvage((PEM[:at] + junk + PEM[at:]).encode("utf-8", "replace")).certificates:
        # A certificate that came out is whole; letters that slipped in can only change it.
        assert len(one.der) <= len(ROOT.der) + len(junk.encode())
