"""One Envoy listener for each address and port of a gateway."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.dataplane import notes
from gateway.dataplane.chains import connection_manager, plain_on_tls, virtual_hosts
from gateway.dataplane.clients import ClientCheck, client_check, validation
from gateway.dataplane.downstream import (
    Spoken,
    can_serve,
    certificate_files,
    context,
    spoken,
)
from gateway.dataplane.envoy import Config, extension, typed
from gateway.dataplane.sites import Place, Site, is_https, places_of, regex_of
from gateway.dataplane.work import Work
from gateway.problems import Kind, Problem, at
from gateway.rules.tls import policy_of

# Listeners of one posture may share a connection: what they ask of clients is the same.
Posture = tuple[Spoken, ClientCheck | None]
PLAIN = "/plain"
DEFAULT = "/default"


@dataclass(slots=True)
class Listeners:
    """The compiled listeners; ``owners``: name of each → names of the portal's listeners on it."""

    configs: list[Config] = field(default_factory=list)
    owners: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: list[Problem] = field(default_factory=list)


def listener_name(gateway: int, place: Place) -> str:
    return f"g{gateway}/{place.frontend}/{place.port}"


def listeners_of(work: Work) -> Listeners:
    """Every published address and port of the gateway."""
    found = Listeners()
    for place in places_of(work.loaded):
        published = work.inputs.ports.get((place.frontend, place.port))
        if published is None:
            found.notes += _unpublished(place)
            continue
        name = listener_name(work.loaded.gateway.pk, place)
        config = typed(
            "config.listener.v3.Listener",
            name=name,
            address={"socket_address": {"address": published[0], "port_value": published[1]}},
        )
        served = list(place.sites)
        if is_https(place):
            served = _tls(work, place, config, found.notes)
            if not served:
                continue
        else:
            hosts = virtual_hosts(work, place, place.sites, is_default=True)
            manager = connection_manager(work, name, hosts, has_tls=False)
            config["filter_chains"] = [{"name": PLAIN, "filters": [manager]}]
        found.configs.append(config)
        found.owners[name] = tuple(site.listener.name for site in served)
    return found


def _unpublished(place: Place) -> Iterator[Problem]:
    for site in place.sites:
        message = f"Listener “{site.listener.name}”: port {place.port} is not published yet."
        yield _about(notes.PORT_UNPUBLISHED, site, message)


def _about(kind: Kind, site: Site, message: str) -> Problem:
    return at(kind, message, site.listener.collection, site.listener.name)


def _tls(work: Work, place: Place, config: Config, told: list[Problem]) -> list[Site]:
    """Give ``config`` its filter chains; the sites that are served, maybe none."""
    postures = {}
    for site in place.sites:
        posture = _posture(work, site, told)
        if posture is not None:
            postures[site] = posture
    served = list(postures)
    if not served:
        return []
    name = config["name"]
    chains = []
    for group in _groups(served, postures):
        chain = _chain(work, place, group, postures[group[0]], group[0].listener.name)
        if not place.by_pattern:
            names = [host for site in group for host in (*site.exact, *site.suffixes)]
            chain["filter_chain_match"] = {"server_names": names}
        if any(not site.is_basic for site in group):
            chains.append(chain)
    default = _default_site(work, place, served)
    plain: Config = {"name": PLAIN, "filters": [plain_on_tls(work, f"{name}{PLAIN}")]}
    config["listener_filters"] = [
        extension(
            "envoy.filters.listener.tls_inspector",
            "extensions.filters.listener.tls_inspector.v3.TlsInspector",
        )
    ]
    if not place.by_pattern:
        plain["filter_chain_match"] = {"transport_protocol": "raw_buffer"}
    config["filter_chains"] = [*chains, plain]
    if default is not None:
        sharing = [site for site in served if postures[site] == postures[default]]
        config["default_filter_chain"] = _chain(
            work, place, sharing, postures[default], DEFAULT, shown=default
        )
    if place.by_pattern:
        config["filter_chain_matcher"] = _matcher(place, _groups(served, postures))
    return served


