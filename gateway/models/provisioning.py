"""The provisioning state of a gateway as it is shown: what its agents made of the last change.

Nothing is written: an agent's report moves no row of a resource.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from gateway.models.dataplane import Agent, AgentState
from gateway.models.gateways import ApplicationGateway, ProvisioningState

# An agent that was not heard of for this long is not waited for.
HEARD_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Provisioning:
    """``reason`` says, for Failed, what an agent's proxy refused; ``agents`` how many were asked.

    Without agents a change has succeeded when it is saved.
    """

    state: str
    reason: str = ""
    agents: int = 0


def provisioning(gateway: ApplicationGateway, *, now: datetime) -> Provisioning:
    """The state of one gateway (2 queries)."""
    return provisioning_of([gateway], now=now)[gateway.pk]


def provisioning_of(
    gateways: Iterable[ApplicationGateway], *, now: datetime
) -> dict[int, Provisioning]:
    """The states of several gateways by primary key (2 queries for all)."""
    gateways = list(gateways)
    pks = [gateway.pk for gateway in gateways]
    carried = Agent.assigned.through.objects.filter(
        agent=OuterRef("pk"), applicationgateway__in=pks
    )
    heard = Agent.objects.filter(
        Q(everything=True) | Exists(carried),
        revoked_at=None,
        last_seen_at__gt=now - HEARD_WITHIN,
    )
    assigned = heard.values_list("pk", "everything", "assigned")
    everything = {pk for pk, all_of_them, _ in assigned if all_of_them}
    by_gateway: dict[int, set[int]] = {pk: set(everything) for pk in pks}
    for agent, _, pk in assigned:
        if pk in by_gateway:
            by_gateway[pk].add(agent)
    states = {
        (state.agent_id, state.gateway_id): state
        for state in AgentState.objects.filter(gateway__in=pks).defer("endpoints")
    }
    return {
        gateway.pk: _judged(
            gateway,
            [states.get((agent, gateway.pk)) for agent in sorted(by_gateway[gateway.pk])],
        )
        for gateway in gateways
    }


def _judged(gateway: ApplicationGateway, states: list[AgentState | None]) -> Provisioning:
    stored = gateway.provisioning_state
    if not states or stored != ProvisioningState.SUCCEEDED:
        return Provisioning(stored, agents=len(states))
    current = [one for one in states if one and one.generation >= gateway.generation]
    if len(current) < len(states) or any(one.accepted is None for one in current):
        return Provisioning(ProvisioningState.UPDATING, agents=len(states))
    refused = [one.reason for one in current if not one.accepted]
    if refused:
        reason = " ".join(dict.fromkeys(refused))
        return Provisioning(ProvisioningState.FAILED, reason, len(states))
    return Provisioning(ProvisioningState.SUCCEEDED, agents=len(states))
