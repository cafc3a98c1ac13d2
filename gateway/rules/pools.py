"""Backend pools and their targets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from gateway.models import BackendAddress, BackendAddressPool, LoadedGateway
from gateway.problems import Problem, declare
from gateway.rules.joins import pairs
from gateway.rules.words import about, called

_POOLS = "Application Gateway components article"

TARGET_INVALID = declare(
    "target-invalid",
    title="A target is an IP address or a name",
    why="Each target of a pool is one server, given by its address or by its fully qualified "
    "name. A name is looked up when it is needed, and on the way to an HTTPS server it can be "
    "checked against the certificate.",
    remedy="Give exactly one of the two for each target; an address goes into the address field.",
    source=_POOLS,
)
TARGET_DUPLICATE = declare(
    "target-duplicate",
    title="The pool names a target twice",
    why="Each server is listed once in a pool; twice would not give it more requests.",
    remedy="Remove one of the two.",
    source=_POOLS,
)
POOL_EMPTY = declare(
    "pool-empty",
    severity="warning",
    title="The pool has no target",
    why="A rule sends requests to this pool, and there is nobody to answer: clients get the "
    "status 502.",
    remedy="Add the backend servers to the pool.",
    source="HTTP 502 troubleshooting guide for Application Gateway",
)


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    for pool in loaded.pools:
        yield from _targets(pool, loaded.addresses(pool))
    used = {pool.pk: pool for pool, _ in pairs(loaded)}
    for pool in used.values():
        if not loaded.addresses(pool):
            message = f"{called(pool)} has no target, but a rule sends requests to it."
            yield about(POOL_EMPTY, pool, message, "addresses")


def _targets(pool: BackendAddressPool, addresses: list[BackendAddress]) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, address in enumerate(addresses, start=1):
        fault = ""
        if not address.fqdn and not address.ip_address:
            fault = f"{called(pool)}: target {number} is empty."
        elif address.fqdn and address.ip_address:
            fault = (
                f"{called(pool)}: target {number} has the name “{address.fqdn}” and the address "
                f"{address.ip_address}."
            )
        elif address.fqdn and is_address(address.fqdn):
            fault = f"{called(pool)}: “{address.fqdn}” is an IP address in the place of a name."
        if fault:
            yield about(TARGET_INVALID, pool, fault, "addresses")
            continue
        key = address.target.lower().rstrip(".")
        if key in seen:
            message = f"{called(pool)} names the target “{address.target}” twice."
            yield about(TARGET_DUPLICATE, pool, message, "addresses")
        seen.add(key)


def is_address(text: str) -> bool:
    # Every address of version 4 or 6 begins with a hexadecimal digit or a colon, and few names
    # have neither a colon nor a digit at their end; the quick look saves most of the parsing.
    if not text or (":" not in text and not text[-1].isdigit()):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
