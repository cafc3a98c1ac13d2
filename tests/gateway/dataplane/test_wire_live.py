"""Requests as clients really write them, byte for byte, through a real Envoy.

Codes: "HTTP response codes in Application Gateway".
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from gateway.dataplane import faces
from gateway.health.answers import read_answer
from gateway.models import (
    BackendAddress,
    BackendHttpSettings,
    HttpListener,
    RequestRoutingRule,
)
from gateway.network.wire import Deadline, TooLongError
from tests import factories as make
from tests.gateway.dataplane.engine import running, wait_for
from tests.gateway.dataplane.sites import Traffic, ask, leaf, root
from tests.gateway.dataplane.test_listeners_live import https_site
from tests.servers import (
    Serve,
    Server,
    answer,
    http_server,
    listening,
    read_head,
    silent_server,
    tls_server,
)

PATIENCE = 300

# Lines of a head, characters of the longest value, and whether that is an answer.
HEADS = [(99, 1, True), (100, 1, False), (9, 62 * 1024, True), (9, 66 * 1024, False)]

pytestmark = pytest.mark.django_db


def status(port: int, head: str) -> int:
    """The status of the answer to a request that is sent as it stands."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connected:
        connected.sendall(f"{head}Connection: close\r\n\r\n".encode("latin-1"))
        return int(connected.makefile("rb").readline().split()[1])


def get(host: str) -> str:
    return f"GET / HTTP/1.1\r\nHost: {host}\r\n"


