"""Virtual networks, subnets, public addresses and the lab zone of a virtual network."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import validate_ipv4_address
from django.db import models
from django.db.models.functions import Lower

from gateway.models.fields import validate_domain_name, validate_name
from gateway.models.guard import Row
from gateway.models.resources import Resource


class VirtualNetwork(Resource):
    arm_type = "virtualNetworks"
    label = "Virtual network"

    address_prefixes = models.JSONField(default=list)
    dns_servers = models.JSONField(default=list, blank=True)


class Subnet(Row):
    virtual_network = models.ForeignKey(
        VirtualNetwork, on_delete=models.CASCADE, related_name="subnets"
    )
    name = models.CharField(max_length=80, validators=[validate_name])
    address_prefix = models.CharField(max_length=43)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("position", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                "virtual_network", Lower("name"), name="gateway_subnet_unique_name"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def arm_id(self) -> str:
        return f"{self.virtual_network.arm_id}/subnets/{self.name}"


class PublicIPAddress(Resource):
    """An address of the data directory's own loopback range."""

    arm_type = "publicIPAddresses"
    label = "Public IP address"

    class Sku(models.TextChoices):
        BASIC = "Basic"
        STANDARD = "Standard"

    class Allocation(models.TextChoices):
        STATIC = "Static"
        DYNAMIC = "Dynamic"

    sku = models.CharField(max_length=8, choices=Sku, default=Sku.STANDARD)
    allocation_method = models.CharField(
        max_length=7, choices=Allocation, default=Allocation.STATIC
    )
    address = models.GenericIPAddressField(protocol="IPv4", unique=True)
    domain_label = models.CharField(max_length=63, blank=True)


class ZoneRecord(Row):
    """A name of the lab zone: it resolves only inside its virtual network."""

    virtual_network = models.ForeignKey(
        VirtualNetwork, on_delete=models.CASCADE, related_name="zone_records"
    )
    name = models.CharField(max_length=253, validators=[validate_domain_name])
    address = models.CharField(max_length=45, validators=[validate_ipv4_address])

    class Meta:
        ordering = ("name", "address")
        constraints: ClassVar = [
            models.UniqueConstraint(
                "virtual_network", Lower("name"), "address", name="gateway_zonerecord_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.address}"
