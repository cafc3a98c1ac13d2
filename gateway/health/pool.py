"""Threads that run probes.

Not ``concurrent.futures``: its threads are waited for when the process ends, and a probe of a
silent server would hold up the end of the worker for as long as its time-out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

logger = logging.getLogger(__name__)

# Work that has run for so many seconds waits for a server and needs no processor.
PATIENCE = 0.5


class Pool:
    """Threads, started when they are needed; they end with the process.

    Up to ``size`` are at work; those that have only been waiting for a while are not counted among
    them, so that silent servers do not keep others from their turn. There are never more than
    ``most`` (``size`` unless given). As much work again may wait in a queue, so that no thread
    stands idle until the next piece is brought.
    """

    def __init__(self, size: int, most: int = 0) -> None:
        self.size = size
        self.most = max(size, most)
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._pending = 0
        # When each running piece of work began, by its thread.
        self._began: dict[int, float] = {}

    def room(self) -> int:
        """How many more pieces of work may be submitted now.

        To be asked again and again: it also starts threads for those that wait.
        """
        with self._lock:
            at_once = self._at_once()
            needed = min(self._pending, at_once) - self._threads
            room = max(0, at_once + self.size - self._pending)
        for _ in range(needed):
            self._start()
        return room

    def submit(self, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread; it must not raise (what it raises is logged)."""
        self._work.put(work)
        with self._lock:
            self._pending += 1
            needed = min(self._pending, self.size) > self._threads
        if needed:
            self._start()

    def _at_once(self) -> int:
        """How many threads there may be at the moment."""
        before = time.monotonic() - PATIENCE
        return min(self.most, self.size + sum(one < before for one in self._began.values()))

    def _start(self) -> None:
        with self._lock:
            self._threads += 1
        try:
            threading.Thread(target=self._serve, name="probe", daemon=True).start()
        except RuntimeError:
            # The machine has no thread to spare now; the work waits in the queue.
            logger.warning("No thread could be started for a probe.")
            with self._lock:
                self._threads -= 1

    def _serve(self) -> None:
        me = threading.get_ident()
        while True:
            work = self._work.get()
            with self._lock:
                self._began[me] = time.monotonic()
            try:
                work()
            except Exception:
                logger.exception("A piece of work failed.")
            finally:
                # Nothing of a finished probe is kept while the thread waits for the next.
                del work
                with self._lock:
                    del self._began[me]
                    self._pending -= 1
