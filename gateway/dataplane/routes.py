"""What becomes of a request: the routes of a rule, first match first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, quote, urlsplit

from gateway.dataplane.access import route_name
from gateway.dataplane.clusters import cluster_name
from gateway.dataplane.envoy import Config, extension, seconds, tagged, typed
from gateway.dataplane.pages import direct, escaped
from gateway.dataplane.rewrites import FILTER as REWRITE_FILTER
from gateway.dataplane.rewrites import FORWARDED_FOR
from gateway.dataplane.sites import Site
from gateway.dataplane.work import Work
from gateway.models import (
    Affinity,
    BackendHttpSettings,
    HttpListener,
    OperationalState,
    Protocol,
    RedirectConfiguration,
    Routed,
    RuleType,
)
from gateway.rules.words import texts

# Requests that do no harm when they come twice (RFC 9110, 9.2.2).
_IDEMPOTENT = "GET|HEAD|OPTIONS|PUT|DELETE"
AFFINITY_FILTER = "envoy.filters.http.stateful_session"
AFFINITY_COOKIE = "ApplicationGatewayAffinity"
# Its twin for requests that pages of other sites make, to which browsers attach no other cookie.
CORS_AFFINITY_FILTER = f"{AFFINITY_FILTER}.cors"
_CORS = "CORS"
_FOR_OTHER_SITES = [{"name": "SameSite", "value": "None"}, {"name": "Secure"}]
_CODES = {
    RedirectConfiguration.Type.PERMANENT: "MOVED_PERMANENTLY",
    RedirectConfiguration.Type.FOUND: "FOUND",
    RedirectConfiguration.Type.SEE_OTHER: "SEE_OTHER",
    RedirectConfiguration.Type.TEMPORARY: "TEMPORARY_REDIRECT",
}
_NUMBERS = {
    RedirectConfiguration.Type.PERMANENT: 301,
    RedirectConfiguration.Type.FOUND: 302,
    RedirectConfiguration.Type.SEE_OTHER: 303,
    RedirectConfiguration.Type.TEMPORARY: 307,
}
# The client's address and port, after what it brought along ("How an application gateway works").
_FORWARDED: Config = {
    "header": {"key": FORWARDED_FOR, "value": "%DOWNSTREAM_REMOTE_ADDRESS%"},
    "append_action": "APPEND_IF_EXISTS_OR_ADD",
}
_USUAL_PORTS = {"http": 80, "https": 443}
# Names of routes that belong to no rule; names of rules have no slash.
TRACE = "/trace"
MALFORMED = "/malformed"
# A name or an IPv6 address in brackets, maybe with a port.
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^:,@\[\]]+)(?::[0-9]*)?"


def routes_of(work: Work, site: Site, *, headers: list[Config] | None = None) -> list[Config]:
    """The routes of a site's rule; ``headers`` are matchers that each of them has as well."""
    rule = site.rule
    found = []
    if rule.rule_type == RuleType.PATH_BASED and rule.url_path_map is not None:
        path_map = rule.url_path_map
        for path_rule in work.loaded.path_rules(path_map):
            for path in texts(path_rule.paths):
                found.append(_route(work, site, path_rule, path, path_rule.name))
        found.append(_route(work, site, path_map, "", ""))
    else:
        found.append(_route(work, site, rule, "", ""))
    for route in found:
        if headers:
            route["match"] = {**route["match"], "headers": headers}
    return found


def catch_all(status: int) -> Config:
    """The route of hosts that no listener takes."""
    return {"match": {"prefix": "/"}, "direct_response": direct(status)}


def trace() -> Config:
    """The route that refuses TRACE ("HTTP response codes in Application Gateway", 400)."""
    return _refused(TRACE, {"name": ":method", "string_match": {"exact": "TRACE"}})


def malformed_host() -> Config:
    """The route that refuses a Host header that is no host: empty, twice, with two ports."""
    pattern = {"safe_regex": {"regex": _HOST}}
    return _refused(
        MALFORMED, {"name": ":authority", "string_match": pattern, "invert_match": True}
    )


def _refused(name: str, header: Config) -> Config:
    return {"name": name, **catch_all(400), "match": {"prefix": "/", "headers": [header]}}


