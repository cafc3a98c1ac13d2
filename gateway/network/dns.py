"""Asking the DNS servers of a virtual network: real queries, bounded in time, nothing cached."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

from gateway.network.dial import LabNotReadyError, NoHostError, NotAllowedError, dial_address
from gateway.network.zone import Zone

PORT = 53
# As resolvers do: ask again once, then turn to the next server.
TRIES = 2
SECONDS_PER_TRY = 1.5

Kind = Literal["addresses", "not-found", "refused", "silent"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What one DNS server made of a name; ``detail`` is a sentence for people."""

    kind: Kind
    detail: str
    addresses: tuple[str, ...] = ()


def ask(zone: Zone, server: str, name: str, deadline: float) -> Reply:
    """Ask ``server``, an address as seen from ``zone``, for the addresses of ``name``.

    A lab server's address leads to its endpoint, any other passes the policy. By UDP, and by TCP
    where the answer does not fit. ``deadline`` is a time of ``time.monotonic()``. Never raises.
    """
    try:
        wanted = dns.name.from_text(name)
    except (dns.exception.DNSException, UnicodeError):
        return Reply("not-found", f"“{name}” is no name that DNS could know.")
    try:
        dial = dial_address(zone, server, PORT)
    except NotAllowedError as refused:
        return Reply("silent", f"The DNS server {server} was not asked: {refused}.")
    except NoHostError:
        return Reply("silent", f"Nothing stands at {server}, the address of the DNS server.")
    except LabNotReadyError:
        return Reply("silent", f"The lab's DNS server at {server} has not been started.")
    found: list[str] = []
    # Most backends have an IPv4 address; the second question is only asked of those that do not.
    for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
        query = dns.message.make_query(wanted, kind)
        response = _exchange(query, dial.host, dial.port, deadline)
        if response is None:
            return Reply("silent", f"The DNS server {server} did not answer.")
        code = response.rcode()
        if code == dns.rcode.NXDOMAIN:
            return Reply("not-found", f"The DNS server {server} says that there is no “{name}”.")
        if code != dns.rcode.NOERROR:
            words = dns.rcode.to_text(code)
            return Reply("refused", f"The DNS server {server} answered {words} for “{name}”.")
        found = _addresses(response)
        if found:
            return Reply("addresses", f"The DNS server {server} answered.", tuple(found))
    return Reply("not-found", f"The DNS server {server} knows no address of “{name}”.")


def _exchange(
    query: dns.message.QueryMessage, host: str, port: int, deadline: float
) -> dns.message.QueryMessage | None:
    for _ in range(TRIES):
        seconds = min(SECONDS_PER_TRY, deadline - time.monotonic())
        if seconds <= 0:
            return None
        try:
            response, _ = dns.query.udp_with_fallback(
                query,
                host,
                timeout=seconds,
                port=port,
                ignore_unexpected=True,
                ignore_errors=True,
            )
        except (OSError, EOFError, dns.exception.DNSException):
            continue
        if isinstance(response, dns.message.QueryMessage):
            return response
    return None


def _addresses(response: dns.message.QueryMessage) -> list[str]:
    """The addresses at the end of the answer's chain of aliases, as it orders them."""
    try:
        answer = response.resolve_chaining().answer
    except dns.exception.DNSException:
        return []
    return [str(record.address) for record in answer] if answer is not None else []
