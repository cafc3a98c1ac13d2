"""What a gateway may be: pure functions over a loaded gateway, returning problems.

No rule makes a query or looks at a clock.
"""

from __future__ import annotations

from datetime import datetime

from gateway.models import LoadedGateway
from gateway.problems import Problem
from gateway.rules import (
    backends,
    certificates,
    error_pages,
    frontends,
    limits,
    listeners,
    mutual,
    paths,
    policies,
    pools,
    presence,
    probes,
    redirects,
    references,
    rewrites,
    routing,
    subnets,
    tiers,
)
from gateway.rules.references import blockers, users

__all__ = ["blockers", "check", "users"]


def check(loaded: LoadedGateway, *, now: datetime) -> list[Problem]:
    """Everything that is wrong with a gateway, errors and warnings.

    The order is that of the cloud where it is known (subnet, ports, listeners, rules, addresses),
    because clients show the first error most prominently.
    """
    foreign = list(references.check(loaded))
    if foreign:
        # Everything below follows references, and would leave the gateway here.
        return foreign
    return [
        *tiers.check(loaded),
        *presence.check(loaded),
        *frontends.check(loaded),
        *subnets.check(loaded),
        *limits.check(loaded),
        *certificates.check(loaded, now),
        *policies.check(loaded),
        *mutual.check(loaded),
        *probes.check(loaded),
        *pools.check(loaded),
        *backends.check(loaded),
        *listeners.check(loaded),
        *routing.check(loaded),
        *paths.check(loaded),
        *redirects.check(loaded),
        *rewrites.check(loaded),
        *error_pages.check(loaded),
    ]
