"""Base-64 text with BEGIN and END lines (RFC 7468): its blocks, and how editors spoil them."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from certificates.x509.kinds import files
from certificates.x509.problems import Kind, Problem

MAX_BLOCKS = 200

_MARKER = re.compile(r"-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]{0,40})-----")
_LOOSE_MARKER = re.compile(
    r"\b(BEGIN|END)\s{1,3}(?:CERTIFICATE|X509|TRUSTED|PKCS ?#?7|(?:\w{1,10} ){0,2}PRIVATE KEY)",
    re.I,
)
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_SMART_MARKER = re.compile(
    rf"[{_DASHES}] ?(?:BEGIN|END)\b|\b(?:BEGIN|END) [A-Z0-9 ]{{1,40}}-?[{_DASHES}]"
)
_HIDDEN = re.compile("[\u00a0\u00ad\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]")
_MARKUP = re.compile(r"<(?:!doctype|html|head|body|div|span|pre|br|p|\?xml)\b", re.I)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between one BEGIN and its END: ``label``, the ``line`` of BEGIN (from 1), and
    the decoded ``data`` (``None`` if ``problems`` say why not, or if it is a private key)."""

    label: str
    line: int
    data: bytes | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Armour:
    """The blocks of a text; ``bare`` is the data of a text that is Base-64 without any markers."""

    blocks: tuple[Block, ...] = ()
    bare: bytes | None = None
    problems: tuple[Problem, ...] = ()


def read_armour(text: str) -> Armour:
    """Split ``text`` into blocks; never raises, says in ``problems`` what is spoilt."""
    if _MARKUP.search(text):
        return Armour(problems=(_problem(files.RICH_TEXT, "The file holds a web page or markup."),))
    if smart := _SMART_MARKER.search(text):
        message = f"Line {_line(text, smart.start())} has dashes where five plain hyphens belong."
        return Armour(problems=(_problem(files.SMART_DASHES, message),))
    markers = list(_MARKER.finditer(text))
    damaged = _damaged_markers(text)
    if not markers and not damaged:
        return _bare(text)
    if len(markers) > 2 * MAX_BLOCKS:
        message = f"The file has more than {MAX_BLOCKS} blocks."
        return Armour(problems=(_problem(files.TOO_MANY, message),))
    problems = [
        _problem(files.MARKER, f"Line {_line(text, position)} is not a proper BEGIN or END line.")
        for position in damaged[:3]
    ]
    blocks: list[Block] = []
    around: list[str] = []
    end_of_last = 0
    position = 0
    while position < len(markers):
        marker = markers[position]
        label = marker[2].strip()
        around.append(text[end_of_last : marker.start()])
        end_of_last = marker.end()
        position += 1
        if marker[1] == "END":
            if not damaged:
                message = f"Line {_line(text, marker.start())} ends a block that has no BEGIN line."
                problems.append(_problem(files.MARKER, message))
            continue
        closing = markers[position] if position < len(markers) else None
        line = _line(text, marker.start())
        if closing is None or closing[1] == "BEGIN":
            if not damaged or damaged[-1] < marker.start():
                message = f"The block that begins in line {line} has no END line."
                problems.append(_problem(files.CUT_OFF, message))
            end_of_last = closing.start() if closing else len(text)
            continue
        position += 1
        end_of_last = closing.end()
        if closing[2].strip() != label:
            message = f"Line {line} begins {label}, but its END line says {closing[2].strip()}."
            problems.append(_problem(files.MARKER, message))
            continue
        blocks.append(_block(label, line, text[marker.end() : closing.start()]))
    around.append(text[end_of_last:])
    if blocks and any(part.strip() for part in around):
        message = "The file has text outside the lines from BEGIN to END; it was skipped."
        problems.append(_problem(files.TEXT_AROUND, message))
    return Armour(tuple(blocks), None, tuple(problems))


def _block(label: str, line: int, body: str) -> Block:
    if label.endswith("PRIVATE KEY"):
        return Block(label, line, None)
    where = f"The block that begins in line {line}"
    if hidden := _HIDDEN.search(body):
        character = f"U+{ord(hidden[0]):04X}"
        message = f"{where} has an invisible character ({character})."
        return Block(label, line, None, (_problem(files.HIDDEN, message),))
    compact = "".join(body.split())
    if not compact:
        message = f"{where} is empty."
        return Block(label, line, None, (_problem(files.BLOCK_EMPTY, message),))
    try:
        return Block(label, line, base64.b64decode(compact, validate=True))
    except (binascii.Error, ValueError):
        message = f"{where} is not proper Base-64: characters are missing or do not belong there."
        return Block(label, line, None, (_problem(files.DAMAGED, message),))


def _bare(text: str) -> Armour:
    """A text without markers: perhaps the Base-64 alone."""
    visible = _HIDDEN.sub("", text)
    compact = "".join(visible.split())
    if not compact.startswith("MI") or not _BASE64.fullmatch(compact):
        return Armour()
    if visible != text:
        return Armour(problems=(_problem(files.HIDDEN, "The text has invisible characters."),))
    try:
        return Armour(bare=base64.b64decode(compact, validate=True))
    except (binascii.Error, ValueError):
        message = "The text looks like a certificate without BEGIN and END, but is not whole."
        return Armour(problems=(_problem(files.DAMAGED, message),))


def _damaged_markers(text: str) -> list[int]:
    """Where something that was meant as a marker stands and is none."""
    good = {match.start() + len("-----") for match in _MARKER.finditer(text)}
    return [match.start() for match in _LOOSE_MARKER.finditer(text) if match.start() not in good]


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _problem(kind: Kind, message: str) -> Problem:
    return Problem(kind=kind, message=message)
