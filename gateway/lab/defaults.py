"""The application gateway that a sandbox begins with: the classic default objects, HTTP on 80."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.lab.scenarios import BY_ID
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    FrontendIPConfiguration,
    FrontendPort,
    GatewayIPConfiguration,
    HttpListener,
    PublicIPAddress,
    RequestRoutingRule,
    ResourceGroup,
    Sku,
    Subnet,
    Tier,
)
from gateway.operations import store

GATEWAY = "myAppGateway"


@dataclass(frozen=True, slots=True)
class Generation:
    """One of the two gateways of a sandbox; ``priority`` is the rule's, which v1 has none of."""

    group: str
    sku: Sku
    tier: Tier
    address_sku: PublicIPAddress.Sku
    priority: int | None


V2 = Generation(
    "myResourceGroupAG", Sku.STANDARD_V2, Tier.STANDARD_V2, PublicIPAddress.Sku.STANDARD, 100
)
V1 = Generation(
    "myResourceGroupAG-v1", Sku.STANDARD_MEDIUM, Tier.STANDARD, PublicIPAddress.Sku.BASIC, None
)


def write_gateway(
    generation: Generation, group: ResourceGroup, subnet: Subnet, address: PublicIPAddress
) -> ApplicationGateway:
    """Store the gateway and its objects; only inside a ``write`` callback.

    The names are those that the classic portal gave (Application Gateway configuration overview,
    2019). The pool holds the full-chain lab server, so that switching to HTTPS has an effect.
    """
    gateway = ApplicationGateway(
        group=group,
        name=GATEWAY,
        location=group.location,
        sku_name=generation.sku,
        sku_tier=generation.tier,
        capacity=2,
    )
    store(gateway)
    store(GatewayIPConfiguration(gateway=gateway, name="appGatewayIpConfig", subnet=subnet))
    frontend = FrontendIPConfiguration(
        gateway=gateway, name="appGatewayFrontendIP", public_ip_address=address
    )
    port = FrontendPort(gateway=gateway, name="appGatewayFrontendPort", port=80)
    pool = BackendAddressPool(gateway=gateway, name="appGatewayBackendPool")
    settings = BackendHttpSettings(gateway=gateway, name="appGatewayBackendHttpSettings")
    for row in (frontend, port, pool, settings):
        store(row)
    store(BackendAddress(pool=pool, fqdn=BY_ID["full-chain"].fqdn))
    listener = HttpListener(
        gateway=gateway,
        name="appGatewayHttpListener",
        frontend_ip_configuration=frontend,
        frontend_port=port,
    )
    store(listener)
    store(
        RequestRoutingRule(
            gateway=gateway,
            name="rule1",
            priority=generation.priority,
            http_listener=listener,
            backend_address_pool=pool,
            backend_http_settings=settings,
        )
    )
    return gateway
