"""Plans and zones for probes of one server, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue
from certificates.x509.trust.anchors import Anchor, AnchorStore
from gateway.health.judge import Judged, verdict
from gateway.health.plans import ProbePlan
from gateway.health.probe import Observation, run
from gateway.models import BackendAddress, BackendHttpSettings, Probe
from gateway.network import Endpoint, Zone
from gateway.rules.names import Trust, Trusted, probe_leg
from tests.factories import NOW

NAME = "www.contoso.test"
ADDRESS = "10.0.1.4"
PUBLIC_ROOT = issue.make_root("Public Root", now=NOW)
WELL_KNOWN = AnchorStore([Anchor(PUBLIC_ROOT.certificate, "lab-public")])


def zone_for(port: int | None = None, refusing: int | None = None) -> Zone:
    """A zone with one lab server; ``port`` answers on 443 and on 80."""
    real = Endpoint("127.0.0.1", port or 0)
    return Zone(
        names={NAME: (ADDRESS,)},
        domains=frozenset({"contoso.test"}),
        lab_addresses=frozenset({ADDRESS}),
        endpoints={(ADDRESS, 443): real, (ADDRESS, 80): real} if port else {},
        refusing={ADDRESS: Endpoint("127.0.0.1", refusing)} if refusing else {},
    )


def trusting(kind: Any, *certificates: Certificate, **switches: bool) -> Trust:
    return Trust(
        kind,
        tuple(Trusted(f"certificate{n}", one) for n, one in enumerate(certificates)),
        **switches,
    )


def plan_for(
    *,
    target: str = NAME,
    trust: Trust | None = None,
    is_v1: bool = False,
    probe: Probe | None = None,
    timeout: int = 2,
    simulated: str = "",
    **settings: Any,
) -> ProbePlan:
    """A plan for one server; HTTPS on 443 if there is a ``trust``, else HTTP on 80."""
    https = trust is not None
    setting = BackendHttpSettings(
        name="mySettings",
        **{
            "protocol": "Https" if https else "Http",
            "port": 443 if https else 80,
            **settings,
        },
    )
    literal = target.replace(".", "").isdigit() or ":" in target
    address = BackendAddress(**{"ip_address" if literal else "fqdn": target})
    leg = probe_leg(setting, probe, address, is_v1=is_v1)
    return ProbePlan(
        key=(1, 1),
        target=target,
        pool="myPool",
        setting="mySettings",
        is_v1=is_v1,
        leg=leg if probe else replace(leg, timeout=timeout),
        trust=trust or Trust("none", validate_chain=False, validate_name=False),
        digest="",
        simulated=simulated,
    )


def observe(plan: ProbePlan, zone: Zone, **more: Any) -> Observation:
    return run(plan, zone=zone, well_known=WELL_KNOWN, now=NOW, **more)


def judge(plan: ProbePlan, zone: Zone, **more: Any) -> Judged:
    return verdict(plan, observe(plan, zone, **more), NOW)


def stages(judged: Judged) -> dict[str, bool]:
    return {stage["name"]: stage["ok"] for stage in judged.evidence["stages"]}


def private(*names: str, intermediate: bool = True, **dates: Any) -> issue.Issued:
    """A server certificate below a private root of its own."""
    root = issue.make_root("Private Root", now=NOW)
    above: Sequence[issue.Issued] = [root]
    if intermediate:
        above = [issue.make_intermediate(root, "Private Issuing CA", now=NOW)]
    wanted = names or (NAME,)
    return issue.make_leaf(above[0], wanted[0], now=NOW, dns_names=wanted, **dates)


def root_of(issued: issue.Issued) -> Certificate:
    return issued.chain[-1]
