"""Ready gateways for tests: rows written directly, without an operation.

Everything has a sensible default, so a test names only what it is about::

    gateway = v1_gateway()
    settings = add_settings(gateway, "mySettings", protocol="Https", port=443)
    problems = rules.check(load_gateway(gateway), now=NOW)
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from certificates.models import keep
from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue
from gateway.accounts.models import Role, RoleAssignment, Subscription, User
from gateway.models import (
    ApplicationGateway,
    AuthenticationCertificate,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    Child,
    CustomError,
    FrontendIPConfiguration,
    FrontendPort,
    GatewayIPConfiguration,
    HttpListener,
    LoadedGateway,
    PathRule,
    Probe,
    ProfileClientCertificate,
    PublicIPAddress,
    RedirectConfiguration,
    RequestRoutingRule,
    ResourceGroup,
    RewriteRule,
    RewriteRuleSet,
    Row,
    RuleType,
    SettingsAuthenticationCertificate,
    SettingsTrustedRootCertificate,
    Sku,
    SslCertificate,
    SslCertificateKey,
    SslCertificatePart,
    SslProfile,
    Subnet,
    Tier,
    TrustedClientCertificate,
    TrustedClientCertificatePart,
    TrustedRootCertificate,
    UrlPathMap,
    VirtualNetwork,
    load_gateway,
    writing,
)

# Tests pass this time; certificates made here are valid around it.
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

# The names of the objects that a classic gateway begins with.
FRONTEND_IP = "appGatewayFrontendIP"
FRONTEND_PORT = "appGatewayFrontendPort"
LISTENER = "appGatewayHttpListener"
POOL = "appGatewayBackendPool"
SETTINGS = "appGatewayBackendHttpSettings"
RULE = "rule1"
GATEWAY_IP = "appGatewayIpConfig"

ChildT = TypeVar("ChildT", bound=Child)
RowT = TypeVar("RowT", bound=Row)

_numbers = itertools.count(1)


# -- People and what surrounds a gateway -------------------------------------------------------


def make_user(username: str = "", password: str = "correct horse", **fields: Any) -> User:
    """A user who can sign in with ``password``."""
    return User.objects.create_user(
        username or f"user{next(_numbers)}", password=password, **fields
    )


def make_subscription(
    user: User | None = None, role: Role = Role.OWNER, name: str = "Test subscription"
) -> Subscription:
    """A subscription; ``user``, if given, gets ``role`` on it."""
    subscription = Subscription.objects.create(name=name)
    if user is not None:
        grant(subscription, user, role)
    return subscription


def grant(subscription: Subscription, user: User, role: Role) -> None:
    RoleAssignment.objects.create(subscription=subscription, user=user, role=role)


def make_group(
    subscription: Subscription | None = None, name: str = "myResourceGroupAG"
) -> ResourceGroup:
    with writing():
        return ResourceGroup.objects.create(
            subscription=subscription or make_subscription(), name=name
        )


def make_network(group: ResourceGroup, name: str = "myVNet") -> VirtualNetwork:
    """A virtual network 10.0.0.0/16 with the subnets myAGSubnet and myBackendSubnet."""
    with writing():
        network = VirtualNetwork.objects.create(
            group=group, name=name, address_prefixes=["10.0.0.0/16"]
        )
        Subnet.objects.create(
            virtual_network=network, name="myAGSubnet", address_prefix="10.0.0.0/24"
        )
        Subnet.objects.create(
            virtual_network=network,
            name="myBackendSubnet",
            address_prefix="10.0.1.0/24",
            position=1,
        )
    return network


def make_public_address(
    group: ResourceGroup, name: str = "myAGPublicIPAddress", **fields: Any
) -> PublicIPAddress:
    """A public IP address, each with an address of its own below 127.200.0.0/16."""
    number = next(_numbers)
    fields.setdefault("address", f"127.200.{number // 250 % 250}.{number % 250 + 1}")
    with writing():
        return PublicIPAddress.objects.create(group=group, name=name, **fields)


# -- Gateways ----------------------------------------------------------------------------------


def v2_gateway(group: ResourceGroup | None = None, **fields: Any) -> ApplicationGateway:
    """A Standard_v2 gateway with the six default objects; HTTP on port 80, rule priority 100."""
    defaults = {"sku_name": Sku.STANDARD_V2, "sku_tier": Tier.STANDARD_V2, "capacity": 2}
    return _gateway(group or make_group(), {**defaults, **fields}, priority=100)


def v1_gateway(group: ResourceGroup | None = None, **fields: Any) -> ApplicationGateway:
    """A Standard (v1) gateway with the six default objects; HTTP on port 80."""
    defaults = {"sku_name": Sku.STANDARD_MEDIUM, "sku_tier": Tier.STANDARD, "capacity": 2}
    group = group or make_group(name="myResourceGroupAG-v1")
    return _gateway(group, {**defaults, **fields}, priority=None)


def _gateway(
    group: ResourceGroup, fields: dict[str, Any], priority: int | None
) -> ApplicationGateway:
    name = fields.setdefault("name", "myAppGateway")
    network = VirtualNetwork.objects.filter(group=group).first() or make_network(group)
    address = make_public_address(group, f"{name}-address")
    with writing():
        gateway = ApplicationGateway.objects.create(group=group, **fields)
    add(gateway, GatewayIPConfiguration, GATEWAY_IP, subnet=network.subnets.first())
    add(gateway, FrontendIPConfiguration, FRONTEND_IP, public_ip_address=address)
    add(gateway, FrontendPort, FRONTEND_PORT, port=80)
    add_pool(gateway, POOL, "full-chain.contoso.test")
    add_settings(gateway, SETTINGS)
    add_listener(gateway, LISTENER, frontend_port=find(gateway, FrontendPort, FRONTEND_PORT))
    add_rule(gateway, RULE, find(gateway, HttpListener, LISTENER), priority=priority)
    return gateway


def owner_of(gateway: ApplicationGateway) -> User:
    """Somebody who may change the gateway; made at first need."""
    subscription = gateway.group.subscription
    found = User.objects.filter(
        role_assignments__subscription=subscription, role_assignments__role=Role.OWNER
    ).first()
    if found is None:
        found = make_user()
        grant(subscription, found, Role.OWNER)
    return found


def many_sites(gateway: ApplicationGateway, count: int) -> None:
    """Add ``count`` multi-site listeners on port 80, each with pool, setting and rule."""
    port = find(gateway, FrontendPort, FRONTEND_PORT)
    v1 = gateway.is_v1
    for number in range(count):
        pool = add_pool(gateway, f"pool{number}", f"server{number}.contoso.test")
        settings = add_settings(gateway, f"settings{number}")
        listener = add_listener(
            gateway,
            f"listener{number}",
            frontend_port=port,
            host_name=f"site{number}.contoso.com",
        )
        add_rule(
            gateway,
            f"site{number}",
            listener,
            pool,
            settings,
            priority=None if v1 else 1000 + number,
        )


# -- Rows --------------------------------------------------------------------------------------


def add(gateway: ApplicationGateway, model: type[ChildT], name: str, **fields: Any) -> ChildT:
    """Add a child of any collection at its end."""
    position = model._default_manager.filter(gateway=gateway).count()
    with writing():
        return model._default_manager.create(
            gateway=gateway, name=name, **{"position": position, **fields}
        )


def add_row(model: type[RowT], **fields: Any) -> RowT:
    """Add a row that is not a child (a custom error, a zone record, a lab server …)."""
    with writing():
        return model._default_manager.create(**fields)


def change(row: RowT, **fields: Any) -> RowT:
    """Set columns and save."""
    for name, value in fields.items():
        setattr(row, name, value)
    with writing():
        row.save()
    return row


def delete(row: Row) -> None:
    with writing():
        row.delete()


def find(gateway: ApplicationGateway, model: type[ChildT], name: str) -> ChildT:
    return model._default_manager.get(gateway=gateway, name=name)


def loaded(gateway: ApplicationGateway) -> LoadedGateway:
    """The gateway as an operation loads it: read anew."""
    return load_gateway(
        ApplicationGateway.objects.select_related("group__subscription").get(pk=gateway.pk)
    )


def add_pool(gateway: ApplicationGateway, name: str, *targets: str) -> BackendAddressPool:
    """A pool; a target with only digits and dots (or a colon) is an IP address."""
    pool = add(gateway, BackendAddressPool, name)
    for position, target in enumerate(targets):
        literal = ":" in target or target.replace(".", "").isdigit()
        column = {"ip_address": target} if literal else {"fqdn": target}
        add_row(BackendAddress, pool=pool, position=position, **column)
    return pool


def add_probe(gateway: ApplicationGateway, name: str, **fields: Any) -> Probe:
    if not fields.get("pick_host_name_from_settings"):
        fields.setdefault("host", "www.contoso.com")
    return add(gateway, Probe, name, **fields)


def add_settings(
    gateway: ApplicationGateway,
    name: str,
    *,
    roots: Sequence[TrustedRootCertificate] = (),
    authentication: Sequence[AuthenticationCertificate] = (),
    **fields: Any,
) -> BackendHttpSettings:
    if fields.get("protocol") == "Https":
        fields.setdefault("port", 443)
    settings = add(gateway, BackendHttpSettings, name, **fields)
    trust(settings, roots=roots, authentication=authentication)
    return settings


def trust(
    settings: BackendHttpSettings,
    *,
    roots: Sequence[TrustedRootCertificate] = (),
    authentication: Sequence[AuthenticationCertificate] = (),
) -> None:
    """Link certificates to a setting."""
    for position, root in enumerate(roots):
        add_row(
            SettingsTrustedRootCertificate, settings=settings, certificate=root, position=position
        )
    for position, one in enumerate(authentication):
        add_row(
            SettingsAuthenticationCertificate,
            settings=settings,
            certificate=one,
            position=position,
        )


def add_listener(gateway: ApplicationGateway, name: str, **fields: Any) -> HttpListener:
    """A listener on the first frontend IP; ``port=8080`` finds or makes a frontend port."""
    number = fields.pop("port", None)
    if number is not None:
        fields["frontend_port"] = FrontendPort.objects.filter(
            gateway=gateway, port=number
        ).first() or add(gateway, FrontendPort, f"port{number}", port=number)
    if "frontend_ip_configuration" not in fields:
        fields["frontend_ip_configuration"] = FrontendIPConfiguration.objects.filter(
            gateway=gateway
        ).first()
    return add(gateway, HttpListener, name, **fields)


def add_rule(
    gateway: ApplicationGateway,
    name: str,
    listener: HttpListener | None,
    pool: BackendAddressPool | None = None,
    settings: BackendHttpSettings | None = None,
    **fields: Any,
) -> RequestRoutingRule:
    """A rule; without redirect or path map it goes to the default pool and setting."""
    elsewhere = fields.get("redirect_configuration") or fields.get("url_path_map")
    if not elsewhere:
        pool = pool or BackendAddressPool.objects.filter(gateway=gateway).first()
        settings = settings or BackendHttpSettings.objects.filter(gateway=gateway).first()
    if fields.get("url_path_map"):
        fields.setdefault("rule_type", RuleType.PATH_BASED)
    if "priority" not in fields and not gateway.is_v1:
        fields["priority"] = 100 + 10 * RequestRoutingRule.objects.filter(gateway=gateway).count()
    return add(
        gateway,
        RequestRoutingRule,
        name,
        http_listener=listener,
        backend_address_pool=pool,
        backend_http_settings=settings,
        **fields,
    )


def add_path_map(
    gateway: ApplicationGateway,
    name: str,
    paths: dict[str, Sequence[str]] | None = None,
    **fields: Any,
) -> UrlPathMap:
    """A path map with default pool and setting; ``paths`` is {path rule name: paths}."""
    pool = BackendAddressPool.objects.filter(gateway=gateway).first()
    settings = BackendHttpSettings.objects.filter(gateway=gateway).first()
    if "redirect_configuration" not in fields:
        fields = {"backend_address_pool": pool, "backend_http_settings": settings, **fields}
    path_map = add(gateway, UrlPathMap, name, **fields)
    rows = {"images": ["/images/*"]} if paths is None else paths
    for position, (rule, wanted) in enumerate(rows.items()):
        add_row(
            PathRule,
            path_map=path_map,
            name=rule,
            paths=list(wanted),
            backend_address_pool=pool,
            backend_http_settings=settings,
            position=position,
        )
    return path_map


def add_redirect(gateway: ApplicationGateway, name: str, **fields: Any) -> RedirectConfiguration:
    """A redirect; to https://www.contoso.com/ unless a target is given."""
    if not fields.get("target_listener"):
        fields.setdefault("target_url", "https://www.contoso.com/")
    return add(gateway, RedirectConfiguration, name, **fields)


