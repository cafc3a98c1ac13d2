"""A sweep of the prober over many real TLS servers, some of which never answer.

Servers and prober run in processes of their own, so that neither counts the other's work.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from certificates.x509.facts.certificate import Certificate
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    HealthPlan,
    LabEndpoint,
    LabServer,
    Verdict,
    ZoneRecord,
    writing,
)
from tests import factories
from tests.benchmarks import backends
from tests.benchmarks.table import Table
from tests.gateway.health.lab import move_on, network_of, point_pool_at

GOOD, SILENT = 1100, 100
# Seconds that a probe waits for an answer.
TIMEOUT = 5
# What the product promises of this sweep, on two cores.
MOST_SECONDS, MOST_MEGABYTES = 10.0, 200.0
MOST_SECONDS_OF_A_SAVE = 2.0


def run(table: Table) -> None:
    with servers() as (ports, root):
        gateway = _gateway(ports, root)
        for what in ("new pairs", "known pairs"):
            told = sweep()
            healthy = Verdict.objects.filter(gateway=gateway, status="Healthy").count()
            silent = Verdict.objects.filter(gateway=gateway, error_id="E-TIMEOUT").count()
            assert (healthy, silent) == (GOOD, SILENT), f"{healthy} healthy, {silent} silent"
            table.add(
                f"sweep: {what}, {GOOD} servers and {SILENT} silent ({TIMEOUT} s)",
                s=f"{told['seconds']:.2f}",
                probes=str(told["probes"]),
                per_s=f"{told['probes'] / told['seconds']:.0f}",
                peak_MB=f"{told['peak']:.0f}",
            )
            assert told["seconds"] <= MOST_SECONDS, f"The sweep took {told['seconds']:.1f} s."
            assert told["peak"] <= MOST_MEGABYTES, f"The prober had {told['peak']:.0f} MB."
            Verdict.objects.filter(gateway=gateway).update(due_at=timezone.now())
        _save_meanwhile(table, gateway)


def _save_meanwhile(table: Table, busy: ApplicationGateway) -> None:
    """How long somebody who saves waits for the verdict while all of ``busy`` is being swept."""
    saved = factories.v2_gateway(busy.group, name="saved")
    network = network_of(busy)
    configuration = factories.loaded(saved).gateway_ip_configurations[0]
    factories.change(configuration, subnet=network.subnets.first())
    settings = factories.loaded(saved).http_settings[0]
    factories.change(settings, port=443)
    point_pool_at(saved, backends.name(0))
    with _child("manage.py", "worker"):
        verdicts = Verdict.objects.filter(gateway=saved, rechecking=False)
        _wait_for(verdicts.exists)
        started_at = timezone.now()
        Verdict.objects.filter(gateway=busy).update(due_at=started_at)
        _wait_for(Verdict.objects.filter(gateway=busy, checked_at__gt=started_at).exists)
        factories.change(settings, request_timeout=99, host_name="saved.contoso.test")
        began = time.perf_counter()
        move_on(saved)
        _wait_for(verdicts.filter(checked_at__gt=started_at).exists)
        spent = time.perf_counter() - began
        assert Verdict.objects.filter(gateway=busy, checked_at__lt=started_at).exists()
    table.add("sweep: from a save to its verdict meanwhile", s=f"{spent:.2f}")
    assert spent <= MOST_SECONDS_OF_A_SAVE, f"The verdict took {spent:.1f} s."


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.02)


@contextmanager
def servers() -> Iterator[tuple[list[int], bytes]]:
    """The ports of the backends, the silent ones last, and their root as DER."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=backends.serve, args=(theirs, GOOD, SILENT, timezone.now()), daemon=True
    )
    process.start()
    # With this end open as well the death of the process would go unnoticed.
    theirs.close()
    try:
        yield ours.recv()
    finally:
        with suppress(OSError):
            ours.send("enough")
        process.join(10)
        process.kill()


def sweep() -> dict[str, Any]:
    """What ``tests.benchmarks.prober`` prints about a sweep of the database in use."""
    with _child("-m", "tests.benchmarks.prober") as process:
        printed, _ = process.communicate(timeout=120)
        assert process.returncode == 0
    told: dict[str, Any] = json.loads(printed)
    return told


@contextmanager
def _child(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process of the product on the database in use, ended with the block."""
    with tempfile.TemporaryDirectory() as data:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "gateway.settings",
                "GATEWRIGHT_DATA": data,
                "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _gateway(ports: list[int], root: bytes) -> ApplicationGateway:
    """A gateway with one pool of all the servers and one HTTP setting."""
    gateway = factories.v2_gateway(name="sweep")
    pool = factories.add_pool(gateway, "servers")
    settings = factories.add_settings(
        gateway,
        "https",
        protocol="Https",
        pick_host_name_from_backend_address=True,
        roots=[factories.add_root(gateway, "root", Certificate.from_der(root))],
        probe=factories.add_probe(
            gateway, "patient", protocol="Https", timeout=TIMEOUT, pick_host_name_from_settings=True
        ),
    )
    listener = factories.add_listener(gateway, "servers", port=8080)
    factories.add_rule(gateway, "servers", listener, pool, settings)
    _write_servers(gateway, ports, pool.pk)
    _set_aside(gateway)
    return gateway


def _set_aside(gateway: ApplicationGateway) -> None:
    """Have nothing probed but this gateway: other parts of the bench leave theirs behind."""
    for other in ApplicationGateway.objects.exclude(pk=gateway.pk):
        HealthPlan.objects.update_or_create(
            gateway=other, defaults={"generation": other.generation}
        )
    Verdict.objects.update(due_at=timezone.now() + timedelta(days=365))


def _write_servers(gateway: ApplicationGateway, ports: list[int], pool: int) -> None:
    network = network_of(gateway)
    names = [backends.name(number) for number in range(len(ports))]
    places = [f"10.0.{number // 250 + 1}.{number % 250 + 1}" for number in range(len(ports))]
    with writing():
        labs = LabServer.objects.bulk_create(
            LabServer(
                virtual_network=network,
                name=name.split(".")[0],
                scenario="full-chain",
                address=place,
                fqdn=name,
                port=443,
            )
            for name, place in zip(names, places, strict=True)
        )
        ZoneRecord.objects.bulk_create(
            ZoneRecord(virtual_network=network, name=name, address=place)
            for name, place in zip(names, places, strict=True)
        )
        BackendAddress.objects.bulk_create(
            BackendAddress(pool_id=pool, fqdn=name, position=position)
            for position, name in enumerate(names)
        )
    LabEndpoint.objects.bulk_create(
        LabEndpoint(
            server=lab,
            port=443,
            real_host="127.0.0.1",
            real_port=port,
            reported_at=timezone.now(),
        )
        for lab, port in zip(labs, ports, strict=True)
    )
