"""A change of a virtual network reaches every gateway that stands in it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.accounts.models import Role
from gateway.models import ApplicationGateway, Subnet, VirtualNetwork, load_gateway
from gateway.operations import Caller, Outcome, change_network, store
from gateway.operations.networks import gateways_in
from tests import factories as make

pytestmark = pytest.mark.django_db


def network_of(gateway: ApplicationGateway) -> VirtualNetwork:
    return VirtualNetwork.objects.select_related("group__subscription").get(group=gateway.group)


def switch(gateway: ApplicationGateway, cause: str, **options: Any) -> Outcome:
    network = network_of(gateway)

    def write(locked: VirtualNetwork) -> list[dict[str, Any]]:
        subnet = Subnet.objects.get(virtual_network=locked, name="myAGSubnet")
        before, subnet.simulated_cause = subnet.simulated_cause, cause
        if before == cause:
            return []
        store(subnet)
        return [{"path": "subnets/myAGSubnet", "before": before, "after": cause}]

    caller = options.pop("caller", None) or Caller(make.owner_of(gateway))
    return change_network(caller, network, operation="Play", write=write, **options)


def test_a_saved_switch_is_what_the_loaded_gateway_says_and_moves_its_generation() -> None:
    gateway = make.v2_gateway()
    before = gateway.generation, gateway.etag, network_of(gateway).etag

    outcome = switch(gateway, "U-FW")

    assert outcome.ok
    assert outcome.changed
    gateway.refresh_from_db()
    assert gateway.generation == before[0] + 1
    assert gateway.etag == before[1], "an open form of the gateway is not out of date"
    assert network_of(gateway).etag != before[2]
    assert load_gateway(gateway).simulated_cause == "U-FW"


def test_a_save_that_changes_nothing_bothers_no_gateway() -> None:
    gateway = make.v2_gateway()

    assert switch(gateway, "").ok

    before = gateway.generation
    gateway.refresh_from_db()
    assert gateway.generation == before


def test_a_gateway_elsewhere_is_left_alone() -> None:
    gateway, other = make.v2_gateway(), make.v2_gateway()

    switch(gateway, "U-GW")

    assert list(gateways_in(network_of(gateway))) == [gateway]
    before = other.generation
    other.refresh_from_db()
    assert other.generation == before


def test_a_blocked_management_port_is_refused_under_a_v2_gateway_and_possible_under_v1() -> None:
    gateway = make.v2_gateway()

    outcome = switch(gateway, "U-NSG")

    (problem,) = outcome.errors
    code = "ApplicationGatewaySubnetInboundTrafficBlockedByNetworkSecurityGroup"
    assert problem.arm_code == code
    assert "myAppGateway" in problem.message
    assert load_gateway(gateway).simulated_cause == ""
    old = make.v1_gateway()
    assert switch(old, "U-NSG").ok
    assert load_gateway(old).simulated_cause == "U-NSG"


def test_a_reader_changes_no_network() -> None:
    gateway = make.v2_gateway()
    reader = make.make_user()
    make.grant(gateway.group.subscription, reader, Role.READER)

    outcome = switch(gateway, "U-FW", caller=Caller(reader))

    assert [problem.id for problem in outcome.errors] == ["access-denied"]
    assert load_gateway(gateway).simulated_cause == ""


def test_of_two_who_had_the_same_form_open_the_second_is_told() -> None:
    gateway = make.v2_gateway()
    seen = network_of(gateway).etag
    assert switch(gateway, "U-FW", etag=seen).ok

    outcome = switch(gateway, "U-GW", etag=seen)

    assert outcome.conflict
    assert load_gateway(gateway).simulated_cause == "U-FW"


def test_a_network_that_was_deleted_meanwhile_is_gone() -> None:
    gateway = make.v2_gateway()
    network = network_of(gateway)
    network.pk += 1000

    outcome = change_network(
        Caller(make.owner_of(gateway)), network, operation="Play", write=lambda _: [{}]
    )

    assert [problem.id for problem in outcome.errors] == ["resource-gone"]


def test_an_unknown_cause_is_refused() -> None:
    outcome = switch(make.v2_gateway(), "U-NEW")
    assert outcome.errors
