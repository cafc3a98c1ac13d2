"""``manage.py labservers``: serve every lab server until told to stop."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gateway.lab.servers import serve


class Command(BaseCommand):
    help = "Serves every lab server of every sandbox on loopback ports. One process is enough."

    def handle(self, *args: Any, **options: Any) -> None:
        with _only_one():
            asyncio.run(_until_signal())


@contextmanager
def _only_one() -> Iterator[None]:
    """Two processes would report over each other; the lock ends with the process, however."""
    descriptor = os.open(
        settings.GATEWRIGHT_DATA / "labservers.lock", os.O_RDWR | os.O_CREAT, 0o600
    )
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(
                "The lab servers of this data directory are running already."
            ) from error
        yield
    finally:
        os.close(descriptor)


async def _until_signal() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(stop)
