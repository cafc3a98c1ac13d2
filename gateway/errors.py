"""Answers to what goes wrong before or outside a view, in words that help.

They must come out whatever is broken: a page is first rendered with the frame of the signed-in
user, then without anything that needs a database, at last as plain HTML written here. A door that
speaks to programs has a form of its own, declared by the beginning of its addresses in
``GATEWRIGHT_ERROR_FORMS``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
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
from django.utils.module_loading import import_string

from gateway.busy import RETRY_SECONDS, is_busy, is_full
from gateway.uploads import BodyTooLargeError, body_limit

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """What the answer says: what happened, and what to do about it."""

    status: int
    title: str
    message: str
    remedy: str = ""


# How a door says it: the request and the notice in, the answer with the notice's status out.
Form = Callable[[HttpRequest, Notice], HttpResponse]


def respond(request: HttpRequest, notice: Notice) -> HttpResponse:
    """The notice in the form of the door that was knocked at."""
    response = _form(request.path)(request, notice)
    if notice.status == 429:
        response.headers["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    if notice.status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _form(path: str) -> Form:
    forms: dict[str, str] = settings.GATEWRIGHT_ERROR_FORMS
    door = max((start for start in forms if path.startswith(start)), key=len, default=None)
    if door is None:
        return page
    found: Form = import_string(forms[door])
    return found


def page(request: HttpRequest, notice: Notice) -> HttpResponse:
    """The notice as a page, or as a toast where htmx asked for a part of a page."""
    partial = bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted")
    template = "errors/toast.html" if partial else "errors/page.html"
    return HttpResponse(_render(request, template, notice), status=notice.status)


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
            "What was sent did not arrive in time. Nothing was saved.",
            "Look at your connection and send it again.",
        ),
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 where the reason is size, or what :func:`storage` says of a lost session."""
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
                "It was asked for under a name or address that it was not told of.",
                "Use the address that the server printed at its start, or start it with --host "
                "and --name so that it knows this one too.",
            ),
        )
    return respond(
        request,
        Notice(
            400,
            "The request cannot be read",
            "What was sent is incomplete or damaged. Nothing was saved.",
            "Go back, load the page again and repeat the last step.",
        ),
    )


def _session_lost(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The view has ended and its session cannot be saved: locked, or signed out meanwhile."""
    told = storage(request, exception, answered=True)
    return told or respond(
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


def not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    """405 for a method that the address does not know; ``allowed`` lists those it does."""
    response = respond(
        request,
        Notice(
            405,
            "This address does not work that way",
            f"It takes {allowed}, and was asked by {request.method}. Nothing was saved.",
            "Go there by the links and buttons of the portal.",
        ),
    )
    response.headers["Allow"] = allowed
    return response


def storage(
    request: HttpRequest, exception: BaseException | None, *, answered: bool = False
) -> HttpResponse | None:
    """503 while the database is locked or away, 507 while the disk is full, else ``None``.

    Asks nothing of either. ``answered`` is true where the view had ended already, which may have
    saved something.
    """
    if is_full(exception):
        notice = Notice(
            507,
            "The disk is full",
            f"The portal has no room left to write anything. {_saved(request, answered)}".strip(),
            "Tell whoever runs this installation: its data directory needs room.",
        )
    elif is_busy(exception):
        remedy = "Try again in a few seconds."
        if answered and not _asks(request):
            remedy = "Look whether it was before you send it again."
        notice = Notice(
            503,
            "The portal is busy",
            f"Its database did not answer in time. {_saved(request, answered)}".strip(),
            remedy,
        )
    else:
        return None
    return respond(request, notice)


def _asks(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD")


def _saved(request: HttpRequest, answered: bool) -> str:
    if _asks(request):
        return ""
    if answered:
        return "Your change was already worked on: it may have been saved."
    return "Nothing was saved."


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or what :func:`storage` says where that is to blame; touches neither."""
    # Django calls this while it handles the exception. What a view raises is answered before by
    # gateway.http.storage_failures; what is left comes from saving the session after the view.
    told = storage(request, sys.exception(), answered=True)
    return told or respond(
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
