"""From an address to a certificate: of the user's stores, of their files, or of a path above one.

The dialog and the Export Wizard stand on it, so that both show and give out the same things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import F
from django.http import Http404

from certificates.models import SavedFile, StoredCertificate
from certificates.stores import Circle, circle_of
from certificates.x509.facts.certificate import Certificate
from certificates.x509.files.read import read_certificates
from certificates.x509.trust.lineage import Node, lineage

Kind = Literal["entries", "files"]

MAX_LISTED = 20
"""Certificates of one file whose paths are followed to find another one in them."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A certificate, where it was reached from, and its path.

    ``kind`` and ``pk`` name the base: a certificate of a store (``entry``) or a file (``file``).
    ``certificate`` is the base's own (``is_base``) or one of its path. ``others`` are the further
    certificates of a file, ``lineage`` the path of ``certificate``, root first, ``circle`` what it
    was built from. A private key (``has_key``, and whether it is ``key_exportable``) belongs to
    the base of a store alone.
    """

    kind: Kind
    pk: int
    certificate: Certificate
    entry: StoredCertificate | None
    file: SavedFile | None
    others: tuple[Certificate, ...]
    lineage: tuple[Node, ...]
    circle: Circle
    is_base: bool
    has_key: bool = False
    key_exportable: bool = False


def reach(owner_id: int, kind: str, pk: int, sha256: str = "", *, now: datetime) -> Reached:
    """What the address ``kind``/``pk``[/``sha256``] of a user leads to (three queries).

    ``sha256`` (hex, any case) is that of a certificate in the file or in a path from the base.
    Raises :class:`Http404` for everything that is not the user's, and for a file without any
    certificate.
    """
    if kind == "entries":
        return _of_entry(owner_id, pk, sha256.upper(), now)
    if kind == "files":
        return _of_file(owner_id, pk, sha256.upper(), now)
    raise Http404("Certificates are found in stores and in files.")


def find_entry(owner_id: int, pk: int) -> StoredCertificate:
    """The user's stored certificate; raises :class:`Http404`.

    Its ``key_exportable`` is ``None`` where it has no key; the key itself is not read.
    """
    entry = (
        StoredCertificate.objects.filter(owner_id=owner_id, pk=pk)
        .select_related("certificate")
        .annotate(key_exportable=F("key__exportable"))
        .first()
    )
    if entry is None:
        raise Http404("This certificate is not in your stores.")
    return entry


def find_file(owner_id: int, pk: int) -> SavedFile:
    """The user's file; raises :class:`Http404`."""
    file = SavedFile.objects.filter(owner_id=owner_id, pk=pk).first()
    if file is None:
        raise Http404("This file is not among yours.")
    return file


def certificates_in(file: SavedFile) -> tuple[Certificate, ...]:
    """The certificates of a file, in its order, each once."""
    return tuple(dict.fromkeys(read_certificates(bytes(file.data)).certificates))


def _of_entry(owner_id: int, pk: int, sha256: str, now: datetime) -> Reached:
    entry = find_entry(owner_id, pk)
    circle = circle_of(owner_id)
    base = entry.certificate.parsed
    certificate, nodes = _choose((base,), sha256, circle.certificates, circle, now)
    is_base = certificate == base
    exportable: bool | None = getattr(entry, "key_exportable", None)
    return Reached(
        kind="entries",
        pk=pk,
        certificate=certificate,
        entry=entry,
        file=None,
        others=(),
        lineage=nodes,
        circle=circle,
        is_base=is_base,
        has_key=is_base and exportable is not None,
        key_exportable=is_base and bool(exportable),
    )


def _of_file(owner_id: int, pk: int, sha256: str, now: datetime) -> Reached:
    file = find_file(owner_id, pk)
    found = certificates_in(file)
    if not found:
        raise Http404("The file holds no certificate.")
    circle = circle_of(owner_id)
    known = (*found, *circle.certificates)
    certificate, nodes = _choose(found, sha256, known, circle, now)
    return Reached(
        kind="files",
        pk=pk,
        certificate=certificate,
        entry=None,
        file=file,
        others=tuple(one for one in found if one != certificate),
        lineage=nodes,
        circle=circle,
        is_base=certificate == found[0],
    )


def _choose(
    bases: Sequence[Certificate],
    sha256: str,
    known: Sequence[Certificate],
    circle: Circle,
    now: datetime,
) -> tuple[Certificate, tuple[Node, ...]]:
    """The certificate with this digest (the first base without one) and its path."""
    for base in bases:
        if sha256 in {"", base.sha256}:
            return base, lineage(base, known, circle.anchors, now)
    for base in bases[:MAX_LISTED]:
        for node in lineage(base, known, circle.anchors, now):
            if node.certificate is not None and node.certificate.sha256 == sha256:
                above = lineage(node.certificate, known, circle.anchors, now)
                return node.certificate, above
    raise Http404("This certificate is not part of the path.")
