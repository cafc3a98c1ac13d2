"""What no connection to a backend may reach, as the engine's guard is told.

The compiler has asked :mod:`gateway.network` about every address already; this stands behind it, so
that a bundle that grew old, or was tampered with, still reaches none of these.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A network (``prefix``/``length``), on one ``port`` or on all (``None``)."""

    prefix: str
    length: int
    port: int | None = None


_NETWORKS = (
    "169.254.0.0/16",
    "fe80::/10",
    "168.63.129.16/32",
    "100.100.100.200/32",
    "fd00:ec2::254/128",
    "224.0.0.0/4",
    "ff00::/8",
    "0.0.0.0/32",
    "::/128",
    "255.255.255.255/32",
)
_LOOPBACK = ("127.0.0.0/8", "::1/128")
_DATABASE_PORT = 5432


def forbidden_now() -> tuple[Forbidden, ...]:
    """Networks that are closed whatever an administrator allows, and the portal's own ports."""
    found = [_network(text) for text in _NETWORKS]
    for port in sorted(_own_ports()):
        found += [_network(text, port) for text in _LOOPBACK]
    return tuple(found)


def _network(text: str, port: int | None = None) -> Forbidden:
    network = ipaddress.ip_network(text)
    return Forbidden(str(network.network_address), network.prefixlen, port)


def _own_ports() -> set[int]:
    """Ports of this machine on which the portal and its database listen."""
    ports = set()
    for door in settings.GATEWRIGHT_PORTAL_ADDRESSES:
        _, _, port = str(door).rpartition(":")
        if port.isascii() and port.isdigit():
            ports.add(int(port))
    for database in settings.DATABASES.values():
        host = str(database.get("HOST") or "")
        if str(database["ENGINE"]).endswith("postgresql") and not host.startswith("/"):
            ports.add(int(database.get("PORT") or _DATABASE_PORT))
    return ports
