"""From an address and a port, as a user names them, to the socket address that is dialed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from gateway.network.policy import refusal
from gateway.network.zone import Zone


@dataclass(frozen=True, slots=True)
class Dial:
    """The literal address and port to connect to; ``lab`` if a lab server answers there."""

    host: str
    port: int
    lab: bool


class NotAllowedError(Exception):
    """The address must not be connected to; the text says why, as the end of a sentence."""


class NoHostError(Exception):
    """The address belongs to the virtual network, and nothing stands at it."""


class LabNotReadyError(Exception):
    """A lab server stands at the address and has not reported where it listens (yet)."""


def dial_address(zone: Zone, address: str, port: int) -> Dial:
    """Where to connect for ``address`` (an IP address) and ``port`` as seen from ``zone``.

    The port of a lab server that is not its own leads to an endpoint that refuses. Addresses
    outside the lab pass the policy; the answer must be dialed as it is, without another look-up.
    Raises :class:`NotAllowedError`, :class:`NoHostError`, :class:`LabNotReadyError`.
    """
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError as error:
        raise NotAllowedError("it is no IP address") from error
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    known = str(parsed)
    if known in zone.lab_addresses:
        endpoint = zone.endpoints.get((known, port)) or zone.refusing.get(known)
        if endpoint is None:
            raise LabNotReadyError
        return Dial(endpoint.host, endpoint.port, lab=True)
    reason = refusal(known, port)
    if reason is None:
        return Dial(known, port, lab=False)
    if zone.holds(parsed):
        raise NoHostError
    raise NotAllowedError(reason)
