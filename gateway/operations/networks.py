"""Changes of a virtual network and of all that lies in it: subnets, zone, DNS, lab servers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from gateway.models import (
    ApplicationGateway,
    GatewayIPConfiguration,
    SimulatedCause,
    Subnet,
    VirtualNetwork,
    ZoneRecord,
    load_gateway,
    new_etag,
)
from gateway.operations.change import (
    CONFLICT,
    GONE,
    Caller,
    Outcome,
    Rejected,
    change_resource,
    store,
)
from gateway.problems import at, errors
from gateway.rules import networks, subnets

Changes = list[dict[str, Any]]


def change_network(
    caller: Caller,
    network: VirtualNetwork,
    *,
    operation: str,
    write: Callable[[VirtualNetwork], Changes],
    etag: str | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Change a virtual network through ``write``, which gets it locked and returns the changes.

    The network's own columns are stored afterwards; rows in it are stored by ``write``.

    The generation of each gateway in the network moves on as well, so that its engines look at it
    anew; entity tags of gateways stay, for nothing of their own was changed. ``network`` is read
    with its group and subscription. Never raises for what a user can cause.
    """
    now = now or timezone.now()

    def work() -> Changes:
        locked = (
            VirtualNetwork.objects.select_for_update(of=("self",))
            .select_related("group__subscription")
            .filter(pk=network.pk)
            .first()
        )
        if locked is None:
            raise Rejected(at(GONE, f"The virtual network “{network.name}” no longer exists."))
        if etag is not None and etag != locked.etag:
            raise Rejected(
                at(CONFLICT, f"“{network.name}” was changed after this form was opened.")
            )
        changes = write(locked)
        if not changes:
            return changes
        records = ZoneRecord.objects.filter(virtual_network=locked).count()
        problems = errors(networks.check(locked, records=records))
        if problems:
            raise Rejected(*problems)
        _judge_gateways(locked)
        gateways_in(locked).update(generation=F("generation") + 1, changed_at=now)
        locked.generation += 1
        locked.etag = new_etag()
        store(locked)
        return changes

    return change_resource(
        caller,
        network.group.subscription,
        resource_id=network.arm_id,
        resource_name=network.name,
        operation=operation,
        write=work,
        now=now,
    )


def gateways_in(network: VirtualNetwork) -> QuerySet[ApplicationGateway]:
    """The gateways whose instances stand in the network."""
    standing = GatewayIPConfiguration.objects.filter(subnet__virtual_network=network)
    return ApplicationGateway.objects.filter(pk__in=standing.values("gateway"))


def _judge_gateways(network: VirtualNetwork) -> None:
    """Refuse what no gateway may stand in; raises :class:`Rejected`."""
    blocking = Subnet.objects.filter(
        virtual_network=network, simulated_cause=SimulatedCause.NSG
    ).exists()
    if not blocking:
        return
    problems = [
        problem
        for gateway in gateways_in(network).select_related("group__subscription")
        for problem in errors(subnets.check(load_gateway(gateway)))
    ]
    if problems:
        raise Rejected(*problems)
