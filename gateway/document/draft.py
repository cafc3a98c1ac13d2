"""What a document asks for, as plain values: nothing of it has been judged or stored yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway.document.ids import ResourceId
from gateway.problems import Problem


@dataclass(frozen=True, slots=True)
class Reference:
    """A child of the same gateway, by name; the name's case is not reliable."""

    collection: str
    name: str


@dataclass(frozen=True, slots=True)
class External:
    """Another resource: its parsed id and the text that it was read from."""

    id: ResourceId
    text: str


@dataclass(slots=True)
class Upload:
    """A file and its password. Neither is ever shown."""

    data: bytes | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class ChildDraft:
    """One item of a list.

    ``values`` has an entry for every column of the table, with its default where the document is
    silent; ``references`` and ``externals`` hold ``None`` for a reference that is not set.
    ``links`` and ``items`` are by related name. ``path`` is the place in the document.
    """

    collection: str
    name: str
    path: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    references: dict[str, Reference | None] = field(default_factory=dict)
    externals: dict[str, External | None] = field(default_factory=dict)
    links: dict[str, list[Reference]] = field(default_factory=dict)
    items: dict[str, list[ChildDraft]] = field(default_factory=dict)
    upload: Upload = field(default_factory=Upload)
    opaque: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """A whole gateway as its document asks for it.

    ``gateway`` holds the columns and error pages of the gateway itself; ``location`` and
    ``tags`` are ``None`` where the document is silent. ``collections`` has every child
    collection, in the order of the document.
    """

    gateway: ChildDraft
    location: str | None = None
    tags: dict[str, str] | None = None
    collections: dict[str, list[ChildDraft]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
