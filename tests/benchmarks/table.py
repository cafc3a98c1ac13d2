"""The table that ``./run bench`` prints."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field


def median_ms(work: Callable[[], object], rounds: int = 7) -> float:
    """The median time of one call, in milliseconds, after one call to warm up."""
    work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


@dataclass
class Table:
    """Rows of (what, figures by column), printed when all is measured."""

    rows: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def add(self, what: str, **figures: str) -> None:
        self.rows.append((what, figures))
        print(f"  {what} …", flush=True)

    def print(self) -> None:
        columns = list(dict.fromkeys(name for _, figures in self.rows for name in figures))
        widths = {
            name: max(len(name), *(len(figures.get(name, "")) for _, figures in self.rows))
            for name in columns
        }
        first = max(len(what) for what, _ in self.rows)
        print(" " * first, *(name.rjust(widths[name]) for name in columns), sep="  ")
        for what, figures in self.rows:
            cells = (figures.get(name, "").rjust(widths[name]) for name in columns)
            print(what.ljust(first), *cells, sep="  ")
