"""One verdict: the picture client - gateway - server, the stages, the evidence, the cure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse

from certificates.x509.facts.certificate import ROLE_WORDS
from gateway.health.legs import legs_of
from gateway.health.reading import HealthRow, verdict_of
from gateway.models import (
    ApplicationGateway,
    BackendHttpSettings,
    GatewayIPConfiguration,
    LabEndpoint,
    SettingsTrustedRootCertificate,
    Verdict,
    load_gateway,
)
from gateway.network import Endpoint
from gateway.portal.commands import commands, report
from gateway.portal.cures import cure_of
from gateway.portal.pages import Page, PortalRequest, gateway_page

# Seconds between two looks at a verdict while a newer one is awaited, and afterwards.
SOON, LATER = 1, 5

TRUST = {
    "pinned": "the uploaded authentication certificates",
    "roots": "the uploaded roots",
    "well-known": "the well-known certificate authorities",
    "app-service": "the well-known certificate authorities (Use for App service)",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """What is red in the picture: the way to the server, the gateway's setting, the server.

    ``way`` is ``ok``, ``broken``, or ``unknown`` where no probe got that far. ``at`` is the block
    at fault (``connection``, ``gateway``, ``server`` or empty).
    """

    way: str
    at: str
    chain: list[dict[str, Any]]
    missing: str


@gateway_page
def detail(request: PortalRequest, page: Page, verdict: int) -> HttpResponse:
    """The evidence of one verdict; asked for by htmx, the evidence alone."""
    row = _verdict(page, verdict)
    settings = BackendHttpSettings.objects.select_related("probe").get(pk=row.settings_id)
    chain, facts = _chain(row.evidence), _facts(row.evidence)
    legs = legs_of(load_gateway(page.gateway), row)
    context = page.pane(
        "health",
        row.server,
        row=row,
        picture=_picture(row, chain),
        trusts=_trusts(row.evidence),
        stages=row.evidence.get("stages", []),
        legs=legs[0] if legs else None,
        warnings=legs[1] if legs else (),
        facts=facts,
        chain=chain,
        chain_url=page.url("health-chain", str(row.pk)),
        setting_url=page.url("http-settings-edit", row.setting),
        pool_url=page.url("pools-edit", row.pool),
        cure=cure_of(page, row, settings) if row.kind else None,
        roots_url=page.url("health-roots", str(row.pk)) if _is_rooted(row) else "",
        commands=commands(row.evidence, _real_endpoint(page.gateway, row.evidence)),
        report=report(row, facts, chain),
        every=SOON if row.rechecking else LATER,
    )
    partial = "portal/health/evidence.html"
    return page.render(partial if request.htmx else "portal/health/detail.html", context)


@gateway_page
def chain(request: PortalRequest, page: Page, verdict: int) -> HttpResponse:
    """The presented chain as a PEM file."""
    row = _verdict(page, verdict)
    texts = [one["pem"] for one in row.evidence.get("chain") or [] if one.get("pem")]
    if not texts:
        raise Http404("The server presented no certificate.")
    response = HttpResponse("".join(texts), content_type="application/x-pem-file")
    name = row.server.replace(":", "-")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-chain.pem"'
    return response


@gateway_page
def trusted_roots(request: PortalRequest, page: Page, verdict: int) -> HttpResponse:
    """The uploaded roots of the verdict's setting as one PEM file, as ``openssl -CAfile`` reads."""
    row = _verdict(page, verdict)
    links = SettingsTrustedRootCertificate.objects.filter(
        settings_id=row.settings_id, certificate__certificate__isnull=False
    ).select_related("certificate__certificate")
    roots = [one.certificate.certificate for one in links]
    texts = [root.parsed.pem for root in roots if root]
    if not texts:
        raise Http404("The HTTP setting trusts no uploaded root.")
    response = HttpResponse("".join(texts), content_type="application/x-pem-file")
    response.headers["Content-Disposition"] = 'attachment; filename="roots.cer"'
    return response


