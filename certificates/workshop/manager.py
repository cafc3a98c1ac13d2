"""The certificate manager: one folder of one of the user's stores, and taking things out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from certificates.models import Folder, Store, StoredCertificate, StoredKey
from certificates.publicroot import well_known
from certificates.stores import MAX_STORED
from certificates.workshop.pages import HOME, Crumb, blade
from certificates.x509.facts.details import purposes
from certificates.x509.places.uses import state_of

MENU_KEYS = {Store.CURRENT_USER: "manager", Store.LOCAL_COMPUTER: "computer"}
NAMED = 3  # certificates that a hint names; more are counted


@dataclass(frozen=True, slots=True)
class Line:
    """One certificate as the list shows it; ``expires`` is aware UTC, ``state`` "", "expired" or
    "not yet valid"."""

    pk: int
    label: str
    issuer: str
    expires: datetime
    state: str
    purposes: str
    friendly_name: str
    has_key: bool
    for_tests: bool
    question: str
    """What is asked before it is deleted."""
    words: str
    """What the search looks through, in small letters."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A folder of the tree beside the list."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where else a certificate lies that is not in the folder on show."""

    text: str
    url: str
    url_label: str


def title(store: Store) -> str:
    """The name of a store as the tool and the documents write it."""
    return f"Certificates - {store.label}"


@login_required
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Where the workshop begins: in the user's own store."""
    return redirect("certificates:manager", Store.CURRENT_USER.value, Folder.PERSONAL.value)


def place_or_404(store: str, folder: str) -> tuple[Store, Folder]:
    try:
        return Store(store), Folder(folder)
    except ValueError:
        raise Http404(f"There is no folder {store}/{folder}.") from None


def folder_url(store: str, folder: str, *, query: str = "") -> str:
    url = reverse("certificates:manager", args=[store, folder])
    return f"{url}?{urlencode({'q': query})}" if query else url


def line_of(row: StoredCertificate, *, has_key: bool, now: datetime) -> Line:
    """What the list says of a stored certificate."""
    one = row.certificate.parsed
    issuer = one.issuer_common_name or one.issuer
    in_personal = row.folder == Folder.PERSONAL
    words = (one.label, one.subject, issuer, row.friendly_name, *one.names, one.thumbprint)
    return Line(
        pk=row.pk,
        label=one.label,
        issuer=issuer,
        expires=one.not_after,
        state=state_of(one, now),
        purposes=", ".join(purposes(one)),
        friendly_name=row.friendly_name,
        has_key=has_key,
        for_tests=one.self_signed and (in_personal or not one.is_ca),
        question=delete_text(one.label, has_key=has_key),
        words=" ".join(words).lower(),
    )


def _shelves(owner_id: int | None) -> dict[tuple[str, str], list[StoredCertificate]]:
    """The user's stored certificates by store and folder (one query)."""
    rows = StoredCertificate.objects.filter(owner_id=owner_id).select_related("certificate")
    found: dict[tuple[str, str], list[StoredCertificate]] = {}
    for row in rows.order_by("pk")[:MAX_STORED]:
        found.setdefault((row.store, row.folder), []).append(row)
    return found


@login_required
@require_safe
def manager(request: HttpRequest, store: str, folder: str) -> HttpResponse:
    """A folder of a store; ``?q=`` narrows it, and a search that finds nothing looks elsewhere."""
    wanted = place_or_404(store, folder)
    shown, branch = wanted
    query = request.GET.get("q", "").strip()[:100]
    now = timezone.now()
    shelves = _shelves(request.user.pk)
    keys = StoredKey.objects.filter(entry__owner_id=request.user.pk)
    with_key = set(keys.values_list("entry_id", flat=True))

    def lines(place: tuple[str, str]) -> list[Line]:
        rows = shelves.get(place, [])
        made = (line_of(row, has_key=row.pk in with_key, now=now) for row in rows)
        return sorted(_matching(made, query), key=lambda line: (line.label.lower(), line.pk))

    found = lines(wanted)
    places = [] if found else _other_places(wanted, everywhere=bool(query))
    context = blade(MENU_KEYS[shown], title(shown), subtitle=f"{branch.label}\\Certificates") | {
        "store": shown,
        "folder": branch,
        "branches": [Branch(one.label, folder_url(shown, one), one is branch) for one in Folder],
        "lines": found,
        "total": len(shelves.get(wanted, [])),
        "query": query,
        "elsewhere": [
            _elsewhere(place, there, query) for place in places if (there := lines(place))
        ],
        "built_in": sum(1 for _ in well_known()) if branch is Folder.ROOTS else 0,
    }
    return render(request, "certificates/manager.html", context)


def _matching(lines: Iterable[Line], query: str) -> list[Line]:
    words = query.lower().split()
    return [line for line in lines if all(word in line.words for word in words)]


def _other_places(here: tuple[Store, Folder], *, everywhere: bool) -> list[tuple[Store, Folder]]:
    """The same folder of the other store first, as opening the wrong tool is the common slip."""
    store, folder = here
    other = Store.LOCAL_COMPUTER if store is Store.CURRENT_USER else Store.CURRENT_USER
    if not everywhere:
        return [(other, folder)]
    rest = [(one, each) for one in (store, other) for each in Folder if each is not folder]
    return [(other, folder), *rest]


def _elsewhere(place: tuple[Store, Folder], lines: list[Line], query: str) -> Elsewhere:
    store, folder = place
    labels = list(dict.fromkeys(line.label for line in lines))
    names = ", ".join(f"“{label}”" for label in labels[:NAMED])
    if len(labels) > NAMED:
        names += f" and {len(labels) - NAMED} more"
    verb = "is" if len(labels) == 1 else "are"
    where = f"{title(store)}\\{folder.label}"
    return Elsewhere(
        f"{names} {verb} in {where}.", folder_url(store, folder, query=query), f"Open {where}"
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def entry_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask (GET), or take a certificate and its private key out of its folder (POST)."""
    entry = get_object_or_404(
        StoredCertificate.objects.select_related("certificate"), pk=pk, owner_id=request.user.pk
    )
    label = entry.certificate.parsed.label
    store, folder = place_or_404(entry.store, entry.folder)
    back = folder_url(store, folder)
    if request.method == "POST":
        entry.delete()
        messages.success(request, f"“{label}” was deleted from {folder.label}.")
        return redirect(back)
    has_key = StoredKey.objects.filter(entry=entry).exists()
    context = {
        "crumbs": [Crumb("Home", HOME), Crumb(title(store), back)],
        "icon": "certificate",
        "title": "Delete certificate",
        "close_url": back,
        "cancel_url": back,
        "confirm_text": delete_text(label, has_key=has_key),
        "confirm_action": "Delete",
    }
    return render(request, "frame/confirm_page.html", context)


def delete_text(label: str, *, has_key: bool) -> str:
    """The question before a certificate is deleted."""
    if has_key:
        return (
            f"Delete “{label}” and its private key? Nobody can bring the key back: export both as "
            "a PFX file first if you may need them."
        )
    return f"Delete “{label}” from this folder? It can be imported again from its file."
