"""A running lab for tests: the real process's loop in a thread, on ports that the system picks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gateway.accounts.models import Subscription, User
from gateway.lab.servers import serve
from gateway.models import LabEndpoint, LabServer
from tests.factories import make_user


def eventually(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait until ``condition`` holds; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not come true in time."
        time.sleep(0.02)


@contextmanager
def running_lab(interval: float = 0.05) -> Iterator[None]:
    """Serve the lab while the block runs."""
    stopping: list[Callable[[], object]] = []
    ready = threading.Event()

    async def work() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stopping.append(lambda: loop.call_soon_threadsafe(stop.set))
        ready.set()
        await serve(stop, interval=interval)

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        stopping[0]()
        thread.join(timeout=20)
        assert not thread.is_alive()


@pytest.fixture
def user(db: None) -> User:
    return make_user("alice")


def endpoint(server: LabServer, port: int | None) -> tuple[str, int]:
    """Where a port of ``server`` really is, once the lab has reported it."""
    eventually(lambda: LabEndpoint.objects.filter(server=server).exists())
    row = LabEndpoint.objects.filter(server=server, port=port).first()
    row = row or LabEndpoint.objects.get(server=server, port=None)
    return row.real_host, row.real_port


def server_of(subscription: Subscription, scenario: str, group: str = "") -> LabServer:
    return LabServer.objects.get(
        virtual_network__group__subscription=subscription,
        virtual_network__group__name=group or "myResourceGroupAG",
        scenario=scenario,
    )
