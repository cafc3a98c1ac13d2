"""The directory of an agent: its files, and one agent for it at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.dataplane.envoy import ACCESS_LOG, FILES
from gateway.waking import PIPE


class HomeTakenError(Exception):
    """Another agent works in the directory."""


@dataclass(frozen=True, slots=True)
class Home:
    """Names of everything in the directory ``path``; all of it is for its owner alone."""

    path: Path

    @property
    def files(self) -> Path:
        return self.path / FILES

    @property
    def listeners(self) -> Path:
        return self.path / "lds.json"

    @property
    def clusters(self) -> Path:
        return self.path / "cds.json"

    @property
    def bootstrap(self) -> Path:
        return self.path / "bootstrap.json"

    @property
    def admin(self) -> Path:
        return self.path / "admin.sock"

    @property
    def access_log(self) -> Path:
        return self.path / ACCESS_LOG

    @property
    def engine_log(self) -> Path:
        return self.path / "envoy.log"

    @property
    def engine_lock(self) -> Path:
        return self.path / "engine.lock"

    @property
    def engine_state(self) -> Path:
        return self.path / "engine.json"

    @property
    def agent_lock(self) -> Path:
        return self.path / "agent.lock"

    @property
    def agent_state(self) -> Path:
        return self.path / "agent.json"

    @property
    def portal(self) -> Path:
        return self.path / "portal.json"

    @property
    def wake(self) -> Path:
        return self.path / PIPE

    def make(self) -> None:
        """Make what is missing, for the owner alone."""
        for directory in (self.path, self.files):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)
        if not self.wake.exists():
            os.mkfifo(self.wake, 0o600)

    def poke(self) -> None:
        """Let the thread that follows the portal look now, if there is one."""
        with suppress(OSError):
            pipe = os.open(self.wake, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(pipe, b"!")
            finally:
                os.close(pipe)


@contextmanager
def held(home: Home, descriptor: int | None = None) -> Iterator[int]:
    """Be the only agent of a directory; raises :class:`HomeTakenError`.

    ``descriptor`` is the lock of the program that this process was before. Yields the lock.
    """
    if descriptor is None:
        descriptor = os.open(home.agent_lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise HomeTakenError(f"Another agent works in {home.path}.") from None
        # What an earlier agent said of itself.
        home.agent_state.unlink(missing_ok=True)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_held(home: Home) -> bool:
    """Whether an agent works in the directory."""
    try:
        descriptor = os.open(home.agent_lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def put(path: Path, content: bytes) -> None:
    """Put a file of mode 0600 in place at once: no reader ever sees half of it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
