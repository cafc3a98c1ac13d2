"""Where a gateway stands and listens: IP configurations, ports, listeners, error pages."""

from __future__ import annotations

from gateway.document.shapes import (
    Shape,
    choice,
    external,
    flag,
    items,
    kept,
    number,
    reference,
    text,
    texts,
)
from gateway.models import (
    CustomError,
    FrontendIPConfiguration,
    FrontendPort,
    GatewayIPConfiguration,
    HttpListener,
    Protocol,
    SslCertificate,
    SslProfile,
)

SUBNET = "virtualNetworks/subnets"
PUBLIC_IP_ADDRESS = "publicIPAddresses"
STATUS_CODES = tuple(f"HttpStatus{code}" for code in (400, 403, 404, 405, 408, 500, 502, 503, 504))

GATEWAY_IP_CONFIGURATIONS = Shape(
    GatewayIPConfiguration.collection,
    (external("subnet", "subnet", SUBNET),),
    GatewayIPConfiguration,
    noun=GatewayIPConfiguration.noun,
)
FRONTEND_IP_CONFIGURATIONS = Shape(
    FrontendIPConfiguration.collection,
    (
        text("privateIPAddress", "private_ip_address"),
        choice(
            "privateIPAllocationMethod",
            "private_ip_allocation_method",
            FrontendIPConfiguration.Allocation,
        ),
        external("subnet", "subnet", SUBNET),
        external("publicIPAddress", "public_ip_address", PUBLIC_IP_ADDRESS),
        *kept("privateLinkConfiguration"),
    ),
    FrontendIPConfiguration,
    noun=FrontendIPConfiguration.noun,
)
FRONTEND_PORTS = Shape(
    FrontendPort.collection,
    (number("port", "port", required=True),),
    FrontendPort,
    noun=FrontendPort.noun,
)
CUSTOM_ERRORS = Shape(
    "customErrorConfigurations",
    (
        choice("statusCode", "status_code", STATUS_CODES, closed=False, required=True),
        text("customErrorPageUrl", "page_url"),
    ),
    CustomError,
    wrapped=False,
    named=False,
    link="listener",
    noun="custom error page",
)
HTTP_LISTENERS = Shape(
    HttpListener.collection,
    (
        reference(
            "frontendIPConfiguration",
            "frontend_ip_configuration",
            FrontendIPConfiguration.collection,
        ),
        reference("frontendPort", "frontend_port", FrontendPort.collection),
        choice("protocol", "protocol", Protocol),
        text("hostName", "host_name"),
        texts("hostNames", "host_names", always=True),
        reference("sslCertificate", "ssl_certificate", SslCertificate.collection),
        reference("sslProfile", "ssl_profile", SslProfile.collection),
        flag("requireServerNameIndication", "require_server_name_indication"),
        items("customErrorConfigurations", "custom_errors", CUSTOM_ERRORS),
        *kept("firewallPolicy"),
    ),
    HttpListener,
    noun=HttpListener.noun,
)
