"""Redirects: where they lead, and that they do not lead in circles."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.models import (
    HttpListener,
    LoadedGateway,
    PathRule,
    RedirectConfiguration,
    RequestRoutingRule,
    UrlPathMap,
)
from gateway.problems import Problem, declare
from gateway.rules.hosts import is_wildcard
from gateway.rules.joins import routes
from gateway.rules.words import about, called, listed, named, texts

_REDIRECTS = "Application Gateway redirect overview article"

TARGET_CHOICE = declare(
    "redirect-target-choice",
    title="A redirect leads to a listener or to an external site",
    why="The browser is sent to exactly one place: to another listener of the gateway, or to a "
    "URL.",
    remedy="Choose a target listener, or enter a target URL.",
    source=_REDIRECTS,
)
URL_INVALID = declare(
    "redirect-url-invalid",
    title="The target URL cannot be read",
    why="Browsers are sent to a full address with http:// or https:// and a host name.",
    remedy="Write the whole address, for example https://www.contoso.com/.",
    source=_REDIRECTS,
)
PATH_WITH_URL = declare(
    "redirect-path-with-url",
    title="The path cannot be taken along to an external site",
    why="Only a redirect to a listener can keep the path of the request; the query string can be "
    "kept in both.",
    remedy="Choose No for Include path, or redirect to a listener.",
    source=_REDIRECTS,
    arm_code="ApplicationGatewayRedirectConfigurationIncludePathCannotBeSpecifiedWithTargetUrl",
)
TARGET_WILDCARD = declare(
    "redirect-target-wildcard",
    title="The target listener has no single name",
    why="The browser needs one address to go to; a listener with wildcards or several host names "
    "has none.",
    remedy="Redirect to a listener with one host name, or to a URL.",
    source="Application Gateway multiple site hosting article",
)
LOOP = declare(
    "redirect-loop",
    title="The redirect leads in a circle",
    why="The browser would be sent back to where it came from, again and again, until it gives up.",
    remedy="Choose another target listener, usually the HTTPS listener of the same site.",
    source=_REDIRECTS,
)


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    for redirect in loaded.redirects:
        yield from _redirect(redirect)
    yield from _loops(loaded)


def _redirect(redirect: RedirectConfiguration) -> Iterator[Problem]:
    listener, url = redirect.target_listener, redirect.target_url
    if listener is not None and url:
        message = f"{called(redirect)} names both {named(listener)} and a URL."
        yield about(TARGET_CHOICE, redirect, message, "target_url")
    elif listener is None and not url:
        message = f"{called(redirect)} names neither a listener nor a URL."
        yield about(TARGET_CHOICE, redirect, message, "target_listener")
    if url and not is_web_address(url):
        message = f"{called(redirect)}: “{url[:80]}” is no address of a site."
        yield about(URL_INVALID, redirect, message, "target_url")
    if url and redirect.include_path:
        message = f"{called(redirect)} takes the path along to “{url[:80]}”."
        yield about(PATH_WITH_URL, redirect, message, "include_path")
    if listener is not None and _has_no_single_name(listener):
        message = f"{called(redirect)} leads to {named(listener)}, which has several host names."
        yield about(TARGET_WILDCARD, redirect, message, "target_listener")


def _has_no_single_name(listener: HttpListener) -> bool:
    hosts = texts(listener.hosts)
    return len(hosts) > 1 or any(is_wildcard(host) for host in hosts)


def is_web_address(url: str) -> bool:
    """Whether ``url`` is an absolute http or https address that browsers can go to."""
    if any(character.isspace() or ord(character) < 32 for character in url) or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port_fits


def _loops(loaded: LoadedGateway) -> Iterator[Problem]:
    """Redirects to their own listener, and circles of listeners that only redirect."""
    onward: dict[int, tuple[RequestRoutingRule, HttpListener]] = {}
    for rule, routed in routes(loaded):
        redirect = routed.redirect_configuration
        target = redirect.target_listener if redirect is not None else None
        listener = rule.http_listener
        if target is None or listener is None:
            continue
        if target.pk == listener.pk:
            row = routed if isinstance(routed, RequestRoutingRule | UrlPathMap | PathRule) else rule
            message = (
                f"{called(row)} redirects requests of {named(listener)} to that same listener."
            )
            yield about(LOOP, row, message, "redirect_configuration")
        elif routed is rule:
            onward[listener.pk] = (rule, target)
    finished: set[int] = set()
    for start in onward:
        trail: dict[int, RequestRoutingRule] = {}
        here = start
        while here in onward and here not in finished and here not in trail:
            rule, target = onward[here]
            trail[here] = rule
            here = target.pk
        if here in trail:
            circle = list(trail.values())[list(trail).index(here) :]
            names = listed(named(rule) for rule in circle)
            message = f"{called(circle[0])} is part of a circle of redirects: {names}."
            yield about(LOOP, circle[0], message, "redirect_configuration")
        finished.update(trail)
