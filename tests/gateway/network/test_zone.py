"""The snapshot of a virtual network."""

import ipaddress
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateway.models import LabEndpoint, LabServer, VirtualNetwork, ZoneRecord
from gateway.network import EMPTY_ZONE, Endpoint, load_zone, load_zones
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def a_server(network: VirtualNetwork, number: int = 4, **fields: Any) -> LabServer:
    defaults = {
        "name": f"server{number}",
        "scenario": "full-chain",
        "address": f"10.0.1.{number}",
        "fqdn": f"server{number}.contoso.test",
        "port": 443,
    }
    return factories.add_row(LabServer, virtual_network=network, **{**defaults, **fields})


def report(server: LabServer, port: int | None, real_port: int) -> None:
    LabEndpoint.objects.create(
        server=server, port=port, real_host="127.0.0.1", real_port=real_port, reported_at=NOW
    )


@pytest.fixture
def network() -> VirtualNetwork:
    return factories.make_network(factories.make_group())


def test_no_network_knows_nothing() -> None:
    assert load_zone(None) is EMPTY_ZONE
    assert load_zones([]) == {}


def test_a_record_names_an_address_and_makes_the_zone_own_its_domain(
    network: VirtualNetwork,
) -> None:
    factories.add_row(
        ZoneRecord, virtual_network=network, name="WWW.Contoso.test", address="10.0.1.4"
    )
    zone = load_zone(network)
    assert zone.names == {"www.contoso.test": ("10.0.1.4",)}
    assert zone.owns("absent.contoso.test")
    assert zone.owns("deep.absent.contoso.test")
    assert zone.owns("contoso.test")
    assert not zone.owns("contoso.com")
    assert not zone.owns("mycontoso.test")


def test_a_record_of_two_labels_owns_itself_and_no_top_level_domain(
    network: VirtualNetwork,
) -> None:
    factories.add_row(ZoneRecord, virtual_network=network, name="contoso.com", address="10.0.1.4")
    zone = load_zone(network)
    assert zone.owns("www.contoso.com")
    assert not zone.owns("example.com")


def test_a_lab_server_has_a_name_by_itself_and_a_record_wins(network: VirtualNetwork) -> None:
    a_server(network, 4)
    a_server(network, 5)
    factories.add_row(
        ZoneRecord, virtual_network=network, name="server5.contoso.test", address="10.0.1.99"
    )
    zone = load_zone(network)
    assert zone.names["server4.contoso.test"] == ("10.0.1.4",)
    assert zone.names["server5.contoso.test"] == ("10.0.1.99",)
    assert zone.lab_addresses == {"10.0.1.4", "10.0.1.5"}


def test_endpoints_are_known_by_address_and_port(network: VirtualNetwork) -> None:
    server = a_server(network)
    report(server, 443, 40001)
    report(server, None, 40002)
    zone = load_zone(network)
    assert zone.endpoints == {("10.0.1.4", 443): Endpoint("127.0.0.1", 40001)}
    assert zone.refusing == {"10.0.1.4": Endpoint("127.0.0.1", 40002)}


def test_the_address_space_is_known_and_nonsense_in_it_is_passed_over(
    network: VirtualNetwork,
) -> None:
    factories.change(network, address_prefixes=["10.0.0.0/16", "nonsense", 7])
    zone = load_zone(network)
    assert zone.holds(ipaddress.ip_address("10.0.200.1"))
    assert not zone.holds(ipaddress.ip_address("10.1.0.1"))
    factories.change(network, address_prefixes={"not": "a list"})
    assert load_zone(network).prefixes == ()


def test_networks_do_not_see_each_other(network: VirtualNetwork) -> None:
    other = factories.make_network(network.group, "other")
    a_server(network, 4)
    a_server(other, 5)
    zones = load_zones([network, other])
    assert set(zones[network.pk].names) == {"server4.contoso.test"}
    assert set(zones[other.pk].names) == {"server5.contoso.test"}


def test_any_number_of_networks_takes_three_queries(network: VirtualNetwork) -> None:
    networks = [network, *(factories.make_network(network.group, f"net{n}") for n in range(5))]
    for number, one in enumerate(networks, start=4):
        report(a_server(one, number), 443, 40000 + number)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        load_zones(networks)
    assert len(queries) == 3
