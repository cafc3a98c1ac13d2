"""Addresses of the site: each room brings its own."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

handler400 = "gateway.errors.bad_request"
handler403 = "gateway.errors.permission_denied"
handler404 = "gateway.errors.not_found"
handler500 = "gateway.errors.server_error"


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Which installation answers here; ``serve`` tells its own server from a stranger's by it."""
    return HttpResponse(f"{settings.GATEWRIGHT_INSTALLATION}\n", content_type="text/plain")


urlpatterns = [
    path("", RedirectView.as_view(url="/portal/"), name="root"),
    path("healthz", healthz, name="healthz"),
    path("agents/v1/", include("gateway.agents.urls")),
    path("account/", include("gateway.portal.account")),
    path("certificates/", include("certificates.urls")),
    path("portal/", include("gateway.portal.urls")),
]