def test_requests_that_are_none_get_400_and_reach_nobody() -> None:
    gateway = make.v2_gateway()
    make.add_rule(gateway, "wild", make.add_listener(gateway, "wild", host_name="*.contoso.com"))
    make.change(make.find(gateway, HttpListener, make.LISTENER), host_name="www.fabrikam.com")
    make.add_rule(gateway, "basic", make.add_listener(gateway, "basic", port=81))
    hosts = ("", "a:1:2", "a.contoso.com:1:2", "a,b", "a:1.contoso.com", "a,b.contoso.com", "u@a")
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()) as engine:
            for number in (80, 81):
                port = traffic.port(number)
                assert {status(port, get(host)) for host in hosts} == {400}
                assert status(port, get("www.fabrikam.com") + "Host: www.fabrikam.com\r\n") == 400
                assert status(port, "GET / HTTP/1.1\r\n") == 400
                assert status(port, "OPTIONS * HTTP/1.1\r\nHost: a\r\n") == 400
                assert status(port, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n") == 400
                for host in ("www.fabrikam.com", "a.contoso.com"):
                    assert status(port, f"TRACE / HTTP/1.1\r\nHost: {host}\r\n") == 400
            assert backend.requests == []
            good = ("[::1]", "[::1]:81", "10.0.0.4:81", "under_score", "x", "x:")
            assert {status(traffic.port(81), get(host)) for host in good} == {200}
            lines = engine.lines(2 * (len(hosts) + 6) + len(good))
    assert {line["routeName"] for line in lines} >= {"/trace", "/malformed", "basic"}


def test_a_final_dot_changes_nothing() -> None:
    gateway = make.v2_gateway()
    names = ("www.contoso.com", "api.contoso.com")
    settings = make.add_settings(
        gateway,
        "passing",
        protocol="Https",
        roots=[make.add_root(gateway, "root", root().certificate)],
    )
    https_site(gateway, "site", *names)
    make.change(
        make.find(gateway, RequestRoutingRule, "rule-site"),
        backend_http_settings=settings,
    )
    with tls_server(leaf(*names)) as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            found = ask(traffic.port(), "WWW.contoso.com.:8443", sni="www.contoso.com")
    assert found.status == 200
    assert [name.lower() for name in backend.names if name] == ["www.contoso.com"]
    head = backend.requests[0].lower()
    assert "\r\nhost: www.contoso.com:8443\r\n" in head
    assert "\r\nx-original-host: www.contoso.com" in head


@contextmanager
def closing_server() -> Iterator[Server]:
    """Keeps connections, and closes each, unanswered, when a second request comes on it."""

    def make(server: Server) -> Serve:
        def serve(connection: socket.socket) -> None:
            connection.settimeout(PATIENCE)
            server.requests.append(read_head(connection))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
            server.requests.append(read_head(connection))

        return serve

    with listening(make) as server:
        yield server


@pytest.mark.parametrize(
    ("method", "status", "seen"),
    [("GET", 200, 3), ("PUT", 200, 3), ("POST", 502, 2), ("PATCH", 502, 2)],
)
def test_what_a_server_may_have_seen_is_sent_again_only_if_that_does_no_harm(
    method: str, status: int, seen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is, the second request finds the connection of the first.
    monkeypatch.setattr(faces, "MOST_IDLE_SECONDS", PATIENCE)
    gateway = make.v2_gateway()
    with closing_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            port, headers = traffic.port(80), {"Content-Length": "0", "X-Envoy-Retry-On": "reset"}
            assert ask(port, method=method, headers=headers).status == 200
            assert ask(port, method=method, headers=headers).status == status
    assert [head.split()[0] for head in backend.requests if head] == [method] * seen
    assert not any("x-envoy" in head.lower() for head in backend.requests)


def test_a_server_that_leaves_its_pool_finishes_what_it_has_got() -> None:
    gateway = make.v2_gateway()
    settings = make.find(gateway, BackendHttpSettings, make.SETTINGS)
    left = BackendAddress.objects.get(pool__gateway=gateway)
    stays = make.add_row(BackendAddress, pool=left.pool, fqdn="b.internal", position=1)
    may_answer = threading.Event()

    def make_slow(server: Server) -> Serve:
        def serve(connection: socket.socket) -> None:
            server.requests.append(read_head(connection))
            may_answer.wait(PATIENCE)
            connection.sendall(answer(body=b"late"))

        return serve

    with listening(make_slow) as slow, http_server() as other, ThreadPoolExecutor(1) as asking:
        traffic = Traffic(gateway)
        traffic.member(settings, left, slow.port)
        with running(traffic.compile()) as engine:
            late = asking.submit(ask, traffic.port(80), seconds=PATIENCE)
            wait_for(lambda: len(slow.requests) == 1, 60)
            make.delete(left)
            traffic.member(settings, stays, other.port)
            engine.write(traffic.compile())
            engine.wait_until_live()
            assert {ask(traffic.port(80)).body for _ in range(4)} == {"fine"}
            assert not late.done()
            may_answer.set()
            assert (late.result().status, late.result().body) == (200, "late")
    assert len(slow.requests) == 1


def test_what_the_gateway_cannot_do_with_a_request_is_told_with_its_own_page() -> None:
    gateway = make.v2_gateway()
    coded = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n"
    upgraded = f"{get('a')}Connection: Upgrade\r\nUpgrade: other\r\n"
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            assert status(traffic.port(80), coded) == 501
            assert status(traffic.port(80), upgraded) == 403
            found = ask(traffic.port(80), headers={"Transfer-Encoding": "gzip"})
    assert (found.status, found.headers["content-type"]) == (501, "text/html")
    assert backend.requests == []


@pytest.mark.parametrize(("lines", "longest", "is_taken"), HEADS)
def test_traffic_takes_the_heads_of_answers_that_probes_take(
    lines: int, longest: int, is_taken: bool
) -> None:
    more = "".join(f"X-{number}: x\r\n" for number in range(lines - 3))
    with http_server(answer(extra=f"{more}X-Long: {'x' * longest}\r\n")) as backend:
        assert is_probe_satisfied(backend.port) is is_taken
        traffic = Traffic(make.v2_gateway())
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            assert ask(traffic.port(80)).status == (200 if is_taken else 502)


def is_probe_satisfied(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port)) as connected:
        connected.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            read_answer(connected, Deadline(60), accepts=lambda code: code == 200, text="")
        except (http.client.HTTPException, TooLongError):
            return False
        return True


@pytest.mark.parametrize(("is_v1", "logged"), [(False, 499), (True, 0)])
def test_a_client_that_leaves_without_an_answer_is_in_the_log(is_v1: bool, logged: int) -> None:
    gateway = make.v1_gateway() if is_v1 else make.v2_gateway()
    with silent_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()) as engine:
            with socket.create_connection(("127.0.0.1", traffic.port(80))) as connected:
                connected.sendall(f"{get('a')}\r\n".encode())
                wait_for(lambda: "rq_active::1" in engine.admin("/clusters"), 60)
            (line,) = engine.lines(1)
    assert line["httpStatus"] == logged
    assert line["flags"] == "DC"


def test_an_ipv6_server_is_asked_by_its_address_in_brackets() -> None:
    gateway = make.v2_gateway()
    settings = make.find(gateway, BackendHttpSettings, make.SETTINGS)
    make.change(settings, pick_host_name_from_backend_address=True)
    address = BackendAddress.objects.get(pool__gateway=gateway)
    make.change(address, fqdn="", ip_address="fd00::4")
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            assert ask(traffic.port(80)).status == 200
    assert "\r\nhost: [fd00::4]\r\n" in backend.requests[0]
