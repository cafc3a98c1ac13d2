"""Real servers for tests: each listens on a port of loopback that the system picks.

    with tls_server(issued) as server:
        connect_to(server.port)

``server.names`` collects the server names of handshakes, ``server.requests`` the heads of requests.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue

Serve = Callable[[socket.socket], None]


@dataclass
class Server:
    port: int
    names: list[str | None] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def listening(make: Callable[[Server], Serve]) -> Iterator[Server]:
    """Accept connections until the end of the block, each in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = Server(listener.getsockname()[1])
    serve = make(server)

    def handle(connection: socket.socket) -> None:
        # What a client does to the connection is the client's affair.
        with connection, suppress(OSError):
            connection.settimeout(10)
            serve(connection)

    def accept() -> None:
        while not server.released.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        # Closing alone does not wake a thread that waits in accept.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def answer(status: str = "200 OK", body: bytes = b"fine", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{extra}\r\n"
    return head.encode() + body


def read_head(connection: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        if not piece:
            break
        head += piece
    return head.decode("latin-1")


@contextmanager
def http_server(reply: bytes | None = None) -> Iterator[Server]:
    """Plain HTTP: answers every request with ``reply``."""
    reply = answer() if reply is None else reply

    def make(server: Server) -> Serve:
        def serve(connection: socket.socket) -> None:
            server.requests.append(read_head(connection))
            connection.sendall(reply)

        return serve

    with listening(make) as server:
        yield server


@contextmanager
def silent_server() -> Iterator[Server]:
    """Accepts and never says anything."""

    def make(server: Server) -> Serve:
        def serve(connection: socket.socket) -> None:
            server.released.wait(30)

        return serve

    with listening(make) as server:
        yield server


@contextmanager
def resetting_server() -> Iterator[Server]:
    """Accepts and resets the connection."""

    def make(server: Server) -> Serve:
        def serve(connection: socket.socket) -> None:
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )

        return serve

    with listening(make) as server:
        yield server


@contextmanager
def tls_server(
    issued: issue.Issued,
    chain: Sequence[Certificate] | None = None,
    *,
    reply: bytes | None = None,
    by_name: dict[str, issue.Issued] | None = None,
    version: ssl.TLSVersion | None = None,
    client_authority: Certificate | None = None,
) -> Iterator[Server]:
    """HTTPS with the key of ``issued``; it presents ``chain`` (default: leaf and intermediates).

    ``by_name``: other certificates for certain server names; ``version``: the only one spoken;
    ``client_authority``: client certificates are demanded.
    """
    reply = answer() if reply is None else reply
    context = _context(issued, chain)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if client_authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_authority.pem)
    others = {name: _context(other, None) for name, other in (by_name or {}).items()}

    def make(server: Server) -> Serve:
        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            server.names.append(name)
            if name in others:
                connection.context = others[name]

        context.sni_callback = choose

        def serve(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secured:
                server.requests.append(read_head(secured))
                secured.sendall(reply)

        return serve

    with listening(make) as server:
        yield server


def _context(issued: issue.Issued, chain: Sequence[Certificate] | None) -> ssl.SSLContext:
    if chain is None:
        above = [one for one in issued.chain if not one.self_signed]
        chain = [issued.certificate, *above]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "server.pem")
        file.write_bytes(issue.key_pem(issued) + issue.to_pem(*chain))
        context.load_cert_chain(file)
    return context


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port that is bound, so that nobody else gets it, and does not listen."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
