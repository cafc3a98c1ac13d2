"""A second look at compiled documents, which knows nothing of how they were made.

Three faults would be silent, so they are looked for in the documents themselves: a backend context
that accepts an untrusted certificate, a table by which somebody gets around client authentication,
and a header that speaks for a client's certificate and could be brought along by anybody.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from gateway.dataplane.envoy import METADATA, Config
from gateway.dataplane.faces import NOBODY
from gateway.dataplane.variables import cel_text

_UPSTREAM = "UpstreamTlsContext"
_FROM_CERTIFICATE = re.compile(r"DOWNSTREAM_PEER|connection\.mtls|shadow_engine_result")
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


class AuditError(Exception):
    """The documents must not be handed out; the text lists the faults."""


def check(listeners: Iterable[Config], clusters: Iterable[Config]) -> None:
    """Raise :class:`AuditError` if the documents of a gateway have a fault."""
    found = list(faults(listeners, clusters))
    if found:
        raise AuditError("; ".join(found))


def faults(listeners: Iterable[Config], clusters: Iterable[Config]) -> Iterator[str]:
    """Every fault of the documents of one gateway, as a sentence for its developers."""
    for cluster in clusters:
        for fault in _cluster(cluster):
            yield f"{cluster['name']}: {fault}"
    listeners = list(listeners)
    for listener in listeners:
        for fault in _tables(listener):
            yield f"{listener['name']}: {fault}"
    yield from _headers(listeners)


# -- Backends ------------------------------------------------------------------------------------


def _cluster(cluster: Config) -> Iterator[str]:
    facts = cluster.get("metadata", {}).get("filter_metadata", {}).get(METADATA, {})
    sockets = [cluster["transport_socket"]] if "transport_socket" in cluster else []
    matches = cluster.get("transport_socket_matches", [])
    sockets += [one["transport_socket"] for one in matches]
    if facts.get("trust") != "none" and not sockets:
        yield "speaks no TLS, though its setting does"
    if cluster.get("type") != "STATIC":
        yield "looks up names by itself"
    panic = cluster.get("common_lb_config", {}).get("healthy_panic_threshold", {})
    if panic.get("value") != 0:
        yield "sends traffic to servers that are down"
    options = cluster.get("typed_extension_protocol_options", {}).get(_OPTIONS, {})
    names = options.get("upstream_http_protocol_options", {})
    for socket in sockets:
        yield from _context(socket["typed_config"], names, facts)
    faces = {one["match"]["face"] for one in matches}
    for group in cluster["load_assignment"]["endpoints"]:
        for endpoint in group["lb_endpoints"]:
            tags = endpoint.get("metadata", {}).get("filter_metadata", {})
            face = tags.get("envoy.transport_socket_match", {}).get("face")
            if matches and face not in faces:
                yield "has a server without a context of its own"
    filters = [one["typed_config"] for one in options.get("http_filters", [])]
    if not filters or not filters[-1]["@type"].endswith("UpstreamCodec"):
        yield "has no codec behind its guard"
    guards = [one for one in filters if one["@type"].endswith(".RBAC")]
    if any(one["rules"]["action"] != "DENY" for one in guards):
        yield "has a guard that lets in"


def _context(context: Config, names: Config, facts: Config) -> Iterator[str]:
    """The context must check the chain and the name, or want a certificate by its hash."""
    if not context["@type"].endswith(_UPSTREAM):
        yield "has a context of another kind"
        return
    validation = context.get("common_tls_context", {}).get("validation_context", {})
    if "trust_chain_verification" in validation or "system_root_certs" in validation:
        yield "accepts any certificate"
    hashes, roots = validation.get("verify_certificate_hash", []), "trusted_ca" in validation
    if not hashes and not roots:
        yield "accepts any certificate"
    if context.get("max_session_keys") != 0:
        yield "resumes sessions without a look at the certificate"
    if hashes == [NOBODY]:
        return
    if validation.get("allow_expired_certificate") and not hashes:
        yield "accepts expired certificates"
    if hashes and not roots and facts.get("trust") != "pinned" and facts.get("chain") != "off":
        yield "does not check the chain"
    checks_name = bool(context.get("auto_sni_san_validation"))
    follows_client = bool(names.get("auto_sni"))
    if follows_client and checks_name and not names.get("auto_san_validation"):
        yield "checks no name where a client asks for an address"
    if checks_name and "sni" not in context and not follows_client:
        yield "checks a name that it does not send"
    if not hashes and not checks_name and facts.get("name") != "off":
        yield "does not check the name"


# -- Client authentication -----------------------------------------------------------------------


def _chains(listener: Config) -> list[Config]:
    default = listener.get("default_filter_chain")
    return [*listener.get("filter_chains", []), *([default] if default else [])]


def _manager(chain: Config) -> Config:
    config: Config = chain["filters"][-1]["typed_config"]
    return config


def _tables(listener: Config) -> Iterator[str]:
    """A site is reached over chains of one posture only, and a chain holds to its own."""
    postures: dict[str, set[str]] = defaultdict(set)
    for chain in _chains(listener):
        manager = _manager(chain)
        yield from _client_filters(chain, manager)
        if manager.get("forward_client_cert_details") != "SANITIZE":
            yield "takes a client's word for its certificate"
        posture = repr(_posture(chain))
        for host in manager["route_config"]["virtual_hosts"]:
            for route in host["routes"]:
                facts = route.get("metadata", {}).get("filter_metadata", {}).get(METADATA, {})
                if "route" in route or "redirect" in route:
                    postures[facts.get("listener", "")].add(posture)
    for name, found in postures.items():
        if not name:
            yield "has a route of no listener"
        if len(found) > 1:
            yield f"leads to “{name}” over connections that were asked for different things"


def _tls(chain: Config) -> Config:
    socket = chain.get("transport_socket", {}).get("typed_config", {})
    common: Config = socket.get("common_tls_context", {})
    return common


def _posture(chain: Config) -> tuple[Any, ...]:
    common = _tls(chain)
    return common.get("tls_params"), common.get("validation_context"), _enforces(_manager(chain))


def _enforces(manager: Config) -> bool:
    first = manager["http_filters"][0]["typed_config"]
    is_guard = str(first["@type"]).endswith(".RBAC")
    return is_guard and first.get("rules", {}).get("action") == "ALLOW"


def _client_filters(chain: Config, manager: Config) -> Iterator[str]:
    validation = _tls(chain).get("validation_context")
    if validation is None:
        return
    if "trusted_ca" in validation and not _enforces(manager):
        yield "asks clients for certificates and lets everybody in"
    principals = [
        one
        for policy in manager["http_filters"][0]["typed_config"]
        .get("rules", {})
        .get("policies", {})
        .values()
        for one in policy["principals"]
    ]
    if any("custom" not in one for one in principals):
        yield "lets in clients for another reason than their certificate"


# -- Headers -------------------------------------------------------------------------------------


def _headers(listeners: list[Config]) -> Iterator[str]:
    """Headers taken from certificates are removed first, at every listener."""
    managers = [_manager(chain) for listener in listeners for chain in _chains(listener)]
    tainted: set[str] = set()
    for manager in managers:
        for host in manager["route_config"]["virtual_hosts"]:
            for route in host["routes"]:
                for mutations in _request_mutations(route):
                    tainted |= _tainted(mutations)
        for level in (manager["route_config"], *manager["route_config"]["virtual_hosts"]):
            added = level.get("request_headers_to_add", [])
            tainted |= _tainted([{"append": one} for one in added])
    for manager in managers:
        removed = _removed_first(manager)
        for name in sorted(tainted - removed):
            yield f"{manager['stat_prefix']}: a client can bring “{name}” along"


def _request_mutations(route: Config) -> Iterator[list[Config]]:
    yield [{"append": one} for one in route.get("request_headers_to_add", [])]
    for config in route.get("typed_per_filter_config", {}).values():
        yield config.get("mutations", {}).get("request_mutations", [])


def _tainted(mutations: list[Config]) -> set[str]:
    """Headers whose value comes from a certificate, directly or by way of another header.

    Headers that the list itself has removed before it sets them are nobody's but the gateway's.
    """
    found: set[str] = set()
    exposed: set[str] = set()
    removed: set[str] = set()
    for mutation in mutations:
        if "remove" in mutation:
            removed.add(mutation["remove"].lower())
            # What is set under this name from now on is something else.
            found.discard(mutation["remove"].lower())
            continue
        header = mutation["append"]["header"]
        name, value = header["key"].lower(), header["value"]
        by_way = any(cel_text(other) in value or f"({other})" in value for other in found)
        if _FROM_CERTIFICATE.search(value) or by_way:
            found.add(name)
            if name not in removed:
                exposed.add(name)
    return exposed


def _removed_first(manager: Config) -> set[str]:
    removed: set[str] = set()
    appended: set[str] = set()
    for one in manager["early_header_mutation_extensions"]:
        for mutation in one["typed_config"]["mutations"]:
            if "remove" in mutation:
                removed.add(mutation["remove"].lower())
            else:
                appended.add(mutation["append"]["header"]["key"].lower())
    return removed - appended
