"""What a virtual network may be: its DNS servers and its zone. No rule makes a query."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from gateway.models import VirtualNetwork
from gateway.problems import Problem, at, declare

_DNS = "Name resolution for resources in Azure virtual networks"

DNS_SERVER_INVALID = declare(
    "dns-server-invalid",
    title="That is no address of a DNS server",
    why="DNS servers are given by their IPv4 addresses, each one once: a name would have to be "
    "looked up first, and there would be nobody to ask.",
    remedy="Enter one IPv4 address on each line, for example 10.0.1.53.",
    source=_DNS,
)
DNS_SERVERS_MANY = declare(
    "dns-servers-many",
    title="A virtual network has up to 20 DNS servers",
    why="They are asked one after the other, and a probe waits for the first that knows.",
    remedy="Keep the ones that answer.",
    source="Azure subscription limits: networking",
)
ZONE_FULL = declare(
    "zone-full",
    title="The zone has no room for more records",
    why="The zone of a virtual network holds up to 500 records here: each probe reads it whole.",
    remedy="Delete records that no pool names any more.",
    source=_DNS,
)
MOST_DNS_SERVERS = 20
MOST_RECORDS = 500


def check(network: VirtualNetwork, *, records: int) -> Iterator[Problem]:
    """What is wrong with a network whose zone has so many ``records``."""
    if records > MOST_RECORDS:
        message = f"The zone of “{network.name}” would have {records} records."
        yield at(ZONE_FULL, message)
    servers = [str(one) for one in network.dns_servers or ()]
    if len(servers) > MOST_DNS_SERVERS:
        message = f"“{network.name}” would have {len(servers)} DNS servers."
        yield at(DNS_SERVERS_MANY, message, field="dns_servers")
    seen: set[str] = set()
    for text in servers:
        fault = _fault(text) or ("is listed twice" if text in seen else "")
        if fault:
            yield at(DNS_SERVER_INVALID, f"“{text[:60]}” {fault}.", field="dns_servers")
        seen.add(text)


def _fault(text: str) -> str:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return "is no IPv4 address"
    if (
        address.is_unspecified
        or address.is_multicast
        or address == ipaddress.IPv4Address(2**32 - 1)
    ):
        return "is not the address of one host"
    return ""
