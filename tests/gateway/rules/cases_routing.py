"""Rules, path maps, redirects and rewrites."""

from __future__ import annotations

from typing import Any

from gateway.models import (
    ApplicationGateway,
    HttpListener,
    PathRule,
    RequestRoutingRule,
    RewriteRule,
)
from tests import factories as make
from tests.factories import LISTENER, RULE, v1_gateway, v2_gateway
from tests.gateway.rules.tables import raises

INCOMPLETE = "ApplicationGatewayRequestRoutingRuleMustReference"


def with_rule(gateway: ApplicationGateway, **fields: Any) -> ApplicationGateway:
    make.change(make.find(gateway, RequestRoutingRule, RULE), **fields)
    return gateway


def listener_of(gateway: ApplicationGateway) -> HttpListener:
    return make.find(gateway, HttpListener, LISTENER)


@raises("rule-reference-missing", "requestRoutingRules", RULE, "http_listener", code=INCOMPLETE)
def a_rule_without_a_listener() -> ApplicationGateway:
    return with_rule(v2_gateway(), http_listener=None)


@raises(
    "rule-reference-missing",
    "requestRoutingRules",
    RULE,
    "backend_address_pool",
    says=("no backend pool",),
    code=INCOMPLETE,
)
def a_rule_without_a_pool() -> ApplicationGateway:
    return with_rule(v1_gateway(), backend_address_pool=None)


@raises(
    "rule-reference-missing",
    "requestRoutingRules",
    RULE,
    "backend_http_settings",
    code=INCOMPLETE,
)
def a_rule_without_a_setting() -> ApplicationGateway:
    return with_rule(v2_gateway(), backend_http_settings=None)


@raises("rule-reference-missing", "requestRoutingRules", RULE, "url_path_map", code=INCOMPLETE)
def a_path_based_rule_without_a_map() -> ApplicationGateway:
    return with_rule(v2_gateway(), rule_type="PathBasedRouting")


@raises("rule-listener-taken", "requestRoutingRules", "second", "http_listener", says=(RULE,))
def two_rules_for_one_listener() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_rule(gateway, "second", listener_of(gateway))
    return gateway


@raises(
    "rule-priority-missing",
    "requestRoutingRules",
    RULE,
    "priority",
    code="ApplicationGatewayRequestRoutingRulePriorityCannotBeEmpty",
)
def a_v2_rule_without_a_priority() -> ApplicationGateway:
    return with_rule(v2_gateway(), priority=None)


@raises(
    "rule-priority-partial",
    "requestRoutingRules",
    RULE,
    "priority",
    code="ApplicationGatewayRequestRoutingRulePartialPriorityDefined",
)
def a_priority_for_one_rule_only() -> ApplicationGateway:
    gateway = v1_gateway()
    listener = make.add_listener(gateway, "other", port=8080)
    make.add_rule(gateway, "second", listener, priority=10)
    return gateway


@raises("rule-priority-taken", "requestRoutingRules", "second", "priority", says=("100", RULE))
def one_priority_twice() -> ApplicationGateway:
    gateway = v2_gateway()
    listener = make.add_listener(gateway, "other", port=8080)
    make.add_rule(gateway, "second", listener, priority=100)
    return gateway


@raises("redirect-mixed", "requestRoutingRules", RULE, "redirect_configuration")
def a_redirect_beside_a_pool() -> ApplicationGateway:
    gateway = v2_gateway()
    return with_rule(gateway, redirect_configuration=make.add_redirect(gateway, "away"))


@raises("redirect-mixed", "pathRules", "map/images", "redirect_configuration")
def a_redirect_beside_a_pool_in_a_path_rule() -> ApplicationGateway:
    gateway = v2_gateway()
    path_map = make.add_path_map(gateway, "map")
    make.change(
        PathRule.objects.get(path_map=path_map),
        redirect_configuration=make.add_redirect(gateway, "away"),
    )
    return gateway


@raises("redirect-mixed", "urlPathMaps", "map", "redirect_configuration")
def a_default_redirect_beside_a_default_pool() -> ApplicationGateway:
    gateway = v2_gateway()
    path_map = make.add_path_map(gateway, "map")
    make.change(path_map, redirect_configuration=make.add_redirect(gateway, "away"))
    return gateway


@raises("rule-path-map-unused", "requestRoutingRules", RULE, "url_path_map")
def a_basic_rule_with_a_path_map() -> ApplicationGateway:
    gateway = v2_gateway()
    return with_rule(gateway, url_path_map=make.add_path_map(gateway, "map"))


@raises(
    "path-map-default-missing",
    "urlPathMaps",
    "map",
    "backend_http_settings",
    code="ApplicationGatewayUrlPathMapMustSpecifyDefaultBackendHttpSettings",
)
def a_path_map_without_a_default_setting() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_path_map(gateway, "map", backend_http_settings=None)
    return gateway


@raises("path-map-empty", "urlPathMaps", "map", "path_rules")
def a_path_map_without_paths() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_path_map(gateway, "map", {})
    return gateway


@raises("path-rule-target-missing", "pathRules", "map/images", "backend_address_pool")
def a_path_rule_that_leads_nowhere() -> ApplicationGateway:
    gateway = v2_gateway()
    path_map = make.add_path_map(gateway, "map")
    make.change(PathRule.objects.get(path_map=path_map), backend_address_pool=None)
    return gateway


@raises("path-rule-empty", "pathRules", "map/images", "paths")
def a_path_rule_without_a_path() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_path_map(gateway, "map", {"images": []})
    return gateway


@raises("path-pattern-invalid", "pathRules", "map/images", "paths", says=("/*.jpg",))
def a_star_before_the_end() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_path_map(gateway, "map", {"images": ["/*.jpg"]})
    return gateway


