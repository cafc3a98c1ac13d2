"""What is killed in the middle of its work loses nothing that was saved.

Real processes, killed with SIGKILL while somebody saves over HTTP.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.gateway.portal.visits import data_of
from tests.test_run import Server, parent_of, wait_for

SOON = 20.0  # seconds; each wait ends as soon as its condition holds
GATEWAY = "myResourceGroupAG/myAppGateway"
POOL = "pools/appGatewayBackendPool/edit/"
PROBE = "probes/kept/edit/"
SETTINGS = "http-settings/appGatewayBackendHttpSettings/edit/"


class Visitor:
    """Somebody at the portal; the session outlives the server that gave it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.root = ""

    def ask(self, path: str, data: dict[str, str] | None = None) -> tuple[int, str]:
        """GET, or POST with ``data``; status and text. Raises ``OSError`` or ``HTTPException``."""
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection = http.client.HTTPConnection("localhost", self.port, timeout=10)
        with closing(connection):
            if data is None:
                connection.request("GET", path, headers=headers)
            else:
                connection.request("POST", path, urlencode(data), headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie") or ():
                self.cookies |= {name: one.value for name, one in SimpleCookie(line).items()}
            return answer.status, answer.read().decode()

    def sign_in(self, output: str) -> None:
        """Redeem the link that the server printed; ``root`` is then the v2 gateway's address."""
        link = re.search(r"(/account/link/\S+/)", output)
        assert link, output
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.ask(link[1])[1])
        assert token
        assert self.ask(link[1], {"csrfmiddlewaretoken": token[1]})[0] == 302
        found = re.search(rf"/portal/gateways/[\w-]+/{GATEWAY}/", self.ask("/portal/resources/")[1])
        assert found
        self.root = found[0]

    def drawn(self, blade: str) -> dict[str, str]:
        """A form of the gateway as it was drawn, to be saved whatever others save."""
        return {**data_of(self.ask(self.root + blade)[1]), "etag": ""}

    def save(self, blade: str, **typed: str) -> None:
        assert self.ask(self.root + blade, {**self.drawn(blade), **typed})[0] == 302


