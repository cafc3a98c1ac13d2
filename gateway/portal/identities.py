"""Client certificates for a test request: of the user's stores, or handed over for this once."""

from __future__ import annotations

import re
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from django.db.models import QuerySet

from certificates.labca_files import of_entry
from certificates.models import StoredCertificate
from certificates.x509.encoding.shapes import shape_of
from certificates.x509.files.pfx import open_pfx
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing.issue import ordered_chain, to_pem
from gateway.dataplane.exchange import Identity

MAX_BYTES = 64 * 1024
"""A certificate with its issuers and its key; nothing honest is larger."""

# Checking a key takes time that grows with its size; 8,192 bits of RSA have 6,400 characters.
_MAX_KEY = 8 * 1024
_KEY = re.compile(
    rb"-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL
)


class UnusableError(Exception):
    """What was handed over is no certificate with its key; the text says why."""


def stored_identities(user_id: int) -> QuerySet[StoredCertificate]:
    """The certificates of a user's stores that have a private key."""
    return (
        StoredCertificate.objects.filter(owner_id=user_id, key__isnull=False)
        .select_related("certificate")
        .order_by("friendly_name", "pk")
    )


def of_store(entry: StoredCertificate, *, now: datetime) -> Identity:
    """The identity of a stored certificate, with the issuers that its owner has.

    Raises ``KeyMissingError`` if its key cannot be decrypted any more.
    """
    subject = of_entry(entry, now)
    chain = ordered_chain(subject.certificate, subject.issuers)
    return Identity(to_pem(*chain), bytes(entry.key.pem))


def handed_over(data: bytes, password: str) -> Identity:
    """The identity in a PFX, or in PEM text with certificate and unencrypted key.

    Raises ``ProblemError`` for a PFX that does not open and :class:`UnusableError` for anything
    else that is not usable.
    """
    if len(data) > MAX_BYTES:
        raise UnusableError(f"The certificate has {len(data):,} bytes; {MAX_BYTES:,} are taken.")
    if shape_of(data) == "pfx":
        opened = open_pfx(data, password)
        return Identity(to_pem(opened.certificate, *opened.others), opened.key_pem)
    return _of_text(data)


def _of_text(data: bytes) -> Identity:
    found = _KEY.search(data)
    certificates = list(dict.fromkeys(read_certificates(data).certificates))
    if not certificates:
        raise UnusableError("There is no certificate in it.")
    if found is None:
        raise UnusableError("There is no private key in it. A client needs its own key as well.")
    if found[1].startswith(b"ENCRYPTED") or b"Proc-Type: 4,ENCRYPTED" in found[0]:
        raise UnusableError(
            "The private key in the text is protected by a password. Hand over a PFX instead."
        )
    if len(found[0]) > _MAX_KEY:
        raise UnusableError("The private key is larger than any that clients use.")
    try:
        key = serialization.load_pem_private_key(found[0], None)
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableError("The private key cannot be read.") from None
    own = [one for one in certificates if one.public_key_der == public]
    if not own:
        raise UnusableError("The private key belongs to none of the certificates in it.")
    return Identity(to_pem(own[0], *(one for one in certificates if one != own[0])), pem)
