"""One cluster for each pair of pool and HTTP setting that a rule joins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.dataplane import notes
from gateway.dataplane.envoy import Config, Files, extension, seconds, tagged, typed
from gateway.dataplane.faces import (
    Face,
    face_of,
    is_common_name_only,
    nobody,
    protocol_options,
    socket_of,
)
from gateway.dataplane.forbidden import Forbidden
from gateway.dataplane.inputs import Inputs, Member
from gateway.dataplane.pages import GUARD_POLICY
from gateway.dataplane.work import Work
from gateway.models import BackendAddress, BackendAddressPool, BackendHttpSettings, OperationalState
from gateway.problems import Problem, at
from gateway.rules.joins import Pair, pairs, routes
from gateway.rules.names import Trust, header_of, trust_of
from gateway.rules.traffic import ANY_HOST

# A server that does not even answer a connection is given up after this; the handshake counts in.
MOST_CONNECT_SECONDS = 5.0
# The engine's own bounds are for meshes: 1,024 connections, and three requests sent again at once.
_BREAKERS = {
    "max_connections": 100_000,
    "max_pending_requests": 100_000,
    "max_requests": 100_000,
    "max_retries": 1_000,
}
_UNKNOWN_MEMBER = Member("unknown", ())


@dataclass(frozen=True, slots=True)
class Server:
    """A member that gets traffic: where it is, what it must show."""

    address: BackendAddress
    host: str
    port: int
    face: Face | None


@dataclass(slots=True)
class Clusters:
    """The compiled clusters by pair, with what is to be announced about them."""

    configs: list[Config] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    servers: dict[tuple[int, int], int] = field(default_factory=dict)


def cluster_name(gateway: int, pool: BackendAddressPool, settings: BackendHttpSettings) -> str:
    """The engine's name of a pair; names of children have no slash."""
    return f"g{gateway}/{pool.name}/{settings.name}"


def clusters_of(work: Work) -> Clusters:
    """Every pair of the gateway, in the order of its rules."""
    found = Clusters()
    inputs, files = work.inputs, work.files
    trusts: dict[int, Trust] = {}
    hosts = _hosts(work)
    guard = guard_filters(inputs.forbidden)
    for pool, settings in pairs(inputs.loaded):
        if settings.pk not in trusts:
            trusts[settings.pk] = trust_of(inputs.loaded, settings)
        trust = trusts[settings.pk]
        wanted = hosts.get((pool.pk, settings.pk), [])
        if settings.connection_draining_enabled:
            message = f"HTTP setting “{settings.name}”: requests to a server that leaves are not "
            message += f"cut off after {settings.drain_timeout} seconds."
            told = at(notes.DRAINING_UNTIMED, message, settings.collection, settings.name)
            found.notes.append(told)
        servers = list(_servers(inputs, pool, settings, trust, wanted, found.notes))
        found.servers[pool.pk, settings.pk] = len(servers)
        found.configs.append(_cluster(inputs, files, (pool, settings), trust, servers, guard))
    return found


def _hosts(work: Work) -> dict[tuple[int, int], list[str]]:
    """Pair → the host names and patterns that lead to it; any, where a rewrite sets the host."""
    found: dict[tuple[int, int], list[str]] = {}
    for rule, routed in routes(work.loaded):
        rewriting = work.rewrites.sets.get(routed.rewrite_rule_set_id or 0)
        pool, settings = routed.backend_address_pool_id, routed.backend_http_settings_id
        if rule.http_listener is not None and pool is not None and settings is not None:
            is_set = rewriting is not None and "host" in rewriting.touched
            hosts = [ANY_HOST] if is_set else rule.http_listener.hosts or [ANY_HOST]
            found.setdefault((pool, settings), []).extend(hosts)
    return found


def _servers(
    inputs: Inputs,
    pool: BackendAddressPool,
    settings: BackendHttpSettings,
    trust: Trust,
    hosts: list[str],
    told: list[Problem],
) -> Iterator[Server]:
    """The members that get traffic: judged healthy, allowed, and somewhere to be found."""
    if inputs.loaded.gateway.operational_state == OperationalState.STOPPED:
        return
    for address in inputs.loaded.addresses(pool):
        member = inputs.members.get((address.pk, settings.pk), _UNKNOWN_MEMBER)
        if member.addresses is None:
            message = f"Pool “{pool.name}”: {address.target} gets no traffic."
            told.append(at(notes.ADDRESS_FORBIDDEN, message, pool.collection, pool.name))
            continue
        if member.status != "healthy" or not member.addresses:
            continue
        face = None
        if trust.kind != "none":
            face = face_of(inputs, settings, trust, address, member, hosts)
            told += _about(face, settings, trust, address, member)
        for host, port in member.addresses:
            yield Server(address, host, port, face)