def _route(work: Work, site: Site, routed: Routed, path: str, path_rule: str) -> Config:
    name = "/".join(part for part in (site.rule.name, path_rule) if part)
    whose = site.listener.name, site.rule.name
    route: Config = {"name": route_name(name, *whose), "match": _match(path)}
    facts = {"listener": site.listener.name, "rule": site.rule.name}
    redirect = routed.redirect_configuration
    pool, settings = routed.backend_address_pool, routed.backend_http_settings
    is_stopped = work.loaded.gateway.operational_state == OperationalState.STOPPED
    if redirect is not None and not is_stopped:
        target = _redirect(work, site, redirect)
        if target is not None:
            return {**route, "metadata": tagged(**facts), **target}
    if is_stopped or pool is None or settings is None:
        return {**route, "metadata": tagged(**facts), "direct_response": direct(502)}
    facts |= {"pool": pool.name, "settings": settings.name}
    route["name"] = route_name(name, *whose, pool.name, settings.name)
    route["metadata"] = tagged(**facts)
    route["route"] = _action(settings, cluster_name(work.loaded.gateway.pk, pool, settings))
    override = _overridden(settings.path, path)
    if override is not None:
        route["route"]["regex_rewrite"] = override
    rule_set = routed.rewrite_rule_set
    rewriting = work.rewrites.sets.get(rule_set.pk) if rule_set is not None else None
    if rewriting is None or FORWARDED_FOR not in rewriting.touched:
        route["request_headers_to_add"] = [_FORWARDED]
    per_filter = {}
    if rewriting is not None:
        per_filter[REWRITE_FILTER] = rewriting.per_route()
    if settings.cookie_based_affinity == Affinity.ENABLED:
        name = settings.affinity_cookie_name or AFFINITY_COOKIE
        per_filter[AFFINITY_FILTER] = _affinity(name)
        per_filter[CORS_AFFINITY_FILTER] = _affinity(f"{name}{_CORS}", _FOR_OTHER_SITES)
    if per_filter:
        route["typed_per_filter_config"] = per_filter
    return route


def _match(path: str) -> Config:
    """A path of a path rule; none is every path. Upper and lower case are the same."""
    if not path:
        return {"prefix": "/"}
    if path.endswith("*"):
        return {"prefix": path[:-1], "case_sensitive": False}
    return {"path": path, "case_sensitive": False}


def _action(settings: BackendHttpSettings, cluster: str) -> Config:
    """To a cluster. The request time-out is the time without any byte of an answer."""
    action: Config = {
        "cluster": cluster,
        "timeout": "0s",
        "idle_timeout": seconds(settings.request_timeout),
    }
    if settings.host_name:
        action["host_rewrite_literal"] = settings.host_name
    elif settings.pick_host_name_from_backend_address:
        action["auto_host_rewrite"] = True
    return action


