"""Which addresses outside the lab may be connected to at all.

The default is none: ``GATEWRIGHT_ALLOWED_NETWORKS`` opens networks, and some addresses stay closed
whatever it says. The check is made on the address that is dialed, never on a name.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator
from functools import lru_cache

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where cloud machines ask for their own identity and secrets, beside the link-local range.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("168.63.129.16", "100.100.100.200", "fd00:ec2::254")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_DATABASE_PORT = 5432
# Names of the portal's own parts change rarely; a look-up per probe would be waste.
_REMEMBERED_SECONDS = 60


def allowed(address: str, port: int) -> bool:
    """Whether ``address`` and ``port`` outside the lab may be connected to."""
    return refusal(address, port) is None


def refusal(address: str, port: int) -> str | None:
    """Why a connection is not allowed, as the end of a sentence; ``None`` if it is."""
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return "it is no IP address"
    faces = list(_faces(parsed))
    for face in faces:
        reason = _always_denied(face, port)
        if reason:
            return reason
    networks = settings.GATEWRIGHT_ALLOWED_NETWORKS
    if all(any(face in network for network in networks) for face in faces):
        return None
    return (
        "it is outside the lab, and the administrator of this installation has not opened its "
        "network (GATEWRIGHT_ALLOWED_NETWORKS)"
    )


def _faces(address: Address) -> Iterator[Address]:
    """The address as a packet sees it, and the IPv4 address that it carries inside, if any."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
        return
    yield address
    inner: int | None = None
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        inner = int(address) & 0xFFFF_FFFF
    elif address.sixtofour is not None:
        inner = int(address.sixtofour)
    elif address.teredo is not None:
        inner = int(address.teredo[1])
    if inner is not None:
        yield ipaddress.IPv4Address(inner)


def _always_denied(address: Address, port: int) -> str | None:
    if address.is_unspecified or address.is_multicast or _is_broadcast(address):
        return "it is not the address of one host"
    if address.is_link_local or address in _METADATA:
        return "link-local and metadata addresses are never connected to"
    if address.is_reserved and isinstance(address, ipaddress.IPv4Address):
        return "it is reserved"
    if not 0 < port < 65536:
        return f"{port} is no port"
    if port in _own_ports() and _is_own(address):
        return "this portal itself listens there"
    if (str(address), port) in _databases(_tick()):
        return "the portal's database listens there"
    return None


def _is_broadcast(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv4Address) and address.packed == b"\xff\xff\xff\xff"


def _own_ports() -> set[int]:
    ports = set()
    for listener in settings.GATEWRIGHT_PORTAL_ADDRESSES:
        _, _, port = listener.rpartition(":")
        if port.isascii() and port.isdigit():
            ports.add(int(port))
    return ports


def _is_own(address: Address) -> bool:
    """Whether ``address`` is one of this machine's: only such an address can be bound."""
    if address.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def _tick() -> int:
    return int(time.monotonic() // _REMEMBERED_SECONDS)


@lru_cache(maxsize=2)
def _databases(tick: int) -> frozenset[tuple[str, int]]:
    """(address, port) of the databases that are reached over TCP."""
    found: set[tuple[str, int]] = set()
    for options in settings.DATABASES.values():
        if not str(options["ENGINE"]).endswith("postgresql"):
            continue
        host, port = str(options.get("HOST") or ""), int(options.get("PORT") or _DATABASE_PORT)
        names = [name for name in host.split(",") if name and not name.startswith("/")]
        for name in names or ["127.0.0.1", "::1"]:
            found.update((address, port) for address in _addresses(name))
    return frozenset(found)


def _addresses(name: str) -> set[str]:
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
    except (OSError, UnicodeError):
        return set()
