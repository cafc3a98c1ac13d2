"""A file in an editor: what a gateway reads of it, what is damaged, and no word of a key."""

from __future__ import annotations

import base64
import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.x509.editor.damage import PROGRAMS, damage
from certificates.x509.editor.marks import NOTES
from certificates.x509.editor.notepad import MAX_SEGMENTS, NotepadView, view
from certificates.x509.editor.notepad_text import MAX_BYTES, MAX_LINES
from certificates.x509.files.read import read_certificates
from certificates.x509.files.secrecy import MASK, mask_keys
from certificates.x509.issuing.issue import key_pem, to_pem, to_pfx
from certificates.x509.problems import KINDS
from tests.certificates.x509 import makers

PEM = makers.leaf().certificate.pem
LINES = PEM.splitlines()
BODY = "\n".join(LINES[1:-1])
KEY = key_pem(makers.root()).decode()
KEY_LINES = KEY.splitlines()


def shown(data: bytes) -> str:
    return "".join(segment.text for segment in view(data).segments)


def marked(found: NotepadView, *marks: str) -> str:
    return "".join(segment.text for segment in found.segments if segment.mark in marks)


def told(found: NotepadView) -> set[str]:
    return {key for key, kind in NOTES.items() if kind in {note.kind for note in found.notes}}


def test_the_text_between_begin_and_end_is_what_a_gateway_reads() -> None:
    found = view(PEM.encode())
    assert marked(found, "body") == BODY
    assert found.has_body
    assert found.notes == ()
    assert shown(PEM.encode()) == PEM
    assert (found.encoding, found.line_ends) == ("UTF-8", "Unix (LF)")
    assert (found.line_count, found.size, found.cut) == (len(LINES) + 1, len(PEM), False)


def test_every_certificate_of_a_chain_is_read() -> None:
    chain = to_pem(makers.leaf().certificate, makers.root().certificate)
    found = view(chain)
    assert [segment.mark for segment in found.segments] == ["", "body", "", "body", ""]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (PEM.encode(), "UTF-8"),
        (b"\xef\xbb\xbf" + PEM.encode(), "UTF-8 with BOM"),
        (b"\xff\xfe" + PEM.encode("utf-16-le"), "UTF-16 LE"),
        (b"\xfe\xff" + PEM.encode("utf-16-be"), "UTF-16 BE"),
        (PEM.encode("utf-16-le"), "UTF-16 LE"),
        (PEM.encode("utf-16-be"), "UTF-16 BE"),
        ("Größe\n".encode("cp1252"), "ANSI"),
        ("Größe\n".encode(), "UTF-8"),
        (b"", "UTF-8"),
    ],
)
def test_the_encoding_is_named_as_the_status_bar_does(data: bytes, encoding: str) -> None:
    assert view(data).encoding == encoding


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("a\nb", "Unix (LF)"),
        ("a\r\nb", "Windows (CRLF)"),
        ("a\rb", "Macintosh (CR)"),
        ("a\r\nb\n", "Mixed line ends"),
        ("a", "Windows (CRLF)"),
    ],
)
def test_line_ends_are_named(text: str, ends: str) -> None:
    assert view(text.encode()).line_ends == ends
    assert "\r" not in shown(text.encode())


