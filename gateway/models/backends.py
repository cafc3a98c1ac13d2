"""Backend pools, HTTP settings and health probes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from gateway.models.certificates import AuthenticationCertificate, TrustedRootCertificate
from gateway.models.fields import (
    between,
    validate_domain_name,
    validate_host_name,
    validate_path,
)
from gateway.models.gateways import Child
from gateway.models.guard import Row


class Protocol(models.TextChoices):
    HTTP = "Http", "HTTP"
    HTTPS = "Https", "HTTPS"


class BackendAddressPool(Child):
    collection = "backendAddressPools"
    noun = "backend pool"


class TargetKind(models.TextChoices):
    ADDRESS = "address", "IP address or FQDN"
    VIRTUAL_MACHINE = "virtual_machine", "Virtual machine"
    SCALE_SET = "scale_set", "VMSS"
    APP_SERVICE = "app_service", "App Services"


class BackendAddress(Row):
    """One target of a pool: exactly one of ``fqdn`` and ``ip_address`` is set."""

    pool = models.ForeignKey(BackendAddressPool, on_delete=models.CASCADE, related_name="addresses")
    kind = models.CharField(max_length=16, choices=TargetKind, default=TargetKind.ADDRESS)
    fqdn = models.CharField(max_length=253, blank=True, validators=[validate_domain_name])
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ("position", "id")

    def __str__(self) -> str:
        return self.target

    @property
    def target(self) -> str:
        return self.fqdn or str(self.ip_address or "")


class Probe(Child):
    """A custom health probe."""

    collection = "probes"
    noun = "health probe"

    protocol = models.CharField("Protocol", max_length=5, choices=Protocol, default=Protocol.HTTP)
    host = models.CharField("Host", max_length=253, blank=True, validators=[validate_host_name])
    pick_host_name_from_settings = models.BooleanField(
        "Pick host name from backend HTTP settings", default=False
    )
    port = models.PositiveIntegerField("Port", null=True, blank=True, validators=between(1, 65535))
    path = models.CharField("Path", max_length=2048, default="/", validators=[validate_path])
    interval = models.PositiveIntegerField(
        "Interval (seconds)", default=30, validators=between(1, 86400, "seconds")
    )
    timeout = models.PositiveIntegerField(
        "Timeout (seconds)", default=30, validators=between(1, 86400, "seconds")
    )
    unhealthy_threshold = models.PositiveIntegerField(
        "Unhealthy threshold", default=3, validators=between(1, 20)
    )
    min_servers = models.PositiveIntegerField("Minimum healthy servers", default=0)
    match_body = models.CharField("HTTP response body match", max_length=4090, blank=True)
    match_status_codes = models.JSONField(
        "HTTP response status code match", default=list, blank=True
    )


class Affinity(models.TextChoices):
    DISABLED = "Disabled"
    ENABLED = "Enabled"


class BackendHttpSettings(Child):
    collection = "backendHttpSettingsCollection"
    noun = "HTTP setting"

    cookie_based_affinity = models.CharField(
        "Cookie based affinity", max_length=8, choices=Affinity, default=Affinity.DISABLED
    )
    affinity_cookie_name = models.CharField("Affinity cookie name", max_length=80, blank=True)
    connection_draining_enabled = models.BooleanField("Connection draining", default=False)
    drain_timeout = models.PositiveIntegerField(
        "Drain timeout (seconds)", default=1, validators=between(1, 3600, "seconds")
    )
    protocol = models.CharField("Protocol", max_length=5, choices=Protocol, default=Protocol.HTTP)
    port = models.PositiveIntegerField("Port", default=80, validators=between(1, 65535))
    path = models.CharField(
        "Override backend path", max_length=2048, blank=True, validators=[validate_path]
    )
    request_timeout = models.PositiveIntegerField(
        "Request timeout (seconds)", default=30, validators=between(1, 86400, "seconds")
    )
    probe = models.ForeignKey(
        Probe,
        verbose_name="Custom probe",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
    )
    host_name = models.CharField(
        "Host name", max_length=253, blank=True, validators=[validate_host_name]
    )
    pick_host_name_from_backend_address = models.BooleanField(
        "Pick host name from backend address", default=False
    )
    probe_enabled = models.BooleanField(default=False)
    dedicated_backend_connection = models.BooleanField(default=False)
    validate_cert_chain_and_expiry = models.BooleanField(
        "Validate certificate chain and expiry", default=True
    )
    validate_sni = models.BooleanField("Validate subject name against SNI", default=True)
    sni_name = models.CharField(
        "SNI name", max_length=253, blank=True, validators=[validate_domain_name]
    )


class SettingsAuthenticationCertificate(Row):
    """An authentication certificate that a v1 setting trusts, in the order given."""

    settings = models.ForeignKey(
        BackendHttpSettings, on_delete=models.CASCADE, related_name="authentication_links"
    )
    certificate = models.ForeignKey(
        AuthenticationCertificate, on_delete=models.RESTRICT, related_name="+"
    )
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ("position",)

    def __str__(self) -> str:
        return f"{self.settings_id} trusts {self.certificate_id}"


class SettingsTrustedRootCertificate(Row):
    """A root that a v2 setting trusts, in the order given."""

    settings = models.ForeignKey(
        BackendHttpSettings, on_delete=models.CASCADE, related_name="root_links"
    )
    certificate = models.ForeignKey(
        TrustedRootCertificate, on_delete=models.RESTRICT, related_name="+"
    )
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ("position",)

    def __str__(self) -> str:
        return f"{self.settings_id} trusts {self.certificate_id}"
