"""Named certificates of a gateway: listener PFX files, v1 allow-list, v2 roots, client CAs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from certificates.models import Certificate
from certificates.secrets import EncryptedBinaryField
from gateway.models.gateways import Child
from gateway.models.guard import Row


class SslCertificate(Child):
    """A listener's certificate. Its private key is in :class:`SslCertificateKey`."""

    collection = "sslCertificates"
    noun = "listener certificate"

    key_vault_secret_id = models.CharField(max_length=400, blank=True)


class SslCertificatePart(Row):
    """One certificate of a listener's PFX, the leaf at position 0."""

    owner = models.ForeignKey(SslCertificate, on_delete=models.CASCADE, related_name="parts")
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("position",)

    def __str__(self) -> str:
        return f"part {self.position} of {self.owner_id}"


class SslCertificateKey(Row):
    """The private key of a listener's certificate (PKCS#8 PEM, encrypted at rest)."""

    owner = models.OneToOneField(SslCertificate, on_delete=models.CASCADE, related_name="key")
    pem = EncryptedBinaryField()

    def __str__(self) -> str:
        return f"key of {self.owner_id}"


class AuthenticationCertificate(Child):
    """v1: the backend's leaf, allow-listed."""

    collection = "authenticationCertificates"
    noun = "authentication certificate"

    data = models.BinaryField()
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="+")


class TrustedRootCertificate(Child):
    """v2: a root that a backend's chain may end in."""

    collection = "trustedRootCertificates"
    noun = "trusted root certificate"

    data = models.BinaryField(null=True, blank=True)
    certificate = models.ForeignKey(
        Certificate, on_delete=models.PROTECT, related_name="+", null=True
    )
    key_vault_secret_id = models.CharField(max_length=400, blank=True)


class TrustedClientCertificate(Child):
    """v2: the authority chain that client certificates must come from."""

    collection = "trustedClientCertificates"
    noun = "trusted client certificate"

    data = models.BinaryField()


class TrustedClientCertificatePart(Row):
    """One certificate of a client CA file, in file order."""

    owner = models.ForeignKey(
        TrustedClientCertificate, on_delete=models.CASCADE, related_name="parts"
    )
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ("position",)

    def __str__(self) -> str:
        return f"part {self.position} of {self.owner_id}"
