"""How messages name things."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.models import ApplicationGateway, Child, PathRule, Row
from gateway.problems import Kind, Problem, at


def called(row: Row) -> str:
    """“Listener “x””, for the beginning of a sentence."""
    if isinstance(row, ApplicationGateway):
        return f"Gateway “{row.name}”"
    noun = str(getattr(row, "noun", "") or getattr(row, "label", "") or row._meta.verbose_name)
    return f"{noun[0].upper()}{noun[1:]} “{getattr(row, 'name', '')}”"


def named(row: Child) -> str:
    """“listener “x””, for the middle of a sentence."""
    return f"{row.noun} “{row.name}”"


def about(kind: Kind, row: Row, message: str, field: str = "") -> Problem:
    """A problem of a child (or of the gateway itself) at one of its fields."""
    if isinstance(row, Child):
        return at(kind, message, row.collection, row.name, field)
    if isinstance(row, PathRule):
        return at(kind, message, row.collection, f"{row.path_map.name}/{row.name}", field)
    return at(kind, message, field=field)


def listed(words: Iterable[str], most: int = 5) -> str:
    """“a, b and c”; the rest of a long list is counted."""
    all_words: Sequence[str] = list(words)
    if len(all_words) > most:
        return f"{', '.join(all_words[:most])} and {len(all_words) - most} more"
    if len(all_words) < 2:
        return "".join(all_words)
    return f"{', '.join(all_words[:-1])} and {all_words[-1]}"


def quoted(words: Iterable[str], most: int = 5) -> str:
    return listed((f"“{word}”" for word in words), most)


def texts(value: object) -> list[str]:
    """The texts of a JSON list; anything else counts as none, :mod:`fields` has told of it."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