def add_rewrite_set(
    gateway: ApplicationGateway, name: str, *action_sets: dict[str, Any]
) -> RewriteRuleSet:
    """A rewrite set with one rule per action set (none given: one that sets a header)."""
    rule_set = add(gateway, RewriteRuleSet, name)
    header = {"headerName": "X-Seen", "headerValue": "yes"}
    for position, action_set in enumerate(
        action_sets or [{"requestHeaderConfigurations": [header]}]
    ):
        add_row(
            RewriteRule,
            rule_set=rule_set,
            name=f"rewrite{position}",
            rule_sequence=100 + position,
            action_set=action_set,
            position=position,
        )
    return rule_set


def add_custom_error(
    gateway: ApplicationGateway,
    status_code: str,
    page_url: str,
    listener: HttpListener | None = None,
) -> CustomError:
    return add_row(
        CustomError,
        gateway=gateway,
        listener=listener,
        status_code=status_code,
        page_url=page_url,
        position=CustomError.objects.filter(gateway=gateway).count(),
    )


# -- Certificates ------------------------------------------------------------------------------


@cache
def root(common_name: str = "Contoso Root CA") -> issue.Issued:
    """A private root, made once per name."""
    return issue.make_root(common_name, now=NOW)


@cache
def intermediate(common_name: str = "Contoso Issuing CA") -> issue.Issued:
    return issue.make_intermediate(root(), common_name, now=NOW)


