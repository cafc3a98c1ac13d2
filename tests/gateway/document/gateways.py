"""Gateways with something in every collection, and the documents to go with them."""

from __future__ import annotations

import copy
from typing import Any

from gateway.models import (
    ApplicationGateway,
    BackendAddressPool,
    FrontendIPConfiguration,
    ResourceGroup,
    Subnet,
)
from tests import factories as make

GATEWAY_ID = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg1"
    "/providers/Microsoft.Network/applicationGateways/gw1"
)
SUBNET_ID = GATEWAY_ID.replace("applicationGateways/gw1", "virtualNetworks/vnet1/subnets/appgw")
ADDRESS_ID = GATEWAY_ID.replace("applicationGateways/gw1", "publicIPAddresses/pip1")


def rich_v2(group: ResourceGroup | None = None) -> ApplicationGateway:
    """A v2 gateway that uses every collection and every kind of member."""
    gateway = make.v2_gateway(
        group,
        tags={"env": "test"},
        zones=["1", "2"],
        enable_http2=True,
        capacity=None,
        autoscale_min_capacity=1,
        autoscale_max_capacity=5,
        ssl_policy_type="Predefined",
        ssl_policy_name="AppGwSslPolicy20220101",
    )
    root = make.add_root(gateway, "root1")
    certificate = make.add_ssl_certificate(gateway, "site")
    authority = make.add_client_authority(gateway, "clients")
    profile = make.add_profile(gateway, "strict", authority, verify_client_cert_issuer_dn=True)
    probe = make.add_probe(
        gateway,
        "deep",
        protocol="Https",
        path="/health",
        timeout=20,
        match_status_codes=["200-399", "418"],
        match_body="fine",
        port=8443,
    )
    settings = make.add_settings(
        gateway,
        "tls",
        roots=[root],
        protocol="Https",
        host_name="backend.contoso.test",
        probe=probe,
        connection_draining_enabled=True,
        drain_timeout=60,
    )
    pool = make.add_pool(gateway, "pool2", "10.0.1.4", "backend.contoso.test")
    listener = make.add_listener(
        gateway,
        "secure",
        port=443,
        protocol="Https",
        ssl_certificate=certificate,
        ssl_profile=profile,
        host_names=["www.contoso.com", "*.contoso.org"],
    )
    make.add_custom_error(gateway, "HttpStatus502", "https://pages.contoso.com/502.htm", listener)
    make.add_custom_error(gateway, "HttpStatus403", "https://pages.contoso.com/403.htm")
    # A redirect may not lead to a listener with several host names.
    single = make.add_listener(gateway, "single", port=8081, host_name="one.contoso.com")
    rewrites = make.add_rewrite_set(gateway, "headers")
    redirect = make.add_redirect(
        gateway,
        "up",
        target_listener=single,
        target_url="",
        include_path=True,
        include_query_string=True,
    )
    sites = make.add_path_map(gateway, "sites", {"images": ["/images/*"], "old": ["/old/*"]})
    make.change(sites, rewrite_rule_set=rewrites)
    old = sites.path_rules.get(name="old")
    make.change(
        old,
        redirect_configuration=redirect,
        backend_address_pool=None,
        backend_http_settings=None,
    )
    make.add_rule(gateway, "secured", listener, pool, settings, priority=200)
    make.add_rule(gateway, "singled", single, priority=250)
    plain = make.add_listener(gateway, "paths", port=8080)
    make.add_rule(gateway, "by-path", plain, url_path_map=sites, priority=300)
    return gateway


def rich_v1(group: ResourceGroup | None = None) -> ApplicationGateway:
    """A v1 gateway with an allow-listed backend and an HTTPS listener."""
    gateway = make.v1_gateway(group)
    certificate = make.add_ssl_certificate(gateway, "site")
    allowed = make.add_authentication_certificate(gateway, "backend")
    settings = make.add_settings(
        gateway, "tls", authentication=[allowed], protocol="Https", host_name="www.contoso.com"
    )
    listener = make.add_listener(
        gateway,
        "secure",
        port=443,
        protocol="Https",
        ssl_certificate=certificate,
        host_name="www.contoso.com",
        require_server_name_indication=True,
    )
    pool = make.find(gateway, BackendAddressPool, make.POOL)
    make.add_rule(gateway, "secured", listener, pool, settings)
    return gateway


def private_frontend(gateway: ApplicationGateway) -> FrontendIPConfiguration:
    subnet = Subnet.objects.filter(virtual_network__group=gateway.group).first()
    return make.add(
        gateway,
        FrontendIPConfiguration,
        "private",
        subnet=subnet,
        private_ip_address="10.0.0.10",
        private_ip_allocation_method="Static",
    )


def minimal(**properties: Any) -> dict[str, Any]:
    """A small v2 document, as the Python SDK sends it."""

    def child(collection: str, name: str) -> dict[str, str]:
        return {"id": f"{GATEWAY_ID}/{collection}/{name}"}

    body: dict[str, Any] = {
        "location": "westus",
        "properties": {
            "sku": {"name": "Standard_v2", "tier": "Standard_v2", "capacity": 1},
            "gatewayIPConfigurations": [
                {"name": "gip", "properties": {"subnet": {"id": SUBNET_ID}}}
            ],
            "frontendIPConfigurations": [
                {"name": "fip", "properties": {"publicIPAddress": {"id": ADDRESS_ID}}}
            ],
            "frontendPorts": [{"name": "p80", "properties": {"port": 80}}],
            "backendAddressPools": [
                {"name": "bp", "properties": {"backendAddresses": [{"ipAddress": "127.0.0.1"}]}}
            ],
            "backendHttpSettingsCollection": [
                {
                    "name": "hs",
                    "properties": {
                        "port": 80,
                        "protocol": "Http",
                        "cookieBasedAffinity": "Disabled",
                    },
                }
            ],
            "httpListeners": [
                {
                    "name": "l",
                    "properties": {
                        "frontendIPConfiguration": child("frontendIPConfigurations", "fip"),
                        "frontendPort": child("frontendPorts", "p80"),
                        "protocol": "Http",
                    },
                }
            ],
            "requestRoutingRules": [
                {
                    "name": "r",
                    "properties": {
                        "ruleType": "Basic",
                        "priority": 10,
                        "httpListener": child("httpListeners", "l"),
                        "backendAddressPool": child("backendAddressPools", "bp"),
                        "backendHttpSettings": child("backendHttpSettingsCollection", "hs"),
                    },
                }
            ],
        },
    }
    body["properties"] |= properties
    return copy.deepcopy(body)
