"""Names become addresses: literals, the zone, then the resolver that is given."""

import socket
import threading

import pytest

from gateway.network import Resolution, Zone, resolve, system_lookup
from gateway.network.resolve import NameNotFoundError

ZONE = Zone(
    names={"www.contoso.test": ("10.0.1.4", "10.0.1.5")},
    domains=frozenset({"contoso.test"}),
)


def nobody(name: str) -> list[str]:
    raise AssertionError(f"{name} was asked outside")


@pytest.mark.parametrize("literal", ["10.0.1.4", "fd00::4", "[fd00::4]"])
def test_an_address_is_its_own_answer(literal: str) -> None:
    found = resolve(ZONE, literal, timeout=1, lookup=nobody)
    assert found == Resolution((literal.strip("[]"),), "literal")


@pytest.mark.parametrize("name", ["www.contoso.test", "WWW.Contoso.TEST.", "www.contoso.test."])
def test_the_zone_answers_for_its_names_whatever_their_case(name: str) -> None:
    found = resolve(ZONE, name, timeout=1, lookup=nobody)
    assert found == Resolution(("10.0.1.4", "10.0.1.5"), "zone")


@pytest.mark.parametrize("name", ["absent.contoso.test", "contoso.test", "a.b.contoso.test"])
def test_an_absent_name_of_an_owned_domain_does_not_exist(name: str) -> None:
    assert resolve(ZONE, name, timeout=1, lookup=nobody) == Resolution((), "zone", "not-found")


def test_other_names_are_asked_outside_and_ipv4_comes_first() -> None:
    asked = []

    def lookup(name: str) -> list[str]:
        asked.append(name)
        return ["2001:db8::1", "192.0.2.1", "192.0.2.1"]

    found = resolve(ZONE, "Example.com.", timeout=1, lookup=lookup)
    assert found == Resolution(("192.0.2.1", "2001:db8::1"), "system")
    assert asked == ["example.com"]


def test_a_name_that_does_not_exist_outside_is_not_found() -> None:
    def lookup(name: str) -> list[str]:
        raise NameNotFoundError(name)

    assert resolve(ZONE, "example.com", timeout=1, lookup=lookup).error == "not-found"
    assert resolve(ZONE, "example.com", timeout=1, lookup=lambda _: []).error == "not-found"


def test_a_resolver_that_fails_or_says_nothing_is_silent() -> None:
    def failing(name: str) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    assert resolve(ZONE, "example.com", timeout=1, lookup=failing).error == "silent"
    released = threading.Event()

    def hanging(name: str) -> list[str]:
        released.wait(10)
        return []

    assert resolve(ZONE, "example.com", timeout=0.05, lookup=hanging).error == "silent"
    released.set()


def test_lookups_that_hang_take_a_bounded_number_of_threads() -> None:
    released = threading.Event()
    asked = []

    def hanging(name: str) -> list[str]:
        asked.append(name)
        released.wait(10)
        return []

    for number in range(70):
        assert (
            resolve(ZONE, f"n{number}.example.com", timeout=0.001, lookup=hanging).error == "silent"
        )
    released.set()
    assert len(asked) <= 64


def test_the_system_knows_its_own_name() -> None:
    assert "127.0.0.1" in system_lookup("localhost")


@pytest.mark.parametrize("name", ["a" * 64 + ".example.com", "..", "a..b"])
def test_a_name_that_cannot_be_asked_is_not_found(name: str) -> None:
    assert resolve(ZONE, name, timeout=5).error is not None