# What is done to the text, the note, and whether a gateway's reader still finds the certificate.
DAMAGE = {
    "byte order mark": (b"\xef\xbb\xbf" + PEM.encode(), "bom", True),
    "UTF-16": (b"\xff\xfe" + PEM.encode("utf-16-le"), "utf16", False),
    "UTF-16 without mark": (PEM.encode("utf-16-be"), "utf16", False),
    "smart dashes": (PEM.replace("--", "–").encode(), "dashes", False),
    "a dash in UTF-8": (PEM.replace("-----BEGIN", "—BEGIN").encode(), "dashes", False),
    "no-break spaces": (PEM.replace("\n", "\u00a0\n").encode(), "hidden", False),
    "zero-width space": (PEM.replace(BODY[:9], BODY[:9] + "\u200b").encode(), "hidden", False),
    "wrapped shorter": (damage(PEM.encode(), "rewrapped"), "wrapped", True),
    "wrapped longer": (
        (LINES[0] + "\n" + BODY.replace("\n", "", 1) + "\n" + LINES[-1]).encode(),
        "wrapped",
        True,
    ),
    "joined": (f"{LINES[0]}\n{BODY.replace(chr(10), '')}\n{LINES[-1]}".encode(), "joined", True),
    "no END line": (PEM.replace(LINES[-1], "").encode(), "end", False),
    "no BEGIN line": (PEM.replace(LINES[0], "").encode(), "begin", False),
    "another block follows": ((PEM.replace(LINES[-1], "") + PEM).encode(), "end", True),
    "text in front": (("Subject: us\n" + PEM).encode(), "around", True),
    "text behind": ((PEM + "Regards\n").encode(), "around", True),
    "a web page": (f"<html><pre>{PEM}</pre></html>".encode(), "rich", False),
    "rich text": (damage(PEM.encode(), "rich-text"), "rich", False),
    "a foreign character": (PEM.replace(BODY[:70], BODY[:69] + "!").encode(), "stray", False),
    "padding in the middle": (PEM.replace(BODY[:70], BODY[:69] + "=").encode(), "stray", False),
    "a character lost": (PEM.replace(BODY[:70], BODY[:69]).encode(), "short", False),
    "nothing inside": (f"{LINES[0]}\n\n{LINES[-1]}\n".encode(), "nothing", False),
    "four hyphens": (PEM.replace("-----END", "----END").encode(), "marker", False),
    "other label": (PEM.replace("END CERTIFICATE", "END X509 CRL").encode(), "marker", False),
    "blank in the label": (PEM.replace("BEGIN ", "BEGIN\u00a0").encode(), "marker", False),
    "no markers": (BODY.encode(), "markers", True),
    "blanks at line ends": (PEM.replace("\n", "  \n").encode(), "blanks", True),
    "DER": (makers.leaf().certificate.der, "der", True),
    "DER cut off": (makers.leaf().certificate.der[:100], "der", False),
    "PFX": (to_pfx(makers.leaf(), "x"), "pfx", False),
    "office document": (b"PK\x03\x04\x00\x00\x00", "document", False),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50), "binary", False),
    "prose": (b"certificate of our server", "other", False),
    "empty": (b" \r\n", "empty", False),
    "key": (KEY.encode(), "key", False),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_pointed_at_and_agrees_with_the_reader(case: str) -> None:
    data, note, read = DAMAGE[case]
    found = view(data)
    assert note in told(found)
    assert bool(read_certificates(data).certificates) == read
    if note != "der":
        assert found.has_body == read
    assert all(note.kind.harmless for note in found.notes) == (read and note != "der") or (
        case == "another block follows"
    )


def test_each_damage_has_its_number_beside_it() -> None:
    text = "Hello\n" + PEM.replace("\n", " \n")
    found = view(b"\xef\xbb\xbf" + text.encode())
    numbers = {note.number: note.kind for note in found.notes}
    assert sorted(numbers) == [1, 2, 3]
    by_kind = {numbers[segment.note]: segment.text for segment in found.segments if segment.note}
    assert by_kind[NOTES["bom"]] == "[BOM]"
    assert by_kind[NOTES["around"]] == "Hello"
    assert by_kind[NOTES["blanks"]] == " "


def test_lines_that_were_wrapped_are_read_all_the_same() -> None:
    found = view(damage(PEM.encode(), "rewrapped"))
    assert marked(found, "body", "odd-body").replace("\n", "") == BODY.replace("\n", "")
    assert marked(found, "odd-body")


@pytest.mark.parametrize("width", [64, 76])
def test_lines_as_exports_write_them_are_not_marked(width: int) -> None:
    text = BODY.replace("\n", "")
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    found = view("\n".join([LINES[0], *lines, LINES[-1], ""]).encode())
    assert found.notes == ()


