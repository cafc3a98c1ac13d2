"""Backend health: the verdict on each server, its reason and the evidence, refreshed live."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404

from certificates.x509.problems import KINDS, Kind
from gateway.models import HealthPlan, Verdict
from gateway.portal.pages import Page, PortalRequest, gateway_page

ROWS_PER_PAGE = 100
# Seconds between two looks at the table while a verdict is awaited, and afterwards.
SOON, LATER = 1, 5


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a verdict with its words."""

    verdict: Verdict
    kind: Kind | None
    url: str

    @property
    def status(self) -> str:
        return str(self.verdict.status)

    @property
    def pending(self) -> bool:
        return self.verdict.rechecking

    @property
    def details(self) -> str:
        if self.verdict.message:
            return self.verdict.message
        return self.kind.title if self.kind else ""


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    """The blade; asked for by htmx, the table alone."""
    context = page.blade("health", **_report(page))
    partial = "portal/health/table.html"
    return page.render(partial if request.htmx else "portal/health/index.html", context)


def _report(page: Page) -> dict[str, Any]:
    verdicts = Verdict.objects.filter(gateway=page.gateway)
    states = list(verdicts.order_by().values_list("status", "rechecking"))
    wanted = page.request.GET.get("status", "")
    shown = verdicts.filter(status=wanted) if wanted in Verdict.Status.values else verdicts
    ordered = shown.select_related("address__pool", "settings").order_by(
        "address__pool__position", "address__position", "settings__position", "pk"
    )
    shelf = Paginator(ordered.defer("evidence"), ROWS_PER_PAGE)
    rows = shelf.get_page(page.request.GET.get("page"))
    counts = Counter(status for status, _ in states)
    latest = max((one.checked_at for one in rows if one.checked_at), default=None)
    return {
        "rows": [_row(page, one) for one in rows],
        "shelf": rows,
        "status": wanted,
        "total": len(states),
        "cards": [
            (label, counts[label], icon)
            for label, icon in (
                (Verdict.Status.HEALTHY, "success"),
                (Verdict.Status.UNHEALTHY, "error"),
                (Verdict.Status.UNKNOWN, "unknown"),
            )
        ],
        "every": SOON if any(pending for _, pending in states) or _unplanned(page) else LATER,
        "latest": latest,
    }


def _unplanned(page: Page) -> bool:
    """Whether the prober has not yet seen the newest generation of the gateway."""
    planned = HealthPlan.objects.filter(gateway=page.gateway).values_list("generation", flat=True)
    return page.gateway.generation not in planned


def _row(page: Page, verdict: Verdict) -> Row:
    return Row(verdict, KINDS.get(verdict.error_id), page.url("health-detail", str(verdict.pk)))


def _verdict(page: Page, number: int) -> Verdict:
    verdicts = Verdict.objects.select_related("address__pool", "settings")
    return get_object_or_404(verdicts, pk=number, gateway=page.gateway)


@gateway_page
def detail(request: PortalRequest, page: Page, verdict: int) -> HttpResponse:
    """The evidence of one verdict: stages with timings, names, the presented chain."""
    found = _verdict(page, verdict)
    evidence = found.evidence
    context = page.pane(
        "health",
        found.address.target,
        row=_row(page, found),
        verdict=found,
        evidence=evidence,
        stages=evidence.get("stages", []),
        facts=_facts(evidence),
        chain=_chain(evidence),
        chain_url=page.url("health-chain", str(found.pk)),
        setting_url=page.url("http-settings-edit", found.settings.name),
        every=SOON if found.rechecking else LATER,
        wide=True,
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
        ("Host header", evidence.get("host_header")),
        ("Request", evidence.get("request")),
        ("Status code", evidence.get("status_code")),
        ("TLS", " ".join(str(tls[key]) for key in ("version", "cipher") if tls.get(key))),
    ]
    return [{"label": label, "value": str(value)} for label, value in facts if value]


def _chain(evidence: dict[str, Any]) -> list[dict[str, Any]]:
    """The presented certificates, the one at fault marked."""
    guilty = evidence.get("at_fault")
    return [
        {**certificate, "at_fault": position == guilty}
        for position, certificate in enumerate(evidence.get("chain") or [])
    ]


@gateway_page
def chain(request: PortalRequest, page: Page, verdict: int) -> HttpResponse:
    """The presented chain as a PEM file."""
    found = _verdict(page, verdict)
    texts = [one["pem"] for one in found.evidence.get("chain") or [] if one.get("pem")]
    if not texts:
        raise Http404("The server presented no certificate.")
    response = HttpResponse("".join(texts), content_type="application/x-pem-file")
    name = found.address.target.replace(":", "-")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-chain.pem"'
    return response
