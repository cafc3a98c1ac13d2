"""Lab servers that users add to the network of their sandbox, and remove."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils import timezone

from certificates.models import keep
from gateway.lab.issuing import issue
from gateway.lab.scenario import ZONE, Scenario
from gateway.lab.supplies import Supply, issuers_of
from gateway.models import (
    GatewayIPConfiguration,
    LabServer,
    LabServerKey,
    Subnet,
    VirtualNetwork,
    ZoneRecord,
)
from gateway.models.fields import NAME_PATTERN
from gateway.operations import Caller, Outcome, Rejected, change_network, store
from gateway.operations.change import GONE
from gateway.problems import Kind, Problem, at, declare, errors
from gateway.rules.fields import field_problems

COLLECTION = "labServers"
MOST_SERVERS = 60

LAB_FULL = declare(
    "lab-full",
    title="The lab of this network is full",
    why=f"A virtual network holds up to {MOST_SERVERS} lab servers, those of the sandbox included: "
    "each one really listens on this machine.",
    remedy="Delete lab servers that no pool needs any more.",
)
ADDRESS_TAKEN = declare(
    "lab-address-taken",
    title="Another lab server has that address",
    why="Each lab server has an address of its own in the virtual network.",
    remedy="Leave the address empty to get the next free one.",
)
ADDRESS_OUTSIDE = declare(
    "lab-address-outside",
    title="No server can stand at that address",
    why="A server stands in a subnet of the virtual network, and not in one that holds a gateway; "
    "the first four addresses of a subnet and its last are the platform's.",
    remedy="Leave the address empty to get the next free one.",
    source="Azure Virtual Network FAQ",
)
NAME_USED = declare(
    "lab-name-used",
    title="The zone has that name already",
    why="The name of a lab server becomes a record of the network's zone, and leads to this server "
    "alone.",
    remedy="Choose another name, or delete the record in the zone of the virtual network.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A server to be added. Empty: ``address`` the next free one, ``fqdn`` the name in the lab's
    zone; ``port`` and ``delay`` are the scenario's where they are ``None``."""

    scenario: Scenario
    name: str
    address: str = ""
    fqdn: str = ""
    port: int | None = None
    delay: int | None = None


def add_server(
    caller: Caller, network: VirtualNetwork, wish: Wish, *, now: datetime | None = None
) -> Outcome:
    """Add a lab server, its certificate by the lab CA of the sandbox's user, its zone record.

    ``network`` is one of a sandbox, read with group and subscription. Raises ``ValueError`` for
    another; never for what ``wish`` holds.
    """
    now = now or timezone.now()
    user = network.group.subscription.sandbox_of
    if user is None:
        raise ValueError(f"{network.name} is in no sandbox.")
    fqdn = (wish.fqdn or f"{wish.name}.{ZONE}").strip().rstrip(".").lower()
    address = wish.address or next_address(network)
    # The key is made before the transaction, which on SQLite would make everybody wait.
    supply = _supply(wish, fqdn, address, issuers=issuers_of(user, now), now=now)

    def write(locked: VirtualNetwork) -> list[dict[str, Any]]:
        server = LabServer(
            virtual_network=locked,
            name=wish.name,
            scenario=wish.scenario.id,
            kind=wish.scenario.kind,
            address=address,
            fqdn=fqdn,
            port=wish.scenario.port if wish.port is None else wish.port,
            delay=wish.scenario.delay if wish.delay is None else wish.delay,
            presented=supply.pem,
            presented_without_sni=supply.pem_without_sni,
        )
        record = ZoneRecord(virtual_network=locked, name=fqdn, address=address)
        _judge(server)
        last = LabServer.objects.filter(virtual_network=locked).aggregate(last=Max("position"))
        server.position = 0 if last["last"] is None else last["last"] + 1
        if supply.leaf is not None and supply.root is not None:
            server.leaf, server.root = keep([supply.leaf, supply.root])
        store(server)
        if supply.key:
            store(LabServerKey(server=server, pem=supply.key))
        store(record)
        after = f"{wish.scenario.title} at {address}"
        return [{"path": f"{COLLECTION}/{wish.name}", "before": None, "after": after}]

    # What is recorded of a name is one that can be stored.
    operation = "Add lab server" + (f" {wish.name}" if NAME_PATTERN.match(wish.name) else "")
    return change_network(caller, network, operation=operation, write=write, now=now)


