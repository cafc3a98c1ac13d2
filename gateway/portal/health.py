"""Backend health: the verdict on each server, its reason and the evidence, refreshed live."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse

from certificates.x509.certificate import ROLE_WORDS
from gateway.health.reading import HealthRow, verdict_of, verdicts_of
from gateway.models import Verdict
from gateway.portal.pages import Page, PortalRequest, gateway_page

# Seconds between two looks at the table while a verdict is awaited, and afterwards.
SOON, LATER = 1, 5


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    """The blade; asked for by htmx, the table alone."""
    status, number = request.GET.get("status", ""), request.GET.get("page", "")
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    health = verdicts_of(page.gateway, status=status, page=wanted)
    counts = (
        (Verdict.Status.HEALTHY, health.healthy, "success"),
        (Verdict.Status.UNHEALTHY, health.unhealthy, "error"),
        (Verdict.Status.UNKNOWN, health.unknown, "unknown"),
    )
    context = page.blade(
        "health",
        health=health,
        rows=[(row, page.url("health-detail", str(row.pk))) for row in health.rows],
        status=status if status in Verdict.Status.values else "",
        cards=counts,
        blade_url=page.url("health"),
        every=SOON if health.pending else LATER,
    )
    partial = "portal/health/table.html"
    return page.render(partial if request.htmx else "portal/health/index.html", context)


def _verdict(page: Page, number: int) -> HealthRow:
    found = verdict_of(page.gateway, number)
    if found is None:
        raise Http404("This server is no longer probed: its pool, setting or rule has changed.")
    return found


@gateway_page
def detail(request: PortalRequest, page: Page, verdict: int) -> HttpResponse:
    """The evidence of one verdict: stages with timings, names, the presented chain."""
    row = _verdict(page, verdict)
    context = page.pane(
        "health",
        row.server,
        row=row,
        stages=row.evidence.get("stages", []),
        facts=_facts(row.evidence),
        chain=_chain(row.evidence),
        chain_url=page.url("health-chain", str(row.pk)),
        setting_url=page.url("http-settings-edit", row.setting),
        every=SOON if row.rechecking else LATER,
    )
    partial = "portal/health/evidence.html"
    return page.render(partial if request.htmx else "portal/health/detail.html", context)


def _facts(evidence: dict[str, Any]) -> list[dict[str, str]]:
    """What was asked and answered, as label and value."""
    tls = evidence.get("tls") or {}
    dns = evidence.get("dns") or {}
    facts = [
        ("Name resolution", ", ".join(dns.get("addresses", []))),
        ("Connected to", evidence.get("dialed")),
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


TRUST = {
    "pinned": "the uploaded authentication certificates",
    "roots": "the uploaded roots",
    "well-known": "the well-known certificate authorities",
    "app-service": "the well-known certificate authorities (Use for App service)",
}


def _trusted(evidence: dict[str, Any]) -> str:
    """Whom the setting trusts, with the thumbprints of what was uploaded."""
    trust = evidence.get("trust") or {}
    words = TRUST.get(trust.get("kind", ""), "")
    uploaded = "; ".join(
        f"{one['name']} ({one['thumbprint']})" for one in trust.get("certificates") or []
    )
    return f"{words}: {uploaded or 'none'}" if trust.get("kind") in ("pinned", "roots") else words


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
