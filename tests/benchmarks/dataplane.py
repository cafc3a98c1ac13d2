"""From a save to live, and what a compiled gateway costs the proxy.

Goals, on two cores with nothing else to do: live within 150 ms for one listener, 300 ms for a
gateway of a hundred, 500 ms for ten such gateways; and nine tenths of the requests per second of
proxy CPU that the same Envoy reaches with a hand-made configuration.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from pathlib import Path

from gateway.dataplane.agent.binary import EngineMissingError, find
from gateway.dataplane.compile import compile_gateway
from tests.benchmarks import throughput
from tests.benchmarks.table import Table, median_ms
from tests.crowds import crowd
from tests.gateway.dataplane.sites import Traffic
from tests.test_run import wait_for
from tests.traffic.installation import Installation

SAVES = 40
# (gateways, listeners of each), each beside what the row before made
SIZES = ((1, 1), (1, 100), (10, 100))


def run(table: Table) -> None:
    _compiling(table)
    try:
        find(os.environ.get("ENVOY_BIN"))
    except EngineMissingError as error:
        table.add(f"data plane left out: {error}")
        return
    for gateways, listeners in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            _live(table, Path(folder), gateways, listeners)
    throughput.run(table)


def _compiling(table: Table) -> None:
    traffic = Traffic(crowd(100, "compiled"))
    traffic.everyone(20001)
    inputs = traffic.inputs()
    spent = median_ms(lambda: compile_gateway(inputs), rounds=7)
    table.add("compile: gateway of 100 listeners", ms=f"{spent:.0f}")


def _live(table: Table, folder: Path, gateways: int, listeners: int) -> None:
    installation = Installation(folder / "installation")
    try:
        installation.wait_until_ready()
        installation.saves("grow", str(gateways), str(listeners))
        pairs = gateways * max(listeners - 1, 1)
        healthy = (
            "select count(*) from gateway_verdict v join gateway_applicationgateway g"
            " on g.id = v.gateway_id where g.name like 'grown%' and v.status = 'Healthy'"
        )
        wait_for(lambda: installation.query(healthy)[0][0] >= pairs, 200, "healthy servers")
        told = json.loads(installation.saves("live", str(SAVES)))
        table.add(
            f"save to live: {gateways} x {listeners} listeners",
            save_ms=f"{statistics.median(one[0] for one in told) * 1000:.0f}",
            p50_ms=f"{statistics.median(one[1] for one in told) * 1000:.0f}",
            p95_ms=f"{statistics.quantiles([one[1] for one in told], n=20)[18] * 1000:.0f}",
            envoy_MB=f"{_megabytes(installation.engine):.0f}",
            agent_MB=f"{_megabytes(installation.agent):.0f}",
        )
    finally:
        installation.clean_up()


def _megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
