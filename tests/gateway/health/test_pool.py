"""Threads that probe: how many are at work, and how many only wait."""

import threading
import time
from collections.abc import Callable

import pytest

from gateway.health import pool as pools
from gateway.health.pool import Pool


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "PATIENCE", 0.05)


class Held:
    """Work that goes on until it is let go."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.lock = threading.Lock()
        self.started = 0
        self.done = 0

    def __call__(self) -> None:
        with self.lock:
            self.started += 1
        self.gate.wait(10)
        with self.lock:
            self.done += 1


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_there_is_room_for_those_at_work_and_as_many_in_the_queue() -> None:
    pool, held = Pool(3), Held()
    assert pool.room() == 6
    for _ in range(6):
        pool.submit(held)
    assert pool.room() == 0
    wait_for(lambda: held.started == 3)
    held.gate.set()
    wait_for(lambda: held.done == 6)
    wait_for(lambda: pool.room() == 6)


def test_those_that_only_wait_do_not_count_and_the_queue_moves_on() -> None:
    pool, held = Pool(2, 5), Held()
    for _ in range(4):
        pool.submit(held)
    wait_for(lambda: held.started == 2)
    # After a while the two count as waiting, and two more begin without another submission.
    wait_for(lambda: pool.room() > 0 and held.started == 4)
    for _ in range(4):
        pool.submit(held)
    wait_for(lambda: pool.room() == 0 and held.started == 5)
    time.sleep(0.1)
    assert pool.room() == 0
    assert held.started == 5
    held.gate.set()
    wait_for(lambda: held.done == 8)
    wait_for(lambda: pool.room() == 4)


def test_a_machine_without_a_thread_to_spare_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool, held = Pool(2), Held()
    held.gate.set()

    def exhausted(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", exhausted)
        pool.submit(held)
        assert pool.room() == 3
    assert held.started == 0
    wait_for(lambda: pool.room() == 4)
    assert held.done == 1


def test_work_that_fails_does_not_take_its_thread_along(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise RuntimeError("something unforeseen")

    pool, held = Pool(1), Held()
    held.gate.set()
    pool.submit(fail)
    pool.submit(held)
    wait_for(lambda: held.done == 1)
    assert "something unforeseen" in caplog.text
