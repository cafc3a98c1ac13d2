"""Both legs of a reported server, with the certificate that it showed to the last probe."""

import pytest

from gateway.health.legs import leaf_of, legs_of
from gateway.health.reading import verdict_of
from gateway.models import BackendAddress, BackendHttpSettings, HttpListener, Verdict
from tests import factories, servers
from tests.gateway.health.lab import add_backend, point_pool_at, sweep

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
    factories.delete(BackendAddress.objects.get(pk=row.address_id))
    assert legs_of(factories.loaded(gateway), row) is None


def test_a_server_that_showed_no_certificate_has_none() -> None:
    assert leaf_of({}) is None
    assert leaf_of({"chain": []}) is None
