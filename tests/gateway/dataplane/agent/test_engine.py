"""Envoy found, started, alone in its directory, without a TCP port for its admin interface."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.dataplane.agent import binary, engine, home
from gateway.dataplane.agent.admin import AdminError, ask
from gateway.dataplane.agent.binary import EngineMissingError
from gateway.dataplane.agent.engine import Engine, is_ready
from gateway.dataplane.agent.home import Home, HomeTakenError
from tests.gateway.dataplane.agent.nodes import (
    Node,
    a_port,
    cluster,
    leads,
    node,
    says,
    wait_for,
)
from tests.gateway.dataplane.agent.nodes import ask as get


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


def test_the_packaged_envoy_is_found() -> None:
    found = binary.find(None)
    assert found.path.is_absolute()
    assert tuple(int(part) for part in found.version.split(".")) >= (1, 40, 0)


def test_a_named_envoy_is_taken_if_it_is_new_enough(tmp_path: Path) -> None:
    new = script(tmp_path / "new", "echo 'envoy  version: abc/1.41.2/Clean/RELEASE/BoringSSL'")
    assert binary.find(new).version == "1.41.2"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo 'envoy  version: abc/1.39.9/Clean/RELEASE/BoringSSL'", "is Envoy 1.39.9"),
        ("echo hello", "does not tell its version"),
        ("echo 'envoy  version: abc/1.41.2/Clean'; exit 1", "does not tell its version"),
    ],
)
def test_another_program_is_not_taken(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(EngineMissingError, match=words):
        binary.find(script(tmp_path / "envoy", text))


def test_a_name_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineMissingError, match="cannot be run"):
        binary.find(str(tmp_path / "absent"))


def test_an_envoy_that_does_not_take_the_bootstrap_is_told(tmp_path: Path) -> None:
    place = Home(tmp_path / "home")
    place.make()
    refusing = script(tmp_path / "envoy", "echo 'no such extension' >&2; exit 1")
    with pytest.raises(EngineMissingError, match="no such extension"):
        Engine(place, binary.Found(Path(refusing), "1.40.0")).prepare()


def test_one_agent_for_a_directory(tmp_path: Path) -> None:
    place = Home(tmp_path)
    place.make()
    with home.held(place), pytest.raises(HomeTakenError), home.held(place):
        pass
    with home.held(place):
        pass


@pytest.fixture
def envoy(tmp_path: Path):  # type: ignore[no-untyped-def]
    with node(tmp_path / "home") as found:
        yield found


def sockets_of(pid: int) -> list[str]:
    """Local addresses (hexadecimal) at which a process listens over TCP."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            parts = line.split()
            if parts[3] == "0A" and parts[9] in inodes:
                found.append(parts[1])
    return found


def test_the_admin_interface_is_a_socket_of_the_owner_and_no_port(envoy: Node) -> None:
    process = envoy.engine.process
    assert process is not None
    assert sockets_of(process.pid) == []
    assert stat.S_IMODE(envoy.home.admin.stat().st_mode) == 0o600
    port = a_port()
    envoy.apply([says("one", port, "x")])
    assert {address.rpartition(":")[2] for address in sockets_of(process.pid)} == {f"{port:04X}"}


def test_envoy_knows_nothing_of_the_portals_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://gatewright:geheim@localhost/gatewright")
    with node(tmp_path / "home") as made:
        assert made.engine.process is not None
        process = Path(f"/proc/{made.engine.process.pid}")
        assert (process / "environ").read_bytes().startswith(b"GATEWRIGHT_DATA=")
        assert b"geheim" not in (process / "environ").read_bytes()
        assert b"geheim" not in (process / "cmdline").read_bytes()


