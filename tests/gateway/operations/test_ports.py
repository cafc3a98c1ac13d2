"""Where listeners are published, and that they stay there."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from gateway.models import (
    ApplicationGateway,
    FrontendIPConfiguration,
    FrontendPort,
    HttpListener,
    Installation,
    LoadedGateway,
    PublicIPAddress,
    PublishedPort,
    writing,
)
from gateway.operations import Caller, change_gateway, remove, store
from gateway.operations.ports import NO_ADDRESS, Finding, finding, publish, publish_all
from tests import factories

pytestmark = pytest.mark.django_db


def listener_on(loaded: LoadedGateway, port: int, frontend: Any = None) -> HttpListener:
    """A listener, with a rule, on a port of its own; written as an operation writes."""
    gateway = loaded.gateway
    number = FrontendPort(gateway=gateway, name=f"port{port}", port=port)
    store(number)
    listener = HttpListener(
        gateway=gateway,
        name=f"listener{port}",
        frontend_ip_configuration=frontend or loaded.frontend_ip_configurations[0],
        frontend_port=number,
    )
    store(listener)
    return listener


def save(gateway: ApplicationGateway, write: Any) -> None:
    caller = Caller(factories.owner_of(gateway))
    outcome = change_gateway(caller, gateway, operation="Save", write=write, now=factories.NOW)
    assert outcome.ok, outcome.errors
    assert outcome.changed


def published(gateway: ApplicationGateway) -> dict[int, tuple[str, int]]:
    """Asked port → (address, number)."""
    rows = PublishedPort.objects.filter(frontend__gateway=gateway)
    return {row.port: (row.host, row.number) for row in rows}


def address_of(gateway: ApplicationGateway) -> str:
    return str(PublicIPAddress.objects.get(group=gateway.group).address)


def test_low_ports_are_shifted_where_they_may_not_be_bound() -> None:
    gateway = factories.v2_gateway()
    save(gateway, lambda loaded: (listener_on(loaded, 88), listener_on(loaded, 9000)))
    host = address_of(gateway)
    assert published(gateway) == {
        80: (host, 8080),
        88: (host, 8088),
        9000: (host, 9000),
    }


def test_443_is_published_at_8443() -> None:
    gateway = factories.v2_gateway()
    factories.add_listener(gateway, "secure", port=443)
    with writing():
        assert publish(factories.loaded(gateway)) == []
    assert published(gateway)[443] == (address_of(gateway), 8443)


def test_every_port_is_the_asked_one_where_the_machine_allows_it() -> None:
    Installation.objects.create(pk=1, lowest_port=1)
    gateway = factories.v2_gateway()
    save(gateway, lambda loaded: listener_on(loaded, 88))
    host = address_of(gateway)
    assert published(gateway) == {80: (host, 80), 88: (host, 88)}


def test_a_shifted_number_gives_way_to_a_listener_that_asks_for_it() -> None:
    gateway = factories.v2_gateway()
    save(gateway, lambda loaded: (listener_on(loaded, 88), listener_on(loaded, 8088)))
    host = address_of(gateway)
    assert published(gateway)[8088] == (host, 8088)
    assert published(gateway)[88] == (host, 8089)


def test_what_is_published_stays_where_it_is() -> None:
    gateway = factories.v2_gateway()
    save(gateway, lambda loaded: listener_on(loaded, 88))
    before = set(PublishedPort.objects.values_list("pk", "number"))
    save(gateway, lambda loaded: listener_on(loaded, 8088))
    assert before <= set(PublishedPort.objects.values_list("pk", "number"))


def test_a_port_without_listener_is_given_back() -> None:
    gateway = factories.v2_gateway()
    save(gateway, lambda loaded: listener_on(loaded, 88))
    save(gateway, lambda loaded: remove(loaded.listeners[-1]))
    assert set(published(gateway)) == {80}


def test_a_private_frontend_has_an_address_of_its_own_and_keeps_it() -> None:
    gateway = factories.v1_gateway()

    def with_private(loaded: LoadedGateway) -> None:
        frontend = FrontendIPConfiguration(
            gateway=gateway, name="private", subnet=loaded.gateway_ip_configurations[0].subnet
        )
        store(frontend)
        listener_on(loaded, 81, frontend)

    save(gateway, with_private)
    host, number = published(gateway)[81]
    network = settings_range()
    assert ipaddress.ip_address(host) in network
    assert host != address_of(gateway)
    assert number == 8081
    private = FrontendIPConfiguration.objects.get(gateway=gateway, name="private")
    save(gateway, lambda loaded: listener_on(loaded, 82, private))
    assert {published(gateway)[port][0] for port in (81, 82)} == {host}
    assert not PublicIPAddress.objects.filter(address=host).exists()


def settings_range() -> Any:
    from django.conf import settings

    return settings.GATEWRIGHT_LOOPBACK_RANGE


def test_a_private_frontend_that_gets_no_address_is_an_error(settings: Any) -> None:
    gateway = factories.v1_gateway()
    settings.GATEWRIGHT_LOOPBACK_RANGE = ipaddress.ip_network("127.9.9.0/28")

    def with_private(loaded: LoadedGateway) -> None:
        frontend = FrontendIPConfiguration(
            gateway=gateway, name="private", subnet=loaded.gateway_ip_configurations[0].subnet
        )
        store(frontend)
        listener_on(loaded, 81, frontend)

    caller = Caller(factories.owner_of(gateway))
    outcome = change_gateway(
        caller, gateway, operation="Save", write=with_private, now=factories.NOW
    )
    assert [problem.kind for problem in outcome.errors] == [NO_ADDRESS]
    assert not HttpListener.objects.filter(name="listener81").exists()


def test_another_finding_publishes_every_gateway_anew() -> None:
    gateway = factories.v2_gateway()
    publish_all(Finding(1024))
    host = address_of(gateway)
    assert published(gateway) == {80: (host, 8080)}
    publish_all(Finding(80))
    assert finding() == Finding(80)
    assert published(gateway) == {80: (host, 80)}
    publish_all(Finding(1024))
    assert published(gateway) == {80: (host, 8080)}


def test_nothing_outside_operations_writes_published_ports() -> None:
    from gateway.models import WriteOutsideOperationsError

    gateway = factories.v2_gateway()
    frontend = FrontendIPConfiguration.objects.get(gateway=gateway)
    with pytest.raises(WriteOutsideOperationsError):
        PublishedPort.objects.create(frontend=frontend, host="127.0.0.1", port=1, number=1)


def test_a_port_that_the_portal_has_on_every_address_is_left_to_it() -> None:
    gateway = factories.v2_gateway()
    publish_all(Finding(1024, frozenset({8080})))
    assert published(gateway) == {80: (address_of(gateway), 8081)}


def test_the_same_finding_publishes_nothing_anew(django_assert_num_queries: Any) -> None:
    factories.v2_gateway()
    publish_all(Finding())
    with django_assert_num_queries(2):
        publish_all(Finding())
