"""Access log: what the gateway did with each request, newest first, followed while one looks."""

from __future__ import annotations

from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header

from gateway.models import AccessLogLine, HttpListener
from gateway.portal.log_lines import line_of
from gateway.portal.onward import onward_legs
from gateway.portal.pages import Page, PortalRequest, gateway_page
from gateway.portal.reasons import reason_of

SHOWN = 50
EVERY = 2
"""Seconds between two looks at the log."""

# First digit of a status → what the choice is called; 0 are requests that clients gave up.
CLASSES = {
    "2": "2xx Success",
    "3": "3xx Redirects",
    "4": "4xx Refused",
    "5": "5xx Failed",
    "0": "No answer",
}


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    """The blade; asked for by htmx, the table alone."""
    listener, status = _filters(request)
    found = _lines(page, listener, status)[: SHOWN + 1]
    lines = [line_of(row) for row in found]
    filters = urlencode({"listener": listener, "status": status})
    context = page.blade(
        "access-log",
        rows=[(line, page.url("access-log-line", str(line.pk))) for line in lines[:SHOWN]],
        more=len(lines) > SHOWN,
        shown=SHOWN,
        listeners=list(
            HttpListener.objects.filter(gateway=page.gateway).values_list("name", flat=True)
        ),
        classes=CLASSES.items(),
        listener=listener,
        status=status,
        every=EVERY,
        blade_url=page.url("access-log"),
        text_url=f"{page.url('access-log-text')}?{filters}",
        test_url=page.url("test-request"),
    )
    partial = "portal/traffic/log_table.html"
    return page.render(partial if request.htmx else "portal/traffic/access_log.html", context)


@gateway_page
def line(request: PortalRequest, page: Page, line: int) -> HttpResponse:
    """One request: every field of its line, and its way in words."""
    row = AccessLogLine.objects.filter(gateway=page.gateway, pk=line).first()
    if row is None:
        raise Http404("This line is no longer in the access log, which keeps the newest 1,000.")
    found = line_of(row)
    context = page.pane(
        "access-log",
        found.request or "Request",
        line=found,
        reason=reason_of(found.fields),
        legs=onward_legs(page, found),
    )
    return page.render("portal/traffic/log_line.html", context)


@gateway_page
def text(request: PortalRequest, page: Page) -> HttpResponse:
    """The lines that the filters leave, oldest first, as a text file."""
    rows = reversed(list(_lines(page, *_filters(request))))
    body = "".join(f"{line_of(row).as_text()}\n" for row in rows)
    response = HttpResponse(body, content_type="text/plain; charset=utf-8")
    disposition = content_disposition_header(
        as_attachment=True, filename=f"{page.gateway.name}-access.log"
    )
    if disposition:
        response.headers["Content-Disposition"] = disposition
    return response


def _filters(request: PortalRequest) -> tuple[str, str]:
    """(name of a listener or "", first digit of a status or "")."""
    status = request.GET.get("status", "")
    return request.GET.get("listener", "")[:80], status if status in CLASSES else ""


def _lines(page: Page, listener: str, status: str) -> QuerySet[AccessLogLine]:
    rows = AccessLogLine.objects.filter(gateway=page.gateway).order_by("-pk")
    if listener:
        rows = rows.filter(line__listenerName=listener)
    if status:
        first = int(status) * 100
        rows = rows.filter(line__httpStatus__gte=first, line__httpStatus__lt=first + 100)
    return rows
