"""Traffic through a whole installation: while it is changed, and while its parts are killed."""

from __future__ import annotations

import http.client
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.test_run import ROOT, outside, wait_for
from tests.traffic.h2client import get_many
from tests.traffic.installation import HOST, Installation
from tests.traffic.load import PATIENCE, insecure, one_request, under_load

SAVES = 100
# Seconds without an answer after a kill, on a machine that has no time: Envoy is started again, and
# its agent before it. The bench and the output tell how long it takes where there is time.
ENVOY_BACK = 20.0
AGENT_BACK = 40.0
PORTAL_GONE = 5.0


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    found = Installation(tmp_path_factory.mktemp("traffic") / "installation")
    try:
        found.start()
        yield found
    finally:
        found.clean_up()


def test_no_request_fails_during_a_hundred_saves(installation: Installation) -> None:
    before = installation.query("select max(generation) from gateway_applicationgateway")
    with under_load(installation) as load:
        wait_for(lambda: all(load.answered.values()), PATIENCE, f"every client: {load.failed}")
        installation.saves("many", str(SAVES), "0.03")
        [(generation,)] = installation.query(
            "select max(generation) from gateway_applicationgateway"
        )
        accepted = f"select 1 from gateway_agentstate where accepted and generation = {generation}"
        wait_for(lambda: installation.query(accepted), PATIENCE, "the last save to be accepted")
        # How many each manages is the machine's affair: handshakes wait for the others' turns.
        wait_for(lambda: min(load.answered.values()) > 5, PATIENCE, "five of each kind")
    assert int(generation) == int(before[0][0]) + SAVES
    assert not any(load.failed.values()), load.failed
    print(f"{sum(load.answered.values())} requests during {SAVES} saves: {load.answered}")


@dataclass
class Watch:
    """The moments at which a client with new connections got an answer."""

    times: list[float] = field(default_factory=list)

    def gap(self, since: float) -> float:
        """Seconds from ``since`` without an answer, at the worst."""
        marks = [since, *(moment for moment in list(self.times) if moment > since)]
        return max((b - a for a, b in itertools.pairwise(marks)), default=0.0)


@contextmanager
def watched(installation: Installation) -> Iterator[Watch]:
    host, port = installation.place(80)
    watch, stop = Watch(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            connection = http.client.HTTPConnection(host, port, timeout=2)
            try:
                one_request(connection)
                watch.times.append(time.monotonic())
            except (OSError, http.client.HTTPException, AssertionError):
                stop.wait(0.005)
            finally:
                connection.close()
            stop.wait(0.005)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join(5)


def answering_since(watch: Watch, moment: float) -> bool:
    return bool(watch.times) and watch.times[-1] > moment


def portal_answers(installation: Installation) -> bool:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", installation.tls_port, timeout=2, context=insecure()
    )
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@pytest.mark.parametrize("order", list(itertools.permutations(("engine", "agent", "portal"))))
def test_traffic_resumes_whatever_is_killed(
    installation: Installation, order: tuple[str, ...]
) -> None:
    with watched(installation) as watch:
        wait_for(lambda: answering_since(watch, 0), PATIENCE, "traffic")
        told = []
        for what in order:
            wait_for(lambda: portal_answers(installation), 90, "the portal")
            wait_for(lambda: len(installation.child("dataplane", "run")) == 1, 90, "the agent")
            victims = {
                "engine": lambda: [installation.engine],
                "agent": lambda: [installation.agent],
                "portal": lambda: installation.portal,
            }[what]()
            since = time.monotonic()
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
            # Long enough that what ends with its parent has ended.
            moment = since + 0.3
            wait_for(lambda moment=moment: answering_since(watch, moment), 90, f"life after {what}")
            gap = watch.gap(since)
            told.append(f"{what} {gap:.2f} s")
            if what == "portal":
                assert gap < PORTAL_GONE, "Traffic needs no portal."
            elif what == "engine":
                assert gap < ENVOY_BACK
            else:
                assert gap < AGENT_BACK
        print(f"without an answer after the kill of: {', '.join(told)}")


def test_keys_stand_in_no_dump_log_or_process_list(installation: Installation) -> None:
    home = installation.data / "dataplane"
    keys = [path.read_text() for path in (home / "files").glob("*.key")]
    assert keys
    secrets = [line for key in keys for line in key.splitlines() if len(line) > 40]
    kept = (home / "portal.json").read_text().partition('"credential": "')[2].partition('"')[0]
    assert len(kept) > 20
    places = {
        "config dump": admin(home, "/config_dump?include_eds"),
        "certificates": admin(home, "/certs"),
        "output": installation.text,
        **{path.name: path.read_text() for path in home.glob("*.log*")},
        **{path.name: path.read_text() for path in home.glob("?ds.json")},
    }
    for pid in installation.family:
        for name in ("cmdline", "environ"):
            text = Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
            places[f"{name} of {pid}"] = text
    for place, text in places.items():
        for secret in (*secrets, kept):
            assert secret not in text, place
    assert "secure" in places["config dump"]


def admin(home: Path, target: str) -> str:
    from gateway.dataplane.agent.admin import ask

    return ask(home / "admin.sock", target).decode()


def test_an_agent_started_while_the_portal_is_down_serves_what_it_has(
    installation: Installation,
) -> None:
    wait_for(lambda: len(installation.child("dataplane", "run")) == 1, 90, "the agent")
    os.kill(installation.process.pid, signal.SIGSTOP)
    agent = None
    try:
        for pid in (*installation.portal, installation.agent):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not portal_answers(installation), PATIENCE, "the portal to be gone")
        engine = installation.engine
        wait_for(lambda: not alive(engine), PATIENCE, "Envoy to end with its agent")
        since = time.monotonic()
        agent = subprocess.Popen(
            [sys.executable, "manage.py", "dataplane", "run"],
            cwd=ROOT,
            env={**outside(), "GATEWRIGHT_DATA": str(installation.data)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with watched(installation) as watch:
            wait_for(lambda: answering_since(watch, since), PATIENCE, "traffic without a portal")
        assert not portal_answers(installation)
        get_many(*installation.place(443), HOST, 20)
    finally:
        if agent is not None:
            agent.terminate()
            agent.wait(PATIENCE)
        os.kill(installation.process.pid, signal.SIGCONT)
    wait_for(lambda: portal_answers(installation), 90, "the portal to be back")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
