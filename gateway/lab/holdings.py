"""What a sandbox puts into its user's certificate stores, so that there is something to export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from certificates import stores
from certificates.models import Folder, Store, StoredCertificate
from gateway.accounts.models import Subscription
from gateway.lab.supplies import Issuers, Supply
from gateway.models import LabServer


@dataclass(frozen=True, slots=True)
class Holding:
    """The certificate of one lab server in one store, with or without its key."""

    scenario: str
    store: Store
    friendly_name: str
    with_key: bool = True


# The machine's store holds another server's certificate: who looks there finds the wrong one.
HOLDINGS: tuple[Holding, ...] = (
    Holding("full-chain", Store.CURRENT_USER, "Backend certificate"),
    Holding("self-signed", Store.CURRENT_USER, "Self-signed certificate"),
    Holding("expired", Store.CURRENT_USER, "Expired certificate", with_key=False),
    Holding("virtual-machine-2", Store.LOCAL_COMPUTER, "Certificate of another server"),
)


def put_into_stores(owner_id: int, supplies: Mapping[str, Supply], issuers: Issuers) -> None:
    """Put certificates of the lab servers and the lab CA above them into a user's stores.

    ``supplies`` is keyed by scenario id. Opens and makes no key; call it inside the transaction
    that stores the servers.
    """
    for holding in HOLDINGS:
        supply = supplies[holding.scenario]
        if supply.leaf is not None:
            stores.add(
                owner_id,
                holding.store,
                Folder.PERSONAL,
                supply.leaf,
                key_pem=supply.key if holding.with_key else None,
                friendly_name=holding.friendly_name,
            )
    for authority in (issuers.private.certificate, *issuers.private.chain):
        folder = Folder.ROOTS if authority.self_signed else Folder.INTERMEDIATES
        stores.add(owner_id, Store.CURRENT_USER, folder, authority)


def held_of(owner_id: int, subscription: Subscription) -> QuerySet[StoredCertificate]:
    """The certificates of a sandbox's lab servers in its user's stores, with their content."""
    leaves = LabServer.objects.filter(
        virtual_network__group__subscription=subscription, leaf__isnull=False
    ).values("leaf")
    return (
        StoredCertificate.objects.filter(owner_id=owner_id, certificate__in=leaves)
        .select_related("certificate")
        .order_by("store", "folder", "pk")
    )


def take_out_of_stores(owner_id: int, subscription: Subscription) -> None:
    """Remove the certificates of a sandbox's lab servers from its user's stores."""
    held_of(owner_id, subscription).delete()


def renew_in_stores(owner_id: int, server: LabServer, supply: Supply) -> None:
    """Where the certificate of ``server`` is in the user's stores, put the new one in its place.

    Call it before the server's row gets its new certificate.
    """
    if supply.leaf is None:
        return
    for entry in StoredCertificate.objects.filter(owner_id=owner_id, certificate=server.leaf):
        has_key = StoredCertificate.objects.filter(pk=entry.pk, key__isnull=False).exists()
        entry.delete()
        stores.add(
            owner_id,
            entry.store,
            entry.folder,
            supply.leaf,
            key_pem=supply.key if has_key else None,
            friendly_name=entry.friendly_name,
        )
