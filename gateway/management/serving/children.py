"""The processes that `serve` starts, watches and ends.

Each child leads a process group of its own, so that ending it ends what it started, and asks the
system to be told when `serve` is gone: no way of ending `serve` leaves a process behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

BACKOFF_FIRST = 0.5  # seconds before the first restart of a child; doubles each time …
BACKOFF_MOST = 30.0  # … up to this
SETTLED = 60.0  # a child that ran this long starts again with the shortest wait
GRACE = 8.0  # seconds that children get to finish what they do

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Say = Callable[[str], None]


@dataclass(slots=True)
class Child:
    """One process to keep alive: ``command`` run with ``environment``.

    ``most`` is the longest wait in seconds before it is started again.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float | None = 0.0  # when to start it, on the monotonic clock; None while it runs
    wait: float = BACKOFF_FIRST
    most: float = BACKOFF_MOST


@dataclass(slots=True)
class Crew:
    """All children, and the wish to stop."""

    children: list[Child]
    say: Say
    stopping: bool = False
    impatient: bool = False
    _wake: tuple[int, int] = field(default_factory=os.pipe)

    def listen(self) -> None:
        """Let Ctrl-C, a stop request and the end of a child wake :meth:`wait`."""
        for end in self._wake:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        # Without a handler of ours the signal would be dropped and wake nobody.
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _stop(self, *_: object) -> None:
        self.impatient = self.stopping
        self.stopping = True

    def wait(self, seconds: float) -> None:
        """Wait until something happens, at most ``seconds``."""
        select.select([self._wake[0]], [], [], max(seconds, 0))
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake[0], 512):
                pass

    def tend(self) -> float:
        """Start what is due and notice what ended; seconds until something is due again."""
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, child.process, now)
            if child.due is not None and child.due <= now:
                start(child, now)
        waiting = [child.due for child in self.children if child.due is not None]
        return min(waiting, default=now + 3600) - now

    def _bury(self, child: Child, process: subprocess.Popen[bytes], now: float) -> None:
        signal_group(process, signal.SIGKILL)
        if now - child.started > SETTLED:
            child.wait = BACKOFF_FIRST
        child.process, child.due = None, now + child.wait
        self.say(
            f"The {child.name} ended unexpectedly ({manner(process.returncode)}); "
            f"starting it again in {child.wait:g} s."
        )
        child.wait = min(child.wait * 2, child.most)

    def end(self) -> None:
        """Ask every child to finish, then insist; returns when none is left."""
        processes = [child.process for child in self.children if child.process is not None]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + GRACE
        while not self.impatient and any(process.poll() is None for process in processes):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self.wait(left)
        for process in processes:
            # Also where the leader has gone: one of its own children may still be at work.
            signal_group(process, signal.SIGKILL)
            process.wait()


def manner(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a child and everything that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def start(child: Child, now: float) -> None:
    """Start a child; it ends when this process does."""
    parent = os.getpid()

    def leash() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    child.process = subprocess.Popen(  # noqa: S603  (commands are ours, no word is a user's)
        list(child.command),
        env=dict(child.environment),
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=leash,
    )
    child.started, child.due = now, None
