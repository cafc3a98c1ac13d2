"""Who gets in: single-use tokens, hashed credentials, revocation, HTTPS only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from gateway.agents import register
from gateway.models import Agent, EnrolmentToken
from tests.gateway.agents.door import Door, report


def test_a_token_is_traded_for_a_credential_once(door: Door) -> None:
    token = register.issue_token("node", now=timezone.now())
    first = door.post("enrol", {"token": token})
    assert first.status_code == 201
    assert first.json()["name"] == "node"
    again = door.post("enrol", {"token": token})
    assert again.status_code == 403
    assert Agent.objects.count() == 1


def test_neither_token_nor_credential_is_stored(door: Door) -> None:
    token = register.issue_token("node", now=timezone.now())
    credential = door.post("enrol", {"token": token}).json()["credential"]
    stored = repr(list(Agent.objects.values()) + list(EnrolmentToken.objects.values()))
    assert token not in stored
    assert credential not in stored


def test_a_token_runs_out(door: Door) -> None:
    token = register.issue_token("node", now=timezone.now() - register.LIFETIME)
    assert door.post("enrol", {"token": token}).status_code == 403


def test_tokens_that_ran_out_do_not_pile_up(door: Door) -> None:
    now = timezone.now()
    register.issue_token("old", now=now - 2 * register.LIFETIME)
    register.issue_token("new", now=now)
    assert [row.name for row in EnrolmentToken.objects.all()] == ["new"]


def test_a_token_for_the_name_of_an_agent_that_is_there_is_neither_issued_nor_taken(
    door: Door,
) -> None:
    now = timezone.now()
    token = register.issue_token("node", now=now)
    register.admit_local("node", now=now)
    assert door.post("enrol", {"token": token}).status_code == 403
    with pytest.raises(register.NameTakenError):
        register.issue_token("node", now=now)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"token": 7}', b"[" * 100_000])
def test_what_is_no_token_is_refused(door: Door, content: bytes) -> None:
    assert door.post("enrol", content).status_code == 400


@pytest.mark.parametrize("credential", ["", "wrong", "x" * 5000, "ü"])
def test_a_stranger_is_told_nothing(door: Door, credential: str) -> None:
    door.credential = credential
    answer = door.bundle()
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert door.post("report", report()).status_code == 401


def test_a_session_of_the_portal_opens_nothing(door: Door) -> None:
    from tests import factories

    door.client.force_login(factories.make_user())
    assert door.bundle().status_code == 401


def test_the_door_is_closed_to_an_agent_that_was_revoked(door: Door) -> None:
    agent = door.enrolled("node")
    assert agent.bundle().status_code == 200
    assert register.revoke("node", now=timezone.now())
    assert agent.bundle().status_code == 401
    assert agent.post("report", report()).status_code == 401
    assert not register.revoke("node", now=timezone.now())


def test_one_that_enrols_again_under_a_revoked_name_gets_a_new_credential(door: Door) -> None:
    first = door.enrolled("node")
    register.revoke("node", now=timezone.now())
    second = door.enrolled("node")
    assert second.bundle().status_code == 200
    assert first.bundle().status_code == 401


def test_a_fresh_credential_for_the_local_agent_ends_the_one_before(door: Door) -> None:
    now = timezone.now()
    old = register.admit_local("here", now=now)
    new = register.admit_local("here", now=now)
    door.credential = old
    assert door.bundle().status_code == 401
    door.credential = new
    assert door.bundle().status_code == 200


def test_over_plain_http_nobody_is_answered(door: Door, settings: Any) -> None:
    agent = door.enrolled()
    settings.GATEWRIGHT_SCHEME = "http"
    for answer in (agent.bundle(), agent.post("report", report())):
        assert answer.status_code == 403
        assert "HTTPS" in answer.json()["error"]
    token = register.issue_token("other", now=timezone.now())
    assert door.post("enrol", {"token": token}).status_code == 403
    # … and the token is not used up by that.
    settings.GATEWRIGHT_SCHEME = "https"
    assert door.post("enrol", {"token": token}).status_code == 201


def test_being_seen_is_written_every_few_seconds_at_most(door: Door) -> None:
    door.enrolled()
    agent = Agent.objects.get()
    now = timezone.now()
    register.seen(agent, now=now)
    register.seen(agent, now=now + timedelta(seconds=1))
    assert Agent.objects.get().last_seen_at == now
    later = now + register.SEEN_EVERY
    register.seen(agent, now=later)
    assert Agent.objects.get().last_seen_at == later
