"""What the pages of the workshop share: the menu, the crumbs, and windows over a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse


def owner_of(request: HttpRequest) -> int:
    """Whose things a page shows: the primary key of the user, who is signed in on every page."""
    return cast(int, request.user.pk)


@dataclass(frozen=True, slots=True)
class Crumb:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class MenuItem:
    label: str
    url: str
    icon: str
    current: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class MenuGroup:
    label: str
    items: list[MenuItem]


HOME = "/portal/"  # where the product begins; the workshop knows no gateway

# (key, view name, its arguments, label, icon, other words that the menu search finds it by)
_ITEMS: list[tuple[str, str, tuple[str, ...], str, str, str]] = [
    (
        "manager",
        "manager",
        ("current-user", "personal"),
        "Manage user certificates",
        "user",
        "certmgr.msc certificate manager Certificates - Current User personal export import pfx",
    ),
    (
        "computer",
        "manager",
        ("local-computer", "personal"),
        "Manage computer certificates",
        "system",
        "certlm.msc certificate manager Certificates - Local Computer export import pfx",
    ),
    (
        "files",
        "files",
        (),
        "Exported files",
        "folder",
        "desktop documents downloads cer der p7b notepad save",
    ),
    (
        "decoder",
        "decoder",
        (),
        "Certificate decoder",
        "decoder",
        "decode examine inspect convert der base64 pem pfx p7b csr what is this file refused",
    ),
    (
        "lab-ca",
        "lab-ca",
        (),
        "Lab CA",
        "lab",
        "new root intermediate server client self-signed certificate authority openssl pfx zip",
    ),
]


def _menu(current: str) -> list[MenuGroup]:
    items = [
        MenuItem(label, reverse(f"certificates:{view}", args=args), icon, key == current, hint)
        for key, view, args, label, icon, hint in _ITEMS
    ]
    return [MenuGroup("", items)]


def find(query: str) -> list[MenuItem]:
    """The pages that all words of ``query`` name: in their label, or in other words for them."""
    words = query.lower().split()
    found = [
        item
        for group in _menu("")
        for item in group.items
        if all(word in f"{item.label} {item.hint}".lower() for word in words)
    ]
    return found if words else []


def blade(
    current: str, title: str, *, icon: str = "certificate", subtitle: str = ""
) -> dict[str, Any]:
    """The context of a page of the workshop that extends ``certificates/workshop.html``.

    ``current`` is the key of its entry in the menu.
    """
    return {
        "crumbs": [Crumb("Home", HOME)],
        "icon": icon,
        "title": title,
        "subtitle": subtitle,
        "close_url": HOME,
        "menu": _menu(current),
        "menu_label": "Certificates",
    }


def window(
    key: str, title: str, *, back_url: str, back_label: str, icon: str = "certificate"
) -> dict[str, Any]:
    """The context of a window (``certificates/window.html``): a dialog over the page that opened
    it, or a page of its own without script.

    ``key`` makes the ids inside unique when windows lie over each other.
    """
    return {
        "window_id": f"window-{key}",
        "title": title,
        "icon": icon,
        "close_url": back_url,
        "crumbs": [Crumb("Home", HOME), Crumb(back_label, back_url)],
    }
