"""The one loader of a whole gateway: a bounded number of queries, references stitched together.

After :func:`load_gateway` every reference between rows of the gateway (a listener's port, a rule's
pool, a setting's roots …) is the very object that stands in its collection, so rules, documents and
engines walk plain attributes and never query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import models

from gateway.models.backends import (
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    Probe,
    SettingsAuthenticationCertificate,
    SettingsTrustedRootCertificate,
)
from gateway.models.certificates import (
    AuthenticationCertificate,
    SslCertificate,
    SslCertificatePart,
    TrustedClientCertificate,
    TrustedClientCertificatePart,
    TrustedRootCertificate,
)
from gateway.models.gateways import (
    ApplicationGateway,
    Child,
    FrontendIPConfiguration,
    FrontendPort,
    GatewayIPConfiguration,
)
from gateway.models.listeners import (
    CustomError,
    HttpListener,
    ProfileClientCertificate,
    SslProfile,
)
from gateway.models.networks import Subnet, VirtualNetwork
from gateway.models.routing import (
    PathRule,
    RedirectConfiguration,
    RequestRoutingRule,
    RewriteRule,
    RewriteRuleSet,
    UrlPathMap,
)

# In the order in which they may be written: what is referred to comes before what refers.
CHILD_MODELS: tuple[type[Child], ...] = (
    GatewayIPConfiguration,
    FrontendIPConfiguration,
    FrontendPort,
    SslCertificate,
    AuthenticationCertificate,
    TrustedRootCertificate,
    TrustedClientCertificate,
    SslProfile,
    Probe,
    BackendAddressPool,
    BackendHttpSettings,
    HttpListener,
    RewriteRuleSet,
    RedirectConfiguration,
    UrlPathMap,
    RequestRoutingRule,
)

_EXTERNAL = {
    GatewayIPConfiguration: ("subnet__virtual_network__group",),
    FrontendIPConfiguration: ("public_ip_address__group", "subnet__virtual_network__group"),
    AuthenticationCertificate: ("certificate",),
    TrustedRootCertificate: ("certificate",),
}

ChildT = TypeVar("ChildT", bound=Child)


@dataclass(slots=True)
class LoadedGateway:
    """A gateway with everything that belongs to it, in stable order."""

    gateway: ApplicationGateway
    collections: dict[str, list[Any]] = field(default_factory=dict)
    custom_errors: list[CustomError] = field(default_factory=list)

    def children(self, model: type[ChildT]) -> list[ChildT]:
        return self.collections[model.collection]

    def find(self, model: type[ChildT], name: str) -> ChildT | None:
        """The child of that name, whatever its case."""
        wanted = name.lower()
        return next((row for row in self.children(model) if row.name.lower() == wanted), None)

    @property
    def is_v1(self) -> bool:
        return self.gateway.is_v1

    @property
    def gateway_ip_configurations(self) -> list[GatewayIPConfiguration]:
        return self.children(GatewayIPConfiguration)

    @property
    def frontend_ip_configurations(self) -> list[FrontendIPConfiguration]:
        return self.children(FrontendIPConfiguration)

    @property
    def frontend_ports(self) -> list[FrontendPort]:
        return self.children(FrontendPort)

    @property
    def ssl_certificates(self) -> list[SslCertificate]:
        """Each with ``loaded_parts``: its certificates, leaf first."""
        return self.children(SslCertificate)

    @property
    def authentication_certificates(self) -> list[AuthenticationCertificate]:
        return self.children(AuthenticationCertificate)

    @property
    def trusted_root_certificates(self) -> list[TrustedRootCertificate]:
        return self.children(TrustedRootCertificate)

    @property
    def trusted_client_certificates(self) -> list[TrustedClientCertificate]:
        return self.children(TrustedClientCertificate)

    @property
    def ssl_profiles(self) -> list[SslProfile]:
        return self.children(SslProfile)

    @property
    def probes(self) -> list[Probe]:
        return self.children(Probe)

    @property
    def pools(self) -> list[BackendAddressPool]:
        return self.children(BackendAddressPool)

    @property
    def http_settings(self) -> list[BackendHttpSettings]:
        return self.children(BackendHttpSettings)

    @property
    def listeners(self) -> list[HttpListener]:
        return self.children(HttpListener)

    @property
    def rewrite_rule_sets(self) -> list[RewriteRuleSet]:
        return self.children(RewriteRuleSet)

    @property
    def redirects(self) -> list[RedirectConfiguration]:
        return self.children(RedirectConfiguration)

    @property
    def path_maps(self) -> list[UrlPathMap]:
        return self.children(UrlPathMap)

    @property
    def rules(self) -> list[RequestRoutingRule]:
        return self.children(RequestRoutingRule)

    @property
    def virtual_network(self) -> VirtualNetwork | None:
        """The network that the gateway stands in: names and lab addresses are its own."""
        return self.subnet.virtual_network if self.subnet is not None else None

    @property
    def subnet(self) -> Subnet | None:
        """The subnet that the gateway's instances stand in."""
        for configuration in self.gateway_ip_configurations:
            if configuration.subnet is not None:
                return configuration.subnet
        return None

    @property
    def simulated_cause(self) -> str:
        """What is played between the gateway and all its backends (``U-FW`` …), or empty."""
        return self.subnet.simulated_cause if self.subnet is not None else ""

    def addresses(self, pool: BackendAddressPool) -> list[BackendAddress]:
        return loaded(pool, "addresses")

    def authentication_certificates_of(
        self, settings: BackendHttpSettings
    ) -> list[AuthenticationCertificate]:
        return [link.certificate for link in loaded(settings, "authentication_links")]

    def root_certificates_of(self, settings: BackendHttpSettings) -> list[TrustedRootCertificate]:
        return [link.certificate for link in loaded(settings, "root_links")]

    def client_certificates_of(self, profile: SslProfile) -> list[TrustedClientCertificate]:
        return [link.certificate for link in loaded(profile, "client_certificate_links")]

    def ssl_certificate_parts(self, certificate: SslCertificate) -> list[SslCertificatePart]:
        return loaded(certificate, "parts")

    def client_certificate_parts(
        self, certificate: TrustedClientCertificate
    ) -> list[TrustedClientCertificatePart]:
        return loaded(certificate, "parts")

    def path_rules(self, path_map: UrlPathMap) -> list[PathRule]:
        return loaded(path_map, "path_rules")

    def rewrite_rules(self, rule_set: RewriteRuleSet) -> list[RewriteRule]:
        return loaded(rule_set, "rules")

    def custom_errors_of(self, listener: HttpListener | None) -> list[CustomError]:
        """Custom error pages of a listener, or of the gateway for ``None``."""
        wanted = listener.pk if listener else None
        return [one for one in self.custom_errors if one.listener_id == wanted]


