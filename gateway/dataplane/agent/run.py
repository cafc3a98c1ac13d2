"""The agent at work: one thread keeps Envoy, one follows the portal, one reports."""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.dataplane.agent import handover
from gateway.dataplane.agent.apply import (
    Applied,
    Applier,
    BadBundleError,
    Documents,
    EngineAwayError,
    read,
)
from gateway.dataplane.agent.engine import Engine, is_ready
from gateway.dataplane.agent.follow import NotEnrolledError, Portal, PortalError, load
from gateway.dataplane.agent.handover import Told
from gateway.dataplane.agent.home import Home
from gateway.dataplane.agent.places import Place
from gateway.dataplane.agent.report import Log, Mail, Traffic, endpoints
from gateway.dataplane.agent.standing import Standing
from gateway.dataplane.agent.words import is_passing

logger = logging.getLogger(__name__)

POLL = 1.0  # seconds between two questions to the portal
BACKOFF_MOST = 5.0  # … while it does not answer
HEARTBEAT = 5.0  # seconds between two reports without news
GATHER = 0.5  # seconds between two reports with nothing but traffic
AGAIN = 5.0  # seconds after which a refusal that may pass is tried again
PARTING = 15.0  # seconds that what is under way gets before an upgrade
SURVEY = 10.0  # seconds between two looks at the servers behind Envoy


@dataclass(frozen=True, slots=True)
class Installed:
    """The commands of what is installed now.

    ``agent`` is what this process becomes; ``check`` tells by its exit code whether that would
    carry the traffic, and by what it writes why not.
    """

    agent: Sequence[str]
    check: Sequence[str]


