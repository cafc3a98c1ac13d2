"""The activity log: every operation, succeeded or failed, with what it changed."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from certificates.x509.problems import KINDS
from gateway.accounts.models import Subscription


class Activity(models.Model):
    """One operation. ``changes`` is a list of {path, before, after} and never holds a secret."""

    class Status(models.TextChoices):
        SUCCEEDED = "Succeeded"
        FAILED = "Failed"

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="+")
    resource_id = models.CharField(max_length=400)
    resource_name = models.CharField(max_length=120)
    operation = models.CharField(max_length=160)
    status = models.CharField(max_length=9, choices=Status)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    client = models.CharField(max_length=120, default="Portal")
    correlation_id = models.UUIDField(default=uuid.uuid4)
    generation = models.PositiveIntegerField(null=True)
    problems = models.JSONField(default=list)
    changes = models.JSONField(default=list)
    happened_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ("-happened_at", "-id")
        indexes: ClassVar = [
            models.Index(fields=["resource_id", "-happened_at"]),
            models.Index(fields=["user", "-happened_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.operation}: {self.status}"

    @property
    def findings(self) -> list[tuple[str, str]]:
        """The problems as pairs of id and title; one that is no longer known keeps its id."""
        return [(id, KINDS[id].title if id in KINDS else id) for id in self.problems]
