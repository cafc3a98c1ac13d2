"""A sweep of the prober over many real TLS servers, some of which never answer.

The servers run in a process of their own, so that their work is not counted as the prober's.
"""

from __future__ import annotations

import multiprocessing
import time
from contextlib import suppress
from datetime import timedelta

from certificates.x509.certificate import Certificate
from gateway.health.worker import Worker
from gateway.models import LabEndpoint, LabServer, Verdict
from tests import factories
from tests.benchmarks import backends
from tests.benchmarks.table import Table
from tests.gateway.health.lab import Clock, network_of

GOOD, SILENT = 180, 20
# Seconds that a probe waits for an answer.
TIMEOUT = 2


def run(table: Table) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=backends.serve, args=(theirs, GOOD, SILENT, factories.NOW), daemon=True
    )
    process.start()
    # With this end open as well the death of the process would go unnoticed.
    theirs.close()
    try:
        _sweep(table, *ours.recv())
    finally:
        with suppress(OSError):
            ours.send("enough")
        process.join(10)
        process.kill()


def _sweep(table: Table, ports: list[int], root: bytes) -> None:
    gateway = factories.v2_gateway(name="sweep")
    network = network_of(gateway)
    pool = factories.add_pool(
        gateway, "servers", *(backends.name(number) for number in range(len(ports)))
    )
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
    for number, port in enumerate(ports):
        server = factories.add_row(
            LabServer,
            virtual_network=network,
            name=f"server{number}",
            scenario="full-chain",
            address=f"10.0.5.{number}",
            fqdn=backends.name(number),
            port=443,
        )
        LabEndpoint.objects.create(
            server=server,
            port=443,
            real_host="127.0.0.1",
            real_port=port,
            reported_at=factories.NOW,
        )
    # Pairs of the gateways that other parts of the bench left behind are not counted.
    Verdict.objects.update(due_at=factories.NOW + timedelta(days=365))
    clock = Clock()
    worker = Worker(clock=clock)
    for what in ("new pairs", "known pairs"):
        started = time.perf_counter()
        probed = worker.sweep()
        spent = time.perf_counter() - started
        healthy = Verdict.objects.filter(gateway=gateway, status="Healthy").count()
        silent = Verdict.objects.filter(gateway=gateway, error_id="E-TIMEOUT").count()
        assert (healthy, silent) == (GOOD, SILENT), f"{healthy} healthy, {silent} silent"
        table.add(
            f"sweep: {what}, {GOOD} servers and {SILENT} silent ({TIMEOUT} s)",
            s=f"{spent:.2f}",
            probes=str(probed),
            per_s=f"{probed / spent:.0f}",
        )
        clock.now += timedelta(hours=1)
