"""Which addresses `serve` listens on."""

from __future__ import annotations

import socket
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from gateway.management.commands import serve
from gateway.management.serving import ports, web
from tests.free_ports import free_ports

CERTIFICATE = (Path("portal.pem"), Path("portal.key"))


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def options(**given: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": None, "tls_port": None, **given}


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("LOCALHOST", True),
     ("0.0.0.0", False), ("192.0.2.1", False), ("portal.example.test", False)],
)  # fmt: skip
def test_only_loopback_addresses_count_as_such(host, expected):
    assert ports.is_loopback(host) is expected


@pytest.mark.parametrize(
    ("host", "expected"), [("0.0.0.0", True), ("::", True), ("127.0.0.1", False), ("x", False)]
)
def test_only_unspecified_addresses_stand_for_all(host, expected):
    assert ports.is_wildcard(host) is expected


def test_a_taken_default_port_is_passed_over(taken):
    assert ports.find("127.0.0.1", None, taken) > taken


def test_a_port_that_was_asked_for_is_not_silently_changed(taken):
    with pytest.raises(ports.PortTakenError, match=rf"Port {taken} of 127\.0\.0\.1 cannot be used"):
        ports.find("127.0.0.1", taken, 8000)


def test_an_address_of_another_machine_is_refused_with_the_reason():
    with pytest.raises(ports.PortTakenError, match=r"203\.0\.113\.1"):
        ports.find("203.0.113.1", None, 8443)


def test_a_host_name_that_does_not_exist_is_refused_with_the_reason():
    with pytest.raises(ports.PortTakenError, match=r"nowhere\.invalid"):
        ports.find("nowhere.invalid", 8443, 8443)


def test_both_schemes_cannot_share_a_port():
    (port,) = free_ports(1)
    with pytest.raises(ports.PortTakenError, match="cannot share"):
        serve.open_doors(options(port=port, tls_port=port), CERTIFICATE)


def test_the_default_port_leaves_the_other_scheme_its_own():
    (port,) = free_ports(1)
    assert ports.find("127.0.0.1", None, port, besides=port) > port


def test_the_loopback_gets_both_schemes():
    plain, secure = serve.open_doors(options(), CERTIFICATE)
    assert (plain.scheme, plain.tls) == ("http", None)
    assert (secure.scheme, secure.tls) == ("https", CERTIFICATE)
    assert secure.url() == f"https://localhost:{secure.port}/"
    assert secure.address == f"127.0.0.1:{secure.port}"


def test_the_network_gets_https_only():
    (door,) = serve.open_doors(options(host="0.0.0.0"), CERTIFICATE)
    assert door.scheme == "https"
    assert door.nearby == "127.0.0.1"
    with pytest.raises(CommandError, match="loopback only"):
        serve.open_doors(options(host="0.0.0.0", port=8000), CERTIFICATE)


def test_an_ipv6_address_stands_in_brackets():
    door = web.Door("https", "::", 8443, CERTIFICATE)
    assert (door.nearby, door.address, door.url("::1")) == (
        "::1", "[::]:8443", "https://[::1]:8443/",
    )  # fmt: skip


def test_names_belong_to_the_network_only():
    assert serve.outside_names("127.0.0.1", []) == []
    with pytest.raises(CommandError, match="--host"):
        serve.outside_names("127.0.0.1", ["portal.example.test"])
    assert serve.outside_names("192.0.2.1", ["portal.example.test"]) == [
        "portal.example.test", "192.0.2.1",
    ]  # fmt: skip
    assert serve.outside_names("0.0.0.0", ["a.test"]) == ["a.test", socket.gethostname()]


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "²", "9" * 5000])
def test_a_port_that_is_none_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="1 to 65535"):
        serve.port_number(text)


@pytest.mark.parametrize("text", ["0", "65", "many"])
def test_a_number_of_processes_that_does_not_fit_is_refused(text):
    with pytest.raises(ArgumentTypeError, match="1 to 64"):
        serve.process_count(text)


def test_tls_1_2_is_named_where_there_is_a_certificate_and_no_access_is_logged():
    line = web.command(web.Door("https", "127.0.0.1", 8443, CERTIFICATE), workers=2)
    assert line[line.index("--ssl-protocol-min") + 1] == "tls1.2"
    assert line[line.index("--workers") + 1] == "2"
    assert "--no-access-log" in line
    assert "--ssl-keyfile" not in web.command(web.Door("http", "127.0.0.1", 8000), workers=1)


def test_every_process_learns_where_the_portal_listens(settings):
    doors = [web.Door("http", "127.0.0.1", 1), web.Door("https", "127.0.0.1", 2, CERTIFICATE)]
    children = serve.children_of(doors, [], 1, carries=True)
    others = ["worker", "lab server process", "data-plane agent"]
    assert [child.name for child in children[2:]] == others
    without = serve.children_of(doors, [], 1, carries=False)
    assert [child.name for child in without[2:]] == others[:2]
    assert [child.environment.get("GATEWRIGHT_SCHEME") for child in children[:2]] == [
        "http", "https",
    ]  # fmt: skip
    for child in children:
        assert child.environment["GATEWRIGHT_PORTAL_ADDRESSES"] == "127.0.0.1:1,127.0.0.1:2"
        assert child.environment["GATEWRIGHT_DATA"] == str(settings.GATEWRIGHT_DATA)


def test_a_stranger_on_the_port_is_not_taken_for_the_portal(taken, tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    assert not web.answers(web.Door("http", "127.0.0.1", port), "0123abcd", tmp_path)


@pytest.mark.parametrize("asked", [None, 9000])
def test_a_host_that_is_none_is_refused_at_the_first_look(monkeypatch, asked):
    looks: list[str] = []

    def look(host: str, *_: object, **__: object) -> None:
        looks.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look)
    with pytest.raises(ports.PortTakenError, match=r"Nothing can listen on 256\.1\.1\.1: "):
        ports.find("256.1.1.1", asked, 8443)
    assert looks == ["256.1.1.1"]


def test_a_name_that_no_machine_can_have_is_refused():
    with pytest.raises(CommandError, match=r"--name: bad name! is not a host name"):
        serve.outside_names("0.0.0.0", ["bad name!"])
