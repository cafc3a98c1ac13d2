"""Which pools and HTTP settings the rules of a gateway bring together."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.models import (
    BackendAddressPool,
    BackendHttpSettings,
    LoadedGateway,
    RequestRoutingRule,
    Routed,
    RuleType,
    UrlPathMap,
)

Pair = tuple[BackendAddressPool, BackendHttpSettings]


def routes(loaded: LoadedGateway) -> Iterator[tuple[RequestRoutingRule, Routed]]:
    """Every rule with each place that it sends requests to.

    That is the rule itself, or the defaults and the path rules of its path map.
    """
    for rule in loaded.rules:
        if rule.rule_type == RuleType.BASIC:
            yield rule, rule
        elif rule.url_path_map is not None:
            for routed in of_map(loaded, rule.url_path_map):
                yield rule, routed


def of_map(loaded: LoadedGateway, path_map: UrlPathMap) -> Iterator[Routed]:
    """The defaults of a path map, then its path rules in order."""
    yield path_map
    yield from loaded.path_rules(path_map)


def pairs(loaded: LoadedGateway) -> list[Pair]:
    """Pool and HTTP setting of every route that leads to servers, each pair once, in order."""
    found: dict[tuple[int, int], Pair] = {}
    for _, routed in routes(loaded):
        pool, settings = routed.backend_address_pool, routed.backend_http_settings
        if routed.redirect_configuration is None and pool is not None and settings is not None:
            found.setdefault((pool.pk, settings.pk), (pool, settings))
    return list(found.values())
