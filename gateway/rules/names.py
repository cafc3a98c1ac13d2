"""Which server name is sent, which name is checked, what is trusted: for probes and for traffic.

The only home of these decisions. v1 talks to the target of the pool whatever a probe says; v2 takes
the first name of: custom probe, HTTP setting, pool. An IP address is never sent as server name.

Sources: "Overview of TLS termination and end to end TLS with Application Gateway" (the tables of
SNI by SKU), "Troubleshoot backend health issues in Application Gateway" (CN mismatch),
"Application Gateway HTTP settings configuration" (host name override, HTTPS validation) and
"Application Gateway health probes overview" (defaults).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from certificates.x509.facts.certificate import Certificate
from gateway.models import BackendAddress, BackendHttpSettings, LoadedGateway, Probe, Protocol

# Host header of a probe for which nothing names a host.
DEFAULT_PROBE_HOST = "127.0.0.1"
DEFAULT_PROBE_PATH = "/"
DEFAULT_INTERVAL = 30
DEFAULT_TIMEOUT = 30
DEFAULT_THRESHOLD = 3
DEFAULT_STATUS_CODES = ("200-399",)

Scheme = Literal["http", "https"]


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from the gateway to one backend server.

    ``sni`` is the server name of the TLS handshake (``None``: none is sent), ``checked_name`` the
    name that the server's certificate must carry (``None``: no name is checked). ``timeout`` is
    in seconds. ``why`` says in a sentence where the names come from.
    """

    scheme: Scheme
    port: int
    path: str
    host_header: str
    sni: str | None
    checked_name: str | None
    timeout: int
    why: str

    @property
    def name_is_address(self) -> bool:
        """The name to be checked is an IP address, which no handshake names: it cannot match."""
        return self.checked_name is not None and is_address(self.checked_name)


@dataclass(frozen=True, slots=True)
class ProbeLeg(Leg):
    """The way of a health probe: times in seconds, accepted codes as ``200`` or ``200-399``.

    ``min_servers`` is how many servers of the pool always count as healthy.
    """

    interval: int
    threshold: int
    min_servers: int
    status_codes: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class Trusted:
    """A certificate that a setting trusts, under the name that it has in the gateway."""

    name: str
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Trust:
    """What makes a server's certificate acceptable to an HTTP setting.

    ``pinned``: v1, the certificate is one of ``certificates``. ``roots``: v2, the chain ends in
    one of them. ``well-known``: v2 without roots, the built-in store. ``app-service``: v1's
    *Use for App service*, built-in store and name. ``none``: plain HTTP.
    """

    kind: Literal["pinned", "roots", "well-known", "app-service", "none"]
    certificates: tuple[Trusted, ...] = ()
    validate_chain: bool = True
    validate_name: bool = True


