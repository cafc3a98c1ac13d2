"""Thresholds, first results and the next probe."""

from dataclasses import replace
from datetime import timedelta

from gateway.health.catalogue import E_STATUS, E_TCP, U_NOT_ALLOWED
from gateway.health.judge import Judged, own_failure
from gateway.health.plans import ProbePlan
from gateway.health.standing import (
    STARTING_PATIENCE,
    STOPPED_PAUSE,
    fresh,
    restart,
    take_in,
)
from gateway.models import Verdict
from tests.factories import NOW
from tests.gateway.health.scenes import plan_for

PLAN = plan_for()
GOOD = Judged(Verdict.Status.HEALTHY, None, "Answered 200.", {"good": True})
BAD = Judged(Verdict.Status.UNHEALTHY, E_STATUS, "The server answered 500.", {"bad": True})
WORSE = Judged(Verdict.Status.UNHEALTHY, E_TCP, "No connection.", {"worse": True})
FOREIGN = Judged(Verdict.Status.UNKNOWN, U_NOT_ALLOWED, "Not connected to.", {})
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


def test_the_next_probe_is_due_after_about_the_interval_the_same_for_a_pair() -> None:
    due = {}
    for pk in range(1, 50):
        verdict = fresh(1, PLAN, NOW)
        verdict.pk = pk
        due[pk] = after(GOOD, verdict=verdict).due_at
        assert timedelta(seconds=28.5) <= due[pk] - NOW <= timedelta(seconds=31.5)
        assert after(GOOD, verdict=verdict).due_at == due[pk]
    assert len(set(due.values())) > 20


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
