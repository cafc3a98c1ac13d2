"""Requests as clients really write them, byte for byte, through a real Envoy.

Codes: "HTTP response codes in Application Gateway".
"""

from __future__ import annotations

import socket

import pytest

from gateway.models import (
    BackendAddress,
    BackendHttpSettings,
    HttpListener,
    RequestRoutingRule,
)
from tests import factories as make
from tests.gateway.dataplane.engine import running
from tests.gateway.dataplane.sites import Traffic, ask, leaf, root
from tests.gateway.dataplane.test_listeners_live import https_site
from tests.servers import http_server, tls_server

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
                assert status(port, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n") == 400
                for host in ("www.fabrikam.com", "a.contoso.com"):
                    assert status(port, f"TRACE / HTTP/1.1\r\nHost: {host}\r\n") == 400
            assert backend.requests == []
            good = ("[::1]", "[::1]:81", "10.0.0.4:81", "under_score", "x", "x:")
            assert {status(traffic.port(81), get(host)) for host in good} == {200}
            lines = engine.lines(2 * (len(hosts) + 5) + len(good))
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
