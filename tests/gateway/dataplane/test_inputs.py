"""What the compiler reads: rows, the zone, the prober's verdicts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certificates.x509.facts.certificate import Certificate
from gateway.dataplane.compile import compile_gateway
from gateway.dataplane.inputs import Inputs, Member, gather, pem_of_store
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendHttpSettings,
    FrontendIPConfiguration,
    PublishedPort,
    Verdict,
)
from tests import factories as make
from tests.crowds import crowd
from tests.gateway.dataplane.sites import bare_leaf
from tests.gateway.health.lab import add_backend, network_of

pytestmark = pytest.mark.django_db


def publish(gateway: ApplicationGateway, port: int = 80) -> None:
    frontend = FrontendIPConfiguration.objects.get(gateway=gateway)
    make.add_row(PublishedPort, frontend=frontend, host="127.0.9.9", port=port, number=8080)


def verdict(
    gateway: ApplicationGateway,
    status: str = "Healthy",
    certificate: Certificate | None = None,
    **more: Any,
) -> Verdict:
    """The verdict on the default server."""
    return Verdict.objects.create(
        gateway=gateway,
        address=BackendAddress.objects.get(pool__gateway=gateway),
        settings=BackendHttpSettings.objects.get(gateway=gateway),
        status=status,
        accepted_pem=certificate.pem if certificate else "",
        due_at=make.NOW + timedelta(days=1),
        **more,
    )


def read(gateway: ApplicationGateway) -> Inputs:
    return gather(ApplicationGateway.objects.select_related("group").get(pk=gateway.pk))


def only_member(gateway: ApplicationGateway) -> Member:
    (member,) = read(gateway).members.values()
    return member


def test_rows_ports_and_keys_are_read():
    gateway = make.v2_gateway()
    stored = make.add_ssl_certificate(gateway, "cert")
    publish(gateway)
    found = read(gateway)
    frontend = FrontendIPConfiguration.objects.get(gateway=gateway)
    assert found.ports == {(frontend.pk, 80): ("127.0.9.9", 8080)}
    assert b"PRIVATE KEY" in found.keys[stored.pk]
    assert b"BEGIN CERTIFICATE" in found.well_known_pem
    assert found.forbidden
    assert "PRIVATE KEY" not in repr(found)
    compiled = compile_gateway(found)
    assert compiled.listeners[0]["address"]["socket_address"]["port_value"] == 8080
    assert "PRIVATE KEY" not in repr(compiled)


def test_a_lab_server_is_dialed_where_it_really_is():
    gateway = make.v2_gateway()
    add_backend(gateway, "full-chain.contoso.test", 45678, named_port=80)
    assert only_member(gateway) == Member("unknown", (("127.0.0.1", 45678),))
    verdict(gateway)
    assert only_member(gateway).status == "healthy"


def test_a_lab_server_that_has_not_started_is_nowhere():
    gateway = make.v2_gateway()
    add_backend(gateway, "full-chain.contoso.test", None, named_port=80)
    assert only_member(gateway).addresses == ()


def test_a_name_that_nobody_knows_is_where_the_prober_found_it(settings: Any):
    import ipaddress

    settings.GATEWRIGHT_ALLOWED_NETWORKS = (ipaddress.ip_network("192.0.2.0/24"),)
    gateway = make.v2_gateway()
    assert only_member(gateway).addresses == ()
    row = verdict(gateway, evidence={"dns": {"addresses": ["192.0.2.1", "192.0.2.2"]}})
    assert only_member(gateway).addresses == (("192.0.2.1", 80),)
    row.remembered_address = "192.0.2.7"
    row.save()
    assert only_member(gateway).addresses == (("192.0.2.7", 80),)


def test_the_networks_own_dns_servers_are_believed_and_not_the_zone(settings: Any):
    gateway = make.v2_gateway()
    add_backend(gateway, "full-chain.contoso.test", 45678, named_port=80)
    make.change(network_of(gateway), dns_servers=["10.0.1.53"])
    verdict(gateway, remembered_address="10.0.9.9")
    # The address lies in the network, and nothing stands there.
    assert only_member(gateway).addresses == ()


def test_an_address_outside_the_lab_is_forbidden():
    gateway = make.v2_gateway()
    make.change(
        BackendAddress.objects.get(pool__gateway=gateway), fqdn="", ip_address="169.254.169.254"
    )
    verdict(gateway)
    assert only_member(gateway).addresses is None


def test_the_certificate_that_the_prober_accepted_is_known():
    gateway = make.v2_gateway()
    row = verdict(gateway, certificate=bare_leaf("a.contoso.com").certificate)
    member = only_member(gateway)
    assert member.leaf == bare_leaf("a.contoso.com").certificate
    assert member.pin == bare_leaf("a.contoso.com").certificate.sha256.lower()
    row.accepted_pem = "nonsense"
    row.save()
    assert (only_member(gateway).leaf, only_member(gateway).pin) == (None, None)
    row.accepted_pem = ""
    row.save()
    assert only_member(gateway).leaf is None


@pytest.mark.parametrize(
    ("status", "observed", "told"),
    [
        ("Healthy", None, "healthy"),
        ("Unhealthy", None, "unhealthy"),
        ("Unknown", None, "unknown"),
        ("Unknown", "Healthy", "healthy"),
        ("Unknown", "Unhealthy", "unhealthy"),
    ],
)
def test_what_is_only_played_does_not_stop_traffic(status: str, observed: str | None, told: str):
    gateway = make.v2_gateway()
    verdict(gateway, status, evidence={"observed": {"status": observed}} if observed else {})
    assert only_member(gateway).status == told


def test_the_number_of_queries_does_not_grow_with_the_rows():
    counts = []
    for size in (1, 5):
        gateway = crowd(size, name=f"crowd{size}")
        pem_of_store.cache_clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            read(gateway)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 45