def _verdict(page: Page, number: int) -> HealthRow:
    found = verdict_of(page.gateway, number)
    if found is None:
        raise Http404("This server is no longer probed: its pool, setting or rule has changed.")
    return found


def _is_rooted(row: HealthRow) -> bool:
    trust = row.evidence.get("trust") or {}
    return trust.get("kind") == "roots" and bool(trust.get("certificates"))


def _picture(row: HealthRow, chain: list[dict[str, Any]]) -> Picture:
    passed = {stage["name"] for stage in row.evidence.get("stages") or [] if stage["ok"]}
    way = "unknown"
    if row.status == Verdict.Status.HEALTHY or "certificate" in passed:
        way = "ok"
    elif row.status == Verdict.Status.UNHEALTHY:
        # Plain HTTP has no certificate: an answer of any kind means that the way is good.
        way = "ok" if row.evidence.get("status_code") else "broken"
    missing = ""
    if row.error_id == "E-INT-MISSING" and chain and chain[0]["role"] == "leaf":
        missing = chain[-1]["issuer"].removeprefix("CN=")
    return Picture(way, row.block, chain, missing)


def _facts(evidence: dict[str, Any]) -> list[dict[str, str]]:
    """What was asked and answered, as label and value."""
    tls = evidence.get("tls") or {}
    dns = evidence.get("dns") or {}
    facts = [
        ("Name resolution", ", ".join(dns.get("addresses", []))),
        ("Address asked", evidence.get("dialed")),
        ("SNI sent", evidence.get("sni") or "none"),
        ("Name that the certificate must carry", evidence.get("checked_name") or "not checked"),
        ("Why this name", evidence.get("why")),
        ("Trusted", _trusted(evidence)),
        ("Host header", evidence.get("host_header")),
        ("Request", evidence.get("request")),
        ("Status code", evidence.get("status_code")),
        ("TLS", " ".join(str(tls[key]) for key in ("version", "cipher") if tls.get(key))),
    ]
    return [{"label": label, "value": str(value)} for label, value in facts if value]


def _trusted(evidence: dict[str, Any]) -> str:
    """Whom the setting trusts, with the thumbprints of what was uploaded."""
    trust = evidence.get("trust") or {}
    words = TRUST.get(trust.get("kind", ""), "")
    uploaded = "; ".join(f"{one['name']} ({one['thumbprint']})" for one in _trusts(evidence))
    return f"{words}: {uploaded or 'none'}" if trust.get("kind") in ("pinned", "roots") else words


def _trusts(evidence: dict[str, Any]) -> list[dict[str, str]]:
    """The uploaded certificates that the setting trusts: name and thumbprint."""
    return (evidence.get("trust") or {}).get("certificates") or []


def _chain(evidence: dict[str, Any]) -> list[dict[str, Any]]:
    """The presented certificates, the one at fault marked."""
    guilty = evidence.get("at_fault")
    return [
        {
            **certificate,
            "what": ROLE_WORDS[certificate["role"]],
            "not_before": datetime.fromisoformat(certificate["not_before"]),
            "not_after": datetime.fromisoformat(certificate["not_after"]),
            "at_fault": position == guilty,
        }
        for position, certificate in enumerate(evidence.get("chain") or [])
    ]


def _real_endpoint(gateway: ApplicationGateway, evidence: dict[str, Any]) -> Endpoint | None:
    """Where the dialed lab server listens on this machine; ``None`` for any other server."""
    address, _, port = str(evidence.get("dialed") or "").rpartition(":")
    if not address or ":" in address:
        return None  # lab servers have IPv4 addresses
    subnets = GatewayIPConfiguration.objects.filter(gateway=gateway).values("subnet")
    found = LabEndpoint.objects.filter(
        server__address=address,
        port=int(port),
        server__virtual_network__subnets__in=subnets,
    ).first()
    return Endpoint(found.real_host, found.real_port) if found else None
