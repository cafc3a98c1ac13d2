from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from certificates.x509.issuing.issue import load_issued
from gateway.accounts.models import Subscription, User
from gateway.lab.renewal import renew_due
from gateway.lab.sandbox import ensure_sandbox
from gateway.lab.scenarios import SCENARIOS
from gateway.models import Activity, LabServer
from tests.factories import NOW, change
from tests.gateway.lab.conftest import server_of

SOON = NOW + timedelta(days=710)
# Two networks, and every server with a certificate but those whose dates are wrong on purpose.
RENEWABLE = 2 * sum(
    one.is_tls and one.presents not in ("expired", "not-yet-valid") for one in SCENARIOS
)


@pytest.fixture
def sandbox(user: User) -> Subscription:
    return ensure_sandbox(user, NOW)


def last_day(server: LabServer) -> datetime:
    server.refresh_from_db()
    assert server.leaf is not None
    return server.leaf.parsed.not_after


def test_nothing_is_renewed_long_before_its_last_day(sandbox: Subscription) -> None:
    assert renew_due(NOW + timedelta(days=600)) == 0


def test_what_expires_soon_is_renewed_and_recorded(sandbox: Subscription) -> None:
    assert renew_due(SOON) == RENEWABLE

    server = server_of(sandbox, "full-chain")
    assert last_day(server) > SOON + timedelta(days=365)
    assert server.leaf is not None
    assert server.presented.startswith(server.leaf.parsed.pem)
    assert load_issued(server.leaf.parsed, bytes(server.key.pem))
    activity = Activity.objects.get(operation="Renew lab certificates")
    assert len(activity.changes) == RENEWABLE
    assert renew_due(SOON) == 0


def test_both_networks_share_the_renewed_certificate(sandbox: Subscription) -> None:
    renew_due(SOON)

    first = server_of(sandbox, "full-chain", "myResourceGroupAG")
    second = server_of(sandbox, "full-chain", "myResourceGroupAG-v1")
    assert first.presented == second.presented
    assert bytes(first.key.pem) == bytes(second.key.pem)


def test_the_expired_server_stays_expired(sandbox: Subscription) -> None:
    before = last_day(server_of(sandbox, "expired"))

    renew_due(SOON)

    assert last_day(server_of(sandbox, "expired")) == before < NOW


def test_an_unknown_scenario_is_left_alone(sandbox: Subscription) -> None:
    change(server_of(sandbox, "full-chain"), scenario="from-the-future")

    assert renew_due(SOON) == RENEWABLE - 1


def test_the_sandbox_of_a_locked_user_is_left_alone(
    sandbox: Subscription, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    user.is_active = False
    user.save()

    assert renew_due(SOON) == 0
    assert "not renewed" in caplog.text
