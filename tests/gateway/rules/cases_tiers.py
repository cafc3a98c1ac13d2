"""What does not go with a tier, and what there is too much of."""

from __future__ import annotations

from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    FrontendPort,
    HttpListener,
    PathRule,
    ProfileClientCertificate,
    RequestRoutingRule,
    writing,
)
from tests import factories as make
from tests.factories import v1_gateway, v2_gateway
from tests.gateway.rules.tables import raises

FEATURE = "ApplicationGatewayFeatureCannotBeEnabledForSelectedSku"
EITHER = "ApplicationGatewayV2SkuMustSpecifyEitherCapacityOrAutoscaleConfiguration"


def basic_gateway() -> ApplicationGateway:
    return v2_gateway(sku_name="Basic", sku_tier="Basic")


@raises("sku-tier-mismatch", "", "", "sku_name", says=("Standard_Small", "WAF"))
def a_size_of_another_tier() -> ApplicationGateway:
    return v1_gateway(sku_name="Standard_Small", sku_tier="WAF")


@raises("capacity-or-autoscale", "", "", "capacity", says=("neither",), code=EITHER)
def v2_with_neither_capacity_nor_autoscaling() -> ApplicationGateway:
    return v2_gateway(capacity=None)


@raises("capacity-or-autoscale", "", "", "capacity", says=("both",), code=EITHER)
def v2_with_capacity_and_autoscaling() -> ApplicationGateway:
    return v2_gateway(autoscale_min_capacity=0)


@raises("capacity-invalid", "", "", "capacity", says=("33", "1 to 32"))
def thirty_three_instances_on_v1() -> ApplicationGateway:
    return v1_gateway(capacity=33)


@raises("capacity-invalid", "", "", "capacity", says=("126", "1 to 125"))
def a_hundred_and_twenty_six_instances_on_v2() -> ApplicationGateway:
    return v2_gateway(capacity=126)


@raises("capacity-invalid", "", "", "capacity", says=("1 to 2",))
def three_instances_on_basic() -> ApplicationGateway:
    return v2_gateway(sku_name="Basic", sku_tier="Basic", capacity=3)


@raises("capacity-invalid", "", "", "capacity", says=("no instance count",))
def no_capacity_on_v1() -> ApplicationGateway:
    return v1_gateway(capacity=None)


@raises("autoscale-invalid", "", "", "autoscale_min_capacity", says=("101",))
def autoscaling_from_too_many() -> ApplicationGateway:
    return v2_gateway(capacity=None, autoscale_min_capacity=101)


@raises("autoscale-invalid", "", "", "autoscale_min_capacity", says=("nothing",))
def autoscaling_from_nowhere() -> ApplicationGateway:
    return v2_gateway(capacity=None, autoscale_max_capacity=10)


@raises("autoscale-invalid", "", "", "autoscale_max_capacity", says=("2 to 125",))
def autoscaling_up_to_one() -> ApplicationGateway:
    return v2_gateway(capacity=None, autoscale_min_capacity=0, autoscale_max_capacity=1)


@raises("autoscale-invalid", "", "", "autoscale_min_capacity", says=("from 9 up to 5",))
def autoscaling_backwards() -> ApplicationGateway:
    return v2_gateway(capacity=None, autoscale_min_capacity=9, autoscale_max_capacity=5)


@raises("feature-not-in-tier", "", "", "autoscale_min_capacity", code=FEATURE)
def autoscaling_on_v1() -> ApplicationGateway:
    return v1_gateway(capacity=None, autoscale_min_capacity=1)


@raises("feature-not-in-tier", "", "", "autoscale_min_capacity", code=FEATURE)
def autoscaling_on_basic() -> ApplicationGateway:
    return v2_gateway(sku_name="Basic", sku_tier="Basic", capacity=None, autoscale_min_capacity=1)


@raises(
    "feature-not-in-tier",
    "authenticationCertificates",
    "backend",
    says=("authentication certificates", "Standard_v2", "Standard and WAF"),
    code=FEATURE,
)
def an_authentication_certificate_on_v2() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_authentication_certificate(gateway, "backend")
    return gateway


