"""The lab's process: every lab server of every network, each on a loopback port of its own.

The rows are read each second, so a new sandbox answers soon after it is stored, without a restart.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import django.db
from django.utils import timezone

from certificates.secrets import KeyMissingError
from gateway.lab.endpoints import Place, marks, newest, plans, report, zone_of
from gateway.lab.publicca import ensure_public_authority
from gateway.lab.renewal import renew_due
from gateway.lab.running import Hall, Running, start
from gateway.network import Zone
from gateway.operations.addresses import lab_host

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
# In every fifth round everything is compared: a row may be stored late with an early time.
THOROUGH_ROUNDS = 5
LONGEST_PAUSE_SECONDS = 15.0
RENEWAL_SECONDS = 24 * 3600.0
ZONE_SECONDS = 1.0

T = TypeVar("T")


@dataclass(slots=True)
class _Lab:
    hall: Hall
    refusing: socket.socket
    running: dict[int, Running] = field(default_factory=dict)
    newest: tuple[object, ...] = ()
    rounds: int = 0


async def serve(stop: asyncio.Event, *, interval: float = INTERVAL_SECONDS) -> None:
    """Serve until ``stop`` is set; looks for changes each ``interval`` seconds.

    The report rows are written anew at the start and removed at the end. A database that does not
    answer is asked again, more and more slowly; meanwhile the servers go on answering.
    """
    raise_open_files_limit()
    # One thread, so that one database connection is kept and nothing waits in the event loop.
    database = ThreadPoolExecutor(1, thread_name_prefix="lab-database")
    refusing = _bind(lab_host())
    zones = _Zones(database)
    lab = _Lab(Hall(refusing.getsockname()[0], zones.read), refusing)
    pause = interval
    try:
        renewed_at: float | None = None
        while not stop.is_set():
            try:
                clock = asyncio.get_running_loop().time()
                if renewed_at is None or clock - renewed_at >= RENEWAL_SECONDS:
                    await _query(database, _prepare)
                    renewed_at = clock
                await _follow(lab, database)
                pause = interval
            except django.db.Error as error:
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                logger.warning("The database does not answer the lab: %s", error)
            except KeyMissingError as error:
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                logger.warning("The lab cannot open the keys of its servers: %s", error)
            except Exception:
                # What listens already goes on answering, whatever is wrong with one row.
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                logger.exception("The lab could not follow its rows; it tries again.")
            await _wait(stop, pause)
    finally:
        await _end(lab, database)


def raise_open_files_limit() -> None:
    """Allow as many open sockets as the system lets this process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _bind(host: str) -> socket.socket:
    """A bound socket that does not listen: whoever connects to it is refused for real."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.bind((host, 0))
    except OSError:
        # Not every system has all of 127.0.0.0/8.
        bound.bind(("127.0.0.1", 0))
    return bound


def _prepare() -> None:
    ensure_public_authority()
    renewed = renew_due(timezone.now())
    if renewed:
        logger.info("Renewed the certificates of %d lab servers.", renewed)


async def _query(database: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    def with_fresh_connection() -> T:
        django.db.close_old_connections()
        return work()

    return await asyncio.get_running_loop().run_in_executor(database, with_fresh_connection)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


class _Zones:
    """The zones that DNS servers of the lab answer from, each remembered for a moment."""

    def __init__(self, database: ThreadPoolExecutor) -> None:
        self._database = database
        self._known: dict[int, tuple[float, asyncio.Task[Zone | None]]] = {}

    async def read(self, network: int) -> Zone | None:
        """The zone of a network; ``None`` where there is none, or no database to ask."""
        now = asyncio.get_running_loop().time()
        read_at, task = self._known.get(network, (float("-inf"), None))
        if task is None or now - read_at >= ZONE_SECONDS:
            # Whoever asks meanwhile waits for the same reading.
            task = asyncio.create_task(self._read(network))
            self._known[network] = now, task
            if len(self._known) > 1000:
                self._known = {network: self._known[network]}
        return await asyncio.shield(task)

    async def _read(self, network: int) -> Zone | None:
        try:
            return await _query(self._database, lambda: zone_of(network))
        except django.db.Error as error:
            logger.warning("The database does not answer the lab's DNS: %s", error)
            return None


async def _follow(lab: _Lab, database: ThreadPoolExecutor) -> None:
    """Start and stop servers until they are what the rows say, and report where they are."""
    latest = await _query(database, newest)
    lab.rounds += 1
    if latest == lab.newest and lab.rounds < THOROUGH_ROUNDS:
        return
    wanted = await _query(database, marks)
    gone = [pk for pk, running in lab.running.items() if wanted.get(pk) != running.mark]
    new = [mark for pk, mark in wanted.items() if pk in gone or pk not in lab.running]
    for pk in gone:
        lab.running.pop(pk).close()
    if new:
        for plan in await _query(database, lambda: plans(new)):
            lab.running[plan.mark.pk] = await start(lab.hall, plan)
    if new or gone:
        logger.info("The lab serves %d servers.", len(lab.running))
    places = _places(lab)
    await _query(database, lambda: report(places))
    # Only now, so that whatever failed is tried again.
    lab.newest, lab.rounds = latest, 0


def _places(lab: _Lab) -> list[Place]:
    places = []
    refusing_port = lab.refusing.getsockname()[1]
    host = lab.hall.host
    for pk, running in lab.running.items():
        places.append(Place(pk, None, host, refusing_port))
        places.extend(Place(pk, named, host, real) for named, real in running.ports().items())
    return places


async def _end(lab: _Lab, database: ThreadPoolExecutor) -> None:
    lab.refusing.close()
    for running in lab.running.values():
        running.close()
    await lab.hall.empty()

    def leave() -> None:
        try:
            report(())
        except django.db.Error as error:
            logger.warning("The lab could not take its addresses back: %s", error)
        finally:
            django.db.connections.close_all()

    await asyncio.get_running_loop().run_in_executor(database, leave)
    database.shutdown()
