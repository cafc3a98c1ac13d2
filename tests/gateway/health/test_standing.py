"""Thresholds, first results and the next probe."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.health.history import periods
from gateway.health.judge import Judged, own_failure
from gateway.health.plans import ProbePlan
from gateway.health.standing import (
    RETRY_PAUSE,
    STARTING_PATIENCE,
    STOPPED_PAUSE,
    fresh,
    next_turn,
    restart,
    take_in,
)
from gateway.health.unhealthy import E_STATUS, E_TCP
from gateway.health.unknown import U_DNS, U_NOT_ALLOWED
from gateway.models import Verdict
from tests.factories import NOW
from tests.gateway.health.scenes import plan_for

PLAN = plan_for()
GOOD = Judged(Verdict.Status.HEALTHY, None, "Answered 200.", {"good": True})
BAD = Judged(Verdict.Status.UNHEALTHY, E_STATUS, "The server answered 500.", {"bad": True})
WORSE = Judged(Verdict.Status.UNHEALTHY, E_TCP, "No connection.", {"worse": True})
FOREIGN = Judged(Verdict.Status.UNKNOWN, U_NOT_ALLOWED, "Not connected to.", {})
SILENCE = Judged(Verdict.Status.UNKNOWN, U_DNS, "Nobody answered.", {})
STARTING = replace(WORSE, settled=False)


def after(*results: Judged, verdict: Verdict | None = None, plan: ProbePlan = PLAN) -> Verdict:
    verdict = verdict or fresh(1, plan, NOW)
    verdict.pk = verdict.pk or 7
    for result in results:
        take_in(verdict, plan, result, NOW)
    return verdict


def test_a_pair_never_probed_is_new_unknown_and_due() -> None:
    verdict = fresh(1, PLAN, NOW)
    assert (verdict.status, verdict.error_id) == ("Unknown", "U-NEW")
    assert verdict.rechecking
    assert verdict.due_at == NOW


def test_one_success_makes_healthy_at_once() -> None:
    verdict = after(GOOD)
    assert (verdict.status, verdict.error_id, verdict.failures) == ("Healthy", "", 0)
    assert not verdict.rechecking
    assert after(BAD, BAD, BAD, BAD, GOOD).status == "Healthy"


def test_the_first_failure_of_a_new_pair_decides_at_once() -> None:
    verdict = after(BAD)
    assert (verdict.status, verdict.error_id) == ("Unhealthy", "E-STATUS")
    assert verdict.evidence == {"bad": True}


def test_a_healthy_server_falls_after_as_many_failures_as_the_threshold() -> None:
    verdict = after(GOOD, BAD, BAD)
    assert (verdict.status, verdict.error_id) == ("Healthy", "")
    assert "Failure 2 of 3" in verdict.message
    assert verdict.evidence == {"bad": True}
    assert after(BAD, verdict=verdict).status == "Unhealthy"


def test_the_certificate_that_was_accepted_is_remembered_while_probes_fail() -> None:
    def shown(pem: str, *, ok: bool) -> dict[str, object]:
        return {"chain": [{"pem": pem}], "stages": [{"name": "certificate", "ok": ok}]}

    good = replace(GOOD, evidence=shown("first", ok=True))
    refused = replace(BAD, evidence=shown("second", ok=False))
    broken = replace(WORSE, evidence={"chain": [], "stages": [{"name": "connect", "ok": False}]})
    verdict = after(good, refused, broken)
    assert verdict.accepted_pem == "first"
    # Another fault than that of the certificate: it was accepted.
    failing = replace(BAD, evidence=shown("third", ok=True))
    assert after(failing, verdict=verdict).accepted_pem == "third"
    assert after(BAD).accepted_pem == ""


def test_a_success_in_between_starts_the_count_again() -> None:
    assert after(GOOD, BAD, BAD, GOOD, BAD, BAD).status == "Healthy"


def test_a_threshold_of_one_falls_at_once() -> None:
    strict = replace(PLAN, leg=replace(PLAN.leg, threshold=1))
    assert after(GOOD, BAD, plan=strict).status == "Unhealthy"


def test_an_unhealthy_server_shows_its_latest_cause() -> None:
    verdict = after(BAD, WORSE)
    assert verdict.error_id == "E-TCP"
    assert verdict.message == "No connection."


def test_the_first_result_after_a_change_decides_whatever_the_threshold() -> None:
    verdict = after(GOOD)
    restart(verdict, replace(PLAN, digest="new"), NOW)
    assert verdict.status == "Healthy"
    assert verdict.rechecking
    assert after(BAD, verdict=verdict).status == "Unhealthy"


def test_a_restart_gives_up_the_lease_and_is_due_now() -> None:
    verdict = after(GOOD)
    verdict.leased_by, verdict.leased_until = "somebody", NOW
    restart(verdict, PLAN, NOW)
    assert (verdict.leased_by, verdict.leased_until) == ("", None)
    assert verdict.due_at == NOW


def test_an_address_that_is_not_allowed_is_unknown_at_once() -> None:
    assert after(GOOD, FOREIGN).status == "Unknown"


def test_a_fault_of_the_prober_does_not_take_a_healthy_server_away_at_once() -> None:
    assert after(GOOD, own_failure(PLAN, NOW)).status == "Healthy"
    assert after(own_failure(PLAN, NOW)).error_id == "U-PROBER"


def test_the_probes_of_a_save_are_spread_over_the_interval_from_the_second_on() -> None:
    seconds = {(next_turn(pk, 30, NOW) - NOW).total_seconds() for pk in range(1, 1201)}
    # None at once, none much later than the interval, and in each third of it as many as elsewhere.
    assert 3 <= min(seconds) < 6
    assert 30 < max(seconds) <= 33
    thirds = [sum(low < one - 3 <= low + 10 for one in seconds) for low in (0, 10, 20)]
    assert all(300 < third < 500 for third in thirds), thirds


@pytest.mark.parametrize("interval", [1, 5, 30, 86400])
def test_the_turns_of_a_pair_are_one_interval_apart(interval: int) -> None:
    first = next_turn(7, interval, NOW)
    # Found late, as a busy prober does, and however often that is worked out.
    second = next_turn(7, interval, first + timedelta(seconds=interval / 20))
    assert second - first == pytest.approx(timedelta(seconds=interval), abs=timedelta(seconds=0.01))
    early = next_turn(7, interval, first - timedelta(seconds=interval / 100))
    assert early == pytest.approx(second, abs=timedelta(seconds=0.01))


def test_v1_asks_again_in_quick_succession_and_v2_at_the_interval() -> None:
    quick = replace(PLAN, is_v1=True)
    verdict = after(GOOD, BAD, plan=quick)
    assert (verdict.status, verdict.due_at) == ("Healthy", NOW + RETRY_PAUSE)
    verdict = after(BAD, BAD, verdict=verdict, plan=quick)
    assert verdict.status == "Unhealthy"
    assert verdict.due_at == next_turn(verdict.pk, 30, NOW)
    assert after(GOOD, BAD).due_at == next_turn(7, 30, NOW)


def test_that_nothing_is_known_is_said_at_once() -> None:
    assert after(GOOD, SILENCE).error_id == "U-DNS"


def test_a_server_that_the_probe_always_keeps_counts_as_healthy() -> None:
    plan = replace(PLAN, leg=replace(PLAN.leg, min_servers=2, threshold=1))
    verdict = fresh(1, plan, NOW)
    verdict.pk = 7
    take_in(verdict, plan, BAD, NOW, is_needed=True)
    assert (verdict.status, verdict.error_id) == ("Healthy", "")
    assert "always keeps 2 of the pool's servers" in verdict.message
    assert verdict.message.endswith(BAD.message)
    take_in(verdict, plan, SILENCE, NOW, is_needed=True)
    assert verdict.status == "Unknown"
    take_in(verdict, plan, BAD, NOW, is_needed=False)
    assert (verdict.status, verdict.error_id) == ("Unhealthy", "E-STATUS")


def test_an_address_that_was_answered_is_remembered_and_silence_forgets_nothing() -> None:
    verdict = after(replace(GOOD, address="10.0.1.4"))
    assert verdict.remembered_address == "10.0.1.4"
    assert after(BAD, SILENCE, verdict=verdict).remembered_address == "10.0.1.4"
    found = after(replace(STARTING, address="10.0.1.5"), verdict=verdict)
    assert found.remembered_address == "10.0.1.5"


def test_each_result_is_noted_in_the_history() -> None:
    verdict = after(GOOD, GOOD, BAD, BAD, BAD)
    found = [(one.status, one.error_id, one.probes) for one in periods(verdict.history)]
    assert found == [
        ("Unhealthy", "E-STATUS", 1),
        ("Healthy", "E-STATUS", 2),
        ("Healthy", "", 2),
    ]
    assert after(STARTING, verdict=verdict).history == verdict.history


def test_a_change_of_verdict_is_dated_and_a_repetition_is_not() -> None:
    verdict = after(GOOD)
    assert verdict.changed_at == NOW
    take_in(verdict, PLAN, GOOD, NOW + timedelta(minutes=1))
    assert verdict.changed_at == NOW
    assert verdict.checked_at == NOW + timedelta(minutes=1)


def test_a_lab_server_that_is_starting_is_waited_for() -> None:
    verdict = after(STARTING)
    assert (verdict.status, verdict.error_id) == ("Unknown", "U-NEW")
    assert verdict.rechecking
    assert verdict.due_at - NOW < timedelta(seconds=1)
    assert after(GOOD, verdict=verdict).status == "Healthy"


def test_a_lab_that_restarts_does_not_disturb_a_healthy_server() -> None:
    assert after(GOOD, STARTING, STARTING, STARTING, STARTING).status == "Healthy"


def test_a_lab_that_never_starts_counts_in_the_end_and_is_looked_for_often() -> None:
    verdict = after(*[STARTING] * (STARTING_PATIENCE + 1))
    assert (verdict.status, verdict.error_id) == ("Unhealthy", "E-TCP")
    assert not verdict.rechecking
    assert verdict.due_at == NOW + STOPPED_PAUSE
    assert after(GOOD, verdict=verdict).status == "Healthy"