class Saver:
    """Gives a probe one interval after the other, in seconds from 100 on.

    ``saved`` are those that were answered with success.
    """

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.saved: list[int] = []
        self.refused: list[int] = []
        self.missed: list[int] = []
        visitor.save("probes/add/", name="kept", host="www.contoso.com")
        self._form = visitor.drawn(PROBE)
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._save, daemon=True)
        self._thread.start()

    def _save(self) -> None:
        interval = 99
        while not self._enough.is_set():
            interval += 1
            typed = {**self._form, "interval": str(interval)}
            try:
                status, _ = self.visitor.ask(self.visitor.root + PROBE, typed)
            except (OSError, http.client.HTTPException):
                # Saved or not: nobody was told, so either is right.
                self.missed.append(interval)
                self._enough.wait(0.05)
                continue
            (self.saved if status == 302 else self.refused).append(interval)
            # SQLite's writers wait unfairly long for one that never pauses, and nobody types so.
            self._enough.wait(0.1)

    def goes_on(self, by: int = 5) -> None:
        """Wait until ``by`` more saves have succeeded."""
        wanted = len(self.saved) + by
        wait_for(lambda: len(self.saved) >= wanted, SOON, f"{by} more saves")

    def stop(self) -> None:
        self._enough.set()
        self._thread.join(SOON)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Starts a server on the same data directory, again and again."""
    started: list[Server] = []

    def start() -> Server:
        server = Server(tmp_path / "installation")
        started.append(server)
        server.wait_until_ready()
        return server

    yield start
    for server in started:
        server.clean_up()


def process_of(server: Server, *words: str) -> int:
    """The child of ``serve`` whose command line has all the words."""

    def line(process: int) -> list[str]:
        try:
            return Path(f"/proc/{process}/cmdline").read_text().split("\0")
        except OSError:
            return []

    return next(
        process
        for process in server.family
        if set(words) <= set(line(process)) and parent_of(process) == server.process.pid
    )


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def rows(server: Server, query: str, *values: str) -> list[tuple[Any, ...]]:
    database = sqlite3.connect(f"file:{server.data}/gatewright.sqlite3?mode=ro", uri=True)
    with closing(database):
        return database.execute(query, values).fetchall()


def intervals_recorded(server: Server) -> list[int]:
    """The intervals that the activity log says were saved, in order."""
    found = rows(
        server,
        """
        SELECT changes FROM gateway_activity
        WHERE operation LIKE 'Save %kept' AND status = 'Succeeded' ORDER BY id
        """,
    )
    return [change["after"] for (changes,) in found for change in json.loads(changes)]


def verdicts(server: Server) -> dict[str, tuple[str, bool, bool, str]]:
    """Status, checking, leased and time of the last result of each server of the v2 gateway."""
    found = rows(
        server,
        """
        SELECT a.fqdn, v.status, v.rechecking, v.leased_by <> '', coalesce(v.checked_at, '')
        FROM gateway_verdict v
        JOIN gateway_backendaddress a ON a.id = v.address_id
        JOIN gateway_applicationgateway g ON g.id = v.gateway_id
        JOIN gateway_resourcegroup r ON r.id = g.group_id
        WHERE r.name || '/' || g.name = ?
        """,
        GATEWAY,
    )
    return {name: (status, bool(new), bool(held), at) for name, status, new, held, at in found}


def healthy(server: Server) -> str:
    """When the full-chain server was last found healthy, if that verdict is up to date."""
    status, rechecking, _, at = verdicts(server).get(
        "full-chain.contoso.test", ("", True, True, "")
    )
    return at if status == "Healthy" and not rechecking else ""


def test_a_saved_change_outlives_the_death_of_any_process(
    servers: Callable[[], Server],
) -> None:
    server = servers()
    visitor = Visitor(server.port)
    visitor.sign_in(server.text)
    wait_for(lambda: healthy(server), SOON, "the first verdict")

    saver = Saver(visitor)
    saver.goes_on()
    kill(process_of(server, "granian", str(server.port)))
    saver.goes_on()

    # A silent server keeps a probe waiting for half a minute: the prober dies in the midst of it.
    visitor.save(
        POOL,
        **{
            "targets-TOTAL_FORMS": "2",
            "targets-1-kind": "address",
            "targets-1-target": "silent.contoso.test",
        },
    )
    wait_for(
        lambda: verdicts(server).get("silent.contoso.test", ("", True, False, ""))[2],
        SOON,
        "the probe of the silent server",
    )
    before = healthy(server)
    kill(process_of(server, "worker"))
    visitor.save(SETTINGS, host_name="www.contoso.com")
    wait_for(lambda: healthy(server) > before, SOON, "a verdict after the prober's death")

    saver.goes_on()
    kill(server.process.pid)
    server.process.wait()
    saver.stop()
    wait_for(lambda: not server.family, SOON, "the children to follow")

    again = servers()
    visitor.port = again.port
    recorded = intervals_recorded(again)
    assert set(saver.saved) <= set(recorded)
    assert set(recorded) <= {*saver.saved, *saver.missed}
    assert visitor.drawn(PROBE)["interval"] == str(recorded[-1])
    assert not saver.refused
    assert saver.missed, "nothing died while somebody saved"

    before = healthy(again) or max(at for *_, at in verdicts(again).values())
    visitor.save(SETTINGS, host_name="again.contoso.com")
    wait_for(lambda: healthy(again) > before, SOON, "a verdict after the restart")
    assert '"hostName": "again.contoso.com"' in unescape(visitor.ask(visitor.root + "json/")[1])


def answer_to(port: int, head: str, body: bytes) -> str:
    """The status line of the answer to a request whose body goes on after ``body``."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        lines = ("POST /account/sign-in/ HTTP/1.1", "Host: localhost", head, "", "")
        connection.sendall("\r\n".join(lines).encode())
        # The server may hang up on what it does not want.
        with suppress(ConnectionError):
            connection.sendall(body)
        return connection.recv(200).decode().splitlines()[0]


def test_a_body_above_the_limit_is_refused_while_it_arrives(servers: Callable[[], Server]) -> None:
    port = servers().port
    megabyte = b"x" * 1024 * 1024
    status = answer_to(port, f"Content-Length: {50 * len(megabyte)}", megabyte)
    assert status.startswith("HTTP/1.1 413 ")
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    status = answer_to(port, "Transfer-Encoding: chunked", chunk * 4)
    assert status.startswith("HTTP/1.1 411 ")
