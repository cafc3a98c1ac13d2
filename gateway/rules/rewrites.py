"""Rewrite sets: conditions and actions in ARM's shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from gateway.models import LoadedGateway, RewriteRule
from gateway.problems import Kind, Problem, declare
from gateway.rules.words import about, called

_REWRITES = "Rewrite HTTP headers and URL with Application Gateway article"

ACTION_MISSING = declare(
    "rewrite-action-missing",
    title="The rewrite rule changes nothing",
    why="A rewrite rule sets or deletes headers, or rewrites the URL.",
    remedy="Add an action to the rewrite rule, or remove the rule.",
    source=_REWRITES,
)
HEADER_INVALID = declare(
    "rewrite-header-invalid",
    title="The header cannot be rewritten",
    why="A header's name is made of letters, digits and hyphens, its value stands on one line. "
    "Connection and Upgrade belong to the connection itself and cannot be rewritten.",
    remedy="Correct the name or the value; an empty value deletes the header.",
    source=_REWRITES,
)
CONDITION_INCOMPLETE = declare(
    "rewrite-condition-incomplete",
    title="The condition is incomplete",
    why="A condition compares a variable with a pattern.",
    remedy="Choose the variable and enter the pattern, or remove the condition.",
    source=_REWRITES,
)
URL_INVALID = declare(
    "rewrite-url-invalid",
    title="The rewritten URL cannot be used",
    why="Path and query string stand on one line; a URL rewrite changes at least one of the two.",
    remedy="Enter a path or a query string without line breaks.",
    source=_REWRITES,
)

_REFERENCE = re.compile(r"\{[A-Za-z][^{}\s]*\}")
_PORT = re.compile(r":\d*\Z")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}\Z", re.ASCII)
_UNTOUCHABLE = frozenset({"connection", "upgrade"})


def hosts_after(rules: Iterable[RewriteRule], host: str) -> list[str]:
    """The host names by which a request for ``host`` may leave, ``host`` or a pattern among them.

    A rule with conditions may change it or not. What a rule takes from the request is ``*`` here.
    """
    found = [host]
    for rule in sorted(rules, key=lambda rule: rule.rule_sequence or 0):
        actions = rule.action_set if isinstance(rule.action_set, dict) else {}
        for header in _objects(actions.get("requestHeaderConfigurations")):
            value = _text(header, "headerValue").strip()
            if _text(header, "headerName").lower() == "host" and value:
                made = _PORT.sub("", _REFERENCE.sub("*", value))
                found = [*found, made] if rule.conditions else [made]
    return list(dict.fromkeys(found))


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    for rule_set in loaded.rewrite_rule_sets:
        for rule in loaded.rewrite_rules(rule_set):
            for kind, message in (*_conditions(rule), *_actions(rule)):
                text = f"{called(rule_set)}, rewrite rule “{rule.name}”: {message}"
                yield about(kind, rule_set, text, "rules")


def _conditions(rule: RewriteRule) -> Iterator[tuple[Kind, str]]:
    for condition in _objects(rule.conditions):
        if not (_text(condition, "variable") and _text(condition, "pattern")):
            yield CONDITION_INCOMPLETE, "a condition has no variable or no pattern."


def _actions(rule: RewriteRule) -> Iterator[tuple[Kind, str]]:
    actions = rule.action_set if isinstance(rule.action_set, dict) else {}
    headers = [
        *_objects(actions.get("requestHeaderConfigurations")),
        *_objects(actions.get("responseHeaderConfigurations")),
    ]
    url = actions.get("urlConfiguration")
    if not headers and not url:
        yield ACTION_MISSING, "it has no action."
    for header in headers:
        name, value = _text(header, "headerName"), _text(header, "headerValue")
        shown = name[:80]
        if not _HEADER_NAME.match(name):
            yield HEADER_INVALID, f"“{shown}” is no name of a header."
        elif name.lower() in _UNTOUCHABLE:
            yield HEADER_INVALID, f"the header “{shown}” cannot be rewritten."
        elif _breaks(value):
            yield HEADER_INVALID, f"the value for the header “{shown}” has a line break."
    if isinstance(url, dict) and url:
        path, query = _text(url, "modifiedPath"), _text(url, "modifiedQueryString")
        if _breaks(path) or _breaks(query):
            yield URL_INVALID, "path or query string has a line break."
        elif "modifiedPath" not in url and "modifiedQueryString" not in url:
            yield URL_INVALID, "the URL rewrite has neither a path nor a query string."


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _breaks(text: str) -> bool:
    return "\r" in text or "\n" in text
