"""The lab's process: every lab server of every network, each on a loopback port of its own.

The rows are read each second, so a new sandbox answers soon after it is stored, without a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import resource
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakValueDictionary

import django.db
from django.utils import timezone

from certificates.secrets import KeyMissingError
from gateway.lab.answers import HEADER_LIMIT, REQUEST_SECONDS, Voice, answer
from gateway.lab.endpoints import Mark, Place, Plan, marks, plans, report
from gateway.lab.publicca import ensure_public_authority
from gateway.lab.renewal import renew_due
from gateway.lab.scenarios import BY_ID
from gateway.lab.tls import server_context
from gateway.operations.addresses import lab_host

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0
RENEWAL_SECONDS = 24 * 3600.0
MOST_CONNECTIONS = 4000

T = TypeVar("T")


@dataclass(slots=True)
class _Running:
    """A server that listens; a server without listeners refuses everything."""

    mark: Mark
    listeners: dict[int, asyncio.Server] = field(default_factory=dict)

    def ports(self) -> dict[int, int]:
        return {
            named: listener.sockets[0].getsockname()[1]
            for named, listener in self.listeners.items()
        }

    def close(self) -> None:
        for listener in self.listeners.values():
            listener.close()


@dataclass(slots=True)
class _Lab:
    host: str
    refusing: socket.socket
    running: dict[int, _Running] = field(default_factory=dict)
    connections: set[asyncio.Task[None]] = field(default_factory=set)
    # Servers of one scenario in the two networks of a sandbox present the same certificate.
    contexts: WeakValueDictionary[bytes, ssl.SSLContext] = field(
        default_factory=WeakValueDictionary
    )


async def serve(stop: asyncio.Event, *, interval: float = INTERVAL_SECONDS) -> None:
    """Serve until ``stop`` is set; looks for changes each ``interval`` seconds.

    The report rows are written anew at the start and removed at the end. A database that does not
    answer is asked again, more and more slowly; meanwhile the servers go on answering.
    """
    raise_open_files_limit()
    refusing = _bind(lab_host())
    lab = _Lab(refusing.getsockname()[0], refusing)
    # One thread, so that one database connection is kept and nothing waits in the event loop.
    database = ThreadPoolExecutor(1, thread_name_prefix="lab-database")
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


async def _follow(lab: _Lab, database: ThreadPoolExecutor) -> None:
    """Start and stop servers until they are what the rows say, and report where they are."""
    wanted = await _query(database, marks)
    gone = [pk for pk, running in lab.running.items() if wanted.get(pk) != running.mark]
    new = [mark for pk, mark in wanted.items() if pk in gone or pk not in lab.running]
    for pk in gone:
        lab.running.pop(pk).close()
    if new:
        for plan in await _query(database, lambda: plans(new)):
            lab.running[plan.mark.pk] = await _start(lab, plan)
    if new or gone:
        logger.info("The lab serves %d servers.", len(lab.running))
    places = _places(lab)
    await _query(database, lambda: report(places))


def _places(lab: _Lab) -> list[Place]:
    places = []
    refusing_port = lab.refusing.getsockname()[1]
    for pk, running in lab.running.items():
        places.append(Place(pk, None, lab.host, refusing_port))
        places.extend(Place(pk, named, lab.host, real) for named, real in running.ports().items())
    return places


async def _start(lab: _Lab, plan: Plan) -> _Running:
    """Listen for one server; one that cannot be served as stored refuses connections."""
    running = _Running(plan.mark)
    scenario = BY_ID.get(plan.mark.scenario)
    if scenario is None:
        logger.warning("%s has an unknown scenario.", plan.mark.fqdn)
        return running
    if scenario.answers == "refusal":
        return running
    voice = Voice(plan.mark.name, plan.mark.fqdn, scenario.answers)
    try:
        context = _context(lab, plan) if scenario.is_tls else None
        running.listeners[plan.mark.port] = await _listen(lab, voice, context)
        if scenario.plain_port is not None and scenario.plain_port != plan.mark.port:
            running.listeners[scenario.plain_port] = await _listen(lab, voice, None)
    except OSError as error:
        # Among them ssl.SSLError: a certificate and a key that do not belong together.
        logger.warning("%s cannot be served: %s", plan.mark.fqdn, error)
    return running


def _context(lab: _Lab, plan: Plan) -> ssl.SSLContext:
    digest = hashlib.sha256(plan.presented.encode() + plan.key).digest()
    context = lab.contexts.get(digest)
    if context is None:
        context = lab.contexts[digest] = server_context(plan.presented, plan.key)
    return context


async def _listen(lab: _Lab, voice: Voice, context: ssl.SSLContext | None) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(lab.connections) >= MOST_CONNECTIONS:
            writer.close()
            return
        lab.connections.add(task)
        try:
            await answer(voice, reader, writer)
        finally:
            lab.connections.discard(task)

    return await asyncio.start_server(
        connected,
        lab.host,
        0,
        limit=HEADER_LIMIT,
        ssl=context,
        ssl_handshake_timeout=REQUEST_SECONDS if context else None,
        ssl_shutdown_timeout=1.0 if context else None,
    )


async def _end(lab: _Lab, database: ThreadPoolExecutor) -> None:
    lab.refusing.close()
    for running in lab.running.values():
        running.close()
    for task in list(lab.connections):
        task.cancel()
    await asyncio.gather(*lab.connections, return_exceptions=True)

    def leave() -> None:
        try:
            report(())
        except django.db.Error as error:
            logger.warning("The lab could not take its addresses back: %s", error)
        finally:
            django.db.connections.close_all()

    await asyncio.get_running_loop().run_in_executor(database, leave)
    database.shutdown()
