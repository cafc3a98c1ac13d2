"""The left menu of a gateway: its items, in the modelled portal's order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.models import ApplicationGateway


@dataclass(frozen=True, slots=True)
class MenuItem:
    key: str
    label: str
    icon: str
    url: str
    current: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class MenuGroup:
    label: str
    items: list[MenuItem]


# (group, [(view name, label, icon, other words that the menu search finds it by)])
_ITEMS: list[tuple[str, list[tuple[str, str, str, str]]]] = [
    (
        "",
        [
            ("overview", "Overview", "overview", "essentials address"),
            ("activity", "Activity log", "log", "history changes audit"),
        ],
    ),
    (
        "Settings",
        [
            ("pools", "Backend pools", "pools", "targets servers"),
            ("http-settings", "HTTP settings", "settings", "backend settings certificate"),
            ("frontends", "Frontend IP configurations", "frontend", "address"),
            ("listeners", "Listeners", "listeners", "pfx certificate host"),
            ("rules", "Rules", "rules", "routing priority"),
            ("probes", "Health probes", "probe", "custom probe"),
            ("properties", "Properties", "properties", "id etag generation"),
        ],
    ),
    (
        "Monitoring",
        [
            ("health", "Backend health", "health", "status unhealthy troubleshoot"),
            ("test-request", "Test request", "send", "curl try journey handshake"),
            ("access-log", "Access log", "list", "requests traffic tail status"),
            ("advisor", "Advisor", "recommendation", "recommendations expiry warnings"),
        ],
    ),
    ("Automation", [("json", "JSON View", "json", "export template arm document")]),
]


def resource_menu(
    gateway: ApplicationGateway, url: Callable[[str], str], current: str
) -> list[MenuGroup]:
    """The menu of ``gateway`` with ``current`` marked."""
    return [
        MenuGroup(
            label,
            [
                MenuItem(key, text, icon, url(key), key == current, hint)
                for key, text, icon, hint in items
            ],
        )
        for label, items in _ITEMS
    ]
