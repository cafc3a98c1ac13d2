"""The way from the web server to Django: bodies are awaited without a thread, and not for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway import asgi
from gateway.http import LATE

MIB = 1024 * 1024


def scope_of(path: str = "/", method: str = "POST", **headers: str) -> dict[str, Any]:
    raw, _, query = path.partition("?")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw,
        "raw_path": raw.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": [
            (name.replace("_", "-").encode(), value.encode("latin-1"))
            for name, value in headers.items()
        ],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.9", 50000),
    }


class Client:
    """A connection as the web server shows it: what it sends, and what it was sent."""

    def __init__(self, *chunks: bytes, ends: bool = True) -> None:
        self.chunks = list(chunks)
        self.ends = ends
        self.taken = 0
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.more = True

    async def receive(self) -> dict[str, Any]:
        if self.chunks:
            chunk = self.chunks.pop(0)
            self.taken += len(chunk)
            more = bool(self.chunks) or not self.ends
            return {"type": "http.request", "body": chunk, "more_body": more}
        if self.ends:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            self.body += message["body"]
            self.more = message["more_body"]


class Inner:
    """A WSGI application that says what it was given."""

    def __init__(self) -> None:
        self.given: list[dict[str, Any]] = []
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.given.append(environ)
        content = b"read %d" % len(environ["wsgi.input"].read())
        start_response("418 I'm a teapot", [("Content-Length", str(len(content)))])
        return Answer(self, [content[:3], content[3:]])


class Answer(list[bytes]):
    def __init__(self, inner: Inner, chunks: list[bytes]) -> None:
        super().__init__(chunks)
        self.inner = inner

    def close(self) -> None:
        self.inner.closed += 1


@contextmanager
def door(inner: Any = None, **options: Any) -> Iterator[asgi.Door]:
    made = asgi.Door(inner or Inner(), **options)
    yield made
    made.close()


def visit(door: asgi.Door, client: Client, scope: dict[str, Any]) -> Client:
    asyncio.run(door(scope, client.receive, client.send))
    return client


def test_a_body_that_comes_in_pieces_is_handed_over_whole():
    inner = Inner()
    with door(inner) as here:
        client = visit(here, Client(b"ab", b"", b"c"), scope_of(content_length="3"))
    assert (client.status, client.body, client.more) == (418, b"read 3", False)
    assert client.headers == {b"content-length": b"6"}
    assert inner.closed == 1, "the database connection is given back"


@pytest.mark.parametrize("length", ["", "abc", "-1", "²"])
def test_without_a_length_nothing_is_awaited(length):
    headers = {"content_length": length} if length else {}
    with door() as here:
        client = visit(here, Client(ends=False), scope_of(**headers))
    assert client.body == b"read 0"


def test_who_sends_too_slowly_is_not_awaited_for_ever():
    inner = Inner()
    with door(inner, seconds=0.01) as here:
        client = visit(here, Client(b"half", ends=False), scope_of(content_length="8"))
    assert inner.given[0][LATE] is True
    assert client.body == b"read 0", "half a form is no form"
    assert client.headers[b"connection"] == b"close"


def test_who_hangs_up_in_the_middle_is_not_answered():
    inner = Inner()
    client = Client()
    with door(inner) as here:
        visit(here, client, scope_of(content_length="8"))
    assert not inner.given
    assert client.status == 0


def test_slow_clients_take_no_thread_from_the_others():
    async def crowd(here: asgi.Door) -> list[Client]:
        slow = [Client(b"x", ends=False) for _ in range(50)]
        tasks = [
            asyncio.create_task(here(scope_of(content_length="9"), one.receive, one.send))
            for one in slow
        ]
        while not all(one.taken for one in slow):
            await asyncio.sleep(0)
        quick = Client(b"abc")
        await here(scope_of(content_length="3"), quick.receive, quick.send)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [quick, *slow]

    with door(threads=1) as here:
        quick, *slow = asyncio.run(crowd(here))
    assert quick.body == b"read 3"
    assert {one.status for one in slow} == {0}


def test_no_more_requests_are_worked_on_at_once_than_there_are_threads():
    seen: set[str] = set()
    met = threading.Barrier(2)

    def inner(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.add(threading.current_thread().name)
        met.wait(60)
        start_response("200 OK", [])
        return []

    async def crowd(here: asgi.Door) -> None:
        clients = [Client() for _ in range(10)]
        await asyncio.gather(*(here(scope_of(), one.receive, one.send) for one in clients))

    with door(inner, threads=2) as here:
        asyncio.run(crowd(here))
    assert len(seen) == 2


def test_a_body_above_the_limit_is_answered_at_once_and_read_to_a_limit_afterwards():
    inner = Inner()
    chunks = [b"x" * MIB] * (asgi.DRAINED_BYTES // MIB + 8)
    client = Client(*chunks, ends=False)
    told: list[int] = []

    async def send(message: dict[str, Any]) -> None:
        told.append(client.taken)
        await client.send(message)

    with door(inner) as here:
        asyncio.run(here(scope_of(content_length=str(10**15)), client.receive, send))
    assert (client.status, client.body, client.more) == (418, b"read 0", False)
    assert told[:2] == [0, 0], "the answer waits for nobody"
    assert b"content-length" not in client.headers, "it is not complete before everything is read"
    assert client.taken == asgi.DRAINED_BYTES


def test_who_is_too_big_and_too_slow_is_not_read_for_ever(monkeypatch):
    monkeypatch.setattr(asgi, "DRAINED_SECONDS", 0.01)
    with door() as here:
        client = visit(here, Client(b"x", ends=False), scope_of(content_length=str(2 * MIB)))
    assert (client.status, client.more) == (418, False)


def test_the_limit_belongs_to_the_path():
    sent, length = [b"x" * MIB] * 3, str(3 * MIB)
    with door() as here:
        client = visit(here, Client(*sent), scope_of("/subscriptions/x", content_length=length))
        assert client.body == b"read %d" % (3 * MIB)
        client = visit(here, Client(*sent), scope_of("/portal/", content_length=length))
        assert client.body == b"read 0"


def test_the_environment_says_what_the_request_says():
    scope = scope_of("/a%ff/%C3%A9?q=%ff", "GET", content_type="text/plain", x_odd="\xff")
    scope["headers"] += [
        (b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"accept", b"x"), (b"accept", b"y"),
        (b"x_odd", b"forged"),
    ]  # fmt: skip
    environ = asgi.environment(scope)
    assert environ["PATH_INFO"] == "/a\xff/\xc3\xa9"
    assert environ["QUERY_STRING"] == "q=%ff"
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_ACCEPT"] == "x,y"
    assert environ["HTTP_X_ODD"] == "\xff", "an underscore does not pass for a hyphen"
    assert environ["REMOTE_ADDR"] == "127.0.0.9"
    assert environ["SERVER_PORT"] == "8000"
