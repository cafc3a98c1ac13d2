"""Roles on a subscription."""

from __future__ import annotations

from gateway.accounts.models import Role, RoleAssignment, Subscription, User
from gateway.accounts.roles import role_of
from gateway.operations.change import Caller, Outcome, change_resource


def grant(caller: Caller, subscription: Subscription, user: User, role: Role | None) -> Outcome:
    """Give ``user`` a role on the subscription, or take it away with ``None``."""
    before = role_of(user, subscription)

    def write() -> list[dict[str, object]]:
        if role is None:
            RoleAssignment.objects.filter(user=user, subscription=subscription).delete()
        else:
            RoleAssignment.objects.update_or_create(
                user=user, subscription=subscription, defaults={"role": role}
            )
        return [{"path": f"roles/{user.username}", "before": before, "after": role}]

    return change_resource(
        caller,
        subscription,
        resource_id=f"/subscriptions/{subscription.pk}",
        resource_name=subscription.name,
        operation="Change access",
        write=write,
    )
