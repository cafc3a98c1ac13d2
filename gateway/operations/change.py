"""The hallway: every change of a resource passes here.

One transaction locks the resource, checks the entity tag, lets the door write rows, loads the whole
gateway again and asks the rules. An error rolls everything back and is recorded as a failed
activity; else generation and entity tag move on and the activity keeps a field-by-field diff.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from gateway import document, rules
from gateway.accounts.models import Subscription, User
from gateway.accounts.roles import can_write, role_of
from gateway.models import (
    Activity,
    ApplicationGateway,
    LoadedGateway,
    ResourceGroup,
    Row,
    load_gateway,
    new_etag,
    writing,
)
from gateway.operations.ports import publish
from gateway.problems import Problem, at, declare, errors, warnings
from gateway.rules.fields import field_problems
from gateway.waking import wake

ACCESS_DENIED = declare(
    "access-denied",
    title="You may look, but not change",
    why="Changes need the role Owner or Contributor on the subscription.",
    remedy="Ask an owner of the subscription for the Contributor role.",
    source="Azure built-in roles article",
    arm_code="AuthorizationFailed",
)
NAME_TAKEN = declare(
    "name-taken",
    title="The name is in use",
    why="Names are unique within their collection, whatever their case.",
    remedy="Choose another name.",
    source="Naming rules and restrictions for Azure resources",
    arm_code="InvalidRequestContent",
)
CONFLICT = declare(
    "changed-meanwhile",
    title="Somebody else saved first",
    why="The gateway was changed after this form was opened.",
    remedy="Look at what was changed; what you typed is kept. Save again to apply it on top.",
    source="Azure Resource Manager: optimistic concurrency with entity tags",
    arm_code="PreconditionFailed",
)
GONE = declare(
    "resource-gone",
    title="The resource was deleted",
    why="It existed when the page was opened and has been deleted since.",
    remedy="Go back to All resources.",
    arm_code="ResourceNotFound",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for a change, and with which client."""

    user: User
    client: str = "Portal"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an operation; problems are errors (nothing was changed) or warnings."""

    problems: tuple[Problem, ...] = ()
    changed: bool = False
    activity: Activity | None = None

    @property
    def ok(self) -> bool:
        return not self.errors

    @property
    def errors(self) -> list[Problem]:
        return errors(self.problems)

    @property
    def warnings(self) -> list[Problem]:
        return warnings(self.problems)

    @property
    def conflict(self) -> bool:
        """True if somebody else saved first."""
        return any(problem.kind is CONFLICT for problem in self.problems)


class Rejected(Exception):
    """Raised while writing, to roll back with these problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def store(row: Row) -> None:
    """Save a row whose fields and name are right; raises :class:`Rejected` otherwise."""
    problems = errors(field_problems(row))
    if problems:
        raise Rejected(*problems)
    try:
        row.validate_constraints()
    except ValidationError:
        raise Rejected(_name_taken(row)) from None
    row.save()


def remove(row: Row) -> None:
    """Delete a row; the rules have been asked before."""
    row.delete()


def _name_taken(row: Row) -> Problem:
    name = getattr(row, "name", str(row))
    noun = getattr(row, "noun", row._meta.verbose_name)
    return at(
        NAME_TAKEN,
        f"There is already a {noun} named “{name}”.",
        getattr(row, "collection", ""),
        name,
        "name",
    )


def _denied(caller: Caller, subscription: Subscription, what: str) -> Problem | None:
    if can_write(role_of(caller.user, subscription)):
        return None
    return at(
        ACCESS_DENIED,
        f"{what} was not changed: {caller.user.username} may not write in the "
        f"subscription “{subscription.name}”.",
    )


