"""The gateway's own members."""

from __future__ import annotations

from typing import Any

from gateway.document.shapes import (
    choice,
    computed,
    flag,
    group,
    ignored,
    items,
    kept,
    number,
)
from gateway.document.tables.frontends import CUSTOM_ERRORS
from gateway.document.tables.policies import ssl_policy
from gateway.models import LoadedGateway, Sku, Tier
from gateway.models.policies import DEFAULT_ON_V2


def _default_policy(loaded: LoadedGateway, row: Any) -> str | None:
    return None if loaded.is_v1 else DEFAULT_ON_V2


SKU = group(
    "sku",
    choice("name", "sku_name", Sku, required=True),
    choice("tier", "sku_tier", Tier),
    number("capacity", "capacity"),
    *kept("family", quiet=True),
    required=True,
)
# Answered before the child collections, and after them.
FIRST = (SKU, computed("operationalState", lambda loaded, row: row.operational_state))
LAST = (
    ssl_policy(),
    flag("enableHttp2", "enable_http2"),
    flag("enableFips", "enable_fips"),
    group(
        "autoscaleConfiguration",
        number("minCapacity", "autoscale_min_capacity", required=True),
        number("maxCapacity", "autoscale_max_capacity"),
    ),
    items("customErrorConfigurations", "custom_errors", CUSTOM_ERRORS),
    computed("defaultPredefinedSslPolicy", _default_policy),
    *ignored("provisioningState", "resourceGuid", "privateEndpointConnections"),
    *kept(
        "webApplicationFirewallConfiguration",
        "firewallPolicy",
        "forceFirewallPolicyAssociation",
        "reservedCapacity",
        "globalConfiguration",
        "backendSettingsCollection",
        "listeners",
        "routingRules",
        "advancedRoutingMaps",
        "advancedRoutingConditionSets",
        "loadDistributionPolicies",
        "privateLinkConfigurations",
        "entraJWTValidationConfigs",
    ),
)
# Collections that the cloud answers for v2 even when they are empty.
EMPTY_ON_V2 = (
    "loadDistributionPolicies",
    "privateLinkConfigurations",
    "privateEndpointConnections",
)
