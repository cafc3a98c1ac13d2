"""What every answer carries and what every request must keep to."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from urllib.parse import unquote

from django.core.exceptions import SuspiciousOperation
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
)

from gateway import errors
from gateway.uploads import body_limit as limit_of

Handler = Callable[[HttpRequest], HttpResponseBase]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
)

# Stands in the environment of a request whose body did not arrive in time.
LATE = "gatewright.late"


def security_headers(get_response: Handler) -> Handler:
    """Middleware: nothing runs or loads but our own files, and nobody keeps our answers."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def body_limit(get_response: Handler) -> Handler:
    """Middleware: take a body that came whole, in time and within the limit of its path.

    413 for more, 411 without a length, 408 for one that was not awaited any longer and 400 for one
    that breaks off: half a form must not be saved. Django reads no byte beyond the announced
    length, so the limit holds for every request; the upload handler counts what really arrives all
    the same.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        limit = limit_of(request.path)
        length = request.META.get("CONTENT_LENGTH") or ""
        announced = announced_length(length)
        if announced > limit:
            return errors.too_large(request, limit)
        if not length and _sends(request):
            return errors.length_required(request)
        if request.META.get(LATE):
            return errors.too_slow(request)
        if announced:
            body = request._stream.read(announced)
            if len(body) < announced:
                return errors.bad_request(request, SuspiciousOperation())
            request._stream = BytesIO(body)
        return get_response(request)

    return middleware


def announced_length(header: str) -> int:
    """The bytes that a Content-Length announces; 0 for none and for what is no length."""
    return int(header[:18]) if header.isascii() and header.isdigit() else 0


def _sends(request: HttpRequest) -> bool:
    """Whether a request without a length has a body all the same."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return True
    # HTTP/2 knows no chunks; who names a type has something to send.
    return request.method in ("POST", "PUT", "PATCH") and bool(request.META.get("CONTENT_TYPE"))


def storage_failures(get_response: Handler) -> Handler:
    """Middleware: words where a view finds the database locked or away, or the disk full."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.storage(request, exception)

    # Where Django looks for it: views are asked inside of all middleware.
    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def method_refused(get_response: Handler) -> Handler:
    """Middleware: words for a method that a view does not take; Django's answer is empty."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return errors.not_allowed(request, response.headers["Allow"])
        return response

    return middleware


def nul_refused(get_response: Handler) -> Handler:
    """Middleware: answer an address with a NUL (404) or such a query (400) before any view.

    PostgreSQL has no text with a NUL, so no name can hold one and looking for it is an error.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path_info:
            return errors.not_found(request, Http404())
        if "\0" in unquote(request.META.get("QUERY_STRING", "")):
            return errors.bad_request(request, SuspiciousOperation())
        return get_response(request)

    return middleware