@raises(
    "feature-not-in-tier",
    "trustedRootCertificates",
    "root",
    says=("trusted root certificates", "Standard_v2"),
    code=FEATURE,
)
def a_trusted_root_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    make.add_root(gateway, "root")
    return gateway


@raises("feature-not-in-tier", "trustedClientCertificates", "clients", code=FEATURE)
def client_authorities_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    make.add_client_authority(gateway, "clients")
    return gateway


@raises("feature-not-in-tier", "sslProfiles", "profile", code=FEATURE)
def an_ssl_profile_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    make.add_profile(gateway, "profile")
    return gateway


@raises("feature-not-in-tier", "rewriteRuleSets", "headers", code=FEATURE)
def rewrites_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    make.add_rewrite_set(gateway, "headers")
    return gateway


@raises("feature-not-in-tier", "probes", "probe", "port", code=FEATURE)
def a_probe_port_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    make.add_probe(gateway, "probe", port=8080)
    return gateway


@raises("feature-not-in-tier", "httpListeners", "wide", "host_names", code=FEATURE)
def wildcard_hosts_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    make.add_listener(gateway, "wide", port=80, host_names=["*.contoso.com"])
    return gateway


@raises("feature-not-in-tier", "sslCertificates", "vault", "key_vault_secret_id", code=FEATURE)
def a_key_vault_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    certificate = make.add_ssl_certificate(gateway, "vault")
    make.change(certificate, key_vault_secret_id="https://v.vault.azure.net/secrets/s")
    return gateway


@raises("feature-not-in-tier", "", "", "zones", code=FEATURE)
def zones_on_v1() -> ApplicationGateway:
    return v1_gateway(zones=["1"])


@raises("feature-not-in-tier", "", "", "ssl_policy_name", code=FEATURE)
def a_new_tls_policy_on_v1() -> ApplicationGateway:
    return v1_gateway(ssl_policy_type="Predefined", ssl_policy_name="AppGwSslPolicy20220101")


@raises("feature-not-in-tier", "", "", "ssl_policy_type", code=FEATURE)
def a_custom_tls13_policy_on_v1() -> ApplicationGateway:
    return v1_gateway(ssl_policy_type="CustomV2", ssl_min_protocol_version="TLSv1_3")


@raises("feature-not-in-tier", "trustedClientCertificates", "clients", code=FEATURE)
def mutual_authentication_on_basic() -> ApplicationGateway:
    gateway = basic_gateway()
    make.add_profile(gateway, "profile", make.add_client_authority(gateway, "clients"))
    return gateway


@raises("feature-not-in-tier", "rewriteRuleSets", "urls", "rules", code=FEATURE)
def url_rewrites_on_basic() -> ApplicationGateway:
    gateway = basic_gateway()
    make.add_rewrite_set(gateway, "urls", {"urlConfiguration": {"modifiedPath": "/new"}})
    return gateway


@raises(
    "firewall-not-in-tier",
    "",
    "",
    "opaque",
    code="ApplicationGatewayFirewallCannotBeEnabledForSelectedSku",
)
def a_firewall_on_standard() -> ApplicationGateway:
    return v2_gateway(
        opaque={"properties": {"webApplicationFirewallConfiguration": {"enabled": True}}}
    )


@raises("rule-priority-unused", "requestRoutingRules", make.RULE, "priority")
def a_priority_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    make.change(make.find(gateway, RequestRoutingRule, make.RULE), priority=10)
    return gateway


@raises("setting-validation-unused", "backendHttpSettingsCollection", "s", "validate_sni")
def validation_switched_off_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    leaf = make.add_authentication_certificate(gateway, "backend")
    make.add_settings(gateway, "s", protocol="Https", authentication=[leaf], validate_sni=False)
    return gateway


@raises("zone-unknown", "", "", "zones", says=("1, 4",))
def a_fourth_zone() -> ApplicationGateway:
    return v2_gateway(zones=["1", "4"])


