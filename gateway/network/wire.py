"""Reading from a connection, bounded in time and size, and what a TLS peer presented."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment by which all stages of something must be over."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds that are left; raises ``TimeoutError`` when none are."""
        left = self.started + self.seconds - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class TooLongError(Exception):
    """More bytes came than are read."""


class Incoming(io.RawIOBase):
    """The bytes of a socket, each read within the deadline, ``left`` of them at most.

    Reading raises ``TimeoutError``, ``OSError`` and :class:`TooLongError`.
    """

    def __init__(self, connection: socket.socket, deadline: Deadline, left: int) -> None:
        self.connection = connection
        self.deadline = deadline
        self.left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        if self.left <= 0:
            raise TooLongError
        self.connection.settimeout(self.deadline.left())
        count = self.connection.recv_into(buffer, min(len(buffer), self.left))
        self.left -= count
        return count


class _Pipe:
    """What ``HTTPResponse`` needs of a socket."""

    def __init__(self, incoming: Incoming) -> None:
        self.incoming = incoming

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self.incoming)


def response_of(incoming: Incoming, method: str = "GET") -> http.client.HTTPResponse:
    """The answer to a request with ``method``, not read yet: ``begin`` reads its head."""
    return http.client.HTTPResponse(cast(socket.socket, _Pipe(incoming)), method=method)


def presented_chain(secured: ssl.SSLSocket) -> list[bytes]:
    """The certificates (DER) that the peer sent, in its order.

    Public from Python 3.13 on, on the inner object before.
    """
    public: Any = getattr(secured, "get_unverified_chain", None)
    if public is not None:
        return [bytes(der) for der in public()]
    inner: Any = secured._sslobj  # type: ignore[attr-defined]
    return [
        ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in inner.get_unverified_chain() or ()
    ]
