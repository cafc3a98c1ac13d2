"""Every cause of bad health, brought about in the real lab as its own description says."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from certificates.models import Certificate
from certificates.publicroot import public_root, well_known
from certificates.x509.facts.certificate import Certificate as Parsed
from gateway.accounts.models import Subscription
from gateway.health.advice import advice, differs
from gateway.health.catalogue import HEALTH_KINDS, HELP_ONLY, SIMULATED
from gateway.health.planner import plan_gateway
from gateway.health.probe import run
from gateway.lab.causes import CAUSES, Cause
from gateway.lab.causes import HELP_ONLY as LAB_HELP_ONLY
from gateway.lab.scenarios import BY_ID, SCENARIOS
from gateway.models import ApplicationGateway, LabEndpoint, LabServer, Subnet, Verdict
from gateway.network import Zone, load_zone
from gateway.rules.names import Trust
from tests import factories
from tests.gateway.health.lab import network_of, point_pool_at
from tests.gateway.health.scenes import plan_for
from tests.gateway.health.scenes import trusting as trusted_by
from tests.gateway.health.walks import (
    gateway_of,
    probe_with,
    probed,
    server_of,
    trust,
    walked_lab,
)

# This portal's own: the policy of the installation, and faults of the prober.
OWN = {"U-NOT-ALLOWED", "U-PROBER"}


@pytest.fixture(scope="module")
def lab(django_db_setup: None, django_db_blocker: Any) -> Iterator[Subscription]:
    with django_db_blocker.unblock(), walked_lab() as sandbox:
        yield sandbox


def walks() -> list[tuple[str, str]]:
    return [
        (id, generation)
        for id, cause in CAUSES.items()
        for generation in (("v1", "v2") if cause.generation == "both" else (cause.generation,))
    ]


def arrange(gateway: ApplicationGateway, id: str, cause: Cause) -> str:
    """Configure what ``cause`` says; the target for the pool."""
    network = network_of(gateway)
    server = server_of(gateway, cause.scenario or "full-chain")
    if cause.switch:
        subnet = factories.loaded(gateway).subnet
        assert subnet is not None
        factories.change(Subnet.objects.get(pk=subnet.pk), simulated_cause=cause.switch)
    if cause.dns:
        factories.change(network, dns_servers=[server_of(gateway, cause.dns).address])
    if cause.trust != "none":
        trust(gateway, trusted(gateway, cause))
    if cause.body or cause.timeout:
        probe_with(gateway, match_body=cause.body, timeout=cause.timeout or 5)
    return {
        "name": server.fqdn,
        "address": server.address,
        "absent-name": "absent.contoso.test",
        "outside-name": "www.example.com",
    }[cause.target]


def trusted(gateway: ApplicationGateway, cause: Cause) -> list[Certificate | None]:
    if cause.trust == "well-known":
        return []
    scenario = cause.scenario or "full-chain"
    if cause.trust == "wrong":
        scenario = "full-chain" if scenario == "renewed-root" else "self-signed-ca"
    server = server_of(gateway, scenario)
    return [server.leaf if gateway.is_v1 else server.root]


@pytest.mark.django_db
@pytest.mark.parametrize(("id", "generation"), walks())
def test_each_cause_is_recognised_where_it_really_happens(
    lab: Subscription, id: str, generation: str
) -> None:
    gateway, cause = gateway_of(lab, generation), CAUSES[id]
    target = arrange(gateway, id, cause)
    if id == "U-NEW":
        point_pool_at(gateway, target)
        plan_gateway(gateway, timezone.now())
        verdict = Verdict.objects.get(gateway=gateway)
    else:
        verdict = probed(gateway, target)
    assert verdict.error_id == id, verdict.message
    assert verdict.status == ("Unknown" if id.startswith("U-") else "Unhealthy")
    assert verdict.message
    if id == "U-NEW":
        return
    assert verdict.evidence["stages"][-1]["name"] == "verdict"
    assert verdict.evidence["simulated"] == cause.switch
    assert (verdict.evidence["simulated"] in SIMULATED) is bool(cause.switch)


def test_each_cause_has_a_message_a_remedy_and_a_lab_server_or_a_switch() -> None:
    assert CAUSES.keys() == HEALTH_KINDS.keys() - HELP_ONLY - OWN
    assert LAB_HELP_ONLY == HELP_ONLY
    for id, cause in CAUSES.items():
        kind = HEALTH_KINDS[id]
        assert bool(cause.scenario) is not bool(cause.switch)
        assert (cause.scenario in BY_ID) or cause.switch == id
        assert cause.how.endswith((".", "(simulated)."))
        for is_v1 in (True, False):
            words = advice(kind, is_v1=is_v1)
            assert words.why.endswith(".")
            assert words.remedy.endswith(".")
    told_apart = {id for id, kind in HEALTH_KINDS.items() if differs(kind)}
    assert {"E-CN", "E-DATES", "E-AUTHCERT", "E-TCP", "U-NSG"} <= told_apart


@pytest.mark.django_db
def test_each_cause_has_a_help_page(client: Client) -> None:
    client.force_login(factories.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    for id in HEALTH_KINDS:
        answer = client.get(reverse("portal:help", args=[id]))
        assert answer.status_code == 200
        assert id in answer.content.decode()


# What a gateway that trusts each server rightly says of it: v1 the leaf, v2 the root.
FOUND: dict[str, tuple[str, str]] = {
    "full-chain": ("", ""),
    "no-intermediate": ("", "E-INT-MISSING"),
    "leaf-and-root": ("", "E-INT-MISSING"),
    "no-root": ("", ""),
    "wrong-order": ("E-AUTHCERT", "E-LEAF-ORDER"),
    "no-leaf": ("E-CN", "E-LEAF-MISSING"),
    "self-signed-ca": ("", ""),
    "self-signed": ("", "E-INT-MISSING"),
    "renewed-root": ("", ""),
    "wrong-name": ("E-CN", "E-CN"),
    "name-in-subject": ("", ""),
    "wildcard": ("", ""),
    "address-only": ("E-CN", "E-CN"),
    "default-site": ("", ""),
    "expired": ("E-DATES", "E-DATES"),
    "not-yet-valid": ("E-DATES", "E-DATES"),
    "expired-intermediate": ("", "E-DATES"),
    "weak-key": ("", "E-VERIFY"),
    "sha1": ("", "E-VERIFY"),
    "public": ("", ""),
    "client-certificate": ("E-TCP", "E-TCP"),
    "tls-1-0": ("E-TCP", "E-TCP"),
    "tls-1-3": ("E-TCP", ""),
    "plain-http": ("E-TCP", "E-TCP"),
    "http-on-443": ("E-TCP", "E-TCP"),
    "reset": ("E-TCP", "E-TCP"),
    "silent": ("E-TIMEOUT", "E-TIMEOUT"),
    "slow": ("E-TIMEOUT", "E-TIMEOUT"),
    "closed": ("E-TCP", "E-TCP"),
    "answers-401": ("E-STATUS", "E-STATUS"),
    "answers-404": ("E-STATUS", "E-STATUS"),
    "answers-500": ("E-STATUS", "E-STATUS"),
    "maintenance": ("E-BODY", "E-BODY"),
    "app-service": ("", ""),
    "virtual-machine": ("", ""),
    "virtual-machine-2": ("", ""),
    "scale-set": ("", ""),
    "dns-private": ("E-TCP", "E-TCP"),
    "dns-silent": ("E-TCP", "E-TCP"),
}


def trusting(gateway: ApplicationGateway, scenario: str) -> Verdict:
    server = server_of(gateway, scenario)
    is_public = scenario in ("public", "app-service")
    root = None if is_public else server.root
    trust(gateway, [server.leaf if gateway.is_v1 else root])
    probe_with(gateway, match_body="Hello from", timeout=1 if is_mute(scenario) else 5)
    return probed(gateway, server.fqdn)


def is_mute(scenario: str) -> bool:
    return FOUND[scenario][0] == "E-TIMEOUT"


@pytest.mark.django_db
@pytest.mark.parametrize("generation", ["v1", "v2"])
@pytest.mark.parametrize("scenario", [one.id for one in SCENARIOS])
def test_each_lab_server_teaches_what_it_is_there_for(
    lab: Subscription, scenario: str, generation: str
) -> None:
    verdict = trusting(gateway_of(lab, generation), scenario)
    assert verdict.error_id == FOUND[scenario][generation == "v2"], verdict.message


# Where `openssl s_client -verify_return_error` and a v2 gateway part: server, trust, and why the
# gateway is right by the documents.
OPENSSL_DIFFERS: dict[tuple[str, str], str] = {
    ("self-signed", "right"): "OpenSSL takes any certificate that is trusted itself; a gateway "
    "takes one without CA:TRUE for a leaf whose issuer is missing (backend health article).",
}


def openssl_accepts(server: LabServer, roots: list[Parsed], file: Path) -> bool:
    """Whether OpenSSL takes the server for its name with these roots and no others."""
    where = LabEndpoint.objects.get(server=server, port=443)
    file.write_text("".join(root.pem for root in roots))
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{where.real_host}:{where.real_port}",
         "-servername", server.fqdn, "-verify_hostname", server.fqdn, "-verify_return_error",
         "-min_protocol", "TLSv1.2", "-no-CApath", "-no-CAstore", "-CAfile", str(file)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return "Verification: OK" in done.stdout and "no peer certificate" not in done.stdout


def gateway_accepts(server: LabServer, trust: Trust, zone: Zone) -> bool:
    plan = plan_for(target=server.fqdn, trust=trust, timeout=5)
    seen = run(plan, zone=zone, well_known=well_known(), now=timezone.now())
    return any(stage.name == "certificate" and stage.ok for stage in seen.stages)


@pytest.mark.django_db
@pytest.mark.parametrize("whose", ["right", "well-known", "wrong"])
def test_openssl_accepts_and_refuses_the_same_servers(
    lab: Subscription, tmp_path: Path, whose: str
) -> None:
    gateway = gateway_of(lab, "v2")
    zone = load_zone(network_of(gateway))
    public = public_root()
    assert public is not None
    other = factories.root().certificate
    found: dict[str, tuple[bool, bool]] = {}
    for scenario in SCENARIOS:
        if not scenario.is_tls:
            continue
        server = server_of(gateway, scenario.id)
        own = server.root.parsed if server.root else public
        roots = {"right": [own], "well-known": [public], "wrong": [other]}[whose]
        trust = trusted_by("well-known") if whose == "well-known" else trusted_by("roots", *roots)
        found[scenario.id] = (
            gateway_accepts(server, trust, zone),
            openssl_accepts(server, roots, tmp_path / "roots.pem"),
        )
    differing = {id for id, (ours, theirs) in found.items() if ours != theirs}
    assert differing == {id for id, when in OPENSSL_DIFFERS if when == whose}, found
    assert any(ours for ours, _ in found.values()) is (whose != "wrong")
    assert not all(ours for ours, _ in found.values())
