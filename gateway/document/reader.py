"""What the readers of members share: the problems found, the place, the defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from gateway.document import kinds
from gateway.document.bounds import join
from gateway.document.draft import ChildDraft
from gateway.document.shapes import Kind, Member, Shape
from gateway.problems import Kind as ProblemKind
from gateway.problems import Problem, Target, at

MAX_PROBLEMS = 100


@dataclass(slots=True)
class Reader:
    """What holds for the whole document. ``gateway_ids`` are lower-case and stand for itself."""

    gateway_ids: tuple[str, ...]
    strict: bool
    problems: list[Problem] = field(default_factory=list)

    def say(self, kind: ProblemKind, message: str, target: Target) -> None:
        # A hostile document could hold a problem in each of its hundred thousand values.
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(
                at(kind, message, target.collection, target.name[:200], target.field)
            )


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the reader is: the object's path, who is blamed, and what the defaults come from."""

    path: str
    target: Target
    shape: Shape

    def field(self, name: str) -> Target:
        # Items without a collection of their own are reported at the member of their owner.
        return (
            self.target
            if self.target.field
            else Target(self.target.collection, self.target.name, name)
        )


def by_name(reader: Reader, value: dict[str, Any], spot: Spot) -> dict[str, tuple[str, Any]]:
    """Members by lower-case name as (name as written, value), without nulls."""
    found: dict[str, tuple[str, Any]] = {}
    for name, item in value.items():
        key = name.lower()
        if key in found:
            reader.say(
                kinds.DUPLICATE_MEMBER, f"{join(spot.path, name)} is given twice.", spot.target
            )
        elif item is not None:
            found[key] = (name, item)
    return found


def unknown(reader: Reader, path: str, target: Target) -> None:
    if reader.strict:
        reader.say(kinds.UNKNOWN, f"{path} is not a member of an application gateway.", target)
    else:
        reader.say(kinds.PASSED_OVER, f"{path} is not known here and was passed over.", target)


@dataclass(frozen=True, slots=True)
class Place:
    """The member at hand: where its object is, and its name as written."""

    spot: Spot
    name: str
    keep: dict[str, Any]

    @property
    def path(self) -> str:
        return join(self.spot.path, self.name)


def default(member: Member, draft: ChildDraft, model: type[models.Model] | None) -> None:
    """Give a member that is not there the value that the column has by itself."""
    if model is None:
        return
    if member.kind is Kind.REFERENCE:
        draft.references[member.field] = None
    elif member.kind is Kind.EXTERNAL:
        draft.externals[member.field] = None
    elif member.kind is Kind.REFERENCES:
        draft.links[member.field] = []
    elif member.kind is Kind.ITEMS:
        draft.items[member.field] = []
    elif member.kind is Kind.GROUP:
        if member.presence:
            draft.values[member.presence] = False
        for inner in member.members:
            default(inner, draft, model)
    elif member.field and member.kind not in (Kind.FILE, Kind.SECRET_FILE, Kind.SECRET):
        draft.values[member.field] = default_of(model, member.field)


def default_of(model: type[models.Model], name: str) -> Any:
    column = _column(model, name)
    return column.get_default() if column is not None else None


@cache
def _column(model: type[models.Model], name: str) -> models.Field[Any, Any] | None:
    try:
        column = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return column if isinstance(column, models.Field) else None


def wrong(reader: Reader, member: Member, place: Place, wanted: str) -> None:
    reader.say(kinds.TYPE_WRONG, f"{place.path} must be {wanted}.", place.spot.field(member.field))
