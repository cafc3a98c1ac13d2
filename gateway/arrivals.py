"""Waiting for what a client still sends, but not for ever.

The web server has no time-out for bodies and its reads cannot be broken off, so a client that sends
a byte now and then would hold one of the few web threads for as long as it likes. Each body is
therefore read by a thread of its own, which may stay behind until its client goes away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

READERS = 200  # bodies that one process waits for at once, forsaken ones included
FIRST_SECONDS = 5.0  # any body may take this long …
BYTES_PER_SECOND = 128 * 1024  # … and a second more for each of these

_free = threading.BoundedSemaphore(READERS)
ResultT = TypeVar("ResultT")


class CrowdedError(Exception):
    """Too many bodies are waited for already."""


def patience(length: int) -> float:
    """Seconds that a body of ``length`` bytes may take to arrive."""
    return FIRST_SECONDS + length / BYTES_PER_SECOND


def in_time(work: Callable[[], ResultT], seconds: float) -> ResultT:
    """What ``work`` returns or raises, if it ends within ``seconds``.

    Raises ``TimeoutError`` if not, :class:`CrowdedError` where no reader is free.
    """
    free = _free
    if not free.acquire(blocking=False):
        raise CrowdedError
    promise: Future[ResultT] = Future()

    def run() -> None:
        try:
            promise.set_result(work())
        except BaseException as error:
            promise.set_exception(error)
        finally:
            free.release()

    threading.Thread(target=run, name="body", daemon=True).start()
    return promise.result(seconds)
