"""A process that ends with the one that started it, and one that was started before an upgrade."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Process(Protocol):
    """What is needed of :class:`subprocess.Popen`."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


def spawn(
    command: Sequence[str], *, directory: Path, environment: Mapping[str, str], descriptor: int
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, with ``descriptor`` open.

    To be called by the thread that stays: the process is told to end with it.
    """
    parent = os.getpid()

    def leash() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(  # noqa: S603  (the administrator names it, no user does)
        list(command),
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        process_group=0,
        preexec_fn=leash,
    )


@dataclass(slots=True)
class Adopted:
    """A child that this process started before it became another program."""

    pid: int
    returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            try:
                if self.pid <= 0:  # which would mean any child
                    raise ChildProcessError
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                # Whose number it is now is not known: it is no child of ours.
                self.returncode = -signal.SIGKILL
            else:
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; raises :class:`subprocess.TimeoutExpired` after ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if timeout is not None and deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.02)
        return code

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        # A child that was not waited for keeps its number, so it reaches nobody else.
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
