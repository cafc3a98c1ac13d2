"""The application that the web server calls: bodies are awaited, and only then does a thread work.

The web server has few threads for requests and no deadline for a body. So that nobody holds a
thread by sending slowly, the event loop takes in the whole body and hands the answer out again;
Django, in a thread of its own pool, sees neither end of the connection.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from django.core.wsgi import get_wsgi_application

from gateway.http import LATE, announced_length
from gateway.uploads import body_limit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")

# Requests that one process works on at once. Two would keep the processor busy; the others are for
# those who wait for a network: a class that tries its probes at a server that never answers.
THREADS = 10
BODY_SECONDS = 60.0  # from the last header to the last byte; 4 MB need 0.6 Mbit/s
# The answer to an oversized upload goes out at once, but a browser looks at it only when it has
# sent everything: somebody has to read that. Beyond this many bytes or seconds nobody does, and
# the browser sees a closed connection instead.
DRAINED_BYTES = 32 * 1024 * 1024
DRAINED_SECONDS = 30.0

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Wsgi(Protocol):
    """A WSGI application; its answer may have to be closed."""

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any], /
    ) -> Iterable[bytes]: ...


class _GoneError(Exception):
    """The client closed the connection before its body was complete."""


class Door:
    """An ASGI application around the WSGI application ``inner``.

    A body within the limit of its path is taken in whole before ``inner`` is called; one that
    takes longer than ``seconds`` is marked with ``LATE`` in the environment and left out, and so
    is a larger one, whose length says enough.
    """

    def __init__(self, inner: Wsgi, *, threads: int = THREADS, seconds: float = BODY_SECONDS):
        self._inner = inner
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")

    def close(self) -> None:
        """End the threads once they have nothing to do."""
        self._pool.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        environ = environment(scope)
        length = announced_length(environ.get("CONTENT_LENGTH", ""))
        oversized = length > body_limit(scope["path"])
        body = b""
        if length and not oversized:
            try:
                async with asyncio.timeout(self._seconds):
                    body = await _whole_body(receive, length)
            except TimeoutError:
                environ[LATE] = True
            except _GoneError:
                return
        environ["wsgi.input"] = BytesIO(body)
        loop = asyncio.get_running_loop()
        status, headers, content = await loop.run_in_executor(self._pool, self._work, environ)
        if environ.get(LATE):
            headers.append((b"connection", b"close"))
        if oversized:
            # The web server hangs up where an answer is complete and its request is not.
            headers = [pair for pair in headers if pair[0] != b"content-length"]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content, "more_body": oversized})
        if oversized:
            await _drain(receive, min(length, DRAINED_BYTES))
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _work(self, environ: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, headers and content of the answer."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            started.append((status, headers))

        answer = self._inner(environ, start_response)
        try:
            content = b"".join(answer)
        finally:
            # Django gives its database connection back here.
            if close := getattr(answer, "close", None):
                close()
        status, headers = started[-1]
        written = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]
        return int(status[:3]), written, content


def environment(scope: Scope) -> dict[str, Any]:
    """What WSGI says of a request, from what ASGI says; without its body."""
    server, client = scope.get("server") or ("", None), scope.get("client") or ("", None)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # The raw path: the other was made readable and may have lost bytes.
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        # Under its WSGI name a header with "_" could pass for the one with "-".
        if b"_" in name:
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        text = value.decode("latin-1")
        if key in environ:
            text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text
    return environ


async def _whole_body(receive: Receive, length: int) -> bytes:
    """The body; never more than ``length`` bytes. Raises :class:`_GoneError`."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) >= length:
            return bytes(body[:length])


async def _drain(receive: Receive, length: int) -> None:
    """Read and forget up to ``length`` bytes that the client still sends."""
    try:
        async with asyncio.timeout(DRAINED_SECONDS):
            while length > 0:
                message = await receive()
                if not message.get("more_body"):
                    return
                length -= len(message.get("body", b""))
    except TimeoutError:
        return


application = Door(get_wsgi_application())
