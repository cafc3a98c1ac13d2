"""What the network between gateway and servers makes of a verdict: DNS, memory, played causes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import dns.rcode
import pytest

from gateway.health.catalogue import SIMULATED_DOUBT, SIMULATED_SILENCE
from gateway.health.planner import plan_gateway
from gateway.health.worker import Worker
from gateway.models import (
    ApplicationGateway,
    BackendHttpSettings,
    LabEndpoint,
    LabServer,
    Subnet,
    Verdict,
    ZoneRecord,
)
from tests import factories, servers
from tests.factories import NOW
from tests.gateway.health.lab import (
    ADDRESS,
    Clock,
    add_backend,
    move_on,
    network_of,
    only_verdict,
    point_pool_at,
    sweep,
)
from tests.gateway.health.nameservers import dns_server

pytestmark = pytest.mark.django_db

FQDN = "www.contoso.test"
PUBLIC = "www.example.com"
DNS = "10.0.1.53"


@pytest.fixture
def gateway() -> ApplicationGateway:
    gateway = factories.v2_gateway()
    point_pool_at(gateway, FQDN)
    return gateway


class Names:
    """What the DNS server of the network answers: by name, ``None`` for silence."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def __call__(self, name: str) -> Any:
        return self.answers.get(name, dns.rcode.NXDOMAIN)


@contextmanager
def own_dns(gateway: ApplicationGateway, names: Names) -> Iterator[None]:
    """A DNS server of the virtual network's own, and nothing else for its names."""
    network = network_of(gateway)
    with dns_server(names) as port:
        server = factories.add_row(
            LabServer,
            virtual_network=network,
            name="dns",
            scenario="dns-private",
            address=DNS,
            fqdn="dns.contoso.test",
            port=53,
        )
        LabEndpoint.objects.create(
            server=server, port=53, real_host="127.0.0.1", real_port=port, reported_at=NOW
        )
        factories.change(network, dns_servers=[DNS])
        move_on(gateway)
        yield


def next_turn(clock: Clock, gateway: ApplicationGateway) -> None:
    clock.now = only_verdict(gateway).due_at + timedelta(seconds=0.1)


def test_a_silent_dns_server_leaves_the_address_that_the_name_had(
    gateway: ApplicationGateway,
) -> None:
    clock, names = Clock(), Names(**{FQDN: [ADDRESS]})
    worker = Worker(threads=2, clock=clock)
    with servers.http_server() as server, own_dns(gateway, names):
        add_backend(gateway, FQDN, server.port, named_port=80)
        worker.sweep()
        assert only_verdict(gateway).status == "Healthy"
        assert only_verdict(gateway).remembered_address == ADDRESS

        names.answers[FQDN] = None
        next_turn(clock, gateway)
        worker.sweep()
        verdict = only_verdict(gateway)
        assert verdict.status == "Healthy"
        assert verdict.evidence["dns"]["error"] == "silent"
        assert verdict.evidence["dns"]["remembered"] == ADDRESS
        assert "The address that it had last is used" in verdict.evidence["stages"][0]["detail"]

        # A save that has nothing to do with the pair empties the memory all the same.
        move_on(gateway)
        next_turn(clock, gateway)
        worker.sweep()
        verdict = only_verdict(gateway)
        assert (verdict.status, verdict.error_id) == ("Unknown", "U-DNS")
        assert verdict.remembered_address == ""

        names.answers[FQDN] = [ADDRESS]
        next_turn(clock, gateway)
        worker.sweep()
        assert only_verdict(gateway).status == "Healthy"


def test_a_refusal_is_survived_by_memory_and_told_without_it(gateway: ApplicationGateway) -> None:
    clock, names = Clock(), Names(**{FQDN: [ADDRESS]})
    worker = Worker(threads=2, clock=clock)
    with servers.http_server() as server, own_dns(gateway, names):
        add_backend(gateway, FQDN, server.port, named_port=80)
        worker.sweep()
        names.answers[FQDN] = dns.rcode.REFUSED
        next_turn(clock, gateway)
        worker.sweep()
        assert only_verdict(gateway).status == "Healthy"
        move_on(gateway)
        next_turn(clock, gateway)
        worker.sweep()
        verdict = only_verdict(gateway)
    assert (verdict.status, verdict.error_id) == ("Unknown", "U-CDNS")
    assert "REFUSED" in verdict.message


def test_a_name_that_does_not_exist_is_told_in_spite_of_memory(
    gateway: ApplicationGateway,
) -> None:
    clock, names = Clock(), Names(**{FQDN: [ADDRESS]})
    worker = Worker(threads=2, clock=clock)
    with servers.http_server() as server, own_dns(gateway, names):
        add_backend(gateway, FQDN, server.port, named_port=80)
        worker.sweep()
        del names.answers[FQDN]
        for _ in range(3):
            next_turn(clock, gateway)
            worker.sweep()
    verdict = only_verdict(gateway)
    assert (verdict.status, verdict.error_id) == ("Unhealthy", "E-DNS")


