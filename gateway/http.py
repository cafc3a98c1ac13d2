"""What every answer carries and what every request must keep to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BytesIO
from urllib.parse import unquote

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from gateway import errors
from gateway.busy import is_busy
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

# The answer to an oversized upload goes out at once, but a browser looks at it only when it has
# sent everything: somebody has to read that. Beyond this many bytes nobody does, and the browser
# sees a closed connection instead.
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
    """Middleware: take in a body whose announced length is within the limit of its path.

    413 for more, 411 without a length, 400 for one that breaks off: half a form must not be saved.
    Django reads no byte beyond the announced length, so the limit holds for every request; the
    upload handler counts what really arrives all the same.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        limit = limit_of(request.path)
        length = request.META.get("CONTENT_LENGTH") or ""
        announced = int(length[:18]) if length.isascii() and length.isdigit() else 0
        if announced > limit:
            refusal = errors.too_large(request, limit)
            return _Draining(refusal, partial(_drain, request, min(announced, DRAINED)))
        if not length and _sends(request):
            return errors.length_required(request)
        if announced:
            try:
                body = request._stream.read(announced)
            except OSError:
                body = b""
            if len(body) < announced:
                return errors.bad_request(request, SuspiciousOperation())
            request._stream = BytesIO(body)
        return get_response(request)

    return middleware


def _sends(request: HttpRequest) -> bool:
    """Whether a request without a length has a body all the same."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return True
    # HTTP/2 knows no chunks; who names a type has something to send.
    return request.method in ("POST", "PUT", "PATCH") and bool(request.META.get("CONTENT_TYPE"))


def busy_database(get_response: Handler) -> Handler:
    """Middleware: 503 in words where a view finds the database locked or away."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.busy(request) if is_busy(exception) else None

    # Where Django looks for it: views are asked inside of all middleware.
    middleware.process_exception = process_exception  # type: ignore[attr-defined]
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


class _Draining(HttpResponse):
    """A response that is sent at once; what the client still sends is read afterwards."""

    def __init__(self, response: HttpResponse, drain: Callable[[], None]) -> None:
        super().__init__(response.content, status=response.status_code, headers=response.headers)
        self.drain = drain

    def close(self) -> None:
        """Called by the web server when the last byte of the response is on its way."""
        self.drain()
        super().close()


def _drain(request: HttpRequest, length: int) -> None:
    while length > 0:
        try:
            chunk = request.read(min(length, 65536))
        except OSError:
            return
        if not chunk:
            return
        length -= len(chunk)
