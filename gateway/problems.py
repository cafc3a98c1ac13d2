"""Problems of a gateway: the certificate rooms' value plus an ARM code and a target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from certificates.x509 import problems as x509
from certificates.x509.problems import KINDS, Kind, Severity

__all__ = ["KINDS", "Kind", "Problem", "Target", "arm_code", "at", "declare", "errors", "warnings"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a problem is about.

    ``collection`` is the ARM name of a child collection (``httpListeners``) or empty for the
    resource itself, ``name`` the child's name, ``field`` the model's field name or empty.
    """

    collection: str = ""
    name: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(x509.Problem):
    """One problem of a resource, with the place it belongs to."""

    target: Target = field(default_factory=Target)

    @property
    def arm_code(self) -> str:
        return arm_code(self.kind.id, self.target.collection)


_ARM_CODES: dict[tuple[str, str], str] = {}
DEFAULT_ARM_CODE = "InvalidRequestContent"


def arm_code(kind_id: str, collection: str = "") -> str:
    """The cloud's error code for a kind, where one is evidenced; else a general one."""
    return (
        _ARM_CODES.get((kind_id, collection)) or _ARM_CODES.get((kind_id, "")) or DEFAULT_ARM_CODE
    )


def evidenced(kind_id: str, code: str, *, collection: str = "") -> None:
    """Record the code that the cloud answers for a kind (on one collection, if given)."""
    _ARM_CODES[(kind_id, collection)] = code


def declare(
    id: str,
    *,
    severity: Severity = "error",
    title: str,
    why: str,
    remedy: str,
    source: str = "",
    arm_code: str = "",
) -> Kind:
    """Declare a kind of problem of a gateway; raises ``ValueError`` if the id is taken."""
    kind = x509.declare(id, severity=severity, title=title, why=why, remedy=remedy, source=source)
    if arm_code:
        evidenced(id, arm_code)
    return kind


def at(kind: Kind, message: str, collection: str = "", name: str = "", field: str = "") -> Problem:
    """One occurrence of ``kind`` at a child and a field."""
    return Problem(kind=kind, message=message, target=Target(collection, name, field))


def errors(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def warnings(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "warning"]
