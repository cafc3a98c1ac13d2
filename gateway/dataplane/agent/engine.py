"""Envoy itself: found, checked, started, watched, restarted, drained, stopped."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway.dataplane.agent.admin import AdminError, ask, stats
from gateway.dataplane.agent.home import Home, put

OLDEST = (1, 40)
# Seconds for which connections of a changed or removed listener may live on (WebSockets do).
DRAIN = 600
BACKOFF_FIRST = 0.1  # seconds before the first restart; doubles each time …
BACKOFF_MOST = 10.0  # … up to this
SETTLED = 30.0  # an Envoy that ran this long starts again with the shortest wait
FAREWELL = 4.0  # seconds that clients get to leave on a planned stop
CONNECTIONS = 50_000

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_EMPTY = b'{"version_info": "0", "resources": []}'


class EngineMissingError(Exception):
    """There is no Envoy that can be used; the text says why."""


class EngineHeldError(Exception):
    """An Envoy of an earlier agent does not end."""


@dataclass(frozen=True, slots=True)
class Found:
    """An Envoy that can be used."""

    path: Path
    version: str


def find(named: str | None) -> Found:
    """The Envoy that ``named`` (the variable ENVOY_BIN) names, else the installed package's.

    Raises :class:`EngineMissingError`.
    """
    path = Path(named) if named else _packaged()
    if path is None:
        raise EngineMissingError("Envoy is not installed, and ENVOY_BIN names none.")
    try:
        told = subprocess.run(  # noqa: S603  (the administrator names it, no user does)
            [path, "--version"], capture_output=True, text=True, timeout=30, check=False, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or "it does not answer"
        raise EngineMissingError(f"{path.name} cannot be run: {reason}.") from None
    version = re.search(r"/(\d+)\.(\d+)\.(\d+)[/-]", told.stdout)
    if told.returncode or version is None:
        raise EngineMissingError(f"{path.name} does not tell its version as Envoy does.")
    if (int(version[1]), int(version[2])) < OLDEST:
        raise EngineMissingError(
            f"{path.name} is Envoy {'.'.join(version.groups())}; 1.40 or newer is needed."
        )
    return Found(path.absolute(), ".".join(version.groups()))


def _packaged() -> Path | None:
    spec = find_spec("envoy")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place, "_bin", "envoy")
        if path.exists():
            return path
    return None


def bootstrap() -> dict[str, Any]:
    """What Envoy is started with; names are relative to the agent's directory."""
    source = {"resource_api_version": "V3"}
    return {
        "node": {"id": "gatewright", "cluster": "gatewright"},
        "admin": {"address": {"pipe": {"path": "admin.sock", "mode": 0o600}}},
        "dynamic_resources": {
            "lds_config": {**source, "path_config_source": {"path": "./lds.json"}},
            "cds_config": {**source, "path_config_source": {"path": "./cds.json"}},
        },
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.resource_monitors."
                        "downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": CONNECTIONS,
                    },
                }
            ]
        },
    }


@dataclass(slots=True)
class Engine:
    """One Envoy of one directory. To be used by the thread that stays: Envoy ends with it."""

    home: Home
    found: Found
    concurrency: int = 2
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    _started: float = 0.0
    _due: float = 0.0
    _wait: float = BACKOFF_FIRST
    _lock: int = field(default=-1)

    def prepare(self) -> None:
        """Write the bootstrap, and empty documents where there are none yet.

        Ends an Envoy that an earlier agent left. Raises :class:`EngineHeldError` if that fails,
        :class:`EngineMissingError` if this Envoy does not take the bootstrap.
        """
        # Inherited: each port and each connection needs a descriptor.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        put(self.home.bootstrap, json.dumps(bootstrap()).encode())
        for document in (self.home.listeners, self.home.clusters):
            if not document.exists():
                put(document, _EMPTY)
        self._take_over()
        checked = subprocess.run(  # noqa: S603  (as above)
            [self.found.path, "-c", self.home.bootstrap.name, "--mode", "validate"],
            cwd=self.home.path, env={}, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        if checked.returncode:
            last = checked.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise EngineMissingError(
                f"{self.found.path.name} does not take our configuration: {last[-300:]}"
            )

    def _take_over(self) -> None:
        """Envoy inherits this lock, so whoever gets it knows that no other Envoy is left."""
        self._lock = os.open(self.home.engine_lock, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + 5
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                left = os.pread(self._lock, 20, 0).decode(errors="replace").strip()
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
        return 60.0 if self.process is not None else max(self._due - now, 0.0)

    def _start(self, now: float) -> None:
        parent = os.getpid()
        with suppress(FileNotFoundError):
            self.home.engine_log.replace(self.home.engine_log.with_suffix(".log.1"))
        self.home.admin.unlink(missing_ok=True)

        def leash() -> None:
            if _LIBC is not None:
                _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        self.process = subprocess.Popen(  # noqa: S603  (as above)
            [
                str(self.found.path),
                "-c", self.home.bootstrap.name,
                "--concurrency", str(self.concurrency),
                "--disable-hot-restart",
                "--drain-strategy", "immediate",
                "--drain-time-s", str(DRAIN),
                "--file-flush-interval-msec", "200",
                "--log-level", "warning",
                "--log-path", self.home.engine_log.name,
            ],
            cwd=self.home.path,
            env=_shared(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(self._lock,),
            process_group=0,
            preexec_fn=leash,
        )  # fmt: skip
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{self.process.pid}\n".encode(), 0)
        self.starts += 1
        self._started = now

    def stop(self) -> None:
        """Let clients leave, then end Envoy."""
        if self.process is None or self.process.poll() is not None:
            return
        with suppress(AdminError):
            ask(self.home.admin, "/drain_listeners?graceful&skip_exit", method="POST")
            deadline = time.monotonic() + FAREWELL
            while time.monotonic() < deadline and self._busy():
                time.sleep(0.05)
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _busy(self) -> bool:
        """Whether requests are still being answered."""
        found = stats(self.home.admin, r"^http\..*downstream_rq_active$", "Gauges")
        return any(value != "0" for name, value in found.items() if ".admin." not in name)


def _shared() -> dict[str, str]:
    """Of our environment, in which keys and passwords may stand: whose process Envoy is."""
    return {name: os.environ[name] for name in ("GATEWRIGHT_DATA",) if name in os.environ}


def is_ready(home: Home) -> bool:
    """Whether Envoy has taken in what it was started with."""
    try:
        return ask(home.admin, "/ready", timeout=2).strip() == b"LIVE"
    except AdminError:
        return False
