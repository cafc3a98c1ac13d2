"""Envoy at work: started, watched, restarted, replaced by a newer one, drained, stopped.

A newer one takes over by Envoy's hot restart: it gets the listening sockets of the one before it,
which accepts nothing more from then on and lives until its last connections have gone.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import resource
import secrets
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gateway.dataplane.agent import documents
from gateway.dataplane.agent.admin import AdminError, ask, ask_json, stats
from gateway.dataplane.agent.binary import EngineMissingError, Found, bootstrap, validate
from gateway.dataplane.agent.home import Home, put
from gateway.dataplane.agent.places import settle
from gateway.dataplane.agent.process import Adopted, Process, spawn

# Seconds for which connections of a changed or removed listener may live on (WebSockets do).
DRAIN = 600
BACKOFF_FIRST = 0.1  # seconds before the first restart; doubles each time …
BACKOFF_MOST = 10.0  # … up to this
SETTLED = 30.0  # an Envoy that ran this long starts again with the shortest wait
FAREWELL = 4.0  # seconds that clients get to leave on a planned stop
TAKEOVER = 60.0  # seconds that a newer Envoy gets until it is live
LINGER = 10.0  # seconds after its drain in which an Envoy ends by itself

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (Envoy's own place, which it opens by name)
_SOCKETS = "restart"
_BASES = 200_000_000  # Envoy makes ten times as much of it, which must stay below 2³¹
_EMPTY = b'{"version_info": "0", "resources": []}'


class EngineHeldError(Exception):
    """An Envoy of an earlier agent does not end."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is written down of the Envoy that runs; process ids are of our own children."""

    pid: int = 0
    epoch: int = 0
    base: int = 0
    version: str = ""
    mark: str = ""
    leaving: list[tuple[int, float]] = field(default_factory=list)


