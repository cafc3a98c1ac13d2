"""Published ports: where the ports of a gateway's listeners are really open on this machine.

Written within every change of a gateway. No socket is opened here: ``serve`` found out at its start
which ports may be bound.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from gateway.models import (
    ApplicationGateway,
    FrontendIPConfiguration,
    Installation,
    LoadedGateway,
    PublicIPAddress,
    PublishedPort,
    load_gateway,
    writing,
)
from gateway.models.dataplane import LOWEST_UNPRIVILEGED
from gateway.problems import Problem, at, declare

NO_ADDRESS = declare(
    "public-address-exhausted",
    title="No address is left",
    why="Every address of this installation's range belongs to a public IP address or a private "
    "frontend already.",
    remedy="Delete public IP addresses that nothing uses.",
    arm_code="PublicIPCountLimitReached",
)

# The lowest addresses of the range belong to the installation itself (lab servers listen there).
RESERVED = 16
# 443 becomes 8443 and 80 becomes 8080 where low ports may not be bound.
SHIFT = 8000
_HIGHEST = 65535


def publish(loaded: LoadedGateway) -> list[Problem]:
    """Give every listener's port an address and a number; only inside a transaction that writes.

    What is published stays where it is as long as it may. The problems are errors: an address was
    needed and none is left.
    """
    wanted = _wanted(loaded)
    present = list(PublishedPort.objects.filter(frontend__gateway=loaded.gateway))
    found = finding()
    hosts: dict[int, str] = {}
    problems = []
    for frontend in loaded.frontend_ip_configurations:
        if any(pk == frontend.pk for pk, _ in wanted):
            host = _host(frontend, present)
            if host is None:
                problems.append(
                    at(
                        NO_ADDRESS,
                        f"“{frontend.name}” got no address: the range is used up.",
                        frontend.collection,
                        frontend.name,
                    )
                )
            else:
                hosts[frontend.pk] = host
    if problems:
        return problems
    kept = {
        (row.frontend_id, row.port): row
        for row in present
        if (row.frontend_id, row.port) in wanted
        and row.host == hosts[row.frontend_id]
        and _stays(row, found)
    }
    gone = [row.pk for row in present if (row.frontend_id, row.port) not in kept]
    if gone:
        PublishedPort.objects.filter(pk__in=gone).delete()
    missing = [key for key in wanted if key not in kept]
    if missing:
        _add(missing, hosts, found)
    return []


@dataclass(frozen=True, slots=True)
class Finding:
    """What ``serve`` found: the lowest port that may be bound, and those that the portal has."""

    lowest: int = LOWEST_UNPRIVILEGED
    taken: frozenset[int] = frozenset()

    def allows(self, number: int) -> bool:
        return number >= self.lowest and number not in self.taken


def finding() -> Finding:
    """What was found when the portal was started last."""
    row = Installation.objects.first()
    return Finding(row.lowest_port, frozenset(row.taken_ports)) if row else Finding()


def publish_all(found: Finding) -> None:
    """Keep what was found, and publish every gateway anew by it if it is something new."""
    if Installation.objects.exists() and finding() == found:
        return
    with transaction.atomic(), writing():
        kept = {"lowest_port": found.lowest, "taken_ports": sorted(found.taken)}
        Installation.objects.update_or_create(pk=1, defaults=kept)
        for gateway in ApplicationGateway.objects.select_for_update().order_by("pk"):
            publish(load_gateway(gateway))


def free_addresses(*, downwards: bool = False) -> Iterator[str]:
    """Addresses of the range that nothing has yet, from its low end or from its high one."""
    network = settings.GATEWRIGHT_LOOPBACK_RANGE
    taken = set(PublicIPAddress.objects.values_list("address", flat=True))
    taken |= set(PublishedPort.objects.values_list("host", flat=True))
    # Gateways are published at these addresses, so the broadcast address is no good either.
    offsets = range(RESERVED, network.num_addresses - 1)
    for offset in reversed(offsets) if downwards else offsets:
        address = str(ipaddress.ip_address(int(network.network_address) + offset))
        if address not in taken:
            yield address


def _wanted(loaded: LoadedGateway) -> list[tuple[int, int]]:
    """(frontend, port) of all listeners; those first that may have the very port they ask for."""
    found = {
        (listener.frontend_ip_configuration.pk, listener.frontend_port.port)
        for listener in loaded.listeners
        if listener.frontend_ip_configuration is not None and listener.frontend_port is not None
    }
    return sorted(found, key=lambda key: (-key[1], key[0]))


def _host(frontend: FrontendIPConfiguration, present: list[PublishedPort]) -> str | None:
    """The public address; for a private frontend one of its own, from the range's high end."""
    if frontend.public_ip_address is not None:
        return str(frontend.public_ip_address.address)
    public = set(
        PublicIPAddress.objects.filter(
            address__in=[row.host for row in present if row.frontend_id == frontend.pk]
        ).values_list("address", flat=True)
    )
    for row in present:
        if row.frontend_id == frontend.pk and row.host not in public:
            return row.host
    return next(free_addresses(downwards=True), None)


def _stays(row: PublishedPort, found: Finding) -> bool:
    """Whether a number is still allowed, and the asked one wherever that can be had."""
    return found.allows(row.number) and (row.number == row.port or not found.allows(row.port))


def _add(missing: list[tuple[int, int]], hosts: dict[int, str], found: Finding) -> None:
    rows = PublishedPort.objects.filter(host__in=set(hosts.values()))
    taken = {(row.host, row.number) for row in rows}
    for frontend, port in missing:
        host = hosts[frontend]
        for number in _numbers(port):
            if not found.allows(number) or (host, number) in taken:
                continue
            taken.add((host, number))
            PublishedPort.objects.create(frontend_id=frontend, host=host, port=port, number=number)
            break


def _numbers(port: int) -> Iterator[int]:
    """Numbers to try for a port, the best first."""
    yield port
    first = port + SHIFT if port + SHIFT <= _HIGHEST else port
    yield from range(first, _HIGHEST + 1)
    yield from range(1, first)
