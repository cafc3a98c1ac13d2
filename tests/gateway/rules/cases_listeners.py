"""Listeners and custom error pages."""

from __future__ import annotations

from gateway.models import (
    ApplicationGateway,
    FrontendIPConfiguration,
    HttpListener,
    RequestRoutingRule,
    Subnet,
)
from tests import factories as make
from tests.factories import LISTENER, v1_gateway, v2_gateway
from tests.gateway.rules.tables import raises

SAME_PORT = "ApplicationGatewayHttpListenersUsingSameFrontendPort"
INCOMPLETE = "ApplicationGatewayHttpListenerMustReference"


def site(gateway: ApplicationGateway, name: str = "site", **fields: object) -> HttpListener:
    fields.setdefault("port", 80)
    return make.add_listener(gateway, name, **fields)


def inside(gateway: ApplicationGateway) -> FrontendIPConfiguration:
    subnet = Subnet.objects.get(virtual_network__group=gateway.group, name="myAGSubnet")
    return make.add(
        gateway,
        FrontendIPConfiguration,
        "inside",
        subnet=subnet,
        private_ip_address="10.0.0.10",
        private_ip_allocation_method="Static",
    )


@raises(
    "listener-reference-missing",
    "httpListeners",
    "l",
    "frontend_ip_configuration",
    code=INCOMPLETE,
)
def a_listener_without_a_frontend() -> ApplicationGateway:
    gateway = v2_gateway()
    site(gateway, "l", frontend_ip_configuration=None)
    return gateway


@raises("listener-reference-missing", "httpListeners", "l", "frontend_port", code=INCOMPLETE)
def a_listener_without_a_port() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_listener(gateway, "l")
    return gateway


@raises(
    "listener-certificate-missing",
    "httpListeners",
    "secure",
    "ssl_certificate",
    says=("Listener “secure”", "HTTPS"),
    code="ApplicationGatewayHttpsListenerMustReferenceSslCert",
)
def an_https_listener_without_a_certificate() -> ApplicationGateway:
    gateway = v2_gateway()
    site(gateway, "secure", port=443, protocol="Https")
    return gateway


@raises(
    "listener-http-on-443",
    "httpListeners",
    "plain",
    "frontend_port",
    says=("port443",),
    code="ApplicationGatewayPortNotValidForProtocol",
)
def http_on_port_443() -> ApplicationGateway:
    gateway = v2_gateway()
    site(gateway, "plain", port=443)
    return gateway


@raises("listener-tls-unused", "httpListeners", "l", says=("a certificate and Require SNI",))
def tls_settings_on_an_http_listener() -> ApplicationGateway:
    gateway = v2_gateway()
    site(
        gateway,
        "l",
        host_name="www.contoso.com",
        require_server_name_indication=True,
        ssl_certificate=make.add_ssl_certificate(gateway, "c"),
    )
    return gateway


@raises("listener-tls-unused", "httpListeners", "l", says=("Require SNI", "basic"))
def sni_required_by_a_basic_listener() -> ApplicationGateway:
    gateway = v2_gateway()
    certificate = make.add_ssl_certificate(gateway, "c")
    site(
        gateway,
        "l",
        port=443,
        protocol="Https",
        ssl_certificate=certificate,
        require_server_name_indication=True,
    )
    return gateway


@raises(
    "listener-protocols-mixed",
    "httpListeners",
    "l",
    "frontend_port",
    says=(LISTENER,),
    code=SAME_PORT,
)
def http_and_https_on_one_port() -> ApplicationGateway:
    gateway = v2_gateway()
    certificate = make.add_ssl_certificate(gateway, "c")
    site(gateway, "l", protocol="Https", host_name="www.contoso.com", ssl_certificate=certificate)
    return gateway


@raises(
    "listener-basic-duplicate",
    "httpListeners",
    "second",
    "frontend_port",
    says=(LISTENER,),
    code=SAME_PORT,
)
def two_basic_listeners_on_one_port() -> ApplicationGateway:
    gateway = v1_gateway()
    site(gateway, "second")
    return gateway


@raises(
    "listener-host-duplicate",
    "httpListeners",
    "b",
    "host_name",
    says=("listener “a”", "WWW.contoso.com"),
    code=SAME_PORT,
)
def one_host_name_in_two_cases() -> ApplicationGateway:
    gateway = v1_gateway()
    site(gateway, "a", host_name="www.contoso.com")
    site(gateway, "b", host_name="WWW.contoso.com")
    return gateway


@raises("listener-host-duplicate", "httpListeners", "b", "host_names", code=SAME_PORT)
def one_host_name_in_a_list_and_alone() -> ApplicationGateway:
    gateway = v2_gateway()
    site(gateway, "a", host_name="www.contoso.com")
    site(gateway, "b", host_names=["a.contoso.com", "www.contoso.com"])
    return gateway


