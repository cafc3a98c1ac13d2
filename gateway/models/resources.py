"""Resource groups and what all resources have in common."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from gateway.accounts.models import Subscription
from gateway.models.fields import validate_group_name, validate_name
from gateway.models.guard import Row


def new_etag() -> str:
    """A fresh entity tag (a GUID, quoted as HTTP weak tag only at the doors)."""
    return str(uuid.uuid4())


class ResourceGroup(Row):
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="resource_groups"
    )
    name = models.CharField(max_length=90, validators=[validate_group_name])
    location = models.CharField(max_length=40, default="westus")
    tags = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                "subscription", Lower("name"), name="gateway_resourcegroup_unique_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def arm_id(self) -> str:
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{self.name}"


class Resource(Row):
    """A resource in a group: ARM id, location, tags, entity tag and generation."""

    arm_type: ClassVar[str]
    label: ClassVar[str]

    group = models.ForeignKey(ResourceGroup, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80, validators=[validate_name])
    location = models.CharField(max_length=40, default="westus")
    tags = models.JSONField(default=dict, blank=True)
    resource_guid = models.UUIDField(default=uuid.uuid4, editable=False)
    etag = models.CharField(max_length=40, default=new_etag, editable=False)
    generation = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        ordering = ("name", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                "group", Lower("name"), name="%(app_label)s_%(class)s_unique_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def arm_id(self) -> str:
        """The ARM id; reads ``group``, so select it together with the row."""
        return f"{self.group.arm_id}/providers/Microsoft.Network/{self.arm_type}/{self.name}"
