"""Verdict and traffic agree: every backend of the lab, every trust, every choice of host name.

Each case is probed by the real prober and asked for through a real Envoy. Where the two differ the
pages say so beforehand, and the difference stands in a list here.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.utils import timezone

from gateway.accounts.models import Subscription
from gateway.dataplane.compile import Compiled, compile_gateway
from gateway.dataplane.inputs import Inputs, gather
from gateway.health.legs import leaf_of
from gateway.health.worker import Worker
from gateway.models import BackendAddress, FrontendIPConfiguration, Verdict
from gateway.rules.traffic import both_legs, traffic_warnings
from tests.free_ports import free_ports
from tests.gateway.dataplane.engine import running
from tests.gateway.dataplane.matrix import (
    BACKENDS,
    PLAIN,
    PUBLIC,
    V1_TRUST,
    V2_TRUST,
    Case,
    Matrix,
    verdicts,
)
from tests.gateway.dataplane.sites import ask
from tests.gateway.health.walks import gateway_of, walked_lab

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Found:
    """What prober and traffic made of a case; ``stale`` is the status if the verdict were old."""

    case: Case
    verdict: Verdict
    status: int
    stale: int
    announced: frozenset[str]

    @property
    def is_healthy(self) -> bool:
        return self.verdict.status == Verdict.Status.HEALTHY


@dataclass(frozen=True)
class Tier:
    found: tuple[Found, ...]
    compiled: Compiled


@pytest.fixture(scope="module")
def lab(django_db_setup: None, django_db_blocker: Any) -> Iterator[Subscription]:
    with django_db_blocker.unblock(), walked_lab() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def tiers(lab: Subscription, django_db_blocker: Any) -> dict[str, Tier]:
    with django_db_blocker.unblock():
        matrices = {tier: Matrix(gateway_of(lab, tier)) for tier in ("v1", "v2")}
        Worker(clock=timezone.now).sweep()
        return {tier: measured(matrix) for tier, matrix in matrices.items()}


def measured(matrix: Matrix) -> Tier:
    """Ask for every case, with the verdicts as they are and as if all of them had been good."""
    frontend = FrontendIPConfiguration.objects.get(gateway=matrix.gateway)
    asked = sorted({80, *(case.port for case in matrix.cases)})
    ports = dict(zip(asked, free_ports(len(asked)), strict=True))
    places = {(frontend.pk, port): ("127.0.0.1", real) for port, real in ports.items()}
    inputs = replace(gather(matrix.gateway), ports=places)
    compiled = compile_gateway(inputs)
    statuses = answers(compiled, matrix.cases, ports)
    stale = answers(compile_gateway(as_if_healthy(inputs)), matrix.cases, ports)
    known = verdicts(matrix.gateway)
    return Tier(
        tuple(
            Found(
                case,
                known[case.pool, case.settings],
                statuses[case],
                stale[case],
                announced(inputs, compiled, case, known[case.pool, case.settings]),
            )
            for case in matrix.cases
        ),
        compiled,
    )


def as_if_healthy(inputs: Inputs) -> Inputs:
    members = {key: replace(one, status="healthy") for key, one in inputs.members.items()}
    return replace(inputs, members=members)


def answers(compiled: Compiled, cases: list[Case], ports: dict[int, int]) -> dict[Case, int]:
    with running(compiled), ThreadPoolExecutor(16) as pool:
        found = pool.map(lambda case: ask(ports[case.port], case.asked).status, cases)
        return dict(zip(cases, found, strict=True))


def announced(inputs: Inputs, compiled: Compiled, case: Case, verdict: Verdict) -> frozenset[str]:
    """Ids of what the pages say of the case: the compiler's notes, the warnings at the verdict."""
    loaded = inputs.loaded
    pool = next(one for one in loaded.pools if one.name == case.pool)
    settings = next(one for one in loaded.http_settings if one.name == case.settings)
    (address,) = loaded.addresses(pool)
    assert isinstance(address, BackendAddress)
    legs = both_legs(loaded, pool, settings, address)
    warnings = {
        one.kind.id
        for one in traffic_warnings(legs, leaf_of(verdict.evidence))
        if one.host == case.asked
    }
    notes = {
        note.kind.id
        for note in compiled.notes
        if note.target.name == case.settings and address.target in note.message
    }
    return frozenset(warnings | notes)


def everything(tiers: dict[str, Tier]) -> list[Found]:
    return [one for tier in tiers.values() for one in tier.found]


Key = tuple[str, str, str, str]


def key(one: Found) -> Key:
    return (one.case.tier, one.case.scenario, one.case.trust, one.case.host)


