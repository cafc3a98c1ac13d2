"""A file as a plain text editor shows it: what a gateway reads of it, and where it is damaged.

The text comes as segments, each with a mark and the number of a note. Nothing of a private key is
in them: its characters are replaced before anything else looks at them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from certificates.x509.editor.marks import NOTES, Note, NoteKind
from certificates.x509.editor.notepad_text import Opened, open_text
from certificates.x509.encoding.shapes import shape_of
from certificates.x509.files.secrecy import MASK, mask_keys

Mark = Literal["", "body", "odd-body", "odd", "damage", "masked", "binary"]

MAX_SEGMENTS = 600
"""Segments of one file; what comes after is shown without marks."""

_WIDTHS = (64, 76)
_MARKER = re.compile(r"-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]{0,40})-----")
_LOOSE_MARKER = re.compile(
    r"\b(?:BEGIN|END)\s{1,3}(?:\w{1,12} ){0,3}(?:CERTIFICATE|X509|PKCS ?#?7|KEY)", re.I
)
_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d")
_MARKUP = re.compile(
    r"</?(?:!doctype|html|head|body|div|span|pre|br|p|\?xml)\b[^>\n]{0,400}>?", re.I
)
_RTF_WORD = re.compile(r"\\(?:'[0-9a-f]{2}|[a-z]{1,32}-?\d{0,10} ?|.)|[{}]", re.I)
_BARE = re.compile(r"MI[A-Za-z0-9+/]+={0,2}")
_LINE = re.compile(r"[^\n]*\S[^\n]*")
_FOREIGN = re.compile(r"[^A-Za-z0-9+/\s]")
_NAMES = {
    "\u00a0": "NBSP",
    "\u00ad": "SHY",
    "\u200b": "ZWSP",
    "\u200c": "ZWNJ",
    "\u200d": "ZWJ",
    "\u2060": "WJ",
    "\ufeff": "BOM",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the text. ``note`` is the number of one of the view's notes, 0 for none."""

    text: str
    mark: Mark = ""
    note: int = 0


@dataclass(frozen=True, slots=True)
class NotepadView:
    """A file in an editor. ``encoding`` and ``line_ends`` are named as the status bar of Notepad
    does, ``size`` is in bytes, ``cut`` says that the file goes on and its end is not shown.
    ``has_body`` says that a gateway finds a certificate's text, which is marked."""

    segments: tuple[Segment, ...]
    notes: tuple[Note, ...]
    encoding: str
    line_ends: str
    line_count: int
    size: int
    cut: bool
    has_body: bool


class _Sheet:
    """The text while it is marked, character by character, and the notes in order of their use."""

    def __init__(self, text: str, opened: Opened) -> None:
        self.text = text
        self.opened = opened
        self.hidden = opened.hidden
        self.marks: list[tuple[Mark, int]] = [
            ("masked", 0) if character == MASK else ("", 0) for character in text
        ]
        self.inserted: dict[int, list[Segment]] = {}
        self.notes: list[NoteKind] = []

    def number(self, kind: NoteKind) -> int:
        if kind not in self.notes:
            self.notes.append(kind)
        return self.notes.index(kind) + 1

    def mark(self, start: int, end: int, kind: NoteKind | None) -> None:
        """Mark a stretch with a note, or as the body; what is masked or damaged stays so."""
        number = self.number(kind) if kind else 0
        mark: Mark = "body" if kind is None else "odd" if kind.harmless else "damage"
        for at in range(start, end):
            old = self.marks[at][0]
            if old == "body" and mark == "odd":
                self.marks[at] = ("odd-body", number)
            elif old not in {"masked", "damage"}:
                self.marks[at] = (mark, number)

    def insert(self, at: int, text: str, kind: NoteKind) -> None:
        mark: Mark = "odd" if kind.harmless else "damage"
        self.inserted.setdefault(at, []).append(Segment(text, mark, self.number(kind)))


