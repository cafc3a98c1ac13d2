"""Putting documents in tests."""

from __future__ import annotations

from typing import Any

from gateway.document import gateway_document
from gateway.models import ApplicationGateway, ResourceGroup
from gateway.operations import Caller, Outcome
from gateway.operations.put import put_gateway
from tests import factories as make


def document_of(gateway: ApplicationGateway) -> dict[str, Any]:
    return gateway_document(make.loaded(gateway))


def put(gateway: ApplicationGateway, body: Any, **options: Any) -> Outcome:
    """Put ``body`` as an owner of the gateway's subscription."""
    caller = Caller(make.owner_of(gateway), client="az")
    options.setdefault("now", make.NOW)
    return put_gateway(caller, gateway.group, gateway.name, body, **options)


def create(group: ResourceGroup, name: str, body: Any, **options: Any) -> Outcome:
    user = make.make_user()
    make.grant(group.subscription, user, make.Role.OWNER)
    options.setdefault("now", make.NOW)
    return put_gateway(Caller(user), group, name, body, **options)


def found(group: ResourceGroup, name: str) -> ApplicationGateway:
    return ApplicationGateway.objects.select_related("group__subscription").get(
        group=group, name=name
    )


def item(document: dict[str, Any], collection: str, name: str) -> dict[str, Any]:
    """The item of that name, to look at or to change."""
    (one,) = [each for each in document["properties"][collection] if each["name"] == name]
    return one


def without(document: dict[str, Any], collection: str, *names: str) -> dict[str, Any]:
    document["properties"][collection] = [
        one for one in document["properties"][collection] if one["name"] not in names
    ]
    return document


def messages(outcome: Outcome) -> list[tuple[str, str]]:
    return [(problem.id, problem.message) for problem in outcome.errors]
