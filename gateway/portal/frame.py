"""What every page shows around its content: who is signed in, the menu, the bell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from gateway.accounts.models import Theme, User
from gateway.lab.sandbox import CLIENT as SANDBOX_CLIENT
from gateway.models import Activity


@dataclass(frozen=True, slots=True)
class MenuLink:
    label: str
    url: str
    icon: str
    shortcut: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of a page; ``user`` is ``None`` on pages before sign-in."""

    user: User | None = None
    theme: str = Theme.SYSTEM
    unread: int = 0
    role: str = ""
    menu: list[MenuLink] = field(default_factory=list)
    account_links: list[MenuLink] = field(default_factory=list)
    help_url: str = ""


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``frame``, made when a template first reads it."""
    return {"frame": SimpleLazyObject(lambda: _frame(request))}


def _frame(request: HttpRequest) -> Frame:
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_authenticated:
        return Frame()
    return Frame(
        user=user,
        theme=user.theme,
        unread=unread_count(user),
        role=_role(user),
        menu=main_menu(request.path),
        account_links=[MenuLink("Set password", reverse("password"), "key")],
        help_url=reverse("portal:help-index"),
    )


def _role(user: User) -> str:
    if user.is_superuser:
        return "Administrator"
    return "Trainer" if user.is_trainer else ""


def main_menu(path: str) -> list[MenuLink]:
    entries = (
        ("Home", reverse("portal:home"), "home", "g h"),
        ("All resources", reverse("portal:all-resources"), "list", "g a"),
        ("Certificates", workshop_url(), "certificate", "g c"),
        ("Lab", reverse("portal:lab"), "lab", "g l"),
    )
    return [
        MenuLink(label, url, icon, shortcut, url == path) for label, url, icon, shortcut in entries
    ]


def workshop_url() -> str:
    """Where the certificate workshop begins: in the user's own store."""
    return reverse("certificates:manager", args=["current-user", "personal"])


def own_activities(user: User) -> QuerySet[Activity]:
    """What the bell is about: the user's operations, without the setting up of the sandbox."""
    return Activity.objects.filter(user_id=user.pk).exclude(client=SANDBOX_CLIENT)


def unread_count(user: User) -> int:
    """Own operations since the bell was last opened (at most 99 are counted)."""
    mine = own_activities(user)
    if user.notifications_seen_at:
        mine = mine.filter(happened_at__gt=user.notifications_seen_at)
    return mine.order_by()[:99].count()
