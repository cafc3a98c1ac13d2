"""Problems as values: what is wrong, with which thing, why, and what to do about it.

A :class:`Kind` is declared once and has a help page; a :class:`Problem` is one occurrence of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One cause that can be reported.

    ``id`` is a kebab-case noun (health causes keep their ``E-``/``U-`` ids), ``why`` says what is
    behind it, ``remedy`` what to do, ``source`` the public document that the rule comes from. The
    severity ``info`` is for what is good to know and needs nothing done.
    """

    id: str
    severity: Severity
    title: str
    why: str
    remedy: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One occurrence of a kind; ``message`` is a sentence that names the thing at fault."""

    kind: Kind
    message: str

    @property
    def id(self) -> str:
        return self.kind.id

    @property
    def severity(self) -> Severity:
        return self.kind.severity

    @property
    def remedy(self) -> str:
        return self.kind.remedy

    @property
    def source(self) -> str:
        return self.kind.source

    @property
    def is_error(self) -> bool:
        return self.kind.severity == "error"


KINDS: dict[str, Kind] = {}


def declare(
    id: str,
    *,
    severity: Severity = "error",
    title: str,
    why: str,
    remedy: str,
    source: str = "",
) -> Kind:
    """Declare a kind; raises ``ValueError`` if the id is taken."""
    if id in KINDS:
        raise ValueError(f"Problem {id!r} is declared twice.")
    kind = Kind(id=id, severity=severity, title=title, why=why, remedy=remedy, source=source)
    KINDS[id] = kind
    return kind


class ProblemError(Exception):
    """Raised inside the certificate rooms to carry a problem to the function that reports it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem
