"""The network that a gateway stands in: names, lab addresses, and what may be connected to.

Every connection to an address that a user can choose is resolved by :func:`resolve` and turned into
the address that is dialed by :func:`dial_address`, on the resolved address and not on the name.
"""

from gateway.network.dial import (
    Dial,
    LabNotReadyError,
    NoHostError,
    NotAllowedError,
    dial_address,
)
from gateway.network.policy import allowed, refusal
from gateway.network.resolve import Resolution, resolve, system_lookup
from gateway.network.zone import EMPTY_ZONE, Endpoint, Zone, load_zone, load_zones

__all__ = [
    "EMPTY_ZONE",
    "Dial",
    "Endpoint",
    "LabNotReadyError",
    "NoHostError",
    "NotAllowedError",
    "Resolution",
    "Zone",
    "allowed",
    "dial_address",
    "load_zone",
    "load_zones",
    "refusal",
    "resolve",
    "system_lookup",
]
