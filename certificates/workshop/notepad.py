"""Notepad: an exported file as a plain text editor shows it, and copies from other programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from certificates.files import MAX_NAME, FileRefusedError, save_file
from certificates.models import SavedFile
from certificates.workshop.pages import owner_of, window
from certificates.workshop.reach import find_file
from certificates.x509.editor import notepad as editor
from certificates.x509.editor.damage import PROGRAMS, damage
from certificates.x509.places import uploads
from certificates.x509.places.export import PLACES
from certificates.x509.problems import Problem

_CHOOSE = "Choose one of the programs in the list."


class CopyForm(forms.Form):
    """Which program saves the copy."""

    how = forms.ChoiceField(
        label="Save a copy as another program would",
        choices=[(key, words) for key, (words, _) in PROGRAMS.items()],
        error_messages={"invalid_choice": _CHOOSE},
        required=False,  # no mark beside a list that begins with a choice
    )

    def clean_how(self) -> str:
        how: str = self.cleaned_data["how"]
        if not how:
            raise forms.ValidationError(_CHOOSE)
        return how


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notepad(request: HttpRequest, pk: int) -> HttpResponse:
    """The file in the editor (GET); a damaged copy of it beside it (POST), which is opened then.

    A copy that cannot be made is answered with 422 and the reason.
    """
    owner_id = owner_of(request)
    file = find_file(owner_id, pk)
    form = CopyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            copy = _copy(file, form.cleaned_data["how"])
        except (ValueError, FileRefusedError) as error:
            form.add_error("how", str(error))
        else:
            messages.success(
                request,
                f"“{copy.name}” is in {copy.get_place_display()}. Upload it to see the answer.",
                extra_tags="A copy was saved",
            )
            return redirect("certificates:notepad", copy.pk)
    context = _context(file, form, timezone.now())
    return render(request, "certificates/notepad.html", context, status=422 if form.errors else 200)


def _copy(file: SavedFile, how: str) -> SavedFile:
    """Raises ``ValueError`` (:class:`FileRefusedError` is one), with a sentence for people."""
    words, _ = PROGRAMS[how]
    data = damage(bytes(file.data), how)
    stem, dot, ending = file.name.rpartition(".")
    if not dot:
        stem, ending = file.name, ""
    tail = f" ({words}){dot}{ending}"
    return save_file(file.owner_id, file.place, stem[: MAX_NAME - len(tail)] + tail, data)


def _context(file: SavedFile, form: CopyForm, now: datetime) -> dict[str, Any]:
    data = bytes(file.data)
    shown = editor.view(data)
    return {
        **window(
            f"notepad-{file.pk}",
            f"{file.name} - Notepad",
            back_url=reverse("certificates:files"),
            back_label="Exported files",
            icon="edit",
        ),
        "file": file,
        "form": form,
        "notepad": shown,
        "notepad_label": f"Text of {file.name}",
        "problems": _answers(data, now),
    }


def _answers(data: bytes, now: datetime) -> list[tuple[str, tuple[Problem, ...], bool]]:
    """What the boxes of a gateway's portal say to the file: (place, problems, accepted)."""
    v1 = uploads.authentication_certificate(data, now=now, base64_only=True)
    v2 = uploads.trusted_root_certificate(data, now=now, base64_only=True)
    return [
        (PLACES["authentication"], v1.problems, v1.ok),
        (PLACES["root"], v2.problems, v2.ok),
    ]
