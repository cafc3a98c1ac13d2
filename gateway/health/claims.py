"""Claiming due pairs with a lease, and writing results while the lease holds.

Any number of workers may run. A worker that dies loses nothing: its leases expire and others take
over. On PostgreSQL claimed rows are skipped by the others; on SQLite the transaction, immediate by
configuration, keeps them out.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from gateway.health.judge import Judged
from gateway.health.plans import ProbePlan
from gateway.health.standing import FIELDS, take_in
from gateway.health.unhealthy import E_TIMEOUT
from gateway.models import Verdict
from gateway.waking import wake

# How long a pair waits for another worker when its own has died. One that lives extends its leases
# long before (:func:`extend`), however long a server takes.
LEASE = timedelta(seconds=60)

Lane = Literal["quick", "slow"]
"""Servers that answered nothing last time wait in a lane of their own: their patience must not
keep the probes of others waiting."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A pair that this worker may probe until its lease ends."""

    verdict: int
    gateway: int
    key: tuple[int, int]
    digest: str
    token: str
    remembered: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The judged probe of a claim, at the time (aware) when it ended."""

    claim: Claim
    plan: ProbePlan
    judged: Judged
    at: datetime


def claim(now: datetime, *, limit: int, lane: Lane, due_by: datetime | None = None) -> list[Claim]:
    """Take up to ``limit`` pairs due by ``due_by`` (by now unless given).

    Those that a save made due come first, for somebody waits for them; then the longest due. Each
    gets a lease of :data:`LEASE`.
    """
    due = _due(now, due_by or now, lane)
    # Asked without a transaction first: on SQLite that one would stop every other writer.
    if limit <= 0 or not due.exists():
        return []
    token = uuid.uuid4().hex
    with transaction.atomic():
        rows = list(
            _locked(due)
            .order_by("-rechecking", "due_at", "pk")
            .values_list(
                "pk", "gateway_id", "address_id", "settings_id", "digest", "remembered_address"
            )[:limit]
        )
        Verdict.objects.filter(pk__in=[row[0] for row in rows]).update(
            leased_by=token, leased_until=now + LEASE
        )
    return [
        Claim(pk, gateway, (address, settings), digest, token, remembered)
        for pk, gateway, address, settings, digest, remembered in rows
    ]


def extend(claims: Iterable[Claim], until: datetime) -> None:
    """Make the leases that still hold last until ``until``, for probes that go on (1 query)."""
    _held(claims).update(leased_until=until)


def release(claims: Iterable[Claim]) -> None:
    """Give pairs back without a result; they stay due (1 query)."""
    _held(claims).update(leased_by="", leased_until=None)


def write(results: Sequence[Result]) -> list[Result]:
    """Store results whose lease still holds and return those to be written later.

    Later, because somebody else has just locked the row (a save that may yet be rolled back);
    nobody is waited for, so nothing can deadlock. Results whose lease is gone are dropped: the
    pair was changed, deleted, or taken over by another worker.
    """
    if not results:
        return []
    by_pk = {result.claim.verdict: result for result in results}
    with transaction.atomic():
        rows = {row.pk: row for row in _locked(Verdict.objects.filter(pk__in=by_pk)).order_by("pk")}
        held = [row for pk, row in rows.items() if row.leased_by == by_pk[pk].claim.token]
        healthy = _Healthy()
        before = [_matters(row) for row in held]
        for row in held:
            result = by_pk[row.pk]
            needed = healthy.needs(row, result.plan)
            take_in(row, result.plan, result.judged, result.at, is_needed=needed)
            healthy.note(row, result.plan)
        # One statement for many rows. All of them exist and are locked: none is created.
        Verdict.objects.bulk_create(
            held, update_conflicts=True, unique_fields=["pk"], update_fields=FIELDS
        )
        if before != [_matters(row) for row in held]:
            transaction.on_commit(wake)
    missed = [result for pk, result in by_pk.items() if pk not in rows]
    if not missed:
        return []
    tokens = {result.claim.token for result in missed}
    still_ours = set(
        Verdict.objects.filter(
            pk__in=[result.claim.verdict for result in missed], leased_by__in=tokens
        ).values_list("pk", flat=True)
    )
    return [result for result in missed if result.claim.verdict in still_ours]


def _matters(row: Verdict) -> tuple[str, str, str]:
    """What traffic depends on."""
    return row.status, row.accepted_pem, row.remembered_address


class _Healthy:
    """Which servers are healthy, of the pools whose probe always keeps some so.

    One query for each pool and setting with such a probe; the others cost nothing.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[int, int], set[int]] = {}

    def needs(self, row: Verdict, plan: ProbePlan) -> bool:
        """Whether the pool would have too few healthy servers without this one."""
        if not plan.leg.min_servers:
            return False
        where = plan.pool_id, row.settings_id
        if where not in self.rows:
            query = Verdict.objects.filter(
                settings_id=row.settings_id,
                address__pool_id=plan.pool_id,
                status=Verdict.Status.HEALTHY,
            )
            self.rows[where] = set(query.values_list("pk", flat=True))
        return len(self.rows[where] - {row.pk}) < plan.leg.min_servers

    def note(self, row: Verdict, plan: ProbePlan) -> None:
        """Take in what became of a row."""
        members = self.rows.get((plan.pool_id, row.settings_id))
        if members is None:
            return
        if row.status == Verdict.Status.HEALTHY:
            members.add(row.pk)
        else:
            members.discard(row.pk)


def _held(claims: Iterable[Claim]) -> QuerySet[Verdict]:
    """The rows of ``claims`` that are still leased to whoever holds these claims."""
    held = list(claims)
    tokens = {one.token for one in held}
    return Verdict.objects.filter(pk__in=[one.verdict for one in held], leased_by__in=tokens)


def _due(now: datetime, due_by: datetime, lane: Lane) -> QuerySet[Verdict]:
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    query = Verdict.objects.filter(free, due_at__lte=due_by)
    slow = Q(error_id=E_TIMEOUT.id)
    return query.filter(slow) if lane == "slow" else query.exclude(slow)


def _locked(query: QuerySet[Verdict]) -> QuerySet[Verdict]:
    if connection.features.has_select_for_update_skip_locked:
        return query.select_for_update(skip_locked=True)
    return query
