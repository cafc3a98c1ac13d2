"""Several people save one gateway at the same moment."""

import threading

import pytest
from django.db import connection

from gateway.models import ApplicationGateway, BackendHttpSettings, LoadedGateway
from gateway.operations import Caller, Outcome, change_gateway, store
from tests import factories

EDITORS = 6


@pytest.mark.django_db(transaction=True)
def test_exactly_one_of_several_simultaneous_saves_wins_and_the_others_are_told() -> None:
    gateway = factories.v2_gateway()
    caller, seen = Caller(factories.owner_of(gateway)), gateway.etag
    start = threading.Barrier(EDITORS)
    outcomes: dict[int, Outcome] = {}

    def save(seconds: int) -> None:
        def write(loaded: LoadedGateway) -> None:
            settings = loaded.http_settings[0]
            settings.request_timeout = seconds
            store(settings)

        try:
            mine = ApplicationGateway.objects.select_related("group__subscription").get(
                pk=gateway.pk
            )
            start.wait(10)
            outcomes[seconds] = change_gateway(
                caller, mine, operation="Save", write=write, etag=seen
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(100 + number,)) for number in range(EDITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    winners = [seconds for seconds, outcome in outcomes.items() if outcome.ok]
    assert len(outcomes) == EDITORS
    assert len(winners) == 1
    assert sum(outcome.conflict for outcome in outcomes.values()) == EDITORS - 1
    stored = BackendHttpSettings.objects.get(gateway=gateway)
    assert stored.request_timeout == winners[0]
    assert ApplicationGateway.objects.get(pk=gateway.pk).generation == gateway.generation + 1
