"""Home, All resources, search and the bell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from certificates.workshop import pages
from certificates.x509.problems import KINDS, Kind
from gateway.accounts.models import Subscription, User
from gateway.accounts.roles import readable_subscriptions
from gateway.models import (
    ApplicationGateway,
    PublicIPAddress,
    Resource,
    VirtualNetwork,
)
from gateway.portal.expiry import expiring
from gateway.portal.frame import own_activities, workshop_url
from gateway.portal.pages import Crumb, PortalRequest

# Shown in one list; the order is that of their names in it.
RESOURCE_MODELS: tuple[type[Resource], ...] = (
    ApplicationGateway,
    PublicIPAddress,
    VirtualNetwork,
)
ICONS = {
    ApplicationGateway: "gateway",
    PublicIPAddress: "publicip",
    VirtualNetwork: "network",
}
LOCATIONS = {"westus": "West US"}


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One line of All resources; ``url`` is empty for what has no blade of its own.

    ``tier`` is that of a gateway; ``is_own`` says that it stands in the reader's own sandbox.
    """

    name: str
    icon: str
    type: str
    tier: str
    group: str
    location: str
    subscription_id: str
    subscription: str
    is_own: bool
    url: str


def resource_rows(user: User, *, name_contains: str = "") -> list[ResourceRow]:
    """What the user may see: the own sandbox first, then by subscription and name.

    One query for each type of resource.
    """
    rows = rows_of(readable_subscriptions(user), name_contains=name_contains, reader=user)
    return sorted(rows, key=lambda row: (not row.is_own, row.subscription.lower()))


def rows_of(
    subscriptions: Iterable[Subscription], *, name_contains: str = "", reader: User | None = None
) -> list[ResourceRow]:
    """What stands in these subscriptions, by name (one query for each type of resource)."""
    rows: list[ResourceRow] = []
    for model in RESOURCE_MODELS:
        found = model._default_manager.filter(group__subscription__in=subscriptions)
        if name_contains:
            found = found.filter(
                Q(name__icontains=name_contains) | Q(group__name__icontains=name_contains)
            )
        related = found.select_related("group__subscription")
        rows += [_row(resource, reader) for resource in related]
    return sorted(rows, key=lambda row: (row.name.lower(), row.group.lower(), row.type))


def _row(resource: Resource, reader: User | None) -> ResourceRow:
    group = resource.group
    url, tier = "", ""
    if isinstance(resource, ApplicationGateway):
        tier = resource.get_sku_tier_display()
        url = reverse(
            "portal:overview", args=[str(group.subscription_id), group.name, resource.name]
        )
    elif isinstance(resource, VirtualNetwork):
        url = reverse(
            "portal:network", args=[str(group.subscription_id), group.name, resource.name]
        )
    return ResourceRow(
        resource.name,
        ICONS[type(resource)],
        resource.label,
        tier,
        group.name,
        LOCATIONS.get(resource.location, resource.location),
        str(group.subscription_id),
        group.subscription.name,
        reader is not None and group.subscription.sandbox_of_id == reader.pk,
        url,
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter, as the address has it and as it is called."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The resources that the filters of the address leave, and what may be chosen.

    ``subscriptions`` and ``types`` are empty where there is nothing to choose between.
    """

    rows: tuple[ResourceRow, ...]
    subscriptions: tuple[Choice, ...]
    types: tuple[Choice, ...]
    subscription: str
    type: str


def _listed(request: PortalRequest, rows: list[ResourceRow]) -> Listed:
    """``rows`` narrowed by ``?subscription=`` and ``?type=``; unknown values narrow nothing."""
    subscriptions = dict.fromkeys(Choice(row.subscription_id, row.subscription) for row in rows)
    types = dict.fromkeys(Choice(row.type, row.type) for row in sorted(rows, key=lambda r: r.type))
    subscription = _chosen(request.GET.get("subscription", ""), subscriptions)
    wanted = _chosen(request.GET.get("type", ""), types)
    found = (
        row
        for row in rows
        if subscription in ("", row.subscription_id) and wanted in ("", row.type)
    )
    return Listed(tuple(found), _choices(subscriptions), _choices(types), subscription, wanted)


def _chosen(value: str, known: Iterable[Choice]) -> str:
    return value if any(one.value == value for one in known) else ""


def _choices(known: Iterable[Choice]) -> tuple[Choice, ...]:
    found = tuple(known)
    return found if len(found) > 1 else ()


def _home() -> list[Crumb]:
    return [Crumb("Home", reverse("portal:home"))]


@login_required
def home(request: PortalRequest) -> HttpResponse:
    gateways = [row for row in resource_rows(request.user) if row.type == ApplicationGateway.label]
    context = {
        "listed": _listed(request, gateways),
        "title": "Home",
        "workshop_url": workshop_url(),
        "expiring": expiring(request.user, timezone.now()),
    }
    return render(request, "portal/home.html", context)


@login_required
def all_resources(request: PortalRequest) -> HttpResponse:
    context = {
        "crumbs": _home(),
        "icon": "list",
        "title": "All resources",
        "subtitle": request.user.username,
        "close_url": reverse("portal:home"),
        "listed": _listed(request, resource_rows(request.user)),
    }
    return render(request, "portal/all_resources.html", context)


@dataclass(frozen=True, slots=True)
class Hit:
    label: str
    note: str
    url: str
    icon: str


@login_required
def search(request: PortalRequest) -> HttpResponse:
    """Resources, pages of the certificate workshop (also by what Windows calls them), and help."""
    query = request.GET.get("q", "").strip()[:100]
    groups = [
        ("Resources", _resource_hits(request, query)),
        ("Certificate tools", _workshop_hits(query)),
        ("Help", list(_help_hits(query))),
    ]
    context = {
        "crumbs": _home(),
        "icon": "search",
        "title": "Search",
        "close_url": reverse("portal:home"),
        "search_query": query,
        "groups": groups if query else [],
    }
    return render(request, "portal/search.html", context)


def _resource_hits(request: PortalRequest, query: str) -> list[Hit]:
    rows = resource_rows(request.user, name_contains=query)
    return [Hit(row.name, f"{row.type} in {row.group}", row.url, row.icon) for row in rows[:20]]


def _workshop_hits(query: str) -> list[Hit]:
    return [Hit(page.label, "Certificates", page.url, page.icon) for page in pages.find(query)]


def _help_hits(query: str) -> Iterable[Hit]:
    wanted = query.lower()
    found = [kind for kind in KINDS.values() if wanted in _words(kind)]
    for kind in found[:20]:
        yield Hit(kind.title, kind.id, reverse("portal:help", args=[kind.id]), "help")


def _words(kind: Kind) -> str:
    return f"{kind.id} {kind.title} {kind.why}".lower()


@login_required
def notifications(request: PortalRequest) -> HttpResponse:
    """The bell: the user's own latest operations. Opening it marks them as read."""
    latest = list(own_activities(request.user)[:20])
    request.user.notifications_seen_at = timezone.now()
    request.user.save(update_fields=["notifications_seen_at"])
    context = {
        "crumbs": _home(),
        "icon": "bell",
        "title": "Notifications",
        "close_url": reverse("portal:home"),
        "activities": latest,
    }
    partial = "portal/notifications_list.html"
    full = "portal/notifications.html"
    return render(request, partial if request.htmx else full, context)
