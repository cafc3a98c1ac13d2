"""A real DNS server on loopback whose answers a test decides."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Reply = Callable[[str], list[str] | dns.rcode.Rcode | None]
"""Name without final dot → addresses, a code, or ``None`` for silence."""


def refuse(name: str) -> dns.rcode.Rcode:
    return dns.rcode.REFUSED


def says(*addresses: str) -> Reply:
    return lambda _: list(addresses)


@contextmanager
def dns_server(reply: Reply) -> Iterator[int]:
    """Answers by UDP until the end of the block; gives the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(0.1)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    wire, client = bound.recvfrom(4096)
                except TimeoutError:
                    continue
                answer = _answer(dns.message.from_wire(wire), reply)
                if answer is not None:
                    bound.sendto(answer.to_wire(), client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield bound.getsockname()[1]
        finally:
            ended.set()
            thread.join(5)


def _answer(query: dns.message.Message, reply: Reply) -> dns.message.Message | None:
    question = query.question[0]
    found = reply(question.name.to_text().rstrip("."))
    if found is None:
        return None
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    if isinstance(found, dns.rcode.Rcode):
        answer.set_rcode(found)
    elif found and question.rdtype == dns.rdatatype.A:
        answer.answer.append(dns.rrset.from_text(question.name, 1, "IN", "A", *found))
    return answer
