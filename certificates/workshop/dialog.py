"""The certificate dialog (General, Details, Certification Path) for any certificate in reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from certificates.models import SavedFile, StoredCertificate
from certificates.workshop.pages import owner_of, window
from certificates.workshop.reach import Reached, certificates_in, find_file, reach
from certificates.x509.facts.certificate import ROLE_WORDS, Certificate, Role
from certificates.x509.facts.details import Detail, details, purposes
from certificates.x509.files.read import read_certificates
from certificates.x509.places.export import PLACES, Answer, Place, answers
from certificates.x509.places.uses import state_of
from certificates.x509.trust.lineage import Node, is_sound

SHOWN = 50
"""Certificates of one file that can be chosen from."""

_ORIGINS = {
    "uploaded": "It is in the Trusted Root Certification Authorities of your stores.",
    "well-known": "It is one of the well-known authorities.",
    "lab-public": "It is the lab's public authority, which counts as well known here.",
}

# What a gateway has a certificate for, by its role.
_TAKEN_FOR: dict[Role, str] = {
    "leaf": "A backend server's own: what a v1 gateway compares, as an authentication certificate.",
    "root": "A root: what a v2 gateway trusts, as a trusted root certificate.",
    "intermediate": "Neither: an intermediate belongs on the backend server, which sends it along.",
    "self-signed": "An authentication certificate of a v1 gateway. A v2 gateway can store it as a "
    "root, but trusts no server by it.",
}
# A certificate by itself is no listener's.
_ASKED: tuple[Place, ...] = ("authentication", "root")


@dataclass(frozen=True, slots=True)
class Step:
    """One place of the path as the tree shows it: ``level`` from 1 (the root), ``depth`` how far it
    is indented, ``view_url`` empty where there is no certificate."""

    node: Node
    level: int
    depth: int
    status: str
    view_url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One certificate of a file that holds several."""

    certificate: Certificate
    what: str
    view_url: str


@login_required
@require_safe
def view(request: HttpRequest, kind: str, pk: int, sha256: str = "") -> HttpResponse:
    """The dialog of a certificate; for a file with several of them a list to choose from, for one
    without any a window that says so.

    ``kind`` and ``pk`` name a stored certificate or a file, ``sha256`` another one of its path (see
    :func:`certificates.workshop.reach.reach`).
    """
    owner_id = owner_of(request)
    if kind == "files" and not sha256:
        file = find_file(owner_id, pk)
        found = certificates_in(file)
        if len(found) != 1:
            return _file_window(request, file, found)
    now = timezone.now()
    reached = reach(owner_id, kind, pk, sha256, now=now)
    return render(request, "certificates/dialog.html", _context(reached, sha256, now))


def address(view: str, reached: Reached, certificate: Certificate | None = None) -> str:
    """The address of ``view`` for a certificate of the path; the base itself has the short one."""
    certificate = certificate or reached.certificate
    if certificate == reached.certificate and reached.is_base and not reached.others:
        return reverse(f"certificates:{view}", args=[reached.kind, reached.pk])
    return reverse(f"certificates:{view}-node", args=[reached.kind, reached.pk, certificate.sha256])


def _context(reached: Reached, sha256: str, now: datetime) -> dict[str, Any]:
    certificate = reached.certificate
    back_url, back_label = _way_back(reached, sha256)
    frame = window(
        f"{reached.kind}-{reached.pk}-{certificate.sha256[:12]}",
        f"Certificate: {certificate.label}",
        back_url=back_url,
        back_label=back_label,
    )
    fields = details(certificate)
    said = [one for one in answers("base64", certificate, (), now) if one.place in _ASKED]
    return {
        **frame,
        "certificate": certificate,
        "what": ROLE_WORDS[certificate.role],
        "purposes": _purposes(certificate),
        "state": state_of(certificate, now),
        "has_key": reached.has_key,
        "key_exportable": reached.key_exportable,
        "sound": is_sound(reached.lineage),
        "anchor": reached.lineage[0].label,
        "broken": [node for node in reached.lineage if not node.ok],
        "steps": _steps(reached),
        "details": [(f"{frame['window_id']}-{at}", one) for at, one in enumerate(fields)],
        "filters": _filters(fields),
        "taken_for": _TAKEN_FOR[certificate.role],
        "answers": [(PLACES[one.place], _level(one), one.reason) for one in said],
        "export_url": address("export", reached),
    }


def _way_back(reached: Reached, sha256: str) -> tuple[str, str]:
    """Where Close leads without script: to the certificate below, else to the list."""
    if sha256 and (not reached.is_base or reached.others):
        label = "Certificate" if reached.entry else str(reached.file)
        return reverse("certificates:view", args=[reached.kind, reached.pk]), label
    if reached.entry is not None:
        return _folder(reached.entry)
    return reverse("certificates:files"), "Exported files"


def _folder(entry: StoredCertificate) -> tuple[str, str]:
    url = reverse("certificates:manager", args=[entry.store, entry.folder])
    return url, f"Certificates - {entry.get_store_display()}"


def _purposes(certificate: Certificate) -> list[str]:
    found = purposes(certificate)
    if found == ("<All>",):
        return ["Any purpose: it sets no limit"]
    return list(found)


def _steps(reached: Reached) -> list[Step]:
    nodes = reached.lineage
    return [
        Step(
            node=node,
            level=number,
            depth=min(number, 8),
            status=_status(node, nodes[: number - 1]),
            view_url=address("view", reached, node.certificate) if node.certificate else "",
            current=node.certificate == reached.certificate,
        )
        for number, node in enumerate(nodes, start=1)
    ]


def _status(node: Node, above: Sequence[Node]) -> str:
    """What the box below the tree says of one place."""
    if not node.ok:
        return node.problem
    if not all(one.ok for one in above):
        return "Nothing is wrong with this certificate itself, but with its path above it."
    words = "Nothing is wrong with this certificate."
    return f"{words} {_ORIGINS[node.origin]}" if node.origin else words


def _filters(found: Sequence[Detail]) -> list[tuple[str, str]]:
    """What the list of fields can be narrowed to: (value, words)."""
    filters = [("", "<All>"), ("field", "Version 1 Fields Only")]
    if any(one.group == "extension" for one in found):
        filters.append(("extension", "Extensions Only"))
    if any(one.critical for one in found):
        filters.append(("critical", "Critical Extensions Only"))
    return [*filters, ("property", "Properties Only")]


def _level(answer: Answer) -> str:
    if not answer.accepted:
        return "error"
    return "warning" if answer.reason else "success"


def _file_window(
    request: HttpRequest, file: SavedFile, found: Sequence[Certificate]
) -> HttpResponse:
    """A file that is not one certificate: its certificates to choose from, or what it is."""
    choices = [
        Choice(
            certificate=one,
            what=ROLE_WORDS[one.role],
            view_url=reverse("certificates:view-node", args=["files", file.pk, one.sha256]),
        )
        for one in found[:SHOWN]
    ]
    context = {
        **window(
            f"file-{file.pk}",
            file.name,
            back_url=reverse("certificates:files"),
            back_label="Exported files",
            icon="certificate" if found else "log",
        ),
        "file": file,
        "choices": choices,
        "more": len(found) - len(choices),
        "problems": read_certificates(bytes(file.data)).problems,
    }
    return render(request, "certificates/dialog_file.html", context)
