"""The database side of the lab's process: which servers there are, and where they listen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import CharField
from django.db.models.functions import MD5, Cast
from django.utils import timezone

from gateway.models import LabEndpoint, LabServer


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells one state of a server from another, cheap enough to read each second."""

    pk: int
    scenario: str
    name: str
    fqdn: str
    port: int
    digest: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A server to be started. ``key`` is PKCS#8 PEM, empty where it speaks no TLS."""

    mark: Mark
    presented: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a port of a server really is; ``port`` ``None`` stands for every other port."""

    server: int
    port: int | None
    real_host: str
    real_port: int


def marks() -> dict[int, Mark]:
    """All lab servers by primary key (one query)."""
    digest = MD5(Cast("presented", CharField()))
    rows = LabServer.objects.order_by("pk").values_list(
        "pk", "scenario", "name", "fqdn", "port", digest
    )
    return {row[0]: Mark(*row) for row in rows}


def plans(wanted: Iterable[Mark]) -> list[Plan]:
    """What the given servers present, with their keys; rows deleted meanwhile are left out.

    Raises ``certificates.secrets.KeyMissingError`` when a key cannot be opened.
    """
    by_pk = {mark.pk: mark for mark in wanted}
    rows = LabServer.objects.filter(pk__in=by_pk).select_related("key")
    return [
        Plan(
            by_pk[row.pk],
            row.presented,
            bytes(row.key.pem) if hasattr(row, "key") else b"",
        )
        for row in rows
    ]


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
        alive = set(
            LabServer.objects.select_for_update()
            .filter(pk__in=concerned)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        LabEndpoint.objects.filter(pk__in=stale).delete()
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
