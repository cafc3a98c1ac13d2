"""Reading objects and lists by their tables. Nothing here raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.document import ids, kinds, scalars
from gateway.document.bounds import join
from gateway.document.draft import ChildDraft, External, Reference
from gateway.document.reader import Place, Reader, Spot, by_name, default, unknown, wrong
from gateway.document.shapes import Kind, Member, Shape, index
from gateway.document.tables import BACK_REFERENCES
from gateway.problems import Target

# Beside the members of the tables: what the server fills in, and what az adds to its output.
READ_ONLY = frozenset({"provisioningstate", "resourceguid", "resourcegroup"})
ITEM_MEMBERS = frozenset({"id", "name", "type", "etag", "properties", "resourcegroup"})


def read_members(
    reader: Reader,
    members: tuple[Member, ...],
    value: dict[str, Any],
    draft: ChildDraft,
    spot: Spot,
    keep: dict[str, Any],
    passed: frozenset[str] = frozenset(),
) -> None:
    """Fill ``draft`` from an object; ``keep`` collects what is not modelled.

    Names in ``passed`` (lower case) belong to somebody else and are no mistake.
    """
    found = by_name(reader, value, spot)
    known = index(members)
    for key, (name, _) in found.items():
        if key not in known and key not in passed and key not in READ_ONLY:
            unknown(reader, join(spot.path, name), spot.target)
    for member in members:
        name, item = found.get(member.json.lower(), (member.json, None))
        if item is None:
            _absent(reader, member, draft, spot)
        else:
            _HANDLERS[member.kind](reader, member, item, draft, Place(spot, name, keep))


def _absent(reader: Reader, member: Member, draft: ChildDraft, spot: Spot) -> None:
    if member.required:
        reader.say(
            kinds.MISSING,
            f"{join(spot.path, member.json)} is missing.",
            spot.field(member.field),
        )
    default(member, draft, spot.shape.model)


def _id(reader: Reader, member: Member, value: Any, place: Place) -> str | None:
    """The id inside ``{"id": …}``; an object without one stands for nothing."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name.lower() == "id" and item is not None:
                if isinstance(item, str):
                    return item
                break
        else:
            return None
    wrong(reader, member, place, 'an object with an "id"')
    return None


def _reference_to(reader: Reader, member: Member, value: Any, place: Place) -> Reference | None:
    text = _id(reader, member, value, place)
    if text is None:
        return None
    found = ids.child_of(text, reader.gateway_ids)
    if found is not None and found[0].lower() == member.target.lower():
        return Reference(member.target, found[1])
    parsed = ids.parse(text)
    wanted = f"applicationGateways/{member.target}"
    if found is None and parsed is not None and parsed.type.lower() == wanted.lower():
        reader.say(
            kinds.REFERENCE_MISSING,
            f"{place.path} points to “{text[:300]}”, which belongs to another gateway.",
            place.spot.field(member.field),
        )
    else:
        reader.say(
            kinds.REFERENCE_MALFORMED,
            f"{place.path} is “{text[:300]}”; it must be the id of one of this gateway's "
            f"{member.target}.",
            place.spot.field(member.field),
        )
    return None


