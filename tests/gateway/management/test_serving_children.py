"""Children are started, started again, and ended with all they have started."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.management.serving import children, lock
from gateway.management.serving.children import Child, Crew


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Tests must not leave their signal handlers to the tests that follow."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


def python(code: str, name: str = "child") -> Child:
    return Child(name, [sys.executable, "-c", code], dict(os.environ))


def crew_of(*members: Child) -> tuple[Crew, list[str]]:
    said: list[str] = []
    crew = Crew(list(members), said.append)
    crew.listen()
    return crew, said


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for_file(path: Path) -> str:
    deadline = time.monotonic() + 20
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return path.read_text().strip()


def test_a_child_that_ends_is_named_and_started_again_after_a_growing_wait():
    child = python("raise SystemExit(3)", "worker")
    crew, said = crew_of(child)
    crew.tend()
    deadline = time.monotonic() + 20
    while len(said) < 2 and time.monotonic() < deadline:
        crew.wait(crew.tend())
    crew.end()
    assert said == [
        "The worker ended unexpectedly (exit code 3); starting it again in 0.5 s.",
        "The worker ended unexpectedly (exit code 3); starting it again in 1 s.",
    ]


def test_a_child_that_ran_long_starts_again_soon(monkeypatch):
    monkeypatch.setattr(children, "SETTLED", -1.0)
    child = python("pass")
    child.wait = 16.0
    crew, said = crew_of(child)
    crew.tend()
    assert child.process is not None
    child.process.wait()
    assert crew.tend() <= children.BACKOFF_FIRST
    assert "in 0.5 s" in said[0]
    crew.end()


def test_the_wait_has_an_end():
    child = python("pass")
    child.wait = children.BACKOFF_MOST
    crew, _ = crew_of(child)
    crew.tend()
    assert child.process is not None
    child.process.wait()
    crew.tend()
    assert child.wait == children.BACKOFF_MOST


def test_what_a_child_started_ends_with_it(tmp_path):
    note = tmp_path / "pid"
    grandchild = "import time; time.sleep(600)"
    child = python(
        "import subprocess, sys, pathlib\n"
        f"p = subprocess.Popen([sys.executable, '-c', {grandchild!r}])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(p.pid) + chr(10))\n"
        "p.wait()"
    )
    crew, _ = crew_of(child)
    crew.tend()
    process = int(wait_for_file(note))
    assert alive(process)
    crew.end()
    deadline = time.monotonic() + 10
    while alive(process):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_child_that_does_not_listen_is_killed_after_its_grace(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "GRACE", 0.3)
    note = tmp_path / "up"
    child = python(
        "import signal, pathlib, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(note)!r}).write_text('up' + chr(10))\n"
        "time.sleep(600)"
    )
    crew, _ = crew_of(child)
    crew.tend()
    wait_for_file(note)
    assert child.process is not None
    crew.end()
    assert child.process.returncode == -signal.SIGKILL


def test_a_stop_request_wakes_and_a_second_one_hurries():
    crew, _ = crew_of()
    os.kill(os.getpid(), signal.SIGINT)
    started = time.monotonic()
    crew.wait(30)
    assert time.monotonic() - started < 10
    assert (crew.stopping, crew.impatient) == (True, False)
    os.kill(os.getpid(), signal.SIGTERM)
    crew.wait(30)
    assert crew.impatient


def test_a_manner_of_ending_is_told_in_words():
    assert children.manner(1) == "exit code 1"
    assert children.manner(-9) == "SIGKILL"
    assert children.manner(-250) == "signal 250"


def test_a_data_directory_is_held_once_and_free_afterwards(tmp_path):
    with (
        lock.held(tmp_path),
        pytest.raises(lock.InUseError, match=rf"\(process {os.getpid()}\)"),
        lock.held(tmp_path),
    ):
        pytest.fail("held twice")
    with lock.held(tmp_path):
        pass
