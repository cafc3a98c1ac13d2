"""A probe and a user's request side by side: what each asks a server, and where they part.

"Probe green, users get 502": the probe names its own host, which the server's certificate carries,
while a user's request carries the client's host name on, which it does not ("Troubleshoot bad
gateway errors in Application Gateway"; "Overview of TLS termination and end to end TLS").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from certificates.x509.facts.certificate import Certificate, printable
from certificates.x509.facts.names import match_name
from certificates.x509.problems import Kind
from gateway.models import (
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    HttpListener,
    LoadedGateway,
)
from gateway.problems import declare
from gateway.rules.hosts import is_wildcard
from gateway.rules.joins import routes
from gateway.rules.names import Leg, ProbeLeg, live_leg, probe_leg
from gateway.rules.rewrites import hosts_after

NAME_UNCOVERED = declare(
    "traffic-name-uncovered",
    severity="warning",
    title="The probe is green, and users get a 502",
    why="Without a host name override, a v2 gateway passes the client's host name on and expects "
    "it in the server's certificate. The probe asks by another name, which the certificate "
    "carries: so the server counts as healthy, and the users' requests fail.",
    remedy="Override the host name in the HTTP setting, or pick it from the backend address, so "
    "that requests ask by the name that the certificate is for; or install a certificate that "
    "carries the host names of the listeners as well.",
    source="Troubleshoot bad gateway errors in Application Gateway",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Name of a listener, a host that it takes, and the one that rewrites make of that."""

    listener: str
    host: str
    made: str

    @property
    def is_rewritten(self) -> bool:
        return self.made != self.host


# A listener without host names answers to every name.
ANY_HOST = "*"


@dataclass(frozen=True, slots=True)
class RequestLeg:
    """What becomes of a request that a listener takes for ``host``.

    ``host`` is a host name, a pattern with ``*`` and ``?``, or :data:`ANY_HOST`; where the client's
    host is passed on, the names of ``leg`` are the pattern too. With ``is_rewritten`` they are what
    a rewrite set makes of it.
    """

    listener: str
    host: str
    leg: Leg
    is_rewritten: bool = False

    @property
    def depends_on_client(self) -> bool:
        """The name is the client's choice: the listener, or a rewrite set, takes more than one."""
        return self.leg.checked_name is not None and is_wildcard(self.leg.checked_name)


@dataclass(frozen=True, slots=True)
class BothLegs:
    """The ways to one server through one HTTP setting; ``requests`` by rule and host."""

    probe: ProbeLeg
    requests: tuple[RequestLeg, ...]


@dataclass(frozen=True, slots=True)
class TrafficWarning:
    """Requests for ``host`` at ``listener`` fail although the probe succeeds.

    ``name`` is what the certificate would have to carry; ``for_some`` says that it depends on the
    client's host name.
    """

    kind: Kind
    message: str
    listener: str
    host: str
    name: str
    for_some: bool


def both_legs(
    loaded: LoadedGateway,
    pool: BackendAddressPool,
    settings: BackendHttpSettings,
    address: BackendAddress,
) -> BothLegs:
    """What the probe asks the server, and what requests ask that the rules lead to it."""
    probe = probe_leg(settings, settings.probe, address, is_v1=loaded.is_v1)
    asked = hosts_asked(loaded).get((pool.pk, settings.pk), ())
    return BothLegs(probe, request_legs(settings, address, asked, is_v1=loaded.is_v1))


def hosts_asked(loaded: LoadedGateway) -> dict[tuple[int, int], tuple[Asked, ...]]:
    """Who is led to each pair of pool and HTTP setting (their primary keys), by rule and host."""
    found: dict[tuple[int, int], dict[Asked, None]] = {}
    for rule, routed in routes(loaded):
        listener, pool = rule.http_listener, routed.backend_address_pool
        settings = routed.backend_http_settings
        if routed.redirect_configuration or listener is None or pool is None or settings is None:
            continue
        led = found.setdefault((pool.pk, settings.pk), {})
        rule_set = routed.rewrite_rule_set
        rewrites = loaded.rewrite_rules(rule_set) if rule_set else []
        for host in _hosts(listener):
            for made in hosts_after(rewrites, host):
                led.setdefault(Asked(listener.name, host, made))
    return {key: tuple(led) for key, led in found.items()}


def request_legs(
    settings: BackendHttpSettings, address: BackendAddress, asked: Iterable[Asked], *, is_v1: bool
) -> tuple[RequestLeg, ...]:
    """What becomes of the requests of ``asked`` at one server."""
    is_overridden = bool(settings.host_name or settings.pick_host_name_from_backend_address)
    found = []
    for one in asked:
        rewritten = one.is_rewritten and not is_overridden
        leg = live_leg(settings, address, one.made, is_v1=is_v1, is_rewritten=rewritten)
        found.append(RequestLeg(one.listener, one.host, leg, is_rewritten=rewritten))
    return tuple(dict.fromkeys(found))


def traffic_warnings(legs: BothLegs, leaf: Certificate | None) -> tuple[TrafficWarning, ...]:
    """Requests that fail at the name although the probe does not.

    ``leaf`` is the certificate that the server showed to the last probe (``None``: not known, so
    only names that no certificate can carry are told). Nothing is said where the probe fails by its
    name already: that is seen in the report.
    """
    if not _passes(legs.probe, leaf):
        return ()
    return tuple(
        _warning(request, leaf) for request in legs.requests if _fails(request, legs.probe, leaf)
    )


def _hosts(listener: HttpListener) -> list[str]:
    return listener.hosts or [ANY_HOST]


def _passes(probe: ProbeLeg, leaf: Certificate | None) -> bool:
    if probe.checked_name is None:
        return True
    if probe.name_is_address:
        return False
    return leaf is None or match_name(leaf, probe.checked_name).ok


def _fails(request: RequestLeg, probe: ProbeLeg, leaf: Certificate | None) -> bool:
    name = request.leg.checked_name
    if name is None or name == probe.checked_name:
        return False
    if request.leg.name_is_address:
        return True
    if leaf is None:
        return False
    if request.depends_on_client:
        return name.lower() not in {one.lower() for one in match_name(leaf, name).candidates}
    return not match_name(leaf, name).ok


def _warning(request: RequestLeg, leaf: Certificate | None) -> TrafficWarning:
    leg, name = request.leg, request.leg.checked_name or ""
    where = f"Requests at the listener “{request.listener}”"
    if request.host != ANY_HOST:
        where += f" for “{printable(request.host)}”"
    if leg.name_is_address:
        why = f"ask by the address {name}, which no server name can be."
    elif request.is_rewritten:
        why = f"ask for “{printable(name)}”, which a rewrite set makes of their host name, "
        why += f"and the server's certificate is for {_names(leaf)}."
    elif request.depends_on_client:
        why = "ask by the client's host name, and the server's certificate"
        why += f" is for {_names(leaf)} only."
    else:
        why = f"ask for “{printable(name)}”, and the server's certificate is for {_names(leaf)}."
    return TrafficWarning(
        NAME_UNCOVERED,
        f"{where} {why}",
        request.listener,
        request.host,
        name,
        for_some=request.depends_on_client,
    )


def _names(leaf: Certificate | None) -> str:
    names = match_name(leaf, ANY_HOST).candidates if leaf else ()
    shown = ", ".join(printable(name) for name in names[:5])
    return (f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown) or "no name"
