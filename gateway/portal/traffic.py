"""Requests and statuses of the last hour, as the Overview draws them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.models import ApplicationGateway, TrafficMinute

MINUTES = 60

# The drawing, in its own units: one column a minute, so that a pixel more or less is no matter.
WIDTH, HEIGHT = 600, 100
_COLUMN = WIDTH / MINUTES
_GAP = 2

# (name of the column of the row, what it is called), from the bottom of a bar to its top.
CLASSES = (
    ("s2xx", "2xx", "Success"),
    ("s3xx", "3xx", "Redirect"),
    ("s4xx", "4xx", "Refused"),
    ("s5xx", "5xx", "Failed"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a minute's column: ``kind`` is its class of statuses (``s2xx``)."""

    kind: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Minute:
    """What happened in one minute; ``counts`` in the order of :data:`CLASSES`."""

    at: datetime
    requests: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """The last hour. ``minutes`` are those with requests, newest first; ``most`` is the height of
    the tallest column in requests; ``totals`` are (name, word, count) by class."""

    since: datetime
    until: datetime
    requests: int
    totals: tuple[tuple[str, str, int], ...]
    most: int
    minutes: tuple[Minute, ...]
    bars: tuple[Bar, ...]


def traffic_of(gateway: ApplicationGateway, now: datetime) -> Traffic:
    """The requests of the 60 minutes that end with the one of ``now`` (one query)."""
    last = now.replace(second=0, microsecond=0)
    first = last - timedelta(minutes=MINUTES - 1)
    rows = TrafficMinute.objects.filter(gateway=gateway, minute__gte=first, minute__lte=last)
    minutes = [
        Minute(row.minute, row.requests, tuple(getattr(row, name) for name, *_ in CLASSES))
        for row in rows.order_by("minute")
        if row.requests
    ]
    most = max((one.requests for one in minutes), default=0)
    sums = [sum(one.counts[number] for one in minutes) for number in range(len(CLASSES))]
    return Traffic(
        since=first,
        until=last,
        requests=sum(one.requests for one in minutes),
        totals=tuple((name, word, sums[number]) for number, (_, name, word) in enumerate(CLASSES)),
        most=most,
        minutes=tuple(reversed(minutes)),
        bars=tuple(bar for one in minutes for bar in _bars(one, first, most)),
    )


def _bars(minute: Minute, first: datetime, most: int) -> Iterator[Bar]:
    x = (minute.at - first) / timedelta(minutes=1) * _COLUMN
    top = float(HEIGHT)
    for (kind, *_), count in zip(CLASSES, minute.counts, strict=True):
        if not count:
            continue
        height = count / most * HEIGHT
        top -= height
        yield Bar(kind, f"{x:g}", f"{top:.2f}", f"{_COLUMN - _GAP:g}", f"{height:.2f}")