def delete_server(caller: Caller, server: LabServer) -> Outcome:
    """Remove a lab server and its record; ``server`` is read with network, group, subscription."""

    def write(locked: VirtualNetwork) -> list[dict[str, Any]]:
        # Locked before its endpoints go, in the order in which the lab's process locks.
        found = (
            LabServer.objects.select_for_update()
            .filter(pk=server.pk, virtual_network=locked)
            .first()
        )
        if found is None:
            raise Rejected(_at(GONE, f"The lab server “{server.name}” was deleted meanwhile.", ""))
        ZoneRecord.objects.filter(
            virtual_network=locked, name__iexact=found.fqdn, address=found.address
        ).delete()
        found.delete()
        before = f"{found.fqdn} at {found.address}"
        return [{"path": f"{COLLECTION}/{found.name}", "before": before, "after": None}]

    operation = f"Delete lab server {server.name}"
    return change_network(caller, server.virtual_network, operation=operation, write=write)


def next_address(network: VirtualNetwork) -> str:
    """The next free address of the network for a server, or empty (2 queries)."""
    taken = set(LabServer.objects.filter(virtual_network=network).values_list("address", flat=True))
    for subnet in _subnets_for_servers(network):
        for address in _usable(subnet):
            if str(address) not in taken:
                return str(address)
    return ""


def _subnets_for_servers(network: VirtualNetwork) -> Iterator[ipaddress.IPv4Network]:
    held = GatewayIPConfiguration.objects.filter(subnet__virtual_network=network)
    free = Subnet.objects.filter(virtual_network=network).exclude(pk__in=held.values("subnet"))
    for prefix in free.values_list("address_prefix", flat=True):
        try:
            yield ipaddress.IPv4Network(prefix, strict=False)
        except ValueError:
            continue


def _usable(subnet: ipaddress.IPv4Network) -> Iterator[ipaddress.IPv4Address]:
    for offset in range(4, subnet.num_addresses - 1):
        yield subnet[offset]


def _is_usable(subnet: ipaddress.IPv4Network, address: ipaddress.IPv4Address) -> bool:
    return address in subnet and 4 <= int(address) - int(subnet[0]) < subnet.num_addresses - 1


def _supply(wish: Wish, fqdn: str, address: str, **by: Any) -> Supply:
    """Certificate and key; none where the name or address is no good, which is refused later."""
    try:
        return issue(by["issuers"], wish.scenario.presents, fqdn, address, by["now"])
    except ValueError:
        return Supply()


def _judge(server: LabServer) -> None:
    """Raise :class:`Rejected` with all that stands in the way of a new server."""
    if faults := errors(field_problems(server)):
        raise Rejected(*faults)
    network = server.virtual_network
    problems: list[Problem] = []
    others = LabServer.objects.filter(virtual_network=network)
    if others.count() >= MOST_SERVERS:
        message = f"“{network.name}” has {MOST_SERVERS} lab servers already."
        problems.append(_at(LAB_FULL, message, server.name))
    address = ipaddress.IPv4Address(server.address)
    if not any(_is_usable(subnet, address) for subnet in _subnets_for_servers(network)):
        message = f"{address} is no address for a server of “{network.name}”."
        problems.append(_at(ADDRESS_OUTSIDE, message, server.name, "address"))
    elif other := others.filter(address=server.address).first():
        message = f"The lab server “{other.name}” has the address {address}."
        problems.append(_at(ADDRESS_TAKEN, message, server.name, "address"))
    records = ZoneRecord.objects.filter(virtual_network=network, name__iexact=server.fqdn)
    if records.exists() or others.filter(fqdn__iexact=server.fqdn).exists():
        message = f"The zone of “{network.name}” has the name “{server.fqdn}” already."
        problems.append(_at(NAME_USED, message, server.name, "fqdn"))
    if problems:
        raise Rejected(*problems)


def _at(kind: Kind, message: str, name: str, field: str = "") -> Problem:
    return at(kind, message, COLLECTION, name, field)
