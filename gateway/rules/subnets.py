"""What a gateway's subnet may have in its way."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.models import LoadedGateway, SimulatedCause
from gateway.problems import Problem, declare
from gateway.rules.words import about

MANAGEMENT_BLOCKED = declare(
    "subnet-management-blocked",
    title="A network security group keeps the gateway's management out",
    why="The platform manages a v2 gateway through the ports 65200 to 65535 of its subnet. A "
    "network security group that blocks them is refused as soon as a v2 gateway stands in the "
    "subnet; a v1 gateway only loses its health report (its ports are 65503 to 65534). Here the "
    "security group is a simulated one, a switch of the subnet.",
    remedy="Switch the simulated network security group off at the subnet of the virtual network, "
    "or try it with the subnet of a v1 gateway. In the cloud: let the service tag GatewayManager "
    "in on these ports.",
    source="HTTP 502 troubleshooting guide for Application Gateway",
    arm_code="ApplicationGatewaySubnetInboundTrafficBlockedByNetworkSecurityGroup",
)


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    if loaded.is_v1:
        return
    for row in loaded.gateway_ip_configurations:
        subnet = row.subnet
        if subnet is not None and subnet.simulated_cause == SimulatedCause.NSG:
            message = (
                f"The simulated network security group of the subnet “{subnet.name}” blocks the "
                f"ports 65200 to 65535, by which the v2 gateway “{loaded.gateway.name}” is managed."
            )
            yield about(MANAGEMENT_BLOCKED, row, message, "subnet")
