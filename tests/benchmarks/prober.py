"""One sweep of the prober in a process of its own: prints results, seconds and peak memory."""

from __future__ import annotations

import json
import time
from pathlib import Path

import django

django.setup()

from gateway.health.worker import Worker  # noqa: E402


def peak_megabytes() -> float:
    """The most memory that this process has had resident."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("The system does not tell how much memory a process had.")


if __name__ == "__main__":
    worker = Worker()
    idle = peak_megabytes()
    started = time.perf_counter()
    probes = worker.sweep()
    seconds = time.perf_counter() - started
    print(
        json.dumps({"probes": probes, "seconds": seconds, "idle": idle, "peak": peak_megabytes()})
    )
