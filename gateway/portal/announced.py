"""What the compiler announces: where the engine differs from what is configured, and why."""

from __future__ import annotations

import logging

from django.http import HttpResponse

from gateway.dataplane.compile import compile_gateway
from gateway.dataplane.inputs import gather
from gateway.models import ApplicationGateway
from gateway.portal.pages import Page, PortalRequest, gateway_page
from gateway.portal.places import url_of
from gateway.problems import Problem

logger = logging.getLogger(__name__)

# A gateway with hundreds of sites may have a note on each.
MOST = 50


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    """The notes; asked for by htmx, they alone, as a part of the Overview."""
    notes = notes_of(page.gateway)
    shown = [(note, url_of(page, note.target)) for note in (notes or ())[:MOST]]
    context = page.pane(
        "overview",
        "What the engine does differently",
        notes=shown,
        failed=notes is None,
        more=max(len(notes or ()) - MOST, 0),
    )
    partial = "portal/traffic/notes.html"
    return page.render(partial if request.htmx else "portal/traffic/announced.html", context)


def notes_of(gateway: ApplicationGateway) -> tuple[Problem, ...] | None:
    """The notes on the gateway as it is saved; ``None`` if it cannot be compiled at all."""
    try:
        return compile_gateway(gather(gateway)).notes
    except Exception:
        # A fault of ours; the agents are told the same, and the page stays usable.
        logger.exception("Gateway %s could not be compiled.", gateway.pk)
        return None
