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
    """An address space with subnets.

    ``dns_servers``: IPv4 addresses that every name is asked at; none means the platform's DNS,
    which knows the zone of the network.
    """

    arm_type = "virtualNetworks"
    label = "Virtual network"

    address_prefixes = models.JSONField(default=list)
    dns_servers = models.JSONField(default=list, blank=True)


class SimulatedCause(models.TextChoices):
    """What may stand between a gateway's subnet and its backends and is only played here.

    The values are ids of health problems ("Troubleshoot backend health issues in Application
    Gateway", unknown health).
    """

    NSG = "U-NSG", "A network security group blocks the management ports"
    ROUTE = "U-UDR", "A route of the subnet sends everything elsewhere"
    BGP = "U-BGP", "A default route was learnt from on-premises"
    FIREWALL = "U-FW", "A firewall drops the probes"
    APPLIANCE = "U-NVA", "An appliance alters the probes on their way"
    REVOCATION = "U-CRL", "Revocation lists cannot be fetched"
    GATEWAY = "U-GW", "The gateway itself is not well"


class Subnet(Row):
    """A part of a network's address space; ``simulated_cause`` is empty where nothing is played."""

    virtual_network = models.ForeignKey(
        VirtualNetwork, on_delete=models.CASCADE, related_name="subnets"
    )
    name = models.CharField(max_length=80, validators=[validate_name])
    address_prefix = models.CharField(max_length=43)
    simulated_cause = models.CharField(max_length=8, choices=SimulatedCause, blank=True)
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
