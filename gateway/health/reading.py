"""Verdicts as pages and reports show them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from gateway.health.advice import advice
from gateway.health.catalogue import HEALTH_KINDS, block_of
from gateway.health.history import Period, periods
from gateway.models import ApplicationGateway, HealthPlan, Verdict
from gateway.problems import Kind

Status = Verdict.Status
# Asked for like a status: healthy servers that give users a 502.
FAILING = "Failing"


@dataclass(frozen=True, slots=True)
class HealthRow:
    """One server through one HTTP setting.

    ``server`` is the FQDN or IP address in the pool, ``port`` and ``protocol`` are the setting's;
    ``kind`` is ``None`` for a healthy server; ``rechecking`` says that a save made the verdict
    old and that a new one is on its way; ``evidence`` is what :mod:`gateway.health.judge` wrote,
    and empty in a list, as is ``history``, newest first; ``requests_fail`` says of a healthy server
    that users' requests get a 502.
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
    is_v1: bool = False
    requests_fail: bool = False
    history: tuple[Period, ...] = ()

    @property
    def error_id(self) -> str:
        return self.kind.id if self.kind else ""

    @property
    def title(self) -> str:
        return self.kind.title if self.kind else ""

    @property
    def remedy(self) -> str:
        """What helps, in the words for the gateway's tier."""
        return advice(self.kind, is_v1=self.is_v1).remedy if self.kind else ""

    @property
    def why(self) -> str:
        """What it means, in the words for the gateway's tier."""
        return advice(self.kind, is_v1=self.is_v1).why if self.kind else ""

    @property
    def block(self) -> str:
        """Where the cause lies: ``connection``, ``gateway``, ``server`` or nowhere."""
        return block_of(self.kind) if self.kind else ""


@dataclass(frozen=True, slots=True)
class Health:
    """The health of a gateway: counts of all verdicts, and the rows of one page of them.

    ``failing`` of the healthy ones give users a 502; ``pending`` while a verdict is on its way
    after a change; ``shown`` is how many rows all pages have, ``page`` and ``pages`` count from 1.
    """

    rows: tuple[HealthRow, ...]
    total: int
    healthy: int
    unhealthy: int
    unknown: int
    failing: int
    pending: bool
    updated_at: datetime | None
    page: int
    pages: int


def verdicts_of(
    gateway: ApplicationGateway,
    *,
    status: str = "",
    search: str = "",
    page: int = 1,
    size: int = 100,
) -> Health:
    """The verdicts of a gateway, by pool, server and setting (3 queries, 4 with ``search``).

    ``status`` keeps only rows of that status (or :data:`FAILING`), ``search`` those that hold all
    of its words in server, pool, setting or message; ``size`` is the most rows on one page; a page
    number that does not exist gives the nearest one.
    """
    verdicts = Verdict.objects.filter(gateway=gateway)
    counts = verdicts.aggregate(
        total=Count("pk"),
        healthy=Count("pk", Q(status=Status.HEALTHY)),
        unhealthy=Count("pk", Q(status=Status.UNHEALTHY)),
        unknown=Count("pk", Q(status=Status.UNKNOWN)),
        failing=Count("pk", Q(requests_fail=True)),
        waiting=Count("pk", Q(rechecking=True)),
        updated_at=Max("checked_at"),
    )
    is_planned = HealthPlan.objects.filter(gateway=gateway, generation=gateway.generation).exists()
    found, shown = verdicts, counts["total"]
    if status in Status.values:
        found, shown = verdicts.filter(status=status), counts[status.lower()]
    elif status == FAILING:
        found, shown = verdicts.filter(requests_fail=True), counts["failing"]
    if words := search.split():
        found = found.filter(*(_holds(word) for word in words))
        shown = found.count()
    pages = max(1, -(-shown // size))
    page = min(max(page, 1), pages)
    ordered = _with_words(found)
    waiting = counts.pop("waiting")
    return Health(
        rows=tuple(
            _row(one, gateway)
            for one in ordered.defer("evidence", "history")[(page - 1) * size :][:size]
        ),
        pending=not is_planned or waiting > 0,
        page=page,
        pages=pages,
        **counts,
    )


def verdict_of(gateway: ApplicationGateway, pk: int) -> HealthRow | None:
    """One verdict of a gateway with its evidence (1 query); ``None`` if there is none."""
    verdict = _with_words(Verdict.objects.filter(gateway=gateway, pk=pk)).first()
    if verdict is None:
        return None
    row = _row(verdict, gateway)
    return replace(row, evidence=verdict.evidence, history=periods(verdict.history))


def _holds(word: str) -> Q:
    return (
        Q(address__fqdn__icontains=word)
        | Q(address__ip_address__icontains=word)
        | Q(address__pool__name__icontains=word)
        | Q(settings__name__icontains=word)
        | Q(error_id__iexact=word)
        | Q(message__icontains=word)
    )


def _with_words(verdicts: QuerySet[Verdict]) -> QuerySet[Verdict]:
    return verdicts.select_related("address__pool", "settings").order_by(
        "address__pool__position",
        "address__pool_id",
        "address__position",
        "address_id",
        "settings__position",
        "settings_id",
    )


def _row(verdict: Verdict, gateway: ApplicationGateway) -> HealthRow:
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
        evidence={},
        rechecking=verdict.rechecking,
        checked_at=verdict.checked_at,
        changed_at=verdict.changed_at,
        next_due=verdict.due_at,
        is_v1=gateway.is_v1,
        requests_fail=verdict.requests_fail,
    )
