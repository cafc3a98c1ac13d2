"""A real Envoy for tests: it is given compiled gateways and takes requests.

with running(compiled) as engine:
    engine.wait_until_live()
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.dataplane.access import read_line
from gateway.dataplane.compile import Compiled
from gateway.dataplane.envoy import ACCESS_LOG, FILES


def binary() -> str:
    """The engine: ``ENVOY_BIN``, or the pinned wheel beside this Python."""
    named = os.environ.get("ENVOY_BIN")
    if named:
        return named
    for folder in map(Path, sys.path):
        found = folder / "envoy" / "_bin" / "envoy"
        if found.is_file():
            return str(found)
    raise AssertionError(
        "Envoy is needed for this test: install requirements/dataplane.txt or set ENVOY_BIN."
    )


class _AdminConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("admin", timeout=10)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(self.path))


class Engine:
    """An Envoy in a directory of its own, fed by two files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / FILES).mkdir(mode=0o700)
        self.log = folder / "envoy.log"
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, *compiled: Compiled) -> None:
        """Files first, then clusters, then listeners, each by renaming."""
        self.version = "+".join(one.digest[:16] for one in compiled)
        for one in compiled:
            for name, content in one.files.items():
                path = self.folder / FILES / name
                path.write_bytes(content)
                path.chmod(0o600)
        for name, resources in (
            ("cds", [cluster for one in compiled for cluster in one.clusters]),
            ("lds", [listener for one in compiled for listener in one.listeners]),
        ):
            fresh = self.folder / f"{name}.new"
            fresh.write_text(json.dumps({"version_info": self.version, "resources": resources}))
            fresh.rename(self.folder / f"{name}.json")

    def start(self) -> None:
        source = {"resource_api_version": "V3"}
        bootstrap = {
            "node": {"id": "test", "cluster": "test"},
            "admin": {"address": {"pipe": {"path": str(self.folder / "admin"), "mode": 0o600}}},
            "dynamic_resources": {
                f"{kind}_config": {
                    **source,
                    "path_config_source": {"path": str(self.folder / f"{kind}.json")},
                }
                for kind in ("lds", "cds")
            },
        }
        (self.folder / "bootstrap.json").write_text(json.dumps(bootstrap))
        self.process = subprocess.Popen(
            [
                binary(),
                *("-c", "bootstrap.json", "--concurrency", "1", "--disable-hot-restart"),
                *("--drain-strategy", "immediate", "--drain-time-s", "2"),
                *("--file-flush-interval-msec", "50", "--log-path", str(self.log)),
                *("--log-level", "warn"),
            ],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def admin(self, path: str) -> str:
        connection = _AdminConnection(self.folder / "admin")
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def wait_until_live(self) -> None:
        """Wait until Envoy has taken both documents; fails with its reasons if it refuses."""

        def taken() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.told()
            try:
                stats = self.admin("/stats?filter=cds|lds|warming|workers_started")
            except OSError:
                return False
            if re.search(r"update_(rejected|failure): [1-9]", stats):
                # The log is written a moment later.
                wait_for(lambda: "rejected" in self.told(), 5)
                raise AssertionError(self.told())
            return (
                f'lds.version_text: "{self.version}"' in stats
                and f'cds.version_text: "{self.version}"' in stats
                and "workers_started: 1" in stats
                and "listeners_warming: 0" in stats
            )

        wait_for(taken, 20)

    def told(self) -> str:
        return self.log.read_text() if self.log.exists() else "no log"

    def lines(self, count: int) -> list[dict[str, Any]]:
        """The last ``count`` lines of the access log, when as many have been written."""
        path = self.folder / ACCESS_LOG

        def complete() -> bool:
            return path.exists() and path.read_text().count("\n") >= count

        wait_for(complete, 10)
        lines = [read_line(line) for line in path.read_bytes().splitlines()][-count:]
        return [line for line in lines if line is not None]

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def running(*compiled: Compiled) -> Iterator[Engine]:
    """An engine that serves ``compiled``."""
    with tempfile.TemporaryDirectory(prefix="gatewright-engine-") as name:
        engine = Engine(Path(name))
        engine.write(*compiled)
        engine.start()
        try:
            engine.wait_until_live()
            yield engine
        finally:
            engine.stop()


def wait_for(condition: Callable[[], bool], most: float) -> None:
    """Ask again and again until it is true, at most so many seconds."""
    end = time.monotonic() + most
    while not condition():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.02)
