"""Reading from a connection within bounds."""

from __future__ import annotations

import socket

import pytest

from gateway.network.wire import Deadline, Incoming, TooLongError, presented_chain, response_of


def test_the_chain_is_read_where_newer_pythons_offer_it() -> None:
    class Newer:
        def get_unverified_chain(self) -> list[bytes]:
            return [b"leaf", b"root"]

    assert presented_chain(Newer()) == [b"leaf", b"root"]  # type: ignore[arg-type]


def test_a_deadline_that_is_over_leaves_no_time() -> None:
    with pytest.raises(TimeoutError):
        Deadline(0).left()
    assert 0 < Deadline(5).left() <= 5


def test_no_more_bytes_are_read_than_are_left() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")
        incoming = Incoming(here, Deadline(5), 43)
        response = response_of(incoming)
        response.begin()
        assert response.status == 200
        assert response.read(4) == b"0123"
        with pytest.raises(TooLongError):
            response.read()
