"""What the advisor finds on gateways that are allowed to be as they are."""

from __future__ import annotations

from datetime import timedelta

from certificates.x509.issuing import issue
from gateway.models import ApplicationGateway, RequestRoutingRule
from tests import factories as make
from tests.factories import NOW, RULE, v1_gateway, v2_gateway
from tests.gateway.rules.tables import raises


@raises("gateway-v1-retired", "", "", "sku_tier", says=("Standard",))
def a_v1_gateway() -> ApplicationGateway:
    return v1_gateway()


@raises("certificate-expires-soon", "trustedRootCertificates", "c", "data", says=("2026-03-12",))
def a_root_that_ends_in_ten_days() -> ApplicationGateway:
    gateway = v2_gateway()
    root = issue.make_root("Old Root", now=NOW, not_after=NOW + timedelta(days=10))
    make.add_root(gateway, "c", root.certificate)
    return gateway


@raises("certificate-unused", "trustedRootCertificates", "spare", says=("“spare”",))
def a_root_that_no_setting_trusts() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_root(gateway, "spare")
    return gateway


@raises("certificate-unused", "sslCertificates", "spare")
def a_listener_certificate_without_a_listener() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_ssl_certificate(gateway, "spare")
    return gateway


@raises(
    "settings-name-address",
    "backendHttpSettingsCollection",
    "tls",
    "host_name",
    says=("10.0.2.7",),
)
def addresses_behind_a_setting_that_names_no_host() -> ApplicationGateway:
    gateway = v2_gateway()
    pool = make.add_pool(gateway, "numbers", "10.0.2.7")
    settings = make.add_settings(gateway, "tls", protocol="Https")
    rule = make.find(gateway, RequestRoutingRule, RULE)
    make.change(rule, backend_address_pool=pool, backend_http_settings=settings)
    return gateway
