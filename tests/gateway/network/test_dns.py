"""The DNS servers of a network are asked for real: over sockets, within their time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from pytest_django import Settings

from gateway.network import Endpoint, Resolution, Zone, resolve
from gateway.network.resolve import PLATFORM_DNS, NameNotFoundError

FIRST, SECOND = "10.0.1.53", "10.0.1.54"
NAME = "www.example.com"

Answer = Callable[[dns.message.Message], bytes | None]


@contextmanager
def dns_server(answer: Answer) -> Iterator[Endpoint]:
    """A UDP socket that answers as told, until the block ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def work() -> None:
            while True:
                data, client = server.recvfrom(65536)
                if data == b"end":
                    return
                reply = answer(dns.message.from_wire(data))
                if reply is not None:
                    server.sendto(reply, client)

        thread = threading.Thread(target=work)
        thread.start()
        host, port = server.getsockname()
        try:
            yield Endpoint(host, port)
        finally:
            server.sendto(b"end", (host, port))
            thread.join()


def zone_with(**servers: Endpoint | None) -> Zone:
    """A zone whose DNS servers are ``first`` and ``second``, as far as they are given."""
    addresses = {FIRST: servers.get("first"), SECOND: servers.get("second")}
    used = tuple(one for one, name in ((FIRST, "first"), (SECOND, "second")) if name in servers)
    return Zone(
        names={"in-zone.contoso.test": ("10.0.1.4",)},
        domains=frozenset({"contoso.test"}),
        lab_addresses=frozenset(used),
        endpoints={(address, 53): place for address, place in addresses.items() if place},
        dns_servers=used,
    )


def nobody(name: str) -> list[str]:
    raise AssertionError(f"{name} was asked at the platform's DNS")


def look_up(zone: Zone, name: str = NAME, timeout: float = 10) -> Resolution:
    return resolve(zone, name, timeout=timeout, lookup=nobody)


def with_records(*records: str, code: dns.rcode.Rcode = dns.rcode.NOERROR) -> Answer:
    """Answers with those of the ``records`` that are of the question's type, aliases always."""

    def answer(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(code)
        for text in records:
            name, kind, value = text.split()
            wanted = dns.rrset.from_text(name, 60, "IN", kind, value)
            if kind == "CNAME" or wanted.rdtype == query.question[0].rdtype:
                response.answer.append(wanted)
        return response.to_wire()

    return answer


def silent(query: dns.message.Message) -> None:
    return None


@pytest.mark.parametrize(
    ("records", "addresses"),
    [
        ([f"{NAME}. A 192.0.2.1"], ("192.0.2.1",)),
        ([f"{NAME}. AAAA 2001:db8::1"], ("2001:db8::1",)),
        ([f"{NAME}. A 192.0.2.1", f"{NAME}. AAAA 2001:db8::1"], ("192.0.2.1",)),
        ([f"{NAME}. CNAME a.example.net.", "a.example.net. A 192.0.2.7"], ("192.0.2.7",)),
    ],
)
def test_addresses_are_found_at_the_end_of_aliases_and_ipv4_first(
    records: list[str], addresses: tuple[str, ...]
) -> None:
    with dns_server(with_records(*records)) as place:
        found = look_up(zone_with(first=place))

    assert (found.addresses, found.source, found.error) == (addresses, "custom", None)


@pytest.mark.parametrize(
    "records",
    [
        [],
        [f"{NAME}. CNAME a.example.net."],
        [f"{NAME}. CNAME a.example.net.", f"a.example.net. CNAME {NAME}."],
        ["other.example.com. A 192.0.2.1"],
    ],
)
def test_an_answer_without_an_address_means_that_there_is_none(records: list[str]) -> None:
    with dns_server(with_records(*records)) as place:
        assert look_up(zone_with(first=place)).error == "not-found"


@pytest.mark.parametrize("code", ["REFUSED", "SERVFAIL", "NOTIMP", "FORMERR"])
def test_a_server_that_will_not_say_is_told_with_its_words(code: str) -> None:
    with dns_server(with_records(code=dns.rcode.from_text(code))) as place:
        found = look_up(zone_with(first=place))

    assert found.error == "refused"
    assert code in found.detail


def test_the_next_server_is_asked_until_one_knows() -> None:
    refusing = with_records(code=dns.rcode.REFUSED)
    with dns_server(refusing) as first, dns_server(with_records(f"{NAME}. A 192.0.2.1")) as second:
        found = look_up(zone_with(first=first, second=second))
    assert (found.addresses, found.asked) == (("192.0.2.1",), (FIRST, SECOND))

    with dns_server(with_records(code=dns.rcode.NXDOMAIN)) as first, dns_server(silent) as second:
        found = look_up(zone_with(first=first, second=second))
    assert (found.error, found.asked) == ("not-found", (FIRST,))

    with dns_server(refusing) as first, dns_server(silent) as second:
        found = look_up(zone_with(first=first, second=second), timeout=1)
    assert (found.error, found.asked) == ("refused", (FIRST, SECOND))


def test_names_of_the_zone_are_asked_there_too() -> None:
    with dns_server(with_records(code=dns.rcode.NXDOMAIN)) as place:
        found = look_up(zone_with(first=place), "in-zone.contoso.test")

    assert (found.source, found.error) == ("custom", "not-found")


def test_an_address_is_never_asked_for() -> None:
    assert look_up(zone_with(first=None), "10.0.1.4") == Resolution(("10.0.1.4",), "literal")


def test_silence_lasts_no_longer_than_the_caller_waits() -> None:
    started = time.monotonic()
    with dns_server(silent) as place:
        found = look_up(zone_with(first=place, second=place), timeout=0.3)

    assert found.error == "silent"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "spoil",
    [
        lambda wire: b"nonsense",
        lambda wire: wire[:10],
        lambda wire: bytes([wire[0] ^ 1]) + wire[1:],
    ],
)
def test_answers_that_are_none_are_ignored(spoil: Callable[[bytes], bytes]) -> None:
    good = with_records(f"{NAME}. A 192.0.2.1")

    with dns_server(lambda query: spoil(good(query) or b"")) as place:
        found = look_up(zone_with(first=place), timeout=0.4)

    assert found.error == "silent"


