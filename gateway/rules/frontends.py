"""Where a gateway stands and listens: its subnets, addresses and ports."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator

from gateway.models import (
    ApplicationGateway,
    FrontendIPConfiguration,
    FrontendPort,
    GatewayIPConfiguration,
    LoadedGateway,
    PublicIPAddress,
    Subnet,
)
from gateway.problems import Problem, declare
from gateway.rules.fields import PORT_INVALID
from gateway.rules.words import about, called, named

_ADDRESSES = "Application Gateway frontend IP address configuration article"
_NETWORK = "Application Gateway infrastructure configuration article"

SUBNET_MISSING = declare(
    "subnet-missing",
    title="The gateway has no subnet to stand in",
    why="A gateway's instances live in a subnet of a virtual network; from there they reach the "
    "backend servers.",
    remedy="Choose a virtual network and a subnet for the gateway.",
    source=_NETWORK,
    arm_code="SubnetIsRequired",
)
SUBNETS_APART = declare(
    "subnets-apart",
    title="The gateway would stand in two virtual networks",
    why="All of a gateway lies in one virtual network, its private frontend address included.",
    remedy="Choose subnets of the same virtual network.",
    source=_NETWORK,
)
REGION_DIFFERS = declare(
    "region-differs",
    title="The gateway and its network are in different regions",
    why="The virtual network and the public IP address of a gateway are in the gateway's region.",
    remedy="Choose a network and an address of the same region, or create the gateway there.",
    source="Quickstart: create an application gateway in the portal",
    arm_code="InvalidResourceReference",
)
ADDRESS_MISSING = declare(
    "frontend-address-missing",
    title="The frontend has no address",
    why="Clients reach a gateway at a public IP address or at a private address of its subnet.",
    remedy="Choose a public IP address, or a subnet for a private address.",
    source=_ADDRESSES,
    arm_code="ApplicationGatewayFrontendIpBothPublicIpAddressAndSubnetCannotBeNull",
)
ADDRESS_BOTH = declare(
    "frontend-address-both",
    title="The frontend has two addresses",
    why="One frontend IP configuration has a public or a private address. A gateway that is "
    "reached from both sides has two of them.",
    remedy="Keep one address here and add a second frontend IP configuration for the other.",
    source=_ADDRESSES,
)
ADDRESS_DYNAMIC = declare(
    "frontend-private-dynamic",
    title="A private address on v2 is a fixed one",
    why="A v2 gateway keeps its addresses for life; an address picked by the network is possible "
    "on v1 only.",
    remedy="Choose Static and enter an address of the subnet.",
    source=_ADDRESSES,
    arm_code="ApplicationGatewayFrontendIpPrivateIpAddressInvalidAllocationType",
)
ADDRESS_OUTSIDE = declare(
    "frontend-private-outside",
    title="The private address is not in the subnet",
    why="A fixed private address is a free address of the subnet that the frontend names.",
    remedy="Enter an address of the subnet.",
    source=_ADDRESSES,
)
ADDRESS_SEVERAL = declare(
    "frontend-address-several",
    title="The gateway has two addresses of one kind",
    why="A gateway has at most one public and one private address.",
    remedy="Remove one of the two frontends.",
    source=_ADDRESSES,
)
ADDRESS_SKU = declare(
    "public-address-sku",
    title="The public IP address is of the wrong SKU",
    why="A v2 gateway takes public IP addresses of the SKU Standard only.",
    remedy="Create a public IP address with the SKU Standard.",
    source=_ADDRESSES,
    arm_code="ApplicationGatewayInvalidPublicIpSku",
)
PUBLIC_MISSING = declare(
    "public-address-missing",
    title="A v2 gateway needs a public address",
    why="Without a public frontend a v2 gateway can only be had with network isolation, which is "
    "not built here. On v1 a private address alone is enough.",
    remedy="Add a frontend with a public IP address; listeners may still use the private one.",
    source=_ADDRESSES,
    arm_code="ApplicationGatewayFeatureCannotBeEnabledForSelectedSku",
)
PORT_DUPLICATE = declare(
    "frontend-port-duplicate",
    severity="warning",
    title="Two frontend ports have one number",
    why="Listeners that share a port number compete for the same connections, whichever of the "
    "two port objects they name.",
    remedy="Let the listeners share one frontend port and remove the other.",
    source="Application Gateway components article",
)

# Above these the infrastructure's own ports begin: 65503-65534 on v1, 65200-65535 on v2.
HIGHEST_PORT = {"v1": 65502, "v2": 65199}


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    yield from _subnets(loaded)
    yield from _ports(loaded)
    yield from _addresses(loaded)


def _region(name: str) -> str:
    return name.replace(" ", "").lower()


def _subnets(loaded: LoadedGateway) -> Iterator[Problem]:
    gateway, network = loaded.gateway, loaded.virtual_network
    for configuration in loaded.gateway_ip_configurations:
        subnet = configuration.subnet
        if subnet is None:
            message = f"{called(configuration)} names no subnet."
            yield about(SUBNET_MISSING, configuration, message, "subnet")
        else:
            yield from _in_network(loaded, configuration, subnet)
    if network is not None and _region(network.location) != _region(gateway.location):
        yield about(
            REGION_DIFFERS,
            loaded.gateway_ip_configurations[0],
            f"The virtual network “{network.name}” is in {network.location}, "
            f"gateway “{gateway.name}” in {gateway.location}.",
            "subnet",
        )


def _in_network(
    loaded: LoadedGateway, row: GatewayIPConfiguration | FrontendIPConfiguration, subnet: Subnet
) -> Iterator[Problem]:
    network = loaded.virtual_network
    if network is not None and subnet.virtual_network_id != network.pk:
        yield about(
            SUBNETS_APART,
            row,
            f"{called(row)} is in the virtual network “{subnet.virtual_network.name}”, the "
            f"gateway in “{network.name}”.",
            "subnet",
        )


def _ports(loaded: LoadedGateway) -> Iterator[Problem]:
    generation = loaded.gateway.generation_label
    highest = HIGHEST_PORT[generation]
    first: dict[int, FrontendPort] = {}
    for port in loaded.frontend_ports:
        if not 1 <= port.port <= highest:
            message = (
                f"{called(port)} has the number {port.port}; listeners of a {generation} gateway "
                f"use 1 to {highest}."
            )
            yield about(PORT_INVALID, port, message, "port")
        other = first.setdefault(port.port, port)
        if other is not port:
            message = f"{called(port)} has the number {port.port}, as has {named(other)}."
            yield about(PORT_DUPLICATE, port, message, "port")


def _addresses(loaded: LoadedGateway) -> Iterator[Problem]:
    gateway = loaded.gateway
    kinds: dict[tuple[str, int], list[FrontendIPConfiguration]] = defaultdict(list)
    for row in loaded.frontend_ip_configurations:
        public, subnet = row.public_ip_address, row.subnet
        if public is None and subnet is None:
            message = f"{called(row)} has neither a public IP address nor a subnet."
            yield about(ADDRESS_MISSING, row, message, "public_ip_address")
            continue
        if public is not None and subnet is not None:
            message = f"{called(row)} has both a public IP address and a subnet."
            yield about(ADDRESS_BOTH, row, message, "subnet")
        if public is not None:
            kinds["public", ipaddress.ip_address(public.address).version].append(row)
            yield from _public(gateway, row, public)
        elif subnet is not None:
            kinds["private", _version(row)].append(row)
            yield from _in_network(loaded, row, subnet)
            yield from _private(gateway, row, subnet)
    for (kind, _), rows in kinds.items():
        for row in rows[1:]:
            message = f"{called(row)} is {kind}, and so is {named(rows[0])}."
            yield about(ADDRESS_SEVERAL, row, message)
    if kinds and not gateway.is_v1 and not any(kind == "public" for kind, _ in kinds):
        yield about(
            PUBLIC_MISSING,
            loaded.frontend_ip_configurations[0],
            f"Gateway “{gateway.name}” of the tier {gateway.sku_tier} has a private frontend only; "
            "that is possible in the tiers Standard and WAF.",
            "public_ip_address",
        )


def _version(row: FrontendIPConfiguration) -> int:
    return 6 if ":" in (row.private_ip_address or "") else 4


def _public(
    gateway: ApplicationGateway, row: FrontendIPConfiguration, public: PublicIPAddress
) -> Iterator[Problem]:
    if not gateway.is_v1 and public.sku != PublicIPAddress.Sku.STANDARD:
        message = (
            f"{called(row)} uses the public IP address “{public.name}” of the SKU {public.sku}; "
            f"the tier {gateway.sku_tier} needs Standard."
        )
        yield about(ADDRESS_SKU, row, message, "public_ip_address")
    if _region(public.location) != _region(gateway.location):
        message = (
            f"The public IP address “{public.name}” is in {public.location}, "
            f"gateway “{gateway.name}” in {gateway.location}."
        )
        yield about(REGION_DIFFERS, row, message, "public_ip_address")


def _private(
    gateway: ApplicationGateway, row: FrontendIPConfiguration, subnet: Subnet
) -> Iterator[Problem]:
    static = row.private_ip_allocation_method == FrontendIPConfiguration.Allocation.STATIC
    if not static and not gateway.is_v1:
        message = (
            f"{called(row)} has a private address that is assigned dynamically; the tier "
            f"{gateway.sku_tier} needs a static one."
        )
        yield about(ADDRESS_DYNAMIC, row, message, "private_ip_allocation_method")
    elif static and not row.private_ip_address:
        message = f"{called(row)} has a static private address, but none is given."
        yield about(ADDRESS_OUTSIDE, row, message, "private_ip_address")
    if row.private_ip_address and not _within(row.private_ip_address, subnet.address_prefix):
        message = (
            f"{called(row)} has the private address {row.private_ip_address}, which is not in "
            f"the subnet “{subnet.name}” ({subnet.address_prefix})."
        )
        yield about(ADDRESS_OUTSIDE, row, message, "private_ip_address")


def _within(address: str, prefix: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return False
