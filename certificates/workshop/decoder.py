"""The decoder: any certificate file, explained, judged and put right on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from certificates.stores import circle_of
from certificates.workshop import pages
from certificates.x509.editor import notepad as editor
from certificates.x509.facts.certificate import ROLE_WORDS
from certificates.x509.files.contents import holds_key
from certificates.x509.places.derived import Made
from certificates.x509.places.exams import Answer, Exam, examine
from certificates.x509.places.uses import PLACES, WANTED
from certificates.x509.problems import Problem

PASSWORD_LENGTH = 256


class DecoderForm(forms.Form):
    """A file, or a text that was pasted, and the password of a PFX; only one of the first two is
    needed, and a file goes before a text."""

    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        max_length=None,
        label="File",
        widget=forms.FileInput(attrs={"class": "dropzone-input"}),
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label="Text",
        widget=forms.Textarea(
            attrs={
                "rows": 8,
                "spellcheck": "false",
                "autocomplete": "off",
                "autocapitalize": "off",
                "class": "mono",
                "placeholder": "-----BEGIN CERTIFICATE-----",
            }
        ),
    )
    password = forms.CharField(
        required=False,
        strip=False,
        max_length=PASSWORD_LENGTH,
        label="Password",
        widget=forms.PasswordInput(
            attrs={
                "autocomplete": "off",
                "data-note": "Only a PFX has one. It is used once and never kept.",
            }
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and cleaned.get("file") is None and not cleaned.get("text"):
            raise forms.ValidationError("Drop or choose a file, or paste a text, then decode it.")
        return cleaned

    @property
    def given(self) -> tuple[bytes, str]:
        """(bytes to decode, name of the file), once the form is valid."""
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if file is not None:
            return file.read(), file.name or ""
        return self.cleaned_data["text"].encode("utf-8", "replace"), ""


@dataclass(frozen=True, slots=True)
class Row:
    """One answer as the table shows it."""

    place: str
    wanted: str
    where: str
    status: str
    word: str
    problems: tuple[Problem, ...]


def _row(answer: Answer, exam: Exam) -> Row:
    if not answer.accepted:
        waits = exam.needs_password and answer.place == "listener"
        status, word = ("info", "Waits for the password") if waits else ("error", "Refused")
    elif answer.problems:
        status, word = "warning", "Accepted, with a warning"
    else:
        status, word = "success", "Accepted"
    return Row(
        PLACES[answer.place], WANTED[answer.place], answer.where, status, word, answer.problems
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("text", "password")
def decoder(request: HttpRequest) -> HttpResponse:
    """The page, and the answer to what was sent to it; nothing is stored.

    A text that holds a private key is not shown again, a password never is.
    """
    if request.method != "POST":
        return _page(request, DecoderForm(), {})
    form = DecoderForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, {}, status=422)
    data, name = form.given
    circle = circle_of(pages.owner_of(request))
    exam = examine(
        data,
        form.cleaned_data["password"],
        anchors=circle.anchors,
        candidates=circle.certificates,
        now=timezone.now(),
        file_name=name,
    )
    text = form.cleaned_data["text"]
    secret = exam.has_private_key or holds_key(text.encode("utf-8", "replace"))
    shown = DecoderForm(initial={"text": "" if secret else text})
    answer = _answer(exam, name) | {"emptied": bool(text) and secret}
    if data and not exam.has_private_key:
        answer["notepad"] = editor.view(data)
    return _page(request, shown, answer)


def _answer(exam: Exam, name: str) -> dict[str, Any]:
    return {
        "exam": exam,
        "level": _level(exam),
        "file_name": name,
        "rows": [_row(answer, exam) for answer in exam.answers],
        "ways": [
            (PLACES[way.place], way, _named(f"made-{way.place}", way.files)) for way in exam.ways
        ],
        "further": _named("made-further", exam.further),
        "found": [
            (
                one,
                ROLE_WORDS[one.certificate.role],
                [(PLACES[use.place], use) for use in one.uses],
            )
            for one in exam.found
        ],
    }


def _named(start: str, files: Sequence[Made]) -> list[tuple[str, Made]]:
    """The files, each with an id for the page."""
    return [(f"{start}-{number}", file) for number, file in enumerate(files, start=1)]


def _level(exam: Exam) -> str:
    if exam.needs_password:
        return "warning" if exam.lessons else "info"
    if not exam.found:
        return "error"
    return "warning" if exam.repairs or exam.has_stray_key else "success"


def _page(
    request: HttpRequest, form: DecoderForm, answer: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    partial = bool(request.headers.get("HX-Request"))
    if partial and answer.get("emptied"):
        # The box stands outside of what is swapped in.
        form.fields["text"].widget.attrs["hx-swap-oob"] = "true"
    context = {"form": form, **answer}
    if partial:
        return render(request, "certificates/decoder_answer.html", context, status=status)
    context |= pages.blade(
        "decoder",
        "Certificate decoder",
        icon="decoder",
        subtitle="What a file is, what it is good for, and the right file made from it",
    )
    return render(request, "certificates/decoder.html", context, status=status)
