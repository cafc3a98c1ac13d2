"""Listeners, rules and backends through a real Envoy."""

from __future__ import annotations

import ssl

import pytest

from gateway.models import HttpListener
from tests import factories as make
from tests.gateway.dataplane.engine import running
from tests.gateway.dataplane.sites import Traffic, ask, leaf, root
from tests.servers import answer, http_server, tls_server

pytestmark = pytest.mark.django_db


def https_site(gateway, name, *hosts, certificate=None, **fields):
    """A listener on 443 with a rule to the default pool and setting."""
    issued = certificate or leaf(*(hosts or ("basic.contoso.com",)))
    stored = make.add_ssl_certificate(gateway, f"cert-{name}", issued)
    listener = make.add_listener(
        gateway,
        name,
        port=443,
        protocol="Https",
        ssl_certificate=stored,
        host_names=list(hosts),
        **fields,
    )
    make.add_rule(gateway, f"rule-{name}", listener)
    return listener


def test_a_request_reaches_the_backend_with_the_gateways_headers():
    gateway = make.v2_gateway()
    with http_server(answer(extra="Server: backend\r\n")) as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        compiled = traffic.compile()
        with running(compiled) as engine:
            port = traffic.port(80)
            found = ask(
                port,
                f"www.contoso.com:{port}",
                "/a?b=c",
                headers={
                    "X-Forwarded-For": "9.9.9.9:1",
                    "X-Forwarded-Proto": "https",
                    "X-Forwarded-Port": "1",
                    "X-Original-Host": "forged",
                    "X-Original-URL": "forged",
                    "X-AppGW-Trace-Id": "forged",
                    "X-Request-Id": "mine",
                    "x-envoy-upstream-rq-timeout-ms": "1",
                    "x-envoy-retry-on": "5xx",
                },
            )
            line = engine.lines(1)[0]
    assert (found.status, found.body, found.headers["server"]) == (200, "fine", "backend")
    head = backend.requests[0].lower()
    assert head.startswith("get /a?b=c http/1.1")
    assert f"\r\nhost: www.contoso.com:{port}\r\n" in head
    assert f"x-original-host: www.contoso.com:{port}\r\n" in head
    assert "x-forwarded-proto: http\r\n" in head
    assert f"x-forwarded-port: {port}\r\n" in head
    assert "x-forwarded-for: 9.9.9.9:1,127.0.0.1:" in head
    assert "x-original-url: /a?b=c\r\n" in head
    assert "x-request-id: mine\r\n" in head
    assert "x-appgw-trace-id: " in head
    assert "forged" not in head
    assert "x-envoy" not in head
    assert line["listenerName"] == make.LISTENER


def test_sites_are_told_apart_by_server_name_and_host():
    gateway = make.v2_gateway()
    https_site(gateway, "wild", "*.fabrikam.com")
    https_site(gateway, "exact", "www.contoso.com", "contoso.com")
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            port = traffic.port()
            first = ask(port, "www.contoso.com", sni="www.contoso.com")
            deep = ask(port, "a.b.fabrikam.com", sni="a.b.fabrikam.com")
            apex = ask(port, "fabrikam.com", sni="fabrikam.com")
            nameless = ask(port, "www.contoso.com", tls=True)
            other = ask(port, "www.contoso.com", sni="x.fabrikam.com")
            plain = ask(port, "www.contoso.com")
    assert first.status == 200
    assert first.certificate == leaf("www.contoso.com", "contoso.com").certificate
    assert (deep.status, deep.certificate) == (200, leaf("*.fabrikam.com").certificate)
    # The first listener by the rules' order stands in for names that no listener has.
    assert (apex.status, apex.certificate) == (404, leaf("*.fabrikam.com").certificate)
    assert (nameless.status, nameless.certificate) == (200, leaf("*.fabrikam.com").certificate)
    assert other.status == 421
    assert plain.status == 400
    assert "Microsoft-Azure-Application-Gateway/v2" in apex.body
    assert apex.headers["server"] == "Microsoft-Azure-Application-Gateway/v2"


def test_patterns_with_question_marks_are_matched_in_order():
    gateway = make.v2_gateway()
    https_site(gateway, "marks", "w?w.contoso.com")
    https_site(gateway, "suffix", "*.contoso.com")
    https_site(gateway, "exact", "www.tailspin.com")
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()) as engine:
            port = traffic.port()
            marks = ask(port, "WxW.contoso.com:1", sni="wxw.contoso.com")
            suffix = ask(port, "abc.contoso.com", sni="abc.contoso.com")
            exact = ask(port, "www.tailspin.com", sni="www.tailspin.com")
            unknown = ask(port, "abc.contoso.com", sni="unknown.test")
            crossed = ask(port, "abc.contoso.com", sni="www.contoso.com")
            lines = engine.lines(5)
    assert marks.certificate == leaf("w?w.contoso.com").certificate
    assert suffix.certificate == leaf("*.contoso.com").certificate
    assert exact.certificate == leaf("www.tailspin.com").certificate
    assert unknown.certificate == leaf("w?w.contoso.com").certificate
    assert [one.status for one in (marks, suffix, exact, unknown, crossed)] == [200] * 4 + [421]
    assert [line["listenerName"] for line in lines[:4]] == ["marks", "suffix", "exact", "suffix"]


def test_v1_resets_clients_that_name_no_known_server():
    gateway = make.v1_gateway()
    https_site(gateway, "exact", "www.contoso.com", require_server_name_indication=True)
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            port = traffic.port()
            known = ask(port, "www.contoso.com", sni="www.contoso.com")
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                ask(port, "www.contoso.com", tls=True)
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                ask(port, "www.contoso.com", sni="other.contoso.com")
    assert known.status == 200


def test_v2_backends_are_checked_by_root_and_name():
    gateway = make.v2_gateway()
    trusted = make.add_root(gateway, "root", root().certificate)
    settings = make.add_settings(
        gateway, "override", protocol="Https", roots=[trusted], host_name="app.internal"
    )
    passing = make.add_settings(gateway, "passing", protocol="Https", roots=[trusted])
    picking = make.add_settings(
        gateway,
        "picking",
        protocol="Https",
        roots=[trusted],
        pick_host_name_from_backend_address=True,
    )
    pool = make.add_pool(gateway, "pool", "app.internal")
    for one in (settings, passing, picking):
        listener = make.add_listener(
            gateway, one.name, port=80, host_name=f"{one.name}.contoso.com"
        )
        make.add_rule(gateway, one.name, listener, pool, one, priority=1 + one.pk)
    names = ("app.internal", "passing.contoso.com")
    with tls_server(leaf(*names)) as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port, leaf(*names).certificate)
        make.change(
            make.find(gateway, HttpListener, make.LISTENER), host_name="passing2.contoso.com"
        )
        with running(traffic.compile()) as engine:
            port = traffic.port(80)
            answers = [
                ask(port, f"{one.name}.contoso.com").status for one in (settings, passing, picking)
            ]
            make.change(
                make.find(gateway, HttpListener, "passing"),
                host_name="",
            )
            engine.write(traffic.compile())
            engine.wait_until_live()
            other = ask(port, "other.contoso.com")
            address = ask(port, "127.0.0.1")
            ask(port, "")
            engine.lines(3)
    assert answers == [200, 200, 200]
    assert "host: app.internal" in backend.requests[0].lower()
    assert "host: passing.contoso.com" in backend.requests[1].lower()
    assert backend.names[:3] == ["app.internal", "passing.contoso.com", "app.internal"]
    assert (other.status, address.status) == (502, 502)