def loaded(row: models.Model, related_name: str) -> list[Any]:
    """The rows that :func:`load_gateway` fetched for a reverse relation."""
    cache: dict[str, Any] = getattr(row, "_prefetched_objects_cache", {})
    return list(cache[related_name])


def load_gateway(gateway: ApplicationGateway) -> LoadedGateway:
    """Load everything of a gateway (at most 30 queries, whatever its size)."""
    result = LoadedGateway(gateway)
    by_model: dict[type[models.Model], dict[Any, models.Model]] = {}
    for model in CHILD_MODELS:
        query = model._default_manager.filter(gateway=gateway)
        rows = list(_with(query, _EXTERNAL.get(model, ())))
        result.collections[model.collection] = rows
        by_model[model] = {row.pk: row for row in rows}
    result.custom_errors = list(CustomError.objects.filter(gateway=gateway))
    for rows in result.collections.values():
        _stitch(rows, by_model, gateway)
    _attach(result.pools, BackendAddress, "pool", "addresses", by_model)
    _attach(
        result.http_settings,
        SettingsAuthenticationCertificate,
        "settings",
        "authentication_links",
        by_model,
    )
    _attach(
        result.http_settings, SettingsTrustedRootCertificate, "settings", "root_links", by_model
    )
    _attach(
        result.ssl_profiles,
        ProfileClientCertificate,
        "profile",
        "client_certificate_links",
        by_model,
    )
    _attach(result.ssl_certificates, SslCertificatePart, "owner", "parts", by_model, "certificate")
    _attach(
        result.trusted_client_certificates,
        TrustedClientCertificatePart,
        "owner",
        "parts",
        by_model,
        "certificate",
    )
    _attach(result.path_maps, PathRule, "path_map", "path_rules", by_model)
    _attach(result.rewrite_rule_sets, RewriteRule, "rule_set", "rules", by_model)
    return result


def _with(query: models.QuerySet[Any], relations: Sequence[str]) -> models.QuerySet[Any]:
    """The query with related rows; of no names Django would follow every relation it knows."""
    return query.select_related(*relations) if relations else query


def _stitch(
    rows: Sequence[models.Model],
    by_model: dict[type[models.Model], dict[Any, models.Model]],
    gateway: ApplicationGateway | None = None,
) -> None:
    """Point the foreign keys of ``rows``, all of one model, at the loaded objects."""
    first = next(iter(rows), None)
    if first is None:
        return
    for column in first._meta.concrete_fields:
        if not isinstance(column, models.ForeignKey):
            continue
        if gateway is not None and column.name == "gateway":
            for row in rows:
                column.set_cached_value(row, gateway)
            continue
        known = by_model.get(column.related_model, {})
        for row in rows:
            found = known.get(getattr(row, column.attname))
            if found is not None:
                column.set_cached_value(row, found)


def _attach(
    owners: Sequence[models.Model],
    model: type[models.Model],
    owner_field: str,
    related_name: str,
    by_model: dict[type[models.Model], dict[Any, models.Model]],
    *select: str,
) -> None:
    """Fetch the rows of ``model`` that belong to ``owners`` and file them under them."""
    filed: dict[Any, list[models.Model]] = {owner.pk: [] for owner in owners}
    if owners:
        query = model._default_manager.filter(**{f"{owner_field}__in": list(filed)})
        rows = list(_with(query, select))
        _stitch(rows, by_model)
        for row in rows:
            filed[getattr(row, f"{owner_field}_id")].append(row)
    for owner in owners:
        cache = owner.__dict__.setdefault("_prefetched_objects_cache", {})
        cache[related_name] = filed[owner.pk]
