"""The data plane's rows: where gateways are published, which agents carry them, what they report.

Published ports belong to their gateway and change with it, in an operation. Everything else here is
a report table or the register of agents; the agents' door and the installation write those.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from gateway.models.gateways import ApplicationGateway, FrontendIPConfiguration
from gateway.models.guard import Row

LOWEST_UNPRIVILEGED = 1024


class Installation(models.Model):
    """What the machine was found to allow when the portal was started; one row at most.

    ``lowest_port`` is the lowest port that gateways may be published at; ``taken_ports`` are those
    that the portal has on every address of the machine.
    """

    lowest_port = models.PositiveIntegerField(default=LOWEST_UNPRIVILEGED)
    taken_ports = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"ports from {self.lowest_port}"


class PublishedPort(Row):
    """Where a port of a frontend is really open: ``host`` and ``number``; ``port`` was asked."""

    frontend = models.ForeignKey(
        FrontendIPConfiguration, on_delete=models.CASCADE, related_name="published_ports"
    )
    host = models.GenericIPAddressField(protocol="IPv4")
    port = models.PositiveIntegerField()
    number = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ("frontend", "port")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["host", "number"], name="gateway_publishedport_unique_place"
            ),
            models.UniqueConstraint(
                fields=["frontend", "port"], name="gateway_publishedport_unique_port"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.number}"


class Agent(models.Model):
    """One machine that carries traffic; ``engine`` is the version of its proxy, empty if none.

    ``credential_hash`` is the SHA-256 of a random credential (64 hexadecimal digits).
    ``everything`` assigns all gateways, else ``assigned`` does. ``last_report`` names the report
    that was taken in last, so that one sent twice is not counted twice.
    """

    name = models.CharField(max_length=80, unique=True)
    credential_hash = models.CharField(max_length=64, unique=True)
    enrolled_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    engine = models.CharField(max_length=80, blank=True)
    everything = models.BooleanField(default=False)
    assigned = models.ManyToManyField(ApplicationGateway, blank=True, related_name="agents")
    last_report = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return self.name


class EnrolmentToken(models.Model):
    """Lets one agent enrol, once; holds what that agent will be called and carry."""

    token_hash = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=80)
    everything = models.BooleanField(default=False)
    assigned = models.ManyToManyField(ApplicationGateway, blank=True, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"for {self.name}"


class AgentState(models.Model):
    """What an agent made of a gateway: the configuration it took or refused last.

    ``generation`` and ``digest`` name that configuration; ``accepted`` is null while it is being
    taken in. ``reason`` says in our words what was refused. ``endpoints`` is what the proxy thinks
    of the servers behind it: a list of {cluster, address, healthy, requests, errors}.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="states")
    gateway = models.ForeignKey(
        ApplicationGateway, on_delete=models.CASCADE, related_name="agent_states"
    )
    generation = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    accepted = models.BooleanField(null=True)
    reason = models.TextField(blank=True)
    endpoints = models.JSONField(default=list, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agent", "gateway"], name="gateway_agentstate_unique_gateway"
            )
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} carries {self.gateway_id} at {self.generation}"


class ListenerState(models.Model):
    """What an agent's proxy made of one listener."""

    class State(models.TextChoices):
        LIVE = "live"
        REFUSED = "refused"
        WARMING = "warming"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="listener_states")
    gateway = models.ForeignKey(
        ApplicationGateway, on_delete=models.CASCADE, related_name="listener_states"
    )
    listener = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=State)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ("gateway", "listener")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agent", "gateway", "listener"], name="gateway_listenerstate_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.listener}: {self.state}"


class TrafficMinute(models.Model):
    """Requests of a gateway in the minute that begins at ``minute``, by class of status."""

    gateway = models.ForeignKey(
        ApplicationGateway, on_delete=models.CASCADE, related_name="traffic_minutes"
    )
    minute = models.DateTimeField()
    requests = models.PositiveBigIntegerField(default=0)
    s2xx = models.PositiveBigIntegerField(default=0)
    s3xx = models.PositiveBigIntegerField(default=0)
    s4xx = models.PositiveBigIntegerField(default=0)
    s5xx = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ("gateway", "minute")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["gateway", "minute"], name="gateway_trafficminute_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.requests} at {self.minute:%H:%M}"


class AccessLogLine(models.Model):
    """One request of a gateway, as its access log tells it; the newest 1,000 are kept."""

    gateway = models.ForeignKey(
        ApplicationGateway, on_delete=models.CASCADE, related_name="access_log"
    )
    at = models.DateTimeField()
    line = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ("-id",)
        indexes: ClassVar = [models.Index(fields=["gateway", "-id"])]

    def __str__(self) -> str:
        return f"{self.gateway_id} at {self.at:%H:%M:%S}"


class ErrorPage(models.Model):
    """A custom error page of a gateway as it was fetched for one of its generations.

    ``url_sha256`` (64 hexadecimal digits) names its address, ``html`` is empty until it could be
    fetched once; ``fault`` says why the last attempt failed, as the end of a sentence.
    """

    gateway = models.ForeignKey(
        ApplicationGateway, on_delete=models.CASCADE, related_name="error_pages"
    )
    url_sha256 = models.CharField(max_length=64)
    generation = models.PositiveIntegerField(default=0)
    html = models.TextField(blank=True)
    fault = models.CharField(max_length=400, blank=True)
    tried_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["gateway", "url_sha256"], name="gateway_errorpage_unique_address"
            )
        ]

    def __str__(self) -> str:
        return self.url_sha256
