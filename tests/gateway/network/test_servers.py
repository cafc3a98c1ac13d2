"""Lab servers are told by the pool's targets, not by where they really listen."""

from __future__ import annotations

import pytest

from gateway.models import ApplicationGateway, LabEndpoint, LabServer, ZoneRecord
from gateway.network.servers import servers_of
from tests import factories as make

pytestmark = pytest.mark.django_db

DIALED = "127.76.0.1:38479"


@pytest.fixture
def gateway() -> ApplicationGateway:
    """A gateway with a lab server at 10.0.1.77, which the zone calls alias.contoso.test, too."""
    gateway = make.v2_gateway()
    network = make.loaded(gateway).virtual_network
    server = make.add_row(
        LabServer,
        virtual_network=network,
        name="backend",
        scenario="full-chain",
        address="10.0.1.77",
        fqdn="backend.contoso.test",
        port=443,
    )
    make.add_row(
        ZoneRecord, virtual_network=network, name="alias.contoso.test", address="10.0.1.77"
    )
    for port, real in ((443, 38479), (None, 38480)):
        LabEndpoint.objects.create(
            server=server, port=port, real_host="127.76.0.1", real_port=real, reported_at=make.NOW
        )
    return gateway


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("Backend.contoso.test", "Backend.contoso.test:443"),
        ("alias.contoso.test", "alias.contoso.test:443"),
        ("10.0.1.77", "10.0.1.77:443"),
        # No member of the pool any more: the server is told by its own name.
        ("elsewhere.contoso.test", "backend.contoso.test:443"),
    ],
)
def test_a_lab_server_is_called_as_the_pool_calls_it(
    gateway: ApplicationGateway, target: str, told: str
) -> None:
    make.add_pool(gateway, "pool", target)
    assert servers_of(gateway.pk, {(DIALED, "pool")}) == {(DIALED, "pool"): told}


def test_the_endpoint_that_refuses_stands_for_any_port(gateway: ApplicationGateway) -> None:
    dialed = ("127.76.0.1:38480", make.POOL)
    assert servers_of(gateway.pk, {dialed}) == {dialed: "backend.contoso.test"}


@pytest.mark.parametrize(
    "address", ["", "10.9.9.9:443", "127.76.0.2:38479", "x:y", "1:99999999999"]
)
def test_what_is_no_lab_server_is_left_out(gateway: ApplicationGateway, address: str) -> None:
    assert servers_of(gateway.pk, {(address, make.POOL)}) == {}


def test_the_lab_of_another_network_is_not_looked_at(gateway: ApplicationGateway) -> None:
    other = make.v2_gateway()
    assert servers_of(other.pk, {(DIALED, make.POOL)}) == {}
