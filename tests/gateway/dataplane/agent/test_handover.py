"""Asking an agent to become what is installed now; what it says of itself."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gateway.dataplane.agent import handover
from gateway.dataplane.agent.handover import Told, UpgradeError, told
from gateway.dataplane.agent.home import Home, held, is_held


@pytest.fixture
def place(tmp_path: Path) -> Home:
    found = Home(tmp_path / "home")
    found.make()
    return found


def test_what_an_agent_says_is_kept_for_its_owner(place: Home) -> None:
    assert told(place) is None
    said = Told(7, 123, "Envoy carries traffic.", 2)
    said.keep(place.agent_state)
    assert told(place) == said
    assert stat.S_IMODE(place.agent_state.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": "x", "begun": 1, "said": ""}'])
def test_what_cannot_be_read_says_nothing(place: Home, content: str) -> None:
    place.agent_state.write_text(content)
    assert told(place) is None


def test_a_directory_is_held_by_a_living_agent_only(place: Home) -> None:
    assert not is_held(place)
    with held(place):
        assert is_held(place)
    assert not is_held(place)


def test_nobody_is_asked_where_no_agent_works(place: Home) -> None:
    # What a dead one has said must not lead to whoever has its number now.
    Told(os.getpid(), 1, "x").keep(place.agent_state)
    with pytest.raises(UpgradeError, match="No agent works in"):
        handover.ask(place)
    with held(place), pytest.raises(UpgradeError, match="No agent works in"):
        handover.ask(place)


AGENT = """
import pathlib, signal, sys, threading
from gateway.dataplane.agent.handover import Told
from gateway.dataplane.agent.home import Home, held
import os
place, what = Home(pathlib.Path(sys.argv[1])), sys.argv[2]
asked = threading.Event()
signal.signal(signal.SIGUSR2, lambda *_: asked.set())
with held(place):
    Told(os.getpid(), 1, "first").keep(place.agent_state)
    print("ready", flush=True)
    asked.wait(60)
    if what == "becomes":
        Told(os.getpid(), 2, "second").keep(place.agent_state)
    elif what == "refuses":
        Told(os.getpid(), 1, "not this one", 1).keep(place.agent_state)
    if what != "ends":
        threading.Event().wait(60)
"""


@pytest.mark.parametrize(
    ("what", "words"),
    [("becomes", "second"), ("refuses", "not this one"), ("ends", "The agent has ended")],
)
def test_the_answer_of_an_agent_is_waited_for(place: Home, what: str, words: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", AGENT, str(place.path), what],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ".", "DJANGO_SETTINGS_MODULE": "tests.settings"},
    ) as agent:
        try:
            assert agent.stdout is not None
            assert agent.stdout.readline() == "ready\n"
            if what == "becomes":
                assert handover.ask(place) == words
            else:
                with pytest.raises(UpgradeError, match=words):
                    handover.ask(place)
        finally:
            agent.kill()


def test_an_agent_that_does_not_answer_is_given_up(place: Home) -> None:
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        with held(place):
            Told(os.getpid(), 1, "x").keep(place.agent_state)
            with pytest.raises(UpgradeError, match="does not answer"):
                handover.ask(place, patience=0.1)
    finally:
        signal.signal(signal.SIGUSR2, signal.SIG_DFL)


def test_locks_are_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = os.pipe()
    try:
        for descriptor in (one, two):
            os.set_inheritable(descriptor, True)
        monkeypatch.setenv(handover.LOCKS, f"{one},{two}")
        assert handover.locks() == (one, two)
        assert not os.get_inheritable(one)
        assert handover.locks() == (None, None)
        monkeypatch.setenv(handover.LOCKS, "x")
        assert handover.locks() == (None, None)
    finally:
        os.close(one)
        os.close(two)


def test_what_cannot_be_executed_leaves_everything_as_it_was(tmp_path: Path) -> None:
    one, two = os.pipe()
    try:
        with pytest.raises(OSError, match="No such file"):
            handover.become([str(tmp_path / "absent")], one, two)
        assert not os.get_inheritable(one)
        assert not os.get_inheritable(two)
    finally:
        os.close(one)
        os.close(two)


def test_signals_that_come_between_two_programs_are_not_lost() -> None:
    came = threading.Event()
    before = signal.signal(signal.SIGUSR2, lambda *_: came.set())
    try:
        handover.hold_back_signals()
        # To this thread: another one of the tests' process might take it at once.
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)
        assert not came.is_set()
        handover.take_signals()
        assert came.wait(10)
    finally:
        handover.take_signals()
        signal.signal(signal.SIGUSR2, before)
