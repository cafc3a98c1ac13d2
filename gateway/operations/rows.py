"""Making the rows of a gateway what a draft says: matched, filled, judged, written, removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import models

from certificates.models import Certificate, keep
from certificates.x509.places.uploads import Upload
from gateway.document import ChildDraft, Draft
from gateway.document.shapes import Kind, Member, Shape
from gateway.document.tables import SHAPES_IN_WRITING_ORDER
from gateway.models import (
    ApplicationGateway,
    AuthenticationCertificate,
    BackendHttpSettings,
    Child,
    CustomError,
    LoadedGateway,
    ProfileClientCertificate,
    Row,
    SettingsAuthenticationCertificate,
    SettingsTrustedRootCertificate,
    SslCertificate,
    SslCertificateKey,
    SslCertificatePart,
    SslProfile,
    TrustedClientCertificate,
    TrustedClientCertificatePart,
    TrustedRootCertificate,
)
from gateway.models.loading import loaded as loaded_rows
from gateway.operations.change import Rejected
from gateway.operations.links import Externals
from gateway.operations.uploads import Opened
from gateway.problems import Problem, Target, at, declare, errors, evidenced
from gateway.rules.fields import field_problems

DATA_MISSING = declare(
    "certificate-data-missing",
    title="A certificate comes without its file",
    why="A named certificate that is not known yet needs its data, or the id of a Key Vault "
    "secret.",
    remedy="Send the file in Base-64 as data; for a listener also its password.",
    source="Application gateways REST API reference",
)
for _model in (SslCertificate, TrustedRootCertificate):
    evidenced(
        DATA_MISSING.id,
        "ApplicationGatewayCertificateDataOrKeyVaultSecretIdMustBeSpecified",
        collection=_model.collection,
    )
evidenced(
    DATA_MISSING.id,
    "ApplicationGatewayTrustedClientCertificateMustSpecifyData",
    collection=TrustedClientCertificate.collection,
)

# Rows that join two children: model, field of the owner.
_LINKS: dict[tuple[type[Child], str], tuple[type[Row], str]] = {
    (BackendHttpSettings, "authentication_links"): (SettingsAuthenticationCertificate, "settings"),
    (BackendHttpSettings, "root_links"): (SettingsTrustedRootCertificate, "settings"),
    (SslProfile, "client_certificate_links"): (ProfileClientCertificate, "profile"),
}


@dataclass(slots=True)
class _Work:
    """One replacement: what is there, what comes, and the rows by (collection, name)."""

    loaded: LoadedGateway
    opened: Opened
    externals: Externals
    rows: dict[tuple[str, str], Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    # Rows to write, in this order: what is referred to stands before what refers.
    pending: list[Row] = field(default_factory=list)
    # To be done once the rows are written.
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)

    def stored(self, upload: Upload) -> list[Certificate]:
        return [self.certificates[one.sha256] for one in upload.certificates]


def write_gateway(
    loaded: LoadedGateway, draft: Draft, opened: Opened, externals: Externals
) -> None:
    """Replace a loaded gateway by ``draft``; inside a write callback of an operation only.

    Every reference of the draft leads somewhere (``gateway.operations.links`` has seen to it).
    Raises :class:`Rejected` with all problems of all fields before anything is written.
    """
    work = _Work(loaded, opened, externals)
    parsed = [one for upload in opened.files.values() for one in upload.certificates]
    work.certificates = {row.sha256: row for row in keep(parsed)} if parsed else {}
    _gateway(work, draft)
    for shape in SHAPES_IN_WRITING_ORDER:
        _collection(work, shape, draft.collections[shape.collection])
    if work.problems:
        raise Rejected(*work.problems)
    _save(work.pending)
    for step in work.afterwards:
        step()
    _delete(work.gone)


def _gateway(work: _Work, draft: Draft) -> None:
    gateway = work.loaded.gateway
    before = _columns(gateway)
    for name, value in draft.gateway.values.items():
        setattr(gateway, name, value)
    gateway.tags = draft.tags or {}
    gateway.opaque = draft.gateway.opaque
    _judge(work, gateway, before, Target())
    wanted = draft.gateway.items.get("custom_errors", [])
    _custom_errors(work, None, wanted, Target(field="custom_errors"))


def _collection(work: _Work, shape: Shape, wanted: list[ChildDraft]) -> None:
    known = {row.name.lower(): row for row in work.loaded.collections[shape.collection]}
    model = shape.model
    if model is None:
        return
    for position, child in enumerate(wanted):
        row = known.pop(child.name.lower(), None)
        if row is None:
            row = model(gateway=work.loaded.gateway, name=child.name)
        before = _columns(row)
        row.position = position
        _fill(work, row, child)
        _file(work, row, child)
        work.rows[shape.collection, child.name.lower()] = row
        _judge(work, row, before, Target(shape.collection, child.name), shape)
        _belongings(work, shape, row, child)
    work.gone += known.values()


def _fill(work: _Work, row: Any, child: ChildDraft) -> None:
    for name, value in child.values.items():
        setattr(row, name, value)
    for name, reference in child.references.items():
        found = work.rows[reference.collection, reference.name.lower()] if reference else None
        setattr(row, name, found)
    for name, external in child.externals.items():
        setattr(row, name, work.externals[external.id.key] if external else None)
    if hasattr(row, "opaque"):
        row.opaque = child.opaque


def _columns(row: models.Model) -> dict[str, Any] | None:
    """The stored values of a row, or ``None`` for a new one."""
    if row.pk is None:
        return None
    return {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}


def _judge(
    work: _Work,
    row: Any,
    before: dict[str, Any] | None,
    target: Target,
    shape: Shape | None = None,
) -> None:
    """Queue a row that is new or changed, and collect what is wrong with its own fields."""
    if before is not None and before == _columns(row):
        return
    # References have been resolved; one to a row that is yet to be written looks empty here.
    linked = {
        member.field
        for member in (shape.members if shape else ())
        if member.kind in (Kind.REFERENCE, Kind.EXTERNAL)
    }
    for problem in errors(field_problems(row)):
        if problem.target.field not in linked:
            name = target.field or problem.target.field
            work.problems.append(
                replace(problem, target=Target(target.collection, target.name, name))
            )
    work.pending.append(row)


def _belongings(work: _Work, shape: Shape, row: Any, child: ChildDraft) -> None:
    for name, links in child.links.items():
        _links(work, row, name, [work.rows[one.collection, one.name.lower()] for one in links])
    for member in shape.members:
        if member.kind is Kind.ITEMS:
            wanted = child.items[member.field]
            target = Target(shape.collection, child.name, member.field)
            if member.field == "custom_errors":
                _custom_errors(work, row, wanted, target)
            else:
                _items(work, row, member, wanted, target)


def _links(work: _Work, row: Any, name: str, wanted: list[Any]) -> None:
    model, owner = _LINKS[type(row), name]
    present = loaded_rows(row, name) if row.pk else []
    if [link.certificate for link in present] == wanted and all(one.pk for one in wanted):
        return

    def write() -> None:
        model.objects.filter(pk__in=[link.pk for link in present]).delete()
        model.objects.bulk_create(
            model(**{owner: row, "certificate": one, "position": position})
            for position, one in enumerate(wanted)
        )

    work.afterwards.append(write)


def _items(
    work: _Work, owner: Any, member: Member, wanted: list[ChildDraft], target: Target
) -> None:
    shape = member.of
    if shape is None or shape.model is None:
        return
    present = _Present(loaded_rows(owner, member.field) if owner.pk else [])
    for position, child in enumerate(wanted):
        row: Any = present.take(_key(child.values, child.name))
        row = row or shape.model(**{shape.link: owner})
        before = _columns(row)
        if shape.named and not row.name:
            row.name = child.name
        row.position = position
        _fill(work, row, child)
        blamed = target
        if shape.wrapped:
            blamed = Target(shape.collection, f"{target.name}/{child.name}")
        _judge(work, row, before, blamed, shape)
    work.gone += present.left


def _custom_errors(work: _Work, listener: Any, wanted: list[ChildDraft], target: Target) -> None:
    stored = listener is None or listener.pk is not None
    present = _Present(work.loaded.custom_errors_of(listener) if stored else [])
    for position, child in enumerate(wanted):
        row = present.take(_key(child.values, "")) or CustomError(
            gateway=work.loaded.gateway, listener=listener
        )
        before = _columns(row)
        row.position = position
        _fill(work, row, child)
        _judge(work, row, before, target)
    work.gone += present.left


class _Present:
    """Stored items by what identifies them; each is taken once."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows: dict[tuple[str, ...], list[Any]] = {}
        for row in rows:
            key = _key(row.__dict__, getattr(row, "name", ""))
            self._rows.setdefault(key, []).append(row)

    def take(self, key: tuple[str, ...]) -> Any | None:
        rows = self._rows.get(key)
        return rows.pop(0) if rows else None

    @property
    def left(self) -> list[Any]:
        return [row for rows in self._rows.values() for row in rows]


