"""Taking in what an agent reports: checked, bounded, counted once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.dateparse import parse_datetime

from gateway.agents.bundles import gateways_of
from gateway.models import AccessLogLine, Agent, AgentState, ListenerState, TrafficMinute
from gateway.network.servers import servers_of

KEPT_LINES = 1000
KEPT_MINUTES = timedelta(days=7)
_LONGEST_REASON = 2000
_LONGEST_VALUE = 2000
_MOST_ENDPOINTS = 200
_CLASSES = ("s2xx", "s3xx", "s4xx", "s5xx")
_STATES = frozenset(ListenerState.State.values)


class BadReportError(ValueError):
    """What was sent is no report; nothing of it was taken in."""


@dataclass(frozen=True, slots=True)
class Minute:
    gateway: int
    minute: datetime
    counts: dict[str, int]


def take_in(agent: Agent, report: Any, *, now: datetime) -> None:
    """Store a report; raises :class:`BadReportError`.

    What it says of gateways that the agent does not carry is left out: they may have been deleted
    or taken from it meanwhile.
    """
    states, listeners, minutes, lines = _read(report, now)
    carried = set(gateways_of(agent).values_list("pk", flat=True))
    token = str(report["id"])[:40]
    with transaction.atomic():
        # Two reports of one agent are taken in one after the other.
        locked = Agent.objects.select_for_update().get(pk=agent.pk)
        locked.last_seen_at, locked.engine = now, str(report.get("engine", ""))[:80]
        is_new, locked.last_report = locked.last_report != token, token
        locked.save(update_fields=["last_seen_at", "engine", "last_report"])
        _store_states(locked, [one for one in states if one.gateway_id in carried])
        _store_listeners(
            locked, [one for one in listeners if one.gateway_id in carried], states, carried
        )
        if is_new:
            _count(one for one in minutes if one.gateway in carried)
            _keep_lines([one for one in lines if one.gateway_id in carried])


def _read(
    report: Any, now: datetime
) -> tuple[list[AgentState], list[ListenerState], list[Minute], list[AccessLogLine]]:
    try:
        states, listeners = [], []
        for row in report["gateways"]:
            gateway = _whole(row["id"])
            states.append(_state(gateway, row, now))
            listeners += [_listener(gateway, one, now) for one in row["listeners"]]
        minutes = [_minute(row) for row in report["traffic"]]
        lines = [_line(row, now) for row in report["access"]]
        _ = report["id"]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadReportError("The report does not have the shape of one.") from error
    return states, listeners, minutes, lines


def _state(gateway: int, row: dict[str, Any], now: datetime) -> AgentState:
    accepted = row["accepted"]
    if accepted not in (True, False, None):
        raise ValueError(accepted)
    return AgentState(
        gateway_id=gateway,
        generation=_whole(row["generation"]),
        digest=_text(row["digest"], 64),
        accepted=accepted,
        reason=_text(row["reason"], _LONGEST_REASON),
        endpoints=[_endpoint(one) for one in list(row.get("endpoints", []))[:_MOST_ENDPOINTS]],
        at=now,
    )


def _endpoint(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "cluster": _text(row["cluster"], 200),
        "address": _text(row["address"], 80),
        "healthy": bool(row["healthy"]),
        "requests": _whole(row["requests"]),
        "errors": _whole(row["errors"]),
    }


def _listener(gateway: int, row: dict[str, Any], now: datetime) -> ListenerState:
    if row["state"] not in _STATES:
        raise ValueError(row["state"])
    return ListenerState(
        gateway_id=gateway,
        listener=_text(row["name"], 80),
        state=row["state"],
        reason=_text(row["reason"], _LONGEST_REASON),
        at=now,
    )


def _minute(row: dict[str, Any]) -> Minute:
    minute = parse_datetime(f"{row['minute']}:00+00:00")
    if minute is None:
        raise ValueError(row["minute"])
    counts = {name: _whole(row[name]) for name in ("requests", *_CLASSES)}
    return Minute(_whole(row["gateway"]), minute, counts)


def _line(row: dict[str, Any], now: datetime) -> AccessLogLine:
    line = {
        _text(key, 80): _text(value, _LONGEST_VALUE) if isinstance(value, str) else value
        for key, value in row["line"].items()
        if value is None or isinstance(value, str | int | float | bool)
    }
    told = line.get("timeStamp")
    at = parse_datetime(told) if isinstance(told, str) else None
    if at is None or at.tzinfo is None:
        at = now
    return AccessLogLine(gateway_id=_whole(row["gateway"]), at=at, line=line)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError(value)
    return value


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    # PostgreSQL takes no NUL, and no half of a surrogate pair can be written.
    return value.replace("\0", "�").encode(errors="replace").decode()[:most]


def _store_states(agent: Agent, rows: list[AgentState]) -> None:
    for row in rows:
        row.agent = agent
    AgentState.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["agent", "gateway"],
        update_fields=["generation", "digest", "accepted", "reason", "endpoints", "at"],
    )


def _store_listeners(
    agent: Agent, rows: list[ListenerState], states: list[AgentState], carried: set[int]
) -> None:
    """Each gateway's listeners as they are now; those that are gone are deleted."""
    for row in rows:
        row.agent = agent
    told = {(row.gateway_id, row.listener): row for row in rows}
    ListenerState.objects.bulk_create(
        told.values(),
        update_conflicts=True,
        unique_fields=["agent", "gateway", "listener"],
        update_fields=["state", "reason", "at"],
    )
    gateways = {state.gateway_id for state in states} & carried
    present = ListenerState.objects.filter(agent=agent, gateway__in=gateways)
    gone = [
        pk
        for pk, gateway, name in present.values_list("pk", "gateway_id", "listener")
        if (gateway, name) not in told
    ]
    if gone:
        ListenerState.objects.filter(pk__in=gone).delete()


def _count(minutes: Iterable[Minute]) -> None:
    for one in minutes:
        row, is_new = TrafficMinute.objects.get_or_create(
            gateway_id=one.gateway, minute=one.minute, defaults=one.counts
        )
        if is_new:
            oldest = one.minute - KEPT_MINUTES
            TrafficMinute.objects.filter(gateway_id=one.gateway, minute__lt=oldest).delete()
        else:
            sums = {name: F(name) + count for name, count in one.counts.items()}
            TrafficMinute.objects.filter(pk=row.pk).update(**sums)


def _name_servers(lines: list[AccessLogLine]) -> None:
    """Write down now which servers were asked: the lab's real endpoints change with each start."""
    for gateway in {line.gateway_id for line in lines}:
        own = [(line, _dialed(line)) for line in lines if line.gateway_id == gateway]
        known = servers_of(gateway, {dialed for _, dialed in own})
        for line, dialed in own:
            line.line.pop("serverName", None)
            if dialed in known:
                line.line["serverName"] = known[dialed]


def _dialed(line: AccessLogLine) -> tuple[str, str]:
    return str(line.line.get("serverRouted") or ""), str(line.line.get("backendPoolName") or "")


def _keep_lines(lines: list[AccessLogLine]) -> None:
    _name_servers(lines)
    AccessLogLine.objects.bulk_create(lines, batch_size=200)
    for gateway in {line.gateway_id for line in lines}:
        kept = AccessLogLine.objects.filter(gateway_id=gateway).order_by("-pk")
        last = kept.values_list("pk", flat=True)[KEPT_LINES : KEPT_LINES + 1].first()
        if last is not None:
            AccessLogLine.objects.filter(gateway_id=gateway, pk__lte=last).delete()