@raises(
    "path-duplicate",
    "pathRules",
    "map/other",
    "paths",
    says=("/Images/*", "“images”"),
    code="ApplicationGatewayPathsWithinUrlPathMapMustBeUnique",
)
def one_path_in_two_cases() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_path_map(gateway, "map", {"images": ["/images/*"], "other": ["/Images/*"]})
    return gateway


@raises("redirect-target-choice", "redirectConfigurations", "r", "target_listener")
def a_redirect_without_a_target() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_redirect(gateway, "r", target_url="")
    return gateway


@raises("redirect-target-choice", "redirectConfigurations", "r", "target_url")
def a_redirect_with_two_targets() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_redirect(
        gateway, "r", target_listener=listener_of(gateway), target_url="https://contoso.com/"
    )
    return gateway


@raises("redirect-url-invalid", "redirectConfigurations", "r", "target_url")
def a_redirect_to_a_script() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_redirect(gateway, "r", target_url="javascript:alert(1)")
    return gateway


@raises(
    "redirect-path-with-url",
    "redirectConfigurations",
    "r",
    "include_path",
    code="ApplicationGatewayRedirectConfigurationIncludePathCannotBeSpecifiedWithTargetUrl",
)
def the_path_taken_to_another_site() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_redirect(gateway, "r", include_path=True)
    return gateway


@raises("redirect-target-wildcard", "redirectConfigurations", "r", "target_listener")
def a_redirect_to_a_wildcard() -> ApplicationGateway:
    gateway = v2_gateway()
    wide = make.add_listener(gateway, "wide", port=80, host_names=["*.contoso.com"])
    make.add_redirect(gateway, "r", target_listener=wide)
    return gateway


@raises(
    "redirect-loop",
    "requestRoutingRules",
    RULE,
    "redirect_configuration",
    says=("that same listener",),
)
def a_redirect_to_the_same_listener() -> ApplicationGateway:
    gateway = v2_gateway()
    redirect = make.add_redirect(gateway, "r", target_listener=listener_of(gateway))
    return with_rule(
        gateway,
        redirect_configuration=redirect,
        backend_address_pool=None,
        backend_http_settings=None,
    )


@raises(
    "redirect-loop",
    "requestRoutingRules",
    RULE,
    "redirect_configuration",
    says=("circle", "“back”"),
)
def two_listeners_that_redirect_to_each_other() -> ApplicationGateway:
    gateway = v2_gateway()
    other = make.add_listener(gateway, "other", port=8080)
    away = make.add_redirect(gateway, "away", target_listener=other)
    back = make.add_redirect(gateway, "home", target_listener=listener_of(gateway))
    make.add_rule(gateway, "back", other, redirect_configuration=back)
    return with_rule(
        gateway,
        redirect_configuration=away,
        backend_address_pool=None,
        backend_http_settings=None,
    )


def rewriting(*actions: dict[str, Any]) -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_rewrite_set(gateway, "set", *actions)
    return gateway


@raises("rewrite-action-missing", "rewriteRuleSets", "set", "rules", says=("“rewrite0”",))
def a_rewrite_that_does_nothing() -> ApplicationGateway:
    return rewriting({"requestHeaderConfigurations": []})


@raises("rewrite-header-invalid", "rewriteRuleSets", "set", "rules", says=("X Y",))
def a_header_name_with_a_blank() -> ApplicationGateway:
    return rewriting({"requestHeaderConfigurations": [{"headerName": "X Y"}]})


@raises("rewrite-header-invalid", "rewriteRuleSets", "set", "rules", says=("Upgrade",))
def a_header_of_the_connection() -> ApplicationGateway:
    return rewriting({"responseHeaderConfigurations": [{"headerName": "Upgrade"}]})


@raises("rewrite-header-invalid", "rewriteRuleSets", "set", "rules", says=("line break",))
def a_header_value_of_two_lines() -> ApplicationGateway:
    header = {"headerName": "X", "headerValue": "a\r\nSet-Cookie: b"}
    return rewriting({"responseHeaderConfigurations": [header]})


@raises("rewrite-condition-incomplete", "rewriteRuleSets", "set", "rules")
def a_condition_without_a_pattern() -> ApplicationGateway:
    gateway = rewriting()
    rule = RewriteRule.objects.get(rule_set__gateway=gateway)
    make.change(rule, conditions=[{"variable": "var_uri_path"}])
    return gateway


@raises("rewrite-url-invalid", "rewriteRuleSets", "set", "rules", says=("line break",))
def a_url_of_two_lines() -> ApplicationGateway:
    return rewriting({"urlConfiguration": {"modifiedPath": "/a\n/b"}})


@raises("rewrite-url-invalid", "rewriteRuleSets", "set", "rules", says=("neither",))
def a_url_rewrite_that_changes_nothing() -> ApplicationGateway:
    return rewriting({"urlConfiguration": {"reroute": True}})


@raises(
    "reference-foreign",
    "requestRoutingRules",
    RULE,
    "backend_address_pool",
    says=("another gateway",),
    code="InvalidResourceReference",
)
def a_pool_of_another_gateway() -> ApplicationGateway:
    gateway = v2_gateway()
    other = v2_gateway(gateway.group, name="other")
    return with_rule(gateway, backend_address_pool=make.add_pool(other, "pool"))


@raises(
    "reference-foreign",
    "backendHttpSettingsCollection",
    "s",
    "root_links",
    code="InvalidResourceReference",
)
def a_root_of_another_gateway() -> ApplicationGateway:
    gateway = v2_gateway()
    other = v2_gateway(gateway.group, name="other")
    root = make.add_root(other, "root")
    make.add_settings(gateway, "s", protocol="Https", roots=[root])
    return gateway
