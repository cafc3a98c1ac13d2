"""Every documented cause can be brought about, by a lab server or by a switch of the subnet."""

from __future__ import annotations

import pytest

from gateway.health.catalogue import HEALTH_KINDS
from gateway.lab.causes import CAUSES, HELP_ONLY, Cause
from gateway.lab.scenarios import BY_ID
from gateway.models import SimulatedCause

# This installation's own, which no documented cause is behind.
OWN = {"U-NOT-ALLOWED", "U-PROBER"}


def test_every_health_id_has_its_cause() -> None:
    assert set(CAUSES) == set(HEALTH_KINDS) - HELP_ONLY - OWN


@pytest.mark.parametrize("id", CAUSES)
def test_a_cause_is_a_server_or_a_switch_that_exists(id: str) -> None:
    cause: Cause = CAUSES[id]

    assert bool(cause.scenario) != bool(cause.switch)
    assert not cause.scenario or cause.scenario in BY_ID
    assert not cause.switch or cause.switch == id
    assert not cause.dns or BY_ID[cause.dns].is_dns
    assert cause.how.endswith(".")


def test_every_switch_is_the_cause_of_its_id() -> None:
    assert {cause.switch for cause in CAUSES.values() if cause.switch} == set(SimulatedCause.values)
