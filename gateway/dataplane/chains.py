"""One filter chain: the connection manager with its table of hosts."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.dataplane.access import ORIGINAL_HOST, ORIGINAL_URL, TRACE_ID, access_log
from gateway.dataplane.clients import ClientCheck, client_filters
from gateway.dataplane.envoy import Config, extension, seconds
from gateway.dataplane.routes import (
    AFFINITY_FILTER,
    CORS_AFFINITY_FILTER,
    catch_all,
    malformed_host,
    retries,
    retry_filter,
    routes_of,
    trace,
)
from gateway.dataplane.sites import Place, Site, regex_of
from gateway.dataplane.work import Work

# A client that opens a connection and sends nothing is given up after this.
HEADERS_SECONDS = 60
_OVERWRITE = "OVERWRITE_IF_EXISTS_OR_ADD"


def connection_manager(
    work: Work,
    name: str,
    hosts: list[Config],
    *,
    has_tls: bool,
    client: ClientCheck | None = None,
) -> Config:
    """The network filter that speaks HTTP.

    ``hosts`` are its virtual hosts, ``client`` what it asks of clients. Headers that rewrite sets
    take from client certificates are removed first, at every listener of the gateway: where no
    certificate is asked for, a client could bring them along.
    """
    gateway = work.loaded.gateway
    return extension(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=name,
        # HTTP/2 comes with TLS only ("listener configuration", HTTP2 support).
        codec_type="AUTO" if has_tls and gateway.enable_http2 else "HTTP1",
        http_protocol_options={"accept_http_10": True},
        use_remote_address=True,
        skip_xff_append=True,
        append_x_forwarded_port=True,
        # No client is believed to be internal: such a one could set time-outs and retries.
        internal_address_config={
            "cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]
        },
        normalize_path=True,
        # The name with its final dot is the same name, for rules, servers and certificates alike.
        strip_trailing_host_dot=True,
        generate_request_id=False,
        preserve_external_request_id=True,
        server_header_transformation="PASS_THROUGH",
        forward_client_cert_details="SANITIZE",
        request_headers_timeout=seconds(HEADERS_SECONDS),
        upgrade_configs=[{"upgrade_type": "websocket"}],
        early_header_mutation_extensions=[
            extension(
                "forwarded",
                "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                mutations=_early(work),
            )
        ],
        local_reply_config=work.local_replies,
        access_log=access_log(
            gateway.pk,
            is_v1=work.loaded.is_v1,
            has_tls=has_tls,
            asks_client=client is not None,
        ),
        http_filters=[*client_filters(client), *work.rewrites.filters, *_filters(hosts)],
        route_config={
            "name": name,
            "ignore_port_in_host_matching": True,
            "validate_clusters": False,
            "virtual_hosts": hosts,
            **_late(work),
        },
    )


# Headers that a backend can rely on: whatever the client sent under these names is gone ("How an
# application gateway works", modifications to the request). ``x-forwarded-proto`` and
# ``x-forwarded-port``, the port that the client really used, are the engine's own.
_FORWARDED = {
    ORIGINAL_HOST: "%REQ(:AUTHORITY)%",
    ORIGINAL_URL: "%REQ(:PATH)%",
    TRACE_ID: "%UNIQUE_ID%",
}


def _early(work: Work) -> list[Config]:
    """What happens to a request's headers before anything looks at them.

    Rewrite sets look at the forwarded headers, change them and move what they are made of, so for
    these they are set here.
    """
    removed = [{"remove": name} for name in (*work.rewrites.stripped, *_FORWARDED)]
    return [*removed, *({"append": one} for one in _forwarded() if work.rewrites.sets)]


def _late(work: Work) -> Config:
    """What happens to them on the way to a backend, where each costs the engine less."""
    return {
        "request_headers_to_remove": ["x-envoy-external-address"],
        "request_headers_to_add": [] if work.rewrites.sets else _forwarded(),
    }


def _forwarded() -> list[Config]:
    return [
        {"header": {"key": key, "value": value}, "append_action": _OVERWRITE}
        for key, value in _FORWARDED.items()
    ]


def _filters(hosts: list[Config]) -> list[Config]:
    """The filters behind those of clients and rewrites; affinity's only where a route has it."""
    routes = (route for host in hosts for route in host["routes"])
    has_affinity = any(AFFINITY_FILTER in one.get("typed_per_filter_config", {}) for one in routes)
    # The cookie of the last one counts: browsers always attach that on the site itself.
    both = (CORS_AFFINITY_FILTER, AFFINITY_FILTER)
    affinity = "extensions.filters.http.stateful_session.v3.StatefulSession"
    return [
        *(extension(name, affinity) for name in both if has_affinity),
        retry_filter(),
        extension(
            "envoy.filters.http.router",
            "extensions.filters.http.router.v3.Router",
            suppress_envoy_headers=True,
            # Counters by status for each cluster: the access log tells them, and nobody reads them.
            dynamic_stats=False,
        ),
    ]


