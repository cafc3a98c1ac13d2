"""The bytes of a file as text, in the encoding that an editor would guess."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from certificates.x509.encoding.shapes import shape_of
from certificates.x509.files.secrecy import begins_a_key

MAX_BYTES = 64 * 1024
"""As much of a file as is shown."""

MAX_LINES = 2000

_BOM = b"\xef\xbb\xbf"
_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")
_TEXT_CONTROLS = b"\t\n\r\f"


@dataclass(frozen=True, slots=True)
class Opened:
    """The beginning of a file as text with plain line feeds.

    ``binary`` is empty for a text, else the key of the note that says what the bytes are, and then
    ``line_ends`` is empty. ``preamble`` says that a byte order mark stood in front, ``cut`` that
    the file goes on. ``hidden`` are the characters of the text that show nothing on a screen.
    """

    text: str
    encoding: str
    preamble: bool
    binary: str
    line_ends: str
    line_count: int
    hidden: frozenset[str]
    cut: bool


def open_text(data: bytes) -> Opened:
    """What an editor makes of ``data``; never raises."""
    shown, more = data[:MAX_BYTES], len(data) > MAX_BYTES
    encoding, text, preamble, binary = _decode(shown, more)
    ends = "" if binary else _line_ends(text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if binary:
        # An editor has no glyph for control characters.
        text = "".join(one if one.isprintable() or one == "\n" else "▯" for one in text)
    lines = text.split("\n", MAX_LINES)
    hidden = frozenset(one for one in set(text) if not one.isprintable()) - set("\n\t")
    return Opened(
        text="\n".join(lines[:MAX_LINES]),
        encoding=encoding,
        preamble=preamble,
        binary=binary,
        line_ends=ends,
        line_count=min(len(lines), MAX_LINES),
        hidden=hidden,
        cut=more or len(lines) > MAX_LINES,
    )


def _decode(data: bytes, more: bool) -> tuple[str, str, bool, str]:
    """(encoding, text, whether it began with a byte order mark, what it is if it is no text)."""
    if data.startswith(_BOM):
        return "UTF-8 with BOM", _text(data[3:], "utf-8", more), True, ""
    if data.startswith(codecs.BOM_UTF16_LE):
        return "UTF-16 LE", _text(data[2:], "utf-16-le", more), True, ""
    if data.startswith(codecs.BOM_UTF16_BE):
        return "UTF-16 BE", _text(data[2:], "utf-16-be", more), True, ""
    if _alternates(data[1::2], data[0::2]):
        return "UTF-16 LE", _text(data, "utf-16-le", more), False, ""
    if _alternates(data[0::2], data[1::2]):
        return "UTF-16 BE", _text(data, "utf-16-be", more), False, ""
    if binary := _binary(data):
        return "ANSI", data.decode("cp1252", errors="replace"), False, binary
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data, final=not more)
    except UnicodeDecodeError:
        return "ANSI", data.decode("cp1252", errors="replace"), False, ""
    return "UTF-8", text, False, ""


def _text(data: bytes, encoding: str, more: bool) -> str:
    return codecs.getincrementaldecoder(encoding)("replace").decode(data, final=not more)


def _alternates(zeros: bytes, letters: bytes) -> bool:
    """Whether every other byte is zero and the rest plain text, as in UTF-16 without a mark."""
    return (
        len(zeros[:32]) >= 8
        and not any(zeros[:32])
        and all(32 <= letter < 127 or letter in _TEXT_CONTROLS for letter in letters[:32])
    )


def _binary(data: bytes) -> str:
    if begins_a_key(data):
        return "pfx" if shape_of(data) == "pfx" else "binary"
    # Every certificate is longer than 127 bytes, so its second byte announces a long length.
    if data[:1] == b"0" and data[1:2] >= b"\x80":
        shape = shape_of(data)
        return {"certificate": "der", "cut-off": "der", "pkcs7": "pkcs7"}.get(shape, "binary")
    if data.startswith(_ARCHIVES):
        return "document"
    sample = data[:2048]
    controls = sum(one < 32 and one not in _TEXT_CONTROLS for one in sample)
    return "binary" if controls * 20 > len(sample) else ""


def _line_ends(text: str) -> str:
    windows = text.count("\r\n")
    unix, mac = text.count("\n") - windows, text.count("\r") - windows
    if (windows > 0) + (unix > 0) + (mac > 0) > 1:
        return "Mixed line ends"
    if unix:
        return "Unix (LF)"
    return "Macintosh (CR)" if mac else "Windows (CRLF)"
