"""Leases: nobody probes a pair twice, and a killed worker loses nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateway.health import claims
from gateway.health.claims import LEASE, Claim, Result
from gateway.health.planner import plan_gateway
from gateway.health.plans import plans_of
from gateway.models import ApplicationGateway, Verdict
from tests import factories
from tests.factories import NOW
from tests.gateway.health.lab import move_on, point_pool_at
from tests.gateway.health.test_standing import BAD, GOOD

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway() -> ApplicationGateway:
    gateway = factories.v2_gateway()
    point_pool_at(gateway, *(f"s{number}.contoso.test" for number in range(5)))
    plan_gateway(gateway, NOW)
    return gateway


def result_of(gateway: ApplicationGateway, claim: Claim, judged: object = GOOD) -> Result:
    plan = plans_of(factories.loaded(gateway))[claim.key]
    return Result(claim, plan, judged, NOW)  # type: ignore[arg-type]


def take(limit: int = 10, seconds: float = 0, lane: claims.Lane = "quick") -> list[Claim]:
    return claims.claim(NOW + timedelta(seconds=seconds), limit=limit, lane=lane)


def test_a_claim_takes_due_pairs_up_to_a_limit_and_nobody_takes_them_again(
    gateway: ApplicationGateway,
) -> None:
    first, second, third = take(3), take(3), take(3)
    assert [len(taken) for taken in (first, second, third)] == [3, 2, 0]
    assert not {one.verdict for one in first} & {one.verdict for one in second}
    assert {one.gateway for one in first} == {gateway.pk}


def test_nothing_is_claimed_before_it_is_due_or_without_room(gateway: ApplicationGateway) -> None:
    assert take(seconds=-1) == []
    assert take(limit=0) == []


def test_the_longest_due_comes_first(gateway: ApplicationGateway) -> None:
    late = Verdict.objects.last()
    assert late is not None
    Verdict.objects.filter(pk=late.pk).update(due_at=NOW - timedelta(hours=1))
    assert [one.verdict for one in take(1)] == [late.pk]


def test_what_a_save_made_due_comes_before_what_is_longer_due(gateway: ApplicationGateway) -> None:
    saved = Verdict.objects.last()
    assert saved is not None
    others = Verdict.objects.exclude(pk=saved.pk)
    others.update(rechecking=False, due_at=NOW - timedelta(hours=1))
    assert [one.verdict for one in take(1)] == [saved.pk]


def test_a_lease_that_ended_frees_the_pair_for_another_worker(gateway: ApplicationGateway) -> None:
    dead = take()
    assert take(seconds=LEASE.seconds) == []
    alive = take(seconds=LEASE.seconds + 1)
    assert {one.verdict for one in alive} == {one.verdict for one in dead}
    assert {one.token for one in alive}.isdisjoint(one.token for one in dead)


def test_a_late_result_of_a_worker_that_was_given_up_is_dropped(
    gateway: ApplicationGateway,
) -> None:
    dead = take(1)[0]
    take(seconds=LEASE.seconds + 1)
    assert claims.write([result_of(gateway, dead, BAD)]) == []
    assert Verdict.objects.get(pk=dead.verdict).error_id == "U-NEW"


def test_a_result_is_written_and_gives_the_lease_back(gateway: ApplicationGateway) -> None:
    taken = take()
    assert claims.write([result_of(gateway, one) for one in taken]) == []
    for verdict in Verdict.objects.all():
        assert verdict.status == "Healthy"
        assert verdict.leased_by == ""
        assert verdict.leased_until is None
        assert verdict.evidence == {"good": True}
    assert take() == []
    assert len(take(seconds=40)) == 5


def test_a_result_for_a_pair_that_was_changed_meanwhile_is_void(
    gateway: ApplicationGateway,
) -> None:
    taken = take(1)[0]
    result = result_of(gateway, taken, BAD)
    settings = factories.loaded(gateway).http_settings[0]
    factories.change(settings, port=8080)
    move_on(gateway)
    plan_gateway(gateway, NOW)
    assert claims.write([result]) == []
    verdict = Verdict.objects.get(pk=taken.verdict)
    assert verdict.rechecking
    assert verdict.error_id == "U-NEW"


def test_a_result_for_a_pair_that_is_gone_is_dropped(gateway: ApplicationGateway) -> None:
    result = result_of(gateway, take(1)[0])
    Verdict.objects.all().delete()
    assert claims.write([result]) == []
    assert claims.write([]) == []


def test_a_long_time_out_gets_a_longer_lease(gateway: ApplicationGateway) -> None:
    taken = take()
    with CaptureQueriesContext(connection) as queries:
        claims.extend(taken[:2], NOW + timedelta(seconds=200))
    assert len(queries) == 1
    again = take(seconds=LEASE.seconds + 1)
    assert {one.verdict for one in again} == {one.verdict for one in taken[2:]}


def test_only_the_holder_may_extend_or_give_back(gateway: ApplicationGateway) -> None:
    taken = take()
    foreign = [replace(one, token="another") for one in taken]
    claims.extend(foreign, NOW + timedelta(hours=1))
    claims.release(foreign)
    assert take() == []
    claims.release(taken)
    assert len(take()) == 5


def test_servers_that_were_silent_wait_in_a_lane_of_their_own(gateway: ApplicationGateway) -> None:
    silent = Verdict.objects.first()
    assert silent is not None
    Verdict.objects.filter(pk=silent.pk).update(error_id="E-TIMEOUT")
    assert silent.pk not in {one.verdict for one in take()}
    assert [one.verdict for one in take(lane="slow")] == [silent.pk]


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_never_claim_the_same_pair() -> None:
    gateway = factories.v2_gateway()
    point_pool_at(gateway, *(f"s{number}.contoso.test" for number in range(40)))
    plan_gateway(gateway, NOW)
    taken: list[int] = []

    def work() -> None:
        try:
            while claimed := take(3):
                taken.extend(one.verdict for one in claimed)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # Where locked rows are skipped, a worker may see nothing while the others still take.
    taken.extend(one.verdict for one in take(40))
    assert len(taken) == 40
    assert len(set(taken)) == 40


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_has_locked_is_neither_waited_for_nor_lost() -> None:
    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("SQLite locks no rows: its one writer at a time is waited for.")
    gateway = factories.v2_gateway()
    point_pool_at(gateway, "a.contoso.test")
    plan_gateway(gateway, NOW)
    taken = take(1)[0]
    result = result_of(gateway, taken)
    with elsewhere("SELECT id FROM gateway_verdict FOR UPDATE"):
        assert claims.write([result]) == [result]
    with elsewhere("SELECT id FROM gateway_applicationgateway FOR UPDATE"):
        assert plan_gateway(gateway, NOW) is None
    Verdict.objects.update(digest="another")
    with elsewhere("SELECT id FROM gateway_verdict FOR UPDATE"):
        assert plan_gateway(gateway, NOW) is None
    assert claims.write([result]) == []
    assert Verdict.objects.get(pk=taken.verdict).status == "Healthy"


@contextmanager
def elsewhere(statement: str) -> Iterator[None]:
    """Hold what ``statement`` locks in a transaction of another connection."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(statement)
            yield
        other.rollback()
    finally:
        other.close()
