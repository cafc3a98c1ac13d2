"""From rows to a document: what GET answers, and what a diff compares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.document.certificates import describe, encode
from gateway.document.shapes import Kind, Member, Shape
from gateway.document.tables import BACK_REFERENCES, EMPTY_ON_V2, FIRST, LAST, SHAPES, used_by
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    LoadedGateway,
    SslCertificate,
    TargetKind,
)
from gateway.models.loading import loaded as loaded_rows

# (collection, row id) of what is used → name of the list → ids of the users
Users = dict[tuple[str, Any], dict[str, list[dict[str, str]]]]


@dataclass(slots=True)
class _Answer:
    """One walk over a gateway. ``brief`` writes for a diff: no ids, digests in place of files."""

    loaded: LoadedGateway
    brief: bool
    gateway_id: str = ""
    state: str = ""
    users: Users = field(default_factory=dict)

    def id_of(self, collection: str, name: str) -> str:
        return f"{self.gateway_id}/{collection}/{name}"


def gateway_document(loaded: LoadedGateway, *, state: str = "") -> dict[str, Any]:
    """The whole gateway as the REST API answers it; no secret, and the same order every time.

    ``state`` is the provisioning state as :mod:`gateway.models.provisioning` derives it; without
    it the stored one stands.
    """
    gateway = loaded.gateway
    state = state or gateway.provisioning_state
    answer = _Answer(loaded, brief=False, gateway_id=gateway.arm_id, state=state)
    _collect_users(answer)
    document: dict[str, Any] = {
        "name": gateway.name,
        "id": gateway.arm_id,
        "etag": gateway.etag,
        "type": "Microsoft.Network/applicationGateways",
        **_resource(gateway),
    }
    document["properties"] |= {
        "provisioningState": state,
        "resourceGuid": str(gateway.resource_guid),
        **_properties(answer),
    }
    _merge(document, gateway.opaque)
    if not loaded.is_v1:
        for name in EMPTY_ON_V2:
            document["properties"].setdefault(name, [])
    return document


def snapshot(loaded: LoadedGateway) -> dict[str, Any]:
    """The gateway for a diff: what users can change, portal-only columns included.

    Certificates stand as names and digests, so that a diff is readable and holds no file.
    """
    answer = _Answer(loaded, brief=True)
    document = _resource(loaded.gateway)
    document["properties"] |= _properties(answer)
    _merge(document, loaded.gateway.opaque)
    return document


def _resource(gateway: ApplicationGateway) -> dict[str, Any]:
    document: dict[str, Any] = {"location": gateway.location, "tags": dict(gateway.tags)}
    if gateway.zones:
        document["zones"] = list(gateway.zones)
    return document | {"properties": {}}


def _properties(answer: _Answer) -> dict[str, Any]:
    gateway = answer.loaded.gateway
    found: dict[str, Any] = {}
    _members(answer, FIRST, gateway, found)
    generation = gateway.generation_label
    for shape in SHAPES:
        rows = answer.loaded.collections[shape.collection]
        if rows or answer.brief or shape.generation in ("", generation):
            found[shape.collection] = [_item(answer, shape, row) for row in rows]
    _members(answer, LAST, gateway, found)
    return found


def _item(answer: _Answer, shape: Shape, row: Any, owner_id: str = "") -> dict[str, Any]:
    item: dict[str, Any] = {"name": row.name} if shape.named else {}
    properties: dict[str, Any] = {}
    if shape.wrapped and not answer.brief:
        owner = owner_id or answer.gateway_id
        item["id"] = f"{owner}/{shape.collection}/{row.name}"
        item["etag"] = answer.loaded.gateway.etag
        item["type"] = "Microsoft.Network/applicationGateways/" + (
            f"urlPathMaps/{shape.collection}" if owner_id else shape.collection
        )
        properties["provisioningState"] = answer.state
    _members(answer, shape.members, row, properties, item.get("id", ""))
    _merge(properties, getattr(row, "opaque", {}))
    if shape.collection in BACK_REFERENCES and not answer.brief:
        users = answer.users.get((shape.collection, row.pk), {})
        for name in BACK_REFERENCES[shape.collection]:
            if name in users:
                properties[name] = users[name]
    if not shape.wrapped:
        return item | properties
    item["properties"] = properties
    if answer.brief:
        _portal_only(answer, row, properties)
    return item


def _portal_only(answer: _Answer, row: Any, properties: dict[str, Any]) -> None:
    if isinstance(row, SslCertificate):
        parts = answer.loaded.ssl_certificate_parts(row)
        properties["certificate"] = describe([part.certificate for part in parts])


def _members(
    answer: _Answer,
    members: tuple[Member, ...],
    row: Any,
    into: dict[str, Any],
    row_id: str = "",
) -> None:
    for member in members:
        value = _value(answer, member, row, row_id)
        if value is not None:
            into[member.json] = value


def _value(answer: _Answer, member: Member, row: Any, row_id: str) -> Any:
    """The member's value, or ``None`` where it is left out."""
    writer = _WRITERS.get(member.kind)
    if writer is not None:
        return writer(answer, member, row, row_id)
    value = getattr(row, member.field)
    if value in ("", [], {}) and not member.always:
        return None
    return _copied(value)


