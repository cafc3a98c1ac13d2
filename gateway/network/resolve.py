"""From a name to addresses: literals, the lab zone, then this machine's resolver for a while."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gateway.network.zone import Zone, canonical

Lookup = Callable[[str], list[str]]

# The resolver of the system cannot be interrupted: a lookup that hangs keeps its thread until the
# system gives up. So many may hang at once; more wait for their turn within their own time limit.
_MOST_LOOKUPS = 64
_turns = threading.BoundedSemaphore(_MOST_LOOKUPS)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer to a name: IPv4 addresses first, or why there are none.

    ``not-found``: the name does not exist or has no address. ``silent``: no answer in time.
    """

    addresses: tuple[str, ...]
    source: Literal["literal", "zone", "system"]
    error: Literal["not-found", "silent"] | None = None


class NameNotFoundError(Exception):
    """A lookup was answered: there is no such name, or it has no address."""


def resolve(zone: Zone, name: str, *, timeout: float, lookup: Lookup | None = None) -> Resolution:
    """Resolve ``name`` as seen from the network of ``zone`` within ``timeout`` seconds.

    Inside a domain that the zone owns nothing is asked outside. ``lookup`` answers for all other
    names (:func:`system_lookup` by default); it raises :class:`NameNotFoundError`, or ``OSError``
    when nobody answered. Never raises itself.
    """
    try:
        return Resolution((str(ipaddress.ip_address(name.strip("[]"))),), "literal")
    except ValueError:
        pass
    wanted = canonical(name)
    if wanted in zone.names:
        return Resolution(zone.names[wanted], "zone")
    if zone.owns(wanted):
        return Resolution((), "zone", "not-found")
    return _ask(wanted, timeout, lookup or system_lookup)


def system_lookup(name: str) -> list[str]:
    """The addresses that this machine's resolver has for ``name``, in its order."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise NameNotFoundError(name) from error
    except socket.gaierror as error:
        if error.errno in {socket.EAI_NONAME, socket.EAI_NODATA}:
            raise NameNotFoundError(name) from error
        raise
    return [str(entry[4][0]) for entry in found]


def _ask(name: str, timeout: float, lookup: Lookup) -> Resolution:
    deadline = time.monotonic() + timeout
    answers: queue.SimpleQueue[Resolution] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(_answer(name, lookup))
        finally:
            _turns.release()

    if not _turns.acquire(timeout=max(timeout, 0)):
        return Resolution((), "system", "silent")
    try:
        threading.Thread(target=work, name="name lookup", daemon=True).start()
    except RuntimeError:
        # The machine has no thread to spare: nobody answers, and the next probe asks again.
        _turns.release()
        return Resolution((), "system", "silent")
    try:
        return answers.get(timeout=max(deadline - time.monotonic(), 0))
    except queue.Empty:
        return Resolution((), "system", "silent")


def _answer(name: str, lookup: Lookup) -> Resolution:
    try:
        found = dict.fromkeys(lookup(name))
    except NameNotFoundError:
        return Resolution((), "system", "not-found")
    except OSError:
        return Resolution((), "system", "silent")
    if not found:
        return Resolution((), "system", "not-found")
    return Resolution(tuple(sorted(found, key=lambda address: ":" in address)), "system")
