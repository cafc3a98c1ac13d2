"""Gateways in rows with real backends, compiled as they stand, and clients for them."""

from __future__ import annotations

import http.client
import socket
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue
from gateway.dataplane.compile import Compiled, compile_gateway
from gateway.dataplane.forbidden import Forbidden, forbidden_now
from gateway.dataplane.inputs import Inputs, Member, PairKey
from gateway.models import ApplicationGateway, BackendAddress, BackendHttpSettings
from gateway.rules.joins import pairs
from tests import factories as make
from tests.free_ports import free_ports

# Certificates that an engine judges by its own clock.
TODAY = datetime.now(UTC)


@cache
def root(name: str = "Engine Root") -> issue.Issued:
    return issue.make_root(name, now=TODAY)


@cache
def intermediate(name: str = "Engine Issuing") -> issue.Issued:
    return issue.make_intermediate(root(), name, now=TODAY)


@cache
def leaf(*names: str) -> issue.Issued:
    """A server's certificate below :func:`intermediate`, with its names as alternative names."""
    return issue.make_leaf(intermediate(), names[0], now=TODAY, dns_names=names)


@cache
def bare_leaf(name: str) -> issue.Issued:
    """One with a common name and no alternative name."""
    return issue.make_leaf(intermediate(), name, now=TODAY)


@dataclass
class Traffic:
    """What the compiler is told beside the rows: ports and members."""

    gateway: ApplicationGateway
    ports: dict[tuple[int, int], tuple[str, int]] = field(default_factory=dict)
    members: dict[PairKey, Member] = field(default_factory=dict)
    error_pages: dict[tuple[str, int], str] = field(default_factory=dict)
    well_known: tuple[Certificate, ...] = ()
    forbidden: tuple[Forbidden, ...] = field(default_factory=forbidden_now)
    unpublished: set[int] = field(default_factory=set)

    def inputs(self) -> Inputs:
        from gateway.models import SslCertificateKey

        loaded = make.loaded(self.gateway)
        for listener in loaded.listeners:
            frontend, port = listener.frontend_ip_configuration_id, listener.frontend_port
            if not frontend or not port or port.port in self.unpublished:
                continue
            if (frontend, port.port) not in self.ports:
                self.ports[frontend, port.port] = ("127.0.0.1", free_ports(1)[0])
        keys = SslCertificateKey.objects.filter(owner__gateway=self.gateway)
        return Inputs(
            loaded=loaded,
            ports=self.ports,
            members=self.members,
            well_known_pem="".join(one.pem for one in self.well_known).encode(),
            error_pages=self.error_pages,
            keys={key.owner_id: bytes(key.pem) for key in keys},
            forbidden=self.forbidden,
        )

    def compile(self) -> Compiled:
        return compile_gateway(self.inputs())

    def port(self, number: int = 443) -> int:
        """The real port of the gateway's port."""
        return next(real for (_, asked), (_, real) in self.ports.items() if asked == number)

    def member(
        self,
        settings: BackendHttpSettings,
        address: BackendAddress,
        port: int,
        leaf: Certificate | None = None,
        status: Any = "healthy",
    ) -> None:
        """A member that is answered for at a real port."""
        self.members[address.pk, settings.pk] = Member(status, (("127.0.0.1", port),), leaf)

    def everyone(self, port: int, leaf: Certificate | None = None) -> None:
        """Every member of every pair is the same healthy server."""
        for pool, settings in pairs(make.loaded(self.gateway)):
            for address in BackendAddress.objects.filter(pool=pool):
                self.member(settings, address, port, leaf)


def healthy_at(member: Member, port: int) -> Member:
    return replace(member, addresses=(("127.0.0.1", port),))


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    headers: Mapping[str, str]
    cookies: tuple[str, ...] = ()
    certificate: Certificate | None = None
    protocol: str | None = None
    cipher: str | None = None


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that is there already."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__("unused")
        self.sock = connected


def ask(
    port: int,
    host: str | None = "www.contoso.com",
    path: str = "/",
    *,
    sni: str | None = None,
    tls: bool = False,
    client: issue.Issued | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    context: ssl.SSLContext | None = None,
    seconds: float = 60,
) -> Answer:
    """One request to a published port; ``sni`` (or ``tls``) makes it HTTPS, nothing is verified."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=seconds)
    connected: socket.socket = plain
    shown, protocol, cipher = None, None, None
    if sni or tls:
        context = context or client_context()
        if client is not None:
            with tempfile.TemporaryDirectory() as folder:
                path_ = Path(folder) / "client.pem"
                path_.write_bytes(
                    issue.key_pem(client) + issue.to_pem(client.certificate, *client.chain)
                )
                context.load_cert_chain(path_)
        secured = context.wrap_socket(plain, server_hostname=sni)
        der = secured.getpeercert(binary_form=True)
        shown = Certificate.from_der(der) if der else None
        protocol, cipher = secured.version(), (secured.cipher() or ("",))[0]
        connected = secured
    with connected:
        connection = _Connection(connected)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        if host is not None:
            connection.putheader("Host", host)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read().decode("latin-1")
        found = {name.lower(): value for name, value in response.getheaders()}
        cookies = tuple(response.headers.get_all("Set-Cookie") or ())
    return Answer(response.status, body, found, cookies, shown, protocol, cipher)


def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context
