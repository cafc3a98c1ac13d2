"""Configurations that look unusual and are right."""

from __future__ import annotations

import pytest

from gateway import rules
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    FrontendIPConfiguration,
    HttpListener,
    RequestRoutingRule,
    SslCertificate,
    Subnet,
)
from gateway.problems import errors
from tests import factories as make
from tests.factories import LISTENER, NOW, POOL, RULE, SETTINGS, loaded, v1_gateway, v2_gateway

pytestmark = pytest.mark.django_db


def problems(gateway: ApplicationGateway) -> list[str]:
    return [problem.id for problem in rules.check(loaded(gateway), now=NOW)]


def refused(gateway: ApplicationGateway) -> list[str]:
    return [problem.id for problem in errors(rules.check(loaded(gateway), now=NOW))]


def inside(gateway: ApplicationGateway) -> FrontendIPConfiguration:
    return make.add(
        gateway,
        FrontendIPConfiguration,
        "inside",
        subnet=Subnet.objects.get(virtual_network__group=gateway.group, name="myAGSubnet"),
        private_ip_address="10.0.0.10",
        private_ip_allocation_method="Static",
    )


def test_a_basic_and_a_multi_site_listener_share_a_port_when_the_basic_one_comes_last():
    gateway = v2_gateway()
    listener = make.add_listener(gateway, "site", port=80, host_name="www.contoso.com")
    make.add_rule(gateway, "first", listener, priority=10)
    assert problems(gateway) == []


def test_on_v1_the_order_of_rules_decides_and_not_the_order_of_listeners():
    gateway = v1_gateway()
    listener = make.add_listener(gateway, "site", port=80, host_name="www.contoso.com")
    make.add_rule(gateway, "first", listener, position=0)
    make.change(make.find(gateway, RequestRoutingRule, RULE), position=1)
    assert problems(gateway) == []


def test_on_v2_public_and_private_listeners_share_a_port():
    gateway = v2_gateway()
    listener = make.add_listener(
        gateway, "private", port=80, frontend_ip_configuration=inside(gateway)
    )
    make.add_rule(gateway, "private", listener)
    assert problems(gateway) == []


def test_one_host_name_may_stand_on_two_ports():
    gateway = v2_gateway()
    for port in (8080, 8081):
        listener = make.add_listener(gateway, f"site{port}", port=port, host_name="www.contoso.com")
        make.add_rule(gateway, f"rule{port}", listener)
    assert problems(gateway) == []


def test_a_listener_for_all_subdomains_is_not_shadowed_by_itself():
    gateway = v2_gateway()
    listener = make.add_listener(
        gateway, "wide", port=80, host_names=["*.contoso.com", "www.contoso.com"]
    )
    make.add_rule(gateway, "wide", listener, priority=10)
    assert problems(gateway) == []


def test_a_wildcard_certificate_fits_the_site_and_the_pattern():
    gateway = v2_gateway()
    certificate = make.add_ssl_certificate(gateway, "wild", make.leaf("*.contoso.com"))
    for number, hosts in enumerate((["www.contoso.com"], ["w?.contoso.com"], ["*.contoso.com"])):
        listener = make.add_listener(
            gateway,
            f"site{number}",
            port=443,
            protocol="Https",
            host_names=hosts,
            ssl_certificate=certificate,
        )
        make.add_rule(gateway, f"site{number}", listener)
    assert problems(gateway) == []


def test_http_is_redirected_to_https():
    gateway = v2_gateway()
    certificate = make.add_ssl_certificate(gateway, "site")
    secure = make.add_listener(
        gateway, "secure", port=443, protocol="Https", ssl_certificate=certificate
    )
    make.add_rule(gateway, "secure", secure)
    redirect = make.add_redirect(
        gateway, "up", target_listener=secure, include_path=True, include_query_string=True
    )
    make.change(
        make.find(gateway, RequestRoutingRule, RULE),
        redirect_configuration=redirect,
        backend_address_pool=None,
        backend_http_settings=None,
    )
    assert problems(gateway) == []


def test_a_redirect_that_is_not_used_may_lead_to_any_listener():
    gateway = v2_gateway()
    make.add_redirect(gateway, "unused", target_listener=make.find(gateway, HttpListener, LISTENER))
    assert problems(gateway) == []


