"""What the agent tells its portal: verdicts, endpoints, counted requests, lines of the access log.

The log is read as it grows and turned over when it is long. What the portal has not confirmed is
kept, within bounds, and sent again under the same id, so that nothing is counted twice.
"""

from __future__ import annotations

import math
import os
import re
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from gateway.dataplane.access import read_line
from gateway.dataplane.agent.admin import AdminError, ask, ask_json
from gateway.dataplane.agent.home import Home, put

KEPT_LINES = 1000  # lines of each gateway that wait for the portal at most
SENT_BYTES = 2 * 1024 * 1024  # of lines that one report carries
LONGEST_VALUE = 2000  # characters of one field of a line
KEPT_MINUTES = 24 * 60  # minutes of each gateway that wait
LONGEST_LOG = 32 * 1024 * 1024  # bytes after which the log is turned over
AT_ONCE = 8 * 1024 * 1024  # bytes that are read in one go
LONGEST_LINE = 64 * 1024
WHOLE_EVERY = 60.0  # seconds after which the portal is told of all gateways again
ENDPOINTS = 200  # servers of one gateway that are told

_FAILED = {"rq_total": 1, "rq_success": -1, "rq_active": -1}

_GATEWAY = re.compile(rb'"gateway":"?(\d{1,18})')
_STATUS = re.compile(rb'"httpStatus":"?(\d{3})')
_UNANSWERED = re.compile(rb'"unanswered":"(\d{3})')
_MINUTE = re.compile(rb'"timeStamp":"(\d{4}-\d\d-\d\dT\d\d:\d\d)')


@dataclass(slots=True)
class Log:
    """The access log, read to its end again and again."""

    home: Home
    _file: BinaryIO | None = None
    _next: BinaryIO | None = None
    _rest: bytes = b""

    def open_at_end(self) -> None:
        """Begin after what is there: what an earlier agent has read is not counted again."""
        path = self.home.access_log
        # Envoy would make it with wider permissions.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        self._file = path.open("rb")
        kept = self.home.path / "access.position"
        try:
            inode, position = (int(one) for one in kept.read_text().split())
        except (OSError, ValueError):
            inode, position = 0, 0
        facts = os.fstat(self._file.fileno())
        same = inode == facts.st_ino and position <= facts.st_size
        self._file.seek(position if same else 0, os.SEEK_SET if same else os.SEEK_END)

    def keep_position(self) -> None:
        """Remember how far the log was read and told."""
        if self._file is not None:
            place = f"{os.fstat(self._file.fileno()).st_ino} {self._file.tell() - len(self._rest)}"
            put(self.home.path / "access.position", place.encode())

    def lines(self) -> list[bytes]:
        """Whole lines that have come since the last call, at most :data:`AT_ONCE` bytes."""
        if self._file is None:
            return []
        text = self._rest + self._file.read(AT_ONCE)
        *lines, rest = text.split(b"\n")
        self._rest = rest if len(rest) <= LONGEST_LINE else b""
        if not lines and self._next is not None:
            self._file.close()
            self._file, self._next, self._rest = self._next, None, b""
        elif self._next is None and self._file.tell() > LONGEST_LOG:
            self._turn_over()
        return lines

    def _turn_over(self) -> None:
        """Let Envoy begin a new file; the old one is read to its end first."""
        path = self.home.access_log
        path.replace(path.with_suffix(".log.1"))
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        with suppress(AdminError):
            ask(self.home.admin, "/reopen_logs", method="POST")
        self._next = path.open("rb")


