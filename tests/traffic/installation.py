"""An installation that carries traffic: `serve` with everything, and saves from another process."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.test_run import ROOT, Server, outside, wait_for

READY = 60.0  # seconds until listeners are live and servers healthy
HOST = "secure.contoso.test"


class Installation(Server):
    """A server whose sandbox has a v2 gateway with an HTTP and an HTTPS listener (HTTP/2 on)."""

    def start(self) -> None:
        self.wait_until_ready()
        self.saves("prepare")
        wait_for(self.is_live, READY, f"the listeners to be live; it said:\n{self.text}")

    def clean_up(self) -> None:
        super().clean_up()
        # One may just have been started by another.
        while self.family:
            super().clean_up()

    def query(self, sql: str) -> list[tuple[str, ...]]:
        path = f"file:{self.data / 'gatewright.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=20)) as database:
            return database.execute(sql).fetchall()

    def place(self, port: int) -> tuple[str, int]:
        """Where a port of the v2 gateway is published."""
        [(host, number)] = self.query(
            "select p.host, p.number from gateway_publishedport p"
            " join gateway_frontendipconfiguration f on f.id = p.frontend_id"
            " join gateway_applicationgateway g on g.id = f.gateway_id"
            f" where g.sku_tier = 'Standard_v2' and p.port = {port}"
        )
        return host, int(number)

    def is_live(self) -> bool:
        states = self.query("select state from gateway_listenerstate where listener = 'secure'")
        verdicts = self.query(
            "select v.status from gateway_verdict v"
            " join gateway_applicationgateway g on g.id = v.gateway_id"
            " where g.sku_tier = 'Standard_v2'"
        )
        return states == [("live",)] and verdicts == [("Healthy",)] * 2

    def saves(self, what: str, *arguments: str) -> str:
        """Run tests.traffic.saves in the installation's own settings; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.traffic.saves", what, *arguments],
            cwd=ROOT,
            env={
                **outside(),
                "GATEWRIGHT_DATA": str(self.data),
                "DJANGO_SETTINGS_MODULE": "gateway.settings",
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    # -- processes -----------------------------------------------------------------------------

    @property
    def engine(self) -> int:
        """The process id of Envoy."""
        # The first; after it come those that it has replaced.
        return int((self.data / "dataplane" / "engine.lock").read_text().split()[0])

    def child(self, *words: str) -> list[int]:
        """Process ids of the installation whose command line holds all these words."""
        found = []
        for pid in self.family:
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
            except OSError:
                continue
            if all(word in line for word in words):
                found.append(pid)
        return found

    @property
    def agent(self) -> int:
        [pid] = self.child("manage.py", "dataplane", "run")
        return pid

    @property
    def portal(self) -> list[int]:
        """The web servers, both doors."""
        return self.child("granian")
