"""Backend pools, HTTP settings and probes."""

from __future__ import annotations

from gateway.document.shapes import (
    Shape,
    choice,
    flag,
    group,
    ignored,
    items,
    kept,
    number,
    reference,
    references,
    text,
    texts,
)
from gateway.models import (
    Affinity,
    AuthenticationCertificate,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    Probe,
    Protocol,
    TrustedRootCertificate,
)

BACKEND_ADDRESSES = Shape(
    "backendAddresses",
    (text("fqdn", "fqdn"), text("ipAddress", "ip_address")),
    BackendAddress,
    wrapped=False,
    named=False,
    link="pool",
    noun="backend target",
)
BACKEND_ADDRESS_POOLS = Shape(
    BackendAddressPool.collection,
    (
        items("backendAddresses", "addresses", BACKEND_ADDRESSES, always=True),
        *ignored("backendIPConfigurations"),
    ),
    BackendAddressPool,
    noun=BackendAddressPool.noun,
)
PROBES = Shape(
    Probe.collection,
    (
        choice("protocol", "protocol", Protocol),
        text("host", "host"),
        text("path", "path"),
        number("interval", "interval"),
        number("timeout", "timeout"),
        number("unhealthyThreshold", "unhealthy_threshold"),
        flag("pickHostNameFromBackendHttpSettings", "pick_host_name_from_settings"),
        number("minServers", "min_servers"),
        group(
            "match",
            text("body", "match_body"),
            texts("statusCodes", "match_status_codes"),
        ),
        number("port", "port"),
        *kept("pickHostNameFromBackendSettings", "enableProbeProxyProtocolHeader"),
    ),
    Probe,
    noun=Probe.noun,
)
BACKEND_HTTP_SETTINGS = Shape(
    BackendHttpSettings.collection,
    (
        number("port", "port", required=True),
        choice("protocol", "protocol", Protocol),
        choice("cookieBasedAffinity", "cookie_based_affinity", Affinity),
        text("affinityCookieName", "affinity_cookie_name"),
        group(
            "connectionDraining",
            flag("enabled", "connection_draining_enabled"),
            number("drainTimeoutInSec", "drain_timeout"),
        ),
        text("hostName", "host_name"),
        flag("pickHostNameFromBackendAddress", "pick_host_name_from_backend_address"),
        text("path", "path"),
        number("requestTimeout", "request_timeout"),
        flag("probeEnabled", "probe_enabled"),
        reference("probe", "probe", Probe.collection),
        references(
            "authenticationCertificates",
            "authentication_links",
            AuthenticationCertificate.collection,
        ),
        references("trustedRootCertificates", "root_links", TrustedRootCertificate.collection),
        flag("dedicatedBackendConnection", "dedicated_backend_connection"),
        flag("validateCertChainAndExpiry", "validate_cert_chain_and_expiry"),
        flag("validateSNI", "validate_sni"),
        text("sniName", "sni_name"),
    ),
    BackendHttpSettings,
    noun=BackendHttpSettings.noun,
)
