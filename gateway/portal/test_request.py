"""Test request: one request to the gateway's own published listener, and its whole journey.

Only published ports of the very gateway are ever connected to; the user chooses a listener, never
an address.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from gateway.dataplane.exchange import Exchange
from gateway.portal.journey import Leg, answer_leg, client_legs
from gateway.portal.log_lines import LogLine
from gateway.portal.onward import find_line, onward_legs
from gateway.portal.pages import Page, PortalRequest, gateway_page
from gateway.portal.request_form import Door, RequestForm, doors_of
from gateway.portal.travel import travel

# Seconds that an answer waits for the access log; afterwards the page asks by itself.
PATIENCE = 1.5
MOST_LOOKS = 20
SHOWN_BODY = 4000
_ID = re.compile(r"[0-9a-f]{32}\Z")

# A web thread waits for each of them, so a few people together must not hold all threads.
_at_once = threading.BoundedSemaphore(4)


@dataclass(frozen=True, slots=True)
class Journey:
    """One request of the way: ``line`` is what the access log says of it, ``None`` if nothing yet;
    ``ended`` says why a redirect was not followed."""

    seen: Exchange
    client: tuple[Leg, ...]
    answer: Leg
    line: LogLine | None
    onward: tuple[Leg, ...]
    awaited: bool
    body: str
    headers: str
    ended: str = ""


@gateway_page
@sensitive_post_parameters("password", "text")
def index(request: PortalRequest, page: Page) -> HttpResponse:
    """The form, and the journey of what it asked; by htmx the journey alone."""
    doors = doors_of(page)
    if request.method != "POST":
        wanted = request.GET.get("listener", "")
        initial = {"listener": wanted} if wanted in {door.name for door in doors} else {}
        return _page(page, RequestForm(doors, request.user.pk, initial=initial), doors)
    form = RequestForm(doors, request.user.pk, request.POST, request.FILES)
    if not form.is_valid():
        return _page(page, form, doors, status=422)
    if not _at_once.acquire(blocking=False):
        form.add_error(None, "Other test requests are still running. Try again in a moment.")
        return _page(page, form, doors, status=422)
    try:
        seen = list(travel(form.ask(), doors, follow=form.cleaned_data["follow"]))
        lines = _await_lines(page, [one for one, _ in seen])
    finally:
        _at_once.release()
    journeys = [_journey(page, one, ended, lines) for one, ended in seen]
    return _page(page, form, doors, journeys=journeys)


@gateway_page
def onward(request: PortalRequest, page: Page, request_id: str) -> HttpResponse:
    """The legs behind the listener, once the access log has them: a part of the page."""
    if not _ID.match(request_id):
        raise Http404("No test request has this id.")
    looks = request.GET.get("looks", "")
    number = int(looks) if looks.isascii() and looks.isdigit() and len(looks) < 4 else 0
    line = find_line(page.gateway, request_id)
    context = {
        "page": page,
        "legs": onward_legs(page, line) if line else (),
        "line": line,
        "line_url": page.url("access-log-line", str(line.pk)) if line else "",
        "awaited": line is None and number < MOST_LOOKS,
        "next_url": f"{page.url('test-request-onward', request_id)}?looks={number + 1}",
    }
    return page.render("portal/traffic/onward.html", context)


def _page(
    page: Page,
    form: RequestForm,
    doors: Sequence[Door],
    *,
    journeys: Sequence[Journey] = (),
    status: int = 200,
) -> HttpResponse:
    context = page.blade(
        "test-request",
        form=form,
        doors=doors,
        journeys=[
            (
                journey,
                page.url("test-request-onward", journey.seen.ask.request_id),
                page.url("access-log-line", str(journey.line.pk)) if journey.line else "",
            )
            for journey in journeys
        ],
        log_url=page.url("access-log"),
    )
    is_part = page.request.htmx and page.request.method == "POST"
    partial = "portal/traffic/journeys.html"
    return page.render(
        partial if is_part else "portal/traffic/test_request.html", context, status=status
    )


def _await_lines(page: Page, seen: Sequence[Exchange]) -> dict[str, LogLine]:
    """The log's lines of the requests that the gateway answered; waits :data:`PATIENCE`."""
    wanted = {one.ask.request_id for one in seen if _is_logged(one)}
    found: dict[str, LogLine] = {}
    until = time.monotonic() + PATIENCE
    while wanted - found.keys():
        for request_id in wanted - found.keys():
            line = find_line(page.gateway, request_id)
            if line is not None:
                found[request_id] = line
        if time.monotonic() >= until or not wanted - found.keys():
            break
        time.sleep(0.1)
    return found


def _is_logged(seen: Exchange) -> bool:
    return seen.trouble is None or seen.trouble.stage == "answer"


def _journey(page: Page, seen: Exchange, ended: str, lines: dict[str, LogLine]) -> Journey:
    line = lines.get(seen.ask.request_id)
    reply = seen.reply
    return Journey(
        seen=seen,
        client=client_legs(seen, timezone.now()),
        answer=answer_leg(seen),
        line=line,
        onward=onward_legs(page, line) if line else (),
        awaited=line is None and _is_logged(seen),
        body=reply.body[:SHOWN_BODY].decode("utf-8", "replace") if reply else "",
        headers="\n".join(f"{key}: {value}" for key, value in reply.headers) if reply else "",
        ended=ended,
    )