def test_a_truncated_answer_without_tcp_is_no_answer() -> None:
    def truncated(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return response.to_wire()

    with dns_server(truncated) as place:
        assert look_up(zone_with(first=place), timeout=2).error == "silent"


def test_a_lab_server_that_has_not_started_and_an_empty_address_are_silent() -> None:
    found = look_up(zone_with(first=None))
    assert found.error == "silent"
    assert "has not been started" in found.detail


def test_servers_outside_of_the_lab_pass_the_policy(settings: Settings) -> None:
    settings.GATEWRIGHT_ALLOWED_NETWORKS = ()
    found = look_up(Zone(dns_servers=("192.0.2.53",)), timeout=2)

    assert (found.error, found.asked) == ("silent", ("192.0.2.53",))
    assert "was not asked: it is outside the lab" in found.detail


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example.com", "\udcff.example.com"])
def test_what_is_no_name_does_not_exist(name: str) -> None:
    assert look_up(zone_with(first=None), name).error == "not-found"


def test_the_platforms_dns_can_be_one_of_several() -> None:
    zone = Zone(
        names={"in-zone.contoso.test": ("10.0.1.4",)},
        domains=frozenset({"contoso.test"}),
        dns_servers=(FIRST, PLATFORM_DNS),
        lab_addresses=frozenset({FIRST}),
    )

    found = resolve(zone, "in-zone.contoso.test", timeout=1, lookup=nobody)
    assert (found.addresses, found.source) == (("10.0.1.4",), "custom")
    assert found.asked == (FIRST, PLATFORM_DNS)
    assert resolve(zone, "absent.contoso.test", timeout=1, lookup=nobody).error == "not-found"

    def missing(name: str) -> list[str]:
        raise NameNotFoundError(name)

    assert resolve(zone, NAME, timeout=1, lookup=missing).error == "not-found"

    def failing(name: str) -> list[str]:
        raise OSError

    found = resolve(zone, NAME, timeout=1, lookup=failing)
    assert found.error == "silent"
    assert "The platform's DNS" in found.detail
