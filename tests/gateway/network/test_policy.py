"""What may be connected to: nothing by default, some things never."""

import ipaddress
import socket
from typing import Any

import pytest

from gateway.network import (
    EMPTY_ZONE,
    Dial,
    Endpoint,
    LabNotReadyError,
    NoHostError,
    NotAllowedError,
    Resolution,
    Zone,
    allowed,
    dial_address,
    policy,
    refusal,
    resolve,
)

EVERYTHING = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]

# Closed even to an administrator who opens everything.
NEVER = [
    "0.0.0.0",
    "::",
    "255.255.255.255",
    "224.0.0.1",
    "ff02::1",
    "169.254.169.254",
    "169.254.1.1",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "fd00:ec2::254",
    "240.0.0.1",
    "::ffff:0.0.0.0",
    "[::]",
    "",
    "localhost",
    "2130706433",
    "0x7f000001",
    "127.1",
    "0177.0.0.1",
    "10.0.0.1/32",
    "10.0.0.1:80",
]

# Closed until their network is opened.
BY_DEFAULT = [
    "127.0.0.1",
    "127.83.1.1",
    "::1",
    "::ffff:127.0.0.1",
    "10.0.0.1",
    "192.168.1.1",
    "172.16.0.1",
    "93.184.215.14",
    "2606:2800:220:1::1",
    "fd12:3456::1",
]

# Names that resolve to what is closed: the answer is checked, not the name.
RESOLVE_TO_FORBIDDEN = {
    "metadata.example.com": "169.254.169.254",
    "local.example.com": "127.0.0.1",
    "mapped.example.com": "::ffff:127.0.0.1",
    "any.example.com": "0.0.0.0",
    "six.example.com": "::1",
    "private.example.com": "10.9.9.9",
}

ZONE = Zone(
    lab_addresses=frozenset({"10.0.1.4", "10.0.1.6", "10.0.1.7"}),
    endpoints={("10.0.1.4", 443): Endpoint("127.0.0.1", 40001)},
    refusing={
        "10.0.1.4": Endpoint("127.0.0.1", 40002),
        "10.0.1.6": Endpoint("127.0.0.1", 40003),
    },
    prefixes=(ipaddress.ip_network("10.0.0.0/16"),),
)


@pytest.fixture
def open_networks(settings: Any) -> Any:
    def opened(*networks: str) -> None:
        settings.GATEWRIGHT_ALLOWED_NETWORKS = [ipaddress.ip_network(n) for n in networks]

    return opened


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_closed_whatever_is_opened(address: str, settings: Any) -> None:
    settings.GATEWRIGHT_ALLOWED_NETWORKS = EVERYTHING
    assert refusal(address, 443)


@pytest.mark.parametrize("address", [*NEVER, *BY_DEFAULT])
def test_nothing_outside_the_lab_is_open_by_default(address: str) -> None:
    assert not allowed(address, 443)
    with pytest.raises(NotAllowedError):
        dial_address(EMPTY_ZONE, address, 443)


@pytest.mark.parametrize("address", BY_DEFAULT)
def test_an_opened_network_may_be_connected_to(address: str, settings: Any) -> None:
    settings.GATEWRIGHT_ALLOWED_NETWORKS = EVERYTHING
    assert allowed(address, 443)


def test_only_the_opened_network_is_open(open_networks: Any) -> None:
    open_networks("192.168.1.0/24")
    assert allowed("192.168.1.7", 443)
    assert allowed("::ffff:192.168.1.7", 443)
    assert not allowed("192.168.2.7", 443)


def test_an_address_that_carries_another_needs_both_to_be_open(open_networks: Any) -> None:
    open_networks("64:ff9b::/96")
    assert not allowed("64:ff9b::a00:1", 443)
    open_networks("64:ff9b::/96", "10.0.0.0/8")
    assert allowed("64:ff9b::a00:1", 443)
    open_networks("2001::/32")
    assert not allowed("2001:0:4136:e378:8000:63bf:3fff:fdd2", 443)