def _reference(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    draft.references[member.field] = _reference_to(reader, member, value, place)


def _references(
    reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place
) -> None:
    links: dict[str, Reference] = {}
    if not isinstance(value, list):
        wrong(reader, member, place, "a list of references")
        value = []
    for number, one in enumerate(value):
        spot = Place(place.spot, f"{place.name}[{number}]", place.keep)
        found = _reference_to(reader, member, one, spot)
        if found is not None:
            links.setdefault(found.name.lower(), found)
    draft.links[member.field] = list(links.values())


def _external(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    draft.externals[member.field] = None
    text = _id(reader, member, value, place)
    if text is None:
        return
    parsed = ids.parse(text)
    if parsed is None or parsed.type.lower() != member.target.lower():
        reader.say(
            kinds.REFERENCE_MALFORMED,
            f"{place.path} is “{text[:300]}”; it must be the full id of a resource of type "
            f"Microsoft.Network/{member.target}.",
            place.spot.field(member.field),
        )
        return
    draft.externals[member.field] = External(parsed, text)


def _group(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    if not isinstance(value, dict):
        wrong(reader, member, place, "an object")
        default(member, draft, place.spot.shape.model)
        return
    if member.presence:
        draft.values[member.presence] = True
    inner = Spot(place.path, place.spot.target, place.spot.shape)
    keep: dict[str, Any] = {}
    read_members(reader, member.members, value, draft, inner, keep)
    if keep:
        place.keep[member.json] = keep


def _structure_of(
    reader: Reader, member: Member, value: Any, place: Place
) -> dict[str, Any] | None:
    if not isinstance(value, dict) or member.of is None:
        wrong(reader, member, place, "an object")
        return None
    draft = ChildDraft("", "")
    target = place.spot.field(member.field)
    inner = Spot(place.path, target, member.of)
    read_members(reader, member.of.members, value, draft, inner, {})
    return draft.values


def _structure(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    draft.values[member.field] = _structure_of(reader, member, value, place) or {}


def _structures(
    reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place
) -> None:
    if not isinstance(value, list):
        wrong(reader, member, place, "a list of objects")
        value = []
    read = []
    for number, one in enumerate(value):
        spot = Place(place.spot, f"{place.name}[{number}]", place.keep)
        found = _structure_of(reader, member, one, spot)
        if found is not None:
            read.append(found)
    draft.values[member.field] = read


def _items(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    draft.items[member.field] = []
    if member.of is not None:
        owner = place.spot.field(member.field)
        draft.items[member.field] = read_items(reader, member.of, value, place.path, owner)


def read_items(
    reader: Reader, shape: Shape, value: Any, path: str, owner: Target | None = None
) -> list[ChildDraft]:
    """The items of a list; ``owner`` is the item that the list belongs to, if any."""
    if not isinstance(value, list):
        reader.say(kinds.TYPE_WRONG, f"{path} must be a list.", owner or Target(shape.collection))
        return []
    read: list[ChildDraft] = []
    names: set[str] = set()
    for number, one in enumerate(value):
        item = _item(reader, shape, one, f"{path}[{number}]", owner)
        if item is None:
            continue
        if shape.named and item.name.lower() in names:
            reader.say(
                kinds.NAME_TWICE,
                f"{item.path}: there is already a {shape.noun} named “{item.name[:80]}”.",
                _blame(shape, item.name, owner),
            )
            continue
        names.add(item.name.lower())
        read.append(item)
    return read


def _blame(shape: Shape, name: str, owner: Target | None) -> Target:
    """The target of an item: itself, or its owner where it has no collection of its own."""
    if owner is None:
        return Target(shape.collection, name)
    if shape.wrapped:
        return Target(shape.collection, f"{owner.name}/{name}")
    return owner


def _item(
    reader: Reader, shape: Shape, value: Any, path: str, owner: Target | None
) -> ChildDraft | None:
    nameless = owner or Target(shape.collection)
    if not isinstance(value, dict):
        reader.say(kinds.TYPE_WRONG, f"{path} must be an object.", nameless)
        return None
    found = by_name(reader, value, Spot(path, nameless, shape))
    name = found.get("name", ("name", ""))[1] if shape.named else ""
    if not isinstance(name, str) or (shape.named and not name):
        reader.say(kinds.NAME_MISSING, f"{path} has no name.", nameless)
        return None
    draft = ChildDraft(shape.collection, name, path)
    target = _blame(shape, name, owner)
    passed = frozenset(name.lower() for name in BACK_REFERENCES.get(shape.collection, ()))
    members = value
    if shape.wrapped:
        written, members = found.get("properties", ("properties", {}))
        if "properties" not in found and not reader.strict:
            # az shows items without the wrapping.
            members = {key: one for key, one in value.items() if key.lower() not in ITEM_MEMBERS}
        else:
            for key, (as_written, _) in found.items():
                if key not in ITEM_MEMBERS:
                    unknown(reader, join(path, as_written), target)
            path = join(path, written)
        if not isinstance(members, dict):
            reader.say(kinds.TYPE_WRONG, f"{path} must be an object.", target)
            members = {}
    else:
        passed |= {"name", "id", "type", "etag"}
    read_members(
        reader, shape.members, members, draft, Spot(path, target, shape), draft.opaque, passed
    )
    return draft


def _read_only(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    """What the server fills in is not looked at."""


def _kept(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    if value in ({}, [], ""):
        return
    place.keep[member.json] = value
    if value is not False and not member.quiet:
        reader.say(
            kinds.NOT_ACTED_ON,
            f"{place.path} is kept as it is, but has no effect here.",
            place.spot.target,
        )


_Handler = Callable[[Reader, Member, Any, ChildDraft, Place], None]
_HANDLERS: dict[Kind, _Handler] = {
    Kind.TEXT: scalars.text,
    Kind.NUMBER: scalars.number,
    Kind.FLAG: scalars.flag,
    Kind.CHOICE: scalars.choice,
    Kind.TEXTS: scalars.texts,
    Kind.REFERENCE: _reference,
    Kind.REFERENCES: _references,
    Kind.EXTERNAL: _external,
    Kind.GROUP: _group,
    Kind.STRUCTURE: _structure,
    Kind.STRUCTURES: _structures,
    Kind.ITEMS: _items,
    Kind.FILE: scalars.file,
    Kind.SECRET_FILE: scalars.file,
    Kind.SECRET: scalars.secret,
    Kind.COMPUTED: _read_only,
    Kind.IGNORED: _read_only,
    Kind.KEPT: _kept,
}
