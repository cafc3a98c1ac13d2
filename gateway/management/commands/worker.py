"""``manage.py worker``: the prober, and beside it what sweeps up and what fetches error pages."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from gateway.dataplane import error_pages
from gateway.health.worker import Worker
from gateway.management import sweeping


class Command(BaseCommand):
    help = "Probes the backends of all gateways until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Probe what is due and stop.")
        parser.add_argument(
            "--threads", type=int, default=50, help="Probes at once (50 unless given)."
        )

    def handle(self, *args: Any, once: bool, threads: int, **options: Any) -> None:
        worker = Worker(threads=max(threads, 1))
        if once:
            self.stdout.write(f"{worker.sweep()} probes made.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        # A daemon: a batch that waits for a lock must not keep the process from ending.
        for name, beside in (("sweeping", sweeping.run), ("error pages", error_pages.run)):
            threading.Thread(target=beside, args=(stop,), name=name, daemon=True).start()
        try:
            worker.run(stop)
        finally:
            stop.set()
