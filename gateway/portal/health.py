"""Backend health: the verdict on each server and its reason, refreshed live."""

from __future__ import annotations

from django.http import HttpResponse

from gateway.health.reading import FAILING, verdicts_of
from gateway.models import Verdict
from gateway.portal.pages import Page, PortalRequest, gateway_page
from gateway.portal.troubleshoot import LATER, SOON


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    """The blade; asked for by htmx, the table alone."""
    status, number = request.GET.get("status", ""), request.GET.get("page", "")
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    search = " ".join(request.GET.get("q", "").split())[:100]
    health = verdicts_of(page.gateway, status=status, search=search, page=wanted)
    counts = (
        (Verdict.Status.HEALTHY, health.healthy, "success"),
        (Verdict.Status.UNHEALTHY, health.unhealthy, "error"),
        (Verdict.Status.UNKNOWN, health.unknown, "unknown"),
    )
    context = page.blade(
        "health",
        health=health,
        rows=[(row, page.url("health-detail", str(row.pk))) for row in health.rows],
        status=status if status in {*Verdict.Status.values, FAILING} else "",
        failing_url=f"{page.url('health')}?status={FAILING}",
        search=search,
        cards=counts,
        blade_url=page.url("health"),
        every=SOON if health.pending else LATER,
    )
    partial = "portal/health/table.html"
    return page.render(partial if request.htmx else "portal/health/index.html", context)
