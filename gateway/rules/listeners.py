"""Listeners: what each needs by itself, and how those on one port stand to each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from certificates.x509.facts.certificate import Certificate
from certificates.x509.facts.names import match_name
from gateway.models import HttpListener, LoadedGateway, Protocol, RequestRoutingRule, SslCertificate
from gateway.problems import Problem, declare
from gateway.rules.hosts import host_fault, is_wildcard, suffixes, wildcard_fault
from gateway.rules.limits import MOST_HOST_NAMES
from gateway.rules.words import about, called, listed, named, quoted, texts

_LISTENERS = "Application Gateway listener configuration article"
_SITES = "Application Gateway multiple site hosting article"

REFERENCE_MISSING = declare(
    "listener-reference-missing",
    title="The listener does not say where it listens",
    why="A listener is a protocol on one frontend IP configuration and one frontend port.",
    remedy="Choose the frontend IP configuration and the frontend port.",
    source=_LISTENERS,
    arm_code="ApplicationGatewayHttpListenerMustReference",
)
CERTIFICATE_MISSING = declare(
    "listener-certificate-missing",
    title="An HTTPS listener needs a certificate",
    why="It shows this certificate to browsers, and proves with its private key that it is the "
    "one named there.",
    remedy="Upload a PFX file with certificate and private key, or choose a stored certificate.",
    source="TLS termination with Application Gateway article",
    arm_code="ApplicationGatewayHttpsListenerMustReferenceSslCert",
)
HTTP_ON_443 = declare(
    "listener-http-on-443",
    title="Port 443 is for HTTPS",
    why="Browsers speak TLS on port 443; an HTTP listener there would answer nobody.",
    remedy="Choose HTTPS and a certificate, or another port.",
    source="HTTP 502 troubleshooting guide for Application Gateway",
    arm_code="ApplicationGatewayPortNotValidForProtocol",
)
TLS_UNUSED = declare(
    "listener-tls-unused",
    severity="warning",
    title="The listener has TLS settings that it does not use",
    why="Certificate, SSL profile and Require SNI belong to HTTPS listeners, Require SNI to those "
    "with a host name.",
    remedy="Remove them, or make a listener with the protocol HTTPS.",
    source=_LISTENERS,
)
PROTOCOLS_MIXED = declare(
    "listener-protocols-mixed",
    title="HTTP and HTTPS cannot share a port",
    why="On one address and port a connection either begins with TLS or does not.",
    remedy="Give one of the two listeners another port: 80 for HTTP and 443 for HTTPS are usual.",
    source=_LISTENERS,
    arm_code="ApplicationGatewayHttpListenersUsingSameFrontendPort",
)
BASIC_DUPLICATE = declare(
    "listener-basic-duplicate",
    title="The port already has a basic listener",
    why="A basic listener takes every request that comes to its address and port, so there can be "
    "one only.",
    remedy="Choose another frontend port, or make both listeners multi-site with different host "
    "names.",
    source=_LISTENERS,
    arm_code="ApplicationGatewayHttpListenersUsingSameFrontendPort",
)
HOST_DUPLICATE = declare(
    "listener-host-duplicate",
    title="The host name has a listener already",
    why="On one address and port each host name belongs to one listener, whatever its case.",
    remedy="Change the host name, or use another port.",
    source=_SITES,
    arm_code="ApplicationGatewayHttpListenersUsingSameFrontendPort",
)
FRONTENDS_SHARE_PORT = declare(
    "listener-frontends-share-port",
    title="On v1 the public and the private frontend cannot share a port",
    why="A v1 gateway uses a port number once; sharing it between frontends came with v2.",
    remedy="Give one of the listeners another port.",
    source=_LISTENERS,
    arm_code="ApplicationGatewayHttpListenersUsingSameFrontendPort",
)
HOST_BOTH = declare(
    "listener-host-both",
    title="Single and multiple hosts exclude each other",
    why="A multi-site listener has one host name, or a list of names and wildcards.",
    remedy="Keep the single host name or the list.",
    source=_SITES,
)
HOST_NOT_A_NAME = declare(
    "listener-host-invalid",
    title="The host name of the listener cannot be used",
    why="Host names are made of letters, digits, hyphens and periods, as they stand in the "
    "address bar, without protocol, port or path.",
    remedy="Write the bare host name, for example www.contoso.com.",
    source=_SITES,
)
HOST_WILDCARD = declare(
    "listener-host-wildcard",
    title="The wildcards of the host name are not accepted",
    why="A name may have four wildcard characters, two of them “*”, one “*” in a label, and none "
    "beside another. Wildcards belong to the host type Multiple/Wildcard on v2.",
    remedy="Write simpler patterns, for example *.contoso.com, in the list of host names.",
    source=_SITES,
)
HOSTS_MANY = declare(
    "listener-hosts-many",
    title="The listener has too many host names",
    why=f"One listener answers to {MOST_HOST_NAMES} host names and patterns at most.",
    remedy="Use a wildcard, or add another listener for the rest.",
    source="Application Gateway limits article",
)
WITHOUT_RULE = declare(
    "listener-without-rule",
    severity="warning",
    title="The listener has no rule",
    why="A rule tells where the requests of a listener go; without one it answers nothing.",
    remedy="Add a rule and choose this listener in it.",
    source="Application Gateway components article",
)
SHADOWED = declare(
    "listener-shadowed",
    severity="warning",
    title="The listener never gets its requests",
    why="Listeners of one port are asked in the order of their rules (v1) or of the rules' "
    "priority (v2). A basic or wildcard listener that comes earlier takes the requests away.",
    remedy="Let the rules of basic and wildcard listeners come last.",
    source=_SITES,
)
CERTIFICATE_NAME = declare(
    "listener-certificate-name",
    severity="warning",
    title="The certificate is not for this host name",
    why="The gateway shows the certificate as it is; browsers compare its names with the address "
    "bar and warn their users.",
    remedy="Use a certificate with the host name among its subject alternative names; a wildcard "
    "in a certificate covers one label.",
    source="TLS termination with Application Gateway article",
)


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    for listener in loaded.listeners:
        yield from _references(listener)
    places: dict[tuple[int, int], list[HttpListener]] = defaultdict(list)
    for listener in loaded.listeners:
        yield from _hosts(listener)
        yield from _tls(loaded, listener)
        if listener.frontend_ip_configuration is not None and listener.frontend_port is not None:
            place = listener.frontend_ip_configuration.pk, listener.frontend_port.port
            places[place].append(listener)
    rules = {rule.http_listener_id: rule for rule in loaded.rules}
    for (_, port), together in places.items():
        yield from _neighbours(together, port)
        yield from _shadows(loaded, together, rules)
    if loaded.is_v1:
        yield from _shared_ports(places)
    for listener in loaded.listeners:
        if listener.pk not in rules:
            message = f"{called(listener)} has no rule and answers nothing yet."
            yield about(WITHOUT_RULE, listener, message)


def _references(listener: HttpListener) -> Iterator[Problem]:
    if listener.frontend_ip_configuration is None:
        message = f"{called(listener)} names no frontend IP configuration."
        yield about(REFERENCE_MISSING, listener, message, "frontend_ip_configuration")
    if listener.frontend_port is None:
        message = f"{called(listener)} names no frontend port."
        yield about(REFERENCE_MISSING, listener, message, "frontend_port")


def _hosts(listener: HttpListener) -> Iterator[Problem]:
    several = texts(listener.host_names)
    if listener.host_name and several:
        message = (
            f"{called(listener)} has the host name “{listener.host_name}” and a list of names."
        )
        yield about(HOST_BOTH, listener, message, "host_names")
    if len(several) > MOST_HOST_NAMES:
        message = f"{called(listener)} has {len(several)} host names; at most {MOST_HOST_NAMES}."
        yield about(HOSTS_MANY, listener, message, "host_names")
    if listener.host_name:
        yield from _host(listener, listener.host_name, "host_name")
    for host in several:
        yield from _host(listener, host, "host_names")
    lowered = [host.lower() for host in several]
    twice = {host for host in lowered if lowered.count(host) > 1} if len(several) < 100 else ()
    for host in sorted(twice):
        message = f"{called(listener)} has the host name “{host}” twice."
        yield about(HOST_DUPLICATE, listener, message, "host_names")


def _host(listener: HttpListener, host: str, field: str) -> Iterator[Problem]:
    shown = host[:80]
    fault = host_fault(host)
    if fault:
        message = f"{called(listener)} cannot have the host name “{shown}”, because {fault}."
        yield about(HOST_NOT_A_NAME, listener, message, field)
    elif is_wildcard(host):
        fault = wildcard_fault(host)
        if field == "host_name":
            fault = "a single host name has no wildcards"
        if fault:
            message = f"{called(listener)} cannot have the host name “{shown}”, because {fault}."
            yield about(HOST_WILDCARD, listener, message, field)


def _tls(loaded: LoadedGateway, listener: HttpListener) -> Iterator[Problem]:
    port = listener.frontend_port
    if listener.protocol == Protocol.HTTPS:
        if listener.ssl_certificate is None:
            message = f"{called(listener)} has the protocol HTTPS, but no certificate."
            yield about(CERTIFICATE_MISSING, listener, message, "ssl_certificate")
        else:
            yield from _certificate_names(loaded, listener, listener.ssl_certificate)
    elif port is not None and port.port == 443:
        message = f"{called(listener)} has the protocol HTTP on port 443 ({named(port)})."
        yield about(HTTP_ON_443, listener, message, "frontend_port")
    unused = []
    if listener.protocol == Protocol.HTTP:
        unused += ["a certificate"] if listener.ssl_certificate is not None else []
        unused += ["an SSL profile"] if listener.ssl_profile is not None else []
    if listener.require_server_name_indication and (
        listener.protocol == Protocol.HTTP or listener.is_basic
    ):
        unused.append("Require SNI")
    if unused:
        kind = "a basic" if listener.protocol == Protocol.HTTPS else "an HTTP"
        message = f"{called(listener)} has {listed(unused)}, which {kind} listener does not use."
        yield about(TLS_UNUSED, listener, message)


@lru_cache(maxsize=2048)
def _parsed(der: bytes) -> Certificate:
    """Reading a certificate takes longer than all other rules of a listener together."""
    return Certificate.from_der(der)


def _certificate_names(
    loaded: LoadedGateway, listener: HttpListener, certificate: SslCertificate
) -> Iterator[Problem]:
    parts = loaded.ssl_certificate_parts(certificate)
    if not parts:
        return
    leaf = _parsed(bytes(parts[0].certificate.der))
    hosts = [host for host in listener.hosts if isinstance(host, str) and not host_fault(host)]
    uncovered = [host for host in hosts if not _covers(leaf, host)]
    if uncovered:
        names = (*leaf.dns_names, *leaf.ip_addresses) or (leaf.common_name or "nobody",)
        message = (
            f"{called(listener)} answers to {quoted(uncovered)}; its certificate "
            f"“{certificate.name}” is for {quoted(names)}."
        )
        yield about(CERTIFICATE_NAME, listener, message, "ssl_certificate")


def _covers(leaf: Certificate, host: str) -> bool:
    if not is_wildcard(host):
        return match_name(leaf, host).ok
    # A pattern of many names is covered as far as can be told if the certificate has it too.
    wanted = host.lower()
    names = leaf.dns_names or ((leaf.common_name,) if leaf.common_name else ())
    return wanted in {name.lower() for name in names} or not wanted.startswith("*.")


def _neighbours(together: list[HttpListener], port: int) -> Iterator[Problem]:
    """Listeners of one address and port."""
    first = together[0]
    basic: HttpListener | None = None
    owners: dict[str, HttpListener] = {}
    for listener in together:
        if listener.protocol != first.protocol:
            message = (
                f"{called(listener)} speaks {listener.get_protocol_display()} on port {port}, "
                f"{named(first)} speaks {first.get_protocol_display()} there."
            )
            yield about(PROTOCOLS_MIXED, listener, message, "frontend_port")
        if listener.is_basic:
            if basic is not None:
                message = (
                    f"{called(listener)} cannot be a basic listener on port {port}: "
                    f"{named(basic)} is one already."
                )
                yield about(BASIC_DUPLICATE, listener, message, "frontend_port")
            basic = basic or listener
        for host in {host.lower(): host for host in texts(listener.hosts)}.values():
            owner = owners.setdefault(host.lower(), listener)
            if owner is not listener:
                message = (
                    f"{called(listener)} cannot have the host name “{host}” on port {port}: "
                    f"it belongs to {named(owner)}."
                )
                field = "host_name" if listener.host_name else "host_names"
                yield about(HOST_DUPLICATE, listener, message, field)


def _shadows(
    loaded: LoadedGateway,
    together: list[HttpListener],
    rules: dict[int | None, RequestRoutingRule],
) -> Iterator[Problem]:
    """Listeners that come after one which takes their requests."""
    ordered = [listener for listener in together if listener.pk in rules]
    if not loaded.is_v1:
        ordered.sort(key=lambda listener: rules[listener.pk].priority or 0)
    else:
        ordered.sort(key=lambda listener: (rules[listener.pk].position, rules[listener.pk].pk))
    basic: HttpListener | None = None
    wide: dict[str, HttpListener] = {}
    for listener in ordered:
        hosts = [host.lower() for host in texts(listener.hosts)]
        if basic is not None and hosts:
            message = f"{called(listener)} comes after {named(basic)}, which takes every request."
            yield about(SHADOWED, listener, message)
        elif hosts:
            takers = [_taker(wide, host) for host in hosts]
            by = takers[0]
            if by is not None and by is not listener and all(takers):
                message = (
                    f"{called(listener)} comes after {named(by)}, whose wildcard takes "
                    "its requests."
                )
                yield about(SHADOWED, listener, message)
        if not hosts:
            basic = basic or listener
        for host in hosts:
            if host.startswith("*."):
                wide.setdefault(host, listener)


def _taker(wide: dict[str, HttpListener], host: str) -> HttpListener | None:
    """The listener whose wildcard covers ``host``."""
    return next((wide[suffix] for suffix in suffixes(host) if suffix in wide), None)


def _shared_ports(places: dict[tuple[int, int], list[HttpListener]]) -> Iterator[Problem]:
    first: dict[int, tuple[int, HttpListener]] = {}
    for (frontend, port), together in places.items():
        other, listener = first.setdefault(port, (frontend, together[0]))
        if other != frontend:
            message = (
                f"{called(together[0])} uses port {port} on another frontend than "
                f"{named(listener)}; a v1 gateway uses a port once."
            )
            yield about(FRONTENDS_SHARE_PORT, together[0], message, "frontend_port")