def test_everything_in_the_directory_is_for_its_owner(envoy: Node) -> None:
    envoy.apply([says("one", a_port(), "x")])
    assert stat.S_IMODE(envoy.home.path.stat().st_mode) == 0o700
    for path in (envoy.home.bootstrap, envoy.home.listeners, envoy.home.clusters, envoy.home.wake):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_envoy_that_ends_is_started_again_later_and_later(envoy: Node) -> None:
    waits = []
    for _ in range(3):
        assert envoy.engine.process is not None
        envoy.engine.process.kill()
        envoy.engine.process.wait()
        waits.append(envoy.engine.tend())
        wait_for(lambda: envoy.engine.tend() > 1, "the next start")
    assert 0 < waits[0] < waits[1] < waits[2]
    assert envoy.engine.starts == 4
    wait_for(lambda: is_ready(envoy.home), "Envoy to be back")


def test_an_envoy_that_was_left_is_ended_before_another_starts(envoy: Node) -> None:
    port = a_port()
    envoy.apply([says("one", port, "x")])
    left = envoy.engine.process
    assert left is not None
    os.close(envoy.engine.lock)
    envoy.engine.lock = -1
    other = Engine(envoy.home, envoy.engine.found)
    other.prepare()
    assert left.wait(5) == -signal.SIGKILL
    other.tend()
    try:
        wait_for(lambda: is_ready(envoy.home), "the other Envoy")
        assert get(port) == "200 x"
    finally:
        assert other.process is not None
        other.process.kill()
        other.process.wait()


def test_a_process_that_only_has_the_number_of_an_old_envoy_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Home(tmp_path / "home")
    place.make()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        held = os.open(place.engine_lock, os.O_RDWR | os.O_CREAT)
        import fcntl

        fcntl.flock(held, fcntl.LOCK_EX)
        os.write(held, f"{stranger.pid}\n".encode())
        clock = iter([0.0, 1.0, 10.0])
        monkeypatch.setattr(engine.time, "monotonic", lambda: next(clock))
        with pytest.raises(engine.EngineHeldError):
            Engine(place, binary.find(None)).prepare()
        monkeypatch.undo()
        assert stranger.poll() is None
        os.close(held)
        stranger.kill()


def test_envoy_ends_with_its_agent(tmp_path: Path) -> None:
    agent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, pathlib\n"
            "from tests.gateway.dataplane.agent.nodes import Node\n"
            "made = Node(pathlib.Path(sys.argv[1]))\n"
            "print(made.engine.process.pid, flush=True)\n"
            "time.sleep(60)\n",
            str(tmp_path / "home"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ".", "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
    assert agent.stdout is not None
    pid = int(agent.stdout.readline())
    agent.kill()
    agent.wait()
    agent.stdout.close()

    def gone() -> bool:
        try:
            return "Z" in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True

    wait_for(gone, "Envoy to end")


def test_a_planned_stop_lets_requests_finish(envoy: Node) -> None:
    import threading

    from tests.servers import Serve, Server, answer, listening, read_head

    asked = threading.Event()

    def slow(server: Server) -> Serve:
        def serve(connection) -> None:  # type: ignore[no-untyped-def]
            read_head(connection)
            asked.set()
            time.sleep(0.7)
            connection.sendall(answer(body=b"late"))

        return serve

    port = a_port()
    found: list[str] = []
    with listening(slow) as server:
        envoy.apply([leads("one", port, "c")], [cluster("c", server.port)])
        client = threading.Thread(target=lambda: found.append(get(port)))
        client.start()
        assert asked.wait(5)
        envoy.engine.stop()
        client.join(5)
    assert found == ["200 late"]
    assert envoy.engine.process is not None
    assert envoy.engine.process.returncode is not None


def test_an_envoy_that_is_away_is_told(tmp_path: Path) -> None:
    place = Home(tmp_path / ("long" * 30))
    place.make()
    with pytest.raises(AdminError, match="does not answer"):
        ask(place.admin, "/ready")
    assert not is_ready(place)


def test_an_admin_socket_with_a_long_path_is_reached(tmp_path: Path) -> None:
    with node(tmp_path / ("long" * 20)) as made:
        assert len(str(made.home.admin)) > 100
        assert is_ready(made.home)
        with pytest.raises(AdminError, match="404"):
            ask(made.home.admin, "/no-such-page?secret=1")
