"""Listening sockets of the lab: thousands of them, each cheap until somebody knocks."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

from gateway.lab.answers import Voice, answer
from gateway.lab.lines import open_line

BACKLOG = 100
# When no connection can be taken, because no descriptor is left, others have to end first.
PAUSE_SECONDS = 0.5

Accepted = Callable[[socket.socket], None]


class Door:
    """A listening socket that hands each connection to ``accepted``; made in a running loop."""

    __slots__ = ("_accepted", "_listening", "_loop")

    def __init__(self, host: str, accepted: Accepted, *, port: int = 0) -> None:
        self._accepted = accepted
        self._loop = asyncio.get_running_loop()
        self._listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._listening.setblocking(False)
            self._listening.bind((host, port))
            self._listening.listen(BACKLOG)
        except OSError:
            self._listening.close()
            raise
        self._open()

    @property
    def port(self) -> int:
        """The real port."""
        name: tuple[str, int] = self._listening.getsockname()
        return name[1]

    def close(self) -> None:
        """Refuse from now on; connections that were taken go on."""
        if self._listening.fileno() >= 0:
            self._loop.remove_reader(self._listening)
            self._listening.close()

    def _open(self) -> None:
        if self._listening.fileno() >= 0:
            self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(BACKLOG):
            try:
                connection, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._loop.remove_reader(self._listening)
                self._loop.call_later(PAUSE_SECONDS, self._open)
                return
            connection.setblocking(False)
            self._accepted(connection)


async def converse(connection: socket.socket, voice: Voice, context: ssl.SSLContext | None) -> None:
    """Shake hands, if there is a context, and answer; raises nothing but cancellation."""
    try:
        line = await open_line(connection, context)
    except OSError:
        # The client is gone already.
        connection.close()
        return
    await answer(voice, line)
