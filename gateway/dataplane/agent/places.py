"""Where listeners really listen: at addresses of this machine, at ports that are theirs alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Config = dict[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadPlaceError(ValueError):
    """A text names no place; the error's own text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """The addresses of ``published`` are those of ``own`` on this machine, one by one."""

    published: Network
    own: Network


def place(text: str) -> Place:
    """PUBLISHED=OWN, two addresses or two networks of one size; raises :class:`BadPlaceError`."""
    published, equals, own = text.partition("=")
    try:
        found = Place(ipaddress.ip_network(published.strip()), ipaddress.ip_network(own.strip()))
    except ValueError:
        equals = ""
    if not equals:
        raise BadPlaceError(
            f"“{text}” does not fit: write PUBLISHED=OWN, such as 127.83.16.2=10.0.0.7 or "
            "127.83.16.0/20=127.90.0.0/20."
        )
    if found.published.num_addresses != found.own.num_addresses:
        raise BadPlaceError(f"“{text}” does not fit: both sides must be of one size.")
    return found


def settle(listeners: Mapping[str, Config], places: Sequence[Place] = ()) -> dict[str, Config]:
    """Listeners as this machine has them.

    Their ports are theirs alone: Envoy's default lets another Envoy of the same user listen there
    as well, unnoticed, and the system then deals connections out to both.
    """
    return {
        name: {**_moved(one, places), "enable_reuse_port": False} for name, one in listeners.items()
    }


def _moved(listener: Config, places: Sequence[Place]) -> Config:
    try:
        socket = listener["address"]["socket_address"]
        address = ipaddress.ip_address(socket["address"])
    except (KeyError, TypeError, ValueError):
        return listener
    for one in places:
        if address in one.published:
            offset = int(address) - int(one.published.network_address)
            moved = {**socket, "address": str(one.own[offset])}
            return {**listener, "address": {"socket_address": moved}}
    return listener
