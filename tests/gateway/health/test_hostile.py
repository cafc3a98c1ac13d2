"""Servers that mean harm: each probe of them ends in time, within bounds, and is reported."""

import gzip
import ipaddress
import json
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from certificates.x509.issuing import issue
from certificates.x509.trust.chains import MAX_PRESENTED
from gateway.health.answers import MAX_BODY_BYTES
from gateway.health.judge import Judged
from gateway.health.probe import LONGEST_LOOKUP
from gateway.models import Probe
from gateway.network import Endpoint, Zone
from tests import servers
from tests.factories import NOW
from tests.gateway.health.nameservers import dns_server
from tests.gateway.health.scenes import (
    NAME,
    judge,
    plan_for,
    private,
    root_of,
    stages,
    trusting,
    zone_for,
)

LEAF = private()
TRUST = trusting("roots", root_of(LEAF))
ELSEWHERE = "www.example.com"
METADATA = "169.254.169.254"
# How much longer than its time-out a probe may take on a busy machine.
GRACE = 3


@contextmanager
def serving(serve: Callable[[servers.Server, socket.socket], None]) -> Iterator[servers.Server]:
    with servers.listening(lambda server: lambda connection: serve(server, connection)) as server:
        yield server


def within(seconds: float, **plan: Any) -> Callable[[servers.Server], Judged]:
    """Probe a server with a time-out of ``seconds`` and insist on it."""

    def probe(server: servers.Server) -> Judged:
        started = time.monotonic()
        judged = judge(plan_for(timeout=int(seconds), **plan), zone_for(server.port))
        assert time.monotonic() - started < seconds + GRACE
        return judged

    return probe


# -- Names that change their mind ----------------------------------------------------------------


def test_the_address_that_was_checked_is_the_one_that_is_dialed(settings: Any) -> None:
    settings.GATEWRIGHT_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.1/32")]
    asked: list[str] = []

    def moody(name: str) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else [METADATA]

    with servers.http_server() as server:
        plan = plan_for(target=ELSEWHERE, port=server.port)
        judged = judge(plan, zone_for(), lookup=moody)
        assert judged.status == "Healthy"
        assert judged.evidence["dialed"] == f"127.0.0.1:{server.port}"
        assert asked == [ELSEWHERE]
        assert judge(plan, zone_for(), lookup=moody).error_id == "U-NOT-ALLOWED"


def test_a_dns_server_that_turns_to_forbidden_addresses_leads_nowhere() -> None:
    turns = iter(["192.0.2.1", METADATA, "127.0.0.1", "168.63.129.16"])
    with dns_server(lambda _: [next(turns)]) as port:
        zone = Zone(
            dns_servers=("10.0.1.53",),
            lab_addresses=frozenset({"10.0.1.53"}),
            endpoints={("10.0.1.53", 53): Endpoint("127.0.0.1", port)},
        )
        for _ in range(4):
            judged = judge(plan_for(target=ELSEWHERE), zone)
            assert judged.error_id == "U-NOT-ALLOWED"
            assert stages(judged) == {"resolve": True, "connect": False, "verdict": False}


def test_a_remembered_address_is_checked_like_any_other() -> None:
    def silent(name: str) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    plan = plan_for(target=ELSEWHERE)
    judged = judge(plan, zone_for(), lookup=silent, remembered=METADATA)
    assert judged.error_id == "U-NOT-ALLOWED"


def test_a_silent_resolver_is_not_waited_for_beyond_its_time() -> None:
    started = time.monotonic()
    with dns_server(lambda _: None) as port:
        zone = Zone(
            dns_servers=("10.0.1.53",) * 9,
            lab_addresses=frozenset({"10.0.1.53"}),
            endpoints={("10.0.1.53", 53): Endpoint("127.0.0.1", port)},
        )
        judged = judge(plan_for(target=ELSEWHERE, timeout=60), zone)
    assert judged.error_id == "U-DNS"
    assert time.monotonic() - started < LONGEST_LOOKUP + GRACE


# -- Answers -------------------------------------------------------------------------------------


def test_nobody_goes_where_a_redirect_points() -> None:
    with servers.http_server() as target:
        where = (
            f"Location: http://127.0.0.1:{target.port}/\r\nRefresh: 0;url=http://{METADATA}/\r\n"
        )
        for status in ("301 Moved", "302 Found", "307 Temporary", "308 Permanent"):
            with servers.http_server(servers.answer(status, extra=where)) as server:
                assert within(2)(server).status == "Healthy"
                assert len(server.requests) == 1
        assert target.requests == []


def test_a_compression_bomb_is_never_inflated() -> None:
    bomb = gzip.compress(b"all is fine" + b"\0" * 200_000_000, compresslevel=1)[
        : MAX_BODY_BYTES * 2
    ]
    reply = servers.answer(body=bomb, extra="Content-Encoding: gzip\r\n")
    probe = Probe(name="p", host=NAME, timeout=5, match_body="all is fine")
    with servers.http_server(reply) as server:
        judged = judge(plan_for(probe=probe), zone_for(server.port))
        assert "Accept-Encoding: identity" in server.requests[0]
    assert judged.error_id == "E-BODY"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"F" * 15 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["huge length", "negative length", "huge chunk", "no length"],
)
def test_only_the_first_mebibyte_of_an_endless_body_is_read(head: bytes) -> None:
    sent = 0

    def serve(server: servers.Server, connection: socket.socket) -> None:
        nonlocal sent
        servers.read_head(connection)
        connection.sendall(head)
        while not server.released.is_set():
            connection.sendall(b"x" * 65536)
            sent += 65536

    with serving(serve) as server:
        judged = within(5)(server)
    assert judged.error_id in {"", "E-TCP"}
    # What the kernel's buffers swallowed comes on top.
    assert sent < 16 * MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("piece", "error"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", "E-TCP"),
        (b"X-More: and more\r\n", "E-TCP"),
        (b"HTTP/1.1 ", "E-TCP"),
    ],
    ids=["interim answers", "headers", "one line"],
)
def test_a_head_without_end_is_given_up(piece: bytes, error: str) -> None:
    def serve(server: servers.Server, connection: socket.socket) -> None:
        servers.read_head(connection)
        if piece.startswith(b"X"):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not server.released.is_set():
            connection.sendall(piece * 1000)

    with serving(serve) as server:
        assert within(5)(server).error_id == error


