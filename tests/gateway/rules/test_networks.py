"""DNS servers of a virtual network: IPv4 addresses, each once, not too many."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.models import VirtualNetwork
from gateway.rules import networks
from tests.gateway.rules.test_every_kind import OF_NETWORKS

MANY = [f"10.0.9.{number}" for number in range(1, 22)]


def found(*servers: Any) -> list[str]:
    network = VirtualNetwork(name="myVNet", dns_servers=list(servers))
    problems = list(networks.check(network, records=networks.MOST_RECORDS))
    assert all(problem.target.field == "dns_servers" for problem in problems)
    return [problem.id for problem in problems]


@pytest.mark.parametrize("servers", [[], ["10.0.1.53"], ["168.63.129.16", "8.8.8.8"], MANY[:20]])
def test_addresses_of_hosts_are_fine(servers: list[str]) -> None:
    assert found(*servers) == []


@pytest.mark.parametrize(
    "server",
    ["dns.contoso.test", "", "fd00::53", "0.0.0.0", "224.0.0.1", "255.255.255.255", "1.2.3", 53],
)
def test_what_is_no_address_of_a_host_is_refused(server: object) -> None:
    assert found("10.0.1.53", server) == ["dns-server-invalid"]


def test_an_address_that_is_listed_twice_is_refused() -> None:
    assert found("10.0.1.53", "10.0.1.54", "10.0.1.53") == ["dns-server-invalid"]


def test_more_than_twenty_are_too_many() -> None:
    assert found(*MANY) == ["dns-servers-many"]


def test_a_zone_has_an_end() -> None:
    network = VirtualNetwork(name="myVNet")
    (problem,) = networks.check(network, records=networks.MOST_RECORDS + 1)
    assert problem.id == "zone-full"
    assert "501" in problem.message


def test_all_kinds_are_raised_here() -> None:
    assert {*found("x"), *found(*MANY), "zone-full"} == OF_NETWORKS
