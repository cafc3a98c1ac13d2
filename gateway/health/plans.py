"""What is to be probed: every server through every HTTP setting that a rule joins to its pool."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from gateway.models import (
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    LoadedGateway,
    OperationalState,
    Protocol,
)
from gateway.network import EMPTY_ZONE, Zone
from gateway.network.zone import canonical
from gateway.rules.joins import pairs
from gateway.rules.names import ProbeLeg, Trust, is_address, probe_leg, trust_of
from gateway.rules.traffic import Asked, RequestLeg, hosts_asked, request_legs

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """All that a probe of one pair needs; plain data that threads may share.

    ``key`` is (primary key of the pool's address, primary key of the HTTP setting), ``target`` the
    FQDN or IP address in the pool; ``simulated`` what the gateway's subnet plays (``U-FW`` …).
    ``digest`` changes when the meaning of the result does: target, address, port, probe, names,
    trust or network, but not the times between probes. ``requests`` are the users' requests that
    may ask for another name than the probe.
    """

    key: Key
    target: str
    pool: str
    setting: str
    is_v1: bool
    leg: ProbeLeg
    trust: Trust
    digest: str
    pool_id: int = 0
    simulated: str = ""
    requests: tuple[RequestLeg, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of a gateway as of one generation, and the network that it stands in."""

    generation: int
    network: int | None
    plans: dict[Key, ProbePlan]


def plans_of(loaded: LoadedGateway, zone: Zone = EMPTY_ZONE) -> dict[Key, ProbePlan]:
    """The plans of a gateway by key; none while it is stopped ("Health probes overview").

    ``zone`` is that of its network: a name that gets another address there is another server.
    """
    if loaded.gateway.operational_state == OperationalState.STOPPED:
        return {}
    trusts: dict[int, Trust] = {}
    asked = hosts_asked(loaded)
    found: dict[Key, ProbePlan] = {}
    for pool, settings in pairs(loaded):
        if settings.pk not in trusts:
            trusts[settings.pk] = trust_of(loaded, settings)
        requests: tuple[RequestLeg, ...] | None = None
        for address in loaded.addresses(pool):
            leg = probe_leg(settings, settings.probe, address, is_v1=loaded.is_v1)
            if requests is None or settings.pick_host_name_from_backend_address:
                requests = _requests(settings, address, asked[pool.pk, settings.pk], loaded.is_v1)
            plan = plan_of(loaded, zone, pool, settings, address, leg, trusts[settings.pk])
            found[plan.key] = replace(plan, requests=requests)
    return found


def plan_of(
    loaded: LoadedGateway,
    zone: Zone,
    pool: BackendAddressPool,
    settings: BackendHttpSettings,
    address: BackendAddress,
    leg: ProbeLeg,
    trust: Trust,
) -> ProbePlan:
    """The plan of one pair."""
    return ProbePlan(
        key=(address.pk, settings.pk),
        target=address.target,
        pool=pool.name,
        setting=settings.name,
        is_v1=loaded.is_v1,
        leg=leg,
        trust=trust,
        digest=_digest(loaded, zone, address.target, leg, trust),
        pool_id=pool.pk,
        simulated=loaded.simulated_cause,
    )


def _requests(
    settings: BackendHttpSettings, address: BackendAddress, asked: tuple[Asked, ...], is_v1: bool
) -> tuple[RequestLeg, ...]:
    """Requests that may ask for another name than the probe; the servers of a pool share them.

    A v1 gateway asks for the target's name both times. Where the name comes from the HTTP setting
    or the target, all hosts ask alike.
    """
    if is_v1 or settings.protocol != Protocol.HTTPS:
        return ()
    by_client = not settings.host_name and not settings.pick_host_name_from_backend_address
    return request_legs(settings, address, asked if by_client else asked[:1], is_v1=is_v1)


def _digest(loaded: LoadedGateway, zone: Zone, target: str, leg: ProbeLeg, trust: Trust) -> str:
    network = loaded.virtual_network
    told = asdict(leg)
    for name in ("why", "interval", "threshold"):
        del told[name]
    facts = {
        "v1": loaded.is_v1,
        "network": network.pk if network else None,
        "target": target,
        "dns": [] if is_address(target) else [zone.dns_servers, zone.names.get(canonical(target))],
        "simulated": loaded.simulated_cause,
        "leg": told,
        "trust": [trust.kind, trust.validate_chain, trust.validate_name],
        "certificates": [one.certificate.sha256 for one in trust.certificates],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
