"""From a name to addresses: literals, then the DNS servers of the virtual network.

A network without servers of its own uses the platform's DNS, which answers from the lab zone and,
for other names, from this machine's resolver. With servers of its own, *only* these are asked, for
every name: they replace the platform's DNS ("Name resolution for resources in Azure virtual
networks").
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from gateway.network.dns import ask
from gateway.network.zone import Zone, canonical

Lookup = Callable[[str], list[str]]
Error = Literal["not-found", "silent", "refused"]

# The resolver of the system cannot be interrupted: a lookup that hangs keeps its thread until the
# system gives up. So many may hang at once; more wait for their turn within their own time limit.
_MOST_LOOKUPS = 64
_turns = threading.BoundedSemaphore(_MOST_LOOKUPS)


# The platform's DNS has this address inside every network, and may be listed among others.
PLATFORM_DNS = "168.63.129.16"


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer to a name: IPv4 addresses first, or why there are none.

    ``not-found``: the name does not exist or has no address. ``silent``: no answer in time.
    ``refused``: servers answered, but none of them wants to know about the name. ``source`` is
    ``custom`` where the network's own DNS servers were asked; ``asked`` names them in the order in
    which they were, and ``detail`` has a sentence on each.
    """

    addresses: tuple[str, ...]
    source: Literal["literal", "zone", "system", "custom"]
    error: Error | None = None
    asked: tuple[str, ...] = ()
    detail: str = ""


class NameNotFoundError(Exception):
    """A lookup was answered: there is no such name, or it has no address."""


def resolve(zone: Zone, name: str, *, timeout: float, lookup: Lookup | None = None) -> Resolution:
    """Resolve ``name`` as seen from the network of ``zone`` within ``timeout`` seconds.

    By the platform's DNS nothing is asked outside for a name in a domain that the zone owns, and
    ``lookup`` answers for all others (:func:`system_lookup` by default); it raises
    :class:`NameNotFoundError`, or ``OSError`` when nobody answered. The network's own DNS servers
    are asked in their order until one knows whether the name exists. Never raises itself.
    """
    try:
        return Resolution((str(ipaddress.ip_address(name.strip("[]"))),), "literal")
    except ValueError:
        pass
    wanted = canonical(name)
    if zone.dns_servers:
        return _custom(zone, wanted, timeout, lookup)
    return _platform(zone, wanted, timeout, lookup)


def _platform(zone: Zone, wanted: str, timeout: float, lookup: Lookup | None) -> Resolution:
    if wanted in zone.names:
        return Resolution(zone.names[wanted], "zone")
    if zone.owns(wanted):
        return Resolution((), "zone", "not-found")
    return _ask(wanted, timeout, lookup or system_lookup)


def _custom(zone: Zone, wanted: str, timeout: float, lookup: Lookup | None) -> Resolution:
    deadline = time.monotonic() + timeout
    refused = False
    asked: list[str] = []
    told: list[str] = []
    for server in zone.dns_servers:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        asked.append(server)
        if server == PLATFORM_DNS:
            found = _platform(zone, wanted, left, lookup)
            if found.error != "silent":
                return replace(found, source="custom", asked=tuple(asked), detail=" ".join(told))
            told.append(f"The platform's DNS ({server}) did not answer.")
            continue
        reply = ask(zone, server, wanted, deadline)
        told.append(reply.detail)
        if reply.kind in ("addresses", "not-found"):
            error: Error | None = None if reply.addresses else "not-found"
            return Resolution(reply.addresses, "custom", error, tuple(asked), " ".join(told))
        refused = refused or reply.kind == "refused"
    why: Error = "refused" if refused else "silent"
    return Resolution((), "custom", why, tuple(asked), " ".join(told))


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
    answers: queue.Queue[Resolution] = queue.Queue()

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
