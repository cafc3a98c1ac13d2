"""A page on every problem that Gatewright can report."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from certificates.x509.problems import KINDS
from gateway.health import catalogue  # noqa: F401  (declares the causes of bad health)
from gateway.operations import put  # noqa: F401  (declares what only a whole document gets wrong)
from gateway.portal.pages import Crumb, PortalRequest
from gateway.rules import traffic  # noqa: F401  (declares where a probe and requests part)


@login_required
def index(request: PortalRequest) -> HttpResponse:
    context = {
        "crumbs": [Crumb("Home", reverse("portal:home"))],
        "icon": "help",
        "title": "Problems and remedies",
        "close_url": reverse("portal:home"),
        "kinds": sorted(KINDS.values(), key=lambda kind: kind.title.lower()),
    }
    return render(request, "portal/help_index.html", context)


@login_required
def kind(request: PortalRequest, id: str) -> HttpResponse:
    found = KINDS.get(id)
    if found is None:
        raise Http404(f"No problem has the id “{id}”.")
    context = {
        "crumbs": [
            Crumb("Home", reverse("portal:home")),
            Crumb("Problems and remedies", reverse("portal:help-index")),
        ],
        "icon": "help",
        "title": found.title,
        "subtitle": found.id,
        "close_url": reverse("portal:help-index"),
        "kind": found,
    }
    return render(request, "portal/help.html", context)
