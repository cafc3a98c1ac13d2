"""Who may do what on a subscription."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from gateway.accounts.models import Role, RoleAssignment, Subscription, User

WRITERS = frozenset({Role.OWNER, Role.CONTRIBUTOR})


def role_of(user: User | AnonymousUser, subscription: Subscription) -> Role | None:
    """The user's role, ``None`` without one. An installation administrator owns everything."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if user.is_superuser:
        return Role.OWNER
    found = RoleAssignment.objects.filter(user=user, subscription=subscription).first()
    return Role(found.role) if found else None


def can_write(role: Role | None) -> bool:
    return role in WRITERS


def readable_subscriptions(user: User) -> QuerySet[Subscription]:
    """Subscriptions that the user may see: all for an administrator, else those with a role."""
    if user.is_superuser:
        return Subscription.objects.all()
    return Subscription.objects.filter(role_assignments__user=user)


def writable_subscriptions(user: User) -> set[UUID]:
    """Primary keys of the subscriptions that the user may change (one query)."""
    if user.is_superuser:
        return set(Subscription.objects.values_list("pk", flat=True))
    held = RoleAssignment.objects.filter(user=user, role__in=WRITERS)
    return set(held.values_list("subscription_id", flat=True))
