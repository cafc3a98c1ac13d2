"""A connection as a lab server sees it, plain or by TLS.

The TLS of asyncio drops the alert by which a failed handshake is told, and alerts are what clients
of the lab come to see; so the handshake is driven here.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from asyncio import StreamReader, StreamWriter

BLOCK = 16 * 1024


class Line:
    """A plain connection."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def version(self) -> str | None:
        """The version of TLS; ``None`` in plain text."""
        return None

    async def receive(self) -> bytes:
        """What the client sent next; empty when it is done. Raises ``OSError``."""
        return await self._reader.read(BLOCK)

    async def send(self, data: bytes) -> None:
        """Send all of it; raises ``OSError``."""
        self._writer.write(data)
        await self._writer.drain()

    async def say_goodbye(self) -> None:
        """Tell the client that nothing follows; it may go on to send."""
        if self._writer.can_write_eof():
            self._writer.write_eof()

    def reset(self) -> None:
        """End the connection with a reset: what the kernel does when it need not linger."""
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        self._writer.close()


class SecureLine(Line):
    """A connection by TLS; :meth:`shake_hands` comes first."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, context: ssl.SSLContext) -> None:
        super().__init__(reader, writer)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    @property
    def version(self) -> str | None:
        return self._tls.version()

    async def shake_hands(self) -> None:
        """Raises ``OSError`` (``ssl.SSLError``) if there is no agreement; the client is told."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._feed():
                    raise ConnectionResetError("The client left during the handshake.") from None
            except ssl.SSLError:
                await self._flush()
                raise
            else:
                await self._flush()
                return

    async def receive(self) -> bytes:
        while True:
            try:
                return self._tls.read(BLOCK)
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._feed():
                    return b""
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError:
                await self._flush()
                raise

    async def send(self, data: bytes) -> None:
        for start in range(0, len(data), BLOCK):
            self._tls.write(data[start : start + BLOCK])
            await self._flush()

    async def say_goodbye(self) -> None:
        # The client's own farewell may come later, or never.
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        await self._flush()
        await super().say_goodbye()

    async def _feed(self) -> bool:
        raw = await self._reader.read(BLOCK)
        self._incoming.write(raw)
        return bool(raw)

    async def _flush(self) -> None:
        if self._outgoing.pending:
            self._writer.write(self._outgoing.read())
            await self._writer.drain()


async def open_line(connection: socket.socket, context: ssl.SSLContext | None) -> Line:
    """A line over an accepted connection; without context it is a plain one."""
    reader, writer = await asyncio.open_connection(sock=connection, limit=BLOCK)
    return SecureLine(reader, writer, context) if context else Line(reader, writer)
