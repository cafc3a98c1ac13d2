"""What every answer carries and what every request must keep to."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponseBase

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

# A browser shows the answer to an oversized upload only when somebody reads what it still sends.
# Beyond this many bytes nobody does, and it sees a closed connection instead.
DRAINED = 32 * 1024 * 1024


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
    """Middleware: refuse a body whose announced length is above the limit of its path.

    Django reads no byte beyond the announced length, so this holds for every request; the upload
    handler counts what really arrives all the same.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        limit = limit_of(request.path)
        length = request.META.get("CONTENT_LENGTH") or "0"
        announced = int(length[:18]) if length.isascii() and length.isdigit() else 0
        if announced <= limit:
            return get_response(request)
        _drain(request, min(announced, DRAINED))
        return errors.too_large(request, limit)

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


def _drain(request: HttpRequest, length: int) -> None:
    while length > 0:
        try:
            chunk = request.read(min(length, 65536))
        except OSError:
            return
        if not chunk:
            return
        length -= len(chunk)
