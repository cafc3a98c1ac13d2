"""A user's certificate stores: putting certificates in, and who may have issued what."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import transaction

from certificates.models import (
    ChainForm,
    Folder,
    Store,
    StoredCertificate,
    StoredKey,
    keep,
)
from certificates.publicroot import well_known
from certificates.x509.facts import certificate as x509
from certificates.x509.trust.anchors import Anchor, AnchorStore

MAX_STORED = 500
"""Certificates in the stores of one user, all folders together."""

MAX_STORED_BYTES = 2 * 1024 * 1024
"""Their bytes together: pages read all of them, and a certificate may have a quarter of a MB."""


def lock_owner(owner_id: int) -> None:
    """Let nobody else change what this user owns here until the transaction ends (on SQLite, the
    transaction itself does so), so that limits hold and names stay unique."""
    users = get_user_model()._default_manager
    list(users.select_for_update().filter(pk=owner_id).values_list("pk"))


def add(
    owner_id: int,
    store: Store | str,
    folder: Folder | str,
    certificate: x509.Certificate,
    *,
    key_pem: bytes | None = None,
    exportable: bool = True,
    friendly_name: str = "",
    suggested_name: str = "",
    made_here: bool = False,
    chain_form: ChainForm | str = ChainForm.COMPLETE,
) -> StoredCertificate:
    """Put a certificate into a folder of a user's store; one that is there already stays, and gets
    the key and the name that come with it now. ``key_pem`` is unencrypted PKCS #8 text, and
    ``suggested_name`` the name of an entry that had none."""
    with transaction.atomic():
        entry, is_new = StoredCertificate.objects.get_or_create(
            owner_id=owner_id,
            store=store,
            folder=folder,
            certificate=keep([certificate])[0],
            defaults={
                "friendly_name": (friendly_name or suggested_name)[:80],
                "made_here": made_here,
                "chain_form": chain_form,
            },
        )
        better = friendly_name or (not entry.friendly_name and suggested_name)
        if not is_new and better:
            entry.friendly_name = better[:80]
            entry.save(update_fields=["friendly_name"])
        if key_pem is not None:
            StoredKey.objects.update_or_create(
                entry=entry, defaults={"pem": key_pem, "exportable": exportable}
            )
    return entry


def folder_for(certificate: x509.Certificate, *, has_key: bool) -> Folder:
    """Where the import puts a certificate when it may choose by its type."""
    if has_key or certificate.role == "leaf" or certificate.role == "self-signed":
        return Folder.PERSONAL
    return Folder.ROOTS if certificate.role == "root" else Folder.INTERMEDIATES


@dataclass(frozen=True, slots=True)
class Circle:
    """What a user's computer knows of issuers: ``certificates`` that may be part of a path, and
    ``anchors`` that it trusts (its trusted roots and the well-known ones)."""

    certificates: tuple[x509.Certificate, ...]
    anchors: AnchorStore


def circle_of(owner_id: int) -> Circle:
    """All certificates of both of the user's stores, as paths are built from them (two queries)."""
    rows = (
        StoredCertificate.objects.filter(owner_id=owner_id)
        .select_related("certificate")
        .order_by("pk")[:MAX_STORED]
    )
    stored = [(row.folder, row.certificate.parsed) for row in rows]
    roots = [Anchor(one) for folder, one in stored if folder == Folder.ROOTS]
    return Circle(
        certificates=tuple(dict.fromkeys(one for _, one in stored)),
        anchors=AnchorStore([*well_known(), *roots]),
    )
