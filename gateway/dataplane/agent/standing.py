"""What became of each gateway, as the agent knows it; shared by its threads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.dataplane.agent.apply import Applied


@dataclass(slots=True)
class Standing:
    """The gateways of the bundle in place with Envoy's verdict on each."""

    gateways: list[dict[str, Any]] = field(default_factory=list)
    owners: dict[str, int] = field(default_factory=dict)
    news: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, bundle: Mapping[str, Any], applied: Applied | None) -> None:
        """Take in a verdict; ``None`` means that Envoy has not said anything yet.

        What it said of a gateway that has not changed since then still stands.
        """
        rows = [_row(one, applied) for one in bundle.get("gateways", [])]
        if applied is None:
            with self._lock:
                judged = {_version(row): row for row in self.gateways if row["accepted"]}
            rows = [judged.get(_version(row), row) for row in rows]
        owners = {
            str(cluster): int(one["id"])
            for one in bundle.get("gateways", [])
            for cluster in one["clusters"]
        }
        with self._lock:
            self.gateways, self.owners = rows, owners
        self.news.set()

    def told(self) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(one) for one in self.gateways]

    def clusters(self) -> dict[str, int]:
        with self._lock:
            return dict(self.owners)


def _version(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["id"], row["generation"], row["digest"]


def _row(gateway: Mapping[str, Any], applied: Applied | None) -> dict[str, Any]:
    listeners = []
    reasons: dict[str, None] = {}
    for owner, names in gateway["listeners"].items():
        reason = applied.refused_listeners.get(owner, "") if applied else ""
        state = "warming" if applied is None else "refused" if reason else "live"
        if reason:
            reasons[reason] = None
        listeners += [{"name": name, "state": state, "reason": reason} for name in names]
    if applied:
        for cluster in gateway["clusters"]:
            if cluster in applied.refused_clusters:
                reasons[applied.refused_clusters[cluster]] = None
    fault = str(gateway.get("fault", ""))
    if fault:
        reasons[fault] = None
    return {
        "id": gateway["id"],
        "generation": gateway["generation"],
        "digest": gateway["digest"],
        "accepted": None if applied is None else not reasons,
        "reason": " ".join(reasons),
        "listeners": listeners,
    }
