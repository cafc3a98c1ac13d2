"""HTTP settings, probes and pools."""

from __future__ import annotations

from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    RequestRoutingRule,
)
from tests import factories as make
from tests.factories import POOL, SETTINGS, v1_gateway, v2_gateway
from tests.gateway.rules.tables import raises

COLLECTION = "backendHttpSettingsCollection"


@raises(
    "settings-root-on-http",
    COLLECTION,
    "s",
    "root_links",
    says=("HTTP setting “s”", "“root”"),
    code="ApplicationGatewayBackendHttpSettingsCannotHaveTrustedRootCertificate",
)
def a_root_on_an_http_setting() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_settings(gateway, "s", roots=[make.add_root(gateway, "root")])
    return gateway


@raises("settings-tls-unused", COLLECTION, "s", "protocol", says=("an SNI name and changed",))
def tls_options_on_an_http_setting() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_settings(
        gateway, "s", sni_name="www.contoso.com", validate_cert_chain_and_expiry=False
    )
    return gateway


@raises("settings-tls-unused", COLLECTION, "s", "protocol", says=("authentication cert",))
def an_authentication_certificate_on_an_http_setting() -> ApplicationGateway:
    gateway = v1_gateway()
    leaf = make.add_authentication_certificate(gateway, "backend")
    make.add_settings(gateway, "s", authentication=[leaf])
    return gateway


@raises("settings-host-both", COLLECTION, "s", "host_name", says=("www.contoso.com",))
def two_sources_of_the_host_name() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_settings(
        gateway, "s", host_name="www.contoso.com", pick_host_name_from_backend_address=True
    )
    return gateway


@raises(
    "settings-pick-host-ip",
    COLLECTION,
    SETTINGS,
    "pick_host_name_from_backend_address",
    says=("10.0.1.4", POOL),
)
def a_host_name_picked_from_an_address() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(
        make.find(gateway, BackendHttpSettings, SETTINGS),
        pick_host_name_from_backend_address=True,
    )
    pool = make.find(gateway, BackendAddressPool, POOL)
    make.add_row(BackendAddress, pool=pool, ip_address="10.0.1.4", position=1)
    return gateway


@raises(
    "settings-probe-protocol",
    COLLECTION,
    "s",
    "probe",
    says=("HTTPS", "HTTP."),
    code="ApplicationGatewayProbeProtocolMustMatchBackendHttpSettinsProtocol",
)
def a_probe_of_another_protocol() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_settings(gateway, "s", protocol="Https", probe=make.add_probe(gateway, "p"))
    return gateway


@raises(
    "settings-probe-host",
    COLLECTION,
    "s",
    "probe",
    code="ApplicationGatewayBackendHttpSettingsIncompatibleProbeSettingPickHostName",
)
def a_probe_that_picks_no_host() -> ApplicationGateway:
    gateway = v2_gateway()
    probe = make.add_probe(gateway, "p", pick_host_name_from_settings=True)
    make.add_settings(gateway, "s", probe=probe)
    return gateway


@raises("settings-probe-timeout", COLLECTION, "s", "probe", says=("20 seconds", "30 seconds"))
def a_probe_more_patient_than_requests() -> ApplicationGateway:
    gateway = v2_gateway()
    probe = make.add_probe(gateway, "p", timeout=30)
    make.add_settings(gateway, "s", probe=probe, request_timeout=20)
    return gateway


@raises("settings-sni-unchecked", COLLECTION, "s", "sni_name")
def an_sni_name_without_its_check() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_settings(
        gateway, "s", protocol="Https", sni_name="www.contoso.com", validate_sni=False
    )
    return gateway


@raises("settings-auth-partial", COLLECTION, "without", "authentication_links", says=("“with”",))
def one_setting_with_and_one_without_authentication_certificate() -> ApplicationGateway:
    gateway = v1_gateway()
    leaf = make.add_authentication_certificate(gateway, "backend")
    make.add_settings(gateway, "with", protocol="Https", authentication=[leaf])
    make.add_settings(gateway, "without", protocol="Https")
    return gateway


@raises("settings-auth-missing", COLLECTION, "s", "authentication_links")
def https_without_authentication_certificate_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    make.add_settings(gateway, "s", protocol="Https")
    return gateway


@raises("cookie-name-invalid", COLLECTION, "s", "affinity_cookie_name")
def a_cookie_name_with_a_semicolon() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_settings(gateway, "s", affinity_cookie_name="a;b")
    return gateway


@raises("probe-host-choice", "probes", "p", "host", says=("and also picks",))
def a_probe_with_two_hosts() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_probe(gateway, "p", host="www.contoso.com", pick_host_name_from_settings=True)
    return gateway


@raises("probe-host-choice", "probes", "p", "host", says=("has no host",))
def a_probe_without_a_host() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_probe(gateway, "p", host="")
    return gateway


@raises("probe-timeout-long", "probes", "p", "timeout", says=("120", "30"))
def a_timeout_above_the_interval() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_probe(gateway, "p", interval=30, timeout=120)
    return gateway


@raises("probe-status-codes", "probes", "p", "match_status_codes", says=("399-200",))
def a_range_of_codes_backwards() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_probe(gateway, "p", match_status_codes=["200", "399-200"])
    return gateway


def with_target(**fields: object) -> ApplicationGateway:
    gateway = v2_gateway()
    pool = make.find(gateway, BackendAddressPool, POOL)
    make.add_row(BackendAddress, pool=pool, position=1, **fields)
    return gateway


@raises("target-invalid", "backendAddressPools", POOL, "addresses", says=("target 2 is empty",))
def a_target_that_is_nothing() -> ApplicationGateway:
    return with_target()


@raises("target-invalid", "backendAddressPools", POOL, "addresses", says=("10.0.1.4",))
def a_target_with_name_and_address() -> ApplicationGateway:
    return with_target(fqdn="www.contoso.com", ip_address="10.0.1.4")


@raises("target-invalid", "backendAddressPools", POOL, "addresses", says=("IP address",))
def an_address_in_the_place_of_a_name() -> ApplicationGateway:
    return with_target(fqdn="10.0.1.4")


@raises("target-duplicate", "backendAddressPools", POOL, "addresses", says=("FULL-chain",))
def a_target_named_twice() -> ApplicationGateway:
    return with_target(fqdn="FULL-chain.contoso.test.")


@raises("pool-empty", "backendAddressPools", "empty", "addresses")
def a_rule_that_leads_to_an_empty_pool() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(
        make.find(gateway, RequestRoutingRule, make.RULE),
        backend_address_pool=make.add_pool(gateway, "empty"),
    )
    return gateway


@raises("probe-status-codes", "probes", "p", "match_status_codes", says=("“ok”",))
def a_word_as_a_status_code() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_probe(gateway, "p", match_status_codes=["ok"])
    return gateway
