"""Rules, path maps, redirects and rewrite sets."""

from __future__ import annotations

from gateway.document.shapes import (
    Member,
    Shape,
    choice,
    flag,
    items,
    kept,
    number,
    reference,
    structure,
    structures,
    text,
    texts,
)
from gateway.models import (
    BackendAddressPool,
    BackendHttpSettings,
    HttpListener,
    PathRule,
    RedirectConfiguration,
    RequestRoutingRule,
    RewriteRule,
    RewriteRuleSet,
    RuleType,
    UrlPathMap,
)


def _routed(prefix: str = "") -> tuple[Member, ...]:
    """Where requests go; a path map says ``defaultBackendAddressPool`` and so on."""

    def member(json: str, field: str, target: str) -> Member:
        return reference(prefix + json[0].upper() + json[1:] if prefix else json, field, target)

    return (
        member("backendAddressPool", "backend_address_pool", BackendAddressPool.collection),
        member("backendHttpSettings", "backend_http_settings", BackendHttpSettings.collection),
        member("rewriteRuleSet", "rewrite_rule_set", RewriteRuleSet.collection),
        member("redirectConfiguration", "redirect_configuration", RedirectConfiguration.collection),
    )


_VALUE_MATCHER = Shape(
    "headerValueMatcher",
    (text("pattern", "pattern"), flag("ignoreCase", "ignoreCase"), flag("negate", "negate")),
)
_HEADER = Shape(
    "headerConfigurations",
    (
        text("headerName", "headerName"),
        text("headerValue", "headerValue"),
        structure("headerValueMatcher", "headerValueMatcher", _VALUE_MATCHER),
    ),
)
_URL = Shape(
    "urlConfiguration",
    (
        text("modifiedPath", "modifiedPath"),
        text("modifiedQueryString", "modifiedQueryString"),
        flag("reroute", "reroute"),
    ),
)
_ACTION_SET = Shape(
    "actionSet",
    (
        structures("requestHeaderConfigurations", "requestHeaderConfigurations", _HEADER),
        structures("responseHeaderConfigurations", "responseHeaderConfigurations", _HEADER),
        structure("urlConfiguration", "urlConfiguration", _URL),
    ),
)
_CONDITION = Shape(
    "conditions",
    (
        text("variable", "variable"),
        text("pattern", "pattern"),
        flag("ignoreCase", "ignoreCase"),
        flag("negate", "negate"),
    ),
)
REWRITE_RULES = Shape(
    "rewriteRules",
    (
        number("ruleSequence", "rule_sequence"),
        structures("conditions", "conditions", _CONDITION),
        structure("actionSet", "action_set", _ACTION_SET),
    ),
    RewriteRule,
    wrapped=False,
    link="rule_set",
    noun="rewrite rule",
)
REWRITE_RULE_SETS = Shape(
    RewriteRuleSet.collection,
    (items("rewriteRules", "rules", REWRITE_RULES, always=True),),
    RewriteRuleSet,
    noun=RewriteRuleSet.noun,
)
REDIRECT_CONFIGURATIONS = Shape(
    RedirectConfiguration.collection,
    (
        choice("redirectType", "redirect_type", RedirectConfiguration.Type),
        reference("targetListener", "target_listener", HttpListener.collection),
        text("targetUrl", "target_url"),
        flag("includePath", "include_path"),
        flag("includeQueryString", "include_query_string"),
    ),
    RedirectConfiguration,
    noun=RedirectConfiguration.noun,
)
PATH_RULES = Shape(
    PathRule.collection,
    (
        texts("paths", "paths", always=True),
        *_routed(),
        *kept("loadDistributionPolicy", "firewallPolicy"),
    ),
    PathRule,
    link="path_map",
    noun=PathRule.noun,
)
URL_PATH_MAPS = Shape(
    UrlPathMap.collection,
    (
        *_routed("default"),
        items("pathRules", "path_rules", PATH_RULES, always=True),
        *kept("defaultLoadDistributionPolicy"),
    ),
    UrlPathMap,
    noun=UrlPathMap.noun,
)
REQUEST_ROUTING_RULES = Shape(
    RequestRoutingRule.collection,
    (
        choice("ruleType", "rule_type", RuleType),
        number("priority", "priority"),
        reference("httpListener", "http_listener", HttpListener.collection),
        *_routed(),
        reference("urlPathMap", "url_path_map", UrlPathMap.collection),
        *kept(
            "advancedRoutingMap",
            "loadDistributionPolicy",
            "entraJWTValidationConfig",
            "authConfigs",
        ),
    ),
    RequestRoutingRule,
    noun=RequestRoutingRule.noun,
)
