"""Path maps: their defaults and path rules, and how paths are written."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.models import LoadedGateway, PathRule, UrlPathMap
from gateway.problems import Problem, declare
from gateway.rules.routing import redirect_mixed
from gateway.rules.words import about, called, texts

_PATHS = "URL path-based routing overview article"

DEFAULT_MISSING = declare(
    "path-map-default-missing",
    title="The path map has no default",
    why="Requests that match none of the paths go to the default: a backend pool with an HTTP "
    "setting, or a redirect.",
    remedy="Choose a default backend pool and HTTP setting, or a default redirect.",
    source=_PATHS,
    arm_code="ApplicationGatewayUrlPathMapMustSpecifyDefaultBackendHttpSettings",
)
MAP_EMPTY = declare(
    "path-map-empty",
    severity="warning",
    title="The path map has no path",
    why="Without path rules every request goes to the default, as with a basic rule.",
    remedy="Add a path rule, or use a basic rule.",
    source=_PATHS,
)
TARGET_MISSING = declare(
    "path-rule-target-missing",
    title="The path rule leads nowhere",
    why="A path rule sends its paths to a backend pool with an HTTP setting, or to a redirect.",
    remedy="Choose a backend pool and an HTTP setting, or a redirect.",
    source=_PATHS,
)
PATTERN_MISSING = declare(
    "path-rule-empty",
    title="The path rule has no path",
    why="A path rule matches the paths that it lists.",
    remedy="Add a path such as /images/*.",
    source=_PATHS,
)
PATTERN_INVALID = declare(
    "path-pattern-invalid",
    title="The path is not written as paths are",
    why="A path begins with “/”; “*” may stand at its end only, on v1 right after a slash. Query "
    "and fragment (“?” and “#”) take no part.",
    remedy="Write for example /images/* or /video/*.",
    source=_PATHS,
)
PATH_DUPLICATE = declare(
    "path-duplicate",
    title="The path map has the path twice",
    why="Paths do not differ by case, and each leads to one target.",
    remedy="Remove one of the two.",
    source=_PATHS,
    arm_code="ApplicationGatewayPathsWithinUrlPathMapMustBeUnique",
)


def path_fault(path: str, *, v1: bool) -> str:
    """Why a path pattern is not accepted, for “… because {fault}”; empty if it is."""
    if not path.startswith("/"):
        return "it does not begin with “/”"
    if "?" in path or "#" in path:
        return "it has “?” or “#”"
    if any(character.isspace() or ord(character) < 32 for character in path):
        return "it has a blank"
    star = path.find("*")
    if 0 <= star < len(path) - 1:
        return "“*” stands before its end"
    if v1 and star > 0 and path[star - 1] != "/":
        return "on v1 “*” stands right after “/”"
    return ""


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    for path_map in loaded.path_maps:
        yield from _defaults(path_map)
        yield from _path_rules(loaded, path_map)


def _defaults(path_map: UrlPathMap) -> Iterator[Problem]:
    if path_map.redirect_configuration is not None:
        yield from redirect_mixed(path_map, path_map)
        return
    for field, noun in (
        ("backend_address_pool", "backend pool"),
        ("backend_http_settings", "HTTP setting"),
    ):
        if getattr(path_map, field) is None:
            message = f"{called(path_map)} has no default {noun} and no default redirect."
            yield about(DEFAULT_MISSING, path_map, message, field)


def _path_rules(loaded: LoadedGateway, path_map: UrlPathMap) -> Iterator[Problem]:
    rules = loaded.path_rules(path_map)
    if not rules:
        message = f"{called(path_map)} has no path rule."
        yield about(MAP_EMPTY, path_map, message, "path_rules")
    owners: dict[str, PathRule] = {}
    for rule in rules:
        yield from _target(rule)
        paths = texts(rule.paths)
        if not paths:
            message = f"{_called(rule)} lists no path."
            yield about(PATTERN_MISSING, rule, message, "paths")
        for path in paths:
            fault = path_fault(path, v1=loaded.is_v1)
            if fault:
                message = f"{_called(rule)} cannot have the path “{path[:80]}”, because {fault}."
                yield about(PATTERN_INVALID, rule, message, "paths")
            owner = owners.get(path.lower())
            if owner is not None:
                where = " twice" if owner is rule else f", as has path rule “{owner.name}”"
                message = f"{_called(rule)} has the path “{path[:80]}”{where}."
                yield about(PATH_DUPLICATE, rule, message, "paths")
            owners.setdefault(path.lower(), rule)


def _target(rule: PathRule) -> Iterator[Problem]:
    if rule.redirect_configuration is not None:
        yield from redirect_mixed(rule, rule)
        return
    for field, noun in (
        ("backend_address_pool", "backend pool"),
        ("backend_http_settings", "HTTP setting"),
    ):
        if getattr(rule, field) is None:
            message = f"{_called(rule)} names no {noun} and no redirect."
            yield about(TARGET_MISSING, rule, message, field)


def _called(rule: PathRule) -> str:
    return f"{called(rule)} of path map “{rule.path_map.name}”"
