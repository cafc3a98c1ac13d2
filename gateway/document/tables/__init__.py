"""The tables: one :class:`~gateway.document.shapes.Shape` per child collection."""

from __future__ import annotations

from gateway.document.shapes import Kind, Member, Shape
from gateway.document.tables import backends, certificates, frontends, routing
from gateway.document.tables.gateway import EMPTY_ON_V2, FIRST, LAST
from gateway.models.loading import CHILD_MODELS

__all__ = [
    "BACK_REFERENCES",
    "EMPTY_ON_V2",
    "FIRST",
    "LAST",
    "SHAPES",
    "SHAPES_IN_WRITING_ORDER",
    "member_path",
    "used_by",
]

# In the order in which the cloud answers them.
SHAPES: tuple[Shape, ...] = (
    frontends.GATEWAY_IP_CONFIGURATIONS,
    certificates.SSL_CERTIFICATES,
    certificates.AUTHENTICATION_CERTIFICATES,
    certificates.TRUSTED_ROOT_CERTIFICATES,
    certificates.TRUSTED_CLIENT_CERTIFICATES,
    frontends.FRONTEND_IP_CONFIGURATIONS,
    frontends.FRONTEND_PORTS,
    backends.BACKEND_ADDRESS_POOLS,
    backends.BACKEND_HTTP_SETTINGS,
    frontends.HTTP_LISTENERS,
    certificates.SSL_PROFILES,
    routing.URL_PATH_MAPS,
    routing.REQUEST_ROUTING_RULES,
    backends.PROBES,
    routing.REWRITE_RULE_SETS,
    routing.REDIRECT_CONFIGURATIONS,
)
_BY_MODEL = {shape.model: shape for shape in SHAPES}
# What is referred to comes before what refers.
SHAPES_IN_WRITING_ORDER: tuple[Shape, ...] = tuple(_BY_MODEL[model] for model in CHILD_MODELS)

# The cloud names the users of a setting without the word "Collection".
_USED_BY = {"backendHttpSettingsCollection": "backendHttpSettings"}


def used_by(collection: str) -> str:
    """The name under which a referred-to item lists its users of ``collection``."""
    return _USED_BY.get(collection, collection)


def _targets(members: tuple[Member, ...], collection: str) -> list[tuple[str, str]]:
    """(target, back-reference name) for every reference below ``members``."""
    found = []
    for member in members:
        if member.target and member.kind in (Kind.REFERENCE, Kind.REFERENCES):
            found.append((member.target, used_by(collection)))
        elif member.kind is Kind.ITEMS and member.of:
            found += _targets(member.of.members, member.of.collection)
    return found


# Collection → names of the read-only lists that say who uses an item of it.
BACK_REFERENCES: dict[str, tuple[str, ...]] = {shape.collection: () for shape in SHAPES}
for _shape in SHAPES:
    for _target, _name in _targets(_shape.members, _shape.collection):
        if _name not in BACK_REFERENCES[_target]:
            BACK_REFERENCES[_target] = (*BACK_REFERENCES[_target], _name)


def _paths(members: tuple[Member, ...], prefix: str) -> dict[str, str]:
    """Model field → path of the member, below an item."""
    found: dict[str, str] = {}
    for member in members:
        path = f"{prefix}{member.json}"
        if member.field:
            found[member.field] = path
        if member.presence:
            found[member.presence] = path
        found.update(_paths(member.members, f"{path}."))
    return found


_PATHS: dict[str, dict[str, str]] = {
    "": _paths((*FIRST, *LAST), "properties.")
    | {name: name for name in ("name", "location", "tags", "zones")}
}
for _shape in (*SHAPES, routing.PATH_RULES):
    _PATHS[_shape.collection] = _paths(_shape.members, "properties.") | {"name": "name"}


def member_path(collection: str, field: str) -> str:
    """The path of the member that a model's field stands for, or nothing if there is none."""
    return _PATHS.get(collection, {}).get(field, "")
