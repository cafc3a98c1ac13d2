"""The targets of a backend pool: what the lab offers, how one is read, how they are stored."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from gateway.lab.answer_scenarios import DNS_SERVERS
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    GatewayIPConfiguration,
    LabServer,
    Subnet,
    TargetKind,
)
from gateway.models.fields import validate_domain_name
from gateway.operations import remove, store

# Lab servers that are no backends.
NO_TARGETS = [one.id for one in DNS_SERVERS]
SIMULATED = (TargetKind.VIRTUAL_MACHINE, TargetKind.SCALE_SET, TargetKind.APP_SERVICE)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the lab of a gateway's virtual network offers as targets.

    ``choices`` holds (target, label) of each simulated kind, ``names`` the names of plain servers.
    """

    choices: dict[TargetKind, list[tuple[str, str]]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def entries(self, kind: TargetKind) -> list[tuple[str, str]]:
        """The entries of the drop-down of a simulated kind."""
        choices = self.choices[kind]
        # It names the kind: where no script runs, the boxes of all kinds stand side by side.
        return [("", f"{kind.label} …" if choices else f"{kind.label}: none in the lab"), *choices]


def offer(gateway: ApplicationGateway, stored: Iterable[BackendAddress]) -> Offer:
    """The lab servers that may be chosen, and what is ``stored`` though its server is gone."""
    subnets = GatewayIPConfiguration.objects.filter(gateway=gateway).values("subnet_id")
    networks = Subnet.objects.filter(pk__in=subnets).values("virtual_network_id")
    found = Offer({kind: [] for kind in SIMULATED})
    labels: dict[tuple[TargetKind, str], list[str]] = {}
    servers = LabServer.objects.filter(virtual_network_id__in=networks)
    for server in servers.exclude(scenario__in=NO_TARGETS):
        kind = TargetKind(server.kind)
        if kind == TargetKind.ADDRESS:
            found.names.append(server.fqdn)
            continue
        # One address may serve several ports, each a server of its own: one target all the same.
        target = server.fqdn if kind == TargetKind.APP_SERVICE else server.address
        labels.setdefault((kind, target), []).append(server.name)
    for (kind, target), names in labels.items():
        found.choices[kind].append((target, f"{', '.join(names)} – {target} (simulated)"))
    for address in stored:
        kind = TargetKind(address.kind)
        if kind in found.choices and (kind, address.target) not in labels:
            found.choices[kind].append((address.target, f"{address.target} (not in the lab)"))
            labels[kind, address.target] = []
    return found


def read_target(text: str) -> str:
    """An IP address in its shortest form, or a host name; raises ``ValidationError``."""
    try:
        if "%" not in text:
            return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    if "://" in text or "/" in text:
        raise ValidationError(
            f"“{text}” is more than a target: leave out the scheme and the path.",
            code="target-invalid",
        )
    name, _, port = text.rpartition(":")
    if name and port.isdigit():
        raise ValidationError(
            f"“{text}” names a port: enter “{name}” and choose the port in the HTTP setting.",
            code="target-invalid",
        )
    # No top-level domain is a number, so this was meant as an address.
    if text.rstrip(".").rpartition(".")[2].isdigit():
        raise ValidationError(f"“{text}” is not an IP address.", code="target-invalid")
    validate_domain_name(text)
    return text


def is_address(target: str) -> bool:
    try:
        ipaddress.ip_address(target)
    except ValueError:
        return False
    return True


def write_targets(pool: BackendAddressPool, wanted: Iterable[tuple[str, str]]) -> None:
    """Make (kind, target) pairs the targets of ``pool``; a known target keeps its row."""
    present: dict[str, list[BackendAddress]] = {}
    for address in BackendAddress.objects.filter(pool=pool):
        present.setdefault(address.target.lower(), []).append(address)
    for position, (kind, target) in enumerate(wanted):
        known = present.get(target.lower())
        row = known.pop(0) if known else BackendAddress(pool=pool)
        before = (row.pk, row.kind, row.target, row.position)
        row.kind, row.position = kind, position
        row.ip_address = target if is_address(target) else None
        row.fqdn = "" if row.ip_address else target
        if (row.pk, kind, target, position) != before or row.pk is None:
            store(row)
    for rows in present.values():
        for row in rows:
            remove(row)
