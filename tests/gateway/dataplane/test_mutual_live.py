"""Listeners that ask clients for a certificate, through a real Envoy."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest

from certificates.x509.issuing import issue
from gateway.dataplane.clients import authorities_of, issuer_of
from gateway.models import ApplicationGateway, HttpListener, SslProfile
from tests import factories as make
from tests.gateway.dataplane.engine import running
from tests.gateway.dataplane.sites import TODAY, Answer, Traffic, ask, leaf
from tests.servers import http_server

pytestmark = pytest.mark.django_db
FIRST = "Client Issuing 1"


@cache
def client_root() -> issue.Issued:
    return issue.make_root("Client Root", now=TODAY)


@cache
def issuing(name: str) -> issue.Issued:
    return issue.make_intermediate(client_root(), name, now=TODAY)


@cache
def client(
    issuer: str = FIRST, purpose: issue.Purpose = "client", expired: bool = False
) -> issue.Issued:
    return issue.make_leaf(
        issuing(issuer),
        "Client",
        now=TODAY - timedelta(days=9),
        days=1 if expired else 90,
        purposes=(purpose,),
    )


def mutual_site(gateway: ApplicationGateway, name: str, host: str, **fields) -> HttpListener:
    authority = make.add_client_authority(
        gateway, f"clients-{name}", issuing(FIRST).certificate, client_root().certificate
    )
    profile = make.add_profile(gateway, f"profile-{name}", authority, **fields)
    return site(gateway, name, host, ssl_profile=profile)


def site(gateway: ApplicationGateway, name: str, host: str, **fields) -> HttpListener:
    stored = make.add_ssl_certificate(gateway, f"cert-{name}", leaf(host))
    listener = make.add_listener(
        gateway, name, port=443, protocol="Https", ssl_certificate=stored, host_name=host, **fields
    )
    make.add_rule(gateway, f"rule-{name}", listener)
    return listener


def knock(port: int, who: issue.Issued | None, host: str = "secure.contoso.com") -> Answer:
    return ask(port, host, sni=host, client=who)


def test_strict_listeners_let_in_validated_clients_and_answer_400_to_others():
    gateway = make.v2_gateway()
    mutual_site(gateway, "secure", "secure.contoso.com")
    stranger = issue.make_root("Other", now=TODAY)
    forged_root = issue.make_root("Client Root", now=TODAY)
    forged = issue.make_leaf(
        issue.make_intermediate(forged_root, "Client Issuing 1", now=TODAY),
        "Client",
        now=TODAY,
        purposes=("client",),
    )
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()) as engine:
            port = traffic.port()
            good = knock(port, client())
            sibling = knock(port, client("Client Issuing 2"))
            refused = [
                knock(port, who)
                for who in (
                    None,
                    issue.make_leaf(stranger, "Client", now=TODAY, purposes=("client",)),
                    issue.make_self_signed("Client", now=TODAY, ca=False, purposes=("client",)),
                    client(expired=True),
                    client(purpose="server"),
                    forged,
                )
            ]
            lines = engine.lines(8)
    assert (good.status, sibling.status) == (200, 200)
    assert [one.status for one in refused] == [400] * 6
    assert "400 Bad Request" in refused[0].body
    assert len(backend.requests) == 2
    verdicts = [line["sslClientVerify"] for line in lines]
    assert verdicts == ["allowed"] * 2 + ["denied"] * 6
    assert lines[0]["sslClientCertificateFingerprint"].upper() == client().certificate.thumbprint
    assert lines[2]["sslClientCertificateFingerprint"] is None


def test_the_issuers_name_is_checked_where_the_profile_says_so():
    gateway = make.v2_gateway()
    mutual_site(gateway, "secure", "secure.contoso.com", verify_client_cert_issuer_dn=True)
    below = issue.make_leaf(
        issue.make_intermediate(issuing(FIRST), "Client Below", now=TODAY),
        "Client",
        now=TODAY,
        purposes=("client",),
    )
    direct = issue.make_leaf(client_root(), "Client", now=TODAY, purposes=("client",))
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            port = traffic.port()
            found = [
                knock(port, who).status
                for who in (client(), client("Client Issuing 2"), below, direct)
            ]
    assert found == [200, 400, 400, 400]


def test_passthrough_forwards_everybody_with_what_was_found():
    gateway = make.v2_gateway()
    profile = make.add_profile(
        gateway,
        "passing",
        verify_client_auth_mode=SslProfile.Mode.PASSTHROUGH,
        has_client_auth=True,
    )
    listener = site(gateway, "passing", "secure.contoso.com", ssl_profile=profile)
    rewrite = make.add_rewrite_set(
        gateway,
        "certificate",
        {
            "requestHeaderConfigurations": [
                {"headerName": "X-Client-Cert", "headerValue": "{var_client_certificate}"},
                {
                    "headerName": "X-Client-Subject",
                    "headerValue": "{var_client_certificate_subject}",
                },
                {
                    "headerName": "X-Client-Verify",
                    "headerValue": "{var_client_certificate_verification}",
                },
            ]
        },
    )
    rule = listener.gateway and make.find(
        gateway, type(make.add_rule(gateway, "unused", None)), "rule-passing"
    )
    make.change(rule, rewrite_rule_set=rewrite)
    other = site(gateway, "open", "open.contoso.com")
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        forged = {"X-Client-Cert": "forged", "x-client-subject": "forged"}
        with running(traffic.compile()):
            port = traffic.port()
            with_one = ask(
                port,
                "secure.contoso.com",
                sni="secure.contoso.com",
                client=client(),
                headers=forged,
            )
            without = ask(port, "secure.contoso.com", sni="secure.contoso.com", headers=forged)
            elsewhere = ask(port, "open.contoso.com", sni="open.contoso.com", headers=forged)
    assert other
    assert [one.status for one in (with_one, without, elsewhere)] == [200] * 3
    first, second, third = (request.lower() for request in backend.requests)
    assert "x-client-subject: cn=client" in first
    assert "x-client-cert: -----begin" in first
    assert "x-client-verify: failed" in first
    assert "x-client-verify: none" in second
    assert "x-client-cert" not in second
    assert "forged" not in first + second + third


def test_nobody_walks_around_the_check_by_host_or_server_name():
    gateway = make.v2_gateway()
    site(gateway, "open", "open.contoso.com")
    mutual_site(gateway, "secure", "secure.contoso.com")
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            port = traffic.port()
            crossed = ask(port, "secure.contoso.com", sni="open.contoso.com")
            unnamed = ask(port, "secure.contoso.com", tls=True)
            unknown = ask(port, "SECURE.contoso.com:443", sni="unknown.test")
            back = ask(port, "open.contoso.com", sni="secure.contoso.com")
            fine = ask(port, "open.contoso.com", sni="open.contoso.com")
    assert [one.status for one in (crossed, unnamed, unknown)] == [421] * 3
    assert (back.status, fine.status) == (400, 200)
    assert len(backend.requests) == 1


def test_leaves_and_foreign_intermediates_in_a_client_file_are_not_believed():
    foreign = issue.make_intermediate(issue.make_root("Other", now=TODAY), "Foreign", now=TODAY)
    below = issue.make_intermediate(issuing(FIRST), "Client Below", now=TODAY)
    found = authorities_of(
        [
            client().certificate,
            below.certificate,
            foreign.certificate,
            issuing(FIRST).certificate,
            client_root().certificate,
        ]
    )
    assert found == [client_root().certificate, issuing(FIRST).certificate, below.certificate]
    assert issuer_of(found) == below.certificate
    twins = [client_root(), issuing("Client Issuing 2"), issuing(FIRST)]
    assert issuer_of([one.certificate for one in twins]).common_name == "Client Issuing 2"
    assert issuer_of([client_root().certificate]) == client_root().certificate
