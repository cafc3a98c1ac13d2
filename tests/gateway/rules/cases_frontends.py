"""Subnets, addresses, ports, and what a gateway cannot be without."""

from __future__ import annotations

from gateway.models import (
    ApplicationGateway,
    BackendAddressPool,
    FrontendIPConfiguration,
    FrontendPort,
    GatewayIPConfiguration,
    HttpListener,
    PublicIPAddress,
    RequestRoutingRule,
    Subnet,
    VirtualNetwork,
    writing,
)
from tests import factories as make
from tests.factories import FRONTEND_IP, FRONTEND_PORT, GATEWAY_IP, v1_gateway, v2_gateway
from tests.gateway.rules.tables import raises


def subnet(gateway: ApplicationGateway) -> Subnet:
    network = VirtualNetwork.objects.get(group=gateway.group, name="myVNet")
    return Subnet.objects.get(virtual_network=network, name="myAGSubnet")


def private(gateway: ApplicationGateway, **fields: object) -> ApplicationGateway:
    make.add(gateway, FrontendIPConfiguration, "inside", **{"subnet": subnet(gateway), **fields})
    return gateway


@raises("collection-empty", "requestRoutingRules", says=("no rule",))
def a_gateway_without_a_rule() -> ApplicationGateway:
    gateway = v2_gateway()
    make.delete(make.find(gateway, RequestRoutingRule, make.RULE))
    return gateway


@raises("collection-empty", "backendAddressPools", also=("rule-reference-missing",))
def a_gateway_without_a_pool() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(make.find(gateway, RequestRoutingRule, make.RULE), backend_address_pool=None)
    make.delete(make.find(gateway, BackendAddressPool, make.POOL))
    return gateway


@raises("collection-empty", "gatewayIPConfigurations")
def a_gateway_without_a_place() -> ApplicationGateway:
    gateway = v1_gateway()
    make.delete(make.find(gateway, GatewayIPConfiguration, GATEWAY_IP))
    return gateway


@raises("subnet-missing", "gatewayIPConfigurations", GATEWAY_IP, "subnet", code="SubnetIsRequired")
def a_place_without_a_subnet() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(make.find(gateway, GatewayIPConfiguration, GATEWAY_IP), subnet=None)
    return gateway


@raises(
    "subnet-management-blocked",
    "gatewayIPConfigurations",
    GATEWAY_IP,
    "subnet",
    says=("myAGSubnet", "simulated"),
    code="ApplicationGatewaySubnetInboundTrafficBlockedByNetworkSecurityGroup",
)
def a_v2_gateway_behind_a_blocking_security_group() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(subnet(gateway), simulated_cause="U-NSG")
    return gateway


@raises("subnets-apart", "gatewayIPConfigurations", "second", "subnet", says=("other",))
def a_gateway_in_two_networks() -> ApplicationGateway:
    gateway = v2_gateway()
    other = make.make_network(gateway.group, "other")
    make.add(gateway, GatewayIPConfiguration, "second", subnet=other.subnets.first())
    return gateway


@raises("subnets-apart", "frontendIPConfigurations", "inside", "subnet")
def a_private_frontend_in_another_network() -> ApplicationGateway:
    gateway = v1_gateway()
    other = make.make_network(gateway.group, "other")
    return private(gateway, subnet=other.subnets.first())


@raises(
    "region-differs",
    "gatewayIPConfigurations",
    GATEWAY_IP,
    "subnet",
    says=("eastus", "westus"),
    code="InvalidResourceReference",
)
def a_network_of_another_region() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(VirtualNetwork.objects.get(group=gateway.group), location="eastus")
    return gateway


@raises(
    "region-differs",
    "frontendIPConfigurations",
    FRONTEND_IP,
    "public_ip_address",
    code="InvalidResourceReference",
)
def a_public_address_of_another_region() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(PublicIPAddress.objects.get(group=gateway.group), location="eastus")
    return gateway


@raises(
    "frontend-address-missing",
    "frontendIPConfigurations",
    "nowhere",
    "public_ip_address",
    code="ApplicationGatewayFrontendIpBothPublicIpAddressAndSubnetCannotBeNull",
)
def a_frontend_without_an_address() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add(gateway, FrontendIPConfiguration, "nowhere")
    return gateway


