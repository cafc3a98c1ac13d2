"""Both legs of a reported server, with the certificate that it showed to the last probe."""

import pytest

from gateway.health.legs import leaf_of, legs_of
from gateway.health.planner import plan_gateway
from gateway.health.plans import plans_of
from gateway.health.reading import verdict_of
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendHttpSettings,
    HttpListener,
    Verdict,
)
from tests import factories, servers
from tests.factories import NOW
from tests.gateway.health.lab import add_backend, move_on, point_pool_at, sweep

pytestmark = pytest.mark.django_db

FQDN = "www.contoso.test"


def test_a_green_probe_warns_of_requests_that_will_fail() -> None:
    gateway = factories.v2_gateway()
    point_pool_at(gateway, FQDN)
    settings = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(settings, protocol="Https", port=443)
    factories.trust(settings, roots=[factories.add_root(gateway, "root")])
    listener = factories.find(gateway, HttpListener, factories.LISTENER)
    factories.change(listener, host_names=["shop.contoso.com"])
    with servers.tls_server(factories.leaf(FQDN)) as server:
        add_backend(gateway, FQDN, server.port)
        assert sweep() == 1
    row = verdict_of(gateway, Verdict.objects.get(gateway=gateway).pk)
    assert row is not None
    assert row.status == "Healthy"
    found = legs_of(factories.loaded(gateway), row)
    assert found is not None
    both, warnings = found
    assert (both.probe.sni, both.requests[0].leg.sni) == (FQDN, "shop.contoso.com")
    assert [warning.name for warning in warnings] == ["shop.contoso.com"]
    assert row.requests_fail
    factories.delete(BackendAddress.objects.get(pk=row.address_id))
    assert legs_of(factories.loaded(gateway), row) is None


@pytest.fixture
def green() -> ApplicationGateway:
    """A gateway whose server is healthy and has a certificate for FQDN, which users ask for."""
    gateway = factories.v2_gateway()
    point_pool_at(gateway, FQDN)
    settings = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(settings, protocol="Https", port=443)
    listener = factories.find(gateway, HttpListener, factories.LISTENER)
    factories.change(listener, host_names=[FQDN])
    gateway.refresh_from_db()
    plan_gateway(gateway, NOW)
    pem = factories.leaf(FQDN).certificate.pem
    Verdict.objects.update(status="Healthy", error_id="", rechecking=False, accepted_pem=pem)
    return gateway


def planned(gateway: ApplicationGateway) -> Verdict:
    move_on(gateway)
    plan_gateway(gateway, NOW)
    return Verdict.objects.get(gateway=gateway)


def test_a_saved_listener_tells_at_once_whether_users_get_a_502(green: ApplicationGateway) -> None:
    listener = factories.find(green, HttpListener, factories.LISTENER)
    assert not planned(green).requests_fail
    factories.change(listener, host_names=[FQDN, "shop.contoso.com"])
    verdict = planned(green)
    assert (verdict.status, verdict.rechecking, verdict.requests_fail) == ("Healthy", False, True)
    factories.change(listener, host_names=[])
    assert planned(green).requests_fail
    settings = factories.find(green, BackendHttpSettings, factories.SETTINGS)
    factories.change(settings, host_name=FQDN)
    assert not planned(green).requests_fail


def test_only_a_healthy_server_can_fail_users_unseen(green: ApplicationGateway) -> None:
    listener = factories.find(green, HttpListener, factories.LISTENER)
    factories.change(listener, host_names=["shop.contoso.com"])
    Verdict.objects.update(status="Unhealthy")
    assert not planned(green).requests_fail


def test_picking_the_target_s_name_asks_each_server_by_its_own(green: ApplicationGateway) -> None:
    point_pool_at(green, FQDN, "10.0.1.9")
    settings = factories.find(green, BackendHttpSettings, factories.SETTINGS)
    factories.change(settings, pick_host_name_from_backend_address=True)
    plans = plans_of(factories.loaded(green)).values()
    asked = {one.target: [request.leg.checked_name for request in one.requests] for one in plans}
    assert asked == {FQDN: [FQDN], "10.0.1.9": ["10.0.1.9"]}


def test_v1_and_plain_http_never_ask_users_by_another_name() -> None:
    for gateway in (factories.v2_gateway(), factories.v1_gateway()):
        assert [one.requests for one in plans_of(factories.loaded(gateway)).values()] == [()]


def test_a_server_that_showed_no_certificate_has_none() -> None:
    assert leaf_of({}) is None
    assert leaf_of({"chain": []}) is None
