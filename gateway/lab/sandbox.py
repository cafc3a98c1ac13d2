"""A user's sandbox: a subscription of their own with two gateways and the lab around them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from certificates.models import keep
from gateway.accounts.models import Role, RoleAssignment, Subscription, User
from gateway.lab.defaults import GATEWAY, V1, V2, Generation, write_gateway
from gateway.lab.holdings import put_into_stores, take_out_of_stores
from gateway.lab.issuing import issue_all
from gateway.lab.scenarios import SCENARIOS
from gateway.lab.supplies import Supply, issuers_of
from gateway.models import (
    LabServer,
    LabServerKey,
    PublicIPAddress,
    Resource,
    ResourceGroup,
    Subnet,
    VirtualNetwork,
    ZoneRecord,
)
from gateway.operations import Caller, Outcome, change_resource, create_gateway, store
from gateway.operations.addresses import store_with_address

CLIENT = "Lab"
NETWORK = "myVNet"
GATEWAY_SUBNET = "myAGSubnet"
BACKEND_SUBNET = "myBackendSubnet"
PUBLIC_ADDRESS = "myAGPublicIPAddress"


class SandboxError(Exception):
    """A sandbox could not be set up; nothing of it was stored. The text says why."""


def ensure_sandbox(user: User, now: datetime | None = None) -> Subscription:
    """The user's own subscription, filled when it is made.

    Safe when called at once from several places: one call fills, the others find. What the user
    deletes later stays deleted. Raises :class:`SandboxError` if it cannot be filled.
    """
    found = Subscription.objects.filter(sandbox_of=user).first()
    if found is not None:
        return found
    now = now or timezone.now()
    # Keys are made before the transaction, which on SQLite would make everybody wait.
    issuers = issuers_of(user, now)
    supplies = issue_all(issuers, SCENARIOS, now)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        subscription, is_new = Subscription.objects.get_or_create(
            sandbox_of=user, defaults={"name": f"Sandbox of {user.username}"[:80]}
        )
        if is_new:
            _own(user, subscription)
            _fill(Caller(user, CLIENT), subscription, supplies, now)
            put_into_stores(user.pk, supplies, issuers)
    return subscription


def reset_sandbox(user: User, now: datetime | None = None) -> Subscription:
    """Delete everything in the user's sandbox and fill it again.

    The subscription, the roles on it, its activity log and the user's lab CA stay. In the user's
    certificate stores the new servers' certificates take the place of the old ones. Raises
    :class:`SandboxError` if it cannot be filled; then nothing has changed.
    """
    now = now or timezone.now()
    issuers = issuers_of(user, now)
    supplies = issue_all(issuers, SCENARIOS, now)
    caller = Caller(user, CLIENT)
    with transaction.atomic():
        subscription = ensure_sandbox(user, now)
        _own(user, subscription)

        def empty() -> None:
            # The lab's process locks servers to report where they listen: a report that came
            # between the deletion of reports and that of servers would undo the reset.
            servers = LabServer.objects.filter(
                virtual_network__group__subscription=subscription
            ).order_by("pk")
            list(servers.select_for_update(of=("self",)).values_list("pk"))
            take_out_of_stores(user.pk, subscription)
            # All groups at once: a gateway may use a network of another group.
            ResourceGroup.objects.filter(subscription=subscription).delete()

        where = f"/subscriptions/{subscription.pk}"
        _change(caller, subscription, where, subscription.name, "Reset sandbox", empty, now)
        _fill(caller, subscription, supplies, now)
        put_into_stores(user.pk, supplies, issuers)
    return subscription


def _own(user: User, subscription: Subscription) -> None:
    RoleAssignment.objects.update_or_create(
        user=user, subscription=subscription, defaults={"role": Role.OWNER}
    )


def _fill(
    caller: Caller, subscription: Subscription, supplies: dict[str, Supply], now: datetime
) -> None:
    for generation in (V2, V1):
        _fill_group(caller, subscription, generation, supplies, now)


def _fill_group(
    caller: Caller,
    subscription: Subscription,
    generation: Generation,
    supplies: dict[str, Supply],
    now: datetime,
) -> None:
    group = ResourceGroup(subscription=subscription, name=generation.group)
    network = VirtualNetwork(group=group, name=NETWORK, address_prefixes=["10.0.0.0/16"])
    subnet = Subnet(virtual_network=network, name=GATEWAY_SUBNET, address_prefix="10.0.0.0/24")
    backends = Subnet(
        virtual_network=network,
        name=BACKEND_SUBNET,
        address_prefix="10.0.1.0/24",
        position=1,
    )
    address = PublicIPAddress(group=group, name=PUBLIC_ADDRESS, sku=generation.address_sku)

    def write_network() -> None:
        for row in (network, subnet, backends):
            store(row)

    steps: list[tuple[ResourceGroup | Resource, str, Callable[[], None]]] = [
        (group, "Create resource group", lambda: store(group)),
        (network, "Create virtual network", write_network),
        (network, "Set up lab servers", lambda: write_servers(network, supplies)),
        (address, "Create public IP address", lambda: store_with_address(address)),
    ]
    for row, operation, write in steps:
        _change(caller, subscription, row.arm_id, row.name, operation, write, now)
    _demand(
        create_gateway(
            caller,
            group,
            name=GATEWAY,
            operation="Create application gateway",
            write=lambda: write_gateway(generation, group, subnet, address),
            now=now,
        )
    )


def write_servers(network: VirtualNetwork, supplies: dict[str, Supply]) -> None:
    """Store the servers of all scenarios with their names in the zone of ``network``.

    Only inside a ``write`` callback. ``supplies`` is keyed by scenario id.
    """
    kept = keep(
        {
            certificate.sha256: certificate
            for supply in supplies.values()
            for certificate in (supply.leaf, supply.root)
            if certificate is not None
        }.values()
    )
    rows = {row.sha256: row for row in kept}
    servers, keys, names = [], [], []
    for position, scenario in enumerate(SCENARIOS):
        supply = supplies[scenario.id]
        server = LabServer(
            virtual_network=network,
            name=scenario.name,
            scenario=scenario.id,
            kind=scenario.kind,
            address=scenario.address,
            fqdn=scenario.fqdn,
            port=scenario.port,
            presented=supply.pem,
            presented_without_sni=supply.pem_without_sni,
            delay=scenario.delay,
            leaf=rows[supply.leaf.sha256] if supply.leaf else None,
            root=rows[supply.root.sha256] if supply.root else None,
            position=position,
        )
        servers.append(server)
        names.append(
            ZoneRecord(virtual_network=network, name=scenario.fqdn, address=scenario.address)
        )
        if supply.key:
            keys.append(LabServerKey(server=server, pem=supply.key))
    LabServer.objects.bulk_create(servers)
    LabServerKey.objects.bulk_create(keys)
    ZoneRecord.objects.bulk_create(names)


def _change(
    caller: Caller,
    subscription: Subscription,
    resource_id: str,
    name: str,
    operation: str,
    write: Callable[[], None],
    now: datetime,
) -> None:
    def recorded() -> list[dict[str, Any]] | None:
        write()
        return None

    _demand(
        change_resource(
            caller,
            subscription,
            resource_id=resource_id,
            resource_name=name,
            operation=operation,
            write=recorded,
            now=now,
        )
    )


def _demand(outcome: Outcome) -> None:
    if not outcome.ok:
        raise SandboxError("; ".join(problem.message for problem in outcome.errors))
