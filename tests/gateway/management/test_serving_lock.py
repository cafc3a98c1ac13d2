"""The data directory is held by one server, which leaves word where it answers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway.management.serving import lock


def test_the_address_is_told_while_the_server_runs_and_not_afterwards(tmp_path: Path) -> None:
    assert lock.address_of(tmp_path) == ""
    with lock.held(tmp_path):
        assert lock.address_of(tmp_path) == ""
        lock.tell_address(tmp_path, "http://localhost:8161/")
        assert lock.address_of(tmp_path) == "http://localhost:8161/"
    assert lock.address_of(tmp_path) == ""


def test_a_server_that_was_killed_is_not_taken_for_running(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    (tmp_path / "lock").write_text(f"{ended.pid}\nhttp://localhost:8161/\n", encoding="ascii")
    assert lock.address_of(tmp_path) == ""


def test_who_holds_the_directory_is_told_without_the_address(tmp_path: Path) -> None:
    with lock.held(tmp_path):
        lock.tell_address(tmp_path, "http://localhost:8161/")
        with pytest.raises(lock.InUseError) as told, lock.held(tmp_path):
            pass
    assert "process" in str(told.value)
    assert "8161" not in str(told.value)
