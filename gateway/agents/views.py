"""What agents ask for. JSON over HTTPS with a credential of their own; no session, no cookie.

Answers hold private keys: they are never logged and may not be kept by anything in between.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from gateway.agents import register, reports
from gateway.agents.bundles import Bundles
from gateway.errors import Notice
from gateway.models import Agent

View = Callable[..., HttpResponse]
# How an agent says that it can put an answer together from the one that it has and a part.
PARTS = "gateways"

_bundles = Bundles()


def _over_https(view: View) -> View:
    """Refuse plain HTTP, under which keys would travel readable; never cached anywhere."""

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        if settings.GATEWRIGHT_SCHEME != "https":
            answer: HttpResponse = _refusal(403, "Agents are answered over HTTPS only.")
        else:
            answer = view(request)
        answer["Cache-Control"] = "no-store"
        return answer

    return wrapped


def _by_credential(view: View) -> View:
    """Hand over the agent whose credential was sent."""

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
        agent = register.known(credential.strip()) if scheme.lower() == "bearer" else None
        if agent is None:
            answer = _refusal(401, "The agent is not known here, or its credential was revoked.")
            answer["WWW-Authenticate"] = "Bearer"
            return answer
        return view(request, agent)

    return wrapped


@csrf_exempt
@require_POST
@_over_https
def enrol(request: HttpRequest) -> HttpResponse:
    """Trade a single-use token for a credential: {token} → 201 {credential, name}."""
    content = _json(request)
    token = content.get("token") if isinstance(content, dict) else None
    if not isinstance(token, str):
        return _refusal(400, "A token is needed.")
    enrolled = register.enrol(token, now=timezone.now())
    if enrolled is None:
        return _refusal(403, "The token is unknown, was used already, or is too old.")
    agent, credential = enrolled
    return JsonResponse({"credential": credential, "name": agent.name}, status=201)


@csrf_exempt
@require_GET
@_over_https
@_by_credential
def bundle(request: HttpRequest, agent: Agent) -> HttpResponse:
    """The configuration of the agent's gateways; 304 if it is the one with If-None-Match.

    With ``A-IM: gateways`` it may be 226 and the difference to that one (RFC 3229).
    """
    register.seen(agent, now=timezone.now())
    asked = request.headers.get("If-None-Match", "")
    parts = request.headers.get("A-IM", "") == PARTS
    answer = _bundles.answer(agent, asked, parts=parts)
    if answer.body:
        status = 226 if answer.partial else 200
        response = HttpResponse(answer.body, content_type="application/json", status=status)
        if answer.partial:
            response["IM"] = PARTS
    else:
        response = HttpResponse(status=304)
    response["ETag"] = answer.etag
    return response


@csrf_exempt
@require_POST
@_over_https
@_by_credential
def report(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Take in a report; 204, or 400 if it is none."""
    try:
        reports.take_in(agent, _json(request), now=timezone.now())
    except reports.BadReportError as error:
        return _refusal(400, str(error))
    return HttpResponse(status=204)


def told(request: HttpRequest, notice: Notice) -> HttpResponse:
    """What went wrong before or outside a view, in the form of this door's own refusals."""
    return _refusal(notice.status, f"{notice.title}. {notice.message}")


def _json(request: HttpRequest) -> Any:
    """The body as JSON; ``None`` if it is none."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return None


def _refusal(status: int, message: str) -> JsonResponse:
    return JsonResponse({"error": message}, status=status)
