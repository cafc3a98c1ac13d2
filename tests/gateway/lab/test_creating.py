"""Servers that users add to the lab: with certificate, address and name, within limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from certificates.x509.facts.names import match_name
from gateway.accounts.models import Role, User
from gateway.lab import creating
from gateway.lab.creating import Wish, add_server, delete_server, next_address
from gateway.lab.sandbox import ensure_sandbox, reset_sandbox
from gateway.lab.scenarios import BY_ID, CREATABLE
from gateway.models import ApplicationGateway, LabServer, VirtualNetwork, ZoneRecord
from gateway.network import load_zone
from gateway.operations import Caller, Outcome
from gateway.problems import KINDS
from tests import factories as make
from tests.gateway.lab.conftest import endpoint, running_lab

pytestmark = pytest.mark.django_db


@pytest.fixture
def network(user: User) -> VirtualNetwork:
    ensure_sandbox(user)
    return network_of(user)


def network_of(user: User) -> VirtualNetwork:
    return VirtualNetwork.objects.select_related("group__subscription__sandbox_of").get(
        group__subscription__sandbox_of=user, group__name="myResourceGroupAG"
    )


def add(network: VirtualNetwork, scenario: str, name: str, **wish: object) -> Outcome:
    user = network.group.subscription.sandbox_of
    assert user is not None
    return add_server(Caller(user), network, Wish(scenario=BY_ID[scenario], name=name, **wish))  # type: ignore[arg-type]


def test_a_server_gets_a_free_address_a_name_in_the_zone_and_a_fitting_certificate(
    network: VirtualNetwork,
) -> None:
    wanted = next_address(network)

    outcome = add(network, "full-chain", "mine")

    assert outcome.ok
    server = LabServer.objects.get(virtual_network=network, name="mine")
    assert (server.address, server.fqdn, server.port) == (wanted, "mine.contoso.test", 443)
    assert load_zone(network).names["mine.contoso.test"] == (wanted,)
    assert server.leaf is not None
    assert match_name(server.leaf.parsed, "mine.contoso.test").ok
    assert next_address(network) != wanted


def test_what_is_wished_for_is_what_stands_there(network: VirtualNetwork) -> None:
    add(
        network,
        "slow",
        "snail",
        address="10.0.1.200",
        fqdn="Snail.Fabrikam.test.",
        port=8443,
        delay=2,
    )

    server = LabServer.objects.get(virtual_network=network, name="snail")
    found = (server.address, server.fqdn, server.port, server.delay)
    assert found == ("10.0.1.200", "snail.fabrikam.test", 8443, 2)


@pytest.mark.parametrize("scenario", CREATABLE, ids=lambda one: one.id)
def test_every_kind_of_server_can_be_added(network: VirtualNetwork, scenario: object) -> None:
    assert add(network, scenario.id, "another").ok  # type: ignore[attr-defined]


def test_gateways_of_the_network_are_looked_at_anew(network: VirtualNetwork) -> None:
    gateway = ApplicationGateway.objects.get(group=network.group)

    add(network, "expired", "mine")

    before = gateway.generation
    gateway.refresh_from_db()
    assert gateway.generation == before + 1


def test_a_deleted_server_takes_its_record_along(network: VirtualNetwork, user: User) -> None:
    add(network, "expired", "mine")
    server = LabServer.objects.select_related("virtual_network__group__subscription").get(
        virtual_network=network, name="mine"
    )

    assert delete_server(Caller(user), server).ok

    assert not LabServer.objects.filter(virtual_network=network, name="mine").exists()
    assert "mine.contoso.test" not in load_zone(network).names
    outcome = delete_server(Caller(user), server)
    assert [problem.id for problem in outcome.errors] == ["resource-gone"]


def test_a_reader_adds_nothing(network: VirtualNetwork) -> None:
    reader = make.make_user()
    make.grant(network.group.subscription, reader, Role.READER)

    outcome = add_server(Caller(reader), network, Wish(scenario=BY_ID["expired"], name="mine"))

    assert [problem.id for problem in outcome.errors] == ["access-denied"]
    assert not LabServer.objects.filter(name="mine").exists()


def test_a_reset_removes_what_was_added(network: VirtualNetwork, user: User) -> None:
    add(network, "expired", "mine")

    reset_sandbox(user)

    assert not LabServer.objects.filter(name="mine").exists()


def test_a_network_outside_of_sandboxes_has_no_lab(user: User) -> None:
    network = make.make_network(make.make_group())

    with pytest.raises(ValueError, match="in no sandbox"):
        add_server(Caller(user), network, Wish(scenario=BY_ID["expired"], name="mine"))


@pytest.mark.parametrize(
    ("name", "fqdn", "address", "port"),
    [
        ("", "", "", None),
        ("-", "", "", None),
        ("x" * 81, "", "", None),
        ("a\0b", "", "", None),
        ("mine", "a b", "", None),
        ("mine", "x" * 300, "", None),
        ("mine", "\0", "", None),
        ("mine", "\ud800", "", None),
        ("mine", "", "nowhere", None),
        ("mine", "", "10.0.1.300", None),
        ("mine", "", "fd00::1", None),
        ("mine", "", "", 0),
        ("mine", "", "", 70000),
    ],
)
def test_odd_wishes_are_refused(
    network: VirtualNetwork, name: str, fqdn: str, address: str, port: int | None
) -> None:
    for scenario in ("wildcard", "address-only"):
        outcome = add(network, scenario, name, fqdn=fqdn, address=address, port=port)
        assert outcome.errors, scenario
        assert not outcome.changed


def lab_is_full(network: VirtualNetwork) -> Outcome:
    present = LabServer.objects.filter(virtual_network=network).count()
    for number in range(present, creating.MOST_SERVERS):
        make.add_row(
            LabServer,
            virtual_network=network,
            name=f"more{number}",
            scenario="closed",
            address=f"10.0.1.{number + 100}",
            fqdn=f"more{number}.contoso.test",
        )
    return add(network, "closed", "one-too-many")


def address_is_taken(network: VirtualNetwork) -> Outcome:
    return add(network, "closed", "mine", address="10.0.1.10")


def address_is_the_gateways(network: VirtualNetwork) -> Outcome:
    return add(network, "closed", "mine", address="10.0.0.10")


def name_is_used(network: VirtualNetwork) -> Outcome:
    make.add_row(ZoneRecord, virtual_network=network, name="used.contoso.test", address="10.0.1.99")
    return add(network, "closed", "mine", fqdn="USED.contoso.test")


HAPPENINGS: dict[str, Callable[[VirtualNetwork], Outcome]] = {
    "lab-full": lab_is_full,
    "lab-address-taken": address_is_taken,
    "lab-address-outside": address_is_the_gateways,
    "lab-name-used": name_is_used,
}


@pytest.mark.parametrize("id", HAPPENINGS)
def test_each_refusal_of_the_lab_happens_and_changes_nothing(
    id: str, network: VirtualNetwork
) -> None:
    outcome = HAPPENINGS[id](network)

    assert [problem.kind for problem in outcome.errors] == [KINDS[id]]
    assert not LabServer.objects.filter(name__in=("mine", "one-too-many")).exists()


@pytest.mark.parametrize(
    "address", ["10.0.1.0", "10.0.1.3", "10.0.1.255", "10.0.2.5", "127.0.0.1", "8.8.8.8"]
)
def test_addresses_that_no_server_has_are_refused(network: VirtualNetwork, address: str) -> None:
    outcome = add(network, "closed", "mine", address=address)

    assert [problem.id for problem in outcome.errors] == ["lab-address-outside"]


@pytest.mark.django_db(transaction=True)
def test_a_new_server_answers_soon_and_a_deleted_one_no_more() -> None:
    user = make.make_user("alice")
    ensure_sandbox(user)
    network = network_of(user)
    with running_lab():
        add(network, "plain-http", "mine")
        server = LabServer.objects.get(virtual_network=network, name="mine")
        assert endpoint(server, 80)[1] > 0
