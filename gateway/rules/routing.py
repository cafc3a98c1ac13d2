"""Request routing rules: one listener each, a priority on v2, and somewhere to go."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.models import (
    LoadedGateway,
    PathRule,
    RequestRoutingRule,
    Routed,
    RuleType,
    UrlPathMap,
)
from gateway.problems import Problem, declare
from gateway.rules.words import about, called, listed, named

_RULES = "Application Gateway request routing rules article"
_PRIORITIES = "Application Gateway multiple site hosting article"

RULE_INCOMPLETE = declare(
    "rule-reference-missing",
    title="The rule is incomplete",
    why="A rule joins a listener with a backend pool and an HTTP setting, with a redirect, or with "
    "a path map.",
    remedy="Choose what the message names.",
    source=_RULES,
    arm_code="ApplicationGatewayRequestRoutingRuleMustReference",
)
LISTENER_TAKEN = declare(
    "rule-listener-taken",
    title="The listener has a rule already",
    why="One listener belongs to one rule, so that it is clear where its requests go.",
    remedy="Choose another listener, or change the rule that has this one; for several targets "
    "use path-based rules.",
    source="Application Gateway components article",
)
PRIORITY_MISSING = declare(
    "rule-priority-missing",
    title="A v2 rule needs a priority",
    why="Rules of a v2 gateway are ordered by priority: 1 is the first, 20000 the last.",
    remedy="Give the rule a priority that no other rule has.",
    source=_PRIORITIES,
    arm_code="ApplicationGatewayRequestRoutingRulePriorityCannotBeEmpty",
)
PRIORITY_PARTIAL = declare(
    "rule-priority-partial",
    title="Some rules have a priority and some have none",
    why="As soon as one rule has a priority, all rules need one.",
    remedy="Give the rule a priority too.",
    source=_PRIORITIES,
    arm_code="ApplicationGatewayRequestRoutingRulePartialPriorityDefined",
)
PRIORITY_TAKEN = declare(
    "rule-priority-taken",
    title="Two rules have the same priority",
    why="With equal priorities it would not be clear which rule comes first.",
    remedy="Choose another number; gaps between the numbers leave room for later rules.",
    source=_PRIORITIES,
)
REDIRECT_MIXED = declare(
    "redirect-mixed",
    title="A redirect leads away, a pool leads to servers",
    why="A request is either answered with a redirect or sent to a backend pool with an HTTP "
    "setting.",
    remedy="Remove the redirect, or remove pool and setting.",
    source=_RULES,
)
MAP_UNUSED = declare(
    "rule-path-map-unused",
    title="A basic rule has no paths",
    why="A path map works in path-based rules only.",
    remedy="Change the type of the rule to path-based, or remove the path map.",
    source=_RULES,
)


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    for rule in loaded.rules:
        yield from _target(rule)
    owners: dict[int, RequestRoutingRule] = {}
    for rule in loaded.rules:
        listener = rule.http_listener
        if listener is None:
            continue
        owner = owners.setdefault(listener.pk, rule)
        if owner is not rule:
            message = f"{called(rule)} cannot use {named(listener)}: {named(owner)} has it already."
            yield about(LISTENER_TAKEN, rule, message, "http_listener")
    yield from _priorities(loaded)


def _target(rule: RequestRoutingRule) -> Iterator[Problem]:
    if rule.http_listener is None:
        message = f"{called(rule)} names no listener."
        yield about(RULE_INCOMPLETE, rule, message, "http_listener")
    if rule.rule_type == RuleType.PATH_BASED:
        # Clients may send the defaults with the rule as well; those of the path map count.
        if rule.url_path_map is None:
            message = f"{called(rule)} is path-based, but names no path map."
            yield about(RULE_INCOMPLETE, rule, message, "url_path_map")
        return
    if rule.url_path_map is not None:
        message = f"{called(rule)} is a basic rule and names the {named(rule.url_path_map)}."
        yield about(MAP_UNUSED, rule, message, "url_path_map")
    if rule.redirect_configuration is not None:
        yield from redirect_mixed(rule, rule)
        return
    if rule.backend_address_pool is None:
        message = f"{called(rule)} names no backend pool."
        yield about(RULE_INCOMPLETE, rule, message, "backend_address_pool")
    if rule.backend_http_settings is None:
        message = f"{called(rule)} names no HTTP setting."
        yield about(RULE_INCOMPLETE, rule, message, "backend_http_settings")


def redirect_mixed(
    routed: Routed, row: RequestRoutingRule | UrlPathMap | PathRule
) -> Iterator[Problem]:
    """A problem if ``routed``, which has a redirect, also has a pool or a setting."""
    beside = []
    if routed.backend_address_pool is not None:
        beside.append(named(routed.backend_address_pool))
    if routed.backend_http_settings is not None:
        beside.append(named(routed.backend_http_settings))
    if routed.redirect_configuration is not None and beside:
        redirect = named(routed.redirect_configuration)
        message = f"{called(row)} has the {redirect} and also {listed(beside)}."
        yield about(REDIRECT_MIXED, row, message, "redirect_configuration")


def _priorities(loaded: LoadedGateway) -> Iterator[Problem]:
    rules = loaded.rules
    some = any(rule.priority is not None for rule in rules)
    taken: dict[int, RequestRoutingRule] = {}
    for rule in rules:
        if rule.priority is not None:
            owner = taken.setdefault(rule.priority, rule)
            if owner is not rule:
                message = f"{called(rule)} has the priority {rule.priority}, as has {named(owner)}."
                yield about(PRIORITY_TAKEN, rule, message, "priority")
        elif some:
            message = f"{called(rule)} has no priority, while other rules have one."
            yield about(PRIORITY_PARTIAL, rule, message, "priority")
        elif not loaded.is_v1:
            message = f"{called(rule)} has no priority."
            yield about(PRIORITY_MISSING, rule, message, "priority")
