"""The journey of a request behind the listener: rule, server, TLS with it, its answer.

It is told by the line of the access log that bears the request's id, and by the prober's verdict on
the server that was chosen.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from certificates.x509.facts.certificate import Certificate
from certificates.x509.problems import ProblemError
from gateway.health.catalogue import HEALTH_KINDS
from gateway.models import (
    AccessLogLine,
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    GatewayIPConfiguration,
    Protocol,
    Verdict,
    VirtualNetwork,
)
from gateway.network import (
    LabNotReadyError,
    NoHostError,
    NotAllowedError,
    Zone,
    dial_address,
    load_zone,
)
from gateway.network.zone import canonical
from gateway.portal.journey import Fact, Leg
from gateway.portal.log_lines import LogLine, line_of
from gateway.portal.pages import Page
from gateway.portal.reasons import Reason, reason_of
from gateway.rules.names import Leg as Way
from gateway.rules.names import live_leg

# A pool may have hundreds of servers; so many are told where none was chosen.
MOST_MEMBERS = 10


@dataclass(frozen=True, slots=True)
class Member:
    """A server of the pool with its verdict; ``dialed`` is where it really is, or empty."""

    address: BackendAddress
    verdict: Verdict | None
    dialed: str

    @property
    def state(self) -> str:
        return self.verdict.status if self.verdict else Verdict.Status.UNKNOWN

    @property
    def message(self) -> str:
        if self.verdict is None:
            return "It has not been probed yet."
        return self.verdict.message or "It answered the last probe as it should."


def find_line(gateway: ApplicationGateway, request_id: str) -> LogLine | None:
    """The line of the access log that bears the id (one query)."""
    row = AccessLogLine.objects.filter(gateway=gateway, line__requestId=request_id).first()
    return line_of(row) if row else None


def onward_legs(page: Page, line: LogLine) -> tuple[Leg, ...]:
    """What became of the request of ``line`` (at most ten queries)."""
    return tuple(_legs(page, line))


def _legs(page: Page, line: LogLine) -> Iterator[Leg]:
    reason = reason_of(line.fields)
    yield _rule(page, line)
    pool = BackendAddressPool.objects.filter(
        gateway=page.gateway, name=line.get("backendPoolName")
    ).first()
    settings = BackendHttpSettings.objects.filter(
        gateway=page.gateway, name=line.get("backendSettingName")
    ).first()
    if pool is None or settings is None:
        if reason is not None:
            yield _own_answer(line, reason)
        return
    members = _members(page.gateway, pool, settings)
    routed = line.get("serverRouted")
    chosen = next((one for one in members if routed and one.dialed == routed), None)
    if not routed:
        yield _nobody(page, pool, settings, members)
    else:
        yield _server(page, line, pool, settings, chosen)
        way = _way(page, line, settings, chosen)
        reason = reason_of(line.fields, way.checked_name or "" if way else "")
        if settings.protocol == Protocol.HTTPS:
            yield _tls(page, line, way, chosen, reason)
    if line.is_from_server:
        yield Leg(
            "Answer of the server",
            "server",
            line.state,
            line.get("serverStatus"),
            text="The server's own answer, which the gateway passed on.",
            ms=_milliseconds(line.get("serverResponseLatency")),
        )
    elif reason is not None:
        yield _own_answer(line, reason)


def _rule(page: Page, line: LogLine) -> Leg:
    listener, rule = line.get("listenerName"), line.get("ruleName")
    if not rule:
        return Leg(
            "Rule",
            "rules",
            "failed",
            "None",
            text="No listener with a rule took the request.",
            facts=(Fact("Host", line.get("originalHost") or "none"),),
        )
    route = line.get("routeName")
    facts = [
        Fact("Listener", listener, page.url("listeners-edit", listener)),
        Fact("Rule", rule, page.url("rules-edit", rule)),
    ]
    if route.startswith(f"{rule}/"):
        facts.append(Fact("Path rule", route.removeprefix(f"{rule}/")))
    status = line.get("httpStatus")
    if not line.get("backendPoolName") and status in {"301", "302", "303", "307"}:
        facts.append(Fact("Answer", f"Redirect with {status}"))
    return Leg("Rule", "rules", "ok", "Chosen", facts=tuple(facts))


def _own_answer(line: LogLine, reason: Reason) -> Leg:
    return Leg(
        "The gateway's own answer",
        "gateway",
        "failed",
        line.get("httpStatus"),
        text=reason.text,
        remedy=reason.remedy,
        help=reason.help if reason.help in HEALTH_KINDS else "",
        facts=(Fact("In the cloud's log", line.get("error_info")),),
    )


def _pair_facts(
    page: Page, pool: BackendAddressPool, settings: BackendHttpSettings
) -> tuple[Fact, ...]:
    return (
        Fact("Backend pool", pool.name, page.url("pools-edit", pool.name)),
        Fact("HTTP setting", settings.name, page.url("http-settings-edit", settings.name)),
    )


def _nobody(
    page: Page,
    pool: BackendAddressPool,
    settings: BackendHttpSettings,
    members: list[Member],
) -> Leg:
    told = [
        Fact(
            f"{one.address.target}: {one.state}",
            one.message,
            page.url("health-detail", str(one.verdict.pk)) if one.verdict else "",
        )
        for one in members[:MOST_MEMBERS]
    ]
    return Leg(
        "Server",
        "server",
        "failed",
        "None",
        text="No server was chosen." if members else "The pool has no targets.",
        facts=(*_pair_facts(page, pool, settings), *told),
        url=page.url("health"),
        url_label="Backend health",
    )


def _server(
    page: Page,
    line: LogLine,
    pool: BackendAddressPool,
    settings: BackendHttpSettings,
    chosen: Member | None,
) -> Leg:
    facts = [*_pair_facts(page, pool, settings), Fact("Host header sent", line.get("host"))]
    if line.get("requestUri"):
        facts.append(Fact("Path sent", line.get("requestUri")))
    if chosen is None:
        facts.append(Fact("Dialed", line.get("serverRouted")))
        return Leg("Server", "server", "unknown", "Not in the pool any more", facts=tuple(facts))
    target = Fact("Server", f"{chosen.address.target}, port {settings.port}")
    return Leg("Server", "server", "ok", "Chosen", facts=(target, *facts))


def _way(
    page: Page, line: LogLine, settings: BackendHttpSettings, chosen: Member | None
) -> Way | None:
    """Which names the request asked the chosen server by."""
    if chosen is None:
        return None
    host = _without_port(line.get("originalHost"))
    return live_leg(settings, chosen.address, host, is_v1=page.gateway.is_v1)


def _tls(
    page: Page, line: LogLine, way: Way | None, chosen: Member | None, reason: Reason | None
) -> Leg:
    is_good = bool(line.get("serverTlsProtocol"))
    facts = []
    if way is not None:
        facts += [
            Fact("Server name sent", way.sni or "none"),
            Fact("Name expected in the certificate", way.checked_name or "not checked"),
            Fact("Why", way.why),
        ]
    if is_good:
        facts += [
            Fact("Protocol", line.get("serverTlsProtocol")),
            Fact("Cipher suite", line.get("serverTlsCipher")),
        ]
    verdict = chosen.verdict if chosen else None
    if verdict is not None and chosen is not None:
        facts.append(Fact("What the prober found", f"{verdict.status}. {chosen.message}"))
    return Leg(
        "TLS with the server",
        "lock",
        "ok" if is_good else "failed",
        "Accepted" if is_good else "Refused",
        text="" if is_good or reason is None else reason.text,
        facts=tuple(facts),
        certificate=_leaf(verdict),
        url=page.url("health-detail", str(verdict.pk)) if verdict else "",
        url_label="The whole chain and its verdict",
    )


def _members(
    gateway: ApplicationGateway, pool: BackendAddressPool, settings: BackendHttpSettings
) -> list[Member]:
    network = VirtualNetwork.objects.filter(
        subnets__in=GatewayIPConfiguration.objects.filter(gateway=gateway).values("subnet")
    ).first()
    zone = load_zone(network)
    verdicts: Mapping[int, Verdict] = {
        one.address_id: one
        for one in Verdict.objects.filter(gateway=gateway, settings=settings, address__pool=pool)
    }
    return [
        Member(
            address,
            verdicts.get(address.pk),
            _dialed(zone, address, settings.port, verdicts.get(address.pk)),
        )
        for address in BackendAddress.objects.filter(pool=pool)
    ]


def _dialed(zone: Zone, address: BackendAddress, port: int, verdict: Verdict | None) -> str:
    """Where the data plane dials a target, as it writes that down; empty where nobody knows."""
    literal = str(address.ip_address or "")
    if not literal:
        known = zone.names.get(canonical(address.fqdn), ())
        if known and not zone.dns_servers:
            literal = known[0]
        elif verdict is not None:
            dns = verdict.evidence.get("dns") or {}
            literal = verdict.remembered_address or next(iter(dns.get("addresses") or ()), "")
    try:
        dial = dial_address(zone, literal, port)
    except (NotAllowedError, NoHostError, LabNotReadyError):
        return ""
    return f"[{dial.host}]:{dial.port}" if ":" in dial.host else f"{dial.host}:{dial.port}"


def _leaf(verdict: Verdict | None) -> Certificate | None:
    """The certificate that the server showed to the last probe."""
    chain = (verdict.evidence.get("chain") or []) if verdict else []
    if not chain:
        return None
    try:
        return Certificate.from_der(ssl.PEM_cert_to_DER_cert(chain[0]["pem"]))
    except (ProblemError, ValueError, KeyError):
        return None


def _without_port(host: str) -> str:
    """``www.contoso.com:8443`` → ``www.contoso.com``; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and not name.endswith(":") else host


def _milliseconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