def virtual_hosts(
    work: Work, place: Place, sites: Sequence[Site], *, is_default: bool
) -> list[Config]:
    """The table of hosts of a chain that serves ``sites``.

    A host of another listener gets 421 here: what that one asks of clients (a certificate, a TLS
    policy) has not been asked on this connection. ``is_default``: the chain also takes clients
    that name no server or an unknown one, so a host that no listener has is answered by the basic
    listener or told so; elsewhere it is not what the connection was made for.
    """
    hosts = []
    ordered: list[Config] = []
    foreign: list[str] = []
    # Whom a host belongs to matters where all come, or where patterns are asked one by one.
    asked = place.sites if is_default or place.by_pattern else sites
    mine = {site.listener.pk for site in sites}
    for site in asked:
        if site.is_basic:
            continue
        if site.listener.pk not in mine:
            foreign += _domains(place, site)
            ordered += [_misdirected(headers) for headers in _matchers(place, site)]
            continue
        domains = _domains(place, site)
        if domains:
            refused = [malformed_host(), trace()] if site.suffixes else [trace()]
            hosts.append(
                {
                    "name": site.listener.name,
                    "domains": domains,
                    "routes": [*refused, *routes_of(work, site)],
                    "retry_policy": retries(),
                }
            )
        for headers in _matchers(place, site):
            ordered += routes_of(work, site, headers=headers)
    if foreign and is_default:
        hosts.append({"name": ELSEWHERE, "domains": foreign, "routes": [_misdirected()]})
    rest = _rest(work, place, sites, is_default=is_default)
    # Where no other name is taken, one that is none gets what any other gets.
    refused = [malformed_host(), trace()] if is_default or ordered else [trace()]
    routes = [*refused, *ordered, *rest]
    last = {"name": REST, "domains": ["*"], "routes": routes, "retry_policy": retries()}
    return [*hosts, last]


# Virtual hosts of no listener; names of listeners have no slash.
ELSEWHERE = "/elsewhere"
REST = "/rest"


def _rest(work: Work, place: Place, sites: Sequence[Site], *, is_default: bool) -> list[Config]:
    """The routes of hosts that none of the chain's own names covers."""
    basic = place.basic
    if not is_default:
        return [_misdirected()]
    if basic is None:
        return [catch_all(404)]
    return routes_of(work, basic) if basic in sites else [_misdirected()]


def _domains(place: Place, site: Site) -> list[str]:
    """The names for Envoy's table; with patterns on the port wildcards are asked in order."""
    return list(site.exact if place.by_pattern else (*site.exact, *site.suffixes))


def _matchers(place: Place, site: Site) -> list[list[Config]]:
    """For each wildcard that the table cannot hold, the matcher of its hosts."""
    if not place.by_pattern:
        return []
    return [
        [
            {
                "name": ":authority",
                "string_match": {
                    "safe_regex": {"regex": f"(?i)(?:{regex_of(pattern)})(?::[0-9]+)?"}
                },
            }
        ]
        for pattern in site.wildcards
    ]


def _misdirected(headers: list[Config] | None = None) -> Config:
    route = catch_all(421)
    if headers:
        route["match"] = {**route["match"], "headers": headers}
    return route


def plain_on_tls(work: Work, name: str) -> Config:
    """The connection manager for plain HTTP on a port of HTTPS: 400, whatever is asked."""
    rest = {"name": REST, "domains": ["*"], "routes": [catch_all(400)]}
    return connection_manager(work, name, [rest], has_tls=False)