def _key(values: dict[str, Any], name: str) -> tuple[str, ...]:
    """A name, or the value of a thing without one: an address, a status code."""
    identifying = ("fqdn", "ip_address", "status_code")
    return (name.lower(), *(str(values.get(one) or "").lower() for one in identifying))


def _file(work: _Work, row: Any, child: ChildDraft) -> None:
    """Attach an uploaded file, or see to it that there already is one."""
    if not isinstance(
        row,
        SslCertificate
        | AuthenticationCertificate
        | TrustedRootCertificate
        | TrustedClientCertificate,
    ):
        return
    upload = work.opened.of(child)
    vault = child.values.get("key_vault_secret_id", "")
    if upload is None:
        if vault:
            _drop_file(work, row)
        elif not _has_file(work, row):
            work.problems.append(
                at(
                    DATA_MISSING,
                    f"The {row.noun} “{child.name}” is new and comes without data.",
                    child.collection,
                    child.name,
                    "data",
                )
            )
        return
    if isinstance(row, SslCertificate):
        work.afterwards.append(lambda: _write_listener_file(work, row, upload))
    elif row.pk is None or row.data is None or bytes(row.data) != child.upload.data:
        row.data = child.upload.data
        if isinstance(row, TrustedClientCertificate):
            work.afterwards.append(lambda: _write_client_file(work, row, upload))
        else:
            row.certificate = work.certificates[upload.certificates[0].sha256]


