"""Time and query count of each blade at 1 and at 100 children."""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.benchmarks.table import Table, median_ms

BLADES = (
    "",
    "activity/",
    "pools/",
    "http-settings/",
    "http-settings/appGatewayBackendHttpSettings/edit/",
    "frontends/",
    "listeners/",
    "listeners/appGatewayHttpListener/edit/",
    "listeners/add/basic/",
    "rules/",
    "rules/rule1/edit/",
    "probes/",
    "properties/",
    "health/",
    "json/",
)


def run(table: Table) -> None:
    for count in (1, 100):
        gateway = factories.v2_gateway(name=f"bench{count}")
        if count > 1:
            factories.many_sites(gateway, count - 1)
        client = Client()
        client.force_login(
            factories.owner_of(gateway), backend="django.contrib.auth.backends.ModelBackend"
        )
        group = gateway.group
        root = f"/portal/gateways/{group.subscription_id}/{group.name}/{gateway.name}/"
        for blade in BLADES:
            address = root + blade

            def get(address: str = address, client: Client = client) -> None:
                answer = client.get(address)
                assert answer.status_code == 200, f"{address}: {answer.status_code}"

            with CaptureQueriesContext(connection) as queries:
                get()
            table.add(
                f"blade {blade or 'overview/'} at {count}",
                ms=f"{median_ms(get):.1f}",
                queries=str(len(queries)),
            )
