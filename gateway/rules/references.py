"""References between the children of a gateway: who uses what, and what may go."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import models

from gateway.models import Child, LoadedGateway, PathRule
from gateway.models.loading import CHILD_MODELS
from gateway.models.loading import loaded as rows_of
from gateway.problems import Problem, declare
from gateway.rules.presence import COLLECTION_EMPTY, NEEDED
from gateway.rules.words import about, called, listed, named

IN_USE = declare(
    "in-use",
    title="It is still in use",
    why="Something else on the gateway refers to it and would not work without it.",
    remedy="First change or remove what uses it; the message names it.",
    source="Azure Resource Manager: InvalidResourceReference",
    arm_code="InvalidResourceReference",
)
FOREIGN = declare(
    "reference-foreign",
    title="The reference leads to another gateway",
    why="Listeners, rules and settings refer to objects of their own gateway only.",
    remedy="Create the object on this gateway and choose it there.",
    source="Azure Resource Manager: InvalidResourceReference",
    arm_code="InvalidResourceReference",
)

# Rows that join a child with a certificate: model's related name, for each owner.
_LINKS = ("authentication_links", "root_links", "client_certificate_links")


def references(loaded: LoadedGateway) -> Iterator[tuple[Child | PathRule, str, str, int]]:
    """Every reference: who refers, by which field, to which collection, to which key."""
    for model in CHILD_MODELS:
        fields = _reference_fields(model)
        for row in loaded.children(model):
            for field, collection in fields:
                key = getattr(row, f"{field}_id")
                if key is not None:
                    yield row, field, collection, key
    path_fields = [one for one in _reference_fields(PathRule) if one[0] != "path_map"]
    for path_map in loaded.path_maps:
        for rule in loaded.path_rules(path_map):
            for field, collection in path_fields:
                key = getattr(rule, f"{field}_id")
                if key is not None:
                    yield rule, field, collection, key
    owners: list[Child] = [*loaded.http_settings, *loaded.ssl_profiles]
    for owner in owners:
        for name in _LINKS:
            if name in owner.__dict__.get("_prefetched_objects_cache", {}):
                for link in rows_of(owner, name):
                    target = link._meta.get_field("certificate").related_model
                    yield owner, name, target.collection, link.certificate_id


def _reference_fields(model: type[models.Model]) -> list[tuple[str, str]]:
    return [
        (field.name, field.related_model.collection)
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and isinstance(field.related_model, type)
        and issubclass(field.related_model, Child)
    ]


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    """References to children of other gateways, which no other rule could follow."""
    own = {collection: {row.pk for row in rows} for collection, rows in loaded.collections.items()}
    for row, field, collection, key in references(loaded):
        if key not in own[collection]:
            message = f"{called(row)} refers to an object of another gateway in “{collection}”."
            yield about(FOREIGN, row, message, field)


def users(loaded: LoadedGateway, child: Child) -> list[Child | PathRule]:
    """Who refers to ``child``, each once, in the order of collections."""
    found: dict[tuple[type, int], Child | PathRule] = {}
    for row, _, collection, key in references(loaded):
        if collection == child.collection and key == child.pk:
            found.setdefault((type(row), row.pk), row)
    return list(found.values())


def blockers(loaded: LoadedGateway, child: Child) -> list[Problem]:
    """Why ``child`` may not be deleted: who uses it, and that it is the last one of its kind."""
    problems = []
    using = users(loaded, child)
    if using:
        message = f"{called(child)} is used by {listed(_named(row) for row in using)}."
        problems.append(about(IN_USE, child, message))
    if type(child) in NEEDED and len(loaded.children(type(child))) <= 1:
        message = f"{called(child)} is the only {child.noun} of gateway “{loaded.gateway.name}”."
        problems.append(about(COLLECTION_EMPTY, child, message))
    return problems


def _named(row: Child | PathRule) -> str:
    if isinstance(row, PathRule):
        return f"{row.noun} “{row.name}” of {named(row.path_map)}"
    return named(row)
