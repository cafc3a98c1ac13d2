"""What a chosen file is, before anything is saved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from certificates.x509.facts.certificate import ROLE_WORDS
from certificates.x509.files.read import read_certificates
from certificates.x509.places import uploads
from certificates.x509.places.uploads import Upload

Judge = Callable[[bytes, str, datetime], Upload]


def _listener(generation: str) -> Judge:
    limit = uploads.LISTENER_PFX_LIMITS[generation]
    return lambda data, password, now: uploads.listener_certificate(
        data, password, size_limit=limit, now=now
    )


KINDS: dict[str, Judge] = {
    "authentication": lambda data, _, now: uploads.authentication_certificate(
        data, now=now, base64_only=True
    ),
    "root": lambda data, _, now: uploads.trusted_root_certificate(data, now=now, base64_only=True),
    "listener-v1": _listener("v1"),
    "listener-v2": _listener("v2"),
}

SHOWN = 10  # certificates of one file; more would bury the form


@login_required
@require_POST
@sensitive_post_parameters("certificate_password")
def preview(request: HttpRequest, kind: str) -> HttpResponse:
    """The chosen file as the gateway would judge it; nothing is stored.

    ``kind`` is one of :data:`KINDS`. The file is ``certificate_file``, a PFX's password
    ``certificate_password``. A fragment: certificates, problems, a way to convert.
    """
    judge = KINDS.get(kind)
    if judge is None:
        raise Http404(f"“{kind}” is no kind of certificate.")
    file = request.FILES.get("certificate_file")
    if file is None:
        return HttpResponse("")
    password = request.POST.get("certificate_password", "")
    if kind.startswith("listener") and not password:
        # Judging waits for the password: a complaint about a field not reached yet helps nobody.
        return render(request, "certificates/preview.html", {"waiting": True})
    data = file.read()
    upload = judge(data, password, timezone.now())
    # What is refused is shown too: seeing that it is a leaf explains why it is no root.
    found = upload.certificates or read_certificates(data).certificates
    context = {
        "upload": upload,
        "certificates": [(one, ROLE_WORDS[one.role]) for one in found[:SHOWN]],
        "more": max(0, len(found) - SHOWN),
        "file_name": file.name or "certificate",
    }
    return render(request, "certificates/preview.html", context)