def is_address(name: str) -> bool:
    """Whether ``name`` is an IP address (IPv6 with or without brackets)."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def header_of(name: str) -> str:
    """A name or address as a Host header has it: an IPv6 address in brackets (RFC 3986)."""
    return f"[{name}]" if ":" in name and is_address(name) and name[0] != "[" else name


def probe_leg(
    settings: BackendHttpSettings, probe: Probe | None, address: BackendAddress, *, is_v1: bool
) -> ProbeLeg:
    """The leg of the health probe of one server through one HTTP setting."""
    name, why = _probe_name(settings, probe, address)
    host_header = header_of(name or DEFAULT_PROBE_HOST)
    if is_v1:
        sni, checked, why = _v1_names(address)
    elif name is None and not address.fqdn:
        # The default probe of a pool of IP addresses speaks to 127.0.0.1: no SNI, no match.
        sni, checked = _v2_names(settings, DEFAULT_PROBE_HOST)
        why = "Nothing names a host and the pool holds an IP address, so no server name is sent."
    else:
        name = name or address.fqdn
        sni, checked = _v2_names(settings, name)
        if sni is None:
            why = f"{why} An IP address is never sent as server name."
    if not is_v1 and settings.validate_sni and settings.sni_name:
        why = "The HTTP setting names the server name to send and to check."
    https = settings.protocol == Protocol.HTTPS
    return ProbeLeg(
        scheme="https" if https else "http",
        port=(probe.port if probe and probe.port and not is_v1 else settings.port),
        path=probe.path if probe else DEFAULT_PROBE_PATH,
        host_header=host_header,
        sni=sni if https else None,
        checked_name=checked if https else None,
        timeout=probe.timeout if probe else DEFAULT_TIMEOUT,
        why=why if https else "Plain HTTP: no certificate is asked for.",
        interval=probe.interval if probe else DEFAULT_INTERVAL,
        threshold=probe.unhealthy_threshold if probe else DEFAULT_THRESHOLD,
        min_servers=probe.min_servers if probe else 0,
        status_codes=_status_codes(probe),
        body=probe.match_body if probe else "",
    )


def live_leg(
    settings: BackendHttpSettings,
    address: BackendAddress,
    client_host: str,
    *,
    is_v1: bool,
    is_rewritten: bool = False,
) -> Leg:
    """The leg of a client's request whose Host header is ``client_host`` (without port).

    ``is_rewritten``: it is what a rewrite set has made of the client's.
    """
    if settings.host_name:
        name, why = settings.host_name, "The HTTP setting overrides the host name."
    elif settings.pick_host_name_from_backend_address:
        name, why = address.target, "The HTTP setting picks the host name from the pool's target."
    else:
        name, why = client_host, "Nothing overrides the host name: it is the client's."
        if is_rewritten:
            why = "A rewrite set changes the host name."
    if is_v1:
        sni, checked, why = _v1_names(address)
    else:
        sni, checked = _v2_names(settings, name)
        if settings.validate_sni and settings.sni_name:
            why = "The HTTP setting names the server name to send and to check."
        elif sni is None:
            why = f"{why} An IP address is never sent as server name."
    https = settings.protocol == Protocol.HTTPS
    return Leg(
        scheme="https" if https else "http",
        port=settings.port,
        path=settings.path,
        host_header=header_of(name),
        sni=sni if https else None,
        checked_name=checked if https else None,
        timeout=settings.request_timeout,
        why=why if https else "Plain HTTP: no certificate is asked for.",
    )


def uses_app_service(settings: BackendHttpSettings, *, has_certificates: bool, is_v1: bool) -> bool:
    """Whether *Use for App service* is on: derived, never stored.

    v1, HTTPS, host name picked from the backend address, no authentication certificates.
    """
    return (
        is_v1
        and settings.protocol == Protocol.HTTPS
        and settings.pick_host_name_from_backend_address
        and not has_certificates
    )


def trust_of(loaded: LoadedGateway, settings: BackendHttpSettings) -> Trust:
    """What ``settings`` trusts. A root that is only named (Key Vault) trusts nothing."""
    if settings.protocol != Protocol.HTTPS:
        return Trust("none", validate_chain=False, validate_name=False)
    if loaded.is_v1:
        pinned = tuple(
            Trusted(one.name, one.certificate.parsed)
            for one in loaded.authentication_certificates_of(settings)
        )
        if uses_app_service(settings, has_certificates=bool(pinned), is_v1=True):
            return Trust("app-service")
        return Trust("pinned", pinned)
    roots = loaded.root_certificates_of(settings)
    return Trust(
        "roots" if roots else "well-known",
        tuple(Trusted(one.name, one.certificate.parsed) for one in roots if one.certificate),
        validate_chain=settings.validate_cert_chain_and_expiry,
        validate_name=settings.validate_sni,
    )


def _probe_name(
    settings: BackendHttpSettings, probe: Probe | None, address: BackendAddress
) -> tuple[str | None, str]:
    """(name for the Host header or ``None``, where the probe's name comes from)."""
    if probe and probe.host and not probe.pick_host_name_from_settings:
        return probe.host, "The custom probe names the host."
    if settings.host_name:
        return settings.host_name, "The host name is the one in the HTTP setting."
    if settings.pick_host_name_from_backend_address:
        return address.target, "The HTTP setting picks the host name from the pool's target."
    if address.fqdn:
        # The server name is the target's, while the default probe's Host header stays 127.0.0.1.
        return None, "Neither probe nor HTTP setting names a host: the pool's FQDN is used."
    return None, ""


def _v1_names(address: BackendAddress) -> tuple[str | None, str | None, str]:
    if address.fqdn:
        name = _wire_name(address.fqdn)
        return name, name, "v1 sends and checks the FQDN of the pool."
    return None, None, "v1 sends no server name to an IP address and checks no name."


def _v2_names(settings: BackendHttpSettings, name: str) -> tuple[str | None, str | None]:
    """(SNI, checked name) for the winning ``name``."""
    if settings.validate_sni and settings.sni_name:
        given = _wire_name(settings.sni_name)
        return given, given
    sent = None if is_address(name) else _wire_name(name)
    checked = (sent or name.strip("[]")) if settings.validate_sni else None
    return sent, checked


def _wire_name(name: str) -> str:
    """A name as it is sent: RFC 6066 wants it without the final dot."""
    return name.rstrip(".")


def _status_codes(probe: Probe | None) -> tuple[str, ...]:
    codes = probe.match_status_codes if probe else None
    if not isinstance(codes, list) or not codes:
        return DEFAULT_STATUS_CODES
    return tuple(str(code) for code in codes)
