"""Every backend of the lab by every choice of trust and host name, as rules of one gateway a tier.

Each case is a listener of its own (by host name, the ports standing for the choice of trust), so
that one engine answers for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from certificates.models import Certificate
from gateway.lab.scenarios import SCENARIOS, Scenario
from gateway.models import (
    ApplicationGateway,
    BackendAddressPool,
    BackendHttpSettings,
    FrontendIPConfiguration,
    FrontendPort,
    HttpListener,
    LabServer,
    Verdict,
)
from tests import factories as make
from tests.gateway.health.lab import move_on, network_of

# A server that says nothing must not hold the test for the usual half a minute.
PATIENCE = 2
BACKENDS: tuple[Scenario, ...] = tuple(one for one in SCENARIOS if not one.is_dns)

# Servers of the authority that the lab counts as well known.
PUBLIC = {"public", "app-service"}

# Trust of an HTTP setting → the port of the listeners that stand for it.
V2_TRUST = {"well-known": 8001, "own-root": 8002, "other-root": 8003, "unchecked": 8004}
V1_TRUST = {"own-leaf": 8001, "other-leaf": 8002, "app-service": 8003, "nothing": 8004}
PLAIN = {"plain": 8005}
# override: the setting names the server's; pick: the pool's target; own, other: the client's host,
# which is the server's name or one that no certificate has.
V2_HOSTS = ("override", "pick", "own", "other")
V1_HOSTS = ("name", "address")


@dataclass(frozen=True)
class Case:
    """One way to one backend."""

    tier: str
    scenario: str
    trust: str
    host: str
    port: int
    asked: str
    pool: str
    settings: str

    def __str__(self) -> str:
        return f"{self.tier} {self.scenario}, {self.trust}, {self.host}"


class Matrix:
    """The rows of one tier's cases."""

    def __init__(self, gateway: ApplicationGateway) -> None:
        self.gateway = gateway
        self.tier = gateway.generation_label
        self.servers: dict[str, LabServer] = {
            one.scenario: one
            for one in LabServer.objects.filter(virtual_network=network_of(gateway)).select_related(
                "leaf", "root"
            )
        }
        self.frontend = FrontendIPConfiguration.objects.get(gateway=gateway)
        self.ports = {
            number: make.add(gateway, FrontendPort, f"port{number}", port=number)
            for number in sorted({*V2_TRUST.values(), *V1_TRUST.values(), *PLAIN.values()})
        }
        self.probes = {
            protocol: make.add_probe(
                gateway,
                f"probe{protocol}",
                protocol=protocol,
                pick_host_name_from_settings=True,
                timeout=PATIENCE,
                interval=3600,
                unhealthy_threshold=1,
            )
            for protocol in ("Http", "Https")
        }
        self.count = 0
        self.uploads: dict[int, Any] = {}
        self.settings: dict[str, BackendHttpSettings] = {}
        self.pools: dict[str, BackendAddressPool] = {}
        self.cases = list(self._cases())
        move_on(gateway)

    def _cases(self) -> Iterator[Case]:
        for scenario in BACKENDS:
            trusts = V1_TRUST if self.gateway.is_v1 else V2_TRUST
            for trust, port in {**trusts, **PLAIN}.items():
                for host in V1_HOSTS if self.gateway.is_v1 else V2_HOSTS:
                    if self._is_possible(scenario, trust, host):
                        yield self._case(scenario, trust, host, port)

    @staticmethod
    def _is_possible(scenario: Scenario, trust: str, host: str) -> bool:
        """Names mean nothing without TLS, and an App Service is asked by its name."""
        if trust == "plain":
            return host in ("pick", "name")
        return not (trust == "app-service" and host == "address")

    def _case(self, scenario: Scenario, trust: str, host: str, port: int) -> Case:
        server = self.servers[scenario.id]
        pool = self._pool(server, "address" if host == "address" else "name")
        settings = self._settings(server, trust, host)
        asked = server.fqdn if host == "own" else f"{host}-{scenario.id}.cases.test"
        name = f"{scenario.id}-{trust}-{host}"
        listener = make.add(
            self.gateway,
            HttpListener,
            name,
            frontend_ip_configuration=self.frontend,
            frontend_port=self.ports[port],
            host_name=asked,
        )
        # Beyond what the rules allow, which nobody asks here: rules only need an order.
        self.count += 1
        priority = None if self.gateway.is_v1 else 1000 + self.count
        make.add_rule(self.gateway, name, listener, pool, settings, priority=priority)
        return Case(self.tier, scenario.id, trust, host, port, asked, pool.name, settings.name)

    def _pool(self, server: LabServer, by: str) -> BackendAddressPool:
        name = f"{server.scenario}-{by}"
        if name not in self.pools:
            target = server.fqdn if by == "name" else server.address
            self.pools[name] = make.add_pool(self.gateway, name, target)
        return self.pools[name]

    def _settings(self, server: LabServer, trust: str, host: str) -> BackendHttpSettings:
        shared = host in ("own", "other")
        name = f"{trust}-client" if shared else f"{trust}-{host}"
        own = trust in ("own-root", "own-leaf", "unchecked", "plain") or host == "override"
        if own or server.scenario in PUBLIC:
            name = f"{name}-{server.scenario}"
        if name not in self.settings:
            self.settings[name] = self._add_settings(name, server, trust, host)
        return self.settings[name]

    def _add_settings(
        self, name: str, server: LabServer, trust: str, host: str
    ) -> BackendHttpSettings:
        protocol = "Http" if trust == "plain" else "Https"
        fields: dict[str, Any] = {
            "protocol": protocol,
            "port": 80 if trust == "plain" else 443,
            "request_timeout": PATIENCE,
            "probe": self.probes[protocol],
        }
        if host == "override":
            fields["host_name"] = server.fqdn
        elif host == "pick" or trust == "app-service":
            fields["pick_host_name_from_backend_address"] = True
        if trust == "unchecked":
            fields["validate_cert_chain_and_expiry"] = False
        return make.add_settings(
            self.gateway,
            name,
            roots=self._roots(server, trust),
            authentication=self._leaves(server, trust),
            **fields,
        )

    def _roots(self, server: LabServer, trust: str) -> list[Any]:
        if trust == "own-root":
            return [self._upload(server.root or server.leaf)]
        if trust == "other-root":
            return [self._upload(self._other(server).root)]
        return []

    def _leaves(self, server: LabServer, trust: str) -> list[Any]:
        if trust == "own-leaf":
            return [self._upload(server.leaf)]
        if trust == "other-leaf":
            return [self._upload(self._other(server).leaf)]
        return []

    def _other(self, server: LabServer) -> LabServer:
        """A server whose certificate and root are others: one of the public authority, or not."""
        wanted = "full-chain" if server.scenario in PUBLIC else "public"
        return self.servers[wanted]

    def _upload(self, certificate: Certificate | None) -> Any:
        certificate = certificate or self.servers["full-chain"].leaf
        assert certificate is not None
        if certificate.pk not in self.uploads:
            add = make.add_authentication_certificate if self.gateway.is_v1 else make.add_root
            self.uploads[certificate.pk] = add(
                self.gateway, f"c{certificate.pk}", certificate.parsed
            )
        return self.uploads[certificate.pk]


def verdicts(gateway: ApplicationGateway) -> Mapping[tuple[str, str], Verdict]:
    """(pool, setting) → verdict."""
    rows = Verdict.objects.filter(gateway=gateway).select_related("address__pool", "settings")
    return {(one.address.pool.name, one.settings.name): one for one in rows}
