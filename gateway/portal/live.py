"""What of a gateway is live: where each listener is reached, and what the data plane made of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Q

from certificates.x509.facts.certificate import printable
from gateway.models import (
    Agent,
    AgentState,
    ApplicationGateway,
    HttpListener,
    ListenerState,
    Protocol,
    ProvisioningState,
    PublishedPort,
    RequestRoutingRule,
)
from gateway.models.provisioning import HEARD_WITHIN, Provisioning, provisioning

State = Literal["live", "refused", "waiting", "away", "none", "no-rule"]

# (how it is drawn, the word, the sentence)
_STATES: dict[State, tuple[str, str, str]] = {
    "live": ("ok", "Live", ""),
    "refused": ("failed", "Refused", ""),
    "waiting": ("pending", "Waiting", "The data plane is taking the configuration in."),
    "away": (
        "warning",
        "Not heard of",
        "No agent of the data plane has reported in the last 30 seconds. What it took last is "
        "still served where it runs.",
    ),
    "none": (
        "unknown",
        "Configuration only",
        "No data plane carries this gateway, so nothing answers at the address.",
    ),
    "no-rule": ("info", "No rule", "No rule uses this listener, so it is not opened."),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listener is reached: ``host`` and ``number`` are bound, ``port`` is configured."""

    scheme: str
    name: str
    host: str
    number: int
    port: int

    @property
    def is_shifted(self) -> bool:
        return self.number != self.port

    @property
    def socket(self) -> str:
        return f"{self.host}:{self.number}"

    @property
    def url(self) -> str:
        """The address for a client of this machine, by number alone where no name is asked for."""
        standard = {"http": 80, "https": 443}[self.scheme]
        suffix = "" if self.number == standard else f":{self.number}"
        return f"{self.scheme}://{self.name or self.host}{suffix}/"

    @property
    def command(self) -> str:
        """A curl line that asks the listener, with its name resolved to the address."""
        words = ["curl", "-v"]
        if self.name:
            words += ["--resolve", f"{self.name}:{self.number}:{self.host}"]
        if self.scheme == "https":
            # The certificates here are of private authorities, which no client knows.
            words.append("--insecure")
        return shlex.join([*words, self.url])


@dataclass(frozen=True, slots=True)
class LiveListener:
    """A listener as it is carried; ``place`` is ``None`` while no port is published for it."""

    name: str
    protocol: str
    port: int
    hosts: tuple[str, ...]
    place: Place | None
    state: State
    reason: str

    @property
    def drawn(self) -> str:
        return _STATES[self.state][0]

    @property
    def word(self) -> str:
        return _STATES[self.state][1]

    @property
    def told(self) -> str:
        return self.reason or _STATES[self.state][2]


@dataclass(frozen=True, slots=True)
class Carrier:
    """An agent that is to carry the gateway; ``generation`` is the one that it reported last."""

    name: str
    engine: str
    last_seen_at: datetime | None
    is_near: bool
    generation: int
    accepted: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class Live:
    """All of it; ``pending`` while an answer of the data plane is awaited."""

    listeners: tuple[LiveListener, ...]
    carriers: tuple[Carrier, ...]
    provisioning: Provisioning

    @property
    def pending(self) -> bool:
        return self.provisioning.state == ProvisioningState.UPDATING or any(
            one.state == "waiting" for one in self.listeners
        )

    @property
    def is_carried(self) -> bool:
        """Whether an agent with an engine is there."""
        return any(one.engine and one.is_near for one in self.carriers)


def live_of(gateway: ApplicationGateway, now: datetime) -> Live:
    """What the agents' reports say of ``gateway`` (eight queries, whatever its size)."""
    carriers = carriers_of(gateway, now)
    listeners = tuple(_listeners(gateway, carriers))
    return Live(listeners, carriers, provisioning(gateway, now=now))


def carriers_of(gateway: ApplicationGateway, now: datetime) -> tuple[Carrier, ...]:
    """The agents that are to carry ``gateway``, by name, revoked ones left out (two queries)."""
    agents = Agent.objects.filter(
        Q(everything=True) | Q(assigned=gateway), revoked_at__isnull=True
    ).distinct()
    states = {one.agent_id: one for one in AgentState.objects.filter(gateway=gateway)}
    return tuple(_carrier(agent, states.get(agent.pk), now) for agent in agents.order_by("name"))


def _carrier(agent: Agent, state: AgentState | None, now: datetime) -> Carrier:
    seen = agent.last_seen_at
    return Carrier(
        name=agent.name,
        engine=printable(agent.engine),
        last_seen_at=seen,
        is_near=seen is not None and now - seen < HEARD_WITHIN,
        generation=state.generation if state else 0,
        accepted=state.accepted if state else None,
        reason=state.reason if state else "",
    )


def _listeners(gateway: ApplicationGateway, carriers: Sequence[Carrier]) -> Iterable[LiveListener]:
    rows = HttpListener.objects.filter(gateway=gateway).select_related("frontend_port")
    ports = {
        (one.frontend_id, one.port): one
        for one in PublishedPort.objects.filter(frontend__gateway=gateway)
    }
    near = {one.name for one in carriers if one.is_near and one.engine}
    reports: dict[str, list[ListenerState]] = {}
    for report in ListenerState.objects.filter(gateway=gateway).select_related("agent"):
        if report.agent.name in near:
            reports.setdefault(report.listener.lower(), []).append(report)
    ruled = set(
        RequestRoutingRule.objects.filter(gateway=gateway).values_list(
            "http_listener_id", flat=True
        )
    )
    for row in rows:
        state, reason = _state(reports.get(row.name.lower(), []), carriers, row.pk in ruled)
        yield LiveListener(
            name=row.name,
            protocol=row.get_protocol_display(),
            port=row.frontend_port.port if row.frontend_port else 0,
            hosts=tuple(row.hosts),
            place=place_of(row, ports),
            state=state,
            reason=reason,
        )


def place_of(
    listener: HttpListener, ports: Mapping[tuple[int, int], PublishedPort]
) -> Place | None:
    """Where ``listener`` is reached; ``ports`` by frontend and port asked for."""
    port, frontend = listener.frontend_port, listener.frontend_ip_configuration_id
    published = ports.get((frontend, port.port)) if port and frontend else None
    if published is None:
        return None
    return Place(
        scheme="https" if listener.protocol == Protocol.HTTPS else "http",
        name=example_host(listener.hosts[0]) if listener.hosts else "",
        host=published.host,
        number=published.number,
        port=published.port,
    )


def example_host(pattern: str) -> str:
    """A host name that ``pattern`` takes: *.contoso.com → www.contoso.com."""
    return pattern.replace("*", "www").replace("?", "a")


def _state(
    reports: Sequence[ListenerState], carriers: Sequence[Carrier], has_rule: bool
) -> tuple[State, str]:
    """The worst of what the agents say: one that refuses outweighs one that serves."""
    with_engine = [one for one in carriers if one.engine]
    if not with_engine:
        return "none", ""
    if not any(one.is_near for one in with_engine):
        return "away", ""
    if not has_rule:
        return "no-rule", ""
    refused = [one for one in reports if one.state == ListenerState.State.REFUSED]
    if refused:
        return "refused", " ".join(dict.fromkeys(filter(None, (one.reason for one in refused))))
    if not reports or any(one.state == ListenerState.State.WARMING for one in reports):
        return "waiting", ""
    return "live", ""
