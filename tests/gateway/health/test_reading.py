"""Verdicts as pages read them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateway.health.advice import advice
from gateway.health.history import noted
from gateway.health.planner import plan_gateway
from gateway.health.reading import FAILING, verdict_of, verdicts_of
from gateway.health.unhealthy import E_CN
from gateway.models import ApplicationGateway, Verdict
from tests import factories
from tests.factories import NOW
from tests.gateway.health.lab import move_on, point_pool_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway() -> ApplicationGateway:
    gateway = factories.v2_gateway()
    point_pool_at(gateway, "a.contoso.test", "10.0.1.9", "c.contoso.test")
    return gateway


def plan(gateway: ApplicationGateway) -> None:
    gateway.refresh_from_db()
    plan_gateway(gateway, NOW)


def test_a_gateway_that_was_not_planned_yet_is_pending_and_empty(
    gateway: ApplicationGateway,
) -> None:
    health = verdicts_of(gateway)
    assert health.pending
    assert health.total == 0
    assert health.updated_at is None


def test_a_row_tells_server_pool_setting_and_state(gateway: ApplicationGateway) -> None:
    plan(gateway)
    first, second, third = verdicts_of(gateway).rows
    assert [row.server for row in (first, second, third)] == [
        "a.contoso.test",
        "10.0.1.9",
        "c.contoso.test",
    ]
    assert (first.pool, first.setting) == (factories.POOL, factories.SETTINGS)
    assert (first.port, first.protocol) == (80, "Http")
    assert (first.status, first.error_id) == ("Unknown", "U-NEW")
    assert first.title
    assert first.remedy
    assert first.next_due == NOW


def test_the_summary_counts_and_waits_for_the_last_verdict(gateway: ApplicationGateway) -> None:
    plan(gateway)
    first, second, _ = Verdict.objects.order_by("address__position")
    Verdict.objects.update(rechecking=False)
    Verdict.objects.filter(pk=first.pk).update(status="Healthy", error_id="", checked_at=NOW)
    Verdict.objects.filter(pk=second.pk).update(
        status="Unhealthy",
        error_id="E-TCP",
        evidence={"block": "connection"},
        checked_at=NOW - timedelta(seconds=5),
    )
    health = verdicts_of(gateway)
    assert (health.total, health.healthy, health.unhealthy, health.unknown) == (3, 1, 1, 1)
    assert not health.pending
    assert health.updated_at == NOW
    assert health.rows[0].kind is None
    assert (health.rows[0].title, health.rows[0].remedy, health.rows[0].error_id) == ("", "", "")
    assert health.rows[1].block == "connection"
    Verdict.objects.filter(pk=first.pk).update(rechecking=True)
    assert verdicts_of(gateway).pending


def test_a_save_makes_it_pending_until_it_is_planned(gateway: ApplicationGateway) -> None:
    plan(gateway)
    Verdict.objects.update(rechecking=False)
    assert not verdicts_of(gateway).pending
    move_on(gateway)
    assert verdicts_of(gateway).pending


def test_one_verdict_is_found_within_its_gateway_only(gateway: ApplicationGateway) -> None:
    plan(gateway)
    row = verdicts_of(gateway).rows[0]
    assert verdict_of(gateway, row.pk) == row
    Verdict.objects.filter(pk=row.pk).update(evidence={"sni": "a.contoso.test"})
    found = verdict_of(gateway, row.pk)
    assert found is not None
    assert found.evidence == {"sni": "a.contoso.test"}
    assert verdict_of(gateway, 0) is None
    assert verdict_of(factories.v1_gateway(gateway.group, name="other"), row.pk) is None


def test_any_number_of_rows_takes_three_queries_and_comes_by_pages(
    gateway: ApplicationGateway,
) -> None:
    point_pool_at(gateway, *(f"s{number}.contoso.test" for number in range(30)))
    plan(gateway)
    with CaptureQueriesContext(connection) as queries:
        health = verdicts_of(gateway, size=12)
    assert len(queries) == 3
    assert (health.total, health.pages, len(health.rows)) == (30, 3, 12)
    last = verdicts_of(gateway, size=12, page=99)
    assert (last.page, len(last.rows)) == (3, 6)
    assert not {row.pk for row in health.rows} & {row.pk for row in last.rows}


def test_rows_are_filtered_by_status_and_counts_are_not(gateway: ApplicationGateway) -> None:
    plan(gateway)
    first = Verdict.objects.order_by("address__position")[0]
    Verdict.objects.filter(pk=first.pk).update(status="Healthy", error_id="")
    health = verdicts_of(gateway, status="Healthy")
    assert [row.pk for row in health.rows] == [first.pk]
    assert health.total == 3
    assert verdicts_of(gateway, status="Nonsense").total == 3


def test_one_verdict_tells_its_history_and_the_words_of_its_tier(
    gateway: ApplicationGateway,
) -> None:
    plan(gateway)
    row = verdicts_of(gateway).rows[0]
    assert row.history == ()
    history = noted([], "Unhealthy", "E-CN", 5.0, NOW)
    Verdict.objects.filter(pk=row.pk).update(status="Unhealthy", error_id="E-CN", history=history)
    found = verdict_of(gateway, row.pk)
    assert found is not None
    assert [(one.error_id, one.since) for one in found.history] == [("E-CN", NOW)]
    assert found.why == advice(E_CN, is_v1=False).why
    assert found.remedy == advice(E_CN, is_v1=False).remedy
    factories.change(gateway, sku_tier="Standard", sku_name="Standard_Small")
    older = verdict_of(gateway, row.pk)
    assert older is not None
    assert (older.is_v1, older.remedy) == (True, advice(E_CN, is_v1=True).remedy)
    Verdict.objects.filter(pk=row.pk).update(status="Healthy", error_id="")
    well = verdict_of(gateway, row.pk)
    assert well is not None
    assert (well.why, well.remedy) == ("", "")


def test_healthy_servers_that_fail_users_are_counted_and_found(
    gateway: ApplicationGateway,
) -> None:
    plan(gateway)
    one = Verdict.objects.filter(gateway=gateway).earliest("pk")
    Verdict.objects.filter(pk=one.pk).update(status="Healthy", error_id="", requests_fail=True)
    health = verdicts_of(gateway, status=FAILING)
    assert (health.healthy, health.failing, health.total) == (1, 1, 3)
    assert [(row.pk, row.requests_fail) for row in health.rows] == [(one.pk, True)]
    assert len(verdicts_of(gateway).rows) == 3
