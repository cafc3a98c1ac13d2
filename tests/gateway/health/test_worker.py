"""The prober at work: plans, claims, probes and writes."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection

from gateway.health import claims, worker
from gateway.health.worker import Worker
from gateway.models import (
    ApplicationGateway,
    BackendHttpSettings,
    HealthPlan,
    LabEndpoint,
    LabServer,
    Verdict,
)
from tests import factories, servers
from tests.factories import NOW
from tests.gateway.health.lab import (
    Clock,
    add_backend,
    move_on,
    network_of,
    only_verdict,
    point_pool_at,
    report,
    sweep,
)

FQDN = "www.contoso.test"


@pytest.fixture
def gateway(db: None) -> ApplicationGateway:
    """A v2 gateway whose only backend is www.contoso.test on port 80."""
    gateway = factories.v2_gateway()
    point_pool_at(gateway, FQDN)
    return gateway


def test_a_sweep_plans_and_probes_what_is_due(gateway: ApplicationGateway) -> None:
    with servers.http_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        assert sweep() == 1
        verdict = only_verdict(gateway)
        assert (verdict.status, verdict.checked_at) == ("Healthy", NOW)
        assert sweep() == 0


def test_the_next_probe_comes_after_the_interval(gateway: ApplicationGateway) -> None:
    clock = Clock()
    one = Worker(threads=2, clock=clock)
    with servers.http_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        assert one.sweep() == 1
        # The second probe takes the turn that is the pair's own; from then on it keeps to it.
        clock.now = only_verdict(gateway).due_at
        assert one.sweep() == 1
        clock.now += timedelta(seconds=29)
        assert one.sweep() == 0
        clock.now += timedelta(seconds=2)
        assert one.sweep() == 1
    assert len(server.requests) == 3


def test_a_healthy_server_that_fails_stays_healthy_until_the_threshold(
    gateway: ApplicationGateway,
) -> None:
    clock = Clock()
    one = Worker(threads=2, clock=clock)
    found = []
    with servers.http_server() as good, servers.http_server(servers.answer("500 No")) as bad:
        add_backend(gateway, FQDN, good.port, named_port=80)
        one.sweep()
        LabEndpoint.objects.update(real_port=bad.port)
        for _ in range(3):
            clock.now += timedelta(seconds=40)
            one.sweep()
            found.append(only_verdict(gateway).status)
        LabEndpoint.objects.update(real_port=good.port)
        clock.now += timedelta(seconds=40)
        one.sweep()
        found.append(only_verdict(gateway).status)
    assert found == ["Healthy", "Healthy", "Unhealthy", "Healthy"]


def test_a_save_has_its_pairs_probed_at_once_and_the_first_result_decides(
    gateway: ApplicationGateway,
) -> None:
    with servers.http_server() as server, servers.refusing_port() as closed:
        lab = add_backend(gateway, FQDN, server.port, named_port=80)
        LabEndpoint.objects.create(
            server=lab, port=None, real_host="127.0.0.1", real_port=closed, reported_at=NOW
        )
        sweep()
        assert only_verdict(gateway).status == "Healthy"
        setting = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
        factories.change(setting, port=8080)
        move_on(gateway)
        assert sweep() == 1
    verdict = only_verdict(gateway)
    assert (verdict.status, verdict.error_id) == ("Unhealthy", "E-TCP")
    assert "8080" in verdict.message


def test_the_pairs_of_a_killed_worker_are_probed_by_the_next(gateway: ApplicationGateway) -> None:
    clock = Clock()
    with servers.http_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        dead = Worker(threads=2, clock=clock)
        dead.plan(NOW)
        assert len(claims.claim(clock(), limit=10, lane="quick")) == 1
        assert sweep(clock) == 0
        clock.now += claims.LEASE + timedelta(seconds=1)
        assert sweep(clock) == 1
    assert only_verdict(gateway).status == "Healthy"


def test_the_leases_of_probes_that_go_on_are_kept(gateway: ApplicationGateway) -> None:
    clock = Clock()
    setting = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(setting, probe=factories.add_probe(gateway, "p", timeout=600))
    move_on(gateway)
    with servers.silent_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        one = Worker(threads=2, clock=clock)
        one.round()
        for _ in range(4):
            clock.now += claims.LEASE / 2
            one.round()
            assert only_verdict(gateway).leased_until == clock.now + claims.LEASE
            assert claims.claim(clock.now, limit=9, lane="quick") == []


def test_a_lab_server_is_found_as_soon_as_it_has_started(gateway: ApplicationGateway) -> None:
    clock = Clock()
    one = Worker(threads=2, clock=clock)
    lab = add_backend(gateway, FQDN, None, named_port=80)
    one.sweep()
    assert only_verdict(gateway).error_id == "U-NEW"
    with servers.http_server() as server:
        report(lab, server.port)
        clock.now += timedelta(seconds=1)
        one.sweep()
    assert only_verdict(gateway).status == "Healthy"


def test_a_fault_inside_the_prober_is_told_and_not_blamed_on_the_server(
    gateway: ApplicationGateway, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("something unforeseen")

    monkeypatch.setattr(worker, "run", broken)
    sweep()
    verdict = only_verdict(gateway)
    assert (verdict.status, verdict.error_id) == ("Unknown", "U-PROBER")
    assert "something unforeseen" not in verdict.message
    assert "something unforeseen" in caplog.text


def test_a_gateway_that_defies_planning_does_not_stop_the_others(
    gateway: ApplicationGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = factories.v1_gateway()
    point_pool_at(other, FQDN)
    real = worker.plan_gateway

    def picky(one: ApplicationGateway, now: Any) -> Any:
        if one.pk == gateway.pk:
            raise ValueError("unreadable")
        return real(one, now)

    clock = Clock()
    prober = Worker(threads=2, clock=clock)
    with monkeypatch.context() as patch:
        patch.setattr(worker, "plan_gateway", picky)
        prober.sweep()
        assert only_verdict(other).error_id
        assert not Verdict.objects.filter(gateway=gateway).exists()
    prober.sweep()
    assert not Verdict.objects.filter(gateway=gateway).exists()
    clock.now += worker.SET_ASIDE + timedelta(seconds=1)
    prober.sweep()
    assert Verdict.objects.filter(gateway=gateway).exists()


def test_a_row_whose_digest_fits_no_plan_is_planned_again(gateway: ApplicationGateway) -> None:
    Worker(clock=Clock()).plan(NOW)
    Verdict.objects.update(digest="of an earlier version")
    with servers.http_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        sweep()
    assert only_verdict(gateway).status == "Healthy"


def test_a_pair_without_a_plan_is_removed(gateway: ApplicationGateway) -> None:
    clock = Clock()
    one = Worker(threads=2, clock=clock)
    one.plan(NOW)
    factories.change(gateway, operational_state="Stopped")
    HealthPlan.objects.update(generation=gateway.generation)
    one.remembered.clear()
    one.sweep()
    assert not Verdict.objects.exists()


def test_only_so_many_gateways_are_remembered(
    gateway: ApplicationGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "REMEMBERED_GATEWAYS", 1)
    factories.v1_gateway()
    one = Worker(threads=2, clock=Clock())
    one.plan(NOW)
    assert len(one.remembered) == 1


def test_two_hundred_backends_some_silent_are_swept_quickly(db: None) -> None:
    gateway = factories.v2_gateway()
    probe = factories.add_probe(gateway, "p", protocol="Https", host="www.contoso.com", timeout=1)
    settings = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(settings, protocol="Https", port=443, probe=probe)
    root = factories.add_root(gateway, "root")
    factories.trust(settings, roots=[root])
    names = [f"s{number}.contoso.test" for number in range(200)]
    point_pool_at(gateway, *names)
    with ExitStack() as stack:
        good = stack.enter_context(servers.tls_server(factories.leaf()))
        silent = stack.enter_context(servers.silent_server())
        network = network_of(gateway)
        for number, name in enumerate(names):
            lab = factories.add_row(
                LabServer,
                virtual_network=network,
                name=f"s{number}",
                scenario="full-chain",
                address=f"10.0.{number // 250 + 1}.{number % 250 + 1}",
                fqdn=name,
            )
            report(lab, silent.port if number % 20 == 0 else good.port)
        started = time.monotonic()
        assert Worker(clock=Clock()).sweep() == 200
        took = time.monotonic() - started
    statuses = list(Verdict.objects.values_list("error_id", flat=True))
    assert statuses.count("E-TIMEOUT") >= 10
    assert statuses.count("") >= 180
    # Goal: 3 s. The test's own servers share the machine, and so may other tests.
    assert took < 10


@pytest.mark.django_db
def test_the_command_probes_once(gateway: ApplicationGateway, capsys: Any) -> None:
    call_command("worker", "--once")
    assert "1 probes made" in capsys.readouterr().out
    assert only_verdict(gateway).checked_at is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("hiccup", "told"),
    [
        (OperationalError("gone"), "did not answer"),
        (InterfaceError("connection already closed"), "did not answer"),
        (RuntimeError("nobody thought of this"), "A round of the prober failed"),
    ],
)
def test_the_worker_notices_a_save_survives_a_hiccup_and_stops_when_told(
    monkeypatch: pytest.MonkeyPatch, caplog: Any, hiccup: Exception, told: str
) -> None:
    gateway = factories.v2_gateway()
    point_pool_at(gateway, FQDN)
    hiccups = iter([hiccup, None])
    real = worker.unplanned

    def shaky(**options: Any) -> Any:
        trouble = next(hiccups, None)
        if trouble:
            raise trouble
        return real(**options)

    monkeypatch.setattr(worker, "unplanned", shaky)
    stop = threading.Event()
    one = Worker(threads=2)

    def work() -> None:
        try:
            one.run(stop)
        finally:
            connection.close()

    with servers.http_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        thread = threading.Thread(target=work)
        thread.start()
        try:
            wait_for(lambda: Verdict.objects.filter(status="Healthy").exists())
        finally:
            stop.set()
            thread.join(10)
    assert not thread.is_alive()
    assert told in caplog.text
    assert only_verdict(gateway).leased_by == ""


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_stops_gives_its_pairs_back(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = factories.v2_gateway()
    point_pool_at(gateway, FQDN)
    monkeypatch.setattr(worker, "FAREWELL_SECONDS", 0.1)
    one = Worker(threads=2)
    with servers.silent_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        one.round()
        assert only_verdict(gateway).leased_by
        one.say_goodbye()
    verdict = only_verdict(gateway)
    assert verdict.leased_by == ""
    assert verdict.error_id == "U-NEW"


@pytest.mark.django_db(transaction=True)
def test_a_farewell_without_a_database_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def gone(_: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(claims, "release", gone)
    Worker(threads=1).say_goodbye()
    assert "not written" in caplog.text


def test_the_process_ends_soon_after_it_is_told_to(tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("DATABASE")
    }
    environment |= {"GATEWRIGHT_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "gateway.settings"}
    root = Path(__file__).resolve().parents[3]
    run = [sys.executable, str(root / "manage.py")]
    subprocess.run([*run, "migrate", "-v0"], env=environment, check=True, cwd=root)
    process = subprocess.Popen(
        [*run, "worker", "--threads", "2"],
        env=environment,
        cwd=root,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: handles_sigterm(process.pid), seconds=20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()


def handles_sigterm(pid: int) -> bool:
    """Whether the process has set its handler (the mask of caught signals in /proc)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
    return False


def wait_for(condition: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.05)


def test_a_signal_at_the_end_of_a_wait_does_not_hold_the_worker_up() -> None:
    # The machine is so slow that the handler returns when the wait should have been over; a second
    # signal breaks a wait that has no end.
    def handler(*_: object) -> None:
        signal.signal(signal.SIGALRM, broken)
        time.sleep(0.3)

    def broken(*_: object) -> None:
        raise AssertionError("the worker waits for ever")

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1, 20)
        Worker(threads=1).collect(0.2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
