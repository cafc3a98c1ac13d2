"""The pages of a virtual network: what is seen, what is saved, who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from gateway.accounts.models import Role
from gateway.models import (
    Activity,
    ApplicationGateway,
    LabServer,
    Subnet,
    VirtualNetwork,
    ZoneRecord,
)
from gateway.portal.network_pages import network_url
from tests import factories as make
from tests.gateway.portal import visits

pytestmark = pytest.mark.django_db

VIEWS = ("network", "network-subnets", "network-dns", "network-zone", "network-zone-add")


@pytest.fixture
def gateway() -> ApplicationGateway:
    return make.v2_gateway()


@pytest.fixture
def network(gateway: ApplicationGateway) -> VirtualNetwork:
    return VirtualNetwork.objects.select_related("group__subscription").get(group=gateway.group)


@pytest.fixture
def client(gateway: ApplicationGateway) -> Client:
    return visits.visitor(gateway)


def now(network: VirtualNetwork) -> VirtualNetwork:
    return VirtualNetwork.objects.get(pk=network.pk)


def test_every_page_is_linked_from_all_resources_on(
    client: Client, network: VirtualNetwork
) -> None:
    resources = visits.said(client.get(reverse("portal:all-resources")))
    assert network_url(network) in resources
    overview = visits.said(client.get(network_url(network)))
    for view in VIEWS[:-1]:
        assert network_url(network, view) in overview
    assert "10.0.0.0/16" in overview
    assert "myAppGateway" in overview


def test_the_home_page_lists_gateways_only(client: Client, network: VirtualNetwork) -> None:
    assert network_url(network) not in visits.said(client.get(reverse("portal:home")))


@pytest.mark.parametrize("view", VIEWS)
def test_a_network_of_somebody_else_does_not_exist(network: VirtualNetwork, view: str) -> None:
    stranger = visits.visitor(make.v2_gateway())
    assert stranger.get(network_url(network, view)).status_code == 404
    assert stranger.post(network_url(network, view), {}).status_code == 404


def test_a_reader_sees_everything_and_changes_nothing(
    gateway: ApplicationGateway, network: VirtualNetwork
) -> None:
    record = make.add_row(
        ZoneRecord, virtual_network=network, name="a.contoso.test", address="10.0.1.9"
    )
    reader = visits.visitor(gateway, Role.READER)
    subnet = Subnet.objects.get(virtual_network=network, name="myAGSubnet")
    forged: dict[str, dict[str, Any]] = {
        "network-subnets": {f"cause-{subnet.pk}": "U-FW"},
        "network-dns": {"choice": "own", "servers": "10.0.1.53"},
        "network-zone-add": {"name": "b.contoso.test", "address": "10.0.1.9"},
    }
    for view, data in forged.items():
        assert reader.get(network_url(network, view)).status_code == 200
        assert reader.post(network_url(network, view), data).status_code == 422
    delete = network_url(network, "network-zone-delete", record.pk)
    assert reader.post(delete).status_code == 422
    assert now(network).dns_servers == []
    assert Subnet.objects.get(pk=subnet.pk).simulated_cause == ""
    assert ZoneRecord.objects.count() == 1


# -- Subnets -----------------------------------------------------------------------------------


def test_a_simulated_cause_is_saved_and_shown_as_such(
    client: Client, gateway: ApplicationGateway, network: VirtualNetwork
) -> None:
    url = network_url(network, "network-subnets")
    subnet = Subnet.objects.get(virtual_network=network, name="myAGSubnet")
    data = visits.drawn(client, url)
    data[f"cause-{subnet.pk}"] = "U-FW"

    answer = client.post(url, data, follow=True)

    assert answer.status_code == 200
    assert "The subnets were saved." in visits.said(answer)
    assert "simulated U-FW" in visits.said(answer)
    assert make.loaded(gateway).simulated_cause == "U-FW"
    assert "Simulated:" in visits.said(client.get(network_url(network)))
    activity = Activity.objects.latest("pk")
    assert activity.changes == [
        {"path": "subnets/myAGSubnet/simulatedCause", "before": "", "after": "U-FW"}
    ]


def test_a_blocked_management_port_is_refused_at_its_field(
    client: Client, network: VirtualNetwork
) -> None:
    url = network_url(network, "network-subnets")
    subnet = Subnet.objects.get(virtual_network=network, name="myAGSubnet")
    data = {**visits.drawn(client, url), f"cause-{subnet.pk}": "U-NSG"}

    answer = client.post(url, data, headers={"HX-Request": "true"})

    assert answer.status_code == 422
    said = visits.said(answer)
    assert f'id="id_cause-{subnet.pk}_error"' in said
    assert '<option value="U-NSG" selected' in said, "nothing typed is lost"
    assert "/portal/help/subnet-management-blocked/" in said
    assert Subnet.objects.get(pk=subnet.pk).simulated_cause == ""


# -- DNS ---------------------------------------------------------------------------------------


@pytest.fixture
def lab_dns(network: VirtualNetwork) -> LabServer:
    return make.add_row(
        LabServer,
        virtual_network=network,
        name="dns-silent",
        scenario="dns-silent",
        address="10.0.1.54",
        fqdn="dns-silent.contoso.test",
        port=53,
    )


@pytest.mark.parametrize(
    ("choice", "servers", "stored"),
    [
        ("platform", "", []),
        ("platform", "10.0.1.1", []),
        ("10.0.1.54", "", ["10.0.1.54"]),
        ("own", "10.0.1.54\n 168.63.129.16 \r\n", ["10.0.1.54", "168.63.129.16"]),
    ],
)
def test_dns_servers_are_chosen(
    client: Client,
    network: VirtualNetwork,
    lab_dns: LabServer,
    choice: str,
    servers: str,
    stored: list[str],
) -> None:
    url = network_url(network, "network-dns")
    data = {**visits.drawn(client, url), "choice": choice, "servers": servers}

    answer = client.post(url, data, follow=True)

    assert answer.status_code == 200
    assert now(network).dns_servers == stored
    shown = visits.drawn(client, url)
    assert shown["choice"] == choice
    assert client.post(url, shown).status_code == 302, "what is drawn can be saved again"
    assert now(network).dns_servers == stored


@pytest.mark.parametrize(
    ("servers", "says"),
    [
        ("", "at least one address"),
        ("dns.contoso.test", "is no IPv4 address"),
        ("10.0.1.1\n10.0.1.1", "is listed twice"),
        ("\n".join(f"10.0.9.{number}" for number in range(1, 30)), "29 DNS servers"),
    ],
)
def test_wrong_dns_servers_are_refused_and_kept_in_the_form(
    client: Client, network: VirtualNetwork, servers: str, says: str
) -> None:
    url = network_url(network, "network-dns")

    answer = client.post(url, {"choice": "own", "servers": servers})

    assert answer.status_code == 422
    assert says in visits.said(answer)
    assert servers.splitlines()[0] in visits.said(answer) if servers else True
    assert now(network).dns_servers == []


def test_an_address_that_is_never_asked_is_told(client: Client, network: VirtualNetwork) -> None:
    url = network_url(network, "network-dns")
    client.post(url, {"choice": "own", "servers": "8.8.8.8"})

    said = visits.said(client.get(url))

    assert "Not asked:" in said
    assert "8.8.8.8: it is outside the lab" in said


def test_of_two_who_had_the_form_open_the_second_is_told_and_may_insist(
    client: Client, network: VirtualNetwork
) -> None:
    url = network_url(network, "network-dns")
    first = {**visits.drawn(client, url), "choice": "own", "servers": "10.0.1.53"}
    second = {**first, "servers": "10.0.1.54"}
    assert client.post(url, first).status_code == 302

    refused = client.post(url, second)

    assert refused.status_code == 422
    assert "was changed after this form was opened" in visits.said(refused)
    again = visits.data_of(visits.said(refused))
    assert again["etag"] == now(network).etag
    assert client.post(url, {**second, "etag": again["etag"]}).status_code == 302
    assert now(network).dns_servers == ["10.0.1.54"]


# -- Zone --------------------------------------------------------------------------------------


def test_a_record_is_added_listed_and_deleted(
    client: Client, network: VirtualNetwork, gateway: ApplicationGateway
) -> None:
    url = network_url(network, "network-zone-add")
    data = {**visits.drawn(client, url), "name": "WWW.contoso.test.", "address": "10.0.1.9"}

    added = client.post(url, data, follow=True)

    assert "www.contoso.test" in visits.said(added)
    record = ZoneRecord.objects.get(virtual_network=network)
    assert (record.name, record.address) == ("www.contoso.test", "10.0.1.9")
    delete = network_url(network, "network-zone-delete", record.pk)
    assert "10.0.1.9" in visits.said(client.get(delete))
    assert client.post(delete).status_code == 302
    assert not ZoneRecord.objects.filter(virtual_network=network).exists()
    before = gateway.generation
    gateway.refresh_from_db()
    assert gateway.generation == before + 2


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("", "10.0.1.9"),
        ("a b", "10.0.1.9"),
        ("www.contoso.test", ""),
        ("www.contoso.test", "fd00::1"),
        ("www.contoso.test", "10.0.1.300"),
        ("x" * 254, "10.0.1.9"),
    ],
)
def test_a_wrong_record_is_refused(
    client: Client, network: VirtualNetwork, name: str, address: str
) -> None:
    url = network_url(network, "network-zone-add")
    assert client.post(url, {"name": name, "address": address}).status_code == 422
    assert not ZoneRecord.objects.exists()


def test_the_same_record_twice_is_refused(client: Client, network: VirtualNetwork) -> None:
    url = network_url(network, "network-zone-add")
    data = {"name": "www.contoso.test", "address": "10.0.1.9"}
    assert client.post(url, data).status_code == 302

    answer = client.post(url, data)

    assert answer.status_code == 422
    assert "www.contoso.test" in visits.said(answer)
    assert client.post(url, {**data, "address": "10.0.1.10"}).status_code == 302


def test_a_record_of_another_network_is_not_deleted(
    client: Client, gateway: ApplicationGateway, network: VirtualNetwork
) -> None:
    other = make.make_network(gateway.group, "other")
    record = make.add_row(
        ZoneRecord, virtual_network=other, name="a.contoso.test", address="10.0.1.9"
    )
    assert client.post(network_url(network, "network-zone-delete", record.pk)).status_code == 404
    for odd in (0, 10**18, 10**30):
        assert client.get(network_url(network, "network-zone-delete", odd)).status_code == 404