def _posture(work: Work, site: Site, told: list[Problem]) -> Posture | None:
    """What the site's listener asks of clients; ``None`` if the engine cannot serve it."""
    listener = site.listener
    if not can_serve(work.inputs, listener):
        certificate = listener.ssl_certificate
        called = f"certificate “{certificate.name}”" if certificate else "missing certificate"
        message = f"Listener “{listener.name}” is not served because of its {called}."
        told.append(_about(notes.KEY_UNUSABLE, site, message))
        return None
    found = spoken(policy_of(work.loaded, listener))
    if not found.usable:
        message = f"Listener “{listener.name}” is not served because of its TLS policy."
        told.append(_about(notes.POLICY_UNUSABLE, site, message))
        return None
    if found.missing:
        message = f"Listener “{listener.name}” does not offer {', '.join(found.missing)}."
        told.append(_about(notes.SUITES_MISSING, site, message))
    client = client_check(work.loaded, listener.ssl_profile)
    if client is not None and client.revocation:
        message = f"Listener “{listener.name}” lets clients in without asking about revocation."
        told.append(_about(notes.REVOCATION_UNCHECKED, site, message))
    return found, client


def _groups(sites: Iterable[Site], postures: dict[Site, Posture]) -> list[list[Site]]:
    """Sites with host names that show the same certificate and ask the same: one chain each."""
    together: dict[tuple[object, object], list[Site]] = defaultdict(list)
    for site in sites:
        if not site.is_basic:
            together[postures[site], site.listener.ssl_certificate_id].append(site)
    return list(together.values())


def _default_site(work: Work, place: Place, served: Sequence[Site]) -> Site | None:
    """Whose certificate clients get that name no server, or one that no listener has.

    A basic listener's; else on v2 that of the first listener by rule order, on v1 that of the
    first that does not require a server name ("Overview of TLS termination", SNI tables).
    """
    basic = place.basic
    if basic is not None:
        return basic if basic in served else None
    for site in served:
        if not work.loaded.is_v1 or not site.listener.require_server_name_indication:
            return site
    return None


def _chain(
    work: Work,
    place: Place,
    sites: Sequence[Site],
    posture: Posture,
    name: str,
    *,
    shown: Site | None = None,
) -> Config:
    """A filter chain for ``sites``; ``shown`` is whose certificate the default chain shows."""
    found, client = posture
    owner = (shown or sites[0]).listener
    is_default = shown is not None
    hosts = virtual_hosts(work, place, sites, is_default=is_default)
    manager = connection_manager(
        work,
        f"{listener_name(work.loaded.gateway.pk, place)}/{name.strip('/')}",
        hosts,
        has_tls=True,
        client=client,
    )
    return {
        "name": name,
        "transport_socket": context(
            found,
            certificate_files(work.inputs, work.files, owner),
            http2=work.loaded.gateway.enable_http2,
            validation=validation(client, work.files) if client else None,
        ),
        "filters": [manager],
    }


def _matcher(place: Place, groups: Sequence[Sequence[Site]]) -> Config:
    """Which chain a client's hello gets, where patterns must be asked one after the other."""
    chain_of = {site: group[0].listener.name for group in groups for site in group}
    matchers = [_on(_transport("raw_buffer"), PLAIN)]
    for site in place.sites:
        if site in chain_of:
            predicates = [_server_name(name) for name in site.names]
            found = predicates[0] if len(predicates) == 1 else _any_of(predicates)
            matchers.append(_on(found, chain_of[site]))
    # What nothing matches goes to the default chain, and without one is closed.
    return {"matcher_list": {"matchers": matchers}}


def _on(predicate: Config, chain: str) -> Config:
    action = {
        "name": chain,
        "typed_config": {
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": chain,
        },
    }
    return {"predicate": predicate, "on_match": {"action": action}}


def _any_of(predicates: list[Config]) -> Config:
    return {"or_matcher": {"predicate": predicates}}


def _server_name(pattern: str) -> Config:
    regex = {"google_re2": {}, "regex": f"(?i){regex_of(pattern)}"}
    return _single("ServerNameInput", {"safe_regex": regex})


def _transport(protocol: str) -> Config:
    return _single("TransportProtocolInput", {"exact": protocol})


def _single(kind: str, value: Config) -> Config:
    source = extension(kind, f"extensions.matching.common_inputs.network.v3.{kind}")
    return {"single_predicate": {"input": source, "value_match": value}}
