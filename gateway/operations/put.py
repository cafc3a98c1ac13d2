"""Create or replace a gateway by its ARM document: the way in for REST, templates and imports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from gateway.accounts.roles import can_write, role_of
from gateway.document import Draft, read
from gateway.models import ApplicationGateway, LoadedGateway, ResourceGroup
from gateway.models.fields import NAME_PATTERN
from gateway.models.gateways import V1_TIERS
from gateway.models.loading import CHILD_MODELS
from gateway.operations.change import (
    CONFLICT,
    Caller,
    Outcome,
    Rejected,
    change_gateway,
    create_gateway,
)
from gateway.operations.links import find_externals, missing_children
from gateway.operations.rows import write_gateway
from gateway.operations.uploads import Opened, open_uploads
from gateway.problems import Problem, at, declare, errors, warnings
from gateway.rules.fields import field_problems

LOCATION_MISSING = declare(
    "location-missing",
    title="The gateway has no location",
    why="A new resource needs a region to stand in.",
    remedy="Add the region of the virtual network, for example westus.",
    source="Application gateways REST API reference",
    arm_code="LocationRequired",
)
LOCATION_FIXED = declare(
    "location-fixed",
    title="The location of a gateway cannot change",
    why="A resource stays in the region that it was created in.",
    remedy="Send the present location, or create a second gateway in the other region.",
    source="Azure Resource Manager: common deployment errors",
    arm_code="InvalidResourceLocation",
)
GENERATION_FIXED = declare(
    "generation-fixed",
    title="A v1 gateway cannot become a v2 gateway",
    why="The two generations are built differently; no change of the tier leads from one to the "
    "other.",
    remedy="Create a new gateway of the other generation and move the settings over.",
    source="Migrate Application Gateway from v1 to v2 article",
)


class _CreatedMeanwhileError(Exception):
    """Somebody else created the gateway between the look and the lock."""


def put_gateway(
    caller: Caller,
    group: ResourceGroup,
    name: str,
    body: Any,
    *,
    etag: str | None = None,
    operation: str = "Create or update application gateway",
    strict: bool = True,
    now: datetime | None = None,
) -> Outcome:
    """Make the gateway ``name`` what the document ``body`` says; creates it if need be.

    Children are matched by name whatever its case and keep their rows; a listener certificate
    without data keeps its PFX. ``etag`` is the tag last seen, without quotation marks. Without
    ``strict`` (an import) unknown members are warnings. Never raises for what ``body`` holds.
    """
    now = now or timezone.now()
    if not NAME_PATTERN.match(name):
        return _refuse_name(caller, group, name, operation, now)
    gateway = _find(group, name)
    gateway_id = ApplicationGateway(group=group, name=gateway.name if gateway else name).arm_id
    draft = read(body, gateway_id=gateway_id, strict=strict)
    opened, refusals = Opened(), errors(draft.problems)
    if not refusals and can_write(role_of(caller.user, group.subscription)):
        opened = open_uploads(draft, now)
        refusals = [*errors(opened.problems), *missing_children(draft, gateway_id)]

    def change(loaded: LoadedGateway) -> None:
        _reject([*refusals, *_fixed(loaded.gateway, draft)])
        _write(loaded, draft, opened)

    def create() -> ApplicationGateway:
        if _find(group, name) is not None:
            raise _CreatedMeanwhileError
        if etag is not None:
            gone = at(CONFLICT, f"There is no gateway “{name}” that the entity tag could be of.")
            raise Rejected(gone)
        _reject(refusals or _homeless(draft))
        created = ApplicationGateway(group=group, name=name, location=draft.location or "")
        loaded = LoadedGateway(created, {model.collection: [] for model in CHILD_MODELS})
        _write(loaded, draft, opened)
        return created

    try:
        if gateway is None:
            outcome = create_gateway(
                caller, group, name=name, operation=operation, write=create, now=now
            )
        else:
            outcome = change_gateway(
                caller, gateway, operation=operation, write=change, etag=etag, now=now
            )
    except _CreatedMeanwhileError:
        return put_gateway(
            caller, group, name, body, etag=etag, operation=operation, strict=strict, now=now
        )
    notes = [*warnings(draft.problems), *warnings(opened.problems)]
    return replace(outcome, problems=_once([*notes, *outcome.problems]))


def _find(group: ResourceGroup, name: str) -> ApplicationGateway | None:
    return (
        ApplicationGateway.objects.filter(group=group, name__iexact=name)
        .select_related("group__subscription")
        .first()
    )


def _write(loaded: LoadedGateway, draft: Draft, opened: Opened) -> None:
    gateway = loaded.gateway
    known = None if gateway.pk is None else gateway
    externals, problems = find_externals(draft, gateway.group.subscription, known)
    _reject(problems)
    write_gateway(loaded, draft, opened, externals)


def _reject(problems: Iterable[Problem]) -> None:
    found = tuple(problems)
    if found:
        raise Rejected(*found)


def _homeless(draft: Draft) -> list[Problem]:
    if draft.location:
        return []
    return [
        at(LOCATION_MISSING, "The document of a new gateway needs a location.", "", "", "location")
    ]


def _fixed(gateway: ApplicationGateway, draft: Draft) -> list[Problem]:
    """What may not change once a gateway exists."""
    problems = []
    if draft.location and draft.location != gateway.location.replace(" ", "").lower():
        problems.append(
            at(
                LOCATION_FIXED,
                f"“{gateway.name}” stands in {gateway.location} and cannot move to "
                f"{draft.location}.",
                field="location",
            )
        )
    tier = draft.gateway.values.get("sku_tier", gateway.sku_tier)
    if (tier in V1_TIERS) != gateway.is_v1:
        problems.append(
            at(
                GENERATION_FIXED,
                f"“{gateway.name}” has the tier {gateway.sku_tier} and cannot become {tier}.",
                field="sku_tier",
            )
        )
    return problems


def _refuse_name(
    caller: Caller, group: ResourceGroup, name: str, operation: str, now: datetime
) -> Outcome:
    """Refuse a name before any query sees it; what is recorded of it is printable."""
    printable = "".join(one if one.isprintable() else "?" for one in name)[:120]

    def write() -> ApplicationGateway:
        raise Rejected(*errors(field_problems(ApplicationGateway(group=group, name=printable))))

    return create_gateway(caller, group, name=printable, operation=operation, write=write, now=now)


def _once(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple({(one.id, one.target, one.message): one for one in problems}.values())
