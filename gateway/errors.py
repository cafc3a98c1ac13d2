"""Pages for what goes wrong before or outside a view, in words that help.

They must come out whatever is broken: a page is first rendered with the frame of the signed-in
user, then without anything that needs a database, at last as plain HTML written here.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from html import escape
from typing import Any

from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import (
    DisallowedHost,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from gateway.busy import RETRY_SECONDS, is_busy
from gateway.uploads import BodyTooLargeError, body_limit

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """What the page says: what happened, and what to do about it."""

    status: int
    title: str
    message: str
    remedy: str = ""


def respond(request: HttpRequest, notice: Notice) -> HttpResponse:
    """The notice as a page, or as a toast where htmx asked for a part of a page."""
    partial = bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted")
    template = "errors/toast.html" if partial else "errors/page.html"
    response = HttpResponse(_render(request, template, notice), status=notice.status)
    if notice.status == 429:
        response.headers["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    if notice.status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _render(request: HttpRequest, template: str, notice: Notice) -> str:
    context = {"notice": notice}
    # Without a user there is no frame to show, and after a fault there may be no database.
    if hasattr(request, "user") and notice.status < 500:
        try:
            return render_to_string(template, context, request)
        except Exception:
            log.exception("The page for status %d was drawn without its frame", notice.status)
    try:
        return render_to_string(template, context)
    except Exception:
        log.exception("The page for status %d was drawn without its template", notice.status)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{escape(notice.title)}</title><h1>{escape(notice.title)}</h1>"
        f"<p>{escape(notice.message)}</p><p>{escape(notice.remedy)}</p>"
        '<p><a href="/portal/">To the portal</a></p></html>'
    )


def too_large(request: HttpRequest, limit: int) -> HttpResponse:
    """413 for a body above ``limit`` bytes."""
    size = f"{limit // 1024**2} MB" if limit >= 1024**2 else f"{limit // 1024} KB"
    return respond(
        request,
        Notice(
            413,
            "That is too much at once",
            f"The files and fields sent are larger than the {size} this page takes. "
            "Nothing was saved.",
            "Certificate files are a few kilobytes: check that you chose the right one.",
        ),
    )


def length_required(request: HttpRequest) -> HttpResponse:
    """411 for a body that comes without its length."""
    return respond(
        request,
        Notice(
            411,
            "The length is missing",
            "What was sent does not say how long it is. Nothing was saved.",
            "Browsers always send the length; let your program send Content-Length, too.",
        ),
    )


def too_slow(request: HttpRequest) -> HttpResponse:
    """408 for a body that took too long to arrive."""
    return respond(
        request,
        Notice(
            408,
            "That took too long",
            "What your browser sends did not arrive in time. Nothing was saved.",
            "Look at your connection and send it again.",
        ),
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 where the reason is size, or 503 where the database is busy."""
    if isinstance(exception, SessionInterrupted):
        return _session_lost(request, exception)
    if isinstance(exception, BodyTooLargeError):
        return too_large(request, exception.limit)
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return too_large(request, body_limit(request.path))
    if isinstance(exception, DisallowedHost):
        log.warning("Refused a request for another host's name at %s", request.path)
        return respond(
            request,
            Notice(
                400,
                "The portal does not go by this name",
                "Your browser asked for it under a name or address that it was not told of.",
                "Use the address that the server printed at its start, or start it with --host "
                "and --name so that it knows this one too.",
            ),
        )
    return respond(
        request,
        Notice(
            400,
            "The request cannot be read",
            "What your browser sent is incomplete or damaged. Nothing was saved.",
            "Go back, load the page again and repeat the last step.",
        ),
    )


def _session_lost(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The view has ended and its session cannot be saved: locked, or signed out meanwhile."""
    if is_busy(exception):
        return busy(request, answered=True)
    return respond(
        request,
        Notice(
            400,
            "You were signed out meanwhile",
            "Your session ended while this was worked on: it may have been saved.",
            "Sign in and look whether it was before you send it again.",
        ),
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403, with the reason that the view gave."""
    return respond(
        request,
        Notice(
            403,
            "You may not do this",
            str(exception) or "Your role does not allow this.",
            "An owner of the subscription can give you a role that does.",
        ),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404; the same for what never was and for what the user may not see."""
    return respond(
        request,
        Notice(
            404,
            "There is nothing here",
            "What this address names does not exist, was deleted, or is not yours to see.",
            "Start from All resources, which lists everything you can open.",
        ),
    )


def busy(request: HttpRequest, *, answered: bool = False) -> HttpResponse:
    """503 while the database is locked or away; asks nothing of it.

    ``answered`` is true where the view had ended already, which may have saved something.
    """
    saved, remedy = "Nothing was saved.", "Try again in a few seconds."
    if request.method in ("GET", "HEAD"):
        saved = ""
    elif answered:
        saved = "Your change was already worked on: it may have been saved."
        remedy = "Look whether it was before you send it again."
    message = f"Its database did not answer in time. {saved}".strip()
    return respond(request, Notice(503, "The portal is busy", message, remedy))


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 where the database is to blame; touches none."""
    # Django calls this while it handles the exception. What a view raises is answered before by
    # gateway.http.busy_database; what is left comes from saving the session after the view.
    if is_busy(sys.exception()):
        return busy(request, answered=True)
    return respond(
        request,
        Notice(
            500,
            "Gatewright made a mistake",
            "The fault is ours, not yours, and has been written to the log.",
            "Load the page again. If it stays, tell whoever runs this installation the time: "
            "the log shows the reason.",
        ),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that does not belong to the present session."""
    log.warning("Refused a form at %s: %s", request.path, reason)
    return respond(
        request,
        Notice(
            403,
            "This form has expired",
            "It was opened before you signed in or out, or your browser holds back cookies. "
            "Nothing was saved.",
            "Load the page again and repeat the last step.",
        ),
    )


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """429 after too many wrong passwords for one name from one address."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    return respond(
        request,
        Notice(
            429,
            "Too many wrong passwords",
            f"Sign-in under this name is closed from your address for {minutes} minutes.",
            "Wait, or use a sign-in link: every start of the server prints one.",
        ),
    )
