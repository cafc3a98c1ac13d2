"""Which member of a pool a request went to, by the address that the data plane dialed.

A lab server stands at an address of its virtual network and answers at a real socket of this
machine, which is what the engine writes down. People know neither: they know the target in the
pool.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Lower

from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    GatewayIPConfiguration,
    LabEndpoint,
    ZoneRecord,
)
from gateway.network.zone import canonical
from gateway.portal.log_lines import LogLine


@dataclass(frozen=True, slots=True)
class _Lab:
    """A lab server as its network knows it; ``port`` is ``None`` where it refuses connections."""

    address: str
    port: int | None
    names: tuple[str, ...]


def servers_of(gateway: ApplicationGateway, lines: Iterable[LogLine]) -> dict[int, str]:
    """Key of each line → its server as the pool and the zone name it (at most three queries).

    ``backend.contoso.test:443`` for a lab server; the dialed address for any other. Lines without a
    server are left out.
    """
    routed = [line for line in lines if line.get("serverRouted")]
    known = _labs(gateway, {line.get("serverRouted") for line in routed})
    targets = _targets(gateway, known.values(), {line.get("backendPoolName") for line in routed})
    return {line.pk: _called(line, known, targets) for line in routed}


def _called(
    line: LogLine, known: Mapping[str, _Lab], targets: Mapping[str, tuple[str, ...]]
) -> str:
    dialed = line.get("serverRouted")
    lab = known.get(dialed)
    if lab is None:
        return dialed
    members = targets.get(line.get("backendPoolName").lower(), ())
    wanted = {lab.address, *lab.names}
    named = next((one for one in members if canonical(one) in wanted), None)
    name = named or next(iter(lab.names), lab.address)
    return name if lab.port is None else f"{name}:{lab.port}"


def _labs(gateway: ApplicationGateway, dialed: set[str]) -> dict[str, _Lab]:
    """The lab servers of the gateway's network that stand behind dialed addresses."""
    ports = {int(port) for one in dialed if (port := one.rpartition(":")[2]).isdecimal()}
    if not ports:
        return {}
    subnets = GatewayIPConfiguration.objects.filter(gateway=gateway).values("subnet")
    found = list(
        LabEndpoint.objects.filter(
            server__virtual_network__subnets__in=subnets, real_port__in=ports
        ).values_list(
            "server__virtual_network_id",
            "server__address",
            "server__fqdn",
            "port",
            "real_host",
            "real_port",
        )
    )
    records: dict[str, list[str]] = defaultdict(list)
    if found:
        for name, address in ZoneRecord.objects.filter(
            virtual_network__in={one[0] for one in found}, address__in={one[1] for one in found}
        ).values_list("name", "address"):
            records[address].append(canonical(name))
    return {
        f"{host}:{real}": _Lab(address, port, (canonical(fqdn), *records[address]))
        for _, address, fqdn, port, host, real in found
    }


def _targets(
    gateway: ApplicationGateway, labs: Iterable[_Lab], pools: set[str]
) -> dict[str, tuple[str, ...]]:
    """Name of each pool, in lower case → those of its targets that are one of ``labs``."""
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
        found[row.pool.name.lower()].append(row.target)
    return {pool: tuple(targets) for pool, targets in found.items()}
