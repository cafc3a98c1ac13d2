"""Certificates, each stored once, and the authorities and files that belong to users."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from django.conf import settings
from django.db import models

from certificates.secrets import EncryptedBinaryField
from certificates.x509 import certificate as x509


class Certificate(models.Model):
    """A public certificate, stored once by its SHA-256."""

    sha256 = models.CharField(max_length=64, unique=True)
    der = models.BinaryField()
    subject = models.CharField(max_length=400)
    not_after = models.DateTimeField()

    def __str__(self) -> str:
        return self.subject

    @cached_property
    def parsed(self) -> x509.Certificate:
        """The certificate with its derived facts."""
        return x509.Certificate.from_der(bytes(self.der))


def keep(certificates: Iterable[x509.Certificate]) -> list[Certificate]:
    """Rows for the given certificates, in order; new ones are stored, known ones found."""
    wanted = list(certificates)
    rows = {
        row.sha256: row
        for row in Certificate.objects.filter(sha256__in=[one.sha256 for one in wanted])
    }
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
