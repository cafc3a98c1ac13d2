"""HTTP settings: whom they trust, which host they name, and whether their probe fits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.models import BackendHttpSettings, LoadedGateway, Probe, Protocol
from gateway.problems import Problem, declare
from gateway.rules.joins import pairs
from gateway.rules.words import about, called, listed, named, quoted

_SETTINGS = "Application Gateway HTTP settings article"
_END_TO_END = "Overview of TLS termination and end to end TLS article"
_HEALTH = "Application Gateway backend health troubleshooting article"
_PROBES = "Application Gateway health probes article"

ROOT_ON_HTTP = declare(
    "settings-root-on-http",
    title="An HTTP setting without TLS trusts no certificate",
    why="Trusted root certificates decide whether the backend's certificate is believed; over "
    "plain HTTP no certificate is shown.",
    remedy="Change the protocol to HTTPS, or remove the root certificates.",
    source=_HEALTH,
    arm_code="ApplicationGatewayBackendHttpSettingsCannotHaveTrustedRootCertificate",
)
TLS_UNUSED = declare(
    "settings-tls-unused",
    severity="warning",
    title="The setting has TLS options that it does not use",
    why="Authentication certificates, SNI name and validation switches belong to the protocol "
    "HTTPS.",
    remedy="Change the protocol to HTTPS, or remove them.",
    source=_SETTINGS,
)
HOST_BOTH = declare(
    "settings-host-both",
    title="A fixed host name and one picked from the backend exclude each other",
    why="The host name that is sent to the backend is either written in the setting or taken "
    "from the pool's target.",
    remedy="Clear the host name, or do not pick it from the backend address.",
    source=_SETTINGS,
)
PICK_FROM_IP = declare(
    "settings-pick-host-ip",
    severity="warning",
    title="There is no host name to pick",
    why="The setting takes the host name from the backend address, but a target of the pool is "
    "an IP address. An address is no host name: no server name is sent in the TLS handshake, and "
    "the backend's certificate cannot match.",
    remedy="Put the servers into the pool by their names, or write a host name into the setting.",
    source=_END_TO_END,
)
PROBE_PROTOCOL = declare(
    "settings-probe-protocol",
    title="Probe and HTTP setting speak different protocols",
    why="The probe goes the way that requests go; a setting with HTTPS has a probe with HTTPS.",
    remedy="Change the protocol of one of them, or choose another probe.",
    source=_PROBES,
    # The cloud spells its code so.
    arm_code="ApplicationGatewayProbeProtocolMustMatchBackendHttpSettinsProtocol",
)
PROBE_HOST = declare(
    "settings-probe-host",
    title="The probe takes its host name from a setting that has none",
    why="A probe that picks its host name from the HTTP setting needs a setting that names a "
    "host, or that picks it from the backend address.",
    remedy="Give the setting a host name, or the probe a host of its own.",
    source="HTTP 502 troubleshooting guide for Application Gateway",
    arm_code="ApplicationGatewayBackendHttpSettingsIncompatibleProbeSettingPickHostName",
)
PROBE_TIMEOUT = declare(
    "settings-probe-timeout",
    severity="warning",
    title="The probe waits longer than requests do",
    why="A server that answers its probe after the request timeout counts as healthy, while its "
    "requests fail.",
    remedy="Lower the probe's timeout, or raise the request timeout.",
    source=_PROBES,
)
SNI_UNCHECKED = declare(
    "settings-sni-unchecked",
    title="An SNI name needs its check",
    why="The SNI name is what the backend's certificate is checked for; it has no meaning while "
    "the check of the subject name is switched off.",
    remedy="Switch the check of the subject name on, or remove the SNI name.",
    source=_SETTINGS,
)
AUTH_PARTIAL = declare(
    "settings-auth-partial",
    title="On v1 all HTTPS settings have authentication certificates, or none has",
    why="A v1 gateway does not mix settings that trust certificates of their own with settings "
    "that have none. Settings for App Service do not count.",
    remedy="Add the backend's certificate to the setting that the message names.",
    source="End-to-end TLS with PowerShell article",
)
AUTH_MISSING = declare(
    "settings-auth-missing",
    severity="warning",
    title="The gateway would not recognise the backend",
    why="On v1 an HTTPS setting holds the certificate of the backend servers. Without one, "
    "backend health reports that the certificate is not among the allowed ones. Only App Service "
    "needs none, with the host name picked from the backend address.",
    remedy="Add the backend's certificate in the setting under Backend authentication "
    "certificates.",
    source="End-to-end TLS in the portal article",
)
COOKIE_NAME = declare(
    "cookie-name-invalid",
    title="The name of the affinity cookie cannot be used",
    why="Cookie names are letters, digits and a few signs, without blanks, commas, semicolons, "
    "quotes or “=”.",
    remedy="Choose a plain name; ApplicationGatewayAffinity is the usual one.",
    source="RFC 6265, HTTP state management",
)

_COOKIE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z", re.ASCII)


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    for settings in loaded.http_settings:
        yield from _trust(loaded, settings)
        yield from _host(settings)
        if settings.probe is not None:
            yield from _probe(settings, settings.probe)
    yield from _picked_hosts(loaded)
    if loaded.is_v1:
        yield from _authentication(loaded)


def is_for_app_service(loaded: LoadedGateway, settings: BackendHttpSettings) -> bool:
    """Whether a v1 setting stands for “Use for App service”, which is not a column of its own.

    It is HTTPS, picks the host name from the backend address and has no certificates.
    """
    return (
        loaded.is_v1
        and settings.protocol == Protocol.HTTPS
        and settings.pick_host_name_from_backend_address
        and not loaded.authentication_certificates_of(settings)
    )


def _trust(loaded: LoadedGateway, settings: BackendHttpSettings) -> Iterator[Problem]:
    if settings.protocol == Protocol.HTTPS:
        if settings.sni_name and not settings.validate_sni:
            message = (
                f"{called(settings)} has the SNI name “{settings.sni_name}”, but does not check "
                "the subject name."
            )
            yield about(SNI_UNCHECKED, settings, message, "sni_name")
        return
    roots = loaded.root_certificates_of(settings)
    if roots:
        names = quoted(root.name for root in roots)
        message = f"{called(settings)} has the protocol HTTP and trusts {names}."
        yield about(ROOT_ON_HTTP, settings, message, "root_links")
    unused = []
    if loaded.authentication_certificates_of(settings):
        unused.append("authentication certificates")
    if settings.sni_name:
        unused.append("an SNI name")
    if not (settings.validate_sni and settings.validate_cert_chain_and_expiry):
        unused.append("changed validation switches")
    if unused:
        message = f"{called(settings)} has the protocol HTTP and {listed(unused)}."
        yield about(TLS_UNUSED, settings, message, "protocol")


def _host(settings: BackendHttpSettings) -> Iterator[Problem]:
    if settings.host_name and settings.pick_host_name_from_backend_address:
        message = (
            f"{called(settings)} has the host name “{settings.host_name}” and also picks it from "
            "the backend address."
        )
        yield about(HOST_BOTH, settings, message, "host_name")
    if settings.affinity_cookie_name and not _COOKIE.match(settings.affinity_cookie_name):
        message = f"{called(settings)}: “{settings.affinity_cookie_name}” is no name of a cookie."
        yield about(COOKIE_NAME, settings, message, "affinity_cookie_name")


def _probe(settings: BackendHttpSettings, probe: Probe) -> Iterator[Problem]:
    if probe.protocol != settings.protocol:
        message = (
            f"{called(settings)} speaks {settings.get_protocol_display()}, its {named(probe)} "
            f"{probe.get_protocol_display()}."
        )
        yield about(PROBE_PROTOCOL, settings, message, "probe")
    names_host = settings.host_name or settings.pick_host_name_from_backend_address
    if probe.pick_host_name_from_settings and not names_host:
        message = (
            f"{called(settings)} names no host, but its {named(probe)} takes the host name from it."
        )
        yield about(PROBE_HOST, settings, message, "probe")
    if probe.timeout > settings.request_timeout:
        message = (
            f"{called(settings)} waits {settings.request_timeout} seconds for a request, its "
            f"{named(probe)} {probe.timeout} seconds."
        )
        yield about(PROBE_TIMEOUT, settings, message, "probe")


def _picked_hosts(loaded: LoadedGateway) -> Iterator[Problem]:
    """Restriction of the end to end TLS article: no picking where a target is an address."""
    for pool, settings in pairs(loaded):
        if not settings.pick_host_name_from_backend_address:
            continue
        address = next((one for one in loaded.addresses(pool) if one.ip_address), None)
        if address is not None:
            message = (
                f"{called(settings)} picks the host name from the backend address, but "
                f"{named(pool)} has the IP address {address.ip_address} as a target."
            )
            yield about(PICK_FROM_IP, settings, message, "pick_host_name_from_backend_address")


def _authentication(loaded: LoadedGateway) -> Iterator[Problem]:
    https = [one for one in loaded.http_settings if one.protocol == Protocol.HTTPS]
    trusting = [one for one in https if loaded.authentication_certificates_of(one)]
    for settings in https:
        if loaded.authentication_certificates_of(settings) or is_for_app_service(loaded, settings):
            continue
        if trusting:
            message = (
                f"{called(settings)} has no authentication certificate, while "
                f"{named(trusting[0])} has."
            )
            yield about(AUTH_PARTIAL, settings, message, "authentication_links")
        else:
            message = (
                f"{called(settings)} has the protocol HTTPS, but no authentication certificate."
            )
            yield about(AUTH_MISSING, settings, message, "authentication_links")
