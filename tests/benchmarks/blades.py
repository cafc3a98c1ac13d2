"""Time and query count of each blade at 1 and at 100 children."""

from __future__ import annotations

from functools import partial

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateway.accounts.models import Subscription
from gateway.models import BackendAddress, writing
from tests import crowds, factories
from tests.benchmarks.table import Table, median_ms
from tests.gateway.portal import carried, test_queries, visits

# What a blade may take with 100 listeners.
BAR_MS = 100
MOST_TARGETS = 1200


def run(table: Table) -> None:
    for count in (1, 100):
        gateway = crowds.crowd(count, f"bench{count}")
        owner = factories.owner_of(gateway)
        # The lab of a network is that of somebody's sandbox.
        Subscription.objects.filter(pk=gateway.group.subscription_id).update(sandbox_of=owner)
        crowds.fill_stores(owner, count)
        carried.crowded(gateway, count)
        client = Client(SERVER_NAME="localhost")
        client.force_login(
            factories.owner_of(gateway), backend="django.contrib.auth.backends.ModelBackend"
        )
        for view, url in test_queries.addresses(gateway).items():
            _measure(table, f"{view}, {count} of each", client, url)
    pool = factories.add_pool(gateway, "largest")
    with writing():
        BackendAddress.objects.bulk_create(
            BackendAddress(pool=pool, ip_address=f"10.1.{n // 250}.{n % 250}", position=n)
            for n in range(MOST_TARGETS)
        )
    url = visits.address(gateway, "pools-edit", pool.name)
    _measure(table, f"pools-edit, {MOST_TARGETS} targets", client, url, rounds=3, bar=False)


def _measure(
    table: Table, what: str, client: Client, url: str, *, rounds: int = 7, bar: bool = True
) -> None:
    def get() -> None:
        answer = client.get(url)
        assert answer.status_code == 200, f"{url}: {answer.status_code}"

    get()
    with CaptureQueriesContext(connection) as queries:
        get()
    count = len(queries)
    spent = median_ms(partial(get), rounds)
    late = {"bar": f"over {BAR_MS}"} if bar and spent > BAR_MS else {}
    table.add(what, ms=f"{spent:.1f}", queries=str(count), **late)
