"""New certificates for lab servers whose own run out soon; the expired one is meant to be so."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta

from certificates.models import keep
from gateway.accounts.models import User
from gateway.lab.holdings import renew_in_stores
from gateway.lab.issuing import issue
from gateway.lab.scenarios import BY_ID
from gateway.lab.supplies import Issuers, Supply, issuers_of
from gateway.models import LabServer, LabServerKey
from gateway.operations import Caller, change_resource, store

logger = logging.getLogger(__name__)

DAYS_LEFT = 30


def renew_due(now: datetime) -> int:
    """Renew what expires within 30 days in the sandboxes; returns how many servers were renewed.

    A certificate that several servers of a sandbox share is replaced by one that they share.
    """
    due = LabServer.objects.filter(
        leaf__not_after__lt=now + timedelta(days=DAYS_LEFT),
        virtual_network__group__subscription__sandbox_of__isnull=False,
    ).select_related("virtual_network__group__subscription__sandbox_of", "leaf")
    by_user: dict[User, list[LabServer]] = defaultdict(list)
    for server in due:
        scenario = BY_ID.get(server.scenario)
        user = server.virtual_network.group.subscription.sandbox_of
        if user is not None and scenario is not None and scenario.presents != "expired":
            by_user[user].append(server)
    return sum(_renew(user, servers, now) for user, servers in by_user.items())


def _renew(user: User, servers: list[LabServer], now: datetime) -> int:
    issuers = issuers_of(user, now)
    supplies: dict[tuple[str, str, str], Supply] = {}
    for server in servers:
        if _sort(server) not in supplies:
            supplies[_sort(server)] = _supply(issuers, server, now)

    def write() -> list[dict[str, object]]:
        changes = []
        for server in servers:
            supply = supplies[_sort(server)]
            renew_in_stores(user.pk, server, supply)
            changes.append(_replace(server, supply))
        return changes

    subscription = servers[0].virtual_network.group.subscription
    outcome = change_resource(
        Caller(user, "Lab"),
        subscription,
        resource_id=f"/subscriptions/{subscription.pk}",
        resource_name=subscription.name,
        operation="Renew lab certificates",
        write=write,
        now=now,
    )
    for problem in outcome.errors:
        logger.warning("Lab certificates were not renewed: %s", problem.message)
    return len(servers) if outcome.ok else 0


def _sort(server: LabServer) -> tuple[str, str, str]:
    """What servers have in common that share a certificate."""
    return server.scenario, server.fqdn, server.address


def _supply(issuers: Issuers, server: LabServer, now: datetime) -> Supply:
    presents = BY_ID[server.scenario].presents
    return issue(issuers, presents, server.fqdn, server.address, now)


def _replace(server: LabServer, supply: Supply) -> dict[str, object]:
    before = server.leaf.not_after if server.leaf else None
    if supply.leaf is None or supply.root is None:
        raise ValueError(f"The scenario {server.scenario!r} presents no certificate.")
    server.leaf, server.root = keep([supply.leaf, supply.root])
    server.presented = supply.pem
    server.presented_without_sni = supply.pem_without_sni
    store(server)
    LabServerKey.objects.filter(server=server).delete()
    store(LabServerKey(server=server, pem=supply.key))
    return {
        "path": f"labServers/{server.name}/notAfter",
        "before": before.isoformat() if before else None,
        "after": supply.leaf.not_after.isoformat(),
    }
