"""Advisor: what is allowed and still worth a word, before any traffic."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone

from gateway.models import load_gateway
from gateway.portal.pages import Page, PortalRequest, gateway_page
from gateway.portal.places import url_of
from gateway.rules import check
from gateway.rules.advice import advise

# What has passed is shown first, and in red.
PASSED = {"certificate-expired"}


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    loaded = load_gateway(page.gateway)
    now = timezone.now()
    found = [*check(loaded, now=now), *advise(loaded, now=now)]
    found.sort(key=lambda problem: problem.id not in PASSED)
    context = page.blade(
        "advisor",
        findings=[
            (one, one.id in PASSED or one.is_error, url_of(page, one.target)) for one in found
        ],
    )
    return page.render("portal/advisor.html", context)