def view(data: bytes) -> NotepadView:
    """``data`` as an editor shows it; never raises.

    The first 64 KB are shown. Bytes that are no text become what an editor makes of them, invisible
    characters a name in brackets.
    """
    opened = open_text(data)
    text = mask_keys(opened.text, binary=opened.binary)
    sheet = _Sheet(text, opened)
    has_body = False
    if not data.strip(b" \t\r\n\x00"):
        sheet.insert(0, "(empty)", NOTES["empty"])
    elif opened.binary:
        kind = NOTES[opened.binary]
        number = sheet.number(kind)
        sheet.marks = [(mark or "binary", number) for mark, _ in sheet.marks]
    else:
        has_body = _mark_text(sheet)
    if MASK in text:
        sheet.number(NOTES["key"])
    return NotepadView(
        segments=tuple(_segments(sheet)),
        notes=tuple(Note(number, kind) for number, kind in enumerate(sheet.notes, start=1)),
        encoding=opened.encoding,
        line_ends=opened.line_ends,
        line_count=opened.line_count,
        size=len(data),
        cut=opened.cut,
        has_body=has_body,
    )


def _mark_text(sheet: _Sheet) -> bool:
    """Find damage and bodies; whether a gateway finds a body."""
    encoding = sheet.opened.encoding
    wide = encoding.startswith("UTF-16")
    if sheet.opened.preamble:
        sheet.insert(0, "[BOM]", NOTES["utf16" if wide else "bom"])
    elif wide:
        sheet.insert(0, "[two bytes each]", NOTES["utf16"])
    rich = _mark_markup(sheet)
    _mark_hidden(sheet)
    damaged = _mark_markers(sheet)
    readable = not rich and not wide and NOTES["dashes"] not in sheet.notes
    markers = list(_MARKER.finditer(sheet.text))
    if markers:
        return _mark_blocks(sheet, markers, readable, damaged)
    return not damaged and _mark_bare(sheet, readable)


def _mark_markup(sheet: _Sheet) -> bool:
    """The control words of rich text, the tags of a web page."""
    if sheet.text.lstrip().startswith("{\\rtf"):
        pattern = _RTF_WORD
    elif _MARKUP.search(sheet.text):
        pattern = _MARKUP
    else:
        return False
    for found in pattern.finditer(sheet.text):
        sheet.mark(found.start(), found.end(), NOTES["rich"])
    return True


def _mark_hidden(sheet: _Sheet) -> None:
    for at, character in enumerate(sheet.text):
        if character in sheet.hidden:
            sheet.mark(at, at + 1, NOTES["hidden"])


def _mark_markers(sheet: _Sheet) -> bool:
    """BEGIN and END lines that are none; whether there are any."""
    text = sheet.text
    proper = {found.start(1) for found in _MARKER.finditer(text)}
    damaged = False
    for found in _LOOSE_MARKER.finditer(text):
        if found.start() in proper:
            continue
        damaged = True
        start = max(text.rfind("\n", 0, found.start()) + 1, found.start() - 8)
        end = text.find("\n", found.end())
        end = min(end if end >= 0 else len(text), found.end() + 8)
        dashes = [at for at in range(start, end) if text[at] in _DASHES]
        for at in dashes:
            sheet.mark(at, at + 1, NOTES["dashes"])
        if not dashes:
            sheet.mark(start, end, NOTES["marker"])
    return damaged


def _mark_bare(sheet: _Sheet, readable: bool) -> bool:
    """A text without markers: perhaps the Base-64 alone."""
    text = sheet.text
    start = len(text) - len(text.lstrip())
    if readable and _BARE.fullmatch("".join(text.split())) and _holds_certificate(text):
        sheet.mark(start, len(text.rstrip()), None)
        sheet.insert(start, "[no BEGIN line]", NOTES["markers"])
        return True
    if not sheet.notes and MASK not in text:
        sheet.number(NOTES["other"])
    return False


def _mark_blocks(
    sheet: _Sheet, markers: list[re.Match[str]], readable: bool, damaged: bool
) -> bool:
    """What stands between the markers and around them; whether any of it is read."""
    text, last, position, found = sheet.text, 0, 0, False
    around: list[tuple[int, int]] = []
    while position < len(markers):
        marker = markers[position]
        around.append((last, marker.start()))
        last = marker.end()
        position += 1
        if marker[1] == "END":
            if not damaged:
                sheet.insert(around[-1][0], "[BEGIN line missing]", NOTES["begin"])
            continue
        closing = markers[position] if position < len(markers) else None
        if closing is None or closing[1] == "BEGIN":
            last = closing.start() if closing else len(text)
            if not damaged and not (closing is None and sheet.opened.cut):
                sheet.insert(len(text[:last].rstrip()), "[END line missing]", NOTES["end"])
            continue
        position += 1
        last = closing.end()
        if closing[2].strip() != marker[2].strip():
            sheet.mark(*closing.span(), NOTES["marker"])
        else:
            found = _mark_body(sheet, marker.end(), closing.start(), readable) or found
    around.append((last, len(text)))
    if found:
        for start, end in around:
            _mark_around(sheet, start, end)
    return found


