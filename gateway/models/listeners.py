"""Listeners, SSL profiles and custom error pages."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from gateway.models.backends import Protocol
from gateway.models.certificates import SslCertificate, TrustedClientCertificate
from gateway.models.gateways import (
    ApplicationGateway,
    Child,
    FrontendIPConfiguration,
    FrontendPort,
    WithSslPolicy,
)
from gateway.models.guard import Row


class SslProfile(Child, WithSslPolicy):
    collection = "sslProfiles"
    noun = "SSL profile"

    class Revocation(models.TextChoices):
        NONE = "None"
        OCSP = "OCSP"

    class Mode(models.TextChoices):
        STRICT = "Strict"
        PASSTHROUGH = "Passthrough"

    has_client_auth = models.BooleanField(default=False)
    verify_client_cert_issuer_dn = models.BooleanField(default=False)
    verify_client_revocation = models.CharField(max_length=4, choices=Revocation, blank=True)
    verify_client_auth_mode = models.CharField(max_length=11, choices=Mode, blank=True)


class ProfileClientCertificate(Row):
    """A client CA file that a profile accepts, in the order given."""

    profile = models.ForeignKey(
        SslProfile, on_delete=models.CASCADE, related_name="client_certificate_links"
    )
    certificate = models.ForeignKey(
        TrustedClientCertificate, on_delete=models.RESTRICT, related_name="+"
    )
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ("position",)

    def __str__(self) -> str:
        return f"{self.profile_id} accepts {self.certificate_id}"


class HttpListener(Child):
    """A listener; with a host name it is a multi-site listener, without one a basic one."""

    collection = "httpListeners"
    noun = "listener"

    frontend_ip_configuration = models.ForeignKey(
        FrontendIPConfiguration,
        verbose_name="Frontend IP configuration",
        on_delete=models.RESTRICT,
        null=True,
        related_name="+",
    )
    frontend_port = models.ForeignKey(
        FrontendPort,
        verbose_name="Frontend port",
        on_delete=models.RESTRICT,
        null=True,
        related_name="+",
    )
    protocol = models.CharField("Protocol", max_length=5, choices=Protocol, default=Protocol.HTTP)
    host_name = models.CharField("Host name", max_length=253, blank=True)
    host_names = models.JSONField("Host names", default=list, blank=True)
    ssl_certificate = models.ForeignKey(
        SslCertificate,
        verbose_name="Certificate",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
    )
    ssl_profile = models.ForeignKey(
        SslProfile,
        verbose_name="SSL profile",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
    )
    require_server_name_indication = models.BooleanField(default=False)

    @property
    def hosts(self) -> list[str]:
        """The host names that the listener answers to; empty for a basic listener."""
        return [self.host_name] if self.host_name else list(self.host_names)

    @property
    def is_basic(self) -> bool:
        return not self.hosts


class CustomError(Row):
    """A custom error page of a gateway, or of one listener."""

    gateway = models.ForeignKey(ApplicationGateway, on_delete=models.CASCADE, related_name="+")
    listener = models.ForeignKey(
        HttpListener,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="custom_errors",
    )
    status_code = models.CharField(max_length=16)
    page_url = models.CharField(max_length=2048)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ("position", "id")

    def __str__(self) -> str:
        return f"{self.status_code} → {self.page_url}"