@dataclass(slots=True)
class Traffic:
    """Counts by gateway and minute, and the newest lines of each gateway."""

    counts: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    lines: dict[int, deque[bytes]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=KEPT_LINES))
    )

    def take_in(self, lines: list[bytes]) -> None:
        for line in lines:
            gateway = _GATEWAY.search(line)
            # Without a status the client left before there was an answer.
            status = _STATUS.search(line) or _UNANSWERED.search(line)
            minute = _MINUTE.search(line)
            if gateway is None or minute is None:
                continue
            code = int(status[1]) if status else 0
            key = int(gateway[1]), minute[1].decode()
            row = self.counts.setdefault(key, [0, 0, 0, 0, 0])
            row[0] += 1
            if 200 <= code <= 599:
                row[code // 100 - 1] += 1
            self.lines[key[0]].append(line)
        while len(self.counts) > KEPT_MINUTES:
            del self.counts[min(self.counts, key=lambda key: key[1])]

    def hand_over(self) -> dict[str, Any]:
        """The next part of a report; what is in it is forgotten here."""
        traffic = [
            {
                "gateway": gateway,
                "minute": minute,
                "requests": row[0],
                **{f"s{hundred + 1}xx": row[hundred] for hundred in range(1, 5)},
            }
            for (gateway, minute), row in self.counts.items()
        ]
        self.counts = {}
        access, room = [], SENT_BYTES
        for gateway, waiting in self.lines.items():
            while waiting and room > 0:
                line = _clipped(waiting.popleft())
                if line is not None:
                    access.append({"gateway": gateway, "line": line})
                    room -= sum(len(str(value)) + 20 for value in line.values())
        return {"traffic": traffic, "access": access}

    def __bool__(self) -> bool:
        return bool(self.counts) or any(self.lines.values())


def _clipped(line: bytes) -> dict[str, Any] | None:
    """A line with no field longer than :data:`LONGEST_VALUE`; ``None`` if it cannot be read."""
    found = read_line(line)
    if found is None:
        return None
    # What goes no further than the gateway is given its number here: no server was told one.
    found["transactionId"] = found.get("transactionId") or str(uuid.uuid4())
    return {
        key: value[:LONGEST_VALUE] if isinstance(value, str) else value
        for key, value in found.items()
    }


@dataclass(slots=True)
class Mail:
    """Reports on their way: one at a time, repeated under its id until it has arrived."""

    waiting: dict[str, Any] | None = None
    clock: Callable[[], float] = time.monotonic
    _sent: list[dict[str, Any]] = field(default_factory=list)
    # What the portal has been told of each gateway, and when it was told of all.
    _known: dict[int, dict[str, Any]] = field(default_factory=dict)
    _whole_at: float = -math.inf

    def next(self, content: dict[str, Any], traffic: Traffic) -> dict[str, Any]:
        """The report to send now. ``content`` is always the newest, traffic is never lost.

        Of gateways it has those of which the portal does not know yet what is so; all of them now
        and then, for it may have forgotten.
        """
        if self.waiting is None:
            self.waiting = {"id": uuid.uuid4().hex, **traffic.hand_over()}
        if self.clock() - self._whole_at >= WHOLE_EVERY:
            self._known = {}
        self._sent = content["gateways"]
        news = [one for one in self._sent if self._known.get(one["id"]) != one]
        return {**self.waiting, **content, "gateways": news}

    def arrived(self) -> None:
        if not self._known:
            self._whole_at = self.clock()
        self._known = {one["id"]: one for one in self._sent}
        self.waiting = None


def endpoints(home: Home, owners: dict[str, int]) -> dict[int, list[dict[str, Any]]]:
    """What Envoy thinks of the servers of each gateway; ``owners``: cluster → gateway."""
    try:
        told = ask_json(home.admin, "/clusters?format=json")
    except AdminError:
        return {}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for cluster in told.get("cluster_statuses", []):
        gateway = owners.get(str(cluster.get("name")))
        if gateway is None:
            continue
        for host in cluster.get("host_statuses", []):
            if len(found[gateway]) < ENDPOINTS:
                found[gateway].append(_endpoint(str(cluster["name"]), host))
    return dict(found)


def _endpoint(cluster: str, host: dict[str, Any]) -> dict[str, Any]:
    address = host.get("address", {}).get("socket_address", {})
    health = host.get("health_status", {})
    figures = {str(one.get("name")): int(one.get("value", 0)) for one in host.get("stats", [])}
    failed = sum(sign * figures.get(name, 0) for name, sign in _FAILED.items())
    return {
        "cluster": cluster,
        "address": f"{address.get('address', '')}:{address.get('port_value', '')}",
        "healthy": health.get("eds_health_status") in (None, "HEALTHY")
        and not health.get("failed_outlier_check"),
        "requests": figures.get("rq_total", 0),
        # Answers of 500 and more are counted by what is left: the engine's own count of them comes
        # only with its counters by status, which cost each request as much as a guard.
        "errors": max(failed, 0) + figures.get("cx_connect_fail", 0),
    }
