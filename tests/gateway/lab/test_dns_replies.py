"""Single queries to a DNS server of the lab, in wire format."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lab.dns import reply_to
from gateway.network import Zone

ZONE = Zone(
    names={"www.contoso.test": ("10.0.1.4", "10.0.1.5"), "six.contoso.test": ("fd00::6",)},
    domains=frozenset({"contoso.test"}),
)


def asked(
    name: str, kind: str = "A", zone: Zone | None = ZONE, **extra: object
) -> dns.message.Message:
    query = dns.message.make_query(name, kind, **extra)  # type: ignore[arg-type]
    reply = reply_to(query.to_wire(), zone, udp=True)
    assert reply is not None
    answer = dns.message.from_wire(reply)
    assert query.is_response(answer)
    return answer


def test_addresses_are_answered_by_their_kind() -> None:
    (answer,) = asked("WWW.contoso.test").answer
    assert [one.address for one in answer] == ["10.0.1.4", "10.0.1.5"]
    assert asked("www.contoso.test", "AAAA").answer == []
    (answer,) = asked("six.contoso.test", "AAAA").answer
    assert [one.address for one in answer] == ["fd00::6"]


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("www.contoso.test", "TXT", dns.rcode.NOERROR),
        ("a.contoso.test", "A", dns.rcode.NXDOMAIN),
        ("contoso.test", "A", dns.rcode.NXDOMAIN),
        ("example.com", "A", dns.rcode.REFUSED),
        ("test", "A", dns.rcode.REFUSED),
        (".", "NS", dns.rcode.REFUSED),
    ],
)
def test_the_code_says_whose_name_it_is(name: str, kind: str, code: dns.rcode.Rcode) -> None:
    assert asked(name, kind).rcode() == code


def test_without_a_zone_the_server_fails() -> None:
    assert asked("www.contoso.test", zone=None).rcode() == dns.rcode.SERVFAIL


def test_other_classes_and_operations_are_not_served() -> None:
    assert asked("www.contoso.test", rdclass="CH").rcode() == dns.rcode.REFUSED
    query = dns.message.make_query("www.contoso.test", "A")
    query.set_opcode(dns.opcode.NOTIFY)
    reply = reply_to(query.to_wire(), ZONE, udp=True)
    assert reply is not None
    assert dns.message.from_wire(reply).rcode() == dns.rcode.NOTIMP


@pytest.mark.parametrize("data", [b"", b"\0" * 11, b"nonsense" * 10, b"\xff" * 512])
def test_what_is_no_query_gets_no_answer(data: bytes) -> None:
    assert reply_to(data, ZONE, udp=True) is None


def test_an_answer_is_not_answered() -> None:
    query = dns.message.make_query("www.contoso.test", "A")
    query.flags |= dns.flags.QR
    assert reply_to(query.to_wire(), ZONE, udp=True) is None


def test_an_answer_that_does_not_fit_says_so() -> None:
    many = tuple(f"10.0.{number // 200}.{number % 200}" for number in range(1, 400))
    zone = Zone(names={"big.contoso.test": many}, domains=frozenset({"contoso.test"}))
    query = dns.message.make_query("big.contoso.test", "A")

    short = reply_to(query.to_wire(), zone, udp=True)
    whole = reply_to(query.to_wire(), zone, udp=False)

    assert short is not None
    assert len(short) <= 512
    assert dns.message.from_wire(short, ignore_trailing=True).flags & dns.flags.TC
    assert whole is not None
    assert len(dns.message.from_wire(whole).answer[0]) == 399


@given(
    name=st.sampled_from(["www.contoso.test", "a.contoso.test", "example.com", "."]),
    kind=st.sampled_from(["A", "AAAA", "ANY", "AXFR"]),
    spoilt=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=5),
    cut=st.integers(0, 60),
    udp=st.booleans(),
)
def test_no_query_makes_the_server_stumble(
    name: str, kind: str, spoilt: list[tuple[int, int]], cut: int, udp: bool
) -> None:
    wire = bytearray(dns.message.make_query(name, kind).to_wire())
    for place, value in spoilt:
        wire[place % len(wire)] = value
    reply = reply_to(bytes(wire[: len(wire) - cut]), ZONE, udp=udp)
    assert reply is None or len(reply) >= 12
