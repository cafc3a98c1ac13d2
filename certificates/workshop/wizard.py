"""The Certificate Export Wizard: a certificate becomes a file, with its private key or without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from certificates.files import FileRefusedError, save_file
from certificates.models import Place, SavedFile, Store, StoredKey
from certificates.secrets import KeyMissingError
from certificates.workshop.pages import owner_of, window
from certificates.workshop.reach import Reached, reach
from certificates.workshop.wizard_form import FORMAT_WORDS, WizardForm
from certificates.x509.facts.certificate import ROLE_WORDS, Certificate
from certificates.x509.places import export
from certificates.x509.places.export import EXTENSIONS, ExportError, Format, PasswordRefusedError

TITLE = "Certificate Export Wizard"

# What the file is good for, by format.
_ABOUT: dict[Format, str] = {
    "der": "The certificate alone, as bytes. An editor shows it as unreadable characters.",
    "base64": "The certificate alone, as text between a BEGIN and an END line.",
    "p7b": "One or more certificates in a binary collection, without any key.",
    "pfx": "The certificate with its private key, protected by a password.",
}
_WORDS = {"success": "accepted", "warning": "accepted with a warning", "error": "refused"}


@dataclass(frozen=True, slots=True)
class _Said:
    """What a gateway says to a file at one place: ``level`` is success, warning or error."""

    where: str
    level: str
    words: str
    message: str
    remedy: str
    problem_id: str


@dataclass(frozen=True, slots=True)
class _Choice:
    """One line of the format page; ``reasons`` are the answers that have one, each told once."""

    value: Format
    label: str
    about: str
    extension: str
    answers: tuple[_Said, ...]
    reasons: tuple[_Said, ...]
    chosen: bool


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "confirm")
@sensitive_variables()
def wizard(request: HttpRequest, kind: str, pk: int, sha256: str = "") -> HttpResponse:
    """The wizard for a certificate of the user (GET), and the file that it makes (POST).

    ``kind`` and ``pk`` name a stored certificate or a file, ``sha256`` another one of its path (see
    :func:`certificates.workshop.reach.reach`). What holds no private key is kept among the user's
    exported files besides. A refused form is answered with 422 and the pages again, without
    passwords.
    """
    now = timezone.now()
    owner_id = owner_of(request)
    reached = reach(owner_id, kind, pk, sha256, now=now)
    form = WizardForm(
        request.POST if request.method == "POST" else None,
        owner_id=owner_id,
        has_key=reached.has_key,
        key_exportable=reached.key_exportable,
    )
    if form.is_bound and form.is_valid():
        answer = _export(form, reached)
        if answer is not None:
            return answer
    context = _context(form, reached, now, request.path)
    return render(request, "certificates/wizard.html", context, status=422 if form.errors else 200)


@sensitive_variables()
def _export(form: WizardForm, reached: Reached) -> HttpResponse | None:
    """The file as an attachment; ``None`` if it cannot be, which the form says then."""
    try:
        made = export.export(
            reached.certificate,
            form.chosen,
            chain=issuers_upward(reached) if form.with_path else (),
            key_pem=_key_of(reached) if form.chosen == "pfx" else None,
            password=form.cleaned_data.get("password") or "",
            name=reached.entry.friendly_name if reached.entry else "",
            legacy=form.cleaned_data.get("encryption") == "tripledes",
        )
        if form.chosen != "pfx":
            # A file with a private key is handed out and not kept.
            save_file(form.owner_id, form.target.place, form.target.name, made.content)
    except PasswordRefusedError as error:
        form.add_error("password", str(error))
    except FileRefusedError as error:
        form.add_error("file_name", str(error))
    except ExportError as error:
        form.add_error("format", str(error))
    except KeyMissingError:
        form.add_error("format", "The private key cannot be opened with this installation's keys.")
    else:
        response = HttpResponse(made.content, content_type=made.media_type)
        disposition = content_disposition_header(True, form.target.name)
        response.headers["Content-Disposition"] = disposition or "attachment"
        return response
    return None


def _key_of(reached: Reached) -> bytes | None:
    """The private key of a stored certificate (PKCS #8 text), if it may leave.

    Raises :class:`KeyMissingError` where this installation cannot open it.
    """
    keys = StoredKey.objects.filter(entry=reached.entry, exportable=True)
    pem = keys.values_list("pem", flat=True).first() if reached.is_base else None
    return None if pem is None else bytes(pem)


def issuers_upward(reached: Reached) -> tuple[Certificate, ...]:
    """The certificates above the one reached, as far as they were found, nearest first."""
    above = [node.certificate for node in reached.lineage if node.certificate is not None]
    return tuple(one for one in reversed(above) if one != reached.certificate)


def _context(form: WizardForm, reached: Reached, now: datetime, url: str) -> dict[str, Any]:
    certificate = reached.certificate
    back_url, back_label = _back(reached)
    files = SavedFile.objects.filter(owner_id=form.owner_id).order_by("name")
    names = list(files.values_list("place", "name"))
    chosen = form["format"].value()
    choices = []
    for format, label in FORMAT_WORDS.items():
        chain = issuers_upward(reached) if format == "pfx" else ()
        answers = export.answers(format, certificate, chain, now)
        # Without a key that may leave nothing here is for a listener, whatever is chosen.
        told = [one for one in answers if reached.key_exportable or one.place != "listener"]
        said = tuple(map(_said, told))
        extension = EXTENSIONS[format]
        about = _ABOUT[format]
        reasons = _told_once(said)
        choices.append(_Choice(format, label, about, extension, said, reasons, format == chosen))
    return {
        **window(f"wizard-{reached.kind}-{reached.pk}", TITLE, back_url=back_url,
                 back_label=back_label, icon="export"),
        "form": form,
        "form_url": url,
        "certificate": certificate,
        "role_words": ROLE_WORDS[certificate.role],
        "has_key": reached.has_key,
        "key_exportable": reached.key_exportable,
        "is_base": reached.is_base,
        "choices": choices,
        "places": [
            (place, [name for of, name in names if of == place]) for place in Place
        ],
    }  # fmt: skip


def _said(answer: export.Answer) -> _Said:
    reason = answer.reason
    level = "error" if not answer.accepted else "warning" if reason else "success"
    return _Said(
        where=export.PLACES[answer.place],
        level=level,
        words=_WORDS[level],
        message=reason.message if reason else "",
        remedy=reason.remedy if reason else "",
        problem_id=reason.id if reason else "",
    )


def _told_once(said: Sequence[_Said]) -> tuple[_Said, ...]:
    """The answers that have a reason; places with the same one share it."""
    found: dict[str, _Said] = {}
    for one in said:
        if one.message:
            known = found.get(one.message)
            where = f"{known.where}, {one.where}" if known else one.where
            found[one.message] = replace(one, where=where)
    return tuple(found.values())


def _back(reached: Reached) -> tuple[str, str]:
    """Where the wizard was opened: address and label."""
    if reached.entry is None:
        return reverse("certificates:files"), "Exported files"
    place = (reached.entry.store, reached.entry.folder)
    return reverse("certificates:manager", args=place), f"Certificates - {Store(place[0]).label}"
