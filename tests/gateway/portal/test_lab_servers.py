"""Lab servers are added and deleted in the portal, by those who may."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from gateway.accounts.models import Role, User
from gateway.lab.sandbox import ensure_sandbox
from gateway.models import LabServer, VirtualNetwork
from gateway.portal.network_pages import network_url
from tests import factories as make
from tests.gateway.portal import visits
from tests.gateway.portal.test_access import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    user = make.make_user()
    ensure_sandbox(user)
    return user


@pytest.fixture
def network(user: User) -> VirtualNetwork:
    return VirtualNetwork.objects.select_related("group__subscription").get(
        group__subscription__sandbox_of=user, group__name="myResourceGroupAG"
    )


@pytest.fixture
def client(user: User) -> Client:
    return signed_in(user)


def test_a_server_is_added_from_the_lab_page_and_deleted_again(
    client: Client, network: VirtualNetwork
) -> None:
    url = network_url(network, "network-lab-add")
    assert url in visits.said(client.get(reverse("portal:lab")))
    data = visits.drawn(client, url)
    assert data["address"].startswith("10.0.1.")

    added = client.post(url, {**data, "name": "mine", "scenario": "expired"}, follow=True)

    assert "The lab server “mine” was added" in visits.said(added)
    server = LabServer.objects.get(name="mine")
    assert (server.scenario, server.fqdn) == ("expired", "mine.contoso.test")
    delete = network_url(network, "network-lab-delete", "mine")
    assert delete in visits.said(added)
    assert "mine.contoso.test" in visits.said(client.get(delete))
    assert client.post(delete).status_code == 302
    assert not LabServer.objects.filter(name="mine").exists()


def test_what_is_refused_stays_in_the_form(client: Client, network: VirtualNetwork) -> None:
    url = network_url(network, "network-lab-add")
    data = {**visits.drawn(client, url), "scenario": "slow", "delay": "7", "name": "mine"}

    answer = client.post(url, {**data, "address": "10.0.1.10"}, headers={"HX-Request": "true"})

    said = visits.said(answer)
    assert answer.status_code == 422
    assert 'id="id_address_error"' in said
    assert "/portal/help/lab-address-taken/" in said
    assert visits.data_of(said)["delay"] == "7"
    assert visits.data_of(said)["scenario"] == "slow"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", ""),
        ("name", "a b"),
        ("scenario", "virtual-machine"),
        ("scenario", "nonsense"),
        ("fqdn", "a b"),
        ("address", "10.0.1.300"),
        ("port", "0"),
        ("port", "x"),
        ("delay", "301"),
    ],
)
def test_odd_fields_are_refused(
    client: Client, network: VirtualNetwork, field: str, text: str
) -> None:
    url = network_url(network, "network-lab-add")
    data = {"name": "mine", "scenario": "slow", field: text}

    answer = client.post(url, data)

    assert answer.status_code == 422
    assert f"id_{field}_error" in visits.said(answer)
    assert not LabServer.objects.filter(name="mine").exists()


def test_a_reader_is_offered_nothing_and_may_do_nothing(network: VirtualNetwork) -> None:
    reader = make.make_user()
    make.grant(network.group.subscription, reader, Role.READER)
    client = signed_in(reader)

    page = visits.said(client.get(reverse("portal:lab")))

    url = network_url(network, "network-lab-add")
    assert "full-chain.contoso.test" in page
    assert url not in page
    assert client.post(url, {"name": "mine", "scenario": "expired"}).status_code == 422
    delete = network_url(network, "network-lab-delete", "expired")
    assert client.post(delete).status_code == 422
    assert LabServer.objects.filter(virtual_network=network, name="expired").exists()


def test_strangers_and_networks_without_a_lab_lead_nowhere(
    client: Client, network: VirtualNetwork, user: User
) -> None:
    stranger = signed_in(make.make_user())
    assert stranger.get(network_url(network, "network-lab-add")).status_code == 404
    gateway = make.v2_gateway()
    make.grant(gateway.group.subscription, user, Role.OWNER)
    plain = VirtualNetwork.objects.select_related("group__subscription").get(group=gateway.group)
    for url in (
        network_url(plain, "network-lab-add"),
        network_url(plain, "network-lab-delete", "x"),
        network_url(network, "network-lab-delete", "nobody"),
    ):
        assert client.get(url).status_code == 404
        assert client.post(url, {}).status_code == 404


def test_a_lab_without_servers_can_be_filled_again(client: Client, network: VirtualNetwork) -> None:
    for server in LabServer.objects.filter(virtual_network=network):
        make.delete(server)

    page = visits.said(client.get(reverse("portal:lab")))

    assert "No lab server stands in this network." in page
    assert network_url(network, "network-lab-add") in page
