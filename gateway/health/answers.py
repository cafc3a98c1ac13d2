"""Reading an HTTP answer from a socket, bounded in time and size."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from gateway.network.wire import Deadline, Incoming, TooLongError, response_of

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 1024 * 1024
_PIECE = 64 * 1024
# What the value of a header may not hold, and what its name may (RFC 9110, 5.5 and 5.6.2).
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """``found`` is ``None`` where no text was looked for."""

    status_code: int
    found: bool | None


def read_answer(
    connection: socket.socket,
    deadline: Deadline,
    *,
    accepts: Callable[[int], bool],
    text: str,
) -> Answer:
    """Read one answer to a GET; the body only if ``accepts`` says so of the status code.

    ``text`` is looked for in the first MiB of the body. Raises ``TimeoutError``, ``OSError``,
    ``http.client.HTTPException`` and :class:`TooLongError`.
    """
    incoming = Incoming(connection, deadline, MAX_HEAD_BYTES)
    response = response_of(incoming)
    _begin(response)
    _check_head(response)
    if not accepts(response.status):
        return Answer(response.status, None)
    incoming.left = MAX_BODY_BYTES
    wanted = _encode(text, response.headers.get_content_charset())
    if text:
        return Answer(response.status, _search(response, wanted))
    _drain(response)
    return Answer(response.status, None)


def _begin(response: http.client.HTTPResponse) -> None:
    """Read the head of the answer itself; hints that come before it (1xx) are passed over.

    "HTTP Semantics" (RFC 9110), 15.2: a client that did not ask for them may ignore them.
    """
    response.begin()
    while 100 <= response.status < 200 and response.status != http.client.SWITCHING_PROTOCOLS:
        # A head that is there is not read again.
        response.headers = None  # type: ignore[assignment]
        response.begin()


def _check_head(response: http.client.HTTPResponse) -> None:
    """Refuse heads that the data plane refuses, or the server is healthy and users get 502.

    A name or a value that is none, a line that is no header, a length that is not sure.
    """
    headers = response.headers
    lengths = headers.get_all("Content-Length") or []
    codings = headers.get_all("Transfer-Encoding") or []
    is_sound = (
        not headers.defects
        and all(_TOKEN.fullmatch(name) for name in headers)
        and not any(_CONTROL.search(value) for value in headers.values())
        and len(lengths + codings) <= 1
        and all(length.isascii() and length.isdigit() for length in lengths)
        and all(coding.lower() == "chunked" for coding in codings)
    )
    if not is_sound:
        raise http.client.HTTPException("malformed head")


def _check_end(response: http.client.HTTPResponse) -> None:
    """An answer counts when it is complete."""
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)


def _encode(text: str, charset: str | None) -> bytes:
    try:
        return text.encode(charset or "utf-8")
    except (LookupError, ValueError):
        # ValueError: letters that the character set lacks, or a name of it that holds a NUL.
        return text.encode("utf-8", "replace")


def _drain(response: http.client.HTTPResponse) -> None:
    """Read to the end (or to the limit)."""
    try:
        while response.read(_PIECE):
            pass
    except TooLongError:
        return
    _check_end(response)


def _search(response: http.client.HTTPResponse, wanted: bytes) -> bool:
    seen = b""
    try:
        while piece := response.read(_PIECE):
            # The text may lie across two pieces.
            seen = seen[-len(wanted) :] + piece
            if wanted in seen:
                return True
    except TooLongError:
        return False
    _check_end(response)
    return False