def _about(
    face: Face, settings: BackendHttpSettings, trust: Trust, address: BackendAddress, member: Member
) -> Iterator[Problem]:
    """Where the engine stands in for the cloud by other means, it is told."""
    if face.is_v1 or not (trust.validate_name or not trust.validate_chain):
        return
    where = f"HTTP setting “{settings.name}”, server {address.target}"
    place = settings.collection, settings.name
    if member.leaf is not None and face.pins == (member.pin,):
        message = f"{where}: pinned to the certificate with SHA-256 {member.pin}."
        yield at(notes.PINNED, message, *place)
    elif is_common_name_only(member.leaf) and trust.validate_name:
        name = member.leaf.common_name if member.leaf else ""
        message = f"{where}: its certificate has the common name “{name}” only."
        yield at(notes.NAME_UNPINNED, message, *place)


def _cluster(
    inputs: Inputs,
    files: Files,
    pair: Pair,
    trust: Trust,
    servers: list[Server],
    guard: list[Config],
) -> Config:
    pool, settings = pair
    name = cluster_name(inputs.loaded.gateway.pk, pool, settings)
    faces = list(dict.fromkeys(server.face for server in servers if server.face is not None))
    client_name = any(face.client_name for face in faces)
    config = typed(
        "config.cluster.v3.Cluster",
        name=name,
        type="STATIC",
        connect_timeout=seconds(min(MOST_CONNECT_SECONDS, settings.request_timeout * 0.9)),
        # All members down is a 502, not one more try ("Backend health", all servers unhealthy).
        common_lb_config={"healthy_panic_threshold": {"value": 0}},
        load_assignment={
            "cluster_name": name,
            "endpoints": [
                {"lb_endpoints": [_endpoint(server, tag=len(faces) > 1) for server in servers]}
            ],
        },
        typed_extension_protocol_options=protocol_options(faces, guard),
        circuit_breakers={"thresholds": [_BREAKERS]},
        metadata=tagged(
            pool=pool.name,
            settings=settings.name,
            trust=trust.kind,
            chain="checked" if trust.validate_chain else "off",
            name="checked" if trust.validate_name else "off",
        ),
    )
    if not client_name:
        # A client's own host name must not throw a server out for all others.
        config["outlier_detection"] = _ejection()
    if trust.kind == "none":
        return config
    if len(faces) > 1:
        config["transport_socket_matches"] = [
            {
                "name": face.key,
                "match": {"face": face.key},
                "transport_socket": socket_of(face, files),
            }
            for face in faces
        ]
        faces = []
    only = faces[0] if faces else nobody(is_v1=inputs.loaded.is_v1)
    config["transport_socket"] = socket_of(only, files)
    return config


def _endpoint(server: Server, *, tag: bool) -> Config:
    endpoint: Config = {
        "endpoint": {
            "hostname": header_of(server.address.target),
            "address": {"socket_address": {"address": server.host, "port_value": server.port}},
        }
    }
    if tag and server.face is not None:
        # Which of the cluster's sockets is meant.
        endpoint["metadata"] = {
            "filter_metadata": {"envoy.transport_socket_match": {"face": server.face.key}}
        }
    return endpoint


def _ejection() -> Config:
    """A server that cannot be connected to is passed over before the prober has noticed."""
    return {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 3,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_local_origin_success_rate": 0,
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "interval": "1s",
        "base_ejection_time": "2s",
        "max_ejection_time": "10s",
        # The last server that is left is still tried, so that its reason is told.
        "max_ejection_percent": 50,
    }


def guard_filters(forbidden: tuple[Forbidden, ...]) -> list[Config]:
    """The filters of a backend connection: nothing forbidden is reached, then the codec."""
    codec = extension(
        "envoy.filters.http.upstream_codec",
        "extensions.filters.http.upstream_codec.v3.UpstreamCodec",
    )
    if not forbidden:
        return [codec]
    guard = extension(
        "envoy.filters.http.upstream_rbac",
        "extensions.filters.http.rbac.v3.RBAC",
        rules={
            "action": "DENY",
            "policies": {
                GUARD_POLICY: {
                    "principals": [{"any": True}],
                    "permissions": [{"matcher": _matcher(one)} for one in forbidden],
                }
            },
        },
    )
    return [guard, codec]


def _matcher(forbidden: Forbidden) -> Config:
    fields: Config = {
        "upstream_ip": {"address_prefix": forbidden.prefix, "prefix_len": forbidden.length}
    }
    if forbidden.port is not None:
        fields["upstream_port_range"] = {"start": forbidden.port, "end": forbidden.port + 1}
    return extension(
        "envoy.rbac.matchers.upstream_ip_port",
        "extensions.rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher",
        **fields,
    )
