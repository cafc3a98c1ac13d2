"""A newer Envoy takes over from the one that runs, and no client notices."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.dataplane.agent import binary, documents, engine
from gateway.dataplane.agent.binary import EngineMissingError, Found
from gateway.dataplane.agent.engine import Engine, is_ready
from gateway.dataplane.agent.process import Adopted
from tests.gateway.dataplane.agent.nodes import (
    Node,
    a_port,
    ask,
    cluster,
    leads,
    node,
    says,
    wait_for,
)
from tests.servers import http_server


def wrapper(path: Path, comment: str = "") -> Found:
    """The packaged Envoy by another name; another ``comment`` makes another file of it."""
    packaged = binary.find(None)
    path.unlink(missing_ok=True)
    path.write_text(f'#!/bin/sh\n# {comment}\nexec {packaged.path} "$@"\n')
    path.chmod(0o700)
    return Found(path, packaged.version)


@pytest.fixture
def envoy(tmp_path: Path) -> Iterator[Node]:
    with node(tmp_path / "home") as found:
        yield found


def successor(envoy: Node, found: Found, drain: int | None = None) -> tuple[Engine, str]:
    """The engine of the program that an agent becomes, and what it said."""
    assert envoy.engine.process is not None
    made = Engine(envoy.home, found)
    if drain is not None:
        made.drain = drain
    said = made.prepare(envoy.engine.lock)
    made.tend()
    # What is to be ended in the end.
    envoy.engine = made
    return made, said


class Clients:
    """New connections and kept ones, without a pause; every failure is kept."""

    def __init__(self, port: int) -> None:
        self.port, self.stop = port, threading.Event()
        self.answered, self.failed = [0, 0], list[str]()
        self.threads = [threading.Thread(target=self.work, args=(kind,)) for kind in (0, 1)]

    def work(self, kind: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self.stop.is_set():
            try:
                line.request("GET", "/", headers={"Connection": "close"} if kind else {})
                answer = line.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failed.append(str(answer.status))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                line.close()
            else:
                self.answered[kind] += 1
        line.close()

    def more(self, count: int) -> None:
        """Wait until each kind has got ``count`` answers more."""
        aim = [one + count for one in self.answered]
        wait_for(
            lambda: all(a >= b for a, b in zip(self.answered, aim, strict=True)) or self.failed,
            "answers",
            120,
        )

    def __enter__(self) -> Clients:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(60)


def test_a_newer_envoy_takes_over_under_load(envoy: Node, tmp_path: Path) -> None:
    port = a_port()
    with http_server() as server:
        assert not envoy.apply([leads("one", port, "c")], [cluster("c", server.port)]).refused
        with Clients(port) as clients:
            clients.more(20)
            for number in range(3):
                old = envoy.engine.process
                made, said = successor(envoy, wrapper(tmp_path / "envoy", str(number)))
                assert "has taken over" in said
                assert made.process is not None
                assert old is not None
                assert made.process.pid != old.pid
                clients.more(20)
        assert clients.failed == []


def test_an_envoy_that_is_still_the_right_one_is_left_alone(envoy: Node) -> None:
    port = a_port()
    envoy.apply([says("one", port, "x")])
    old = envoy.engine.process
    assert old is not None
    made, said = successor(envoy, envoy.engine.found)
    assert "left alone" in said
    assert made.process is not None
    assert made.process.pid == old.pid
    assert made.starts == 1
    assert ask(port) == "200 x"
    # … and goes on being kept: it is started again when it ends, …
    envoy.kill()
    assert made.starts == 2
    assert ask(port) == "200 x"
    # … and it takes configurations.
    envoy.applier = envoy.new_applier()
    assert not envoy.apply([says("one", port, "y")]).refused
    assert ask(port) == "200 y"


def test_an_envoy_that_was_replaced_finishes_what_it_began_and_ends(
    envoy: Node, tmp_path: Path
) -> None:
    port = a_port()
    envoy.apply([says("one", port, "before")])
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("GET", "/")
    assert line.getresponse().read() == b"before"
    old = envoy.engine.process
    made, _ = successor(envoy, wrapper(tmp_path / "envoy"), drain=600)
    assert [one.pid for one, _ in made.leaving] == [old.pid]  # type: ignore[union-attr]
    pids = envoy.home.engine_lock.read_text().split()
    assert pids == [str(made.process.pid), str(old.pid)]  # type: ignore[union-attr]
    # What is changed from now on, only the new one takes in.
    envoy.applier = envoy.new_applier()
    other = a_port()
    assert not envoy.apply([says("one", port, "after"), says("two", other, "new")]).refused
    assert {ask(port) for _ in range(20)} == {"200 after"}
    assert {ask(other) for _ in range(20)} == {"200 new"}
    line.request("GET", "/")
    answer = line.getresponse()
    assert (answer.read(), answer.headers["Connection"]) == (b"before", "close")
    # An agent sees that the old one leaves, at the latest when its time is over.
    process, _ = made.leaving[0]
    made.leaving[0] = process, 0.0
    wait_for(lambda: made.tend() and not made.leaving, "the old Envoy to be gone")
    assert envoy.home.engine_lock.read_text().split() == [pids[0]]
    assert ask(port) == "200 after"


def test_an_envoy_that_was_replaced_leaves_by_itself(
    envoy: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LINGER", 1.0)
    made, _ = successor(envoy, wrapper(tmp_path / "one"), drain=0)
    made, _ = successor(envoy, wrapper(tmp_path / "two"), drain=0)
    process, due = made.leaving[-1]
    wait_for(lambda: process.poll() is not None, "the old Envoy to leave", 120)
    assert process.returncode == 0
    assert due > 0
    made.tend()
    assert made.leaving == []


def test_one_that_ends_while_another_leaves_is_started_again(envoy: Node, tmp_path: Path) -> None:
    port = a_port()
    envoy.apply([says("one", port, "x")])
    made, _ = successor(envoy, wrapper(tmp_path / "envoy"))
    envoy.kill()
    assert ask(port) == "200 x"
    assert len(made.leaving) == 1
    # … and that one can be replaced as well.
    _, said = successor(envoy, wrapper(tmp_path / "next"))
    assert "has taken over" in said
    assert ask(port) == "200 x"


def test_where_envoys_cannot_meet_the_new_one_is_started_anew(
    envoy: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SHARED_MEMORY", tmp_path / "absent")
    port = a_port()
    envoy.apply([says("one", port, "x")])
    made, said = successor(envoy, wrapper(tmp_path / "envoy"))
    assert "started anew" in said
    wait_for(lambda: is_ready(envoy.home), "the new Envoy")
    assert ask(port) == "200 x"
    assert made.leaving == []


def test_a_new_envoy_that_ends_at_once_is_not_waited_for(envoy: Node, tmp_path: Path) -> None:
    port = a_port()
    envoy.apply([says("one", port, "x")])
    packaged = binary.find(None).path
    path = tmp_path / "envoy"
    # One that takes our configuration and then fails to take over.
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *"--restart-epoch 1"*) exit 1;; esac\nexec {packaged} "$@"\n'
    )
    path.chmod(0o700)
    _, said = successor(envoy, Found(path, "1.41.0"))
    assert "Envoy 1.41.0 could not take over" in said
    wait_for(lambda: is_ready(envoy.home), "the new Envoy")
    assert ask(port) == "200 x"


def test_an_envoy_that_does_not_take_the_bootstrap_takes_nothing_over(
    envoy: Node, tmp_path: Path
) -> None:
    port = a_port()
    envoy.apply([says("one", port, "x")])
    old = envoy.engine.process
    path = tmp_path / "envoy"
    path.write_text("#!/bin/sh\necho 'no such extension' >&2\nexit 1\n")
    path.chmod(0o700)
    made, said = successor(envoy, Found(path, "1.41.0"))
    assert "no such extension" in said
    assert said.endswith("goes on.")
    assert made.process is not None
    assert made.process.pid == old.pid  # type: ignore[union-attr]
    assert ask(port) == "200 x"


@pytest.mark.parametrize("content", ["", "[]", '{"pid": "x"}', '{"pid": -1, "epoch": 0}'])
def test_without_knowledge_of_the_old_envoy_a_new_one_is_started(envoy: Node, content: str) -> None:
    assert envoy.engine.process is not None
    envoy.engine.process.kill()
    envoy.engine.process.wait()
    envoy.home.engine_state.write_text(content)
    made, said = successor(envoy, envoy.engine.found)
    assert "had ended" in said
    assert made.starts == 1
    wait_for(lambda: is_ready(envoy.home), "Envoy")


def test_a_process_that_is_no_child_counts_as_gone() -> None:
    assert Adopted(0).poll() is not None
    assert Adopted(os.getpid()).poll() is not None


def test_what_an_earlier_version_left_is_made_right_before_envoy_reads_it(tmp_path: Path) -> None:
    port = a_port()
    with node(tmp_path / "home") as first:
        first.apply([says("one", port, "old")])
    # Earlier versions said nothing of the port; Envoy shares it then, and refuses every change of
    # that while it runs.
    found = documents.load(first.home.listeners)
    for one in found.values():
        del one["enable_reuse_port"]
    documents.save(first.home.listeners, found, "1")
    with node(tmp_path / "home") as second:
        assert ask(port) == "200 old"
        assert not second.apply([says("one", port, "new")]).refused
        assert ask(port) == "200 new"
        second.kill()
        assert ask(port) == "200 new"


def test_what_would_be_refused_is_found_before_anything_is_changed(envoy: Node) -> None:
    port = a_port()
    with http_server() as server:
        envoy.apply([leads("one", port, "c")], [cluster("c", server.port)])
    binary.try_out(envoy.engine.found, envoy.home)
    found = documents.load(envoy.home.listeners)
    found["one"]["filter_chains"] *= 2
    documents.save(envoy.home.listeners, found, "2")
    with pytest.raises(EngineMissingError, match="does not take our configuration"):
        binary.try_out(envoy.engine.found, envoy.home)
    assert not list(envoy.home.path.glob("check-*"))


def test_nothing_stays_in_shared_memory_when_envoy_was_stopped(envoy: Node) -> None:
    base = json.loads(envoy.home.engine_state.read_bytes())["base"]
    shared = engine.SHARED_MEMORY / f"envoy_shared_memory_{base}0"
    assert shared.exists()
    envoy.engine.stop()
    assert not shared.exists()


def test_another_users_leftover_in_shared_memory_is_kept_away_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with node(tmp_path / "home") as first:
        base = json.loads(first.home.engine_state.read_bytes())["base"]
    with node(tmp_path / "home") as again:
        assert json.loads(again.home.engine_state.read_bytes())["base"] == base
    left = engine.SHARED_MEMORY / f"envoy_shared_memory_{base}0"
    left.touch()
    try:
        with monkeypatch.context() as patched:
            patched.setattr(os, "geteuid", lambda: os.getuid() + 1)
            with node(tmp_path / "home") as third:
                assert json.loads(third.home.engine_state.read_bytes())["base"] != base
        assert left.exists()
    finally:
        left.unlink()


def test_every_envoy_that_was_left_is_ended_before_another_starts(
    envoy: Node, tmp_path: Path
) -> None:
    port = a_port()
    envoy.apply([says("one", port, "x")])
    left, _ = successor(envoy, wrapper(tmp_path / "envoy"))
    os.close(left.lock)
    other = Engine(envoy.home, left.found)
    other.prepare()
    gone = [process.wait(60) for process in (left.process, left.leaving[0][0]) if process]
    assert gone == [-signal.SIGKILL] * 2
    envoy.engine = other
    other.tend()
    wait_for(lambda: is_ready(envoy.home), "the other Envoy")
    assert ask(port) == "200 x"
