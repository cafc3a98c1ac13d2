"""The pages of the Lab CA: a user's authorities and certificates, the forms, and the downloads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from certificates import labca, labca_files
from certificates.labca import OrderRefusedError, authorities_of
from certificates.labca_files import PUBLIC_FILES, File, Subject
from certificates.models import Authority, AuthorityKey, ChainForm, StoredCertificate
from certificates.secrets import KeyMissingError
from certificates.workshop.labca_forms import FORMS, PfxForm, label
from certificates.workshop.pages import HOME, Crumb, blade
from certificates.x509.facts.certificate import Certificate
from certificates.x509.places.export import PasswordRefusedError

TITLE = "Lab CA"
NEW = [(kind, form.noun) for kind, form in FORMS.items()]
DEEPEST = 4  # levels of the tree that are drawn further and further to the right


@dataclass(frozen=True, slots=True)
class AuthorityLine:
    """One authority of the tree; ``below`` counts its intermediates, ``issued`` the certificates
    here that it signed."""

    pk: int
    label: str
    certificate: Certificate
    parent: str
    depth: int
    traits: list[str]
    below: int
    issued: int
    actions: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """One certificate made here; ``names`` are those that the label does not tell."""

    pk: int
    label: str
    certificate: Certificate
    names: str
    traits: list[str]
    has_key: bool
    actions: list[dict[str, str]]


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    owner_id, now = _owner(request), timezone.now()
    made = list(_made(owner_id).order_by("-pk"))
    with_key = set(_made(owner_id).filter(key__exportable=True).values_list("pk", flat=True))
    context = blade(
        "lab-ca", TITLE, icon="lab", subtitle="Authorities and certificates of your own"
    ) | {
        "authorities": _tree(list(authorities_of(owner_id)), made, now),
        "made": [_certificate_line(one, has_key=one.pk in with_key, now=now) for one in made],
        "adds": [(f"New {noun}", reverse("certificates:lab-ca-new", args=[k])) for k, noun in NEW],
        "most_authorities": labca.MAX_AUTHORITIES,
        "most_certificates": labca.MAX_CERTIFICATES,
    }
    return render(request, "certificates/labca.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """The form of one kind (a key of :data:`FORMS`), and making what it orders."""
    if kind not in FORMS:
        raise Http404(f"The lab CA makes no “{kind}”.")
    owner_id, now = _owner(request), timezone.now()
    authorities = list(authorities_of(owner_id))
    form = FORMS[kind](authorities, now, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            made = labca.make(owner_id, form.order(), now=now)
        except OrderRefusedError as error:
            form.refuse(error)
        else:
            name = made.entry.friendly_name or form.cleaned_data["name"]
            messages.success(request, f"The {form.noun} “{name}” was made.")
            return redirect("certificates:lab-ca")
    form.prefer(_preferred(authorities, request.GET.get("issuer", "")))
    context = _pane(f"New {form.noun}") | {
        "form": form,
        "lacks_issuer": "issuer" in form.fields and not authorities,
        "root_url": reverse("certificates:lab-ca-new", args=["root"]),
        "needs_issuer": kind != "server",
    }
    return render(
        request, "certificates/labca_new.html", context, status=422 if form.is_bound else 200
    )


@login_required
@require_safe
def file(request: HttpRequest, what: str, pk: int, kind: str) -> HttpResponse:
    """A file of an authority or certificate: one of :data:`PUBLIC_FILES`, or ``zip``."""
    now = timezone.now()
    found = _find(_owner(request), what, pk)
    subject = _subject(found, _owner(request), now)
    if kind in PUBLIC_FILES:
        return _attachment(labca_files.public_file(subject, kind))
    if kind != "zip" or isinstance(found, Authority):
        raise Http404(f"There is no file “{kind}” of it.")
    try:
        key = _key(found)
    except KeyMissingError as error:
        messages.error(request, str(error))
        return redirect("certificates:lab-ca")
    return _attachment(labca_files.server_zip(subject, key, now))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def pfx(request: HttpRequest, what: str, pk: int) -> HttpResponse:
    """The question for a password, and the PFX that it protects."""
    owner_id = _owner(request)
    found = _find(owner_id, what, pk)
    subject = _subject(found, owner_id, timezone.now())
    form = PfxForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        password = form.cleaned_data["password"]
        try:
            made = labca_files.pfx(subject, _key(found), password, legacy=form.legacy)
        except PasswordRefusedError as error:
            form.add_error("password", str(error))
        except KeyMissingError as error:
            form.add_error(None, str(error))
        else:
            return _attachment(made)
    context = _pane("Download PFX", subject.title) | {"form": form}
    return render(
        request, "certificates/labca_pfx.html", context, status=422 if form.is_bound else 200
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, what: str, pk: int) -> HttpResponse:
    """Ask (GET), or delete an authority or a made certificate with its key (POST)."""
    found = _find(_owner(request), what, pk)
    if isinstance(found, Authority):
        if found.name in labca.SANDBOX_NAMES:
            raise Http404("The authorities of the sandbox stay.")
        name, text = label(found), _authority_question(label(found))
    else:
        name = found.friendly_name or found.certificate.parsed.label
        text = _certificate_question(name)
    if request.method == "POST":
        found.delete()
        messages.success(request, f"“{name}” was deleted.")
        return redirect("certificates:lab-ca")
    back = reverse("certificates:lab-ca")
    context = _pane("Delete", name) | {
        "cancel_url": back,
        "confirm_text": text,
        "confirm_action": "Delete",
    }
    return render(request, "frame/confirm_page.html", context)


# -- what the pages show -----------------------------------------------------------------------


def _owner(request: HttpRequest) -> int:
    return cast(int, request.user.pk)  # every page here wants somebody who signed in


def _made(owner_id: int) -> QuerySet[StoredCertificate]:
    """The certificates that the user had made here."""
    return StoredCertificate.objects.filter(owner_id=owner_id, made_here=True).select_related(
        "certificate"
    )


def _pane(title: str, subtitle: str = "") -> dict[str, Any]:
    back = reverse("certificates:lab-ca")
    return {
        "crumbs": [Crumb("Home", HOME), Crumb(TITLE, back)],
        "icon": "certificate",
        "title": title,
        "subtitle": subtitle,
        "close_url": back,
    }


def _tree(
    authorities: list[Authority], made: Iterable[StoredCertificate], now: datetime
) -> list[AuthorityLine]:
    """The authorities, each root followed by what is below it."""
    below: dict[int | None, list[Authority]] = {}
    for one in authorities:
        below.setdefault(one.parent_id, []).append(one)
    issued = Counter(_issuer_mark(one.certificate.parsed) for one in made)
    lines: list[AuthorityLine] = []
    waiting = [(one, 0) for one in reversed(below.get(None, []))]
    while waiting:
        one, depth = waiting.pop()
        children = below.get(one.pk, [])
        waiting += [(child, depth + 1) for child in reversed(children)]
        lines.append(_authority_line(one, depth, len(children), issued, now))
    return lines


def _authority_line(
    row: Authority,
    depth: int,
    below: int,
    issued: Counter[tuple[bytes, bytes | None]],
    now: datetime,
) -> AuthorityLine:
    certificate = row.certificate.parsed
    new_below = [
        {
            "label": f"New {FORMS[kind].noun} below it",
            "url": f"{reverse('certificates:lab-ca-new', args=[kind])}?issuer={row.pk}",
            "icon": "add",
        }
        for kind in ("intermediate", "server", "client")
    ]
    last = [_delete_action("authorities", row.pk, _authority_question(label(row)))]
    if row.name in labca.SANDBOX_NAMES:
        last = []
    return AuthorityLine(
        pk=row.pk,
        label=label(row),
        certificate=certificate,
        parent=label(row.parent) if row.parent else "",
        depth=min(depth, DEEPEST),
        traits=traits(certificate, ChainForm.COMPLETE, now),
        below=below,
        issued=issued[certificate.subject_key, certificate.subject_key_id],
        actions=[*new_below, *last],
    )


def _issuer_mark(certificate: Certificate) -> tuple[bytes, bytes | None]:
    """Name and key of the issuer. A self-signed certificate bears its own, which no authority
    here has."""
    return certificate.issuer_key, certificate.authority_key_id


def _certificate_line(row: StoredCertificate, *, has_key: bool, now: datetime) -> CertificateLine:
    certificate = row.certificate.parsed
    name = row.friendly_name or certificate.label
    return CertificateLine(
        pk=row.pk,
        label=name,
        certificate=certificate,
        names="" if certificate.names == (name,) else ", ".join(certificate.names),
        traits=traits(certificate, ChainForm(row.chain_form), now),
        has_key=has_key,
        actions=[_delete_action("certificates", row.pk, _certificate_question(name))],
    )


def _delete_action(what: str, pk: int, question: str) -> dict[str, str]:
    return {
        "label": "Delete",
        "url": reverse("certificates:lab-ca-delete", args=[what, pk]),
        "icon": "delete",
        "confirm_title": "Delete",
        "confirm_text": question,
        "confirm_action": "Delete",
    }


def _authority_question(name: str) -> str:
    return (
        f"Delete the authority “{name}”, its private key and the authorities below it? What they "
        "issued stays as it is, and so do their certificates in your stores."
    )


def _certificate_question(name: str) -> str:
    return (
        f"Delete “{name}” and its private key? Nobody can bring the key back: servers that use it "
        "keep their own copy."
    )


def traits(certificate: Certificate, chain_form: ChainForm, now: datetime) -> list[str]:
    """What is out of the ordinary, in a word or two each."""
    found = []
    if now > certificate.not_after:
        found.append("expired")
    if now < certificate.not_before:
        found.append("not yet valid")
    if certificate.self_signed and not certificate.is_ca:
        found.append("self-signed")
    if not certificate.is_ca and certificate.may_serve and not certificate.names:
        found.append("CN only")
    if not certificate.may_serve:
        found.append("not for servers")
    if certificate.key.is_weak:
        found.append("weak key")
    if certificate.has_weak_signature:
        found.append("SHA-1")
    if chain_form is ChainForm.LEAF_ONLY and not certificate.self_signed:
        found.append("chain without intermediates")
    if chain_form is ChainForm.REVERSED and not certificate.self_signed:
        found.append("chain in wrong order")
    return found


# -- from an address to a certificate ------------------------------------------------------------


def _find(owner_id: int, what: str, pk: int) -> Authority | StoredCertificate:
    """The user's authority or made certificate; raises :class:`Http404`."""
    found: Authority | StoredCertificate | None = None
    if what == "authorities":
        found = authorities_of(owner_id).filter(pk=pk).first()
    elif what == "certificates":
        found = _made(owner_id).filter(pk=pk).first()
    if found is None:
        raise Http404("Your lab CA has not made this.")
    return found


def _subject(found: Authority | StoredCertificate, owner_id: int, now: datetime) -> Subject:
    if isinstance(found, Authority):
        return labca_files.of_authority(found, owner_id, now)
    return labca_files.of_entry(found, now)


def _key(found: Authority | StoredCertificate) -> bytes:
    """The private key; raises :class:`Http404` where it is gone, and :class:`KeyMissingError`."""
    if isinstance(found, Authority):
        row = AuthorityKey.objects.filter(authority=found).first()
        key = bytes(row.pem) if row else None
    else:
        key = labca_files.key_of_entry(found)
    if key is None:
        raise Http404("Its private key is not here.")
    return key


def _preferred(authorities: list[Authority], asked: str) -> str:
    """The issuer that a fresh form begins with: the one asked for, else the first intermediate
    that there was, which is the sandbox's."""
    for one in authorities:
        if str(one.pk) == asked:
            return asked
    best = min(authorities, key=lambda one: (one.parent_id is None, one.pk), default=None)
    return str(best.pk) if best else ""


def _attachment(made: File) -> HttpResponse:
    response = HttpResponse(made.content, content_type=made.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
