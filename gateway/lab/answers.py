"""What a lab server says on a connection: just enough HTTP/1.1 to be asked anything and not mind.

One request is answered per connection. Every wait and every buffer has a limit.
"""

from __future__ import annotations

import asyncio
import html
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from gateway.lab.scenarios import Answers

HEADER_LIMIT = 16 * 1024
REQUEST_SECONDS = 15.0
SILENCE_SECONDS = 3600.0
LINGER_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024
BODY_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Voice:
    """Who answers, and how."""

    name: str
    fqdn: str
    answers: Answers


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    target: str
    host: str
    body_length: int


async def answer(voice: Voice, reader: StreamReader, writer: StreamWriter) -> None:
    """Serve one connection until its end; raises nothing but cancellation."""
    try:
        if voice.answers == "silence":
            async with asyncio.timeout(SILENCE_SECONDS):
                await _swallow(reader, None)
            return
        async with asyncio.timeout(REQUEST_SECONDS):
            writer.write(await _reply(voice, reader, writer))
            await writer.drain()
        # Closing with unread bytes would reset the connection and lose the answer.
        if writer.can_write_eof():
            writer.write_eof()
            async with asyncio.timeout(LINGER_SECONDS):
                await _swallow(reader, LINGER_BYTES)
    except (OSError, EOFError, TimeoutError):
        pass
    finally:
        writer.close()


async def _swallow(reader: StreamReader, most: int | None) -> None:
    read = 0
    while (most is None or read < most) and (block := await reader.read(64 * 1024)):
        read += len(block)


async def _reply(voice: Voice, reader: StreamReader, writer: StreamWriter) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        return _response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _page(voice, "Too much"))
    request = _parse(head)
    if request is None:
        return _response(HTTPStatus.BAD_REQUEST, _page(voice, "That is no HTTP request"))
    # An answer before the end of the request would be lost with the connection.
    await reader.readexactly(min(request.body_length, BODY_LIMIT))
    status = HTTPStatus.INTERNAL_SERVER_ERROR if voice.answers == "error" else HTTPStatus.OK
    secure = writer.get_extra_info("ssl_object")
    rows = {
        "Server": f"{voice.name} ({voice.fqdn})",
        "Host": request.host or "(none)",
        "Request": f"{request.method} {request.target}",
        "Connection": secure.version() if secure else "plain HTTP",
    }
    title = "Something broke in here" if voice.answers == "error" else f"Hello from {voice.name}"
    page = _page(voice, title, rows)
    return _response(status, page, with_body=request.method != "HEAD")


def _parse(head: bytes) -> _Request | None:
    """The request, ``None`` if it is none."""
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[0].isalpha() or not parts[2].startswith("HTTP/1."):
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), value.strip())
    length = headers.get("content-length", "")
    body_length = int(length[:12]) if length.isascii() and length.isdigit() else 0
    return _Request(parts[0].upper(), parts[1], headers.get("host", ""), body_length)


def _page(voice: Voice, title: str, rows: dict[str, str] | None = None) -> bytes:
    items = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>\n"
        for name, value in (rows or {}).items()
    )
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{html.escape(voice.name)}</title>'
        f"</head>\n<body><h1>{html.escape(title)}</h1>\n<dl>\n{items}</dl></body></html>\n"
    ).encode()


def _response(status: HTTPStatus, body: bytes, *, with_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        "Server: gatewright-lab\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + (body if with_body else b"")