@raises("collection-full", "httpListeners", says=("6 listeners", "Basic"))
def six_listeners_on_basic() -> ApplicationGateway:
    gateway = basic_gateway()
    for number in range(5):
        make.add_listener(gateway, f"site{number}", port=80, host_name=f"s{number}.contoso.com")
    return gateway


@raises("listeners-active", "httpListeners", says=("101",))
def a_hundred_and_one_active_listeners() -> ApplicationGateway:
    gateway = v2_gateway()
    first = make.find(gateway, RequestRoutingRule, make.RULE)
    listener = first.http_listener
    assert listener is not None
    with writing():
        listeners = HttpListener.objects.bulk_create(
            HttpListener(
                gateway=gateway,
                name=f"site{number}",
                host_name=f"site{number}.contoso.com",
                frontend_port=listener.frontend_port,
                frontend_ip_configuration=listener.frontend_ip_configuration,
            )
            for number in range(100)
        )
        RequestRoutingRule.objects.bulk_create(
            RequestRoutingRule(
                gateway=gateway,
                name=f"rule-{one.name}",
                http_listener=one,
                backend_address_pool=first.backend_address_pool,
                backend_http_settings=first.backend_http_settings,
                priority=1000 + number,
            )
            for number, one in enumerate(listeners)
        )
    return gateway


def crowd(pool: BackendAddressPool, count: int) -> None:
    with writing():
        BackendAddress.objects.bulk_create(
            BackendAddress(pool=pool, fqdn=f"server{number}.contoso.com", position=number + 1)
            for number in range(count)
        )


@raises("pool-full", "backendAddressPools", make.POOL, "addresses", says=("1201", "1200"))
def more_than_twelve_hundred_targets() -> ApplicationGateway:
    gateway = v2_gateway()
    crowd(make.find(gateway, BackendAddressPool, make.POOL), 1200)
    return gateway


@raises("pool-full", "backendAddressPools", make.POOL, "addresses", says=("6 targets",))
def six_targets_on_basic() -> ApplicationGateway:
    gateway = basic_gateway()
    crowd(make.find(gateway, BackendAddressPool, make.POOL), 5)
    return gateway


@raises("path-map-full", "urlPathMaps", "map", "path_rules", says=("101", "100"))
def a_hundred_and_one_path_rules() -> ApplicationGateway:
    gateway = v2_gateway()
    path_map = make.add_path_map(gateway, "map", {})
    with writing():
        PathRule.objects.bulk_create(
            PathRule(
                path_map=path_map,
                name=f"rule{number}",
                paths=[f"/{number}/*"],
                position=number,
                backend_address_pool=path_map.backend_address_pool,
                backend_http_settings=path_map.backend_http_settings,
            )
            for number in range(101)
        )
    return gateway


@raises(
    "ssl-profile-full", "sslProfiles", "profile", "client_certificate_links", says=("101", "100")
)
def a_profile_with_too_many_authorities() -> ApplicationGateway:
    gateway = v2_gateway()
    authority = make.add_client_authority(gateway, "clients")
    profile = make.add_profile(gateway, "profile", authority)
    with writing():
        ProfileClientCertificate.objects.bulk_create(
            ProfileClientCertificate(profile=profile, certificate=authority, position=number)
            for number in range(1, 101)
        )
    return gateway


@raises("rewrite-set-full", "rewriteRuleSets", "headers", "rules", says=("41",))
def a_rewrite_set_with_too_many_actions() -> ApplicationGateway:
    gateway = v2_gateway()
    headers = [{"headerName": f"X-{number}", "headerValue": "1"} for number in range(41)]
    make.add_rewrite_set(gateway, "headers", {"responseHeaderConfigurations": headers})
    return gateway


@raises(
    "frontend-port-invalid",
    "frontendPorts",
    "zero",
    "port",
    code="ApplicationGatewayFrontendPortInvalidPortNumber",
)
def port_zero() -> ApplicationGateway:
    gateway = v1_gateway()
    make.add(gateway, FrontendPort, "zero", port=0)
    return gateway
