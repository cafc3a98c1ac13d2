"""A reset while the prober and the lab write their reports."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from gateway.health.planner import plan_gateway
from gateway.lab.endpoints import Place, report
from gateway.lab.sandbox import ensure_sandbox, reset_sandbox
from gateway.models import ApplicationGateway, LabServer
from tests.factories import make_user

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]


def meanwhile(work: Callable[[], object]) -> None:
    """Run ``work`` on a connection of its own; a while later it may still wait for a lock."""

    def run() -> None:
        try:
            with suppress(Exception):
                work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(2)


@pytest.mark.parametrize(
    ("table", "writer"),
    [
        (
            "gateway_applicationgateway",
            lambda gateway, server: plan_gateway(gateway, timezone.now()),
        ),
        (
            "gateway_labserver",
            lambda gateway, server: report([Place(server.pk, None, "127.0.0.1", 9)]),
        ),
    ],
)
def test_a_report_in_the_midst_of_a_reset_does_not_undo_it(table: str, writer: Any) -> None:
    user = make_user("dora")
    ensure_sandbox(user)
    gateway = ApplicationGateway.objects.all()[0]
    server = LabServer.objects.all()[0]
    met: list[str] = []

    def between(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(f'DELETE FROM "{table}"') and not met:
            met.append(sql)
            meanwhile(lambda: writer(gateway, server))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(between):
        reset_sandbox(user)
    assert met
    assert not ApplicationGateway.objects.filter(pk=gateway.pk).exists()
    assert ApplicationGateway.objects.count() == 2
