"""A small HTTP/2 client that honours GOAWAY as RFC 9113, section 6.8 asks.

After a GOAWAY it opens no stream on that connection, waits for those that the server still answers,
and sends the others again on a new connection.
"""

from __future__ import annotations

import socket
import ssl

import h2.connection
import h2.errors
import h2.events

GOAWAY = 7  # the type of its frame
STREAMS = 10
PATIENCE = 60.0


class FailedError(Exception):
    """A request that got no answer, or another answer than 200."""


def get_many(host: str, port: int, name: str, count: int) -> int:
    """Answers to ``count`` requests, :data:`STREAMS` at once; raises :class:`FailedError`.

    Returns how many connections that took.
    """
    left, connections = count, 0
    while left:
        connections += 1
        left -= _one_connection(host, port, name, left)
    return connections


def _one_connection(host: str, port: int, name: str, wanted: int) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host, port), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=name) as line,
    ):
        if line.selected_alpn_protocol() != "h2":
            raise FailedError("The server speaks no HTTP/2.")
        return _talk(line, name, wanted)


def _talk(line: ssl.SSLSocket, name: str, wanted: int) -> int:
    talk = h2.connection.H2Connection()
    talk.initiate_connection()
    head = [(":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", name)]
    open_: set[int] = set()
    answered, sent, last, rest = 0, 0, None, b""
    while True:
        while last is None and len(open_) < STREAMS and sent < wanted:
            stream = talk.get_next_available_stream_id()
            talk.send_headers(stream, head, end_stream=True)
            open_.add(stream)
            sent += 1
        line.sendall(talk.data_to_send())
        if not open_:
            return answered
        data = line.recv(65536)
        if not data:
            raise FailedError(f"The connection was closed with {len(open_)} requests open.")
        frames, rest = _frames(rest + data)
        for frame in frames:
            if frame[3] == GOAWAY:
                # Kept from the library, which would take no answer after it. Streams beyond the
                # last one were not looked at: they are sent again.
                last = int.from_bytes(frame[9:13], "big") & 0x7FFF_FFFF
                open_ -= {one for one in open_ if one > last}
                continue
            for event in talk.receive_data(frame):
                answered += _take_in(talk, event, open_)


def _frames(data: bytes) -> tuple[list[bytes], bytes]:
    """Whole frames (RFC 9113, section 4.1), and what is left."""
    found = []
    while len(data) >= 9:
        end = 9 + int.from_bytes(data[:3], "big")
        if len(data) < end:
            break
        found.append(data[:end])
        data = data[end:]
    return found, data


def _take_in(talk: h2.connection.H2Connection, event: h2.events.Event, open_: set[int]) -> int:
    """How many requests were answered by this; raises :class:`FailedError`."""
    if isinstance(event, h2.events.ResponseReceived):
        status = dict(event.headers).get(b":status")
        if status != b"200":
            raise FailedError(f"Answer {status!r}.")
    elif isinstance(event, h2.events.DataReceived):
        talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
    elif isinstance(event, h2.events.StreamEnded):
        open_.discard(event.stream_id)
        return 1
    elif isinstance(event, h2.events.StreamReset):
        if event.error_code != h2.errors.ErrorCodes.REFUSED_STREAM:
            raise FailedError(f"A request was reset: {event.error_code}.")
        open_.discard(event.stream_id)
    return 0