@raises("frontend-address-both", "frontendIPConfigurations", FRONTEND_IP, "subnet")
def a_frontend_with_two_addresses() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(make.find(gateway, FrontendIPConfiguration, FRONTEND_IP), subnet=subnet(gateway))
    return gateway


@raises(
    "frontend-private-dynamic",
    "frontendIPConfigurations",
    "inside",
    "private_ip_allocation_method",
    code="ApplicationGatewayFrontendIpPrivateIpAddressInvalidAllocationType",
)
def a_dynamic_private_address_on_v2() -> ApplicationGateway:
    return private(v2_gateway())


@raises("frontend-private-outside", "frontendIPConfigurations", "inside", "private_ip_address")
def a_static_private_address_that_is_not_given() -> ApplicationGateway:
    return private(v2_gateway(), private_ip_allocation_method="Static")


@raises(
    "frontend-private-outside",
    "frontendIPConfigurations",
    "inside",
    "private_ip_address",
    says=("10.9.9.9", "10.0.0.0/24"),
)
def a_private_address_outside_its_subnet() -> ApplicationGateway:
    return private(
        v2_gateway(), private_ip_address="10.9.9.9", private_ip_allocation_method="Static"
    )


@raises("frontend-address-several", "frontendIPConfigurations", "second", says=("public",))
def two_public_addresses() -> ApplicationGateway:
    gateway = v2_gateway()
    address = make.make_public_address(gateway.group, "second")
    make.add(gateway, FrontendIPConfiguration, "second", public_ip_address=address)
    return gateway


@raises(
    "public-address-sku",
    "frontendIPConfigurations",
    FRONTEND_IP,
    "public_ip_address",
    code="ApplicationGatewayInvalidPublicIpSku",
)
def a_basic_address_on_v2() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(PublicIPAddress.objects.get(group=gateway.group), sku="Basic")
    return gateway


@raises(
    "public-address-missing",
    "frontendIPConfigurations",
    FRONTEND_IP,
    "public_ip_address",
    code="ApplicationGatewayFeatureCannotBeEnabledForSelectedSku",
)
def a_v2_gateway_with_a_private_address_alone() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(
        make.find(gateway, FrontendIPConfiguration, FRONTEND_IP),
        public_ip_address=None,
        subnet=subnet(gateway),
        private_ip_address="10.0.0.10",
        private_ip_allocation_method="Static",
    )
    return gateway


@raises(
    "frontend-port-invalid",
    "frontendPorts",
    "high",
    "port",
    says=("65200", "1 to 65199"),
    code="ApplicationGatewayFrontendPortInvalidPortNumber",
)
def a_port_of_the_infrastructure_on_v2() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add(gateway, FrontendPort, "high", port=65200)
    return gateway


@raises(
    "frontend-port-invalid",
    "frontendPorts",
    "high",
    "port",
    says=("65503", "1 to 65502"),
    code="ApplicationGatewayFrontendPortInvalidPortNumber",
)
def a_port_of_the_infrastructure_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    make.add(gateway, FrontendPort, "high", port=65503)
    return gateway


@raises("frontend-port-duplicate", "frontendPorts", "again", "port", says=(FRONTEND_PORT,))
def two_ports_of_one_number() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add(gateway, FrontendPort, "again", port=80)
    return gateway


def many(gateway: ApplicationGateway, model: type, count: int, **fields: object) -> None:

    with writing():
        model.objects.bulk_create(
            model(gateway=gateway, name=f"extra{number}", **fields) for number in range(count)
        )


@raises(
    "collection-full",
    "backendAddressPools",
    says=("101", "100"),
    code="ApplicationGatewayBackendAddressPoolLimitReached",
)
def a_hundred_and_one_pools() -> ApplicationGateway:
    gateway = v2_gateway()
    many(gateway, BackendAddressPool, 100)
    return gateway


@raises("collection-full", "httpListeners", says=("201 listeners", "200"))
def two_hundred_and_one_listeners() -> ApplicationGateway:
    gateway = v2_gateway()

    listener = make.find(gateway, HttpListener, make.LISTENER)
    with writing():
        HttpListener.objects.bulk_create(
            HttpListener(
                gateway=gateway,
                name=f"extra{number}",
                host_name=f"site{number}.contoso.com",
                frontend_port=listener.frontend_port,
                frontend_ip_configuration=listener.frontend_ip_configuration,
            )
            for number in range(200)
        )
    return gateway
