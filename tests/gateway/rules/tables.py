"""A table of mistakes: each makes one gateway (or row) and names the problem it must raise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.models import ApplicationGateway, Row
from gateway.problems import DEFAULT_ARM_CODE

Mistake = Callable[[], ApplicationGateway | Row]


@dataclass(frozen=True)
class Case:
    """``also`` are errors that come along; ``says`` are words of the message."""

    kind: str
    target: tuple[str, str, str]
    make: Mistake
    says: tuple[str, ...] = ()
    also: frozenset[str] = frozenset()
    code: str = DEFAULT_ARM_CODE

    def __str__(self) -> str:
        return self.make.__name__


CASES: list[Case] = []


def raises(
    kind: str,
    collection: str = "",
    name: str = "",
    field: str = "",
    *,
    says: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
    code: str = DEFAULT_ARM_CODE,
) -> Callable[[Mistake], Mistake]:
    """Enter a mistake into the table."""

    def enter(make: Mistake) -> Mistake:
        CASES.append(Case(kind, (collection, name, field), make, says, frozenset(also), code))
        return make

    return enter