# Servers that are healthy once their own root is uploaded, and those that are without any check of
# the chain.
WITH_OWN_ROOT = {
    "full-chain",
    "no-root",
    "self-signed-ca",
    "renewed-root",
    "name-in-subject",
    "wildcard",
    "default-site",
    "public",
    "tls-1-3",
    "maintenance",
    "app-service",
    "virtual-machine",
    "virtual-machine-2",
    "scale-set",
}
UNCHECKED = WITH_OWN_ROOT | {
    "no-intermediate",
    "leaf-and-root",
    "self-signed",
    "expired",
    "not-yet-valid",
    "expired-intermediate",
    "weak-key",
    "sha1",
}

# Healthy by the probe's name, 502 for a client's name that the certificate does not carry: told at
# the verdict as traffic-name-uncovered.
BY_ANOTHER_NAME: set[Key] = {
    *(("v2", one, "own-root", "other") for one in WITH_OWN_ROOT),
    *(("v2", one, "unchecked", "other") for one in UNCHECKED),
    *(("v2", one, "well-known", "other") for one in PUBLIC),
}
# The engine cannot compare a common name with names that clients choose: told by the compiler as
# engine-common-name-unusable.
BY_COMMON_NAME: set[Key] = {
    ("v2", "name-in-subject", trust, "own") for trust in ("own-root", "unchecked")
}
# What the engine alone would take while a verdict is old; the prober refuses it at its next look.
# They are no strangers: each leads to the very root that was uploaded for it.
BY_THE_PROBER_ALONE = {"weak-key", "sha1", "self-signed"}

OF_TRUST = {
    "E-CN",
    "E-DATES",
    "E-INT-MISSING",
    "E-LEAF-MISSING",
    "E-LEAF-ORDER",
    "E-NOT-PUBLIC",
    "E-INT-NOT-PUBLIC",
    "E-ROOT-MISMATCH",
    "E-ROOT-MISMATCH-NOROOT",
    "E-VERIFY",
    "E-AUTHCERT",
    "E-TCP",
    "E-TIMEOUT",
}
ANSWERS = {"answers-401": 401, "answers-404": 404, "answers-500": 500}


def test_every_backend_is_tried_with_every_trust_and_name(tiers: dict[str, Tier]) -> None:
    found = everything(tiers)
    assert len(found) > 900
    for scenario in BACKENDS:
        for tier, trusts in (("v1", V1_TRUST), ("v2", V2_TRUST)):
            tried = {
                one.case.trust
                for one in found
                if (one.case.scenario, one.case.tier) == (scenario.id, tier)
            }
            assert tried == {*trusts, *PLAIN}
    assert all(one.verdict.checked_at for one in found)
    assert {one.verdict.status for one in found} == {"Healthy", "Unhealthy"}


def test_verdict_and_traffic_agree_or_the_difference_is_listed(tiers: dict[str, Tier]) -> None:
    differing = {key(one) for one in everything(tiers) if one.is_healthy != (one.status == 200)}
    assert differing == BY_ANOTHER_NAME | BY_COMMON_NAME


def test_what_differs_by_names_is_announced_and_nothing_else_is(tiers: dict[str, Tier]) -> None:
    found = [one for one in everything(tiers) if one.is_healthy]
    uncovered = {key(one) for one in found if "traffic-name-uncovered" in one.announced}
    by_common_name = {key(one) for one in found if "engine-common-name-unusable" in one.announced}
    assert uncovered == BY_ANOTHER_NAME
    assert by_common_name >= BY_COMMON_NAME
    assert by_common_name <= BY_COMMON_NAME | BY_ANOTHER_NAME


def test_a_pinned_server_is_announced(tiers: dict[str, Tier]) -> None:
    pinned = {key(one) for one in everything(tiers) if "engine-certificate-pinned" in one.announced}
    assert {(trust, one) for _, one, trust, _ in pinned} == {
        *(("unchecked", one) for one in UNCHECKED),
        ("own-root", "name-in-subject"),
    }


def test_no_server_that_the_prober_refuses_gets_traffic(tiers: dict[str, Tier]) -> None:
    refused = [one for one in everything(tiers) if not one.is_healthy]
    assert refused
    assert {str(one.case): one.status for one in refused if one.status != 502} == {}


def test_what_is_not_trusted_is_not_reached_on_an_old_verdict(tiers: dict[str, Tier]) -> None:
    refused = [one for one in everything(tiers) if one.verdict.error_id in OF_TRUST]
    reached = {key(one) for one in refused if one.stale not in (502, 504)}
    assert reached == {
        ("v2", one, "own-root", host)
        for one in BY_THE_PROBER_ALONE
        for host in ("override", "pick", "own")
    }
    assert {one.verdict.error_id for one in refused} == OF_TRUST


def test_a_server_s_own_status_passes_once_it_is_asked(tiers: dict[str, Tier]) -> None:
    passed = {
        (one.case.scenario, one.stale)
        for one in everything(tiers)
        if one.verdict.error_id == "E-STATUS"
    }
    assert passed == {
        *ANSWERS.items(),
        # Asked for a name that its certificate does not carry, it is not reached.
        *((one, 502) for one in ANSWERS),
    }
