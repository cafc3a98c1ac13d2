"""Every declared cause of bad health comes out of something that really happens."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from certificates.x509.issuing import issue
from gateway.health.catalogue import HEALTH_KINDS, HELP_ONLY, SIMULATED, block_of
from gateway.health.judge import own_failure
from gateway.health.standing import fresh
from gateway.models import BackendAddress, BackendHttpSettings, Probe
from gateway.network import Endpoint
from gateway.rules.names import live_leg, probe_leg
from gateway.rules.traffic import NAME_UNCOVERED, BothLegs, RequestLeg, traffic_warnings
from tests import servers
from tests.factories import NOW
from tests.gateway.health.nameservers import dns_server, refuse
from tests.gateway.health.scenes import (
    NAME,
    judge,
    plan_for,
    private,
    root_of,
    trusting,
    zone_for,
)

DNS = "10.0.1.53"
GOOD = private()
ISSUER = GOOD.issuer
assert ISSUER is not None
OLD = issue.make_leaf(
    ISSUER, NAME, now=NOW, not_before=NOW - timedelta(9), not_after=NOW - timedelta(1)
)
CLIENT = issue.make_leaf(ISSUER, NAME, now=NOW, dns_names=[NAME], purposes=["client"])
OWN = trusting("roots", root_of(GOOD))
OTHER = trusting("roots", issue.make_root("Other Root", now=NOW).certificate)
PUBLIC = trusting("well-known")
FULL = [GOOD.certificate, *GOOD.chain]


def served(server: AbstractContextManager[Any], **plan: Any) -> Callable[[], str]:
    def happen() -> str:
        with server as running:
            port = getattr(running, "port", None)
            return judge(plan_for(**plan), zone_for(port)).error_id

    return happen


def closed() -> str:
    with servers.refusing_port() as port:
        return judge(plan_for(), zone_for(refusing=port)).error_id


def silence(name: str) -> list[str]:
    raise socket.gaierror(socket.EAI_AGAIN, f"nobody answers for {name}")


def unanswered() -> str:
    return judge(plan_for(target="www.example.com"), zone_for(), lookup=silence).error_id


def refused() -> str:
    """By a DNS server of the network's own that knows its own zone only."""
    with dns_server(refuse) as port:
        zone = replace(
            zone_for(),
            dns_servers=(DNS,),
            lab_addresses=frozenset({DNS}),
            endpoints={(DNS, 53): Endpoint("127.0.0.1", port)},
        )
        return judge(plan_for(target="www.example.com"), zone).error_id


def played(id: str) -> Callable[[], str]:
    return served(servers.http_server(), simulated=id)


def uncovered() -> str:
    """The probe asks for the pool's name, a request for the client's."""
    address, setting = BackendAddress(fqdn=NAME), BackendHttpSettings(protocol="Https", port=443)
    request = RequestLeg("mine", "a.test", live_leg(setting, address, "a.test", is_v1=False))
    legs = BothLegs(probe_leg(setting, None, address, is_v1=False), (request,))
    (warning,) = traffic_warnings(legs, GOOD.certificate)
    return warning.kind.id


def text(wanted: str) -> Probe:
    return Probe(name="p", host=NAME, timeout=2, match_body=wanted)


HAPPENINGS: dict[str, Callable[[], str]] = {
    "E-DNS": served(nullcontext(), target="absent.contoso.test"),
    "E-TCP": closed,
    "E-TIMEOUT": served(servers.silent_server(), timeout=1),
    "E-STATUS": served(servers.http_server(servers.answer("503 Service Unavailable"))),
    "E-BODY": served(servers.http_server(), probe=text("another text")),
    "E-CN": served(servers.tls_server(GOOD), trust=OWN, host_name="else.contoso.test"),
    "E-DATES": served(servers.tls_server(OLD), trust=OWN),
    "E-INT-MISSING": served(servers.tls_server(GOOD, [GOOD.certificate]), trust=OWN),
    "E-LEAF-MISSING": served(servers.tls_server(ISSUER, GOOD.chain), trust=OWN),
    "E-LEAF-ORDER": served(
        servers.tls_server(ISSUER, [ISSUER.certificate, GOOD.certificate]), trust=OWN
    ),
    "E-NOT-PUBLIC": served(servers.tls_server(GOOD, FULL), trust=PUBLIC),
    "E-INT-NOT-PUBLIC": served(servers.tls_server(GOOD), trust=PUBLIC),
    "E-ROOT-MISMATCH": served(servers.tls_server(GOOD, FULL), trust=OTHER),
    "E-ROOT-MISMATCH-NOROOT": served(servers.tls_server(GOOD), trust=OTHER),
    "E-VERIFY": served(servers.tls_server(CLIENT), trust=OWN),
    "E-AUTHCERT": served(
        servers.tls_server(GOOD), trust=trusting("pinned", root_of(GOOD)), is_v1=True
    ),
    "U-DNS": unanswered,
    "U-CDNS": refused,
    **{id: played(id) for id in sorted(SIMULATED)},
    "traffic-name-uncovered": uncovered,
    "U-NEW": lambda: fresh(1, plan_for(), NOW).error_id,
    "U-NOT-ALLOWED": served(nullcontext(), target="192.0.2.7"),
    "U-PROBER": lambda: own_failure(plan_for(), NOW).error_id,
}


def test_every_declared_cause_is_in_the_table() -> None:
    assert HAPPENINGS.keys() == (HEALTH_KINDS.keys() - HELP_ONLY) | {NAME_UNCOVERED.id}


@pytest.mark.parametrize("id", HAPPENINGS)
def test_each_cause_happens(id: str) -> None:
    assert HAPPENINGS[id]() == id


@pytest.mark.parametrize("kind", HEALTH_KINDS.values(), ids=HEALTH_KINDS.keys())
def test_each_cause_explains_itself(kind: Any) -> None:
    assert kind.title
    assert kind.why.endswith(".")
    assert kind.remedy.endswith(".")
    assert kind.id.startswith("U-") or kind.source
    assert block_of(kind) in {"connection", "gateway", "server"}
