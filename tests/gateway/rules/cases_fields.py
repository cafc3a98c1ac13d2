"""Values that a field does not take."""

from __future__ import annotations

from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    CustomError,
    FrontendPort,
    HttpListener,
    PathRule,
    Probe,
    RewriteRule,
    RewriteRuleSet,
    Row,
    UrlPathMap,
)
from tests.gateway.rules.tables import raises


@raises("name-invalid", "httpListeners", "-site", "name", says=("Listener “-site”",))
def a_name_that_begins_with_a_hyphen() -> Row:
    return HttpListener(name="-site")


@raises("name-invalid", "urlPathMaps", "päths", "name")
def a_name_with_a_letter_beyond_ascii() -> Row:
    return UrlPathMap(name="päths")


@raises("field-required", "probes", "", "name")
def a_name_that_is_left_out() -> Row:
    return Probe(name="")


@raises("field-required", "probes", "p", "path", says=("Health probe “p”", "Path"))
def a_probe_without_a_path() -> Row:
    return Probe(name="p", path="")


@raises("field-required", "backendHttpSettingsCollection", "s", "host_name")
def a_text_that_is_none() -> Row:
    return BackendHttpSettings(name="s", host_name=None)


@raises("field-required", "frontendPorts", "p", "port")
def a_port_that_is_left_out() -> Row:
    return FrontendPort(name="p", port=None)


@raises("value-out-of-range", "probes", "p", "interval", says=("1 to 86400", "86401"))
def an_interval_of_more_than_a_day() -> Row:
    return Probe(name="p", interval=86401)


@raises("value-out-of-range", "probes", "p", "unhealthy_threshold", says=("1 to 20",))
def a_threshold_of_nothing() -> Row:
    return Probe(name="p", unhealthy_threshold=0)


@raises("value-out-of-range", "probes", "p", "min_servers", says=("0 to",))
def a_number_that_only_some_databases_hold() -> Row:
    return Probe(name="p", min_servers=2**40)


@raises("value-out-of-range", "probes", "p", "min_servers", says=("not -1",))
def fewer_servers_than_none() -> Row:
    return Probe(name="p", min_servers=-1)


@raises(
    "frontend-port-invalid",
    "frontendPorts",
    "p",
    "port",
    says=("1 to 65535", "70000"),
    code="ApplicationGatewayFrontendPortInvalidPortNumber",
)
def a_frontend_port_that_does_not_exist() -> Row:
    return FrontendPort(name="p", port=70000)


@raises(
    "settings-port-invalid",
    "backendHttpSettingsCollection",
    "s",
    "port",
    says=("1 to 65535", "not 0"),
    code="ApplicationGatewayBackendHttpSettingsPortIsInvalid",
)
def a_backend_port_of_zero() -> Row:
    return BackendHttpSettings(name="s", port=0)


@raises(
    "drain-timeout-invalid",
    "backendHttpSettingsCollection",
    "s",
    "drain_timeout",
    says=("1 to 3600",),
    code="ApplicationGatewayConnectionDrainingTimeoutInvalid",
)
def a_drain_timeout_of_two_hours_though_draining_is_off() -> Row:
    return BackendHttpSettings(name="s", connection_draining_enabled=False, drain_timeout=7200)


@raises("text-too-long", "probes", "p", "match_body", says=("4091", "4090"))
def a_body_to_match_that_is_too_long() -> Row:
    return Probe(name="p", match_body="x" * 4091)


@raises("text-unprintable", "probes", "p", "match_body")
def a_null_character() -> Row:
    return Probe(name="p", match_body="a\0b")


@raises("text-unprintable", "httpListeners", "l", "host_names")
def half_a_character_in_a_list() -> Row:
    return HttpListener(name="l", host_names=["\ud800.contoso.com"])


@raises("text-unprintable", "rewriteRuleSets", "set", "rules")
def a_control_character_deep_in_an_action() -> Row:
    header = {"headerName": "X", "headerValue": "\x1b[0m"}
    return RewriteRule(
        rule_set=RewriteRuleSet(name="set"),
        name="r",
        action_set={"requestHeaderConfigurations": [header]},
    )


@raises("choice-unknown", "httpListeners", "l", "protocol", says=("Http, Https",))
def a_protocol_that_nobody_speaks() -> Row:
    return HttpListener(name="l", protocol="Spdy")


@raises("ip-address-invalid", "backendAddressPools", "pool", "addresses", says=("10.0.0.256",))
def an_address_beyond_255() -> Row:
    return BackendAddress(pool=BackendAddressPool(name="pool"), ip_address="10.0.0.256")


@raises("host-name-invalid", "probes", "p", "host", says=("https://www.contoso.com",))
def a_url_in_the_place_of_a_host() -> Row:
    return Probe(name="p", host="https://www.contoso.com")


@raises("host-name-invalid", "backendAddressPools", "pool", "addresses", says=("Backend pool",))
def a_wildcard_as_a_target() -> Row:
    return BackendAddress(pool=BackendAddressPool(name="pool"), fqdn="*.contoso.com")


@raises("path-invalid", "probes", "p", "path", says=("begins with",))
def a_path_without_a_slash() -> Row:
    return Probe(name="p", path="status")


@raises("path-invalid", "backendHttpSettingsCollection", "s", "path", says=("blank",))
def a_path_with_a_blank() -> Row:
    return BackendHttpSettings(name="s", path="/my path")


@raises("value-invalid", "frontendPorts", "p", "port")
def a_word_in_the_place_of_a_number() -> Row:
    return FrontendPort(name="p", port="eighty")


@raises("value-invalid", "frontendPorts", "p", "port")
def a_list_in_the_place_of_a_number() -> Row:
    return FrontendPort(name="p", port=[80])


@raises("value-invalid", "", "", "tags")
def tags_that_are_a_list() -> Row:
    return ApplicationGateway(name="g", tags=["a"])


@raises("list-invalid", "pathRules", "map/images", "paths")
def paths_that_are_no_list() -> Row:
    return PathRule(path_map=UrlPathMap(name="map"), name="images", paths="/images/*")


@raises("list-invalid", "probes", "p", "match_status_codes")
def status_codes_that_are_numbers() -> Row:
    return Probe(name="p", match_status_codes=[200])


@raises("text-too-long", "httpListeners", "l", "custom_errors", says=("Custom error page",))
def an_error_page_of_a_listener_with_an_endless_address() -> Row:
    return CustomError(
        listener=HttpListener(name="l"), status_code="HttpStatus502", page_url="x" * 2049
    )


@raises("field-required", "", "", "custom_errors")
def an_error_page_of_the_gateway_without_an_address() -> Row:
    return CustomError(status_code="HttpStatus502")


@raises("value-invalid", "frontendPorts", "p", "port")
def a_number_without_end() -> Row:
    return FrontendPort(name="p", port=float("inf"))