def _kept(home: Home) -> Kept:
    try:
        found = json.loads(home.engine_state.read_bytes())
        return Kept(
            int(found["pid"]),
            int(found["epoch"]),
            int(found["base"]),
            str(found["version"]),
            str(found["mark"]),
            [(int(pid), float(due)) for pid, due in found["leaving"]],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Kept()


@dataclass(slots=True)
class Engine:
    """One Envoy of one directory. To be used by the thread that stays: Envoy ends with it.

    ``drain`` is in seconds, ``starts`` counts the Envoys that served, ``leaving`` are those that
    were replaced, each with the moment (monotonic clock) at which it has to be gone.
    """

    home: Home
    found: Found
    concurrency: int = 2
    drain: int = DRAIN
    process: Process | None = None
    leaving: list[tuple[Process, float]] = field(default_factory=list)
    starts: int = 0
    lock: int = -1
    _epoch: int = 0
    _base: int = 0
    _started: float = 0.0
    _due: float = 0.0
    _wait: float = BACKOFF_FIRST

    def prepare(self, lock: int | None = None) -> str:
        """Write the bootstrap, and empty documents where there are none yet.

        Ends an Envoy that an earlier agent left. With ``lock``, the engine's lock of the program
        that this process was before an upgrade, its Envoy is kept, and replaced if there is
        something new. Returns in words what became of it.

        Raises :class:`EngineHeldError` if an old Envoy does not end, and
        :class:`~gateway.dataplane.agent.binary.EngineMissingError` if the one to be started does
        not take the bootstrap.
        """
        # Inherited: each port and each connection needs a descriptor.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.home.make()
        put(self.home.bootstrap, json.dumps(bootstrap()).encode())
        changed = self._tidy_documents()
        kept = _kept(self.home)
        self._base = kept.base if _is_usable(kept.base) else 1 + secrets.randbelow(_BASES)
        if lock is None:
            self._take_over()
            validate(self.found, self.home)
            return f"Envoy {self.found.version} carries traffic."
        self.lock = lock
        return self._adopt(kept, changed)

    def _tidy_documents(self) -> bool:
        """Make of the documents in place what this version wants; whether that changed them."""
        for document in (self.home.listeners, self.home.clusters):
            if not document.exists():
                put(document, _EMPTY)
        # Envoy refuses to change for a listener whether its port is shared, so what an earlier
        # version left must be right before Envoy reads it.
        found = documents.load(self.home.listeners)
        settled = settle(found)
        if found != settled:
            documents.save(self.home.listeners, settled, str(time.time_ns()))
        return found != settled

    # -- beginning -----------------------------------------------------------------------------

    def _take_over(self) -> None:
        """Envoy inherits this lock, so whoever gets it knows that no other Envoy is left."""
        self.lock = os.open(self.home.engine_lock, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + 5
        while True:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                for left in os.pread(self.lock, 1000, 0).decode(errors="replace").split():
                    if left.isdigit() and self._is_ours(int(left)):
                        with suppress(ProcessLookupError):
                            os.kill(int(left), signal.SIGKILL)
                if time.monotonic() > deadline:
                    raise EngineHeldError(f"An Envoy in {self.home.path} does not end.") from None
                time.sleep(0.02)
            else:
                return

    def _is_ours(self, pid: int) -> bool:
        """Whether a process works in this directory; its number may long be somebody else's."""
        try:
            return Path(f"/proc/{pid}/cwd").resolve() == self.home.path.resolve()
        except OSError:
            return False

    def _adopt(self, kept: Kept, changed: bool) -> str:
        """Go on with the Envoy of the program that this process was before."""
        now = time.monotonic()
        self.leaving = [(Adopted(pid), due) for pid, due in kept.leaving]
        process = Adopted(kept.pid)
        if process.poll() is not None:
            return f"Envoy {self.found.version} carries traffic; the one before it had ended."
        self.process, self.starts = process, 1
        self._base, self._epoch, self._started = kept.base, kept.epoch, now
        if kept.mark == self._mark() and not changed:
            return f"Envoy {self.found.version} is still the right one and was left alone."
        try:
            validate(self.found, self.home)
        except EngineMissingError as error:
            return f"{error} Envoy {kept.version} goes on."
        if self._replace():
            return f"Envoy {self.found.version} has taken over from Envoy {kept.version}."
        self.stop()
        self.process = None
        return (
            f"Envoy {self.found.version} could not take over from Envoy {kept.version} while that "
            "was running, so it is started anew; requests of this moment may have failed."
        )

    # -- keeping -------------------------------------------------------------------------------

    def tend(self) -> float:
        """Start Envoy if it is due; seconds until it is to be looked at again."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self.process = None
            if now - self._started > SETTLED:
                self._wait = BACKOFF_FIRST
            self._due = now + self._wait
            self._wait = min(self._wait * 2, BACKOFF_MOST)
        if self.process is None and now >= self._due:
            self._start(now)
        wait = 60.0 if self.process is not None else max(self._due - now, 0.0)
        return min([wait, *self._see_off(now)])

    def _see_off(self, now: float) -> list[float]:
        """Forget those that have left and end those that are late; seconds until the next is."""
        left = [one for one in self.leaving if one[0].poll() is None]
        for process, due in left:
            if due <= now:
                process.kill()
        if left != self.leaving:
            self.leaving = left
            self._keep()
        return [max(due - now, 1.0) for _, due in left]

    def _start(self, now: float) -> None:
        self.home.admin.unlink(missing_ok=True)
        if not self.leaving:
            self._unlink_sockets()
        self.process, self._epoch = self._spawn(0), 0
        self.starts += 1
        self._started = now
        self._keep()

    def _replace(self) -> bool:
        """Let a new Envoy take over from the one that runs; whether it did."""
        if self.process is None or not _has_shared_memory():
            return False
        new = self._spawn(self._epoch + 1)
        self._keep(new)
        deadline = time.monotonic() + TAKEOVER
        while not self._is_live(self._epoch + 1):
            if new.poll() is not None or time.monotonic() > deadline:
                new.kill()
                new.wait()
                return False
            time.sleep(0.02)
        now = time.monotonic()
        self.leaving.append((self.process, now + self.drain + 2 * LINGER))
        self.process, self._epoch, self._started = new, self._epoch + 1, now
        self.starts += 1
        self._keep()
        return True

    def _is_live(self, epoch: int) -> bool:
        """Whether the Envoy of that epoch serves; until then the one before it may answer."""
        try:
            told = ask_json(self.home.admin, "/server_info")
        except AdminError:
            return False
        found = told.get("command_line_options", {}).get("restart_epoch", 0)
        return bool(found == epoch and told.get("state") == "LIVE")

    def _spawn(self, epoch: int) -> Process:
        with suppress(FileNotFoundError):
            self.home.engine_log.replace(self.home.engine_log.with_suffix(".log.1"))
        restart = ["--base-id", str(self._base), "--restart-epoch", str(epoch)]
        return spawn(
            [
                str(self.found.path),
                *self._options(),
                *(restart if _has_shared_memory() else ["--disable-hot-restart"]),
            ],
            directory=self.home.path,
            environment=_shared(),
            descriptor=self.lock,
        )

    def _options(self) -> list[str]:
        return [
            "-c", self.home.bootstrap.name,
            "--concurrency", str(self.concurrency),
            "--socket-path", _SOCKETS,
            "--socket-mode", "600",
            "--drain-strategy", "immediate",
            "--drain-time-s", str(self.drain),
            "--parent-shutdown-time-s", str(self.drain + int(LINGER)),
            # Counters begin anew with each Envoy: the applier reckons with that.
            "--skip-hot-restart-parent-stats",
            "--file-flush-interval-msec", "200",
            "--log-level", "warning",
            "--log-path", self.home.engine_log.name,
        ]  # fmt: skip

    def _mark(self) -> str:
        """Differs as soon as Envoy would be started otherwise than the one that runs was."""
        facts = [str(self.found.path), self.found.identity(), bootstrap(), self._options()]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def _keep(self, coming: Process | None = None) -> None:
        """Write down which Envoys there are, for an agent that comes after this one."""
        processes = [coming, self.process, *(process for process, _ in self.leaving)]
        pids = " ".join(str(one.pid) for one in processes if one is not None)
        os.ftruncate(self.lock, 0)
        os.pwrite(self.lock, f"{pids}\n".encode(), 0)
        if self.process is None or coming is not None:
            return
        kept = Kept(
            self.process.pid,
            self._epoch,
            self._base,
            self.found.version,
            self._mark(),
            [(process.pid, due) for process, due in self.leaving],
        )
        put(self.home.engine_state, json.dumps(asdict(kept)).encode())

    # -- ending --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Let clients leave, then end Envoy, and those that it replaced."""
        running = [process for process, _ in self.leaving if process.poll() is None]
        if self.process is not None and self.process.poll() is None:
            running.append(self.process)
            with suppress(AdminError):
                ask(self.home.admin, "/drain_listeners?graceful&skip_exit", method="POST")
                deadline = time.monotonic() + FAREWELL
                while time.monotonic() < deadline and self._busy():
                    time.sleep(0.05)
        for process in running:
            process.terminate()
        deadline = time.monotonic() + 5
        for process in running:
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.leaving = []
        self._unlink_sockets()
        with suppress(OSError):
            _shared_memory(self._base).unlink()

    def _unlink_sockets(self) -> None:
        """Those at which one Envoy waits for the next."""
        for path in self.home.path.glob(f"{_SOCKETS}_*"):
            path.unlink(missing_ok=True)

    def _busy(self) -> bool:
        """Whether requests are still being answered."""
        found = stats(self.home.admin, r"^http\..*downstream_rq_active$", "Gauges")
        return any(value != "0" for name, value in found.items() if ".admin." not in name)


def _has_shared_memory() -> bool:
    """Whether one Envoy can meet another; a container may come without, or with it read-only."""
    return sys.platform == "linux" and os.access(SHARED_MEMORY, os.W_OK | os.X_OK)


def _shared_memory(base: int) -> Path:
    return SHARED_MEMORY / f"envoy_shared_memory_{base}0"


def _is_usable(base: int) -> bool:
    """Whether Envoys may meet under this number; another user's leftover would end them."""
    try:
        return base > 0 and _shared_memory(base).stat().st_uid == os.geteuid()
    except OSError:
        return base > 0


def _shared() -> dict[str, str]:
    """Of our environment, in which keys and passwords may stand: whose process Envoy is."""
    return {name: os.environ[name] for name in ("GATEWRIGHT_DATA",) if name in os.environ}


def is_ready(home: Home) -> bool:
    """Whether Envoy has taken in what it was started with."""
    try:
        return ask(home.admin, "/ready", timeout=2).strip() == b"LIVE"
    except AdminError:
        return False
