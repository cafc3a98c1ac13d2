"""Several people save at once: one wins, the others are told, and nothing is lost or mixed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest
from django.db import connection

from gateway.models import Activity, ApplicationGateway, LoadedGateway
from gateway.operations import Caller, Outcome, change_gateway, store
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

EDITORS = 6


def at_once(work: Callable[[int], Outcome]) -> list[Outcome]:
    """What came of ``work`` done by all editors at the same moment, each in a thread."""
    start = threading.Barrier(EDITORS)
    found: dict[int, Outcome] = {}

    def edit(number: int) -> None:
        try:
            start.wait(10)
            found[number] = work(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(EDITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == list(range(EDITORS)), "an editor got no answer"
    return [found[number] for number in range(EDITORS)]


def save(caller: Caller, gateway: int, seconds: int, *, etag: str | None) -> Outcome:
    """Set the request time-out; each editor reads the gateway anew, as a request does."""

    def write(loaded: LoadedGateway) -> None:
        settings = loaded.http_settings[0]
        settings.request_timeout = seconds
        store(settings)

    row = ApplicationGateway.objects.select_related("group__subscription").get(pk=gateway)
    return change_gateway(caller, row, operation=f"Save {seconds}", write=write, etag=etag)


def stored_timeout(gateway: ApplicationGateway) -> int:
    timeout: int = factories.loaded(gateway).http_settings[0].request_timeout
    return timeout


def test_of_all_who_saw_the_same_state_exactly_one_saves() -> None:
    gateway = factories.v2_gateway()
    caller, seen = Caller(factories.owner_of(gateway)), gateway.etag
    outcomes = at_once(lambda number: save(caller, gateway.pk, 100 + number, etag=seen))
    winners = [number for number, outcome in enumerate(outcomes) if outcome.ok]
    assert len(winners) == 1
    for outcome in outcomes:
        if not outcome.ok:
            assert [problem.id for problem in outcome.errors] == ["changed-meanwhile"]
            assert f"Save {100 + winners[0]}" in outcome.errors[0].message
    assert stored_timeout(gateway) == 100 + winners[0]
    after = factories.loaded(gateway).gateway
    assert after.generation == gateway.generation + 1
    assert after.etag != seen
    statuses = list(Activity.objects.values_list("status", flat=True))
    assert sorted(statuses) == ["Failed"] * (EDITORS - 1) + ["Succeeded"]


def test_without_a_tag_all_save_one_after_the_other() -> None:
    gateway = factories.v2_gateway()
    caller = Caller(factories.owner_of(gateway))
    outcomes = at_once(lambda number: save(caller, gateway.pk, 100 + number, etag=None))
    assert all(outcome.ok and outcome.changed for outcome in outcomes)
    assert factories.loaded(gateway).gateway.generation == gateway.generation + EDITORS
    # Each was judged against what the one before it had left behind.
    changes = [one.changes[0] for one in Activity.objects.order_by("generation")]
    assert changes[0]["before"] == 30
    for earlier, later in pairwise(changes):
        assert later["before"] == earlier["after"]
    assert stored_timeout(gateway) == changes[-1]["after"]
