"""The lab's DNS servers, asked by the very client that the prober uses, by UDP and by TCP."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import dns.message
import pytest

from gateway.lab.sandbox import ensure_sandbox
from gateway.models import VirtualNetwork, ZoneRecord
from gateway.network import Resolution, load_zone, resolve
from tests.factories import add_row, change, delete, make_user
from tests.gateway.lab.conftest import endpoint, eventually, running_lab, server_of

pytestmark = pytest.mark.django_db(transaction=True)

PRIVATE, SILENT = "10.0.1.53", "10.0.1.54"


@pytest.fixture
def network(transactional_db: None) -> Iterator[VirtualNetwork]:
    sandbox = ensure_sandbox(make_user("alice"))
    with running_lab():
        endpoint(server_of(sandbox, "dns-private"), 53)
        endpoint(server_of(sandbox, "dns-silent"), 53)
        yield VirtualNetwork.objects.get(
            group__subscription=sandbox, group__name="myResourceGroupAG"
        )


def look_up(network: VirtualNetwork, name: str, *servers: str, timeout: float = 10) -> Resolution:
    change(network, dns_servers=list(servers))
    return resolve(load_zone(network), name, timeout=timeout, lookup=nobody)


def nobody(name: str) -> list[str]:
    raise AssertionError(f"{name} was asked outside")


def test_the_private_server_knows_the_names_of_the_zone(network: VirtualNetwork) -> None:
    found = look_up(network, "full-chain.contoso.test", PRIVATE)

    assert found.addresses == ("10.0.1.10",)
    assert (found.source, found.error, found.asked) == ("custom", None, (PRIVATE,))


def test_an_absent_name_of_the_zone_does_not_exist(network: VirtualNetwork) -> None:
    found = look_up(network, "absent.contoso.test", PRIVATE)

    assert found.error == "not-found"
    assert PRIVATE in found.detail


def test_all_other_names_are_refused(network: VirtualNetwork) -> None:
    found = look_up(network, "www.example.com", PRIVATE)

    assert found.error == "refused"
    assert "REFUSED" in found.detail


def test_a_record_that_is_added_is_answered_soon(network: VirtualNetwork) -> None:
    assert look_up(network, "new.contoso.test", PRIVATE).error == "not-found"

    add_row(ZoneRecord, virtual_network=network, name="new.contoso.test", address="10.0.1.10")

    eventually(lambda: look_up(network, "new.contoso.test", PRIVATE).addresses == ("10.0.1.10",))


def test_many_addresses_come_by_tcp(network: VirtualNetwork) -> None:
    wanted = [f"10.0.2.{number}" for number in range(1, 120)]
    for address in wanted:
        add_row(ZoneRecord, virtual_network=network, name="big.contoso.test", address=address)

    found = look_up(network, "big.contoso.test", PRIVATE)

    assert sorted(found.addresses) == sorted(wanted)


def test_the_silent_server_is_silent_by_udp_and_by_tcp(network: VirtualNetwork) -> None:
    found = look_up(network, "full-chain.contoso.test", SILENT, timeout=0.3)
    assert (found.error, found.asked) == ("silent", (SILENT,))
    assert "did not answer" in found.detail

    server = server_of(network.group.subscription, "dns-silent")
    with socket.create_connection(endpoint(server, 53), timeout=0.3) as client:
        client.sendall(b"\0\1\0")
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_second_server_is_asked_when_the_first_is_silent(network: VirtualNetwork) -> None:
    found = look_up(network, "full-chain.contoso.test", SILENT, PRIVATE)

    assert found.addresses == ("10.0.1.10",)
    assert found.asked == (SILENT, PRIVATE)


def test_servers_of_one_network_know_nothing_of_another(network: VirtualNetwork) -> None:
    other = VirtualNetwork.objects.get(
        group__subscription=network.group.subscription, group__name="myResourceGroupAG-v1"
    )
    add_row(ZoneRecord, virtual_network=other, name="only.fabrikam.test", address="10.0.1.10")

    assert look_up(network, "only.fabrikam.test", PRIVATE).error == "refused"
    assert look_up(other, "only.fabrikam.test", PRIVATE).addresses == ("10.0.1.10",)


def test_a_dns_server_that_is_deleted_answers_no_more(network: VirtualNetwork) -> None:
    server = server_of(network.group.subscription, "dns-private")
    where = endpoint(server, 53)

    delete(server)

    def silent() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.2)
            client.connect(where)
            client.send(dns.message.make_query("full-chain.contoso.test", "A").to_wire())
            try:
                client.recv(1000)
            except (ConnectionRefusedError, TimeoutError):
                return True
            return False

    eventually(silent)
    found = look_up(network, "full-chain.contoso.test", PRIVATE)
    assert found.error == "silent"
    assert "Nothing stands at" in found.detail