def test_a_path_based_rule_may_carry_the_defaults_too():
    gateway = v2_gateway()
    make.change(
        make.find(gateway, RequestRoutingRule, RULE),
        rule_type="PathBasedRouting",
        url_path_map=make.add_path_map(gateway, "map"),
    )
    assert problems(gateway) == []


def test_a_v1_gateway_may_have_a_private_address_alone():
    gateway = v1_gateway()
    frontend = inside(gateway)
    make.change(make.find(gateway, HttpListener, LISTENER), frontend_ip_configuration=frontend)
    make.delete(make.find(gateway, FrontendIPConfiguration, make.FRONTEND_IP))
    assert problems(gateway) == []


def test_a_v1_gateway_may_have_a_basic_public_address():
    gateway = v1_gateway()
    frontend = make.find(gateway, FrontendIPConfiguration, make.FRONTEND_IP)
    make.change(frontend.public_ip_address, sku="Basic", allocation_method="Dynamic")
    assert problems(gateway) == []


def test_a_probe_as_the_command_line_client_makes_it_is_saved_with_a_warning():
    gateway = v2_gateway()
    make.add_probe(gateway, "az", interval=30, timeout=120, unhealthy_threshold=8)
    assert problems(gateway) == ["probe-timeout-long"]


def test_https_settings_without_roots_trust_the_well_known_authorities():
    gateway = v2_gateway()
    make.add_settings(gateway, "s", protocol="Https")
    assert problems(gateway) == []


def test_a_probe_picks_the_host_that_the_setting_picks():
    gateway = v2_gateway()
    probe = make.add_probe(gateway, "p", protocol="Https", pick_host_name_from_settings=True)
    make.add_settings(
        gateway, "s", protocol="Https", probe=probe, pick_host_name_from_backend_address=True
    )
    assert problems(gateway) == []


def test_settings_for_app_service_do_not_count_among_those_with_certificates():
    gateway = v1_gateway()
    leaf = make.add_authentication_certificate(gateway, "backend")
    make.add_settings(gateway, "own", protocol="Https", authentication=[leaf])
    make.add_settings(gateway, "app", protocol="Https", pick_host_name_from_backend_address=True)
    assert problems(gateway) == []


def test_validation_switches_that_the_client_always_sends_are_accepted_on_v1():
    gateway = v1_gateway()
    make.add_settings(gateway, "s", validate_sni=True, validate_cert_chain_and_expiry=True)
    assert problems(gateway) == []


def test_a_host_picked_from_a_pool_of_names_is_fine_and_so_is_an_unused_pool_of_addresses():
    gateway = v2_gateway()
    make.change(
        make.find(gateway, BackendHttpSettings, SETTINGS),
        pick_host_name_from_backend_address=True,
    )
    make.add_pool(gateway, "unused", "10.0.1.4")
    assert problems(gateway) == []


def test_003_13_picking_the_host_warns_when_a_path_leads_to_an_address():
    gateway = v2_gateway()
    settings = make.find(gateway, BackendHttpSettings, SETTINGS)
    make.change(settings, pick_host_name_from_backend_address=True)
    path_map = make.add_path_map(
        gateway, "map", backend_address_pool=make.add_pool(gateway, "ips", "10.0.1.4")
    )
    assert problems(gateway) == []
    make.change(
        make.find(gateway, RequestRoutingRule, RULE),
        rule_type="PathBasedRouting",
        url_path_map=path_map,
    )
    assert problems(gateway) == ["settings-pick-host-ip"]


def test_targets_of_two_pools_may_be_the_same_and_a_pool_may_mix_names_and_addresses():
    gateway = v2_gateway()
    pool = make.find(gateway, BackendAddressPool, POOL)
    make.add_row(BackendAddress, pool=pool, ip_address="10.0.1.4", position=1)
    make.add_row(BackendAddress, pool=pool, ip_address="2001:db8::4", position=2)
    make.add_pool(gateway, "again", "10.0.1.4", "full-chain.contoso.test", "server2")
    assert problems(gateway) == []


def test_mutual_authentication_on_an_https_listener():
    gateway = v2_gateway()
    profile = make.add_profile(
        gateway,
        "clients",
        make.add_client_authority(gateway, "authority"),
        verify_client_cert_issuer_dn=True,
        verify_client_auth_mode="Strict",
    )
    listener = make.add_listener(
        gateway,
        "secure",
        port=443,
        protocol="Https",
        ssl_certificate=make.add_ssl_certificate(gateway, "site"),
        ssl_profile=profile,
    )
    make.add_rule(gateway, "secure", listener)
    assert problems(gateway) == []