@pytest.mark.parametrize(
    "text", [b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 500, b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 500]
)
def test_an_answer_in_drops_ends_with_the_time_out(text: bytes) -> None:
    def serve(server: servers.Server, connection: socket.socket) -> None:
        servers.read_head(connection)
        for number in range(len(text)):
            connection.sendall(text[number : number + 1])
            if server.released.wait(0.05):
                return

    with serving(serve) as server:
        judged = within(1)(server)
    assert judged.error_id == "E-TIMEOUT"


# -- Handshakes ----------------------------------------------------------------------------------


def test_a_handshake_in_drops_ends_with_the_time_out() -> None:
    def serve(server: servers.Server, connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"\x16\x03\x03\x40\x00")
        while not server.released.wait(0.05):
            connection.sendall(b"\x02")

    with serving(serve) as server:
        judged = within(1, trust=TRUST)(server)
    assert judged.error_id == "E-TIMEOUT"
    assert not stages(judged)["handshake"]


def _record(data: bytes) -> bytes:
    return b"\x16\x03\x03" + struct.pack(">H", len(data)) + data


def _message(kind: int, body: bytes, length: int | None = None) -> bytes:
    return bytes([kind]) + (len(body) if length is None else length).to_bytes(3, "big") + body


# TLS 1.2, no session, ECDHE-RSA-AES128-GCM-SHA256, secure renegotiation understood.
_HELLO = _message(
    2, b"\x03\x03" + b"r" * 32 + b"\0" + b"\xc0\x2f" + b"\0" + b"\0\x05\xff\x01\0\x01\0"
)


def test_ten_megabytes_of_certificates_are_not_read() -> None:
    sent = 0

    def serve(server: servers.Server, connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(4096)
        connection.sendall(_record(_HELLO))
        connection.sendall(_record(_message(11, b"\x98\x96\x7a", length=10_000_000)))
        while sent < 10_000_000 and not server.released.is_set():
            connection.sendall(_record(b"\0" * 16_000))
            sent += 16_000

    with serving(serve) as server:
        judged = within(5, trust=TRUST)(server)
    assert judged.error_id == "E-TCP"
    assert "more certificates than are read" in judged.message
    assert judged.evidence["broken"]["stage"] == "handshake"
    assert judged.evidence["chain"] == []


def test_ten_thousand_certificates_in_a_chain_are_not_read() -> None:
    chain = [LEAF.certificate] + [LEAF.chain[0]] * 10_000
    with servers.tls_server(LEAF, chain) as server:
        judged = within(5, trust=TRUST)(server)
    assert judged.error_id == "E-TCP"
    assert "more certificates than are read" in judged.message


def test_a_long_chain_that_fits_is_refused_and_its_evidence_is_bounded() -> None:
    many = [issue.make_root(f"Root {number}", now=NOW).certificate for number in range(150)]
    with servers.tls_server(LEAF, [LEAF.certificate, *many]) as server:
        judged = within(5, trust=TRUST)(server)
    assert judged.error_id == "E-VERIFY"
    assert f"{MAX_PRESENTED} are the most" in judged.message
    assert len(judged.evidence["chain"]) <= MAX_PRESENTED
    assert len(json.dumps(judged.evidence)) < 200_000


def test_a_certificate_of_a_thousand_names_is_shown_in_part() -> None:
    leaf = private(*(f"n{number}.contoso.test" for number in range(1000)))
    with servers.tls_server(leaf) as server:
        judged = within(5, trust=trusting("roots", root_of(leaf)))(server)
    assert judged.error_id == "E-CN"
    assert "and 992 more" in judged.message
    assert len(judged.evidence["chain"][0]["names"]) == 50


def test_a_server_that_wants_to_shake_hands_again_and_again_is_not_followed(
    tmp_path: Path,
) -> None:
    program = shutil.which("openssl")
    assert program is not None
    file = tmp_path / "server.pem"
    file.write_bytes(issue.key_pem(LEAF) + issue.to_pem(LEAF.certificate, *LEAF.chain[:1]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_2", "-cert", str(file),
         "-cert_chain", str(file), "-key", str(file)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        while "ACCEPT" not in process.stdout.readline():
            assert process.poll() is None
        asking = threading.Thread(target=_ask_again, args=(process,), daemon=True)
        asking.start()
        judged = within(1, trust=TRUST)(servers.Server(port))
    finally:
        process.kill()
        with suppress(ValueError):
            process.communicate()
    assert judged.error_id in {"E-TCP", "E-TIMEOUT"}, judged.message
    assert stages(judged)["certificate"], judged.message


def _ask_again(process: subprocess.Popen[str]) -> None:
    """s_server asks for a new handshake at each line that says so, once there is a session."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError, ValueError):
        while "CIPHER is" not in process.stdout.readline():
            assert process.poll() is None
        while process.poll() is None:
            process.stdin.write("r\n")
            process.stdin.flush()
            time.sleep(0.02)
