"""Where the references of a draft lead: to children of the draft, and to other resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.accounts.models import Subscription
from gateway.document import ChildDraft, Draft, External
from gateway.document.kinds import REFERENCE_MISSING
from gateway.document.tables.frontends import PUBLIC_IP_ADDRESS, SUBNET
from gateway.models import (
    ApplicationGateway,
    FrontendIPConfiguration,
    PublicIPAddress,
    Subnet,
)
from gateway.problems import Problem, at, declare

PUBLIC_ADDRESS_TAKEN = declare(
    "public-ip-taken",
    title="The public IP address belongs to another gateway",
    why="A public IP address can be held by one frontend at a time.",
    remedy="Choose another address, create a new one, or remove it from the other gateway first.",
    source="Application Gateway frontend IP address configuration article",
)

Externals = dict[tuple[str, ...], Any]


def missing_children(draft: Draft, gateway_id: str) -> list[Problem]:
    """A problem for every reference to a child that the draft does not have; names both ids."""
    names = {
        collection: {child.name.lower() for child in children}
        for collection, children in draft.collections.items()
    }
    problems = []
    for child, owner in _everyone(draft):
        singles = [(field, one) for field, one in child.references.items() if one is not None]
        lists = [(field, one) for field, links in child.links.items() for one in links]
        for field, wanted in (*singles, *lists):
            if wanted.name.lower() not in names[wanted.collection]:
                problems.append(
                    at(
                        REFERENCE_MISSING,
                        f"{_id(gateway_id, child, owner)} refers to "
                        f"{gateway_id}/{wanted.collection}/{wanted.name}, which does not exist.",
                        child.collection,
                        f"{owner.name}/{child.name}" if owner else child.name,
                        field,
                    )
                )
    return problems


def _everyone(draft: Draft) -> Iterator[tuple[ChildDraft, ChildDraft | None]]:
    """Every named item with its owner, in document order."""
    for children in draft.collections.values():
        for child in children:
            yield child, None
            for items in child.items.values():
                for item in items:
                    if item.name and item.references:
                        yield item, child


def _id(gateway_id: str, child: ChildDraft, owner: ChildDraft | None) -> str:
    if owner is None:
        return f"{gateway_id}/{child.collection}/{child.name}"
    return f"{gateway_id}/{owner.collection}/{owner.name}/{child.collection}/{child.name}"


def find_externals(
    draft: Draft, subscription: Subscription, gateway: ApplicationGateway | None
) -> tuple[Externals, list[Problem]]:
    """Rows of the other resources that the draft refers to, by id; at most three queries.

    Only resources of the gateway's own subscription can be reached.
    """
    wanted = [
        (child, field, one)
        for children in draft.collections.values()
        for child in children
        for field, one in child.externals.items()
        if one is not None
    ]
    found: Externals = {}
    if any(one.id.type.lower() == SUBNET.lower() for _, _, one in wanted):
        subnets = Subnet.objects.filter(
            virtual_network__group__subscription=subscription
        ).select_related("virtual_network__group")
        for subnet in subnets:
            network = subnet.virtual_network
            names = (network.group.name, SUBNET, network.name, subnet.name)
            found[_key(subscription, *names)] = subnet
    if any(one.id.type.lower() == PUBLIC_IP_ADDRESS.lower() for _, _, one in wanted):
        addresses = PublicIPAddress.objects.filter(group__subscription=subscription).select_related(
            "group"
        )
        for address in addresses:
            found[_key(subscription, address.group.name, PUBLIC_IP_ADDRESS, address.name)] = address
    problems = [
        _missing(child, field, one, subscription)
        for child, field, one in wanted
        if one.id.key not in found
    ]
    return found, problems or _taken(wanted, found, gateway)


def _key(subscription: Subscription, *parts: str) -> tuple[str, ...]:
    return tuple(part.lower() for part in (str(subscription.pk), *parts))


def _missing(
    child: ChildDraft, field: str, wanted: External, subscription: Subscription
) -> Problem:
    own = wanted.id.subscription.lower() == str(subscription.pk)
    where = "does not exist" if own else f"is not in the subscription “{subscription.name}”"
    return at(
        REFERENCE_MISSING,
        f"{child.path} ({child.collection}/{child.name}) refers to “{wanted.text[:300]}”, "
        f"which {where}.",
        child.collection,
        child.name,
        field,
    )


def _taken(
    wanted: list[tuple[ChildDraft, str, External]],
    found: Externals,
    gateway: ApplicationGateway | None,
) -> list[Problem]:
    held = {
        found[one.id.key].pk: (child, field)
        for child, field, one in wanted
        if isinstance(found[one.id.key], PublicIPAddress)
    }
    if not held:
        return []
    others = FrontendIPConfiguration.objects.filter(public_ip_address__in=held).select_related(
        "gateway", "public_ip_address"
    )
    if gateway is not None:
        others = others.exclude(gateway=gateway)
    return [
        at(
            PUBLIC_ADDRESS_TAKEN,
            f"The public IP address “{other.public_ip_address}” is held by the gateway "
            f"“{other.gateway.name}”.",
            held[other.public_ip_address_id][0].collection,
            held[other.public_ip_address_id][0].name,
            held[other.public_ip_address_id][1],
        )
        for other in others
    ]
