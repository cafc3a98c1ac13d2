"""A reader of ASN.1 tags and lengths (DER, and the BER that real P7B and PFX files use).

It looks at the outside of a structure without decoding it: what a file is, where the names of a
certificate are, how much work a PFX asks for. It never follows a length past the end of its input,
and it stops where a structure has more parts or more levels than any real file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31
CONTEXT_0 = 0xA0

MAX_DEPTH = 24
MAX_PARTS = 1_000
"""Elements side by side in one container; real files have a few, a P7B some dozens."""

MAX_OPEN_PARTS = 4_000
"""Elements inside containers whose end is found by looking for it, all levels together."""

_END_OF_CONTENTS = b"\x00\x00"


class Asn1Error(ValueError):
    """The bytes are not ASN.1."""


class Asn1CutOff(Asn1Error):
    """The bytes end before the structure does."""


class Asn1TooMany(Asn1Error):
    """The structure has more elements than this module is willing to look at."""


@dataclass(frozen=True, slots=True)
class Node:
    """One element: ``tag`` is the identifier octet, ``content`` the inside, ``raw`` all of it."""

    tag: int
    content: bytes
    raw: bytes

    @property
    def is_constructed(self) -> bool:
        return bool(self.tag & 0x20)

    def children(self) -> list[Node]:
        """The elements inside, :data:`MAX_PARTS` at most; raises :class:`Asn1TooMany` if there are
        more and :class:`Asn1Error` if the content is not a list of elements."""
        found = self.first(MAX_PARTS + 1)
        if len(found) > MAX_PARTS:
            raise Asn1TooMany("The structure has too many parts.")
        return found

    def first(self, count: int) -> list[Node]:
        """The first ``count`` elements inside; raises :class:`Asn1Error` as :func:`read`."""
        return list(islice(read_all(self.content), count))

    def octets(self) -> bytes:
        """The value of an OCTET STRING, joined where BER split it into pieces."""
        if not self.is_constructed:
            return self.content
        return b"".join(piece.content for piece in self.children())


def read(data: bytes, start: int = 0) -> Node:
    """The element that begins at ``start``.

    Raises :class:`Asn1CutOff` if ``data`` ends too early, :class:`Asn1TooMany` if too much is in
    it, and :class:`Asn1Error` if it is not ASN.1.
    """
    tag, body, end, after = _extent(data, start, 0, iter(range(MAX_OPEN_PARTS)))
    return Node(tag, data[body:end], data[start:after])


def read_all(data: bytes) -> Iterator[Node]:
    """The elements of ``data`` one after the other; raises :class:`Asn1Error` as :func:`read`."""
    position = 0
    while position < len(data):
        node = read(data, position)
        yield node
        position += len(node.raw)


def integer(node: Node) -> int:
    """The value of an INTEGER; raises :class:`Asn1Error` for another tag."""
    if node.tag != INTEGER:
        raise Asn1Error("A number was expected.")
    return int.from_bytes(node.content, "big", signed=True)


def oid(node: Node) -> str:
    """The dotted form of an OBJECT IDENTIFIER; raises :class:`Asn1Error` for another tag."""
    if node.tag != OBJECT_IDENTIFIER or not node.content or len(node.content) > 64:
        raise Asn1Error("An object identifier was expected.")
    numbers: list[int] = []
    value = 0
    for octet in node.content:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    if not numbers:
        raise Asn1Error("The object identifier does not end.")
    first = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))


def _extent(
    data: bytes, start: int, depth: int, budget: Iterator[int]
) -> tuple[int, int, int, int]:
    """(tag, start and end of the content, where the next element begins)."""
    if depth > MAX_DEPTH:
        raise Asn1Error("The structure is nested too deeply.")
    if next(budget, None) is None:
        raise Asn1TooMany("The structure has too many parts.")
    tag, body, length = _header(data, start)
    if length is not None:
        end = body + length
        if end > len(data):
            raise Asn1CutOff("The structure is longer than the data.")
        return tag, body, end, end
    position = body
    while data[position : position + 2] != _END_OF_CONTENTS:
        position = _extent(data, position, depth + 1, budget)[3]
    return tag, body, position, position + 2


def _header(data: bytes, start: int) -> tuple[int, int, int | None]:
    """(tag, start of the content, its length or ``None`` where an end marker closes it)."""
    if start + 2 > len(data):
        raise Asn1CutOff("The structure ends before its length.")
    tag, first = data[start], data[start + 1]
    if tag & 0x1F == 0x1F or tag == 0:
        raise Asn1Error("The tag is not one that certificate files use.")
    body = start + 2
    if first < 0x80:
        return tag, body, first
    if first == 0x80:
        if not tag & 0x20:
            raise Asn1Error("Only a container may have an open end.")
        return tag, body, None
    size = first & 0x7F
    if size > 4:
        raise Asn1Error("The length is out of any reason.")
    if body + size > len(data):
        raise Asn1CutOff("The structure ends inside its length.")
    return tag, body + size, int.from_bytes(data[body : body + size], "big")
