"""Rude clients: whoever hangs up, dawdles or talks nonsense disturbs nobody else."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from certificates.x509.issuing.issue import key_pem, make_self_signed, to_pem
from gateway.lab import answers, running
from gateway.lab.answers import Voice
from gateway.lab.doors import Door, converse
from gateway.lab.running import Hall
from gateway.lab.tls import server_context
from gateway.network import EMPTY_ZONE, Zone

NOW = datetime.now(UTC)
HELLO = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def context() -> ssl.SSLContext:
    made = make_self_signed("a", now=NOW, ca=False, dns_names=["a"])
    return server_context(to_pem(made.certificate).decode(), key_pem(made))


def serving(
    talk: Callable[[tuple[str, int]], Any], *, tls: bool = False, voice: Voice | None = None
) -> Any:
    """What ``talk`` (in a thread, with the address of one server) returns."""

    async def zone(network: int) -> Zone:
        return EMPTY_ZONE

    async def main() -> Any:
        hall = Hall("127.0.0.1", zone)
        secure = context() if tls else None
        shown = voice or Voice("server", "server.contoso.test")
        door = Door(hall.host, lambda one: hall.admit(one, converse(one, shown, secure)))
        try:
            return await asyncio.to_thread(talk, (hall.host, door.port))
        finally:
            door.close()
            door.close()
            await hall.empty()
            assert not hall.conversations

    return asyncio.run(main())


def secured(address: tuple[str, int]) -> ssl.SSLSocket:
    wanted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    wanted.check_hostname, wanted.verify_mode = False, ssl.CERT_NONE
    return wanted.wrap_socket(socket.create_connection(address, timeout=5))


def everything(client: socket.socket) -> bytes:
    read = b""
    while block := client.recv(65536):
        read += block
    return read


def ask(address: tuple[str, int], *, tls: bool) -> bytes:
    with secured(address) if tls else socket.create_connection(address, timeout=5) as client:
        client.sendall(HELLO)
        return everything(client)


def hang_up(client: socket.socket) -> None:
    """Leave with a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("said", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01", b"GET / HT", HELLO])
@pytest.mark.parametrize("leave", [socket.socket.close, hang_up])
def test_whoever_leaves_early_disturbs_nobody(
    tls: bool, said: bytes, leave: Callable[[socket.socket], None]
) -> None:
    def talk(address: tuple[str, int]) -> bytes:
        for _ in range(5):
            client = socket.create_connection(address, timeout=5)
            client.sendall(said)
            leave(client)
        return ask(address, tls=tls)

    assert serving(talk, tls=tls).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "said",
    [HELLO, b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\x00" * 100, b"\x15\x03\x03\x00\x02\x02\x28"],
)
def test_nonsense_on_a_tls_port_ends_the_connection(said: bytes) -> None:
    def talk(address: tuple[str, int]) -> bytes:
        with socket.create_connection(address, timeout=5) as client:
            try:
                client.sendall(said)
                everything(client)
            except ConnectionError:
                pass
        return ask(address, tls=True)

    assert serving(talk, tls=True).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_leaves_inside_the_handshake_or_after_it_is_let_go() -> None:
    def talk(address: tuple[str, int]) -> bytes:
        hang_up(secured(address))
        client = secured(address)
        client.sendall(b"GET / HTTP/1.1\r\n")
        client.close()
        return ask(address, tls=True)

    assert serving(talk, tls=True).startswith(b"HTTP/1.1 200 ")


def test_a_large_request_by_tls_is_read_to_its_end() -> None:
    body = b"x" * 300_000

    def talk(address: tuple[str, int]) -> bytes:
        with secured(address) as client:
            head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
            client.sendall(head.encode() + body)
            return everything(client)

    assert serving(talk, tls=True).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_goes_on_sending_gets_its_answer_and_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "LINGER_SECONDS", 0.2)

    def talk(address: tuple[str, int]) -> bytes:
        with socket.create_connection(address, timeout=5) as client:
            client.sendall(HELLO + b"more")
            return everything(client)

    assert serving(talk).startswith(b"HTTP/1.1 200 ")


def test_a_request_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "REQUEST_SECONDS", 0.2)

    def talk(address: tuple[str, int]) -> bytes:
        with socket.create_connection(address, timeout=5) as client:
            client.sendall(b"GET / HTTP/1.1\r\nX: ")
            return everything(client)

    assert serving(talk) == b""


def test_a_client_that_leaves_a_slow_server_ends_the_waiting() -> None:
    slow = Voice("slow", "slow.contoso.test", delay=60)

    def talk(address: tuple[str, int]) -> None:
        with socket.create_connection(address, timeout=5) as client:
            client.sendall(HELLO)

    serving(talk, voice=slow)


def test_more_conversations_than_the_lab_can_hold_are_turned_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "MOST_CONNECTIONS", 2)
    silent = Voice("silent", "silent.contoso.test", "silence")

    def talk(address: tuple[str, int]) -> list[bytes]:
        told = []
        clients = [socket.create_connection(address, timeout=0.5) for _ in range(3)]
        for client in clients:
            try:
                told.append(client.recv(1))
            except TimeoutError:
                told.append(b"held")
        for client in clients:
            client.close()
        return told

    assert serving(talk, voice=silent) == [b"held", b"held", b""]
