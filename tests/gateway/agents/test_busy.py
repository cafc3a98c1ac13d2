"""While the database is busy an agent is asked to come again, in the form that it reads."""

from __future__ import annotations

import sqlite3
from typing import Any, NoReturn

import pytest
from django.db import OperationalError
from django.utils import timezone

from gateway.agents import register
from tests.gateway.agents.door import Door, report


def locked(*_: Any, **__: Any) -> NoReturn:
    """As Django tells of a database that another process keeps locked."""
    reason = sqlite3.OperationalError("database is locked")
    reason.sqlite_errorcode = sqlite3.SQLITE_BUSY
    try:
        raise reason
    except sqlite3.OperationalError:
        raise OperationalError("database is locked")  # noqa: B904  (it is the context that counts)


def told_to_wait(answer: Any) -> bool:
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Retry-After"]) > 0
    assert set(answer.json()) == {"error"}
    return "busy" in answer.json()["error"]


def test_agents_are_asked_to_come_again(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = door.enrolled()
    with monkeypatch.context() as patched:
        patched.setattr(register, "known", locked)
        assert told_to_wait(agent.bundle())
        assert told_to_wait(agent.post("report", report()))
    assert agent.bundle().status_code == 200
    assert agent.post("report", report()).status_code == 204


def test_a_token_outlives_a_busy_moment(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    token = register.issue_token("node", now=timezone.now())
    with monkeypatch.context() as patched:
        patched.setattr(register, "_admit", locked)
        assert told_to_wait(door.post("enrol", {"token": token}))
    assert door.post("enrol", {"token": token}).status_code == 201
