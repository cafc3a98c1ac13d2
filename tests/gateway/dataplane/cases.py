"""Gateways by feature and by defect: each is compiled and compared with its golden file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendHttpSettings,
    FrontendIPConfiguration,
    HttpListener,
    RequestRoutingRule,
    SslProfile,
    Subnet,
)
from tests import factories as make
from tests.gateway.dataplane.sites import TODAY, Traffic, bare_leaf, leaf, root

Case = Callable[[], Traffic]
CASES: dict[str, Case] = {}
NAME = "app.internal"


def case(build: Case) -> Case:
    CASES[build.__name__] = build
    return build


def on(gateway: ApplicationGateway, accepted: Certificate | None = None) -> Traffic:
    """The gateway with every server healthy."""
    traffic = Traffic(gateway, forbidden=())
    traffic.everyone(20001, accepted)
    return traffic


def settings_of(gateway: ApplicationGateway, **fields: Any) -> BackendHttpSettings:
    return make.change(make.find(gateway, BackendHttpSettings, make.SETTINGS), **fields)


def rule_of(gateway: ApplicationGateway, **fields: Any) -> RequestRoutingRule:
    return make.change(make.find(gateway, RequestRoutingRule, make.RULE), **fields)


def site(
    gateway: ApplicationGateway,
    name: str,
    *hosts: str,
    issued: issue.Issued | None = None,
    **more: Any,
) -> HttpListener:
    """A listener on 443 with certificate and rule."""
    issued = issued or leaf(*(hosts or ("basic.contoso.com",)))
    stored = make.add_ssl_certificate(gateway, f"cert-{name}", issued)
    listener = make.add_listener(
        gateway,
        name,
        port=443,
        protocol="Https",
        ssl_certificate=stored,
        host_names=list(hosts),
        **more,
    )
    make.add_rule(gateway, name, listener)
    return listener


def https_backend(*roots: Certificate, **fields: Any) -> ApplicationGateway:
    """v2 with HTTPS to its servers, by default under the name app.internal."""
    gateway = make.v2_gateway()
    settings = settings_of(
        gateway, **{"protocol": "Https", "port": 443, "host_name": NAME, **fields}
    )
    rows = [make.add_root(gateway, f"root{number}", one) for number, one in enumerate(roots)]
    make.trust(settings, roots=rows)
    return gateway


def v1_backend(*certificates: Certificate, **fields: Any) -> ApplicationGateway:
    gateway = make.v1_gateway()
    settings = settings_of(gateway, **{"protocol": "Https", "port": 443, **fields})
    rows = [
        make.add_authentication_certificate(gateway, f"auth{number}", one)
        for number, one in enumerate(certificates)
    ]
    make.trust(settings, authentication=rows)
    make.change(BackendAddress.objects.get(pool__gateway=gateway), fqdn=NAME)
    return gateway


@cache
def client_root() -> issue.Issued:
    return issue.make_root("Client Root", now=TODAY)


@cache
def client_issuing() -> issue.Issued:
    return issue.make_intermediate(client_root(), "Client Issuing", now=TODAY)


def profile(gateway: ApplicationGateway, **fields: Any) -> SslProfile:
    authority = make.add_client_authority(
        gateway, "clients", client_issuing().certificate, client_root().certificate
    )
    return make.add_profile(gateway, "profile", authority, **fields)


# -- Listeners -----------------------------------------------------------------------------------


@case
def basic_http() -> Traffic:
    return on(make.v2_gateway())


@case
def basic_http_v1() -> Traffic:
    return on(make.v1_gateway())


@case
def basic_https() -> Traffic:
    gateway = make.v2_gateway()
    site(gateway, "basic")
    return on(gateway)


@case
def sites_by_name() -> Traffic:
    gateway = make.v2_gateway()
    site(gateway, "first", "www.contoso.com", "contoso.com")
    site(gateway, "wild", "*.fabrikam.com")
    site(gateway, "rest")
    return on(gateway)


@case
def sites_that_share_a_certificate() -> Traffic:
    gateway = make.v2_gateway()
    shared = make.add_ssl_certificate(gateway, "shared", leaf("*.contoso.com"))
    for name in ("a", "b"):
        listener = site(gateway, name, f"{name}.contoso.com")
        make.change(listener, ssl_certificate=shared)
    return on(gateway)


@case
def sites_by_pattern() -> Traffic:
    gateway = make.v2_gateway()
    site(gateway, "marks", "w?w.contoso.com", "*wing*.com")
    site(gateway, "suffix", "*.contoso.com")
    site(gateway, "exact", "www.tailspin.com")
    return on(gateway)


@case
def sites_on_http() -> Traffic:
    gateway = make.v2_gateway()
    make.change(make.find(gateway, HttpListener, make.LISTENER), host_name="www.contoso.com")
    listener = make.add_listener(gateway, "other", port=80, host_names=["*.fabrikam.com"])
    make.add_rule(gateway, "other", listener)
    return on(gateway)


@case
def sites_shadowed_by_priority() -> Traffic:
    gateway = make.v2_gateway()
    late = site(gateway, "late", "www.contoso.com")
    site(gateway, "early", "*.contoso.com")
    make.change(RequestRoutingRule.objects.get(http_listener=late), priority=900)
    return on(gateway)


@case
def v1_requires_a_server_name() -> Traffic:
    gateway = make.v1_gateway()
    site(gateway, "strict", "www.contoso.com", require_server_name_indication=True)
    return on(gateway)


@case
def v1_shows_a_certificate_without_a_name() -> Traffic:
    gateway = make.v1_gateway()
    site(gateway, "strict", "www.contoso.com", require_server_name_indication=True)
    site(gateway, "lenient", "www.fabrikam.com")
    return on(gateway)


@case
def http2() -> Traffic:
    gateway = make.v2_gateway(enable_http2=True)
    site(gateway, "basic")
    return on(gateway)


@case
def policy_of_2017() -> Traffic:
    gateway = make.v2_gateway(
        ssl_policy_type="Predefined", ssl_policy_name="AppGwSslPolicy20170401S"
    )
    site(gateway, "basic")
    return on(gateway)


@case
def policy_of_tls13_alone() -> Traffic:
    gateway = make.v2_gateway(ssl_policy_type="CustomV2", ssl_min_protocol_version="TLSv1_3")
    site(gateway, "basic")
    return on(gateway)


@case
def policy_of_one_listener() -> Traffic:
    gateway = make.v2_gateway()
    own = make.add_profile(
        gateway,
        "own",
        ssl_policy_type="CustomV2",
        ssl_min_protocol_version="TLSv1_2",
        ssl_cipher_suites=["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
    )
    site(gateway, "own", "own.contoso.com", ssl_profile=own)
    site(gateway, "other", "other.contoso.com")
    return on(gateway)


@case
def two_frontends() -> Traffic:
    gateway = make.v2_gateway()
    private = make.add(
        gateway,
        FrontendIPConfiguration,
        "private",
        subnet=Subnet.objects.filter(virtual_network__group=gateway.group).first(),
        private_ip_address="10.0.0.10",
    )
    listener = make.add_listener(gateway, "private", port=80, frontend_ip_configuration=private)
    make.add_rule(gateway, "private", listener)
    return on(gateway)


# -- Client authentication -----------------------------------------------------------------------


@case
def clients_strict() -> Traffic:
    gateway = make.v2_gateway()
    site(gateway, "secure", "secure.contoso.com", ssl_profile=profile(gateway))
    site(gateway, "open", "open.contoso.com")
    return on(gateway)


@case
def clients_strict_by_issuer() -> Traffic:
    gateway = make.v2_gateway()
    checking = profile(gateway, verify_client_cert_issuer_dn=True)
    site(gateway, "secure", "secure.contoso.com", ssl_profile=checking)
    return on(gateway)


@case
def clients_strict_on_a_basic_listener() -> Traffic:
    gateway = make.v2_gateway()
    site(gateway, "open", "open.contoso.com")
    site(gateway, "secure", ssl_profile=profile(gateway))
    return on(gateway)


@case
def clients_passed_through() -> Traffic:
    gateway = make.v2_gateway()
    passing = make.add_profile(gateway, "passing", verify_client_auth_mode="Passthrough")
    site(gateway, "passing", "passing.contoso.com", ssl_profile=passing)
    headers = [
        {"headerName": "X-Client", "headerValue": "{var_client_certificate}"},
        {"headerName": "X-Client-Verify", "headerValue": "{var_client_certificate_verification}"},
    ]
    rule_set = make.add_rewrite_set(gateway, "set", {"requestHeaderConfigurations": headers})
    rule = make.find(gateway, RequestRoutingRule, "passing")
    make.change(rule, rewrite_rule_set=rule_set)
    return on(gateway)


# -- Rules ---------------------------------------------------------------------------------------


@case
def path_map() -> Traffic:
    gateway = make.v2_gateway()
    settings_of(gateway, path="/override/")
    paths = {"images": ["/images/*", "/pictures*"], "exact": ["/exact"]}
    rule_of(
        gateway, rule_type="PathBasedRouting", url_path_map=make.add_path_map(gateway, "map", paths)
    )
    return on(gateway)


@case
def redirect_to_a_listener() -> Traffic:
    gateway = make.v2_gateway()
    target = site(gateway, "secure", "www.contoso.com")
    redirect = make.add_redirect(
        gateway, "redirect", target_listener=target, include_path=True, include_query_string=True
    )
    rule_of(gateway, redirect_configuration=redirect, backend_address_pool=None)
    return on(gateway)


@case
def redirect_to_a_url() -> Traffic:
    gateway = make.v2_gateway()
    redirect = make.add_redirect(
        gateway, "redirect", target_url="http://example.com:8080/a?b=c", redirect_type="Temporary"
    )
    rule_of(gateway, redirect_configuration=redirect, backend_address_pool=None)
    return on(gateway)


@case
def rewrites() -> Traffic:
    gateway = make.v2_gateway()
    rule_set = make.add_rewrite_set(
        gateway,
        "set",
        {
            "requestHeaderConfigurations": [
                {"headerName": "X-Fixed", "headerValue": "100% '{var_client_ip}'"},
                {"headerName": "X-Gone", "headerValue": ""},
            ],
            "responseHeaderConfigurations": [{"headerName": "Server", "headerValue": ""}],
        },
        {"urlConfiguration": {"modifiedPath": "/{var_uri_path_1}", "reroute": True}},
    )
    second = rule_set.rules.last()
    make.change(second, conditions=[{"variable": "var_uri_path", "pattern": "^/a/(b+)'%)%"}])
    rule_of(gateway, rewrite_rule_set=rule_set)
    return on(gateway)


@case
def custom_pages() -> Traffic:
    traffic = on(make.v2_gateway())
    traffic.error_pages = {("", 502): "<p>all 100%</p>", (make.LISTENER, 502): "<p>mine</p>"}
    return traffic


# -- Backends ------------------------------------------------------------------------------------


@case
def backend_with_a_cookie_and_a_time_out() -> Traffic:
    gateway = make.v2_gateway()
    settings_of(gateway, cookie_based_affinity="Enabled", request_timeout=2)
    return on(gateway)


@case
def backend_that_is_drained() -> Traffic:
    gateway = make.v2_gateway()
    settings_of(gateway, connection_draining_enabled=True, drain_timeout=60)
    return on(gateway)


@case
def backend_by_root_and_override() -> Traffic:
    return on(https_backend(root().certificate), leaf(NAME).certificate)


@case
def backend_by_its_own_name() -> Traffic:
    gateway = https_backend(
        root().certificate, host_name="", pick_host_name_from_backend_address=True
    )
    return on(gateway, leaf(NAME).certificate)


@case
def backend_by_the_clients_name() -> Traffic:
    return on(https_backend(root().certificate, host_name=""), leaf(NAME).certificate)


@case
def backend_by_the_only_name() -> Traffic:
    gateway = https_backend(root().certificate, host_name="")
    make.change(make.find(gateway, HttpListener, make.LISTENER), host_name=NAME)
    return on(gateway, bare_leaf(NAME).certificate)


@case
def backend_by_a_name_of_its_own() -> Traffic:
    gateway = https_backend(root().certificate, host_name="", sni_name="named.internal")
    return on(gateway, leaf("named.internal").certificate)


@case
def backend_by_well_known_roots() -> Traffic:
    traffic = on(https_backend(), leaf(NAME).certificate)
    traffic.well_known = (root().certificate,)
    return traffic


@case
def backend_pinned_by_its_common_name() -> Traffic:
    return on(https_backend(root().certificate), bare_leaf(NAME).certificate)


@case
def backend_without_a_check_of_the_chain() -> Traffic:
    gateway = https_backend(validate_cert_chain_and_expiry=False)
    return on(gateway, leaf(NAME).certificate)


@case
def backend_without_a_check_of_the_chain_by_the_clients_name() -> Traffic:
    gateway = https_backend(validate_cert_chain_and_expiry=False, host_name="")
    return on(gateway, leaf(NAME).certificate)


@case
def backend_without_a_check_of_the_name() -> Traffic:
    return on(https_backend(root().certificate, validate_sni=False), leaf(NAME).certificate)


@case
def backend_without_any_check() -> Traffic:
    gateway = https_backend(validate_cert_chain_and_expiry=False, validate_sni=False)
    return on(gateway, leaf("other.internal").certificate)


@case
def backends_with_different_certificates() -> Traffic:
    gateway = https_backend(root().certificate)
    address = BackendAddress.objects.get(pool__gateway=gateway)
    second = make.add_row(BackendAddress, pool=address.pool, fqdn="b.internal", position=1)
    traffic = on(gateway, leaf(NAME).certificate)
    traffic.member(settings_of(gateway), second, 20002, bare_leaf(NAME).certificate)
    return traffic


@case
def v1_by_certificate() -> Traffic:
    listed = leaf(NAME).certificate, leaf("other.internal").certificate
    return on(v1_backend(*listed), leaf(NAME).certificate)


@case
def v1_by_a_certificate_that_is_for_clients() -> Traffic:
    meant = issue.make_leaf(root(), NAME, now=TODAY, dns_names=[NAME], purposes=("client",))
    return on(v1_backend(meant.certificate), meant.certificate)


@case
def v1_for_app_service() -> Traffic:
    gateway = v1_backend(pick_host_name_from_backend_address=True)
    traffic = on(gateway, leaf(NAME).certificate)
    traffic.well_known = (root().certificate,)
    return traffic


# -- Defects -------------------------------------------------------------------------------------


@case
def defect_nobody_is_healthy() -> Traffic:
    traffic = on(https_backend(root().certificate))
    traffic.members = {
        key: type(one)("unhealthy", one.addresses) for key, one in traffic.members.items()
    }
    return traffic


@case
def defect_nobody_was_probed() -> Traffic:
    traffic = on(make.v2_gateway())
    traffic.members = {}
    return traffic


@case
def defect_forbidden_address() -> Traffic:
    traffic = on(make.v2_gateway())
    traffic.members = {key: type(one)("healthy", None) for key, one in traffic.members.items()}
    return traffic


@case
def defect_intermediate_as_root() -> Traffic:
    above = issue.make_intermediate(root(), "Between", now=TODAY)
    return on(https_backend(above.certificate), leaf(NAME).certificate)


@case
def defect_address_as_name() -> Traffic:
    return on(https_backend(root().certificate, host_name="10.0.1.4"), leaf(NAME).certificate)


@case
def defect_common_name_and_any_client() -> Traffic:
    return on(https_backend(root().certificate, host_name=""), bare_leaf(NAME).certificate)


@case
def defect_unchecked_chain_never_accepted() -> Traffic:
    return on(https_backend(validate_cert_chain_and_expiry=False))


@case
def defect_unchecked_chain_other_name() -> Traffic:
    gateway = https_backend(validate_cert_chain_and_expiry=False)
    return on(gateway, leaf("other.internal").certificate)


@case
def defect_v1_without_certificates() -> Traffic:
    return on(v1_backend(), leaf(NAME).certificate)


@case
def defect_v1_certificate_for_another_name() -> Traffic:
    other = leaf("other.internal").certificate
    return on(v1_backend(other), other)


@case
def defect_v1_app_service_by_address() -> Traffic:
    gateway = v1_backend(pick_host_name_from_backend_address=True)
    address = BackendAddress.objects.get(pool__gateway=gateway)
    make.change(address, fqdn="", ip_address="10.0.1.4")
    traffic = on(gateway, leaf(NAME).certificate)
    traffic.well_known = (root().certificate,)
    return traffic


@case
def defect_small_key() -> Traffic:
    gateway = make.v2_gateway()
    small = issue.make_self_signed("www.contoso.com", now=TODAY, ca=False, key="rsa1024")
    site(gateway, "small", "small.contoso.com", issued=small)
    site(gateway, "fine", "fine.contoso.com")
    return on(gateway)


@case
def defect_key_that_no_browser_knows() -> Traffic:
    gateway = make.v2_gateway()
    odd = issue.make_self_signed("www.contoso.com", now=TODAY, ca=False, key="ed25519")
    site(gateway, "odd", issued=odd)
    return on(gateway)


@case
def defect_no_certificate() -> Traffic:
    gateway = make.v2_gateway()
    listener = make.add_listener(gateway, "bare", port=443, protocol="Https")
    make.add_rule(gateway, "bare", listener)
    return on(gateway)


@case
def defect_policy_without_a_usable_suite() -> Traffic:
    gateway = make.v2_gateway(
        ssl_policy_type="Custom",
        ssl_min_protocol_version="TLSv1_2",
        ssl_cipher_suites=["TLS_RSA_WITH_AES_256_CBC_SHA256"],
    )
    site(gateway, "basic")
    return on(gateway)


@case
def defect_unpublished_port() -> Traffic:
    gateway = make.v2_gateway()
    site(gateway, "secure", "www.contoso.com")
    redirect = make.add_redirect(
        gateway, "redirect", target_listener=make.find(gateway, HttpListener, "secure")
    )
    rule_of(gateway, redirect_configuration=redirect, backend_address_pool=None)
    traffic = on(gateway)
    traffic.unpublished = {443}
    return traffic


@case
def defect_pattern_that_looks_around() -> Traffic:
    gateway = make.v2_gateway()
    rule_set = make.add_rewrite_set(gateway, "set")
    make.change(rule_set.rules.get(), conditions=[{"variable": "var_host", "pattern": "(?!x)y"}])
    rule_of(gateway, rewrite_rule_set=rule_set)
    return on(gateway)


@case
def defect_strict_without_authorities() -> Traffic:
    gateway = make.v2_gateway()
    nobody = make.add_profile(gateway, "strict", verify_client_auth_mode="Strict")
    site(gateway, "secure", "secure.contoso.com", ssl_profile=nobody)
    return on(gateway)


@case
def defect_revocation_asked_for() -> Traffic:
    gateway = make.v2_gateway()
    asking = profile(gateway, verify_client_revocation="OCSP")
    site(gateway, "secure", "secure.contoso.com", ssl_profile=asking)
    return on(gateway)


@case
def defect_error_page_not_fetched() -> Traffic:
    gateway = make.v2_gateway()
    make.add_custom_error(gateway, "HttpStatus502", "https://www.contoso.com/502.html")
    return on(gateway)


@case
def defect_stopped() -> Traffic:
    return on(make.v2_gateway(operational_state="Stopped"))


@case
def defect_expired_listener_certificate() -> Traffic:
    gateway = make.v2_gateway()
    old = issue.make_leaf(root(), "old", now=TODAY - timedelta(days=9), days=1)
    site(gateway, "old", "www.contoso.com", issued=old)
    return on(gateway)
