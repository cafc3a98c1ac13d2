"""What the overview of end to end TLS says of requests, through a real Envoy."""

from __future__ import annotations

import pytest

from gateway.dataplane.exchange import Ask, Exchange, Version, exchange
from gateway.models import ApplicationGateway, BackendAddress, HttpListener
from tests import factories as make
from tests.gateway.dataplane.engine import Engine, running
from tests.gateway.dataplane.sites import Traffic, leaf, root
from tests.servers import http_server, tls_server

pytestmark = pytest.mark.django_db

SITE = "www.contoso.com"
NAME = "app.internal"


def add_site(gateway: ApplicationGateway, *hosts: str, name: str = "site") -> HttpListener:
    hosts = hosts or (SITE,)
    return make.add_listener(
        gateway,
        name,
        port=443,
        protocol="Https",
        host_names=list(hosts),
        ssl_certificate=make.add_ssl_certificate(gateway, f"cert-{name}", leaf(*hosts)),
    )


def get(traffic: Traffic, version: Version = "", host: str = SITE) -> Exchange:
    return exchange(
        Ask("https", "127.0.0.1", traffic.port(), 443, host, version=version, path="/a")
    )


def status(seen: Exchange) -> int:
    assert seen.reply is not None, seen.trouble
    return seen.reply.status


def test_003_1_tls_ends_at_the_gateway_and_the_backend_gets_plain_requests() -> None:
    gateway = make.v2_gateway()
    make.add_rule(gateway, "rule", add_site(gateway))
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()) as engine:
            seen = get(traffic)
            line = engine.lines(1)[0]
    assert status(seen) == 200
    assert seen.session is not None
    assert seen.session.chain[0] == leaf(SITE).certificate
    assert backend.requests[0].startswith("GET /a HTTP/1.1")
    assert "x-forwarded-proto: https" in backend.requests[0].lower()
    assert (line["sslEnabled"], line["serverTlsProtocol"]) == ("on", None)


def test_003_2_https_in_the_setting_turns_on_the_second_leg() -> None:
    gateway = make.v2_gateway()
    settings = make.add_settings(
        gateway,
        "secure",
        protocol="Https",
        host_name=NAME,
        roots=[make.add_root(gateway, "root", root().certificate)],
    )
    make.add_rule(gateway, "rule", add_site(gateway), settings=settings)
    with tls_server(leaf(NAME)) as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port, leaf(NAME).certificate)
        with running(traffic.compile()) as engine:
            assert status(get(traffic)) == 200
            line = engine.lines(1)[0]
    # A session of its own: another name, another certificate, another cipher suite if need be.
    assert backend.names == [NAME]
    assert line["serverTlsProtocol"] == "TLSv1.3"
    assert line["sni"] == SITE


def test_003_3_each_member_of_a_pool_needs_a_fitting_certificate() -> None:
    gateway = make.v2_gateway()
    settings = make.add_settings(
        gateway,
        "secure",
        protocol="Https",
        pick_host_name_from_backend_address=True,
        roots=[make.add_root(gateway, "root", root().certificate)],
    )
    pool = make.add_pool(gateway, "pool", "a.internal", "b.internal")
    make.add_rule(gateway, "rule", add_site(gateway), pool, settings)
    first, second = BackendAddress.objects.filter(pool=pool).order_by("position")
    with tls_server(leaf("a.internal")) as fitting, tls_server(leaf("other.internal")) as other:
        traffic = Traffic(gateway)
        traffic.member(settings, first, fitting.port, leaf("a.internal").certificate)
        traffic.member(settings, second, other.port, leaf("other.internal").certificate)
        with running(traffic.compile()) as engine:
            statuses = [status(get(traffic)) for _ in range(12)]
            lines = engine.lines(12)
        # The one that does not fit is never told anything; the other takes over its requests.
        assert not other.requests
        assert len(fitting.requests) == statuses.count(200) > 0
        assert {line["serverRouted"] for line in lines if line["httpStatus"] == 200} == {
            f"127.0.0.1:{fitting.port}"
        }
        # With its own certificate it answers as well.
        with tls_server(leaf("b.internal")) as put_right:
            traffic.member(settings, second, put_right.port, leaf("b.internal").certificate)
            with running(traffic.compile()):
                assert {status(get(traffic)) for _ in range(12)} == {200}
            assert put_right.requests


def offered(engine: Engine, traffic: Traffic, version: Version) -> str:
    """What the listener agrees to if only ``version`` is offered; empty for an alert."""
    seen = get(traffic, version)
    return f"{seen.session.version} {seen.session.cipher}" if seen.session else ""


@pytest.mark.parametrize(
    ("policy", "spoken"),
    [
        ("AppGwSslPolicy20170401", {"TLSv1_1", "TLSv1_2"}),
        ("AppGwSslPolicy20170401S", {"TLSv1_2"}),
        ("AppGwSslPolicy20220101S", {"TLSv1_2", "TLSv1_3"}),
    ],
)
def test_003_4_the_tls_policy_shows_in_the_handshake(policy: str, spoken: set[str]) -> None:
    gateway = make.v2_gateway(ssl_policy_type="Predefined", ssl_policy_name=policy)
    make.add_rule(gateway, "rule", add_site(gateway))
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()) as engine:
            versions: tuple[Version, ...] = ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3")
            found = {version: offered(engine, traffic, version) for version in versions}
    assert {version for version, told in found.items() if told} == spoken
    assert "TLSv1.2 ECDHE-ECDSA-AES" in found["TLSv1_2"]


def test_003_5_a_request_over_tls_1_2_reaches_pool1_over_tls() -> None:
    gateway = make.v2_gateway()
    settings = make.add_settings(
        gateway,
        "secure",
        protocol="Https",
        host_name=NAME,
        roots=[make.add_root(gateway, "root", root().certificate)],
    )
    for number, host in ((1, SITE), (2, "www.fabrikam.com")):
        site = add_site(gateway, host, name=f"site{number}")
        pool = make.add_pool(gateway, f"Pool{number}", f"server{number}.internal")
        make.add_rule(gateway, f"to-pool{number}", site, pool, settings)
    with tls_server(leaf(NAME)) as first, tls_server(leaf(NAME)) as second:
        traffic = Traffic(gateway)
        for number, server in ((1, first), (2, second)):
            address = BackendAddress.objects.get(pool__name=f"Pool{number}")
            traffic.member(settings, address, server.port, leaf(NAME).certificate)
        with running(traffic.compile()) as engine:
            seen = get(traffic, "TLSv1_2")
            line = engine.lines(1)[0]
    assert status(seen) == 200
    assert seen.session is not None
    assert seen.session.version == "TLSv1.2"
    assert (len(first.requests), len(second.requests)) == (1, 0)
    assert line["serverTlsProtocol"] == "TLSv1.3"
    assert (line["listenerName"], line["ruleName"], line["backendPoolName"]) == (
        "site1",
        "to-pool1",
        "Pool1",
    )
