"""Ports and addresses that the portal listens on."""

from __future__ import annotations

import ipaddress
import socket

TRIED = 200


class PortTakenError(Exception):
    """The port that was asked for cannot be had; the text says why."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host`` (an address, or the name ``localhost``)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_wildcard(host: str) -> bool:
    """Whether ``host`` stands for every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def refusal(host: str, port: int) -> str | None:
    """Why nothing can listen there, in the system's words; ``None`` when something can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the web server does: connections that are just closing are no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.strerror or str(error)
    return None


def find(host: str, asked: int | None, default: int, *, besides: int = 0) -> int:
    """``asked`` if it is free, else the first free port from ``default`` on.

    Raises :class:`PortTakenError` when the asked port cannot be had, nothing near the default can,
    or ``host`` is no address of this machine. ``besides`` is a port that is already spoken for.
    """
    # Asked once, on whatever port: no other port would make a wrong name right.
    if reason := refusal(host, 0):
        raise PortTakenError(f"Nothing can listen on {host}: {reason}.")
    if asked is not None:
        if asked == besides:
            raise PortTakenError(f"HTTP and HTTPS cannot share port {asked}.")
        if reason := refusal(host, asked):
            raise PortTakenError(f"Port {asked} of {host} cannot be used: {reason}.")
        return asked
    reason = None
    for port in range(default, default + TRIED):
        if port == besides:
            continue
        reason = refusal(host, port)
        if reason is None:
            return port
    raise PortTakenError(f"No port from {default} on can be used on {host}: {reason}.")
