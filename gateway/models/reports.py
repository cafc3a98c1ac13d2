"""Report tables: what the engines found. Engines write these and nothing else."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from gateway.models.backends import BackendAddress, BackendHttpSettings
from gateway.models.gateways import ApplicationGateway
from gateway.models.lab import LabServer


class LabEndpoint(models.Model):
    """Where a lab server really listens.

    ``port`` is the port that clients name; null stands for every other port of the server: its
    endpoint is bound but does not listen, so that a connection is refused for real.
    """

    server = models.ForeignKey(LabServer, on_delete=models.CASCADE, related_name="endpoints")
    port = models.PositiveIntegerField(null=True)
    real_host = models.GenericIPAddressField(protocol="IPv4")
    real_port = models.PositiveIntegerField()
    reported_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["server", "port"], name="gateway_labendpoint_unique_port"
            ),
            models.UniqueConstraint(
                fields=["server"],
                condition=models.Q(port__isnull=True),
                name="gateway_labendpoint_one_refusing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.real_host}:{self.real_port}"


class HealthPlan(models.Model):
    """The generation of a gateway whose pairs the prober has planned."""

    gateway = models.OneToOneField(
        ApplicationGateway, on_delete=models.CASCADE, related_name="health_plan"
    )
    generation = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.gateway_id} at {self.generation}"


class Verdict(models.Model):
    """The prober's verdict on one server through one HTTP setting.

    ``error_id`` is empty for a healthy server. ``evidence`` holds stages, timings (milliseconds),
    DNS answer, SNI sent and the presented chain. ``rechecking`` is true from a save that touches
    the pair until the next result. ``digest`` covers all that the probe depends on.
    ``remembered_address`` is the one that the target's name had last; a change of the gateway
    empties it. ``accepted_pem`` is the certificate that a probe accepted last, which traffic may be
    pinned to; it stays while later probes fail. ``requests_fail`` says that the server is healthy,
    and users' requests get a 502 from it all the same, for they ask for a name that its
    certificate does not carry. ``history`` holds what was found over time, newest
    last, as :mod:`gateway.health.history` writes and reads it.
    """

    class Status(models.TextChoices):
        UNKNOWN = "Unknown"
        HEALTHY = "Healthy"
        UNHEALTHY = "Unhealthy"

    gateway = models.ForeignKey(
        ApplicationGateway, on_delete=models.CASCADE, related_name="verdicts"
    )
    address = models.ForeignKey(BackendAddress, on_delete=models.CASCADE, related_name="+")
    settings = models.ForeignKey(BackendHttpSettings, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=9, choices=Status, default=Status.UNKNOWN)
    error_id = models.CharField(max_length=40, default="U-NEW", blank=True)
    message = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)
    history = models.JSONField(default=list)
    remembered_address = models.CharField(max_length=45, blank=True)
    accepted_pem = models.TextField(blank=True)
    requests_fail = models.BooleanField(default=False, db_default=False)
    digest = models.CharField(max_length=64, blank=True)
    rechecking = models.BooleanField(default=True)
    failures = models.PositiveIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    leased_by = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["address", "settings"], name="gateway_verdict_unique_pair"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["due_at"])]

    def __str__(self) -> str:
        return f"{self.address_id} through {self.settings_id}: {self.status}"
