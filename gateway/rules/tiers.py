"""What goes with which tier: SKU names, instances, and the features of one generation only."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.models import LoadedGateway, Row, Sku, SslPolicyType, Tier
from gateway.models.gateways import V1_TIERS
from gateway.models.policies import NEWER_POLICIES
from gateway.problems import Problem, declare
from gateway.rules.words import about, called, texts

_TIERS = "What is Azure Application Gateway v2? article"
_SCALING = "Autoscaling and zone-redundant Application Gateway v2 article"

SKU_TIER_MISMATCH = declare(
    "sku-tier-mismatch",
    title="SKU name and tier do not belong together",
    why="The SKU name says the size, the tier the kind: Standard_Small, _Medium and _Large belong "
    "to Standard, the WAF sizes to WAF; in the other tiers both have one name.",
    remedy="Choose a SKU name of the tier.",
    source=_TIERS,
)
CAPACITY_OR_AUTOSCALE = declare(
    "capacity-or-autoscale",
    title="A fixed number of instances or autoscaling, not both",
    why="A v2 gateway has exactly one of them: a fixed instance count, or a least and a greatest "
    "one between which it scales.",
    remedy="Give the instance count, or switch autoscaling on and leave the count away.",
    source=_SCALING,
    arm_code="ApplicationGatewayV2SkuMustSpecifyEitherCapacityOrAutoscaleConfiguration",
)
CAPACITY_INVALID = declare(
    "capacity-invalid",
    title="The instance count does not fit the tier",
    why="v1 gateways have 1 to 32 instances, v2 gateways 1 to 125, the tier Basic 1 or 2.",
    remedy="Choose a count within the range; 2 is usual.",
    source="Application Gateway limits article",
)
AUTOSCALE_INVALID = declare(
    "autoscale-invalid",
    title="The limits of autoscaling do not fit",
    why="The least instance count is 0 to 100, the greatest 2 to 125, and the least is not above "
    "the greatest.",
    remedy="Correct the two counts; 0 and 10 is what the portal begins with.",
    source=_SCALING,
)
FEATURE_NOT_IN_TIER = declare(
    "feature-not-in-tier",
    title="The tier does not have this feature",
    why="The generations differ: v1 trusts backends by authentication certificates, v2 by trusted "
    "root certificates; wildcard and multiple hosts, probe ports, rewrites, SSL profiles, zones "
    "and autoscaling exist on v2 only. The tier Basic lacks some of them too.",
    remedy="Remove what the message names, or use a gateway of a tier that has it.",
    source=_TIERS,
    arm_code="ApplicationGatewayFeatureCannotBeEnabledForSelectedSku",
)
FIREWALL_NOT_IN_TIER = declare(
    "firewall-not-in-tier",
    title="The tier has no web application firewall",
    why="Only the WAF tiers inspect requests.",
    remedy="Remove the firewall configuration, or choose the tier WAF or WAF V2.",
    source=_TIERS,
    arm_code="ApplicationGatewayFirewallCannotBeEnabledForSelectedSku",
)
PRIORITY_UNUSED = declare(
    "rule-priority-unused",
    severity="warning",
    title="A v1 gateway takes its rules in their order",
    why="Priorities decide on v2 only. A v1 gateway keeps the number but goes through the rules "
    "as they are listed.",
    remedy="Arrange the rules in the order wanted; basic listeners come last.",
    source="Application Gateway multiple site hosting article",
)
VALIDATION_UNUSED = declare(
    "setting-validation-unused",
    severity="warning",
    title="The HTTPS validation switches do nothing on v1",
    why="A v1 gateway compares the backend's certificate with the uploaded authentication "
    "certificates; chain, subject name and SNI cannot be switched off or replaced.",
    remedy="Leave the switches on and the SNI name empty.",
    source="Application Gateway HTTP settings article",
)
ZONE_UNKNOWN = declare(
    "zone-unknown",
    title="There is no such availability zone",
    why="The zones of a region are numbered 1, 2 and 3.",
    remedy="Choose among 1, 2 and 3, or none.",
    source=_SCALING,
)

SKUS: dict[str, frozenset[str]] = {
    Tier.STANDARD: frozenset({Sku.STANDARD_SMALL, Sku.STANDARD_MEDIUM, Sku.STANDARD_LARGE}),
    Tier.WAF: frozenset({Sku.WAF_MEDIUM, Sku.WAF_LARGE}),
    Tier.STANDARD_V2: frozenset({Sku.STANDARD_V2}),
    Tier.WAF_V2: frozenset({Sku.WAF_V2}),
    Tier.BASIC: frozenset({Sku.BASIC}),
}
_V1 = "Standard and WAF"
_V2 = "Standard_v2, WAF_v2 and Basic"
_V2_WITHOUT_BASIC = "Standard_v2 and WAF_v2"


def most_instances(tier: str) -> int:
    if tier in V1_TIERS:
        return 32
    return 2 if tier == Tier.BASIC else 125


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    yield from _sku(loaded)
    yield from _instances(loaded)
    yield from _zones(loaded)
    yield from _firewall(loaded)
    if loaded.is_v1:
        yield from _not_on_v1(loaded)
        yield from _unused_on_v1(loaded)
    else:
        for certificate in loaded.authentication_certificates:
            yield _lacking(loaded, certificate, "authentication certificates", _V1)
    if loaded.gateway.sku_tier == Tier.BASIC:
        yield from _not_on_basic(loaded)


def _sku(loaded: LoadedGateway) -> Iterator[Problem]:
    gateway = loaded.gateway
    allowed = SKUS.get(gateway.sku_tier, frozenset())
    if gateway.sku_name not in allowed:
        yield about(
            SKU_TIER_MISMATCH,
            gateway,
            f"Gateway “{gateway.name}” has the SKU {gateway.sku_name} in the tier "
            f"{gateway.sku_tier}, which has {', '.join(sorted(allowed)) or 'none'}.",
            "sku_name",
        )


def _instances(loaded: LoadedGateway) -> Iterator[Problem]:
    gateway = loaded.gateway
    called_ = called(gateway)
    low, high = gateway.autoscale_min_capacity, gateway.autoscale_max_capacity
    scales = low is not None or high is not None
    tier = gateway.sku_tier
    if scales and (gateway.is_v1 or tier == Tier.BASIC):
        yield _lacking(loaded, gateway, "autoscaling", _V2_WITHOUT_BASIC, "autoscale_min_capacity")
    elif (gateway.capacity is None) != scales:
        how = "both" if scales else "neither"
        message = f"{called_} has {how} an instance count and autoscaling."
        if scales or not (gateway.is_v1 or tier == Tier.BASIC):
            yield about(CAPACITY_OR_AUTOSCALE, gateway, message, "capacity")
        else:
            message = f"{called_} has no instance count."
            yield about(CAPACITY_INVALID, gateway, message, "capacity")
    most = most_instances(tier)
    if gateway.capacity is not None and not 1 <= gateway.capacity <= most:
        message = (
            f"{called_} has an instance count of {gateway.capacity}; in the tier {tier} it is "
            f"1 to {most}."
        )
        yield about(CAPACITY_INVALID, gateway, message, "capacity")
    if scales:
        yield from _autoscale(loaded, low, high)


def _autoscale(loaded: LoadedGateway, low: int | None, high: int | None) -> Iterator[Problem]:
    gateway = loaded.gateway
    if low is None or not 0 <= low <= 100:
        message = f"{called(gateway)} scales from {low if low is not None else '(nothing)'}; "
        message += "the least instance count is 0 to 100."
        yield about(AUTOSCALE_INVALID, gateway, message, "autoscale_min_capacity")
    if high is not None and not 2 <= high <= 125:
        message = f"{called(gateway)} scales up to {high}; the greatest instance count is 2 to 125."
        yield about(AUTOSCALE_INVALID, gateway, message, "autoscale_max_capacity")
    if low is not None and high is not None and low > high:
        message = f"{called(gateway)} scales from {low} up to {high}; the least is the greater one."
        yield about(AUTOSCALE_INVALID, gateway, message, "autoscale_min_capacity")


def _zones(loaded: LoadedGateway) -> Iterator[Problem]:
    gateway = loaded.gateway
    zones = texts(gateway.zones)
    if zones and gateway.is_v1:
        yield _lacking(loaded, gateway, "availability zones", _V2, "zones")
    unknown = [zone for zone in zones if zone not in ("1", "2", "3")]
    if unknown or len(set(zones)) < len(zones):
        message = f"{called(gateway)} names the zones {', '.join(zones)[:60]}; there are 1, 2, 3."
        yield about(ZONE_UNKNOWN, gateway, message, "zones")


def _firewall(loaded: LoadedGateway) -> Iterator[Problem]:
    gateway = loaded.gateway
    opaque = gateway.opaque if isinstance(gateway.opaque, dict) else {}
    # As an export keeps it: beside the members of the resource, or below its properties.
    inner = opaque.get("properties")
    kept = inner if isinstance(inner, dict) else opaque
    configuration = kept.get("webApplicationFirewallConfiguration")
    enabled = isinstance(configuration, dict) and configuration.get("enabled")
    if enabled and gateway.sku_tier not in (Tier.WAF, Tier.WAF_V2):
        message = f"{called(gateway)} has a firewall configuration in the tier {gateway.sku_tier}."
        yield about(FIREWALL_NOT_IN_TIER, gateway, message, "opaque")


def _not_on_v1(loaded: LoadedGateway) -> Iterator[Problem]:
    for root in loaded.trusted_root_certificates:
        yield _lacking(loaded, root, "trusted root certificates", _V2)
    for authority in loaded.trusted_client_certificates:
        yield _lacking(loaded, authority, "trusted client certificates", _V2_WITHOUT_BASIC)
    for profile in loaded.ssl_profiles:
        yield _lacking(loaded, profile, "SSL profiles", _V2)
    for rule_set in loaded.rewrite_rule_sets:
        yield _lacking(loaded, rule_set, "rewrite sets", _V2)
    for probe in loaded.probes:
        if probe.port is not None:
            yield _lacking(loaded, probe, "probe ports", _V2, "port")
    for listener in loaded.listeners:
        if texts(listener.host_names):
            feature = "several or wildcard host names"
            yield _lacking(loaded, listener, feature, _V2, "host_names")
    for certificate in loaded.ssl_certificates:
        if certificate.key_vault_secret_id:
            feature = "certificates in a Key Vault"
            yield _lacking(loaded, certificate, feature, _V2, "key_vault_secret_id")
    gateway = loaded.gateway
    newer = gateway.ssl_policy_type == SslPolicyType.CUSTOM_V2
    if newer or gateway.ssl_policy_name in NEWER_POLICIES:
        feature = f"TLS policy {'CustomV2' if newer else gateway.ssl_policy_name}"
        field = "ssl_policy_type" if newer else "ssl_policy_name"
        yield _lacking(loaded, gateway, feature, _V2, field)


def _unused_on_v1(loaded: LoadedGateway) -> Iterator[Problem]:
    rules = loaded.rules
    if rules and all(rule.priority is not None for rule in rules):
        message = f"{called(rules[0])} has a priority; rules of a v1 gateway go by their order."
        yield about(PRIORITY_UNUSED, rules[0], message, "priority")
    for settings in loaded.http_settings:
        switches = settings.validate_cert_chain_and_expiry and settings.validate_sni
        if not switches or settings.sni_name:
            message = f"{called(settings)} changes the HTTPS validation, which v1 does not heed."
            yield about(VALIDATION_UNUSED, settings, message, "validate_sni")


def _not_on_basic(loaded: LoadedGateway) -> Iterator[Problem]:
    for authority in loaded.trusted_client_certificates:
        yield _lacking(loaded, authority, "trusted client certificates", _V2_WITHOUT_BASIC)
    for profile in loaded.ssl_profiles:
        if profile.has_client_auth:
            feature = "client authentication"
            yield _lacking(loaded, profile, feature, _V2_WITHOUT_BASIC, "has_client_auth")
    for rule_set in loaded.rewrite_rule_sets:
        for rule in loaded.rewrite_rules(rule_set):
            if isinstance(rule.action_set, dict) and rule.action_set.get("urlConfiguration"):
                yield _lacking(loaded, rule_set, "URL rewrites", _V2_WITHOUT_BASIC, "rules")
                break


def _lacking(loaded: LoadedGateway, row: Row, feature: str, tiers: str, field: str = "") -> Problem:
    tier = loaded.gateway.sku_tier
    message = f"{called(row)}: the tier {tier} has no {feature}; {tiers} have."
    return about(FEATURE_NOT_IN_TIER, row, message, field)
