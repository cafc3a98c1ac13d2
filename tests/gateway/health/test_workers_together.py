"""Four prober processes on one PostgreSQL: they share the work, and two may die."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from gateway.models import (
    ApplicationGateway,
    BackendHttpSettings,
    LabEndpoint,
    LabServer,
    Verdict,
)
from tests import factories, servers
from tests.gateway.health.lab import network_of, point_pool_at

ROOT = Path(__file__).resolve().parents[3]
PAIRS = 40
NAMES = [f"s{number}.contoso.test" for number in range(PAIRS)]
# Seconds that a backend takes to answer: long enough for several to be asked at any moment.
PAUSE = 0.5


class Watch:
    """Who is being asked at the moment, by the Host header."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.busy: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.twice_at_once: list[str] = []

    def serve(self, connection: socket.socket) -> None:
        head = servers.read_head(connection)
        host = next(line[6:] for line in head.split("\r\n") if line.startswith("Host: "))
        with self.lock:
            self.busy[host] += 1
            if self.busy[host] > 1:
                self.twice_at_once.append(host)
        try:
            connection.settimeout(PAUSE)
            # A prober that is killed hangs up; one that lives waits.
            if connection.recv(1) == b"":
                return
        except TimeoutError:
            pass
        finally:
            with self.lock:
                self.busy[host] -= 1
                self.answered[host] += 1
        connection.sendall(servers.answer())


@pytest.mark.django_db(transaction=True)
def test_four_workers_share_the_work_and_two_of_them_may_be_killed() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Several processes share a database server, not an embedded one.")
    watch = Watch()
    with servers.listening(lambda _: watch.serve) as server, workers(4) as processes:
        a_gateway(server.port)
        wait_for(lambda: Verdict.objects.filter(status="Healthy").count() == PAIRS, 90)
        wait_for(lambda: sum(watch.busy.values()) >= PAIRS // 5)
        for process in processes[:2]:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        killed_at = timezone.now()
        stuck = dict(
            Verdict.objects.exclude(leased_by="").values_list("pk", "leased_by").order_by("pk")
        )
        # What the living hold is written and given back; what the dead held stays leased.
        wait_for(lambda: not waiting(killed_at).exclude(pk__in=stuck).exists(), 30)
        wait_for(lambda: waiting(killed_at).exclude(leased_by__in=stuck.values()).count() == 0, 30)
        left = list(waiting(killed_at).values_list("pk", flat=True))
        assert left
        # The leases of the dead run out; nobody has to notice that they died.
        Verdict.objects.filter(pk__in=left).update(leased_until=killed_at - timedelta(seconds=1))
        wait_for(lambda: not waiting(killed_at).exists(), 30)
        assert Verdict.objects.filter(status="Healthy").count() == PAIRS
    assert watch.twice_at_once == []
    assert set(watch.answered) == set(NAMES)


def waiting(since: datetime) -> QuerySet[Verdict]:
    """The pairs without a result since a moment."""
    return Verdict.objects.filter(checked_at__lte=since)


def a_gateway(port: int) -> ApplicationGateway:
    """Its pool has :data:`PAIRS` servers that are all behind one port; probed each second."""
    gateway = factories.v2_gateway()
    probe = factories.add_probe(
        gateway, "often", pick_host_name_from_settings=True, interval=1, timeout=5
    )
    settings = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(settings, probe=probe, pick_host_name_from_backend_address=True)
    for number, name in enumerate(NAMES):
        server = factories.add_row(
            LabServer,
            virtual_network=network_of(gateway),
            name=f"s{number}",
            scenario="plain-http",
            address=f"10.0.1.{number + 10}",
            fqdn=name,
            port=80,
        )
        LabEndpoint.objects.create(
            server=server,
            port=80,
            real_host="127.0.0.1",
            real_port=port,
            reported_at=timezone.now(),
        )
    point_pool_at(gateway, *NAMES)
    return gateway


@contextmanager
def workers(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many ``manage.py worker`` processes on the database of this test."""
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(database['HOST'])}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "gateway.settings",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "worker", "--threads", "8"]
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            process = subprocess.Popen(command, env=environment, cwd=ROOT)
            stack.callback(process.wait, 10)
            stack.callback(process.kill)
            processes.append(process)
        yield processes


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.05)
