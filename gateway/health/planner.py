"""Keeping the verdict rows of a gateway in step with what its rules join."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q

from gateway.health.legs import requests_fail
from gateway.health.plans import Key, Planned, ProbePlan, plans_of
from gateway.health.standing import fresh, restart
from gateway.models import ApplicationGateway, HealthPlan, Verdict, load_gateway
from gateway.network import load_zone

_RESTARTED = ["digest", "rechecking", "failures", "due_at", "leased_by", "leased_until"]
# PostgreSQL's code for a lock that was not had in time.
_LOCK_NOT_AVAILABLE = "55P03"


def unplanned(*, limit: int = 20, but: Collection[int] = ()) -> list[ApplicationGateway]:
    """Gateways that were changed since their pairs were planned, the longest waiting first.

    ``but`` holds primary keys to leave out.
    """
    behind = Q(health_plan__isnull=True) | ~Q(health_plan__generation=F("generation"))
    query = ApplicationGateway.objects.filter(behind).exclude(pk__in=but)
    return list(query.order_by("changed_at")[:limit])


def read_plans(gateway: ApplicationGateway) -> Planned:
    """The plans of ``gateway`` as it stands now (a bounded number of queries)."""
    loaded = load_gateway(gateway)
    network = loaded.virtual_network
    plans = plans_of(loaded, load_zone(network))
    return Planned(gateway.generation, network.pk if network else None, plans)


def plan_gateway(gateway: ApplicationGateway, now: datetime) -> Planned | None:
    """Bring the pairs of a gateway up to date.

    New pairs and those whose digest changed are due at once; pairs that no rule joins any more are
    deleted; the others keep verdict and schedule. ``None`` if the gateway is being changed right
    now or is gone: to be planned in the next round.
    """
    planned = read_plans(gateway)
    try:
        with transaction.atomic():
            locked = _lock(gateway)
            if locked is None:
                return None
            if locked.generation != planned.generation:
                # Saved while it was read. Left to the next round, a gateway that is saved again
                # and again would never be planned; under the lock nobody saves.
                planned = read_plans(locked)
            _note_down(locked, planned.plans, now)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            return None
        raise
    return planned


def _lock(gateway: ApplicationGateway) -> ApplicationGateway | None:
    """Lock the gateway as a save does and read it anew; ``None`` if it is locked or gone."""
    query = ApplicationGateway.objects.filter(pk=gateway.pk)
    if connection.features.has_select_for_update_skip_locked:
        query = query.select_for_update(skip_locked=True)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A deletion of the whole group locks in an order of its own: give way to it.
            cursor.execute("SET LOCAL lock_timeout = '300ms'")
    return query.first()


def _note_down(gateway: ApplicationGateway, plans: dict[Key, ProbePlan], now: datetime) -> None:
    rows = {
        (row.address_id, row.settings_id): row
        for row in Verdict.objects.filter(gateway=gateway).defer("evidence", "history")
    }
    gone = [row.pk for key, row in rows.items() if key not in plans]
    if gone:
        Verdict.objects.filter(pk__in=gone).delete()
    changed = []
    for key, plan in plans.items():
        row = rows.get(key)
        if row is not None and row.digest != plan.digest:
            restart(row, plan, now)
            changed.append(row)
    Verdict.objects.bulk_update(changed, _RESTARTED, batch_size=100)
    _note_requests(rows, plans)
    Verdict.objects.bulk_create(
        [fresh(gateway.pk, plan, now) for key, plan in plans.items() if key not in rows]
    )
    noted, is_new = HealthPlan.objects.get_or_create(
        gateway=gateway, defaults={"generation": gateway.generation}
    )
    if is_new or noted.generation == gateway.generation:
        return
    # A change of the configuration empties the memory of addresses ("Troubleshoot backend health
    # issues in Application Gateway", unknown health).
    Verdict.objects.filter(gateway=gateway).exclude(remembered_address="").update(
        remembered_address=""
    )
    HealthPlan.objects.filter(pk=noted.pk).update(generation=gateway.generation)


def _note_requests(rows: dict[Key, Verdict], plans: dict[Key, ProbePlan]) -> None:
    """Say which servers fail users now: a listener's host is not what their probe depends on."""
    turned: dict[bool, list[int]] = {True: [], False: []}
    for key, row in rows.items():
        if key in plans and (fails := requests_fail(row, plans[key])) != row.requests_fail:
            turned[fails].append(row.pk)
    for fails, keys in turned.items():
        if keys:
            Verdict.objects.filter(pk__in=keys).update(requests_fail=fails)