@raises(
    "listener-host-duplicate", "httpListeners", "a", "host_names", says=("twice",), code=SAME_PORT
)
def one_host_name_twice_in_a_list() -> ApplicationGateway:
    gateway = v2_gateway()
    site(gateway, "a", host_names=["a.contoso.com", "A.contoso.com"])
    return gateway


@raises(
    "listener-frontends-share-port", "httpListeners", "private", "frontend_port", code=SAME_PORT
)
def public_and_private_on_one_port_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    site(gateway, "private", frontend_ip_configuration=inside(gateway))
    return gateway


@raises("listener-host-both", "httpListeners", "l", "host_names")
def a_host_name_beside_a_list() -> ApplicationGateway:
    gateway = v2_gateway()
    site(gateway, "l", host_name="a.contoso.com", host_names=["b.contoso.com"])
    return gateway


@raises("listener-host-invalid", "httpListeners", "l", "host_name", says=("https://contoso",))
def a_url_as_a_host_name() -> ApplicationGateway:
    gateway = v1_gateway()
    site(gateway, "l", host_name="https://contoso.com")
    return gateway


@raises("listener-host-wildcard", "httpListeners", "l", "host_names", says=("more than 2",))
def three_stars_in_a_name() -> ApplicationGateway:
    gateway = v2_gateway()
    site(gateway, "l", host_names=["*.contoso.*.*.com"])
    return gateway


@raises("listener-host-wildcard", "httpListeners", "l", "host_name", says=("single",))
def a_wildcard_as_a_single_host() -> ApplicationGateway:
    gateway = v2_gateway()
    site(gateway, "l", host_name="*.contoso.com")
    return gateway


@raises("listener-hosts-many", "httpListeners", "l", "host_names", says=("6", "5"))
def six_host_names() -> ApplicationGateway:
    gateway = v2_gateway()
    site(gateway, "l", host_names=[f"s{number}.contoso.com" for number in range(6)])
    return gateway


@raises("listener-without-rule", "httpListeners", "l")
def a_listener_without_a_rule() -> ApplicationGateway:
    gateway = v1_gateway()
    site(gateway, "l", port=8080)
    return gateway


@raises("listener-shadowed", "httpListeners", "l", says=(LISTENER,))
def a_site_behind_a_basic_listener_on_v1() -> ApplicationGateway:
    gateway = v1_gateway()
    make.add_rule(gateway, "later", site(gateway, "l", host_name="www.contoso.com"))
    return gateway


@raises("listener-shadowed", "httpListeners", "l", says=(LISTENER,))
def a_site_behind_a_basic_listener_on_v2() -> ApplicationGateway:
    gateway = v2_gateway()
    listener = site(gateway, "l", host_name="www.contoso.com")
    make.add_rule(gateway, "later", listener, priority=200)
    return gateway


@raises("listener-shadowed", "httpListeners", "l", says=("“wide”", "wildcard"))
def a_site_behind_a_wildcard() -> ApplicationGateway:
    gateway = v2_gateway()
    make.change(make.find(gateway, RequestRoutingRule, make.RULE), priority=900)
    wide = site(gateway, "wide", host_names=["*.contoso.com"])
    make.add_rule(gateway, "first", wide, priority=10)
    deep = site(gateway, "l", host_name="a.b.contoso.com")
    make.add_rule(gateway, "later", deep, priority=20)
    return gateway


@raises(
    "listener-certificate-name",
    "httpListeners",
    "l",
    "ssl_certificate",
    says=("shop.contoso.com", "www.contoso.com"),
)
def a_certificate_for_another_site() -> ApplicationGateway:
    gateway = v2_gateway()
    certificate = make.add_ssl_certificate(gateway, "c")
    site(
        gateway,
        "l",
        port=443,
        protocol="Https",
        host_name="shop.contoso.com",
        ssl_certificate=certificate,
    )
    return gateway


@raises("error-page-code", "", "", "custom_errors", says=("HttpStatus418",))
def an_error_page_for_a_teapot() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_custom_error(gateway, "HttpStatus418", "https://www.contoso.com/418.html")
    return gateway


@raises("error-page-url", "httpListeners", LISTENER, "custom_errors")
def an_error_page_that_is_no_page() -> ApplicationGateway:
    gateway = v2_gateway()
    listener = make.find(gateway, HttpListener, LISTENER)
    make.add_custom_error(gateway, "HttpStatus502", "https://www.contoso.com/502.php", listener)
    return gateway


@raises("error-page-duplicate", "", "", "custom_errors")
def two_error_pages_for_one_status() -> ApplicationGateway:
    gateway = v2_gateway()
    for page in ("one", "two"):
        make.add_custom_error(gateway, "HttpStatus502", f"https://www.contoso.com/{page}.html")
    return gateway
