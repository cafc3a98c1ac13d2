"""A lab server that listens: its doors, its certificate, its conversations."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any
from weakref import WeakValueDictionary

from gateway.lab.answers import Voice
from gateway.lab.dns import Answering, answer_by_tcp
from gateway.lab.doors import Door, converse
from gateway.lab.endpoints import Mark, Plan
from gateway.lab.scenario import Scenario
from gateway.lab.scenarios import BY_ID
from gateway.lab.tls import choose_by_name, server_context
from gateway.network import Zone

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 4000
# DNS wants one port number twice, for UDP and for TCP.
ATTEMPTS = 20
WEAK = {"weak-key", "sha1"}


@dataclass(slots=True)
class Hall:
    """What all servers share: the address, and the conversations that go on."""

    host: str
    zone: Callable[[int], Awaitable[Zone | None]]
    conversations: set[asyncio.Task[None]] = field(default_factory=set)
    # Servers of one scenario in the two networks of a sandbox present the same certificate.
    contexts: WeakValueDictionary[bytes, ssl.SSLContext] = field(
        default_factory=WeakValueDictionary
    )

    def admit(self, connection: socket.socket, work: Coroutine[Any, Any, None]) -> None:
        """Let a conversation begin, unless there are too many already."""
        if len(self.conversations) >= MOST_CONNECTIONS:
            work.close()
            connection.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self.conversations.add(task)
        task.add_done_callback(self.conversations.discard)

    async def empty(self) -> None:
        """End all conversations."""
        going_on = list(self.conversations)
        for task in going_on:
            task.cancel()
        await asyncio.gather(*going_on, return_exceptions=True)


@dataclass(slots=True)
class Running:
    """A server that listens; a server without doors refuses everything."""

    plan: Plan
    doors: dict[int, Door] = field(default_factory=dict)
    datagrams: list[asyncio.DatagramTransport | socket.socket] = field(default_factory=list)
    context: ssl.SSLContext | None = None

    @property
    def mark(self) -> Mark:
        return self.plan.mark

    def ports(self) -> dict[int, int]:
        """Named port → real port."""
        return {named: door.port for named, door in self.doors.items()}

    def close(self) -> None:
        for closable in (*self.doors.values(), *self.datagrams):
            closable.close()


async def start(hall: Hall, plan: Plan) -> Running:
    """Listen for one server; one that cannot be served as stored refuses connections."""
    running = Running(plan)
    mark = plan.mark
    scenario = BY_ID.get(mark.scenario)
    if scenario is None:
        logger.warning("%s has an unknown scenario.", mark.fqdn)
        return running
    if scenario.answers == "refusal":
        return running
    if scenario.is_tls and not plan.fits:
        logger.warning("%s has no key that fits its certificate.", mark.fqdn)
        return running
    try:
        if scenario.is_dns:
            await _start_dns(hall, running, scenario)
        else:
            _start_http(hall, running, scenario)
    except OSError as error:
        logger.warning("%s cannot be served: %s", mark.fqdn, error)
    return running


def _start_http(hall: Hall, running: Running, scenario: Scenario) -> None:
    mark = running.mark
    voice = Voice(mark.name, mark.fqdn, scenario.answers, HTTPStatus(scenario.status), mark.delay)

    def accepted(connection: socket.socket, *, tls: bool) -> None:
        try:
            context = _context(hall, running, scenario) if tls else None
        except (OSError, ValueError) as error:
            # Among them ssl.SSLError: OpenSSL will not have the certificate.
            logger.warning("%s cannot be served: %s", mark.fqdn, error)
            connection.close()
            return
        hall.admit(connection, converse(connection, voice, context))

    ports = {mark.port: scenario.is_tls}
    if scenario.plain_port is not None:
        ports.setdefault(scenario.plain_port, False)
    for port, tls in ports.items():
        running.doors[port] = Door(hall.host, partial(accepted, tls=tls))


def _context(hall: Hall, running: Running, scenario: Scenario) -> ssl.SSLContext:
    """The context of a server, made when the first client knocks: most servers have none today."""
    if running.context is None:
        plan = running.plan
        facts = (plan.presented, plan.without_sni, scenario.speaks, plan.mark.fqdn)
        digest = hashlib.sha256("\n".join(facts).encode() + plan.key).digest()
        known = hall.contexts.get(digest)
        if known is None:
            known = hall.contexts[digest] = _make_context(plan, scenario)
        running.context = known
    return running.context


def _make_context(plan: Plan, scenario: Scenario) -> ssl.SSLContext:
    weak = scenario.presents in WEAK
    named = server_context(plan.presented, plan.key, speaks=scenario.speaks, weak=weak)
    if not plan.without_sni:
        return named
    default = server_context(plan.without_sni, plan.key, speaks=scenario.speaks, weak=weak)
    return choose_by_name(default, plan.mark.fqdn, named)


async def _start_dns(hall: Hall, running: Running, scenario: Scenario) -> None:
    mark = running.mark
    zone = partial(hall.zone, mark.network)
    silent = scenario.answers == "dns-silence"

    def accepted(connection: socket.socket) -> None:
        if silent:
            voice = Voice(mark.name, mark.fqdn, scenario.answers)
            hall.admit(connection, converse(connection, voice, None))
        else:
            hall.admit(connection, answer_by_tcp(connection, zone))

    datagrams, door = _twice(hall.host, accepted)
    running.doors[mark.port] = door
    if silent:
        # Bound and never read: queries arrive, and that is all.
        running.datagrams.append(datagrams)
        return
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Answering(zone), sock=datagrams
    )
    running.datagrams.append(transport)


def _twice(host: str, accepted: Callable[[socket.socket], None]) -> tuple[socket.socket, Door]:
    """A UDP socket and a door with the same port number; raises ``OSError`` if there is none."""
    for attempt in range(1, ATTEMPTS + 1):
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.setblocking(False)
        try:
            datagrams.bind((host, 0))
            return datagrams, Door(host, accepted, port=datagrams.getsockname()[1])
        except OSError:
            datagrams.close()
            if attempt == ATTEMPTS:
                raise
    raise OSError("No port number is free for both UDP and TCP.")
