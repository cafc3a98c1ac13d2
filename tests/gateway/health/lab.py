"""Gateways in rows whose backends are the test's own servers."""

from __future__ import annotations

from datetime import datetime

from gateway.health.worker import Worker
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    LabEndpoint,
    LabServer,
    Verdict,
    VirtualNetwork,
)
from tests import factories
from tests.factories import NOW

ADDRESS = "10.0.1.4"


def network_of(gateway: ApplicationGateway) -> VirtualNetwork:
    network = factories.loaded(gateway).virtual_network
    assert network is not None
    return network


def add_backend(
    gateway: ApplicationGateway,
    fqdn: str,
    port: int | None,
    *,
    address: str = ADDRESS,
    named_port: int = 443,
) -> LabServer:
    """A lab server ``fqdn`` on ``named_port`` that is answered for by the real ``port``."""
    server = factories.add_row(
        LabServer,
        virtual_network=network_of(gateway),
        name=fqdn.replace(".", "-"),
        scenario="full-chain",
        address=address,
        fqdn=fqdn,
        port=named_port,
    )
    if port:
        report(server, port)
    return server


def report(server: LabServer, port: int) -> None:
    LabEndpoint.objects.create(
        server=server, port=server.port, real_host="127.0.0.1", real_port=port, reported_at=NOW
    )


def point_pool_at(gateway: ApplicationGateway, *targets: str) -> None:
    """The default pool's targets, with the generation moved on as an operation does."""
    pool = factories.find(gateway, BackendAddressPool, factories.POOL)
    for address in BackendAddress.objects.filter(pool=pool):
        factories.delete(address)
    for position, target in enumerate(targets):
        literal = target.replace(".", "").isdigit()
        column = {"ip_address": target} if literal else {"fqdn": target}
        factories.add_row(BackendAddress, pool=pool, position=position, **column)
    move_on(gateway)


def move_on(gateway: ApplicationGateway) -> None:
    gateway.refresh_from_db()
    factories.change(gateway, generation=gateway.generation + 1)


class Clock:
    """A clock that tests move."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def sweep(clock: Clock | None = None) -> int:
    return Worker(threads=8, clock=clock or Clock()).sweep()


def only_verdict(gateway: ApplicationGateway) -> Verdict:
    return Verdict.objects.get(gateway=gateway)