def _child(answer: _Answer, member: Member, row: Any, row_id: str) -> Any:
    return _reference(answer, member, getattr(row, member.field))


def _children(answer: _Answer, member: Member, row: Any, row_id: str) -> Any:
    links = loaded_rows(row, member.field)
    return [_reference(answer, member, link.certificate) for link in links] or None


def _external(answer: _Answer, member: Member, row: Any, row_id: str) -> Any:
    found = getattr(row, member.field)
    return None if found is None else {"id": found.arm_id}


def _computed(answer: _Answer, member: Member, row: Any, row_id: str) -> Any:
    if member.compute is None or (answer.brief and member.json != "operationalState"):
        return None
    return member.compute(answer.loaded, row)


def _left_out(answer: _Answer, member: Member, row: Any, row_id: str) -> Any:
    return None


def _reference(answer: _Answer, member: Member, row: Any) -> dict[str, str] | None:
    if row is None:
        return None
    if answer.brief:
        return {"id": f"{member.target}/{row.name}"}
    return {"id": answer.id_of(member.target, row.name)}


def _group(answer: _Answer, member: Member, row: Any, row_id: str) -> dict[str, Any] | None:
    if member.presence and not getattr(row, member.presence):
        return None
    found: dict[str, Any] = {}
    _members(answer, member.members, row, found)
    return found or None


def _items(answer: _Answer, member: Member, row: Any, row_id: str) -> list[Any] | None:
    shape = member.of
    if shape is None:
        return None
    if member.field == "custom_errors":
        listener = None if isinstance(row, ApplicationGateway) else row
        rows: list[Any] = answer.loaded.custom_errors_of(listener)
    else:
        rows = loaded_rows(row, member.field)
    found = [_item(answer, shape, one, row_id) for one in rows]
    if answer.brief:
        for item, one in zip(found, rows, strict=True):
            if isinstance(one, BackendAddress) and one.kind != TargetKind.ADDRESS:
                item["kind"] = one.kind
    return found if found or member.always else None


def _file(answer: _Answer, member: Member, row: Any, row_id: str) -> str | None:
    if row.data is None:
        return None
    if not answer.brief:
        return encode(row.data)
    certificate = getattr(row, "certificate", None)
    if certificate is not None:
        return describe([certificate], row.data)
    parts = answer.loaded.client_certificate_parts(row)
    return describe([part.certificate for part in parts], row.data)


# Values of the other kinds stand in the row's own columns as they are answered.
_WRITERS: dict[Kind, Callable[[_Answer, Member, Any, str], Any]] = {
    Kind.REFERENCE: _child,
    Kind.REFERENCES: _children,
    Kind.EXTERNAL: _external,
    Kind.GROUP: _group,
    Kind.ITEMS: _items,
    Kind.FILE: _file,
    Kind.COMPUTED: _computed,
    Kind.SECRET_FILE: _left_out,
    Kind.SECRET: _left_out,
    Kind.IGNORED: _left_out,
    Kind.KEPT: _left_out,
}


def _merge(into: dict[str, Any], kept: dict[str, Any]) -> None:
    """Put members that were kept as they came where they came from."""
    for name, value in kept.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into.setdefault(name, _copied(value))


def _copied(value: Any) -> Any:
    """JSON of a row as the document's own, so that changing one leaves the other."""
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


def _collect_users(answer: _Answer) -> None:
    """Note for every child who refers to it: the back-references of the read model."""
    for shape in SHAPES:
        rows = answer.loaded.collections[shape.collection]
        _note(answer, shape, [(row, answer.id_of(shape.collection, row.name)) for row in rows])


def _note(answer: _Answer, shape: Shape, rows: list[tuple[Any, str]]) -> None:
    """Note what ``rows`` of one shape, each with its id, refer to."""
    name = used_by(shape.collection)

    def note(member: Member, target: Any, row_id: str) -> None:
        if target is None:
            return
        lists = answer.users.setdefault((member.target, target.pk), {})
        users = lists.setdefault(name, [])
        # Who refers twice, by two members, is noted twice in a row.
        if not users or users[-1]["id"] != row_id:
            users.append({"id": row_id})

    single = [one for one in shape.members if one.kind is Kind.REFERENCE]
    many = [one for one in shape.members if one.kind is Kind.REFERENCES]
    inner = [(one, one.of) for one in shape.members if one.kind is Kind.ITEMS and one.of]
    for row, row_id in rows:
        for member in single:
            note(member, getattr(row, member.field), row_id)
        for member in many:
            for link in loaded_rows(row, member.field):
                note(member, link.certificate, row_id)
        for member, of in inner:
            if of.wrapped:
                below = f"{row_id}/{of.collection}"
                found = [(one, f"{below}/{one.name}") for one in loaded_rows(row, member.field)]
                _note(answer, of, found)