def _has_file(work: _Work, row: Any) -> bool:
    if row.pk is None:
        return False
    if isinstance(row, SslCertificate):
        return bool(work.loaded.ssl_certificate_parts(row))
    return row.data is not None


def _drop_file(work: _Work, row: Any) -> None:
    """A certificate that is now in a Key Vault keeps no file here."""
    if isinstance(row, TrustedRootCertificate):
        row.data = row.certificate = None
    elif isinstance(row, SslCertificate) and row.pk is not None:
        work.afterwards.append(lambda: _forget_listener_file(row))


def _forget_listener_file(row: SslCertificate) -> None:
    SslCertificatePart.objects.filter(owner=row).delete()
    SslCertificateKey.objects.filter(owner=row).delete()


def _write_listener_file(work: _Work, row: SslCertificate, upload: Upload) -> None:
    # Written anew even if it is the same file: the stored key may be one that no longer opens.
    _forget_listener_file(row)
    SslCertificatePart.objects.bulk_create(
        SslCertificatePart(owner=row, certificate=one, position=position)
        for position, one in enumerate(work.stored(upload))
    )
    SslCertificateKey.objects.create(owner=row, pem=upload.key_pem or b"")


def _write_client_file(work: _Work, row: TrustedClientCertificate, upload: Upload) -> None:
    TrustedClientCertificatePart.objects.filter(owner=row).delete()
    TrustedClientCertificatePart.objects.bulk_create(
        TrustedClientCertificatePart(owner=row, certificate=one, position=position)
        for position, one in enumerate(work.stored(upload))
    )


_RANK: dict[type[models.Model], int] = {
    model: rank
    for rank, model in enumerate(
        (ApplicationGateway, *(shape.model for shape in SHAPES_IN_WRITING_ORDER))
    )
    if model is not None
}


def _by_model(rows: list[Row], *, downwards: bool) -> list[tuple[type[Row], list[Row]]]:
    """Rows by model; what is referred to comes first, items without a collection last."""
    grouped: dict[type[Row], list[Row]] = {}
    for row in rows:
        grouped.setdefault(type(row), []).append(row)
    return sorted(
        grouped.items(), key=lambda pair: _RANK.get(pair[0], len(_RANK)), reverse=downwards
    )


def _save(rows: list[Row]) -> None:
    for model, found in _by_model(rows, downwards=False):
        for row in found:
            if row.pk is not None:
                row.save()
        new = [row for row in found if row.pk is None]
        if new:
            model.objects.bulk_create(new)


def _delete(rows: list[Row]) -> None:
    for model, found in _by_model(rows, downwards=True):
        model.objects.filter(pk__in=[row.pk for row in found]).delete()
