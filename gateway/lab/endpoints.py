"""The database side of the lab's process: which servers there are, and where they listen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from certificates.x509.issuing.issue import load_key
from gateway.models import LabEndpoint, LabServer, VirtualNetwork
from gateway.network import Zone, load_zone


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells one state of a server from another, cheap enough to read every few seconds."""

    pk: int
    network: int
    scenario: str
    name: str
    fqdn: str
    port: int
    delay: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """A server to be started. ``key`` is PKCS#8 PEM, empty where it speaks no TLS."""

    mark: Mark
    presented: str
    without_sni: str
    key: bytes = field(repr=False)

    @property
    def fits(self) -> bool:
        """Whether the key is that of the certificates that it proves."""
        try:
            key = load_key(self.key).public_key()
            return all(
                x509.load_pem_x509_certificate(text.encode("ascii")).public_key() == key
                for text in (self.presented, self.without_sni or self.presented)
            )
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a port of a server really is; ``port`` ``None`` stands for every other port."""

    server: int
    port: int | None
    real_host: str
    real_port: int


def newest() -> tuple[object, ...]:
    """What changes whenever a server is added, removed or changed (one query, one row)."""
    found = LabServer.objects.aggregate(Count("pk"), Max("pk"), Max("changed_at"))
    return tuple(found.values())


def marks() -> dict[int, Mark]:
    """All lab servers by primary key (one query)."""
    rows = LabServer.objects.order_by("pk").values_list(
        "pk", "virtual_network_id", "scenario", "name", "fqdn", "port", "delay", "changed_at"
    )
    return {row[0]: Mark(*row) for row in rows}


def plans(wanted: Iterable[Mark]) -> list[Plan]:
    """What the given servers present, with their keys; rows deleted meanwhile are left out.

    Raises ``certificates.secrets.KeyMissingError`` when a key cannot be opened.
    """
    by_pk = {mark.pk: mark for mark in wanted}
    found = []
    for some in batched(by_pk):
        for row in LabServer.objects.filter(pk__in=some).select_related("key"):
            key = bytes(row.key.pem) if hasattr(row, "key") else b""
            found.append(Plan(by_pk[row.pk], row.presented, row.presented_without_sni, key))
    return found


def batched(keys: Iterable[int], size: int = 500) -> Iterator[list[int]]:
    """The keys in portions that a query can hold."""
    rest = list(keys)
    while rest:
        yield rest[:size]
        rest = rest[size:]


def zone_of(network: int) -> Zone | None:
    """The zone of a network as it is now (4 queries); ``None`` if the network is gone."""
    found = VirtualNetwork.objects.filter(pk=network).first()
    return load_zone(found) if found is not None else None


def report(places: Collection[Place]) -> None:
    """Make the table say exactly ``places``; places of servers deleted meanwhile are left out."""
    with transaction.atomic():
        known = {
            Place(*row[1:]): row[0]
            for row in LabEndpoint.objects.values_list(
                "pk", "server_id", "port", "real_host", "real_port"
            )
        }
        wanted = set(places)
        stale = [pk for place, pk in known.items() if place not in wanted]
        missing = wanted - known.keys()
        if not stale and not missing:
            return
        # Servers before their places, as whoever deletes servers does: in another order the two
        # could wait for each other. The lock also keeps a server until its place is stored.
        concerned = {place.server for place in missing}
        concerned |= {place.server for place in known if place not in wanted}
        alive: set[int] = set()
        for some in batched(sorted(concerned)):
            locked = LabServer.objects.select_for_update().filter(pk__in=some).order_by("pk")
            alive.update(locked.values_list("pk", flat=True))
        for some in batched(stale):
            LabEndpoint.objects.filter(pk__in=some).delete()
        now = timezone.now()
        LabEndpoint.objects.bulk_create(
            LabEndpoint(
                server_id=place.server,
                port=place.port,
                real_host=place.real_host,
                real_port=place.real_port,
                reported_at=now,
            )
            for place in missing
            if place.server in alive
        )
