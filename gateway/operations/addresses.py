"""Public IP addresses come from the data directory's own loopback range, each given out once."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from django.conf import settings
from django.db import IntegrityError, transaction

from gateway.models import PublicIPAddress
from gateway.operations.change import Rejected, store
from gateway.problems import at, declare

NO_ADDRESS = declare(
    "public-address-exhausted",
    title="No address is left",
    why="Every address of this installation's range belongs to a public IP address already.",
    remedy="Delete public IP addresses that nothing uses.",
    arm_code="PublicIPCountLimitReached",
)

# The lowest addresses of the range belong to the installation itself (lab servers listen there).
RESERVED = 16
_ATTEMPTS = 20


def lab_host() -> str:
    """The address of the range at which lab servers listen."""
    return str(settings.GATEWRIGHT_LOOPBACK_RANGE[1])


def store_with_address(row: PublicIPAddress) -> None:
    """Store a public IP address with the next free address; only inside a ``write`` callback.

    Raises ``Rejected``: the name is wrong or taken, or no address is left.
    """
    for _ in range(_ATTEMPTS):
        row.address = next(_free(), "")
        if not row.address:
            break
        try:
            with transaction.atomic():
                store(row)
        except IntegrityError:
            # Another transaction took the address between the look and the insert.
            continue
        return
    raise Rejected(
        at(NO_ADDRESS, f"“{row.name}” got no address: the range is used up.", field="address")
    )


def _free() -> Iterator[str]:
    network = settings.GATEWRIGHT_LOOPBACK_RANGE
    taken = set(PublicIPAddress.objects.values_list("address", flat=True))
    # Gateways are published at these addresses, so the broadcast address is no good either.
    for offset in range(RESERVED, network.num_addresses - 1):
        address = str(ipaddress.ip_address(int(network.network_address) + offset))
        if address not in taken:
            yield address
