"""A snapshot of one virtual network: its names and the real endpoints of its lab servers."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.models import LabEndpoint, LabServer, VirtualNetwork, ZoneRecord

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A real socket address on this machine."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Zone:
    """What a virtual network knows; plain data, so that probes need no database.

    ``names``: lower-case name without final dot → addresses. ``domains``: the domains that the
    zone owns, in which an absent name does not exist. ``lab_addresses``: addresses that a lab
    server stands at. ``endpoints``: (address, named port) → real endpoint. ``refusing``: address →
    the endpoint of all other ports. ``prefixes``: the network's address space. ``dns_servers``:
    addresses that all names are asked at; none means the platform's DNS, which knows ``names``.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    domains: frozenset[str] = frozenset()
    lab_addresses: frozenset[str] = frozenset()
    endpoints: Mapping[tuple[str, int], Endpoint] = field(default_factory=dict)
    refusing: Mapping[str, Endpoint] = field(default_factory=dict)
    prefixes: tuple[Network, ...] = ()
    dns_servers: tuple[str, ...] = ()

    def owns(self, name: str) -> bool:
        """Whether ``name`` (lower case, without final dot) lies in a domain of this zone."""
        labels = name.split(".")
        return any(".".join(labels[start:]) in self.domains for start in range(len(labels)))

    def holds(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        """Whether ``address`` belongs to the network's address space."""
        return any(address in prefix for prefix in self.prefixes)


EMPTY_ZONE = Zone()


def load_zone(virtual_network: VirtualNetwork | None) -> Zone:
    """The zone of a network (3 queries); the empty one for ``None``."""
    if virtual_network is None:
        return EMPTY_ZONE
    return load_zones([virtual_network])[virtual_network.pk]


def load_zones(virtual_networks: Iterable[VirtualNetwork]) -> dict[int, Zone]:
    """Zones of several networks by the networks' primary keys (3 queries for all)."""
    networks = {network.pk: network for network in virtual_networks}
    if not networks:
        return {}
    names: dict[int, dict[str, list[str]]] = defaultdict(dict)
    domains: dict[int, set[str]] = defaultdict(set)
    servers: dict[int, set[str]] = defaultdict(set)
    endpoints: dict[int, dict[tuple[str, int], Endpoint]] = defaultdict(dict)
    refusing: dict[int, dict[str, Endpoint]] = defaultdict(dict)
    records = ZoneRecord.objects.filter(virtual_network__in=networks).order_by("pk")
    for pk, name, address in records.values_list("virtual_network_id", "name", "address"):
        names[pk].setdefault(canonical(name), []).append(address)
        domains[pk].add(_domain(canonical(name)))
    lab = LabServer.objects.filter(virtual_network__in=networks).order_by("position", "pk")
    for pk, fqdn, address in lab.values_list("virtual_network_id", "fqdn", "address"):
        # A record of the zone wins over the name that a server has by itself.
        names[pk].setdefault(canonical(fqdn), [address])
        domains[pk].add(_domain(canonical(fqdn)))
        servers[pk].add(address)
    reported = LabEndpoint.objects.filter(server__virtual_network__in=networks)
    for pk, address, port, host, real_port in reported.values_list(
        "server__virtual_network_id", "server__address", "port", "real_host", "real_port"
    ):
        endpoint = Endpoint(host, real_port)
        if port is None:
            refusing[pk][address] = endpoint
        else:
            endpoints[pk][address, port] = endpoint
    return {
        pk: Zone(
            names=MappingProxyType({name: tuple(found) for name, found in names[pk].items()}),
            domains=frozenset(domains[pk]),
            lab_addresses=frozenset(servers[pk]),
            endpoints=MappingProxyType(endpoints[pk]),
            refusing=MappingProxyType(refusing[pk]),
            prefixes=_prefixes(network),
            dns_servers=_dns_servers(network),
        )
        for pk, network in networks.items()
    }


def canonical(name: str) -> str:
    """A DNS name as it is compared: lower case, without final dot."""
    return name.strip().rstrip(".").lower()


def _domain(name: str) -> str:
    """The domain that a record makes the zone own: its parent, never a whole top-level domain."""
    _, _, parent = name.partition(".")
    return parent if "." in parent else name


def _dns_servers(network: VirtualNetwork) -> tuple[str, ...]:
    servers = network.dns_servers
    return tuple(str(one) for one in servers) if isinstance(servers, list) else ()


def _prefixes(network: VirtualNetwork) -> tuple[Network, ...]:
    found: list[Network] = []
    prefixes = network.address_prefixes
    for prefix in prefixes if isinstance(prefixes, list) else ():
        try:
            found.append(ipaddress.ip_network(str(prefix), strict=False))
        except ValueError:
            continue
    return tuple(found)
