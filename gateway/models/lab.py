"""Lab servers: backends that live in a virtual network and answer for real on loopback."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from certificates.models import Certificate
from certificates.secrets import EncryptedBinaryField
from gateway.models.backends import TargetKind
from gateway.models.fields import between, validate_domain_name, validate_name
from gateway.models.guard import Row
from gateway.models.networks import VirtualNetwork


class LabServer(Row):
    """A backend of the lab, as its virtual network sees it.

    ``scenario`` names what it does (see ``gateway.lab.scenarios``); ``presented`` is the PEM text
    of the certificates it sends, in order, ``presented_without_sni`` what clients get that name no
    server, where that differs (both with the same key); ``leaf`` and ``root`` are offered for
    download. ``delay`` is the time in seconds that an answer takes. The lab's process serves a row
    anew when its ``changed_at`` moves.
    """

    virtual_network = models.ForeignKey(
        VirtualNetwork, on_delete=models.CASCADE, related_name="lab_servers"
    )
    name = models.CharField(max_length=80, validators=[validate_name])
    scenario = models.CharField(max_length=40)
    kind = models.CharField(max_length=16, choices=TargetKind, default=TargetKind.ADDRESS)
    address = models.GenericIPAddressField(protocol="IPv4")
    fqdn = models.CharField(max_length=253, validators=[validate_domain_name])
    port = models.PositiveIntegerField(default=443, validators=between(1, 65535))
    presented = models.TextField(blank=True)
    presented_without_sni = models.TextField(blank=True)
    delay = models.PositiveIntegerField(default=0, validators=between(0, 300))
    leaf = models.ForeignKey(
        Certificate, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    root = models.ForeignKey(
        Certificate, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    position = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ("position", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                "virtual_network", Lower("name"), name="gateway_labserver_unique_name"
            ),
            models.UniqueConstraint(
                "virtual_network", "address", "port", name="gateway_labserver_unique_address"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LabServerKey(Row):
    """The private key of a lab server (PKCS#8 PEM, encrypted at rest)."""

    server = models.OneToOneField(LabServer, on_delete=models.CASCADE, related_name="key")
    pem = EncryptedBinaryField()

    def __str__(self) -> str:
        return f"key of {self.server_id}"
