"""How each documented cause of bad backend health is brought about in the lab.

The ids are those of ``gateway.health``; each has a lab server that produces it over a real
connection, or a switch of the gateway's subnet that plays it. Two ids have a help page only:
``E-INVALID-CA`` is the former name of another, ``E-PROXY`` belongs to layer-4 settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gateway.models import SimulatedCause

HELP_ONLY = frozenset({"E-INVALID-CA", "E-PROXY"})

Generation = Literal["v1", "v2", "both"]
Trust = Literal["none", "well-known", "right", "wrong"]
"""What the HTTP setting trusts: no HTTPS at all, the well-known CAs, or uploaded certificates that
are the right ones for the server (v1: its leaf, v2: its root) or those of another server."""
Target = Literal["name", "address", "absent-name", "outside-name"]
"""What stands in the pool: the server's FQDN or IP address, a name that the zone lacks, or one that
is none of the zone's business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One way to a health id; exactly one of ``scenario`` and ``switch`` is set.

    ``dns`` is the scenario of the DNS server that the network uses, ``body`` the text and
    ``timeout`` the seconds of a custom probe, where one is needed. ``how`` tells a person.
    """

    scenario: str = ""
    switch: str = ""
    generation: Generation = "both"
    trust: Trust = "right"
    target: Target = "name"
    dns: str = ""
    body: str = ""
    timeout: int | None = None
    how: str


def _server(scenario: str, how: str, **options: Any) -> Cause:
    return Cause(scenario=scenario, how=how, **options)


def _switch(cause: SimulatedCause, generation: Generation = "both") -> Cause:
    how = f"Virtual network, Subnets: choose “{cause.label}” for the gateway's subnet (simulated)."
    return Cause(switch=cause.value, generation=generation, how=how)


_POOL = "Put its name into the backend pool"

CAUSES: dict[str, Cause] = {
    "E-DNS": _server(
        "full-chain",
        "Put a name into the backend pool that the zone of the virtual network does not have.",
        trust="none",
        target="absent-name",
    ),
    "E-TCP": _server("closed", f"{_POOL}: the port refuses each connection.", trust="none"),
    "E-TIMEOUT": _server(
        "silent",
        f"{_POOL} with a custom probe of a short time-out: the connection stays mute.",
        trust="none",
        timeout=1,
    ),
    "E-STATUS": _server("answers-500", f"{_POOL}: every answer is a 500."),
    "E-BODY": _server(
        "maintenance",
        f"{_POOL} with a custom probe that looks for “Hello from”.",
        body="Hello from",
    ),
    "E-CN": _server("wrong-name", f"{_POOL}: its certificate is another host's."),
    "E-DATES": _server("expired", f"{_POOL}: its certificate has run out."),
    "E-INT-MISSING": _server(
        "no-intermediate", f"{_POOL} and upload its root: the way there has a gap.", generation="v2"
    ),
    "E-LEAF-MISSING": _server("no-leaf", f"{_POOL}: it sends authorities only.", generation="v2"),
    "E-LEAF-ORDER": _server(
        "wrong-order", f"{_POOL}: it sends an authority first.", generation="v2"
    ),
    "E-NOT-PUBLIC": _server(
        "full-chain",
        f"{_POOL} and tick “Use Well Known CA Certificate”.",
        generation="v2",
        trust="well-known",
    ),
    "E-INT-NOT-PUBLIC": _server(
        "no-root",
        f"{_POOL} and tick “Use Well Known CA Certificate”.",
        generation="v2",
        trust="well-known",
    ),
    "E-ROOT-MISMATCH": _server(
        "renewed-root",
        f"{_POOL} and upload the root of full-chain, which has the same name.",
        generation="v2",
        trust="wrong",
    ),
    "E-ROOT-MISMATCH-NOROOT": _server(
        "no-root",
        f"{_POOL} and upload the root of self-signed-ca, which signed nothing of it.",
        generation="v2",
        trust="wrong",
    ),
    "E-VERIFY": _server(
        "weak-key", f"{_POOL} and upload its root: the key is weak.", generation="v2"
    ),
    "E-AUTHCERT": _server(
        "full-chain",
        f"{_POOL} and upload the leaf of another server.",
        generation="v1",
        trust="wrong",
    ),
    "U-NEW": _server("full-chain", "Look at the health of a gateway that was just created."),
    "U-DNS": _server(
        "full-chain",
        "Let the virtual network use the silent DNS server of the lab, then save the gateway, "
        "which empties its memory of addresses.",
        dns="dns-silent",
    ),
    "U-CDNS": _server(
        "public",
        "Let the virtual network use the DNS server that knows its own zone only, and put a public "
        "name into the backend pool.",
        target="outside-name",
        dns="dns-private",
    ),
    "U-NSG": _switch(SimulatedCause.NSG, "v1"),
    "U-UDR": _switch(SimulatedCause.ROUTE),
    "U-BGP": _switch(SimulatedCause.BGP),
    "U-FW": _switch(SimulatedCause.FIREWALL),
    "U-NVA": _switch(SimulatedCause.APPLIANCE),
    "U-CRL": _switch(SimulatedCause.REVOCATION),
    "U-GW": _switch(SimulatedCause.GATEWAY),
}
