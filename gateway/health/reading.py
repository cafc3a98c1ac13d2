"""Verdicts as pages and reports show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.health.catalogue import HEALTH_KINDS
from gateway.models import ApplicationGateway, HealthPlan, Verdict
from gateway.problems import Kind


@dataclass(frozen=True, slots=True)
class HealthRow:
    """One server through one HTTP setting.

    ``server`` is the FQDN or IP address in the pool, ``port`` and ``protocol`` are the setting's;
    ``kind`` is ``None`` for a healthy server; ``rechecking`` says that a save made the verdict
    old and that a new one is on its way; ``evidence`` is what :mod:`gateway.health.judge` wrote.
    """

    pk: int
    address_id: int
    settings_id: int
    server: str
    pool: str
    setting: str
    port: int
    protocol: str
    status: str
    kind: Kind | None
    message: str
    evidence: dict[str, Any]
    rechecking: bool
    checked_at: datetime | None
    changed_at: datetime | None
    next_due: datetime

    @property
    def error_id(self) -> str:
        return self.kind.id if self.kind else ""

    @property
    def title(self) -> str:
        return self.kind.title if self.kind else ""

    @property
    def remedy(self) -> str:
        return self.kind.remedy if self.kind else ""

    @property
    def block(self) -> str:
        """Where the cause lies: ``connection``, ``gateway``, ``server`` or nowhere."""
        return str(self.evidence.get("block") or "")


@dataclass(frozen=True, slots=True)
class Health:
    """The health of a gateway; ``pending`` while a verdict is on its way after a change."""

    rows: tuple[HealthRow, ...]
    pending: bool

    @property
    def healthy(self) -> int:
        return self._count(Verdict.Status.HEALTHY)

    @property
    def unhealthy(self) -> int:
        return self._count(Verdict.Status.UNHEALTHY)

    @property
    def unknown(self) -> int:
        return self._count(Verdict.Status.UNKNOWN)

    @property
    def total(self) -> int:
        return len(self.rows)

    @property
    def updated_at(self) -> datetime | None:
        """When the latest verdict was made."""
        return max((row.checked_at for row in self.rows if row.checked_at), default=None)

    def _count(self, status: Verdict.Status) -> int:
        return sum(row.status == status for row in self.rows)


def verdicts_of(gateway: ApplicationGateway) -> Health:
    """All verdicts of a gateway, by pool, server and setting (2 queries)."""
    verdicts = (
        Verdict.objects.filter(gateway=gateway)
        .select_related("address__pool", "settings")
        .order_by(
            "address__pool__position",
            "address__pool_id",
            "address__position",
            "address_id",
            "settings__position",
            "settings_id",
        )
    )
    rows = tuple(_row(verdict) for verdict in verdicts)
    is_planned = HealthPlan.objects.filter(gateway=gateway, generation=gateway.generation).exists()
    return Health(rows, pending=not is_planned or any(row.rechecking for row in rows))


def verdict_of(gateway: ApplicationGateway, pk: int) -> HealthRow | None:
    """One verdict of a gateway (1 query); ``None`` if there is none (any more)."""
    verdict = (
        Verdict.objects.filter(gateway=gateway, pk=pk)
        .select_related("address__pool", "settings")
        .first()
    )
    return _row(verdict) if verdict else None


def _row(verdict: Verdict) -> HealthRow:
    return HealthRow(
        pk=verdict.pk,
        address_id=verdict.address_id,
        settings_id=verdict.settings_id,
        server=verdict.address.target,
        pool=verdict.address.pool.name,
        setting=verdict.settings.name,
        port=verdict.settings.port,
        protocol=verdict.settings.protocol,
        status=verdict.status,
        kind=HEALTH_KINDS.get(verdict.error_id),
        message=verdict.message,
        evidence=verdict.evidence,
        rechecking=verdict.rechecking,
        checked_at=verdict.checked_at,
        changed_at=verdict.changed_at,
        next_due=verdict.due_at,
    )
