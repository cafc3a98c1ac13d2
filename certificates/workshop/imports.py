"""Importing a file into the user's stores: a PFX with its key, or public certificates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from certificates.form_errors import FormError, field_of_upload
from certificates.models import Folder, Store, StoredCertificate
from certificates.stores import MAX_STORED, MAX_STORED_BYTES, add, folder_for, lock_owner
from certificates.workshop.manager import folder_url, place_or_404, title
from certificates.workshop.pages import owner_of, window
from certificates.x509.encoding.armour import read_armour
from certificates.x509.encoding.shapes import shape_of
from certificates.x509.facts.certificate import Certificate
from certificates.x509.files.pfx import Names, look_into_pfx, open_pfx
from certificates.x509.files.read import read_certificates
from certificates.x509.kinds import files, listeners
from certificates.x509.problems import Kind, Problem, ProblemError, declare

TITLE = "Certificate Import Wizard"

# The version number 3, first thing in a PFX (RFC 7292 4): tells one that is cut off, too.
_PFX_BEGINS = re.compile(rb"\x30(?:\x80|[\x01-\x7f]|\x81.|\x82..|\x83...)\x02\x01\x03", re.DOTALL)

_WITH_KEY = (
    "Put certificate and key into a PFX: openssl pkcs12 -export -inkey key.pem -in chain.pem "
    "-out server.pfx. Then import that file."
)
FILE_MISSING = declare(
    "import-file-missing",
    title="No file to import",
    why="An import needs a certificate file: PFX, CER, PEM or P7B.",
    remedy="Choose the file in “File to import”.",
)
KEY_ALONE = declare(
    "import-key-alone",
    title="A private key without its certificate",
    why="A store keeps certificates. A private key comes in only together with its certificate, "
    "inside a PFX file; nothing of this file was kept.",
    remedy=_WITH_KEY,
)
KEY_LEFT_OUT = declare(
    "import-key-left-out",
    severity="warning",
    title="The private key was left out",
    why="Windows takes a private key from a PFX file alone, and so does this store. Of a text file "
    "with certificates and a key, the certificates were imported; the key was not kept.",
    remedy=_WITH_KEY,
)
STORE_FULL = declare(
    "store-full",
    title="The certificate stores are full",
    why=f"One user's stores hold {MAX_STORED} certificates, all folders together, and of these "
    f"{MAX_STORED_BYTES // 1024**2} MB.",
    remedy="Delete certificates that are not needed any more, then import the file again.",
)


@dataclass(frozen=True, slots=True)
class Content:
    """What an imported file holds: its certificates, each once (the key's own first, if there is a
    key: unencrypted PKCS #8 PEM), the names that the file gives them, and what is to be warned
    of."""

    certificates: tuple[Certificate, ...]
    key_pem: bytes | None = field(default=None, repr=False)
    warnings: tuple[Problem, ...] = ()
    names: Names = field(default_factory=dict)


def read_file(data: bytes, password: str) -> Content:
    """What ``data`` (PFX, PEM, DER or P7B) holds; ``password`` matters for a PFX alone.

    Raises :class:`ProblemError` if there is nothing that can be imported. A PFX is opened in a
    process of its own, so call this outside transactions.
    """
    if shape_of(data) == "pfx" or _PFX_BEGINS.match(data):
        return _opened(data, password)
    reading = read_certificates(data)
    if any(problem.kind is files.IS_PFX for problem in reading.problems):
        # Base-64 text, as key vaults hand a PFX out.
        armour = read_armour(data.decode("utf-8-sig", errors="replace"))
        for part in (armour.bare, *(block.data for block in armour.blocks)):
            if part is not None and shape_of(part) == "pfx":
                return _opened(part, password)
    if reading.has_private_key and not reading.certificates:
        raise _error(KEY_ALONE, "The file holds a private key, but no certificate.")
    for problem in reading.problems:
        if problem.is_error and problem.kind is not files.PRIVATE_KEY:
            raise ProblemError(problem)
    warnings = [problem for problem in reading.problems if not problem.is_error]
    if reading.has_private_key:
        message = "The private key in the file was left out: only a PFX brings a key in."
        warnings.append(Problem(kind=KEY_LEFT_OUT, message=message))
    return Content(tuple(dict.fromkeys(reading.certificates)), None, tuple(warnings))


def _opened(data: bytes, password: str) -> Content:
    try:
        opened = open_pfx(data, password)
    except ProblemError as error:
        if error.problem.kind is not listeners.NO_KEY:
            raise
        # One without a key is a parcel of public certificates.
        inside = look_into_pfx(data, password)
        return Content(tuple(dict.fromkeys(inside.others)), names=inside.names)
    together = tuple(dict.fromkeys((opened.certificate, *opened.others)))
    return Content(together, opened.key_pem, names=opened.names)


def import_content(
    owner_id: int,
    store: Store,
    content: Content,
    *,
    folder: Folder | None,
    friendly_name: str = "",
    exportable: bool = True,
) -> list[StoredCertificate]:
    """Put ``content`` into a user's store, all of it or nothing; the entries in the file's order.

    Without ``folder`` each certificate goes where its type belongs. ``friendly_name`` is given to
    the first certificate; without it, each keeps the name that it has in the file. Raises
    :class:`ProblemError` if the stores would hold too much.
    """
    with_key = content.key_pem is not None
    places = [
        folder or folder_for(one, has_key=with_key and number == 0)
        for number, one in enumerate(content.certificates)
    ]
    with transaction.atomic():
        lock_owner(owner_id)
        _check_room(owner_id, store, list(zip(places, content.certificates, strict=True)))
        return [
            add(
                owner_id,
                store,
                place,
                one,
                key_pem=content.key_pem if number == 0 else None,
                exportable=exportable,
                friendly_name=friendly_name if number == 0 else "",
                suggested_name=content.names.get(one, ""),
            )
            for number, (place, one) in enumerate(zip(places, content.certificates, strict=True))
        ]


def _check_room(owner_id: int, store: Store, wanted: list[tuple[Folder, Certificate]]) -> None:
    rows = StoredCertificate.objects.filter(owner_id=owner_id)
    there = set(
        rows.filter(
            store=store, certificate__sha256__in=[one.sha256 for _, one in wanted]
        ).values_list("folder", "certificate__sha256")
    )
    new = [one for place, one in wanted if (str(place), one.sha256) not in there]
    if not new:
        return
    if rows.count() + len(new) > MAX_STORED:
        message = (
            f"With {len(new)} more, your stores would hold more than {MAX_STORED} certificates."
        )
        raise _error(STORE_FULL, message)
    stored = rows.aggregate(size=Sum(Length("certificate__der")))["size"] or 0
    if stored + sum(len(one.der) for one in new) > MAX_STORED_BYTES:
        message = f"Your stores would hold more than {MAX_STORED_BYTES:,} bytes of certificates."
        raise _error(STORE_FULL, message)


def _error(kind: Kind, message: str) -> ProblemError:
    return ProblemError(Problem(kind=kind, message=message))


class ImportForm(forms.Form):
    """A file to import and where it shall go; the password is used once and never kept."""

    file = forms.FileField(
        label="File to import",
        required=False,
        allow_empty_file=True,
        help_text="A .pfx with its private key, or certificates as .cer, .crt, .pem, .der, .p7b.",
        widget=forms.FileInput(
            attrs={
                "accept": ".pfx,.p12,.cer,.crt,.pem,.der,.p7b,.p7c",
                "hx-preserve": "true",
                "data-required": "",
                "autofocus": True,
            }
        ),
    )
    password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        max_length=1000,
        help_text="The one that the PFX file was exported with. Other files have none.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "hx-preserve": "true"}),
    )
    exportable = forms.BooleanField(
        label="Mark this key as exportable",
        required=False,
        initial=True,
        help_text="Without it the private key can be used here, but never be exported again.",
    )
    friendly_name = forms.CharField(
        label="Friendly name",
        required=False,
        max_length=80,
        help_text="A word of your own for the list. Left empty, the name in the PFX file is kept.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": "The name in the file, if it has one"}
        ),
    )

    def __init__(self, folder: Folder, *args: Any, **kwargs: Any) -> None:
        # Ids of their own: the window opens over pages that have forms, too.
        super().__init__(*args, **{"auto_id": "import-%s", **kwargs})
        self.fields["place"] = forms.ChoiceField(
            label="Certificate store",
            choices=[
                ("type", "Place each certificate by its type"),
                ("folder", f"Place all certificates in {folder.label}"),
            ],
            initial="type",
            required=False,
            help_text="By type, a certificate with its key goes to Personal, a root to the trusted "
            "roots, and an intermediate to the intermediates.",
            widget=forms.RadioSelect(attrs={"data-look": "stack"}),
        )
        self.content: Content | None = None

    def clean(self) -> None:
        if "file" in self.errors or "password" in self.errors:
            return
        file = self.cleaned_data.get("file")
        if file is None:
            self.refuse(Problem(kind=FILE_MISSING, message="No file was chosen."))
            return
        try:
            self.content = read_file(file.read(), self.cleaned_data.get("password") or "")
        except ProblemError as error:
            self.refuse(error.problem)

    def refuse(self, problem: Problem) -> None:
        """Show a problem at the field that it is about."""
        self.add_error(field_of_upload(problem, "file", "password"), FormError(problem))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def import_page(request: HttpRequest, store: str, folder: str) -> HttpResponse:
    """A file to import into a store; what is wrong with it stands at its field."""
    wanted, branch = place_or_404(store, folder)
    posted = request.method == "POST"
    form = ImportForm(branch, *((request.POST, request.FILES) if posted else ()))
    if form.is_valid() and form.content is not None:
        entries = _import(request, form, form.content, wanted, branch)
        if entries:
            told = _told(entries, has_key=form.content.key_pem is not None)
            messages.success(request, told, extra_tags="The import was successful")
            for problem in form.content.warnings:
                messages.warning(request, problem.message)
            url = folder_url(wanted, entries[0].folder)
            return HttpResponseClientRedirect(url) if _is_partial(request) else redirect(url)
    back = folder_url(wanted, branch)
    shown = window("import", TITLE, back_url=back, back_label=title(wanted), icon="upload")
    context = {**shown, "form": form}
    partial = posted and _is_partial(request)
    template = "certificates/import_form.html" if partial else "certificates/import.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _import(
    request: HttpRequest, form: ImportForm, content: Content, store: Store, folder: Folder
) -> list[StoredCertificate]:
    try:
        return import_content(
            owner_of(request),
            store,
            content,
            folder=folder if form.cleaned_data["place"] == "folder" else None,
            friendly_name=form.cleaned_data["friendly_name"],
            exportable=form.cleaned_data["exportable"],
        )
    except ProblemError as error:
        form.refuse(error.problem)
        return []


def _is_partial(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def _told(entries: Sequence[StoredCertificate], *, has_key: bool) -> str:
    """What was imported, where it lies now."""
    sentences = []
    for folder in Folder:
        here = [entry for entry in entries if entry.folder == folder]
        if not here:
            continue
        names = ", ".join(f"“{entry.certificate.parsed.label}”" for entry in here[:3])
        if len(here) > 3:
            names += f" and {len(here) - 3} more"
        with_key = " with its private key" if has_key and entries[0] in here else ""
        verb = "was" if len(here) == 1 else "were"
        own = entries[0].friendly_name if entries[0] in here else ""
        called = f" Its friendly name is “{own}”." if own and len(here) == 1 else ""
        sentences.append(f"{names} {verb} imported{with_key} into {folder.label}.{called}")
    return " ".join(sentences)