def test_a_short_block_in_one_line_is_not_called_joined() -> None:
    found = view(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    assert "joined" not in told(found)


def test_invisible_characters_are_named_and_counted() -> None:
    text = "\u00a0\u00a0one\u200btwo\u2062three\ufeff"
    assert shown(text.encode()) == "[NBSP ×2]one[ZWSP]two[U+2062]three[BOM]"


def test_a_block_that_is_no_certificate_is_not_highlighted() -> None:
    found = view(makers.revocation_list())
    assert not found.has_body
    assert found.notes == ()


def test_damaged_characters_inside_a_body_are_marked_alone() -> None:
    found = view(PEM.replace(BODY[:70], BODY[:69] + "!").encode())
    assert set(marked(found, "damage")) == {"!"}


def test_the_bytes_of_a_binary_certificate_look_like_nothing() -> None:
    found = view(makers.leaf().certificate.der)
    assert (found.encoding, found.line_ends) == ("ANSI", "")
    assert {segment.mark for segment in found.segments} == {"binary"}
    assert "CERTIFICATE" not in shown(makers.leaf().certificate.der)


def test_a_p7b_in_binary_form_is_told_from_a_certificate() -> None:
    data = makers.openssl("crl2pkcs7", "-nocrl", "-certfile", makers.put("nb.pem", PEM.encode()),
                          "-outform", "DER")  # fmt: skip
    assert told(view(data)) == {"pkcs7"}
    text = makers.openssl("crl2pkcs7", "-nocrl", "-certfile", makers.put("nb.pem", PEM.encode()))
    assert view(text).has_body


# Every way in which the text of a private key may stand in a file.
KEYS = {
    "alone": KEY,
    "after a certificate": PEM + KEY,
    "before a certificate": KEY + PEM,
    "without BEGIN": "\n".join(KEY_LINES[1:]),
    "without BEGIN after a certificate": PEM + "\n".join(KEY_LINES[1:]),
    "without END": "\n".join(KEY_LINES[:-1]),
    "without END before a certificate": "\n".join(KEY_LINES[:-1]) + "\n" + PEM,
    "bare": "\n".join(KEY_LINES[1:-1]),
    "bare before a certificate": "\n".join(KEY_LINES[1:-1]) + "\n" + PEM,
    "under another label": KEY.replace("PRIVATE KEY", "CERTIFICATE"),
    "joined": " ".join(KEY_LINES),
    "smart dashes": KEY.replace("--", "–"),
    "no-break spaces": KEY.replace(" ", "\u00a0").replace("\n", "\u00a0\n"),
    "zero-width spaces": "\u200b".join(KEY),
    "rich text": damage(KEY.encode(), "rich-text").decode(),
    "a web page": f"<html><body>{KEY.replace(chr(10), '<br>')}</body></html>",
    "in JSON": KEY.replace("\n", "\\n"),
    "indented": KEY.replace("\n", "\n    "),
    "lower case marker": KEY.replace("BEGIN", "begin").replace("END", "end"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("case", KEYS)
def test_nothing_of_a_private_key_is_shown(case: str, encoding: str) -> None:
    seen = shown(KEYS[case].encode(encoding))
    secret = "".join(KEY_LINES[1:-1])
    plain = re.sub(r"\[[^\]]*\]|\s", "", seen)
    # The names of the algorithms are public, and may stand in the certificate in the same letters.
    public = "".join(LINES[1:-1])
    pieces = {secret[at : at + 12] for at in range(len(secret) - 11)}
    assert not {piece for piece in pieces if piece in plain and piece not in public}
    assert MASK in seen


def test_binary_keys_are_not_shown() -> None:
    key = base64.b64decode("".join(KEY_LINES[1:-1]))
    for data in (key, key[:100], to_pfx(makers.leaf(), "x"), to_pfx(makers.leaf(), "x")[:200]):
        assert set(shown(data)) == {MASK}


def test_a_pfx_written_as_text_is_not_shown() -> None:
    text = base64.b64encode(to_pfx(makers.leaf(), "x")).decode()
    assert set(shown(text.encode())) == {MASK}


def test_a_certificate_beside_a_key_is_still_read() -> None:
    found = view((KEY + PEM).encode())
    assert marked(found, "body") == BODY
    assert "key" in told(found)


def test_the_length_of_a_masked_text_stays() -> None:
    for text in KEYS.values():
        assert len(mask_keys(text)) == len(text)


def test_a_text_that_has_the_character_of_the_mask_hides_no_key() -> None:
    found = view(f"{MASK * 5} drawn\n".encode())
    assert "key" not in told(found)
    assert not marked(found, "masked")


def test_a_long_file_is_cut_off_without_a_false_alarm() -> None:
    names = "x" * 80
    data = PEM.encode() + (names.encode() + b"\n") * 900 + PEM.encode()
    found = view(data)
    assert found.cut
    assert found.size == len(data) > MAX_BYTES
    assert len(shown(data)) <= MAX_BYTES
    long = LINES[0].encode() + b"\n" + b"TUlJ\n" * 20_000
    assert "end" not in told(view(long))
    assert view(long).line_count == MAX_LINES


def test_a_character_that_is_cut_in_two_does_not_change_the_encoding() -> None:
    data = b"a" + "ß".encode() * MAX_BYTES
    assert view(data).encoding == "UTF-8"
    assert view(data[:11] + b"\xff").encoding == "ANSI"


HOSTILE = {
    "markers": b"-----BEGIN CERTIFICATE-----\n" * 2400,
    "ends": b"-----END CERTIFICATE-----\n" * 2400,
    "damaged markers": b"BEGIN CERTIFICATE\n" * 3600,
    "keys": b"BEGIN PRIVATE KEY\n" * 3600,
    "ends of keys": b"END PRIVATE KEY\n" * 4000,
    "marker words": b"BEGIN " * 11_000,
    "beginnings of keys": b"MIIEvQIBADANBgkqhkiG \n" * 3000,
    "hidden": "a\u00a0b\u200b".encode() * 9000,
    "many hidden": "".join(chr(code) for code in range(0xE000, 0xF8FF)).encode() * 4,
    "blanks": b"MI" + b" " * 60_000 + b"!",
    "tags": b"<p " * 21_000,
    "rich": b"{\\rtf" + b"\\a" * 32_000,
    "dashes": "–BEGIN CERTIFICATE".encode() * 3000,
    "stray": LINES[0].encode() + b"a!" * 30_000 + LINES[-1].encode(),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_texts_take_no_time_and_no_room(case: str) -> None:
    start = time.process_time()
    found = view(HOSTILE[case])
    assert time.process_time() - start < 5
    assert len(found.segments) <= MAX_SEGMENTS + 2
    assert sum(len(segment.text) for segment in found.segments) < 10 * MAX_BYTES


@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing(data: bytes) -> None:
    check(data)
    check(b"\x30\x82" + data)


@given(st.text(max_size=200))
def test_random_text_raises_nothing(text: str) -> None:
    for encoding in ("utf-8", "utf-16-le", "utf-16"):
        check(text.encode(encoding, "replace"))
    check(f"{LINES[0]}{text}{LINES[-1]}".encode("utf-8", "replace"))


def test_spoilt_files_raise_nothing() -> None:
    random_numbers = random.Random(4711)
    for seed in (PEM + KEY, KEY + PEM, KEY_LINES[1] + PEM):
        for _ in range(200):
            data = bytearray(seed.encode())
            for _ in range(random_numbers.randint(1, 5)):
                at = random_numbers.randrange(len(data))
                data[at : at + random_numbers.randint(0, 9)] = random_numbers.randbytes(2)
            check(bytes(data))


def check(data: bytes) -> None:
    found = view(data)
    assert found.size == len(data)
    numbers = {note.number for note in found.notes}
    assert all(segment.note in numbers for segment in found.segments if segment.note)
    assert all(segment.text for segment in found.segments)


# ---- damage -----------------------------------------------------------------------------------

# What a program does, and the kind of problem that the reader then has (none: it is tolerated).
SAVED = {
    "utf8-bom": "cer-bom",
    "utf16": "cer-utf16",
    "rich-text": "cer-rich-text",
    "smart-dashes": "cer-smart-dashes",
    "rewrapped": "",
    "joined": "",
    "no-break-spaces": "cer-hidden-characters",
    "no-end": "cer-cut-off",
    "text-before": "cer-text-around",
}


def test_every_program_is_tried() -> None:
    assert set(SAVED) == set(PROGRAMS)
    assert all(words for words, _ in PROGRAMS.values())


@pytest.mark.parametrize("how", SAVED)
def test_what_another_program_saves_is_answered_as_documented(how: str) -> None:
    data = damage(PEM.encode(), how)
    assert data != PEM.encode()
    ids = [problem.id for problem in read_certificates(data).problems]
    assert ids == [SAVED[how]] * bool(SAVED[how])
    assert all(one in KINDS for one in ids)
    assert view(data).notes


@pytest.mark.parametrize("how", [how for how in SAVED if how not in {"no-end", "text-before"}])
def test_a_chain_is_damaged_in_every_certificate(how: str) -> None:
    chain = to_pem(makers.leaf().certificate, makers.root().certificate)
    assert view(damage(chain, how)).notes


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (makers.leaf().certificate.der, "text file"),
        (b"", "text file"),
        (PEM.encode() * 400, "short text file"),
        (BODY.encode(), "damaged already"),
    ],
    ids=["DER", "empty", "too long", "no markers"],
)
def test_what_is_no_text_of_a_certificate_is_not_damaged_further(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        damage(data, "utf16")


def test_an_end_line_that_is_gone_cannot_be_lost_again() -> None:
    with pytest.raises(ValueError, match="no END line"):
        damage(PEM.replace(LINES[-1], "").encode(), "no-end")


def test_empty_lines_stay_when_lines_are_wrapped_anew() -> None:
    assert damage(f"\n{PEM}".encode(), "rewrapped").startswith(b"\r\n-----BEGIN")