def retries() -> Config:
    """Once more, with another server if there is one, where no server can have seen the request.

    It is the same for all routes of a host. See :func:`retry_filter` for more.
    """
    return {
        "retry_on": "connect-failure,reset-before-request",
        "num_retries": 1,
        "retry_host_predicate": [
            extension(
                "envoy.retry_host_predicates.previous_hosts",
                "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            )
        ],
    }


def retry_filter() -> Config:
    """A server may close a connection just when it is used again: who may ask again then.

    The header is the engine's own and goes no further; it is taken from clients before this. A
    policy that looks at methods would do so for all reasons, and an expression costs more.
    """
    is_idempotent = {
        "input": extension(
            "method", "type.matcher.v3.HttpRequestHeaderMatchInput", header_name=":method"
        ),
        "value_match": {"safe_regex": {"google_re2": {}, "regex": _IDEMPOTENT}},
    }
    skip = extension("skip", "extensions.filters.common.matcher.action.v3.SkipFilter")
    unlike = {
        "predicate": {"not_matcher": {"single_predicate": is_idempotent}},
        "on_match": {"action": skip},
    }
    added = {
        "header": {"key": "x-envoy-retry-on", "value": "reset"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return extension(
        "envoy.filters.http.match_delegate",
        "extensions.common.matching.v3.ExtensionWithMatcher",
        extension_config=extension(
            REWRITE_FILTER,
            "extensions.filters.http.header_mutation.v3.HeaderMutation",
            mutations={"request_mutations": [{"append": added}]},
        ),
        xds_matcher={"matcher_list": {"matchers": [unlike]}},
    )


def _overridden(override: str, path: str) -> Config | None:
    """The setting's path in the place of what the path rule matched, or before the whole path.

    "Application Gateway HTTP settings configuration", override backend path: /pathrule* with
    /override/ turns /pathrule/home/ into /override/home/, and /home/ of a basic rule likewise.
    """
    if not override:
        return None
    prefix = path.removesuffix("*")
    whole = bool(path) and not path.endswith("*")
    pattern = f"^(?i:{re.escape(prefix)})" + ("$" if whole else "/*")
    replacement = override if whole or override.endswith("/") else f"{override}/"
    return {
        "pattern": {"regex": pattern},
        "substitution": replacement.replace("\\", "\\\\"),
    }


def _affinity(name: str, attributes: Sequence[Config] = ()) -> Config:
    """A cookie by which a client comes back to its server.

    "Application Gateway HTTP settings configuration", cookie-based affinity: all tiers set two.
    """
    cookie: Config = {"name": name, "path": "/", "ttl": "0s"}
    if attributes:
        cookie["attributes"] = list(attributes)
    state = extension(
        "envoy.http.stateful_session.cookie",
        "extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
        cookie=cookie,
    )
    return typed(
        "extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute",
        stateful_session={"session_state": state},
    )


def _redirect(work: Work, site: Site, redirect: RedirectConfiguration) -> Config | None:
    """What a route redirects by; ``None`` where the target listener is not published."""
    kind = RedirectConfiguration.Type(redirect.redirect_type)
    with_query = bool(redirect.include_query_string)
    if redirect.target_listener is None:
        parts = urlsplit(redirect.target_url)
        if parts.query or parts.fragment:
            return _answered(parts, kind, with_query=with_query)
        target: Config | None = _to_url(parts)
    else:
        target = _to_listener(work, site, redirect.target_listener)
        if target is not None and not redirect.include_path:
            target["path_redirect"] = "/"
    if target is None:
        return None
    action: Config = {"response_code": _CODES[kind], **target}
    if not with_query:
        action["strip_query"] = True
    return {"redirect": action}


def _to_listener(work: Work, site: Site, listener: HttpListener) -> Config | None:
    number = _number(work, listener)
    if number is None:
        return None
    scheme = _scheme(listener)
    target: Config = {"scheme_redirect": scheme}
    if listener.hosts:
        target["host_redirect"] = listener.hosts[0]
    # A usual port is left out. Without a host name the client's own is kept, with its port, which
    # then must be replaced unless it is the usual one, too.
    is_usual = number == _USUAL_PORTS[scheme]
    came_usual = _number(work, site.listener) == _USUAL_PORTS[_scheme(site.listener)]
    if not is_usual or not (listener.hosts or came_usual):
        target["port_redirect"] = number
    return target


def _number(work: Work, listener: HttpListener) -> int | None:
    """The port number at which a listener is published."""
    frontend, port = listener.frontend_ip_configuration_id, listener.frontend_port
    published = work.inputs.ports.get((frontend or 0, port.port if port else 0))
    return published[1] if published else None


def _scheme(listener: HttpListener) -> str:
    return "https" if listener.protocol == Protocol.HTTPS else "http"


def _to_url(parts: SplitResult) -> Config:
    target: Config = {
        "scheme_redirect": parts.scheme,
        "host_redirect": _host(parts),
        "path_redirect": _path(parts),
    }
    if _has_own_port(parts):
        target["port_redirect"] = parts.port
    return target


def _answered(parts: SplitResult, kind: RedirectConfiguration.Type, *, with_query: bool) -> Config:
    """A redirect to a URL with a query string or a fragment, written out.

    The engine's own redirects would drop the fragment, and with a query string the client's.
    """
    port = f":{parts.port}" if _has_own_port(parts) else ""
    location = escaped(f"{parts.scheme}://{_host(parts)}{port}{_path(parts)}")
    if parts.query:
        location += escaped(f"?{_encoded(parts.query)}")
    if with_query:
        joint = "&" if parts.query else "?"
        location += f"%CEL(request.query == '' ? '' : '{joint}')%%CEL(request.query)%"
    if parts.fragment:
        location += escaped(f"#{_encoded(parts.fragment)}")
    return {
        "direct_response": {"status": _NUMBERS[kind]},
        "response_headers_to_add": [
            {
                "header": {"key": "location", "value": location},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _has_own_port(parts: SplitResult) -> bool:
    return parts.port is not None and parts.port != _USUAL_PORTS.get(parts.scheme)


def _path(parts: SplitResult) -> str:
    return _encoded(parts.path) or "/"


def _encoded(text: str) -> str:
    """What a URL cannot hold as it is, such as letters with accents, in percent signs."""
    return quote(text, safe="/?#[]@!$&'()*+,;=:%-._~")
