"""Which server of a pool was dialed, told by the socket address that the data plane wrote down.

A lab server stands at an address of its virtual network and answers at a real socket of this
machine, which changes with each start of the lab. People know neither: they know the target in the
pool.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Lower

from gateway.models import BackendAddress, GatewayIPConfiguration, LabEndpoint, ZoneRecord
from gateway.network.zone import canonical

Dialed = tuple[str, str]
"""Socket address as the data plane writes it (``127.9.0.1:40123``), and name of the pool."""


@dataclass(frozen=True, slots=True)
class _Lab:
    """A lab server as its network knows it; ``port`` is ``None`` where it refuses connections."""

    address: str
    port: int | None
    names: tuple[str, ...]


def servers_of(gateway: int, dialed: Collection[Dialed]) -> dict[Dialed, str]:
    """The lab servers among ``dialed``, as pool and zone name them (at most three queries).

    ``gateway`` is a primary key. ``backend.contoso.test:443``: the target of the pool if it is
    one, else the server's own name, and the port that was asked for. What is no lab server of the
    gateway's network is left out.
    """
    known = _labs(gateway, {address for address, _ in dialed})
    targets = _targets(gateway, known.values(), {pool for _, pool in dialed})
    return {
        (address, pool): _called(known[address], targets.get(pool, ()))
        for address, pool in dialed
        if address in known
    }


def _called(lab: _Lab, targets: Iterable[str]) -> str:
    wanted = {lab.address, *lab.names}
    named = next((one for one in targets if canonical(one) in wanted), lab.names[0])
    return named if lab.port is None else f"{named}:{lab.port}"


def _labs(gateway: int, dialed: Collection[str]) -> dict[str, _Lab]:
    """The lab servers of the gateway's network that stand behind socket addresses."""
    parts = (address.rpartition(":")[2] for address in dialed)
    ports = {int(port) for port in parts if port.isascii() and port.isdigit() and len(port) < 6}
    if not ports:
        return {}
    subnets = GatewayIPConfiguration.objects.filter(gateway=gateway).values("subnet")
    found = [
        one
        for one in LabEndpoint.objects.filter(
            server__virtual_network__subnets__in=subnets, real_port__in=ports
        ).select_related("server")
        if str(one) in dialed
    ]
    records: dict[str, list[str]] = defaultdict(list)
    if found:
        rows = ZoneRecord.objects.filter(
            virtual_network__in={one.server.virtual_network_id for one in found},
            address__in={one.server.address for one in found},
        )
        for name, address in rows.values_list("name", "address"):
            records[address].append(canonical(name))
    return {
        str(one): _Lab(
            one.server.address,
            one.port,
            (canonical(one.server.fqdn), *records[one.server.address]),
        )
        for one in found
    }


def _targets(gateway: int, labs: Iterable[_Lab], pools: Collection[str]) -> dict[str, list[str]]:
    """Name of each pool → those of its targets that are one of ``labs``."""
    wanted = list(labs)
    if not wanted:
        return {}
    names = {name for one in wanted for name in one.names}
    rows = (
        BackendAddress.objects.filter(pool__gateway=gateway, pool__name__in=pools)
        .annotate(lower=Lower("fqdn"))
        .filter(Q(ip_address__in={one.address for one in wanted}) | Q(lower__in=names))
        .select_related("pool")
    )
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row.pool.name].append(row.target)
    return found
