"""The web servers as `serve` starts them, and clients that take their time: real sockets."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.management.serving import tls, web
from tests.free_ports import free_ports

ROOT = Path(__file__).resolve().parents[3]
READY = 300.0  # seconds; each wait ends as soon as its condition holds
CROWD = 50
PAGE = "/account/sign-in/"

HALF_A_HEAD = b"GET /account/sign-in/ HTTP/1.1\r\nHost: localh"
HALF_A_BODY = (
    b"POST /account/sign-in/ HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nusername="
)
# Its answer comes at once, and the rest is read to a limit.
TOO_MUCH = HALF_A_BODY.replace(b": 1000", b": 10000000")


@pytest.fixture(scope="module", params=["http", "https"])
def door(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[web.Door]:
    """A web server of one process behind its door, under the settings of the tests."""
    folder = tmp_path_factory.mktemp(request.param)
    pair = None
    if request.param == "https":
        made = tls.ensure(folder, (), installation="0123abcd", now=datetime.now(UTC))
        pair = (made.certificate, made.key)
    [port] = free_ports(1)
    door = web.Door(request.param, "127.0.0.1", port, pair)
    output = folder / "output"
    with output.open("wb") as written:
        process = subprocess.Popen(
            web.command(door, 1),
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + READY
        while not answers(door):
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)
        yield door
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(door: web.Door) -> bool:
    try:
        return status_of(door, "/healthz") == 200
    except (OSError, http.client.HTTPException):
        return False


def status_of(door: web.Door, path: str) -> int:
    with closing(connect(door)) as opened:
        opened.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = http.client.HTTPResponse(opened)
        answer.begin()
        answer.read()
        return answer.status


def connect(door: web.Door) -> socket.socket:
    opened = socket.create_connection((door.host, door.port), timeout=READY)
    if not door.tls:
        return opened
    context = ssl.create_default_context(cafile=str(door.tls[0].parent / "ca.pem"))
    return context.wrap_socket(opened, server_hostname="localhost")


@pytest.mark.parametrize(
    "sent", [HALF_A_HEAD, HALF_A_BODY, TOO_MUCH], ids=["head", "body", "too much"]
)
def test_clients_that_trickle_do_not_keep_a_page_from_the_others(
    door: web.Door, sent: bytes
) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(closing(connect(door))) for _ in range(CROWD)]
        for one in slow:
            one.sendall(sent)
        assert status_of(door, PAGE) == 200
        for one in slow:
            one.sendall(b"x")
        assert status_of(door, PAGE) == 200


def test_clients_that_say_nothing_do_not_keep_a_page_from_the_others(door: web.Door) -> None:
    with ExitStack() as stack:
        for _ in range(CROWD):
            opened = socket.create_connection((door.host, door.port), timeout=READY)
            stack.enter_context(closing(opened))
        assert status_of(door, PAGE) == 200


def test_an_upload_that_is_too_big_gets_its_answer_while_it_is_sent(door: web.Door) -> None:
    with closing(connect(door)) as opened:
        opened.sendall(TOO_MUCH)
        answer = http.client.HTTPResponse(opened)
        answer.begin()
        assert answer.status == 413
        # Browsers look at the answer only when they have sent everything.
        opened.sendall(b"x" * 9_999_991)
        assert "larger than the 1 MB" in answer.read().decode()
