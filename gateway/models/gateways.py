"""The application gateway itself and the base of its child collections."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from gateway.models.fields import between, validate_name
from gateway.models.guard import Row
from gateway.models.networks import PublicIPAddress, Subnet
from gateway.models.resources import Resource


class Sku(models.TextChoices):
    STANDARD_SMALL = "Standard_Small"
    STANDARD_MEDIUM = "Standard_Medium"
    STANDARD_LARGE = "Standard_Large"
    WAF_MEDIUM = "WAF_Medium"
    WAF_LARGE = "WAF_Large"
    STANDARD_V2 = "Standard_v2"
    WAF_V2 = "WAF_v2"
    BASIC = "Basic"


class Tier(models.TextChoices):
    STANDARD = "Standard", "Standard"
    WAF = "WAF", "WAF"
    STANDARD_V2 = "Standard_v2", "Standard V2"
    WAF_V2 = "WAF_v2", "WAF V2"
    BASIC = "Basic", "Basic"


V1_TIERS = frozenset({Tier.STANDARD, Tier.WAF})


class SslPolicyType(models.TextChoices):
    PREDEFINED = "Predefined"
    CUSTOM = "Custom"
    CUSTOM_V2 = "CustomV2"


class WithSslPolicy(models.Model):
    """The TLS policy columns of a gateway or an SSL profile; an empty type means unset."""

    ssl_policy_type = models.CharField(max_length=12, choices=SslPolicyType, blank=True)
    ssl_policy_name = models.CharField(max_length=40, blank=True)
    ssl_min_protocol_version = models.CharField(max_length=8, blank=True)
    ssl_cipher_suites = models.JSONField(default=list, blank=True)
    ssl_disabled_protocols = models.JSONField(default=list, blank=True)

    class Meta:
        abstract = True


class OperationalState(models.TextChoices):
    STOPPED = "Stopped"
    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"


class ProvisioningState(models.TextChoices):
    SUCCEEDED = "Succeeded"
    UPDATING = "Updating"
    FAILED = "Failed"
    DELETING = "Deleting"


class ApplicationGateway(Resource, WithSslPolicy):
    arm_type = "applicationGateways"
    label = "Application gateway"
    collection: ClassVar[str] = ""

    sku_name = models.CharField(max_length=16, choices=Sku, default=Sku.STANDARD_V2)
    sku_tier = models.CharField(max_length=12, choices=Tier, default=Tier.STANDARD_V2)
    capacity = models.PositiveIntegerField(null=True, blank=True)
    autoscale_min_capacity = models.PositiveIntegerField(null=True, blank=True)
    autoscale_max_capacity = models.PositiveIntegerField(null=True, blank=True)
    enable_http2 = models.BooleanField("HTTP2", default=False)
    enable_fips = models.BooleanField(default=False)
    zones = models.JSONField(default=list, blank=True)
    operational_state = models.CharField(
        max_length=8, choices=OperationalState, default=OperationalState.RUNNING
    )
    provisioning_state = models.CharField(
        max_length=9, choices=ProvisioningState, default=ProvisioningState.SUCCEEDED
    )
    # ARM members that exist but are not modelled: kept, shown as "not acted on".
    opaque = models.JSONField(default=dict, blank=True)

    @property
    def is_v1(self) -> bool:
        return self.sku_tier in V1_TIERS

    @property
    def generation_label(self) -> str:
        return "v1" if self.is_v1 else "v2"


class Child(Row):
    """One item of a child collection; names are unique in it whatever their case."""

    collection: ClassVar[str]
    noun: ClassVar[str]

    gateway = models.ForeignKey(ApplicationGateway, on_delete=models.CASCADE, related_name="+")
    name = models.CharField("Name", max_length=80, validators=[validate_name])
    position = models.PositiveIntegerField(default=0, editable=False)
    opaque = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        abstract = True
        ordering = ("position", "id")
        constraints: ClassVar = [
            models.UniqueConstraint(
                "gateway", Lower("name"), name="%(app_label)s_%(class)s_unique_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class GatewayIPConfiguration(Child):
    collection = "gatewayIPConfigurations"
    noun = "gateway IP configuration"

    subnet = models.ForeignKey(Subnet, on_delete=models.RESTRICT, related_name="+", null=True)


class FrontendIPConfiguration(Child):
    collection = "frontendIPConfigurations"
    noun = "frontend IP configuration"

    class Allocation(models.TextChoices):
        DYNAMIC = "Dynamic"
        STATIC = "Static"

    public_ip_address = models.ForeignKey(
        PublicIPAddress, on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
    )
    subnet = models.ForeignKey(
        Subnet, on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
    )
    private_ip_address = models.GenericIPAddressField(null=True, blank=True)
    private_ip_allocation_method = models.CharField(
        max_length=7, choices=Allocation, default=Allocation.DYNAMIC
    )


class FrontendPort(Child):
    collection = "frontendPorts"
    noun = "frontend port"

    port = models.PositiveIntegerField("Port", validators=between(1, 65535))

    def __str__(self) -> str:
        return f"{self.name} ({self.port})"
