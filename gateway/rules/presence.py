"""A gateway is whole: none of the collections that it cannot work without is empty."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.models import (
    BackendAddressPool,
    BackendHttpSettings,
    Child,
    FrontendIPConfiguration,
    FrontendPort,
    GatewayIPConfiguration,
    HttpListener,
    LoadedGateway,
    RequestRoutingRule,
)
from gateway.problems import Problem, at, declare

COLLECTION_EMPTY = declare(
    "collection-empty",
    title="The last one of its kind cannot go",
    why="A gateway always has at least one listener, backend pool, HTTP setting and rule, and an "
    "address, a port and a subnet to work with.",
    remedy="Add the replacement first, then remove the old one.",
    source="Application Gateway components article",
)

NEEDED: tuple[type[Child], ...] = (
    GatewayIPConfiguration,
    FrontendIPConfiguration,
    FrontendPort,
    BackendAddressPool,
    BackendHttpSettings,
    HttpListener,
    RequestRoutingRule,
)


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    for model in NEEDED:
        if not loaded.children(model):
            yield at(
                COLLECTION_EMPTY,
                f"Gateway “{loaded.gateway.name}” has no {model.noun}; it needs at least one.",
                model.collection,
            )
