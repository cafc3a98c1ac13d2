"""What was found about a pair over time: like results in a row are one period.

Kept as JSON beside the verdict, so that a result costs no query more, and bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

# How many periods of one pair are kept; the oldest go first.
MOST_PERIODS = 50


@dataclass(frozen=True, slots=True)
class Period:
    """``probes`` results of one kind in a row, the first at ``since``, the last at ``until``.

    ``status`` is the verdict that stood, ``error_id`` what the probes found (empty for success):
    a healthy server may have failed a probe or two. ``ms`` is the time that the last probe took,
    ``slowest`` the longest of them, in milliseconds.
    """

    status: str
    error_id: str
    since: datetime
    until: datetime
    probes: int
    ms: float
    slowest: float


def noted(
    history: list[dict[str, Any]], status: str, error_id: str, ms: float, at: datetime
) -> list[dict[str, Any]]:
    """``history`` with one more result; a new list of at most :data:`MOST_PERIODS`."""
    moment = at.isoformat()
    if history and (history[-1]["status"], history[-1]["error_id"]) == (status, error_id):
        last = history[-1]
        same = {
            **last,
            "until": moment,
            "probes": last["probes"] + 1,
            "ms": ms,
            "slowest": max(ms, last["slowest"]),
        }
        return [*history[:-1], same]
    new = {
        "status": status,
        "error_id": error_id,
        "since": moment,
        "until": moment,
        "probes": 1,
        "ms": ms,
        "slowest": ms,
    }
    return [*history[-MOST_PERIODS + 1 :], new]


def periods(history: list[dict[str, Any]]) -> tuple[Period, ...]:
    """The periods that :func:`noted` wrote, newest first."""
    return tuple(
        Period(
            status=one["status"],
            error_id=one["error_id"],
            since=datetime.fromisoformat(one["since"]),
            until=datetime.fromisoformat(one["until"]),
            probes=one["probes"],
            ms=one["ms"],
            slowest=one["slowest"],
        )
        for one in reversed(history)
    )
