"""The vocabulary of the tables: what a member of an ARM document is, and which column it fills.

A table is a :class:`Shape`: the members of one item. The reader and the writer walk the same
tables, so a member is declared once and goes both ways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import Any

from django.db import models

from gateway.models import LoadedGateway


class Kind(IntEnum):
    """How a member is read and written."""

    # Numbers, because they are looked up for each member of each row.
    TEXT = auto()
    NUMBER = auto()
    FLAG = auto()
    CHOICE = auto()  # one of ``choices``, whatever its case
    TEXTS = auto()  # a list of strings, canonical by ``choices`` where they are given
    REFERENCE = auto()  # {id} of a child of the same gateway
    REFERENCES = auto()  # [{id}], stored as ordered link rows
    EXTERNAL = auto()  # {id} of another resource
    GROUP = auto()  # an object whose members are columns of the same row
    STRUCTURE = auto()  # an object kept as JSON in one column
    STRUCTURES = auto()  # a list of such objects
    ITEMS = auto()  # a list of rows of their own
    FILE = auto()  # Base-64 of a file as it was sent; returned verbatim
    SECRET_FILE = auto()  # write-only
    SECRET = auto()  # write-only
    COMPUTED = auto()  # read-only, made from the loaded gateway
    IGNORED = auto()  # read-only, never answered here
    KEPT = auto()  # exists, is not modelled: kept as it came


Compute = Callable[[LoadedGateway, Any], Any]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an ARM object.

    ``field`` is the model's field (for links and items the related name), ``target`` the
    collection that a reference leads to, ``of`` the shape of an item or of a structure,
    ``members`` those of a group, ``presence`` the column that records that a group was given at
    all. ``closed`` says that a choice outside ``choices`` is an error; otherwise it passes and
    the rules judge it. ``always`` answers an empty list too. A ``quiet`` kept member is kept
    without a warning, because nobody would expect it to do anything.
    """

    json: str
    kind: Kind
    field: str = ""
    choices: tuple[str, ...] = ()
    closed: bool = True
    target: str = ""
    of: Shape | None = None
    members: tuple[Member, ...] = ()
    presence: str = ""
    required: bool = False
    always: bool = False
    quiet: bool = False
    compute: Compute | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """One type of item.

    ``model`` is missing for structures that live in a JSON column. ``wrapped`` items carry their
    members in ``properties`` beside ``name`` and ``id``; ``named`` items have a name.
    ``generation`` names the only one that the cloud answers the collection for.
    ``link`` is, for rows of their own below a child, the field that leads to the owner.
    """

    collection: str
    members: tuple[Member, ...]
    model: type[models.Model] | None = None
    wrapped: bool = True
    named: bool = True
    generation: str = ""
    link: str = ""
    noun: str = ""
    by_json: dict[str, Member] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_json", index(self.members))


def index(members: tuple[Member, ...]) -> dict[str, Member]:
    """Members by their lower-case JSON name."""
    return {member.json.lower(): member for member in members}


def text(json: str, field: str) -> Member:
    return Member(json, Kind.TEXT, field)


def number(json: str, field: str, *, required: bool = False) -> Member:
    return Member(json, Kind.NUMBER, field, required=required)


def flag(json: str, field: str) -> Member:
    return Member(json, Kind.FLAG, field)


def choice(
    json: str,
    field: str,
    choices: type[models.TextChoices] | tuple[str, ...],
    *,
    closed: bool = True,
    required: bool = False,
) -> Member:
    values = choices if isinstance(choices, tuple) else tuple(choices.values)
    return Member(json, Kind.CHOICE, field, choices=values, closed=closed, required=required)


def texts(json: str, field: str, choices: tuple[str, ...] = (), *, always: bool = False) -> Member:
    return Member(json, Kind.TEXTS, field, choices=choices, closed=False, always=always)


def reference(json: str, field: str, target: str) -> Member:
    return Member(json, Kind.REFERENCE, field, target=target)


def references(json: str, field: str, target: str) -> Member:
    return Member(json, Kind.REFERENCES, field, target=target)


def external(json: str, field: str, target: str) -> Member:
    """A reference to a resource of type ``target`` (``virtualNetworks/subnets``)."""
    return Member(json, Kind.EXTERNAL, field, target=target)


def group(json: str, *members: Member, presence: str = "", required: bool = False) -> Member:
    return Member(json, Kind.GROUP, members=members, presence=presence, required=required)


def structure(json: str, field: str, of: Shape) -> Member:
    return Member(json, Kind.STRUCTURE, field, of=of)


def structures(json: str, field: str, of: Shape) -> Member:
    return Member(json, Kind.STRUCTURES, field, of=of)


def items(json: str, field: str, of: Shape, *, always: bool = False) -> Member:
    return Member(json, Kind.ITEMS, field, of=of, always=always)


def computed(json: str, compute: Compute) -> Member:
    return Member(json, Kind.COMPUTED, compute=compute)


def ignored(*names: str) -> tuple[Member, ...]:
    return tuple(Member(name, Kind.IGNORED) for name in names)


def kept(*names: str, quiet: bool = False) -> tuple[Member, ...]:
    return tuple(Member(name, Kind.KEPT, quiet=quiet) for name in names)