@cache
def leaf(*names: str) -> issue.Issued:
    """A server certificate from :func:`intermediate` (default: www.contoso.com)."""
    names = names or ("www.contoso.com",)
    return issue.make_leaf(intermediate(), names[0], now=NOW, dns_names=names)


def add_ssl_certificate(
    gateway: ApplicationGateway, name: str, issued: issue.Issued | None = None
) -> SslCertificate:
    """A listener certificate with its chain and its key."""
    issued = issued or leaf()
    row = add(gateway, SslCertificate, name)
    for position, part in enumerate(keep([issued.certificate, *issued.chain])):
        add_row(SslCertificatePart, owner=row, certificate=part, position=position)
    add_row(SslCertificateKey, owner=row, pem=issue.key_pem(issued))
    return row


def add_authentication_certificate(
    gateway: ApplicationGateway, name: str, certificate: Certificate | None = None
) -> AuthenticationCertificate:
    certificate = certificate or leaf().certificate
    return add(
        gateway,
        AuthenticationCertificate,
        name,
        data=certificate.pem.encode(),
        certificate=keep([certificate])[0],
    )


def add_root(
    gateway: ApplicationGateway, name: str, certificate: Certificate | None = None
) -> TrustedRootCertificate:
    certificate = certificate or root().certificate
    return add(
        gateway,
        TrustedRootCertificate,
        name,
        data=certificate.pem.encode(),
        certificate=keep([certificate])[0],
    )


def add_client_authority(
    gateway: ApplicationGateway, name: str, *certificates: Certificate
) -> TrustedClientCertificate:
    certificates = certificates or (intermediate().certificate, root().certificate)
    row = add(gateway, TrustedClientCertificate, name, data=issue.to_pem(*certificates))
    for position, part in enumerate(keep(certificates)):
        add_row(TrustedClientCertificatePart, owner=row, certificate=part, position=position)
    return row


def add_profile(
    gateway: ApplicationGateway,
    name: str,
    *authorities: TrustedClientCertificate,
    **fields: Any,
) -> SslProfile:
    """An SSL profile; with authorities it asks for client certificates."""
    fields.setdefault("has_client_auth", bool(authorities))
    profile = add(gateway, SslProfile, name, **fields)
    for position, authority in enumerate(authorities):
        add_row(ProfileClientCertificate, profile=profile, certificate=authority, position=position)
    return profile
