"""All scenarios of the lab, in the order in which a sandbox shows its servers."""

from __future__ import annotations

from gateway.lab.answer_scenarios import ANSWERS, DNS_SERVERS
from gateway.lab.chain_scenarios import CHAINS
from gateway.lab.scenario import APP_SERVICE_ZONE, NETWORK, ZONE, Answers, Presents, Scenario
from gateway.lab.target_scenarios import TARGETS

__all__ = [
    "APP_SERVICE_ZONE",
    "BY_ID",
    "CREATABLE",
    "NETWORK",
    "OTHER_HOST",
    "SCENARIOS",
    "ZONE",
    "Answers",
    "Presents",
    "Scenario",
]

SCENARIOS: tuple[Scenario, ...] = (*CHAINS, *ANSWERS, *TARGETS, *DNS_SERVERS)

BY_ID = {scenario.id: scenario for scenario in SCENARIOS}

# What a user may add to a network: a virtual machine, scale set or app belongs to its sandbox.
CREATABLE: tuple[Scenario, ...] = (*CHAINS, *ANSWERS, *DNS_SERVERS)

# Nobody is asked for by this name; certificates of another host bear it.
OTHER_HOST = "www.fabrikam.test"
