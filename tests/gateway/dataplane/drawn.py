"""Gateways drawn at random, whole and broken alike, without a database."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies

from certificates.models import Certificate as StoredCertificate
from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue
from gateway.dataplane.inputs import Inputs, Member
from gateway.models import (
    ApplicationGateway,
    AuthenticationCertificate,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    FrontendIPConfiguration,
    FrontendPort,
    HttpListener,
    LoadedGateway,
    PathRule,
    ProfileClientCertificate,
    RedirectConfiguration,
    RequestRoutingRule,
    RewriteRule,
    RewriteRuleSet,
    SettingsAuthenticationCertificate,
    SettingsTrustedRootCertificate,
    SslCertificate,
    SslCertificatePart,
    SslProfile,
    TrustedClientCertificate,
    TrustedClientCertificatePart,
    TrustedRootCertificate,
    UrlPathMap,
)
from gateway.models.loading import CHILD_MODELS
from gateway.models.policies import CIPHER_SUITES, PREDEFINED
from tests.gateway.dataplane.sites import TODAY, bare_leaf, intermediate, leaf, root

NAMES = ("www.contoso.com", "*.contoso.com", "a.contoso.com", "w?w.contoso.com", "*x*.com")
HEADERS = ("X-Client", "X-Forwarded-For", "Host", "X-Other", "Location")
VALUES = (
    "",
    "fixed",
    "100%",
    "{var_client_certificate}",
    "{var_client_certificate_issuer} of {http_req_X-Client}",
    "{http_req_X-Client_1}",
    "{var_uri_path_1}{var_nothing}",
)
VARIABLES = ("var_uri_path", "http_req_X-Client", "var_client_certificate", "http_resp_Location")
GOOD = ("^/(.*)$", "a|b", "CN=(\\w+)")
PATTERNS = ("(?!x)", "[", "x{2000}")
POLICIES = ("", "", "Predefined", "Predefined", "Custom", "CustomV2")


@cache
def small() -> issue.Issued:
    return issue.make_self_signed("small", now=TODAY, ca=False, key="rsa1024")


@cache
def certificates() -> tuple[Certificate, ...]:
    return (
        root().certificate,
        intermediate().certificate,
        leaf("www.contoso.com").certificate,
        bare_leaf("www.contoso.com").certificate,
        issue.make_leaf(root(), "client", now=TODAY, purposes=("client",)).certificate,
    )


def stored(certificate: Certificate) -> StoredCertificate:
    return StoredCertificate(sha256=certificate.sha256, der=certificate.der)


def with_rows(owner: Any, name: str, rows: Sequence[Any]) -> None:
    """File rows under their owner, as the loader does."""
    owner.__dict__.setdefault("_prefetched_objects_cache", {})[name] = list(rows)


class Drawing:
    """One gateway being drawn."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = itertools.count(1)
        v1 = self.one(True, False, False)
        self.gateway = ApplicationGateway(
            pk=7,
            name="drawn",
            sku_tier="Standard" if v1 else "Standard_v2",
            enable_http2=self.is_so(),
            operational_state=self.one("Running", "Running", "Running", "Stopped"),
            **self.policy(),
        )
        self.rows: dict[type[Any], list[Any]] = {model: [] for model in CHILD_MODELS}
        self.keys: dict[int, bytes] = {}

    def one(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def some(self, choices: Sequence[Any], most: int = 3) -> list[Any]:
        return self.random.choices(choices, k=self.random.randint(0, most)) if choices else []

    def maybe(self, choices: Sequence[Any], likely: float = 0.9) -> Any:
        return self.one(*choices) if choices and self.random.random() < likely else None

    def is_so(self) -> bool:
        return self.one(True, False)

    def policy(self) -> dict[str, Any]:
        return {
            "ssl_policy_type": self.one(*POLICIES),
            "ssl_policy_name": self.one(*PREDEFINED),
            "ssl_min_protocol_version": self.one("", "TLSv1_0", "TLSv1_2", "TLSv1_3"),
            "ssl_cipher_suites": self.some(CIPHER_SUITES),
        }

    def add(self, model: type[Any], **fields: Any) -> Any:
        number = next(self.number)
        row = model(pk=number, gateway=self.gateway, name=f"{model.noun[:3]}{number}", **fields)
        self.rows[model].append(row)
        return row

    def all(self) -> None:
        for _ in range(self.one(1, 2)):
            self.add(FrontendIPConfiguration)
        for port in (80, 443):
            self.add(FrontendPort, port=port)
        for issued in (leaf("www.contoso.com"), leaf("*.contoso.com"), leaf("x"), small()):
            row = self.add(SslCertificate)
            parts = [SslCertificatePart(owner=row, certificate=stored(issued.certificate))]
            with_rows(row, "parts", parts if self.one(True, True, True, False) else [])
            if self.one(True, True, True, False):
                self.keys[row.pk] = issue.key_pem(issued)
        for certificate in certificates():
            self.add(AuthenticationCertificate, certificate=stored(certificate))
            self.add(TrustedRootCertificate, certificate=stored(certificate))
        self.add(TrustedRootCertificate, certificate=None)
        for _ in range(2):
            file = self.add(TrustedClientCertificate)
            parts = [
                TrustedClientCertificatePart(owner=file, certificate=stored(one))
                for one in self.some(certificates())
            ]
            with_rows(file, "parts", parts)
        for _ in range(self.one(1, 2)):
            self.profile()
        for _ in range(self.one(1, 2)):
            pool = self.add(BackendAddressPool)
            targets = self.some(("www.contoso.com", "b.contoso.com", "10.0.1.4"))
            with_rows(pool, "addresses", [self.address(pool, target) for target in targets])
        for _ in range(self.one(1, 2)):
            self.settings()
        for _ in range(self.one(2, 3, 4)):
            self.listener()
        for _ in range(self.one(1, 2)):
            self.rewrite_set()
        for _ in range(self.one(0, 1)):
            self.redirect()
        for _ in range(self.one(0, 1)):
            self.path_map()
        for listener in self.rows[HttpListener]:
            self.add(
                RequestRoutingRule,
                http_listener=listener,
                priority=self.one(1, 5, 9),
                rule_type=self.one("Basic", "PathBasedRouting"),
                url_path_map=self.maybe(self.rows[UrlPathMap]),
                **self.target(),
            )

    def address(self, pool: Any, target: str) -> BackendAddress:
        literal = target[0].isdigit()
        column = {"ip_address" if literal else "fqdn": target}
        return BackendAddress(pk=next(self.number), pool=pool, **column)

    def profile(self) -> None:
        profile = self.add(
            SslProfile,
            verify_client_cert_issuer_dn=self.is_so(),
            verify_client_auth_mode=self.one("", "Strict", "Passthrough"),
            verify_client_revocation=self.one("", "OCSP"),
            **self.policy(),
        )
        files = self.some(self.rows[TrustedClientCertificate], 2)
        links = [ProfileClientCertificate(profile=profile, certificate=file) for file in files]
        with_rows(profile, "client_certificate_links", links)

    def settings(self) -> None:
        settings = self.add(
            BackendHttpSettings,
            protocol=self.one("Http", "Https", "Https"),
            cookie_based_affinity=self.one("Enabled", "Disabled"),
            path=self.one("", "/override/", "/o"),
            request_timeout=self.one(1, 20, 86400),
            host_name=self.one("", "", "www.contoso.com", "10.0.0.4"),
            pick_host_name_from_backend_address=self.is_so(),
            validate_cert_chain_and_expiry=self.one(True, True, False),
            validate_sni=self.one(True, True, False),
            sni_name=self.one("", "", "a.contoso.com"),
        )
        roots = self.some(self.rows[TrustedRootCertificate])
        listed = self.some(self.rows[AuthenticationCertificate])
        with_rows(
            settings,
            "root_links",
            [SettingsTrustedRootCertificate(settings=settings, certificate=one) for one in roots],
        )
        with_rows(
            settings,
            "authentication_links",
            [
                SettingsAuthenticationCertificate(settings=settings, certificate=one)
                for one in listed
            ],
        )

    def listener(self) -> None:
        self.add(
            HttpListener,
            protocol=self.one("Http", "Https", "Https"),
            frontend_ip_configuration=self.maybe(self.rows[FrontendIPConfiguration]),
            frontend_port=self.maybe(self.rows[FrontendPort]),
            host_names=self.some(NAMES),
            ssl_certificate=self.maybe(self.rows[SslCertificate]),
            ssl_profile=self.maybe(self.rows[SslProfile], 0.6),
            require_server_name_indication=self.is_so(),
        )

    def rewrite_set(self) -> None:
        rule_set = self.add(RewriteRuleSet)
        rules = []
        for _ in range(self.one(0, 1, 2)):
            conditions = [
                {
                    "variable": self.one(*VARIABLES, "var_nothing"),
                    "pattern": self.one(*PATTERNS, *GOOD, *GOOD),
                    "negate": self.is_so(),
                    "ignoreCase": self.is_so(),
                }
                for _ in range(self.one(0, 1, 2))
            ]
            url = {"modifiedPath": self.one(*VALUES), "reroute": self.is_so()}
            actions = {
                "requestHeaderConfigurations": self.headers(),
                "responseHeaderConfigurations": self.headers(),
                "urlConfiguration": self.one(None, url),
            }
            rule = RewriteRule(
                name="rule", rule_set=rule_set, conditions=conditions, action_set=actions
            )
            rules.append(rule)
        with_rows(rule_set, "rules", rules)

    def headers(self) -> list[dict[str, str]]:
        return [
            {"headerName": self.one(*HEADERS), "headerValue": self.one(*VALUES)}
            for _ in range(self.one(0, 1, 2))
        ]

    def redirect(self) -> None:
        listener = self.maybe(self.rows[HttpListener])
        self.add(
            RedirectConfiguration,
            target_listener=listener,
            target_url="" if listener else "https://example.com/x",
            include_path=self.one(None, True, False),
            include_query_string=self.one(None, True, False),
        )

    def path_map(self) -> None:
        path_map = self.add(UrlPathMap, **self.target())
        rules = [
            PathRule(path_map=path_map, name=f"p{number}", paths=["/a/*", "/b"], **self.target())
            for number in range(self.one(0, 1, 2))
        ]
        with_rows(path_map, "path_rules", rules)

    def target(self) -> dict[str, Any]:
        return {
            "backend_address_pool": self.maybe(self.rows[BackendAddressPool]),
            "backend_http_settings": self.maybe(self.rows[BackendHttpSettings]),
            "redirect_configuration": self.maybe(self.rows[RedirectConfiguration], 0.2),
            "rewrite_rule_set": self.maybe(self.rows[RewriteRuleSet], 0.7),
        }

    def inputs(self) -> Inputs:
        loaded = LoadedGateway(
            self.gateway,
            {model.collection: rows for model, rows in self.rows.items()},
        )
        members = {}
        for pool in self.rows[BackendAddressPool]:
            for address in loaded.addresses(pool):
                for settings in self.rows[BackendHttpSettings]:
                    if self.one(True, True, True, False):
                        members[address.pk, settings.pk] = Member(
                            self.one("healthy", "healthy", "healthy", "unhealthy", "unknown"),
                            self.one(*[(("127.0.0.1", 20001),)] * 4, (), None),
                            self.one(None, *certificates()),
                        )
        ports = {
            (frontend.pk, port.port): ("127.0.0.1", 10000 + frontend.pk * 1000 + port.port)
            for frontend in self.rows[FrontendIPConfiguration]
            for port in self.rows[FrontendPort]
            if self.one(True, True, True, True, False)
        }
        pages = {("", 502): "<p>mine</p>"} if self.is_so() else {}
        store = self.one(b"", root().certificate.pem.encode())
        return Inputs(loaded, ports, members, store, pages, self.keys)


def drawn(seed: int) -> Inputs:
    """The gateway of a number: always the same one."""
    drawing = Drawing(seed)
    drawing.all()
    return drawing.inputs()


def drawn_inputs() -> strategies.SearchStrategy[Inputs]:
    return strategies.integers(0, 2**32).map(drawn)