def change_gateway(
    caller: Caller,
    gateway: ApplicationGateway,
    *,
    operation: str,
    write: Callable[[LoadedGateway], None],
    etag: str | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Change a gateway through ``write``, which gets it loaded and locked.

    ``etag`` is the tag that the caller last saw; ``None`` skips the check. Never raises for what a
    user can cause: the outcome carries the problems.
    """
    now = now or timezone.now()
    subscription = gateway.group.subscription
    denied = _denied(caller, subscription, f"“{gateway.name}”")
    if denied:
        return _failed(caller, subscription, gateway, operation, (denied,), now)
    try:
        with transaction.atomic(), writing():
            locked = (
                ApplicationGateway.objects.select_for_update(of=("self",))
                .select_related("group__subscription")
                .filter(pk=gateway.pk)
                .first()
            )
            if locked is None:
                raise Rejected(at(GONE, f"The gateway “{gateway.name}” no longer exists."))
            if etag is not None and etag != locked.etag:
                raise Rejected(_conflict(locked))
            before = load_gateway(locked)
            before_document = document.snapshot(before)
            write(before)
            outcome = _commit(caller, locked, operation, before_document, now)
    except Rejected as rejection:
        return _failed(caller, subscription, gateway, operation, rejection.problems, now)
    gateway.etag, gateway.generation = locked.etag, locked.generation
    return outcome


def create_gateway(
    caller: Caller,
    group: ResourceGroup,
    *,
    name: str,
    operation: str,
    write: Callable[[], ApplicationGateway],
    now: datetime | None = None,
) -> Outcome:
    """Create a gateway through ``write``, with its resource group locked."""
    now = now or timezone.now()
    subscription = group.subscription
    resource_id = f"{group.arm_id}/providers/Microsoft.Network/applicationGateways/{name}"
    denied = _denied(caller, subscription, f"“{name}”")
    if denied:
        return _record_failure(caller, subscription, resource_id, name, operation, (denied,), now)
    try:
        with transaction.atomic(), writing():
            if not ResourceGroup.objects.select_for_update().filter(pk=group.pk).first():
                raise Rejected(at(GONE, f"The resource group “{group.name}” no longer exists."))
            created = write()
            return _commit(caller, created, operation, {}, now)
    except Rejected as rejection:
        return _record_failure(
            caller, subscription, resource_id, name, operation, rejection.problems, now
        )


def change_resource(
    caller: Caller,
    subscription: Subscription,
    *,
    resource_id: str,
    resource_name: str,
    operation: str,
    write: Callable[[], list[dict[str, Any]] | None],
    now: datetime | None = None,
) -> Outcome:
    """Change anything that is not a gateway: groups, networks, zone, addresses, lab servers.

    ``write`` may return the changes to record, as {path, before, after}.
    """
    now = now or timezone.now()
    denied = _denied(caller, subscription, f"“{resource_name}”")
    problems: tuple[Problem, ...]
    if denied:
        problems = (denied,)
    else:
        try:
            with transaction.atomic(), writing():
                Subscription.objects.select_for_update().get(pk=subscription.pk)
                changes = write() or []
                # Names and addresses of the lab are part of what gateways are compiled from.
                transaction.on_commit(wake)
                activity = Activity.objects.create(
                    subscription=subscription,
                    resource_id=resource_id,
                    resource_name=resource_name,
                    operation=operation,
                    status=Activity.Status.SUCCEEDED,
                    user=caller.user,
                    client=caller.client,
                    changes=changes,
                    happened_at=now,
                )
                return Outcome((), True, activity)
        except Rejected as rejection:
            problems = rejection.problems
    return _record_failure(
        caller, subscription, resource_id, resource_name, operation, problems, now
    )


def _commit(
    caller: Caller,
    gateway: ApplicationGateway,
    operation: str,
    before: dict[str, Any],
    now: datetime,
) -> Outcome:
    """Judge what was written; raises :class:`Rejected` on an error."""
    after = load_gateway(gateway)
    problems = rules.check(after, now=now)
    if errors(problems):
        raise Rejected(*problems)
    changes = document.diff(before, document.snapshot(after)) if before else []
    if before and not changes:
        return Outcome(tuple(problems))
    unpublished = publish(after)
    if unpublished:
        raise Rejected(*unpublished)
    if before:
        gateway.generation += 1
        gateway.etag = new_etag()
        gateway.save(update_fields=["generation", "etag", "changed_at"])
    transaction.on_commit(wake)
    activity = Activity.objects.create(
        subscription=gateway.group.subscription,
        resource_id=gateway.arm_id,
        resource_name=gateway.name,
        operation=operation,
        status=Activity.Status.SUCCEEDED,
        user=caller.user,
        client=caller.client,
        generation=gateway.generation,
        problems=[problem.id for problem in problems],
        changes=changes,
        happened_at=now,
    )
    return Outcome(tuple(problems), True, activity)


def _conflict(gateway: ApplicationGateway) -> Problem:
    latest = (
        Activity.objects.filter(resource_id=gateway.arm_id, status=Activity.Status.SUCCEEDED)
        .select_related("user")
        .first()
    )
    if latest is None:
        return at(CONFLICT, f"“{gateway.name}” was changed after this form was opened.")
    who = latest.user.username if latest.user else "Somebody"
    touched = ", ".join(change["path"] for change in latest.changes[:4])
    more = f" and {len(latest.changes) - 4} more" if len(latest.changes) > 4 else ""
    what = f" It touched {touched}{more}." if touched else ""
    return at(
        CONFLICT,
        f"After you opened this form, {who} saved “{latest.operation}” at "
        f"{latest.happened_at:%H:%M:%S} UTC.{what}",
    )


def _failed(
    caller: Caller,
    subscription: Subscription,
    gateway: ApplicationGateway,
    operation: str,
    problems: tuple[Problem, ...],
    now: datetime,
) -> Outcome:
    return _record_failure(
        caller, subscription, gateway.arm_id, gateway.name, operation, problems, now
    )


def _record_failure(
    caller: Caller,
    subscription: Subscription,
    resource_id: str,
    resource_name: str,
    operation: str,
    problems: tuple[Problem, ...],
    now: datetime,
) -> Outcome:
    """Record a refused operation by its problem ids, never by what was typed."""
    activity = Activity.objects.create(
        subscription=subscription,
        resource_id=resource_id[:400],
        resource_name=resource_name[:120],
        operation=operation[:160],
        status=Activity.Status.FAILED,
        user=caller.user,
        client=caller.client,
        problems=[problem.id for problem in errors(problems)],
        happened_at=now,
    )
    return Outcome(tuple(problems), False, activity)
