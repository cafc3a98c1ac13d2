"""TLS versions, suites and HTTP/2 at listeners, by real handshakes with a real Envoy."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from certificates.x509.issuing import issue
from gateway.models import ApplicationGateway
from tests import factories as make
from tests.gateway.dataplane.engine import running
from tests.gateway.dataplane.sites import TODAY, Answer, Traffic, ask, client_context, leaf, root
from tests.servers import http_server

pytestmark = pytest.mark.django_db


def site(gateway: ApplicationGateway, issued: issue.Issued, **fields: Any) -> None:
    stored = make.add_ssl_certificate(gateway, "cert", issued)
    listener = make.add_listener(
        gateway, "https", port=443, protocol="Https", ssl_certificate=stored, **fields
    )
    make.add_rule(gateway, "https", listener)


def rsa_leaf() -> issue.Issued:
    return issue.make_leaf(
        root(), "www.contoso.com", now=TODAY, dns_names=["www.contoso.com"], key="rsa2048"
    )


def context(version: ssl.TLSVersion | None = None, ciphers: str = "") -> ssl.SSLContext:
    made = client_context()
    if version is not None:
        made.minimum_version = made.maximum_version = version
    if ciphers:
        made.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    return made


def tried(port: int, made: ssl.SSLContext) -> str:
    """Version and suite of a handshake; empty if it was refused."""
    try:
        found = ask(port, sni="www.contoso.com", context=made)
    except (ssl.SSLError, ConnectionResetError):
        return ""
    return f"{found.protocol} {found.cipher}"


V10, V11 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("policy", "spoken"),
    [
        ({}, [False, False, True, True]),
        ({"ssl_policy_name": "AppGwSslPolicy20150501"}, [True, True, True, False]),
        ({"ssl_policy_name": "AppGwSslPolicy20170401"}, [False, True, True, False]),
        ({"ssl_policy_name": "AppGwSslPolicy20170401S"}, [False, False, True, False]),
        ({"ssl_policy_name": "AppGwSslPolicy20220101S"}, [False, False, True, True]),
        (
            {"ssl_policy_type": "CustomV2", "ssl_min_protocol_version": "TLSv1_3"},
            [False, False, False, True],
        ),
    ],
)
def test_a_policy_speaks_its_versions(policy: dict[str, str], spoken: list[bool]):
    if "ssl_policy_name" in policy:
        policy = {"ssl_policy_type": "Predefined", **policy}
    gateway = make.v2_gateway(**policy)
    site(gateway, rsa_leaf())
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            port = traffic.port()
            found = [tried(port, context(version)) for version in (V10, V11, V12, V13)]
    assert [bool(one) for one in found] == spoken


def test_the_gateways_order_of_suites_counts():
    names = ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]
    gateway = make.v2_gateway(
        ssl_policy_type="Custom", ssl_min_protocol_version="TLSv1_2", ssl_cipher_suites=names
    )
    site(gateway, rsa_leaf())
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            port = traffic.port()
            both = tried(port, context(V12, "ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA"))
            one = tried(port, context(V12, "ECDHE-RSA-AES256-GCM-SHA384"))
            neither = tried(port, context(V12, "ECDHE-RSA-AES128-GCM-SHA256"))
    assert both == "TLSv1.2 AES128-SHA"
    assert one == "TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384"
    assert neither == ""


@pytest.mark.parametrize("on", [True, False])
def test_http2_is_offered_where_the_gateway_says_so(on: bool):
    gateway = make.v2_gateway(enable_http2=on)
    site(gateway, leaf("www.contoso.com"))
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            made = client_context()
            made.set_alpn_protocols(["h2", "http/1.1"])
            with made.wrap_socket(_connected(traffic.port()), server_hostname="x") as secured:
                chosen = secured.selected_alpn_protocol()
            assert _plain_over_tls(traffic.port()).status == 200
    assert chosen == ("h2" if on else "http/1.1")
    assert "x-forwarded-proto: https" in backend.requests[0].lower()


def _connected(port: int) -> Any:

    return socket.create_connection(("127.0.0.1", port), timeout=10)


def _plain_over_tls(port: int) -> Answer:
    return ask(port, sni="www.contoso.com")


def test_a_profile_changes_the_policy_of_its_listener_alone():
    gateway = make.v2_gateway()
    strict = make.add_profile(
        gateway, "strict", ssl_policy_type="CustomV2", ssl_min_protocol_version="TLSv1_3"
    )
    site(gateway, leaf("www.contoso.com"), host_name="www.contoso.com", ssl_profile=strict)
    other = make.add_listener(
        gateway,
        "other",
        port=443,
        protocol="Https",
        ssl_certificate=make.add_ssl_certificate(gateway, "other", leaf("other.contoso.com")),
        host_name="other.contoso.com",
    )
    make.add_rule(gateway, "other", other)
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            port = traffic.port()
            assert tried(port, context(V12)) == ""
            found = ask(port, "other.contoso.com", sni="other.contoso.com", context=context(V12))
    assert (found.status, found.protocol) == (200, "TLSv1.2")
