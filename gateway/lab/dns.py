"""A DNS server of the lab: by UDP and TCP, for the zone of its virtual network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from gateway.network import Zone
from gateway.network.zone import canonical

TTL_SECONDS = 5
PLAIN_UDP_SIZE = 512
LARGEST_UDP_SIZE = 1232
TCP_SECONDS = 10.0
MOST_TCP_QUERIES = 20
# Queries whose zone is still being read; more are dropped, as a busy server does.
MOST_PENDING = 200

ZoneReader = Callable[[], Awaitable[Zone | None]]


def reply_to(data: bytes, zone: Zone | None, *, udp: bool) -> bytes | None:
    """The answer to a query in wire format; ``None`` to what is no query at all.

    Names of ``zone`` are answered, absent names of its domains do not exist, all others are
    refused. Without a zone (it could not be read) the answer is SERVFAIL.
    """
    try:
        query = dns.message.from_wire(data)
    except dns.exception.DNSException:
        return None
    if query.flags & dns.flags.QR:
        return None
    response = dns.message.make_response(query)
    if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
        response.set_rcode(dns.rcode.NOTIMP)
    elif zone is None:
        response.set_rcode(dns.rcode.SERVFAIL)
    else:
        _answer(response, zone)
    size = max(PLAIN_UDP_SIZE, min(query.payload, LARGEST_UDP_SIZE)) if udp else 65535
    # In the zone's order, so that a name with several addresses leads to the same server each time.
    return response.to_wire(max_size=size, prefer_truncation=True, want_shuffle=False)


def _answer(response: dns.message.Message, zone: Zone) -> None:
    (question,) = response.question
    name = canonical(question.name.to_text())
    if question.rdclass != dns.rdataclass.IN:
        response.set_rcode(dns.rcode.REFUSED)
    elif name in zone.names:
        response.flags |= dns.flags.AA
        addresses = [ipaddress.ip_address(one) for one in zone.names[name]]
        wanted = [one for one in addresses if question.rdtype == _type_of(one)]
        if wanted:
            response.answer.append(
                dns.rrset.from_text_list(
                    question.name, TTL_SECONDS, "IN", question.rdtype, [str(one) for one in wanted]
                )
            )
    elif zone.owns(name):
        response.flags |= dns.flags.AA
        response.set_rcode(dns.rcode.NXDOMAIN)
    else:
        response.set_rcode(dns.rcode.REFUSED)


def _type_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> dns.rdatatype.RdataType:
    return dns.rdatatype.A if address.version == 4 else dns.rdatatype.AAAA


class Answering(asyncio.DatagramProtocol):
    """The UDP side; ``zone`` reads the zone anew or from a short memory."""

    def __init__(self, zone: ZoneReader) -> None:
        self._zone = zone
        self._pending: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # What the selector's loop hands over has the methods of a DatagramTransport, not its class.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(self._pending) >= MOST_PENDING:
            return
        task = asyncio.get_running_loop().create_task(self._reply(data, addr))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _reply(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = reply_to(data, await self._zone(), udp=True)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)


async def answer_by_tcp(connection: socket.socket, zone: ZoneReader) -> None:
    """Serve a TCP connection until its end; raises nothing but cancellation."""
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        async with asyncio.timeout(TCP_SECONDS):
            for _ in range(MOST_TCP_QUERIES):
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                reply = reply_to(await reader.readexactly(length), await zone(), udp=False)
                if reply is None:
                    break
                writer.write(struct.pack("!H", len(reply)) + reply)
                await writer.drain()
    except (OSError, EOFError, TimeoutError):
        pass
    finally:
        writer.close()
