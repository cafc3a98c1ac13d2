"""Keeping private keys out of what is shown of a file, however damaged the file is."""

from __future__ import annotations

import base64
import re

MASK = "█"
_LOOKS_LIKE_IT = "■"

# Blanks that cannot be seen are taken out before this is looked for.
_MARKER = re.compile(
    r"(?P<word>BEGIN|END)(?:(?P<key>[\s\w]{0,24}?PRIVATE\s*KEY)|"
    r"\s?[A-Z0-9 ]{1,40}[-\u2010-\u2015\u2212])",
    re.I,
)
_START = re.compile(r"(?<![A-Za-z0-9+/])M[A-Za-z0-9+/\s]{15,40}")
_VERSIONS = {0, 1, 3}  # of PKCS #1 and PKCS #8, of SEC 1, of a PFX


def begins_a_key(data: bytes) -> bool:
    """Whether binary data begins as private keys and PFX files do: a sequence, then a version.

    A certificate begins with a sequence in a sequence.
    """
    size = data[1] & 0x7F if data[1:2] >= b"\x80" else 0
    start = data[2 + size : 5 + size]
    return data[:1] == b"\x30" and start[:2] == b"\x02\x01" and start[-1] in _VERSIONS


def mask_keys(text: str, *, binary: str = "") -> str:
    """``text`` with :data:`MASK` for every character of a private key; its length stays.

    A ``binary`` file that may hold a key (a PFX, and whatever is not known) is masked whole; of
    another binary file nothing is. The mask stands for nothing else: where the text has that
    character itself, a similar one takes its place.
    """
    text = text.replace(MASK, _LOOKS_LIKE_IT)
    if binary in {"pfx", "binary"}:
        return MASK * min(len(text), 64)
    if binary:
        return text
    kept = [at for at, character in enumerate(text) if character.isprintable() or character == "\n"]
    clean = "".join(text[at] for at in kept)
    shown = list(text)
    for start, end in _stretches(clean):
        for at in range(start, end):
            if clean[at] not in "-\n ":
                shown[kept[at]] = MASK
    return "".join(shown)


def _stretches(text: str) -> list[tuple[int, int]]:
    """From where to where keys stand in a text, none over another."""
    found: list[tuple[int, int]] = []
    last, inside = 0, False
    for marker in _MARKER.finditer(text):
        ends_key = marker["word"].upper() == "END" and bool(marker["key"])
        if ends_key:
            # Where its BEGIN line is lost, whatever stands above is the key.
            found.append((last, marker.start()))
            inside = False
        elif inside:
            continue
        else:
            found += _bare_keys(text, last, marker.start())
            inside = bool(marker["key"])
        last = marker.end()
    return [*found, *([(last, len(text))] if inside else _bare_keys(text, last, len(text)))]


def _bare_keys(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """A key between other lines, without lines of its own or with false ones."""
    for found in _START.finditer(text, start, end):
        compact = "".join(found[0].split())
        if begins_a_key(base64.b64decode(compact[: len(compact) // 4 * 4])):
            return [(found.start(), end)]
    return []
