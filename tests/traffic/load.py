"""Clients that ask an installation without a pause, and count what they get."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.traffic.h2client import get_many
from tests.traffic.installation import HOST, Installation

PATIENCE = 60.0  # seconds for anything that a busy machine must get to


@dataclass
class Load:
    """Clients that ask again and again; each answer and each failure is counted by client."""

    stop: threading.Event = field(default_factory=threading.Event)
    answered: dict[str, int] = field(default_factory=dict)
    failed: dict[str, list[str]] = field(default_factory=dict)

    def client(self, name: str, ask: Callable[[], int]) -> threading.Thread:
        self.answered[name], self.failed[name] = 0, []

        def work() -> None:
            while not self.stop.is_set():
                try:
                    self.answered[name] += ask()
                except Exception as error:
                    self.failed[name].append(f"{type(error).__name__}: {error}")

        return threading.Thread(target=work, daemon=True)


def insecure() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def one_request(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/", headers={"Host": HOST})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status


@contextmanager
def under_load(installation: Installation) -> Iterator[Load]:
    """Keep-alive and new connections over HTTP/1.1, plain and TLS, and HTTP/2."""
    plain, secure = installation.place(80), installation.place(443)
    load = Load()
    kept = http.client.HTTPConnection(*plain, timeout=PATIENCE)

    def keep_alive() -> int:
        # Reopens by itself after a "Connection: close", which the server may say any time.
        one_request(kept)
        return 1

    def new_connection() -> int:
        connection = http.client.HTTPConnection(*plain, timeout=PATIENCE)
        try:
            one_request(connection)
        finally:
            connection.close()
        return 1

    def new_handshake() -> int:
        with (
            socket.create_connection(secure, PATIENCE) as line,
            insecure().wrap_socket(line, server_hostname=HOST) as tls,
        ):
            head = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
            tls.sendall(head.encode())
            assert tls.recv(12) == b"HTTP/1.1 200"
            while tls.recv(65536):
                pass
        return 1

    def http2() -> int:
        get_many(*secure, HOST, 50)
        return 50

    clients = {
        "keep-alive": keep_alive,
        "new connection": new_connection,
        "new TLS handshake": new_handshake,
        "HTTP/2": http2,
    }
    threads = [load.client(name, ask) for name, ask in clients.items()]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop.set()
        for thread in threads:
            thread.join(PATIENCE)
