"""What a lab server says on a connection: just enough HTTP/1.1 to be asked anything and not mind.

One request is answered per connection. Every wait and every buffer has a limit.
"""

from __future__ import annotations

import asyncio
import html
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from gateway.lab.lines import Line, SecureLine
from gateway.lab.scenario import Answers

HEADER_LIMIT = 16 * 1024
REQUEST_SECONDS = 15.0
SILENCE_SECONDS = 3600.0
LINGER_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024
BODY_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Voice:
    """Who answers, and how; ``delay`` is in seconds."""

    name: str
    fqdn: str
    answers: Answers = "page"
    status: HTTPStatus = HTTPStatus.OK
    delay: int = 0


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    target: str
    host: str
    body_length: int


async def answer(voice: Voice, line: Line) -> None:
    """Serve one connection until its end; raises nothing but cancellation."""
    try:
        if voice.answers in ("silence", "dns-silence"):
            async with asyncio.timeout(SILENCE_SECONDS):
                await _swallow(line, None)
            return
        async with asyncio.timeout(REQUEST_SECONDS):
            if voice.answers == "reset":
                await line.receive()
                line.reset()
                return
            if isinstance(line, SecureLine):
                await line.shake_hands()
            reply = await _reply(voice, line)
        if voice.delay and await _hangs_up(line, voice.delay):
            return
        async with asyncio.timeout(REQUEST_SECONDS):
            await line.send(reply)
            # Closing with unread bytes would reset the connection and lose the answer.
            await line.say_goodbye()
        async with asyncio.timeout(LINGER_SECONDS):
            await _swallow(line, LINGER_BYTES)
    except (OSError, EOFError, TimeoutError):
        pass
    finally:
        line.close()


async def _hangs_up(line: Line, seconds: int) -> bool:
    """Wait; whether the client ended the connection meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await _swallow(line, LINGER_BYTES)
    except TimeoutError:
        return False
    return True


async def _swallow(line: Line, most: int | None) -> None:
    read = 0
    while (most is None or read < most) and (block := await line.receive()):
        read += len(block)


async def _reply(voice: Voice, line: Line) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read and len(read) <= HEADER_LIMIT:
        if not (block := await line.receive()):
            raise EOFError
        read += block
        if not read[:1].isalpha():
            # The beginning of a TLS handshake, for example: a web server says so at once.
            return _no_request(voice)
    head, _, rest = read.partition(b"\r\n\r\n")
    if len(head) > HEADER_LIMIT:
        too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return _response(too_large, _page(voice, "Too much"), voice)
    request = _parse(head)
    if request is None:
        return _no_request(voice)
    # An answer before the end of the request would be lost with the connection.
    missing = min(request.body_length, BODY_LIMIT) - len(rest)
    while missing > 0:
        if not (block := await line.receive()):
            raise EOFError
        missing -= len(block)
    rows = {
        "Server": f"{voice.name} ({voice.fqdn})",
        "Host": request.host or "(none)",
        "Request": f"{request.method} {request.target}",
        "Connection": line.version or "plain HTTP",
    }
    page = _page(voice, _title(voice), rows)
    return _response(voice.status, page, voice, with_body=request.method != "HEAD")


def _no_request(voice: Voice) -> bytes:
    return _response(HTTPStatus.BAD_REQUEST, _page(voice, "That is no HTTP request"), voice)


def _title(voice: Voice) -> str:
    if voice.answers == "maintenance":
        return "Closed for maintenance"
    if voice.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return "Something broke in here"
    if voice.status != HTTPStatus.OK:
        return voice.status.phrase
    return f"Hello from {voice.name}"


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


def _response(status: HTTPStatus, body: bytes, voice: Voice, *, with_body: bool = True) -> bytes:
    challenge = ""
    if status == HTTPStatus.UNAUTHORIZED:
        challenge = f'WWW-Authenticate: Basic realm="{voice.fqdn}"\r\n'
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        "Server: gatewright-lab\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        f"{challenge}"
        "X-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + (body if with_body else b"")
