"""Request routing: rules, path maps, redirects and rewrites."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from gateway.models.backends import BackendAddressPool, BackendHttpSettings
from gateway.models.fields import between, validate_name
from gateway.models.gateways import Child
from gateway.models.guard import Row
from gateway.models.listeners import HttpListener


class RewriteRuleSet(Child):
    collection = "rewriteRuleSets"
    noun = "rewrite set"


class RewriteRule(Row):
    """One rule of a rewrite set; conditions and actions are kept in ARM's shape."""

    rule_set = models.ForeignKey(RewriteRuleSet, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=80, validators=[validate_name])
    rule_sequence = models.PositiveIntegerField(null=True, blank=True, validators=between(1, 1000))
    conditions = models.JSONField(default=list, blank=True)
    action_set = models.JSONField(default=dict, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ("position", "id")

    def __str__(self) -> str:
        return self.name


class RedirectConfiguration(Child):
    collection = "redirectConfigurations"
    noun = "redirect"

    class Type(models.TextChoices):
        PERMANENT = "Permanent", "Permanent (301)"
        FOUND = "Found", "Found (302)"
        SEE_OTHER = "SeeOther", "See other (303)"
        TEMPORARY = "Temporary", "Temporary (307)"

    redirect_type = models.CharField(max_length=9, choices=Type, default=Type.PERMANENT)
    target_listener = models.ForeignKey(
        HttpListener, on_delete=models.RESTRICT, null=True, blank=True, related_name="+"
    )
    target_url = models.CharField(max_length=2048, blank=True)
    include_path = models.BooleanField(null=True, blank=True)
    include_query_string = models.BooleanField(null=True, blank=True)


class Routed(models.Model):
    """Where a rule, a path rule or a path map's default sends requests."""

    backend_address_pool = models.ForeignKey(
        BackendAddressPool,
        verbose_name="Backend pool",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
    )
    backend_http_settings = models.ForeignKey(
        BackendHttpSettings,
        verbose_name="HTTP setting",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
    )
    redirect_configuration = models.ForeignKey(
        RedirectConfiguration,
        verbose_name="Redirect",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
    )
    rewrite_rule_set = models.ForeignKey(
        RewriteRuleSet,
        verbose_name="Rewrite set",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        abstract = True


class UrlPathMap(Child, Routed):
    """A path map; its :class:`Routed` columns are the defaults."""

    collection = "urlPathMaps"
    noun = "path map"


class PathRule(Row, Routed):
    collection: ClassVar[str] = "pathRules"
    noun: ClassVar[str] = "path rule"

    path_map = models.ForeignKey(UrlPathMap, on_delete=models.CASCADE, related_name="path_rules")
    name = models.CharField(max_length=80, validators=[validate_name])
    paths = models.JSONField(default=list)
    position = models.PositiveIntegerField(default=0)
    opaque = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ("position", "id")
        constraints: ClassVar = [
            models.UniqueConstraint("path_map", Lower("name"), name="gateway_pathrule_unique_name")
        ]

    def __str__(self) -> str:
        return self.name


class RuleType(models.TextChoices):
    BASIC = "Basic", "Basic"
    PATH_BASED = "PathBasedRouting", "Path-based"


class RequestRoutingRule(Child, Routed):
    collection = "requestRoutingRules"
    noun = "rule"

    rule_type = models.CharField(max_length=16, choices=RuleType, default=RuleType.BASIC)
    priority = models.PositiveIntegerField(
        "Priority", null=True, blank=True, validators=between(1, 20000)
    )
    http_listener = models.ForeignKey(
        HttpListener,
        verbose_name="Listener",
        on_delete=models.RESTRICT,
        null=True,
        related_name="+",
    )
    url_path_map = models.ForeignKey(
        UrlPathMap,
        verbose_name="Path map",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
    )
