"""The page of exported files: three places, what each file is, downloading and deleting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from certificates.files import MAX_FILES
from certificates.models import Place, SavedFile
from certificates.workshop.pages import HOME, Crumb, blade
from certificates.x509.files.read import read_certificates

READ_BYTES = 64 * 1024
"""Files up to this size are looked into for the list, ..."""

READ_TOTAL = 512 * 1024
"""... the smallest first, until this much was read."""

_ENCODINGS = {"base64": "Base-64", "der": "DER", "pkcs7": "PKCS #7"}


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file as the list shows it: ``size`` in bytes, ``what`` is in it, ``encoding`` in words;
    ``opens`` tells whether it holds a certificate that a dialog can show."""

    pk: int
    name: str
    size: int
    saved_at: datetime
    what: str
    encoding: str
    opens: bool
    question: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """One of the three places and what lies there, by name."""

    place: Place
    lines: list[FileLine]


def describe(data: bytes) -> tuple[str, str, bool]:
    """What a file holds: (its certificates in words, its encoding in words, whether there are any).

    Never raises.
    """
    reading = read_certificates(data)
    found = list(dict.fromkeys(reading.certificates))
    if not found:
        return "No certificate", "", False
    what = found[0].label if len(found) == 1 else f"{found[0].label} and {len(found) - 1} more"
    return what, _ENCODINGS.get(reading.encoding, ""), True


def shelves(owner_id: int | None) -> list[Shelf]:
    """The user's files by place (two queries)."""
    mine = SavedFile.objects.filter(owner_id=owner_id).order_by("pk")
    facts = mine.values_list("pk", "place", "name", "saved_at", Length("data"))[:MAX_FILES]
    rows = list(facts)
    data = dict(mine.filter(pk__in=_looked_into(rows)).values_list("pk", "data"))
    found: dict[str, list[FileLine]] = {}
    for pk, place, name, saved_at, size in rows:
        read = describe(bytes(data[pk])) if pk in data else ("Open it to see", "", True)
        line = FileLine(pk, name, size, saved_at, *read, question=delete_text(name))
        found.setdefault(place, []).append(line)
    return [
        Shelf(place, sorted(found.get(place, []), key=lambda line: line.name.lower()))
        for place in Place
    ]


def _looked_into(rows: Sequence[tuple[int, str, str, datetime, int]]) -> list[int]:
    """The files (by ``pk``, first of a row; the size is the last) that the list reads."""
    found, total = [], 0
    for pk, *_, size in sorted(rows, key=lambda row: row[-1]):
        total += size
        if size > READ_BYTES or total > READ_TOTAL:
            break
        found.append(pk)
    return found


def delete_text(name: str) -> str:
    """The question before a file is deleted."""
    return f"Delete the file “{name}”? The certificate in your store stays as it is."


@login_required
@require_safe
def files(request: HttpRequest) -> HttpResponse:
    """What was exported, on the Desktop, in Documents and in Downloads."""
    context = blade("files", "Exported files", icon="folder", subtitle="What you exported here")
    context["shelves"] = shelves(request.user.pk)
    return render(request, "certificates/files.html", context)


@login_required
@require_safe
def file_download(request: HttpRequest, pk: int) -> HttpResponse:
    """The file's bytes as they were saved."""
    file = get_object_or_404(SavedFile, pk=pk, owner_id=request.user.pk)
    response = HttpResponse(bytes(file.data), content_type="application/octet-stream")
    disposition = content_disposition_header(as_attachment=True, filename=file.name)
    if disposition:
        response.headers["Content-Disposition"] = disposition
    return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def file_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask (GET), or delete a file (POST)."""
    file = get_object_or_404(SavedFile.objects.defer("data"), pk=pk, owner_id=request.user.pk)
    back = reverse("certificates:files")
    if request.method == "POST":
        file.delete()
        messages.success(request, f"“{file.name}” was deleted.")
        return redirect(back)
    context = {
        "crumbs": [Crumb("Home", HOME), Crumb("Exported files", back)],
        "icon": "folder",
        "title": "Delete file",
        "close_url": back,
        "cancel_url": back,
        "confirm_text": delete_text(file.name),
        "confirm_action": "Delete",
    }
    return render(request, "frame/confirm_page.html", context)
