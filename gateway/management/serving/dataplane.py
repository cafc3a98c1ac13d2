"""What `serve` does for the data plane: ports that may be bound, a credential for its agent."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.conf import settings

from gateway import waking
from gateway.agents import register
from gateway.dataplane.agent import binary, follow, home
from gateway.management.serving import ports, web
from gateway.models.dataplane import LOWEST_UNPRIVILEGED
from gateway.operations.ports import Finding

_UNPRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
# An address of the range that belongs to the installation and that nothing is published at.
_TRIED = 2


def look(doors: Iterable[web.Door]) -> Finding:
    """The ports that gateways may be published at, found by trying."""
    host = str(settings.GATEWRIGHT_LOOPBACK_RANGE[_TRIED])
    taken = {door.port for door in doors if ports.is_wildcard(door.host)}
    return Finding(lowest_port(host), frozenset(taken))


def lowest_port(host: str) -> int:
    """The lowest port of ``host`` that this process may bind."""
    begin = LOWEST_UNPRIVILEGED
    with suppress(OSError, ValueError):
        begin = int(_UNPRIVILEGED.read_text())
    # With the capability CAP_NET_BIND_SERVICE, as root has it, every port may.
    for port in (1, begin):
        if 0 < port < LOWEST_UNPRIVILEGED and _may_bind(host, port):
            return port
    return LOWEST_UNPRIVILEGED


def _may_bind(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, port))
        except PermissionError:
            return False
        except OSError:
            # In use, then: it may be bound, only not twice.
            return True
    return True


def find_engine() -> tuple[str, str]:
    """The version of the proxy, or an empty text and why there is none."""
    try:
        return binary.find(os.environ.get("ENVOY_BIN")).version, ""
    except binary.EngineMissingError as error:
        return "", str(error)


def hand_over(doors: Iterable[web.Door], authority: Path, *, now: datetime) -> None:
    """Give the agent of this machine a fresh credential, in a file that only it can read."""
    place = home.Home(waking.directory())
    place.make()
    door = next(door for door in doors if door.scheme == "https")
    credential = register.admit_local(
        f"{socket.gethostname()[:60]} ({settings.GATEWRIGHT_INSTALLATION})", now=now
    )
    follow.save(
        place.portal,
        follow.Credentials(
            door.url(door.nearby).rstrip("/"), authority.read_text(encoding="ascii"), credential
        ),
    )