def _mark_around(sheet: _Sheet, start: int, end: int) -> None:
    piece = sheet.text[start:end]
    if piece.strip():
        start += len(piece) - len(piece.lstrip())
        sheet.mark(start, start + len(piece.strip()), NOTES["around"])


def _mark_body(sheet: _Sheet, start: int, end: int, readable: bool) -> bool:
    """The text between BEGIN and END; whether a certificate is read from it."""
    body = sheet.text[start:end]
    if MASK in body:
        return False
    if not body.strip():
        sheet.insert(start, "[nothing]", NOTES["nothing"])
        return False
    if any(character in sheet.hidden for character in body):
        return False
    stop = len(body.rstrip())
    if NOTES["rich"] in sheet.notes:
        return False
    foreign = list(_FOREIGN.finditer(body, 0, len(body[:stop].rstrip("="))))
    for found in foreign:
        sheet.mark(start + found.start(), start + found.end(), NOTES["stray"])
    if not foreign and _decoded(body) is None:
        sheet.insert(start + stop, "[characters missing]", NOTES["short"])
    if not readable or not _holds_certificate(body):
        return False
    sheet.mark(start + len(body) - len(body.lstrip()), start + stop, None)
    _mark_lines(sheet, start, body)
    return True


def _mark_lines(sheet: _Sheet, start: int, body: str) -> None:
    """Lines of a length that no export has, and blanks at their ends."""
    lines = [(start + found.start(), found[0]) for found in _LINE.finditer(body)]
    lines = [(at + len(line) - len(line.lstrip()), line.lstrip()) for at, line in lines]
    *others, last = (len(line.rstrip()) for _, line in lines)
    if not others and last > max(_WIDTHS):
        sheet.mark(lines[0][0], lines[0][0] + last, NOTES["joined"])
        return
    width = next((one for one in _WIDTHS if others.count(one) * 2 > len(others)), _WIDTHS[0])
    for number, (at, line) in enumerate(lines):
        length = len(line.rstrip())
        if length > width or (length < width and number < len(others)):
            sheet.mark(at, at + length, NOTES["wrapped"])
        if length < len(line):
            sheet.mark(at + length, at + len(line), NOTES["blanks"])


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _holds_certificate(text: str) -> bool:
    data = _decoded(text)
    return data is not None and shape_of(data) in {"certificate", "pkcs7"}


def _segments(sheet: _Sheet) -> Iterator[Segment]:
    """Neighbours of the same mark in one piece."""
    made = 0
    start = 0
    size = len(sheet.text)
    while start < size or start in sheet.inserted:
        inserted = sheet.inserted.pop(start, [])
        yield from inserted
        made += len(inserted)
        if start == size:
            return
        if made >= MAX_SEGMENTS:
            yield Segment(_shown(sheet, start, size), "")
            return
        end = start + 1
        while (
            end < size
            and sheet.marks[end] == sheet.marks[start]
            and end not in sheet.inserted
            and (sheet.text[end] in sheet.hidden) == (sheet.text[start] in sheet.hidden)
        ):
            end += 1
        yield Segment(_shown(sheet, start, end), *sheet.marks[start])
        made += 1
        start = end


def _shown(sheet: _Sheet, start: int, end: int) -> str:
    """The characters with those that cannot be seen named; many of one kind are counted."""
    piece = sheet.text[start:end]
    if not any(character in sheet.hidden for character in piece):
        return piece
    shown = []
    for found in re.finditer(r"(.)\1*", piece, re.S):
        character, count = found[1], len(found[0])
        if character not in sheet.hidden:
            shown.append(found[0])
            continue
        name = _NAMES.get(character, f"U+{ord(character):04X}")
        shown.append(f"[{name}]" if count == 1 else f"[{name} ×{count}]")
    return "".join(shown)