def test_the_portal_s_own_ports_are_closed_on_this_machine(settings: Any) -> None:
    settings.GATEWRIGHT_ALLOWED_NETWORKS = EVERYTHING
    settings.GATEWRIGHT_PORTAL_ADDRESSES = ["127.0.0.1:8000", "[::1]:8443", "broken"]
    assert not allowed("127.0.0.1", 8000)
    assert not allowed("127.9.9.9", 8000)
    assert not allowed("::1", 8443)
    assert not allowed("::ffff:127.0.0.1", 8443)
    assert allowed("127.0.0.1", 8001)
    assert allowed("192.0.2.1", 8000)
    own = _own_address()
    if own:
        assert not allowed(own, 8000)


def _own_address() -> str | None:
    """An address of this machine other than loopback, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_refused(port: int, settings: Any) -> None:
    settings.GATEWRIGHT_ALLOWED_NETWORKS = EVERYTHING
    assert not allowed("192.0.2.1", port)


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("192.0.2.8", "6543", "192.0.2.8"),
        ("192.0.2.7,192.0.2.8", "6543", "192.0.2.8"),
        ("localhost", "6543", "127.0.0.1"),
        ("", "6543", "127.0.0.1"),
        ("/run/postgresql", "", "127.0.0.1"),
    ],
)
def test_the_database_is_closed(
    host: str, port: str, address: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GATEWRIGHT_ALLOWED_NETWORKS = EVERYTHING
    description = {"ENGINE": "django.db.backends.postgresql", "HOST": host, "PORT": port}
    monkeypatch.setitem(settings.DATABASES, "elsewhere", description)
    policy._databases.cache_clear()
    try:
        assert "database" in str(refusal(address, int(port or "5432")))
        assert allowed("192.0.2.9", int(port or "5432"))
        assert allowed(address, 9)
    finally:
        policy._databases.cache_clear()


@pytest.mark.parametrize("name", RESOLVE_TO_FORBIDDEN)
def test_a_name_for_a_forbidden_address_is_refused_after_resolution(name: str) -> None:
    found = resolve(ZONE, name, timeout=1, lookup=lambda asked: [RESOLVE_TO_FORBIDDEN[asked]])
    assert found == Resolution((RESOLVE_TO_FORBIDDEN[name],), "system")
    with pytest.raises(NotAllowedError):
        dial_address(ZONE, found.addresses[0], 443)


@pytest.mark.parametrize("name", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost"])
def test_odd_spellings_of_loopback_do_not_get_past_the_check(name: str) -> None:
    found = resolve(ZONE, name, timeout=5)
    for address in found.addresses:
        with pytest.raises(NotAllowedError):
            dial_address(ZONE, address, 443)


def test_a_lab_server_s_port_leads_to_its_real_endpoint() -> None:
    assert dial_address(ZONE, "10.0.1.4", 443) == Dial("127.0.0.1", 40001, lab=True)
    assert dial_address(ZONE, "::ffff:10.0.1.4", 443) == Dial("127.0.0.1", 40001, lab=True)


def test_other_ports_of_a_lab_server_lead_to_what_refuses() -> None:
    assert dial_address(ZONE, "10.0.1.4", 80) == Dial("127.0.0.1", 40002, lab=True)
    assert dial_address(ZONE, "10.0.1.6", 443) == Dial("127.0.0.1", 40003, lab=True)


def test_a_lab_server_that_has_not_reported_is_not_ready() -> None:
    with pytest.raises(LabNotReadyError):
        dial_address(ZONE, "10.0.1.7", 443)


def test_an_empty_address_of_the_network_has_no_host() -> None:
    with pytest.raises(NoHostError):
        dial_address(ZONE, "10.0.9.9", 443)


def test_an_opened_network_wins_over_an_empty_place_in_the_virtual_one(open_networks: Any) -> None:
    open_networks("10.0.0.0/8")
    assert dial_address(ZONE, "10.0.9.9", 443) == Dial("10.0.9.9", 443, lab=False)
    assert dial_address(ZONE, "10.0.1.4", 443).lab
