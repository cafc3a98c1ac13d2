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
# What the name of a header may be made of (RFC 9110, 5.6.2).
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
    """Refuse heads that the data plane refuses: a name that is none, a line that is no header, a
    length told twice. Otherwise such a server would count as healthy, and users get 502.
    """
    names = response.headers.keys()
    lengths = response.headers.get_all("Content-Length") or ()
    is_sound = all(map(_TOKEN.fullmatch, names)) and len(lengths) <= 1
    if not is_sound or response.headers.defects:
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
