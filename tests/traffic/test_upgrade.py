"""Agents that become another while they carry traffic, and agents on other machines."""

from __future__ import annotations

import http.client
import ipaddress
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.utils import timezone

from certificates.x509.issuing import issue
from gateway.dataplane.agent import binary
from tests.test_run import ROOT, outside, wait_for
from tests.traffic.installation import HOST, Installation
from tests.traffic.load import PATIENCE, Load, under_load

UPGRADE = 300.0  # seconds; on a quiet machine two or three
NODE = "node-2"


class Binary:
    """An Envoy that can be replaced by another file of the same name."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self.renew()

    def renew(self, what: str = "") -> None:
        self.count += 1
        text = what or f'exec {binary.find(None).path} "$@"'
        draft = self.path.with_suffix(".new")
        draft.write_text(f"#!/bin/sh\n# {self.count}\n{text}\n")
        draft.chmod(0o700)
        draft.replace(self.path)


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Binary:
    return Binary(tmp_path_factory.mktemp("engine") / "envoy")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, envoy: Binary) -> Iterator[Installation]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ENVOY_BIN", str(envoy.path))
        found = Installation(tmp_path_factory.mktemp("upgrade") / "installation")
        try:
            found.start()
            yield found
        finally:
            found.clean_up()


def manage(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command of the data plane in a data directory."""
    return subprocess.run(
        [sys.executable, "manage.py", "dataplane", *arguments],
        cwd=ROOT,
        env={**outside(), "GATEWRIGHT_DATA": str(data), **environment},
        capture_output=True,
        text=True,
        timeout=UPGRADE,
        check=False,
    )


def more(load: Load, count: int = 5) -> None:
    """Wait until each client has got more answers."""
    before = dict(load.answered)

    def enough() -> bool:
        return all(load.answered[name] >= before[name] + count for name in before)

    wait_for(lambda: enough() or any(load.failed.values()), PATIENCE, f"answers: {load.answered}")


def test_no_request_fails_while_agent_and_envoy_become_others(
    installation: Installation, envoy: Binary
) -> None:
    agent, engine = installation.agent, installation.engine
    # Nothing new: Envoy stays the same process.
    done = manage(installation.data, "upgrade")
    assert "left alone" in done.stdout, (done.stdout, done.stderr, installation.text)
    assert (installation.agent, installation.engine) == (agent, engine)
    with under_load(installation) as load:
        more(load)
        envoy.renew()
        done = manage(installation.data, "upgrade")
        assert "has taken over" in done.stdout, (done.stdout, done.stderr, installation.text)
        assert installation.engine != engine
        more(load)
        # What is saved now, the new one takes in.
        installation.saves("many", "2", "0.03")
        [(generation,)] = installation.query(
            "select max(generation) from gateway_applicationgateway"
        )
        accepted = f"select 1 from gateway_agentstate where accepted and generation = {generation}"
        wait_for(lambda: installation.query(accepted), PATIENCE, "the last save to be accepted")
        more(load)
    assert not any(load.failed.values()), load.failed
    assert installation.agent == agent
    print(f"{sum(load.answered.values())} requests during an upgrade: {load.answered}")


def test_an_envoy_that_would_not_work_is_not_taken(
    installation: Installation, envoy: Binary
) -> None:
    engine = installation.engine
    envoy.renew("exit 1")
    try:
        done = manage(installation.data, "upgrade")
    finally:
        envoy.renew()
    assert done.returncode != 0
    assert "No upgrade, and what runs goes on: envoy does not tell its version" in done.stderr
    assert installation.engine == engine
    with under_load(installation) as load:
        more(load)
    assert not any(load.failed.values()), load.failed


def test_without_an_agent_there_is_nothing_to_upgrade(tmp_path: Path) -> None:
    done = manage(tmp_path, "upgrade")
    assert done.returncode != 0
    assert "No agent works in" in done.stderr


# -- Another machine -----------------------------------------------------------------------------


class Machine:
    """A data directory of its own on this host, with a loopback range of its own."""

    def __init__(self, path: Path, portal: Installation) -> None:
        self.data, self.portal = path, portal
        self.output = path.with_suffix(".out")

    def enrol(self, token: str, authority: Path | None = None) -> str:
        """What was said; raises nothing."""
        done = manage(
            self.data, "enrol", "--portal", f"https://127.0.0.1:{self.portal.tls_port}",
            "--ca", str(authority or self.portal.data / "tls" / "ca.pem"),
            GATEWRIGHT_TOKEN=token,
        )  # fmt: skip
        assert token not in done.stdout + done.stderr
        return (done.stdout if done.returncode == 0 else done.stderr).strip()

    def range(self, data: Path) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network((data / "loopback-range").read_text().strip())

    def place(self, port: int) -> tuple[str, int]:
        """Where this machine listens for a port of the gateway."""
        host, number = self.portal.place(port)
        published = self.range(self.portal.data)
        offset = int(ipaddress.IPv4Address(host)) - int(published.network_address)
        return str(self.range(self.data)[offset]), number

    def status(self, port: int = 80) -> int:
        """Of an answer; 0 where there is none."""
        connection = http.client.HTTPConnection(*self.place(port), timeout=PATIENCE)
        try:
            connection.request("GET", "/", headers={"Host": HOST})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        listen = f"{self.range(self.portal.data)}={self.range(self.data)}"
        with self.output.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "dataplane", "run", "--listen", listen],
                cwd=ROOT,
                env={**outside(), "GATEWRIGHT_DATA": str(self.data)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_another_machine_carries_traffic_until_it_is_revoked_and_after(
    installation: Installation, tmp_path: Path
) -> None:
    machine = Machine(tmp_path / "machine", installation)
    issued = manage(installation.data, "token", NODE, "--gateway", "myResourceGroupAG/myAppGateway")
    token = issued.stdout.split()[-1]

    # Another authority is not believed, and the token does not reach it.
    stranger = tmp_path / "other.pem"
    stranger.write_text(issue.make_root("Somebody", now=timezone.now()).certificate.pem)
    assert "not the expected one" in machine.enrol(token, stranger)
    stranger.write_text("")
    assert "cannot be read as PEM" in machine.enrol(token, stranger)
    # The token works once.
    assert "is enrolled" in machine.enrol(token)
    other = Machine(tmp_path / "other", installation)
    assert "was used already" in other.enrol(token)
    assert not (other.data / "dataplane" / "portal.json").exists()

    with machine.running():
        wait_for(lambda: machine.status() == 200, UPGRADE, "traffic at the other machine")
        assert machine.place(80) != installation.place(80)
        live = (
            "select count(*) from gateway_listenerstate s join gateway_agent a"
            f" on a.id = s.agent_id where a.name = '{NODE}' and s.state = 'live'"
        )
        wait_for(lambda: installation.query(live) >= [(2,)], UPGRADE, "its verdicts")
        # It carries what was assigned to it and nothing else.
        assert "myAppGateway" in manage(installation.data, "list").stdout

        revoked = manage(installation.data, "revoke", NODE)
        assert revoked.returncode == 0, revoked.stderr
        wait_for(
            lambda: (
                "its credential was revoked. What Envoy has goes on." in machine.output.read_text()
            ),
            UPGRADE,
            "the agent to say that it was revoked",
        )
        assert machine.status() == 200

    # … and after its own restart as well; it says so again.
    said = machine.output.read_text().count("revoked")
    with machine.running():
        wait_for(lambda: machine.status() == 200, UPGRADE, "traffic after the restart")
        wait_for(
            lambda: machine.output.read_text().count("revoked") > said,
            UPGRADE,
            "the agent to say so again",
        )