@dataclass(slots=True)
class Agent:
    """Everything of one agent; :meth:`run` returns when it is told to stop.

    ``lock`` is that of the directory; ``engine_lock`` that of the engine, if this process was
    another program before.
    """

    home: Home
    engine: Engine
    lock: int
    installed: Installed
    engine_lock: int | None = None
    places: Sequence[Place] = ()
    stop: threading.Event = field(default_factory=threading.Event)
    standing: Standing = field(default_factory=Standing)
    _events: threading.Event = field(default_factory=threading.Event)
    _ended: bool = False
    _asked: bool = False
    _checked: bool = False
    _told: Told = field(init=False)

    def run(self) -> None:
        """To be called by the main thread, which gets the signals and starts Envoy."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)
        signal.signal(signal.SIGUSR2, self._ask)
        signal.signal(signal.SIGCHLD, lambda *_: self._events.set())
        handover.take_signals()
        said = self.engine.prepare(self.engine_lock)
        logger.info("%s", said)
        try:
            self.engine.tend()
            self._tell_of_myself(Told(os.getpid(), time.time_ns(), said))
            while not self._ended:
                self._work()
                self._become()
        finally:
            self.stop.set()
            self.engine.stop()

    def _work(self) -> None:
        """Until told to stop or to become another."""
        self.stop.clear()
        threads = [
            threading.Thread(target=work, name=work.__name__, daemon=True)
            for work in (self.follow, self.tell)
        ]
        for thread in threads:
            thread.start()
        while not (self._ended or self._checked):
            starts = self.engine.starts
            wait = self.engine.tend()
            if self.engine.starts != starts:
                logger.warning("Envoy had ended; it was started again.")
            if self._asked:
                self._asked = False
                threading.Thread(target=self._check, daemon=True).start()
            self._events.wait(wait)
            self._events.clear()
        self.stop.set()
        self.standing.news.set()
        if self._checked:
            # What is under way is brought to its end; all of it could be done again.
            self.home.poke()
            for thread in threads:
                thread.join(PARTING)

    def _end(self, *_: object) -> None:
        self._ended = True
        self.stop.set()
        self._events.set()

    # -- becoming another ----------------------------------------------------------------------

    def _ask(self, *_: object) -> None:
        self._asked = True
        self._events.set()

    def _check(self) -> None:
        """Look whether what is installed now would carry the traffic."""
        try:
            done = subprocess.run(  # noqa: S603  (a command of ours)
                list(self.installed.check), stdin=subprocess.DEVNULL, capture_output=True,
                text=True, errors="replace", timeout=handover.PATIENCE / 2, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            self._refuse("what is installed cannot be run.")
            return
        if done.returncode:
            said = done.stderr.strip().rpartition("\n")[2]
            self._refuse(said.removeprefix("CommandError: ")[-500:])
            return
        self._checked = True
        self._events.set()

    def _refuse(self, reason: str) -> None:
        said = f"No upgrade, and what runs goes on: {reason}"
        logger.warning("%s", said)
        self._tell_of_myself(replace(self._told, said=said, refused=self._told.refused + 1))

    def _become(self) -> None:
        """Become what is installed now; returns if it cannot be."""
        handover.hold_back_signals()
        try:
            if self._checked and not self._ended:
                handover.become(self.installed.agent, self.lock, self.engine.lock)
        except OSError as error:
            self._refuse(f"{error.strerror}.")
        finally:
            self._checked = False
            handover.take_signals()

    def _tell_of_myself(self, told: Told) -> None:
        self._told = told
        told.keep(self.home.agent_state)

    # -- following the portal ------------------------------------------------------------------

    def follow(self) -> None:
        """Ask the portal again and again, and bring what it says to Envoy."""
        follower = Follower(self)
        pipe = os.open(self.home.wake, os.O_RDWR | os.O_NONBLOCK)
        try:
            while not self.stop.is_set():
                select.select([pipe], [], [], follower.pause())
                with suppress(BlockingIOError):
                    os.read(pipe, 4096)
                try:
                    follower.round()
                except Exception:
                    # The thread must live on: whatever this was, the next answer may be better.
                    logger.exception("The agent could not bring a configuration to Envoy.")
                    follower.failed("it failed")
        finally:
            os.close(pipe)

    # -- telling the portal --------------------------------------------------------------------

    def tell(self) -> None:
        """Report verdicts at once, traffic soon, and life every few seconds."""
        reporter = Reporter(self)
        while not self.stop.is_set():
            self.standing.news.wait(GATHER)
            try:
                reporter.round()
            except Exception:
                logger.exception("The agent could not report.")
                self.stop.wait(GATHER)


@dataclass(slots=True)
class Line:
    """The portal by the credentials that lie in the directory; they may be replaced any time."""

    home: Home
    _stamp: int = 0
    _portal: Portal | None = None

    def portal(self) -> Portal:
        """Raises :class:`NotEnrolledError`."""
        try:
            stamp = self.home.portal.stat().st_mtime_ns
        except OSError as error:
            raise NotEnrolledError("The agent is not enrolled yet.") from error
        if self._portal is None or stamp != self._stamp:
            self._portal, self._stamp = Portal(load(self.home.portal)), stamp
        return self._portal


@dataclass(slots=True)
class Follower:
    """One round: fetch, apply, judge. For one thread."""

    agent: Agent
    line: Line = field(init=False)
    applier: Applier = field(init=False)
    etag: str = ""
    bundle: dict[str, Any] = field(default_factory=dict)
    documents: Documents | None = None
    failures: int = 0
    said: str = ""
    checked_start: int = 0
    again_at: float | None = None

    def __post_init__(self) -> None:
        self.line = Line(self.agent.home)
        agent = self.agent
        self.applier = Applier(agent.home, lambda: agent.engine.starts, agent.places)
        self.applier.load()

    def pause(self) -> float:
        return min(POLL * 2 ** min(self.failures, 8), BACKOFF_MOST) if self.etag else POLL / 2

    def round(self) -> None:
        if self.agent.engine.starts != self.checked_start:
            self._started()
        try:
            news = self.line.portal().bundle(self.etag)
        except PortalError as error:
            self.failed(str(error))
        else:
            self._answered()
            if news is not None:
                self._take(*news)
        if self.again_at is not None and time.monotonic() >= self.again_at and self.documents:
            self._apply(self.documents)
        self.applier.tidy()

    def failed(self, reason: str) -> None:
        self.failures += 1
        # Once for each trouble, and not for each of many questions.
        if reason != self.said:
            logger.warning("%s What Envoy has goes on.", reason)
            self.said = reason

    def _answered(self) -> None:
        if self.said:
            logger.info("The portal answers again.")
        self.failures, self.said = 0, ""

    def _take(self, etag: str, bundle: dict[str, Any]) -> None:
        try:
            documents = read(bundle)
            self.agent.standing.judge(bundle, None)
        except (BadBundleError, KeyError, TypeError, ValueError) as error:
            self.failed(f"{error}")
            return
        self.etag, self.bundle, self.documents = etag, bundle, documents
        self._apply(documents)

    def _apply(self, documents: Documents) -> None:
        self.again_at = None
        applied: Applied | None = None
        try:
            applied = self.applier.apply(documents)
        except EngineAwayError as error:
            logger.warning("%s", error)
            self.again_at = time.monotonic() + AGAIN
        self._judge(applied)

    def _started(self) -> None:
        """See what an Envoy that has just started made of the documents in place."""
        starts = self.agent.engine.starts
        deadline = time.monotonic() + 10
        while not is_ready(self.agent.home):
            if self.agent.stop.wait(0.02) or time.monotonic() > deadline:
                return
        if self.documents is not None:
            try:
                self._judge(self.applier.recheck())
            except EngineAwayError:
                return
        self.checked_start = starts

    def _judge(self, applied: Applied | None) -> None:
        self.agent.standing.judge(self.bundle, applied)
        if applied and any(is_passing(reason) for reason in applied.refused_listeners.values()):
            self.again_at = time.monotonic() + AGAIN


@dataclass(slots=True)
class Reporter:
    """One round: read the log, and send what there is. For one thread."""

    agent: Agent
    line: Line = field(init=False)
    log: Log = field(init=False)
    traffic: Traffic = field(default_factory=Traffic)
    mail: Mail = field(default_factory=Mail)
    sent_at: float = 0.0
    surveyed_at: float = 0.0
    servers: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.line = Line(self.agent.home)
        self.log = Log(self.agent.home)
        self.log.open_at_end()

    def round(self) -> None:
        news = self.agent.standing.news.is_set()
        self.agent.standing.news.clear()
        self.traffic.take_in(self.log.lines())
        now = time.monotonic()
        if not (news or self.traffic or now - self.sent_at >= HEARTBEAT):
            return
        if now - self.surveyed_at >= SURVEY:
            self.surveyed_at = now
            self.servers = endpoints(self.agent.home, self.agent.standing.clusters())
        try:
            self.line.portal().report(self.mail.next(self._content(), self.traffic))
        except PortalError:
            # The follower says what is wrong with the portal; here it is only tried again.
            if news:
                self.agent.standing.news.set()
            self.agent.stop.wait(GATHER)
            return
        self.mail.arrived()
        self.log.keep_position()
        self.sent_at = now

    def _content(self) -> dict[str, Any]:
        gateways = [
            {**one, "endpoints": self.servers.get(one["id"], [])}
            for one in self.agent.standing.told()
        ]
        return {"engine": self.agent.engine.found.version, "gateways": gateways}
