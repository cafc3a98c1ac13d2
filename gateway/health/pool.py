"""Threads that run probes.

Not ``concurrent.futures``: its threads are waited for when the process ends, and a probe of a
silent server would hold up the end of the worker for as long as its time-out.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

logger = logging.getLogger(__name__)


class Pool:
    """Up to ``size`` threads, started when they are needed; they end with the process."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.busy = 0
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0

    @property
    def free(self) -> int:
        """How many more pieces of work would start at once."""
        with self._lock:
            return self.size - self.busy

    def submit(self, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread; it must not raise (what it raises is logged)."""
        with self._lock:
            self.busy += 1
            needed = min(self.busy, self.size) > self._threads
            self._threads += needed
        self._work.put(work)
        if needed:
            threading.Thread(target=self._serve, name="probe", daemon=True).start()

    def _serve(self) -> None:
        while True:
            work = self._work.get()
            try:
                work()
            except Exception:
                logger.exception("A piece of work failed.")
            finally:
                with self._lock:
                    self.busy -= 1
