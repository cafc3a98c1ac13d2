"""From a document to a draft: any JSON whatever is answered with values and problems."""

from __future__ import annotations

import re
from typing import Any

from gateway.document import ids, kinds
from gateway.document.bounds import bounds_problem, join
from gateway.document.draft import ChildDraft, Draft
from gateway.document.members import READ_ONLY, read_items, read_members
from gateway.document.reader import Reader, Spot, by_name, unknown
from gateway.document.shapes import Kind, Member, Shape
from gateway.document.tables import FIRST, LAST, SHAPES
from gateway.models import ApplicationGateway, Sku, Tier
from gateway.problems import Target

MAX_TAGS, MAX_TAG_NAME, MAX_TAG_VALUE = 50, 512, 256
TAG_NAME_EXCLUDES = frozenset("<>%&\\?/")
REGION = re.compile(r"[a-z][a-z0-9]{1,39}\Z", re.ASCII)

_TOP = frozenset({"id", "name", "type", "etag", "location", "tags", "zones", "identity"})
_GATEWAY = Shape("", (*FIRST, *LAST), ApplicationGateway, noun="gateway")
_COLLECTIONS = {shape.collection.lower(): shape for shape in SHAPES}
_ZONES = Member("zones", Kind.TEXTS, "zones", closed=False)
_IDENTITY = Member("identity", Kind.KEPT)
_ITSELF = Target()


def read(body: Any, *, gateway_id: str, strict: bool = True) -> Draft:
    """What a document asks of the gateway ``gateway_id``.

    Names of members count in any case, numbers and flags may be written as text, nulls are as
    good as absent and read-only members are passed over. Unknown members are errors when
    ``strict``; else (an import) they are warnings, the document's own id may stand for the
    gateway, and items may lack the ``properties`` wrapping, as in the output of az. Never raises.
    """
    reader = Reader((gateway_id.lower(),), strict)
    draft = Draft(ChildDraft("", ""), problems=reader.problems)
    draft.collections = {shape.collection: [] for shape in SHAPES}
    if not isinstance(body, dict):
        reader.say(kinds.TYPE_WRONG, "The document must be an object.", _ITSELF)
        body = {}
    problem = bounds_problem(body)
    if problem:
        reader.problems.append(problem)
        body = {}
    top = by_name(reader, body, Spot("", _ITSELF, _GATEWAY))
    _own_id(reader, top, gateway_id)
    _resource(reader, top, draft)
    path, properties = _properties(reader, top, body)
    _gateway(reader, properties, draft.gateway, path)
    for name, value in by_name(reader, properties, Spot(path, _ITSELF, _GATEWAY)).values():
        shape = _COLLECTIONS.get(name.lower())
        if shape:
            draft.collections[shape.collection] = read_items(reader, shape, value, join(path, name))
    return draft


def _own_id(reader: Reader, top: dict[str, tuple[str, Any]], gateway_id: str) -> None:
    _, text = top.get("id", ("", gateway_id))
    parsed = ids.parse(text) if isinstance(text, str) else None
    if parsed is None or parsed.type.lower() != "applicationgateways":
        reader.say(kinds.ID_MISMATCH, "id is not the id of an application gateway.", _ITSELF)
    elif text.strip().lower() != gateway_id.lower():
        if reader.strict:
            reader.say(
                kinds.ID_MISMATCH,
                f"id is “{text[:300]}”, but the document was sent to “{gateway_id}”.",
                _ITSELF,
            )
        else:
            reader.gateway_ids = (*reader.gateway_ids, text.strip().lower())


def _properties(
    reader: Reader, top: dict[str, tuple[str, Any]], body: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """(path, the members that describe the gateway)."""
    if "properties" not in top and not reader.strict:
        return "", {name: value for name, value in body.items() if name.lower() not in _TOP}
    for key, (name, _) in top.items():
        if key not in _TOP and key != "properties" and key not in READ_ONLY:
            unknown(reader, name, _ITSELF)
    path, properties = top.get("properties", ("properties", None))
    if properties is None:
        reader.say(kinds.MISSING, "properties is missing.", _ITSELF)
    elif not isinstance(properties, dict):
        reader.say(kinds.TYPE_WRONG, "properties must be an object.", _ITSELF)
    return path, properties if isinstance(properties, dict) else {}


def _gateway(reader: Reader, properties: dict[str, Any], draft: ChildDraft, path: str) -> None:
    keep: dict[str, Any] = {}
    read_members(
        reader,
        _GATEWAY.members,
        properties,
        draft,
        Spot(path, _ITSELF, _GATEWAY),
        keep,
        frozenset(_COLLECTIONS),
    )
    if keep:
        draft.opaque["properties"] = keep
    if not _has_tier(properties):
        draft.values["sku_tier"] = tier_of(draft.values["sku_name"])


def _has_tier(properties: dict[str, Any]) -> bool:
    for name, value in properties.items():
        if name.lower() == "sku" and isinstance(value, dict):
            return any(key.lower() == "tier" and one for key, one in value.items())
    return False


def tier_of(sku_name: str) -> str:
    """The tier that belongs to a size, for documents that name only the size."""
    if sku_name in (Sku.STANDARD_SMALL, Sku.STANDARD_MEDIUM, Sku.STANDARD_LARGE):
        return Tier.STANDARD
    if sku_name in (Sku.WAF_MEDIUM, Sku.WAF_LARGE):
        return Tier.WAF
    return sku_name


def _resource(reader: Reader, top: dict[str, tuple[str, Any]], draft: Draft) -> None:
    """Location, tags, zones and identity."""
    if "location" in top:
        location = top["location"][1]
        # "West US" and "westus" name one region.
        region = location.replace(" ", "").lower() if isinstance(location, str) else ""
        if REGION.match(region):
            draft.location = region
        else:
            reader.say(kinds.LOCATION_UNKNOWN, "location is no region.", Target(field="location"))
    if "tags" in top:
        draft.tags = _tags(reader, top["tags"][1])
    resource: dict[str, Any] = {key: top[key][1] for key in ("zones", "identity") if key in top}
    read_members(
        reader,
        (_ZONES, _IDENTITY),
        resource,
        draft.gateway,
        Spot("", _ITSELF, _GATEWAY),
        draft.gateway.opaque,
    )


def _tags(reader: Reader, value: Any) -> dict[str, str]:
    target = Target(field="tags")
    if not isinstance(value, dict):
        reader.say(kinds.TYPE_WRONG, "tags must be an object of texts.", target)
        return {}
    if len(value) > MAX_TAGS:
        reader.say(kinds.TAGS_INVALID, f"There are {len(value)} tags; at most {MAX_TAGS}.", target)
        return {}
    tags: dict[str, str] = {}
    seen: set[str] = set()
    for name, text in value.items():
        text = "" if text is None else text
        if not isinstance(text, str):
            reader.say(kinds.TYPE_WRONG, f"{join('tags', name)} must be a text.", target)
        elif name.lower() in seen:
            reader.say(kinds.TAGS_INVALID, f"{join('tags', name)} is given twice.", target)
        elif (
            not name.strip()
            or len(name) > MAX_TAG_NAME
            or len(text) > MAX_TAG_VALUE
            or TAG_NAME_EXCLUDES.intersection(name)
        ):
            reader.say(kinds.TAGS_INVALID, f"The tag “{name[:80]}” cannot be used.", target)
        else:
            seen.add(name.lower())
            tags[name] = text
    return tags
