"""The way of a request behind the listener, as the access log and the prober's verdict tell it."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from certificates.x509.issuing import issue
from gateway.models import ApplicationGateway, BackendAddress, Verdict
from tests import factories as make
from tests.gateway.portal import carried, visits

pytestmark = pytest.mark.django_db

NOW = timezone.now()
ROOT = issue.make_root("Server Root", now=NOW)
ID = "ab" * 16


@pytest.fixture
def gateway() -> ApplicationGateway:
    return make.v2_gateway()


@pytest.fixture
def client(gateway: ApplicationGateway) -> Client:
    return visits.visitor(gateway)


@pytest.fixture
def member(gateway: ApplicationGateway) -> Verdict:
    pool = make.add_pool(gateway, "pool", "10.0.1.4", "10.0.1.5")
    settings = make.add_settings(gateway, "secure", protocol="Https", port=443, host_name="a.test")
    site = make.add_listener(gateway, "site", host_name="www.contoso.com", port=80)
    make.add_rule(gateway, "rule", site, pool, settings)
    leaf = issue.make_leaf(ROOT, "a.test", now=NOW, dns_names=["a.test"])
    address = BackendAddress.objects.filter(pool=pool).earliest("position")
    return Verdict.objects.create(
        gateway=gateway,
        address=address,
        settings=settings,
        status="Unhealthy",
        error_id="E-DATES",
        message="The certificate has expired.",
        evidence={"chain": [{"pem": leaf.certificate.pem}]},
        due_at=NOW,
    )


def onward(client: Client, gateway: ApplicationGateway, query: str = "") -> str:
    answer = client.get(visits.address(gateway, "test-request-onward", ID) + query)
    assert answer.status_code == 200
    return visits.said(answer)


def routed(gateway: ApplicationGateway, **fields: Any) -> None:
    carried.logged(
        gateway,
        requestId=ID,
        backendPoolName="pool",
        backendSettingName="secure",
        host="a.test",
        **fields,
    )


def test_the_way_behind_the_listener_names_rule_server_names_and_verdict(
    gateway: ApplicationGateway,
    client: Client,
    member: Verdict,
    settings: Any,
) -> None:
    settings.GATEWRIGHT_ALLOWED_NETWORKS = [ipaddress.ip_network("10.0.1.0/24")]
    routed(
        gateway,
        serverRouted="10.0.1.4:443",
        serverTlsProtocol="TLSv1.3",
        serverTlsCipher="TLS_AES_256_GCM_SHA384",
        serverResponseLatency="12",
    )
    said = onward(client, gateway)
    for words in (
        "10.0.1.4",
        "Host header sent",
        "Name expected in the certificate",
        "The HTTP setting overrides the host name.",
        "Unhealthy. The certificate has expired.",
        "CN=a.test",
        "The server's own answer",
        "12\xa0ms",
        visits.address(gateway, "rules-edit", "rule"),
        visits.address(gateway, "health-detail", str(member.pk)),
    ):
        assert words in said


def test_a_server_that_left_the_pool_is_told_by_its_address(
    gateway: ApplicationGateway, client: Client, member: Verdict
) -> None:
    routed(gateway, serverRouted="10.9.9.9:443", serverTlsProtocol="TLSv1.3")
    assert "Not in the pool any more" in onward(client, gateway)


def test_without_a_healthy_server_every_member_tells_why(
    gateway: ApplicationGateway, client: Client, member: Verdict
) -> None:
    routed(gateway, httpStatus=502, flags="UH", details="no_healthy_upstream")
    said = onward(client, gateway)
    assert "No server was chosen." in said
    assert "10.0.1.4: Unhealthy" in said
    assert "The certificate has expired." in said
    assert "It has not been probed yet." in said
    assert "ERRORINFO_UPSTREAM_NO_LIVE" in said


def test_a_refused_certificate_is_told_at_its_leg(
    gateway: ApplicationGateway, client: Client, member: Verdict, settings: Any
) -> None:
    routed(
        gateway,
        serverRouted="10.0.1.4:443",
        httpStatus=502,
        flags="UF",
        details="upstream_reset",
        reason="TLS_error:_SAN_matcher,_certificate_SANs_are_[b.test]",
    )
    settings.GATEWRIGHT_ALLOWED_NETWORKS = [ipaddress.ip_network("10.0.1.0/24")]
    said = onward(client, gateway)
    assert "Refused" in said
    assert "not for “a.test”: it carries b.test" in said


def test_a_host_of_no_listener_and_a_redirect_end_at_the_rule(
    gateway: ApplicationGateway, client: Client
) -> None:
    carried.logged(
        gateway,
        requestId=ID,
        listenerName="-",
        ruleName="-",
        httpStatus=404,
        details="direct_response",
    )
    said = onward(client, gateway)
    assert "No listener with a rule took the request." in said
    assert "Ask for a host name of a listener" in said
    carried.logged(
        gateway, requestId=ID, httpStatus=301, details="direct_response", routeName="rule/images"
    )
    said = onward(client, gateway)
    assert "Redirect with 301" in said
    assert "images" in said


def test_the_page_asks_for_the_log_until_it_gives_up(
    gateway: ApplicationGateway, client: Client
) -> None:
    assert "looks=1" in onward(client, gateway)
    assert "looks=8" in onward(client, gateway, "?looks=7")
    assert "has not told anything" in onward(client, gateway, "?looks=20")
    assert "looks=1" in onward(client, gateway, "?looks=x")
    url = visits.address(gateway, "test-request-onward", "not-an-id")
    assert client.get(url).status_code == 404
