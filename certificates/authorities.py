"""Authorities in the database: certificate and key stored together, and made an issuer again."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from certificates.models import Authority, AuthorityKey, Certificate, keep
from certificates.x509.issuing.issue import Issued, key_pem, load_issued


def find_authority(owner_id: int | None, name: str) -> Authority | None:
    """The authority of that name, of a user or (``None``) of the installation, ready to issue."""
    return (
        Authority.objects.filter(owner_id=owner_id, name=name)
        .select_related(
            "certificate", "key", "parent__certificate", "parent__key", "parent__parent"
        )
        .first()
    )


def keep_authority(
    owner_id: int | None, name: str, issued: Issued, *, parent: Authority | None = None
) -> Authority:
    """Store an authority, its key encrypted; one that another process stored first is kept."""
    try:
        with transaction.atomic():
            authority = Authority.objects.create(
                owner_id=owner_id,
                name=name,
                certificate=keep([issued.certificate])[0],
                parent=parent,
            )
            AuthorityKey.objects.create(authority=authority, pem=key_pem(issued))
    except IntegrityError:
        found = find_authority(owner_id, name)
        if found is None:
            raise
        return found
    return authority


def issuer_of(authority: Authority) -> Issued:
    """The authority as an issuer, with the authorities above it.

    Raises ``certificates.secrets.KeyMissingError`` when the installation's keys do not open it.
    """
    above = issuer_of(authority.parent) if authority.parent else None
    return load_issued(authority.certificate.parsed, bytes(authority.key.pem), above)


def chain_of(authority: Authority) -> list[Certificate]:
    """The authority's certificate and those above it, root last; opens no key."""
    chain = [authority.certificate]
    while authority.parent is not None:
        authority = authority.parent
        chain.append(authority.certificate)
    return chain
