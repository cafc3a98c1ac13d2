"""Certificates, each stored once, and the authorities and files that belong to users."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache

from django.conf import settings
from django.db import models

from certificates.secrets import EncryptedBinaryField
from certificates.x509.facts import certificate as x509


class Certificate(models.Model):
    """A public certificate, stored once by its SHA-256."""

    sha256 = models.CharField(max_length=64, unique=True)
    der = models.BinaryField()
    subject = models.CharField(max_length=400)
    not_after = models.DateTimeField()
    # When it was first seen that nothing refers to it; see certificates.unused.
    unused_since = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.subject

    @cached_property
    def parsed(self) -> x509.Certificate:
        """The certificate with its derived facts."""
        return _read(bytes(self.der))


@lru_cache(maxsize=512)
def _read(der: bytes) -> x509.Certificate:
    # Pages of a whole gateway look at all of its certificates, again and again.
    return x509.Certificate.from_der(der)


def keep(certificates: Iterable[x509.Certificate]) -> list[Certificate]:
    """Rows for the given certificates, in order; new ones are stored, known ones found."""
    wanted = list(certificates)
    known = Certificate.objects.filter(sha256__in=[one.sha256 for one in wanted])
    rows = {row.sha256: row for row in known}
    if any(row.unused_since for row in rows.values()):
        # Either they are kept from being deleted now, or they just were and are stored anew.
        known.update(unused_since=None)
        rows = {row.sha256: row for row in known.all()}
    for one in wanted:
        if one.sha256 not in rows:
            rows[one.sha256], _ = Certificate.objects.get_or_create(
                sha256=one.sha256,
                defaults={
                    "der": one.der,
                    "subject": one.subject[:400],
                    "not_after": one.not_after,
                },
            )
    return [rows[one.sha256] for one in wanted]


class Authority(models.Model):
    """A lab authority with its key: a user's own, or the installation's "public" one."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True
    )
    name = models.CharField(max_length=80)
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["owner", "name"], name="certificates_authority_name_per_owner"
            ),
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(owner__isnull=True),
                name="certificates_authority_name_of_installation",
            ),
        )

    def __str__(self) -> str:
        return self.name


class AuthorityKey(models.Model):
    """The private key of an authority (PKCS#8 PEM, encrypted at rest)."""

    authority = models.OneToOneField(Authority, on_delete=models.CASCADE, related_name="key")
    pem = EncryptedBinaryField()

    def __str__(self) -> str:
        return f"key of {self.authority_id}"


class Store(models.TextChoices):
    """Whose certificates they are on a Windows computer: the person's, or the machine's."""

    CURRENT_USER = "current-user", "Current User"
    LOCAL_COMPUTER = "local-computer", "Local Computer"


class Folder(models.TextChoices):
    """The folders of a store, in the order in which the certificate manager lists them."""

    PERSONAL = "personal", "Personal"
    ROOTS = "roots", "Trusted Root Certification Authorities"
    INTERMEDIATES = "intermediates", "Intermediate Certification Authorities"


class ChainForm(models.TextChoices):
    """What the chain file of a server certificate holds, and in which order."""

    COMPLETE = "complete", "Certificate, then its intermediates"
    WITH_ROOT = "with-root", "Certificate, intermediates and root"
    LEAF_ONLY = "leaf-only", "Certificate alone (intermediates missing)"
    REVERSED = "reversed", "Root first, certificate last (wrong order)"


class StoredCertificate(models.Model):
    """A certificate in one of a user's stores, perhaps with its private key."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    store = models.CharField(max_length=16, choices=Store)
    folder = models.CharField(max_length=16, choices=Folder)
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT)
    friendly_name = models.CharField(max_length=80, blank=True)
    added_at = models.DateTimeField(auto_now_add=True)
    # Made by the lab CA: its key may leave in the zip for a backend server, too.
    made_here = models.BooleanField(default=False)
    chain_form = models.CharField(max_length=16, choices=ChainForm, default=ChainForm.COMPLETE)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["owner", "store", "folder", "certificate"],
                name="certificates_once_in_a_folder",
            ),
        )

    def __str__(self) -> str:
        return self.friendly_name or str(self.certificate)


class StoredKey(models.Model):
    """The private key of a stored certificate (PKCS#8 PEM, encrypted at rest).

    It leaves by a PFX export alone, and only if it is ``exportable``.
    """

    entry = models.OneToOneField(StoredCertificate, on_delete=models.CASCADE, related_name="key")
    pem = EncryptedBinaryField()
    exportable = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"key of {self.entry_id}"


class Place(models.TextChoices):
    """Where the Export Wizard can put a file."""

    DESKTOP = "desktop", "Desktop"
    DOCUMENTS = "documents", "Documents"
    DOWNLOADS = "downloads", "Downloads"


class SavedFile(models.Model):
    """A file that was exported: public data only, as files with a private key are not kept."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    place = models.CharField(max_length=16, choices=Place)
    name = models.CharField(max_length=120)
    data = models.BinaryField()
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["owner", "place", "name"], name="certificates_file_name_once_in_a_place"
            ),
        )

    def __str__(self) -> str:
        return self.name
