"""What other programs do to the text of a certificate when they save it."""

from __future__ import annotations

import re
from collections.abc import Callable

from certificates.x509.editor.notepad_text import open_text

_BROKEN_AT = 48
_LINE = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")


def damage(data: bytes, how: str) -> bytes:
    """A text file as the program ``how`` (a key of :data:`PROGRAMS`) would save it.

    Raises ``ValueError``, with a sentence for people, if the file is no text that can be spoilt
    this way, and ``KeyError`` for a program that is not known.
    """
    _, spoil = PROGRAMS[how]
    opened = open_text(data)
    if opened.binary or opened.cut or not opened.text.strip():
        raise ValueError("Only a short text file can be saved by another program.")
    if not _LINE.search(opened.text):
        raise ValueError("The file has no BEGIN or END line, so it is damaged already.")
    return spoil(opened.text)


def _with_bom(text: str) -> bytes:
    return b"\xef\xbb\xbf" + _saved(text)


def _utf16(text: str) -> bytes:
    return b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le", "replace")


def _rich_text(text: str) -> bytes:
    lines = text.replace("\\", "\\\\").replace("{", "\\{").replace("}", "\\}").split("\n")
    head = "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fmodern Courier New;}}\n\\f0\\fs20 "
    return _saved(head + "\\par\n".join(lines) + "}\n", "cp1252")


def _smart_dashes(text: str) -> bytes:
    return _saved(_LINE.sub(lambda line: line[0].replace("--", "–"), text))


def _rewrapped(text: str) -> bytes:
    lines: list[str] = []
    for line in text.split("\n"):
        if _LINE.search(line):
            lines.append(line)
        else:
            pieces = [line[at : at + _BROKEN_AT] for at in range(0, len(line), _BROKEN_AT)]
            lines += pieces or [""]
    return _saved("\n".join(lines))


def _joined(text: str) -> bytes:
    return _saved(" ".join(text.split("\n")).strip())


def _no_break_spaces(text: str) -> bytes:
    return _saved("\n".join(f"\u00a0{line}" if line else line for line in text.split("\n")))


def _end_lost(text: str) -> bytes:
    ends = [found for found in _LINE.finditer(text) if found[0].startswith("-----END")]
    if not ends:
        raise ValueError("The file has no END line that could get lost.")
    return _saved(text[: ends[-1].start()])


def _text_before(text: str) -> bytes:
    return _saved(f"Here is the certificate of our server, as you asked:\n\n{text}")


def _saved(text: str, encoding: str = "utf-8") -> bytes:
    return text.replace("\n", "\r\n").encode(encoding, "replace")


PROGRAMS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "utf8-bom": ("UTF-8 with BOM", _with_bom),
    "utf16": ("UTF-16", _utf16),
    "rich-text": ("rich text", _rich_text),
    "smart-dashes": ("smart dashes", _smart_dashes),
    "rewrapped": ("re-wrapped lines", _rewrapped),
    "joined": ("joined lines", _joined),
    "no-break-spaces": ("no-break spaces", _no_break_spaces),
    "no-end": ("END line lost", _end_lost),
    "text-before": ("text in front", _text_before),
}
"""What another program may do: its words, and the function that does it."""
