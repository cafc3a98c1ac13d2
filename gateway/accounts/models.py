"""Users, subscriptions and the roles that users have on them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models


class Theme(models.TextChoices):
    SYSTEM = "system", "Like the system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class User(AbstractUser):
    """Somebody who signs in. Superusers administer the installation."""

    is_trainer = models.BooleanField("trainer", default=False)
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    notifications_seen_at = models.DateTimeField(null=True, blank=True)


class Subscription(models.Model):
    """The scope of roles; a learner's sandbox is a subscription of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    sandbox_of = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sandbox",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "Owner"
    CONTRIBUTOR = "Contributor"
    READER = "Reader"


class RoleAssignment(models.Model):
    """A user's role on one subscription."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="role_assignments"
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="role_assignments"
    )
    role = models.CharField(max_length=16, choices=Role)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "subscription"], name="accounts_one_role_per_subscription"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.subscription_id}"


class SignInLink(models.Model):
    """A single-use link that signs a user in; only the token's SHA-256 is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"link for {self.user_id}"
