"""How many of everything a gateway may have (Application Gateway limits article)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.models import (
    AuthenticationCertificate,
    BackendAddressPool,
    BackendHttpSettings,
    Child,
    FrontendIPConfiguration,
    FrontendPort,
    GatewayIPConfiguration,
    HttpListener,
    LoadedGateway,
    Probe,
    RedirectConfiguration,
    RequestRoutingRule,
    RewriteRuleSet,
    SslCertificate,
    SslProfile,
    Tier,
    TrustedClientCertificate,
    TrustedRootCertificate,
    UrlPathMap,
)
from gateway.problems import Problem, at, declare, evidenced
from gateway.rules.words import about, called

_LIMITS = "Application Gateway limits article"

COLLECTION_FULL = declare(
    "collection-full",
    title="There are too many of them",
    why="The number of objects of each kind on one gateway is limited; the tier Basic has much "
    "lower limits.",
    remedy="Remove what is not used any more, or spread the sites over two gateways.",
    source=_LIMITS,
)
evidenced(
    COLLECTION_FULL.id,
    "ApplicationGatewayBackendAddressPoolLimitReached",
    collection=BackendAddressPool.collection,
)
LISTENERS_ACTIVE = declare(
    "listeners-active",
    title="Too many listeners are in use",
    why="A gateway may hold 200 listeners, but only 100 of them may have a rule.",
    remedy="Remove rules that are not needed, or use one listener with several host names.",
    source=_LIMITS,
)
POOL_FULL = declare(
    "pool-full",
    title="The backend pool has too many targets",
    why="A pool holds up to 1,200 targets, in the tier Basic up to 5.",
    remedy="Spread the targets over several pools.",
    source=_LIMITS,
)
PATH_MAP_FULL = declare(
    "path-map-full",
    title="The path map has too many path rules",
    why="One path map holds up to 100 path rules.",
    remedy="Put several paths that lead to the same pool into one path rule.",
    source=_LIMITS,
)
PROFILE_FULL = declare(
    "ssl-profile-full",
    title="The SSL profile has too many client certificate authorities",
    why="One SSL profile accepts up to 100 files with client certificate authorities.",
    remedy="Use several profiles, one for each group of clients.",
    source=_LIMITS,
)
REWRITE_FULL = declare(
    "rewrite-set-full",
    title="The rewrite set is too large",
    why="The rules of one rewrite set have up to 40 conditions and up to 40 actions together.",
    remedy="Split it into several rewrite sets.",
    source=_LIMITS,
)

MOST: dict[type[Child], int] = {
    GatewayIPConfiguration: 2,
    FrontendIPConfiguration: 4,
    FrontendPort: 100,
    SslCertificate: 100,
    AuthenticationCertificate: 100,
    TrustedRootCertificate: 100,
    TrustedClientCertificate: 200,
    # For probes, profiles and path maps no number is published; that of settings and sites fits.
    SslProfile: 100,
    Probe: 100,
    UrlPathMap: 100,
    BackendAddressPool: 100,
    BackendHttpSettings: 100,
    HttpListener: 200,
    RewriteRuleSet: 400,
    RedirectConfiguration: 100,
    RequestRoutingRule: 400,
}
MOST_ON_BASIC: dict[type[Child], int] = {
    BackendAddressPool: 5,
    HttpListener: 5,
    RequestRoutingRule: 5,
}
MOST_ACTIVE_LISTENERS = 100
MOST_TARGETS = 1200
MOST_TARGETS_ON_BASIC = 5
MOST_PATH_RULES = 100
MOST_CLIENT_AUTHORITIES = 100
MOST_REWRITE_PARTS = 40
MOST_HOST_NAMES = 5


def most(model: type[Child], tier: str) -> int:
    """How many children of a collection a gateway of the tier may have."""
    limit = MOST[model]
    return min(limit, MOST_ON_BASIC.get(model, limit)) if tier == Tier.BASIC else limit


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    yield from _collections(loaded)
    yield from _parts(loaded)


def _collections(loaded: LoadedGateway) -> Iterator[Problem]:
    gateway = loaded.gateway
    for model in MOST:
        limit, count = most(model, gateway.sku_tier), len(loaded.children(model))
        if count > limit:
            yield at(
                COLLECTION_FULL,
                f"Gateway “{gateway.name}” would have {count} {model.noun}s; in the tier "
                f"{gateway.sku_tier} there may be {limit}.",
                model.collection,
            )
    active = len({rule.http_listener_id for rule in loaded.rules if rule.http_listener_id})
    if active > MOST_ACTIVE_LISTENERS:
        yield at(
            LISTENERS_ACTIVE,
            f"{active} listeners have a rule; there may be {MOST_ACTIVE_LISTENERS}.",
            HttpListener.collection,
        )


def _parts(loaded: LoadedGateway) -> Iterator[Problem]:
    basic = loaded.gateway.sku_tier == Tier.BASIC
    targets = MOST_TARGETS_ON_BASIC if basic else MOST_TARGETS
    for pool in loaded.pools:
        count = len(loaded.addresses(pool))
        if count > targets:
            message = f"{called(pool)} has {count} targets; there may be {targets}."
            yield about(POOL_FULL, pool, message, "addresses")
    for path_map in loaded.path_maps:
        count = len(loaded.path_rules(path_map))
        if count > MOST_PATH_RULES:
            message = f"{called(path_map)} has {count} path rules; there may be {MOST_PATH_RULES}."
            yield about(PATH_MAP_FULL, path_map, message, "path_rules")
    for profile in loaded.ssl_profiles:
        count = len(loaded.client_certificates_of(profile))
        if count > MOST_CLIENT_AUTHORITIES:
            message = (
                f"{called(profile)} accepts {count} files with client certificate authorities; "
                f"there may be {MOST_CLIENT_AUTHORITIES}."
            )
            yield about(PROFILE_FULL, profile, message, "client_certificate_links")
    for rule_set in loaded.rewrite_rule_sets:
        conditions = actions = 0
        for rule in loaded.rewrite_rules(rule_set):
            conditions += _length(rule.conditions)
            if isinstance(rule.action_set, dict):
                actions += _length(rule.action_set.get("requestHeaderConfigurations"))
                actions += _length(rule.action_set.get("responseHeaderConfigurations"))
                actions += bool(rule.action_set.get("urlConfiguration"))
        if max(conditions, actions) > MOST_REWRITE_PARTS:
            message = (
                f"{called(rule_set)} has {conditions} conditions and {actions} actions; there may "
                f"be {MOST_REWRITE_PARTS} of each."
            )
            yield about(REWRITE_FULL, rule_set, message, "rules")


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0