@pytest.mark.parametrize(
    "policy",
    [
        {"ssl_policy_type": "Predefined", "ssl_policy_name": "AppGwSslPolicy20170401S"},
        {"ssl_policy_type": "Predefined", "ssl_policy_name": "AppGwSslPolicy20220101S"},
        {"ssl_policy_type": "CustomV2", "ssl_min_protocol_version": "TLSv1_3"},
        {
            "ssl_policy_type": "CustomV2",
            "ssl_min_protocol_version": "TLSv1_2",
            "ssl_cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"],
        },
        {
            "ssl_policy_type": "Custom",
            "ssl_min_protocol_version": "TLSv1_2",
            "ssl_cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
        },
        {"ssl_disabled_protocols": ["TLSv1_0", "TLSv1_1"]},
    ],
)
def test_tls_policies_of_today_are_accepted(policy):
    assert problems(v2_gateway(**policy)) == []


def test_a_profile_of_the_same_family_is_accepted():
    gateway = v2_gateway(ssl_policy_type="Predefined", ssl_policy_name="AppGwSslPolicy20170401S")
    make.add_profile(
        gateway,
        "p",
        ssl_policy_type="Custom",
        ssl_min_protocol_version="TLSv1_2",
        ssl_cipher_suites=["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
    )
    make.add_profile(gateway, "without")
    assert problems(gateway) == []


def test_autoscaling_from_nothing_without_an_end_is_accepted():
    assert problems(v2_gateway(capacity=None, autoscale_min_capacity=0)) == []


def test_a_firewall_configuration_belongs_to_the_waf_tiers():
    firewall = {"properties": {"webApplicationFirewallConfiguration": {"enabled": True}}}
    assert problems(v2_gateway(sku_name="WAF_v2", sku_tier="WAF_v2", opaque=firewall)) == []


def test_regions_are_compared_without_blanks_and_case():
    assert problems(v2_gateway(location="West US")) == []


def test_rewrites_with_conditions_are_accepted():
    gateway = v2_gateway()
    rule_set = make.add_rewrite_set(
        gateway,
        "set",
        {
            "requestHeaderConfigurations": [{"headerName": "X-Forwarded-Port", "headerValue": ""}],
            "urlConfiguration": {"modifiedPath": "/new", "reroute": False},
        },
    )
    make.change(make.find(gateway, RequestRoutingRule, RULE), rewrite_rule_set=rule_set)
    assert problems(gateway) == []


def test_error_pages_of_gateway_and_listener_may_be_for_one_status():
    gateway = v2_gateway()
    listener = make.find(gateway, HttpListener, LISTENER)
    make.add_custom_error(gateway, "HttpStatus502", "https://www.contoso.com/502.html")
    make.add_custom_error(gateway, "HttpStatus502", "https://www.contoso.com/own.htm", listener)
    assert refused(gateway) == []


def test_a_listener_with_a_certificate_in_a_key_vault_is_saved_with_a_warning():
    gateway = v2_gateway()
    certificate = make.add(
        gateway, SslCertificate, "vault", key_vault_secret_id="https://v.vault.azure.net/secrets/s"
    )
    listener = make.add_listener(
        gateway, "l", port=443, protocol="Https", ssl_certificate=certificate
    )
    make.add_rule(gateway, "l", listener)
    assert problems(gateway) == ["key-vault-unread"]


def test_clients_that_pass_unchecked_need_no_authority():
    gateway = v2_gateway()
    make.add_profile(gateway, "p", has_client_auth=True, verify_client_auth_mode="Passthrough")
    assert problems(gateway) == []


def test_a_chain_of_redirects_that_ends_is_no_circle():
    gateway = v2_gateway()
    last = make.add_redirect(gateway, "last")
    target = make.add_listener(gateway, "hop", port=8080)
    make.add_rule(gateway, "hop", target, redirect_configuration=last)
    for port in (8081, 8082):
        listener = make.add_listener(gateway, f"l{port}", port=port)
        redirect = make.add_redirect(gateway, f"to{target.name}", target_listener=target)
        make.add_rule(gateway, f"r{port}", listener, redirect_configuration=redirect)
        target = listener
    assert problems(gateway) == []