def test_a_name_with_a_new_address_in_the_zone_is_asked_anew_at_once(
    gateway: ApplicationGateway,
) -> None:
    with servers.http_server() as old, servers.http_server(servers.answer("500 No")) as new:
        add_backend(gateway, FQDN, old.port, named_port=80)
        sweep()
        add_backend(gateway, "b.contoso.test", new.port, address="10.0.1.9", named_port=80)
        factories.add_row(
            ZoneRecord, virtual_network=network_of(gateway), name=FQDN, address="10.0.1.9"
        )
        move_on(gateway)
        assert sweep() == 1
    verdict = only_verdict(gateway)
    assert (verdict.error_id, verdict.evidence["dialed"]) == ("E-STATUS", "10.0.1.9:80")


def play(gateway: ApplicationGateway, cause: str) -> None:
    subnet = Subnet.objects.get(pk=factories.loaded(gateway).subnet.pk)  # type: ignore[union-attr]
    factories.change(subnet, simulated_cause=cause)
    move_on(gateway)


@pytest.mark.parametrize("cause", sorted(SIMULATED_SILENCE))
def test_a_played_cause_keeps_probes_from_the_servers(
    gateway: ApplicationGateway, cause: str
) -> None:
    with servers.http_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        sweep()
        play(gateway, cause)
        assert sweep() == 1
        verdict = only_verdict(gateway)
        assert (verdict.status, verdict.error_id) == ("Unknown", cause)
        assert verdict.evidence["simulated"] == cause
        assert verdict.message.startswith("Simulated")
        assert len(server.requests) == 1
        play(gateway, "")
        sweep()
    assert only_verdict(gateway).status == "Healthy"
    assert only_verdict(gateway).evidence["simulated"] == ""


@pytest.mark.parametrize("cause", sorted(SIMULATED_DOUBT))
def test_where_traffic_still_flows_the_evidence_shows_what_the_probe_saw(
    gateway: ApplicationGateway, cause: str
) -> None:
    play(gateway, cause)
    with servers.http_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        sweep()
        assert len(server.requests) == 1
    verdict = only_verdict(gateway)
    assert (verdict.status, verdict.error_id) == ("Unknown", cause)
    assert verdict.evidence["observed"]["status"] == "Healthy"
    assert verdict.evidence["status_code"] == 200
    assert "The probe itself found: Answered 200" in verdict.message


def test_v1_asks_again_at_once_and_is_unhealthy_within_seconds() -> None:
    gateway = factories.v1_gateway()
    point_pool_at(gateway, FQDN)
    clock = Clock()
    worker = Worker(threads=2, clock=clock)
    with servers.http_server() as good, servers.http_server(servers.answer("500 No")) as bad:
        add_backend(gateway, FQDN, good.port, named_port=80)
        worker.sweep()
        LabEndpoint.objects.update(real_port=bad.port)
        next_turn(clock, gateway)
        began = clock.now
        while only_verdict(gateway).status == "Healthy":
            worker.sweep()
            next_turn(clock, gateway)
        assert len(bad.requests) == 3
    assert only_verdict(gateway).checked_at - began < timedelta(seconds=5)  # type: ignore[operator]


def test_as_many_servers_as_the_probe_says_are_always_healthy(gateway: ApplicationGateway) -> None:
    names = [f"s{number}.contoso.test" for number in range(4)]
    point_pool_at(gateway, *names)
    probe = factories.add_probe(gateway, "mine", host=FQDN, min_servers=2, unhealthy_threshold=1)
    setting = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(setting, probe=probe)
    move_on(gateway)
    clock = Clock()
    worker = Worker(threads=2, clock=clock)
    with servers.http_server(servers.answer("500 No")) as bad:
        for number, name in enumerate(names):
            add_backend(gateway, name, bad.port, address=f"10.0.1.{number + 10}", named_port=80)
        for _ in range(3):
            worker.sweep()
            statuses = list(Verdict.objects.values_list("status", flat=True))
            assert statuses.count("Healthy") == 2
            clock.now += timedelta(minutes=1)
        good = servers.http_server()
        with good as server:
            LabEndpoint.objects.filter(server__fqdn__in=names[2:]).update(real_port=server.port)
            for _ in range(2):
                worker.sweep()
                clock.now += timedelta(minutes=1)
    found = Verdict.objects.filter(status="Healthy").values_list("address__fqdn", flat=True)
    assert set(found) == set(names[2:])


def test_memory_is_kept_when_the_same_generation_is_planned_again(
    gateway: ApplicationGateway,
) -> None:
    gateway.refresh_from_db()
    plan_gateway(gateway, NOW)
    Verdict.objects.update(remembered_address=ADDRESS)
    plan_gateway(gateway, NOW)
    assert only_verdict(gateway).remembered_address == ADDRESS
    move_on(gateway)
    plan_gateway(gateway, NOW)
    assert only_verdict(gateway).remembered_address == ""
