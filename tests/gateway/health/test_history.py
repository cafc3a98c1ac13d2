"""What was found about a pair over time."""

from datetime import timedelta

from gateway.health.history import MOST_PERIODS, noted, periods
from tests.factories import NOW

MINUTE = timedelta(minutes=1)


def test_like_results_in_a_row_are_one_period() -> None:
    history = noted([], "Healthy", "", 10.0, NOW)
    history = noted(history, "Healthy", "", 30.0, NOW + MINUTE)
    history = noted(history, "Healthy", "", 20.0, NOW + 2 * MINUTE)
    (period,) = periods(history)
    assert (period.status, period.error_id, period.probes) == ("Healthy", "", 3)
    assert (period.since, period.until) == (NOW, NOW + 2 * MINUTE)
    assert (period.ms, period.slowest) == (20.0, 30.0)


def test_another_result_begins_a_period_and_the_newest_comes_first() -> None:
    history = noted([], "Healthy", "", 10.0, NOW)
    history = noted(history, "Healthy", "E-TCP", 1.0, NOW + MINUTE)
    history = noted(history, "Unhealthy", "E-TCP", 1.0, NOW + 2 * MINUTE)
    found = [(one.status, one.error_id, one.since) for one in periods(history)]
    assert found == [
        ("Unhealthy", "E-TCP", NOW + 2 * MINUTE),
        ("Healthy", "E-TCP", NOW + MINUTE),
        ("Healthy", "", NOW),
    ]


def test_only_so_many_periods_are_kept_and_the_oldest_go() -> None:
    history: list[dict[str, object]] = []
    for number in range(MOST_PERIODS + 20):
        history = noted(history, "Unhealthy", f"E-{number}", 1.0, NOW + number * MINUTE)
    kept = periods(history)
    assert len(kept) == MOST_PERIODS
    assert kept[0].error_id == f"E-{MOST_PERIODS + 19}"
    assert kept[-1].error_id == "E-20"


def test_a_pair_that_was_never_probed_has_no_history() -> None:
    assert periods([]) == ()
