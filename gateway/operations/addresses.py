"""Public IP addresses come from the data directory's own loopback range, each given out once."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction

from gateway.models import PublicIPAddress
from gateway.operations.change import Rejected, store
from gateway.operations.ports import NO_ADDRESS, RESERVED, free_addresses
from gateway.problems import at

__all__ = ["NO_ADDRESS", "RESERVED", "lab_host", "store_with_address"]

_ATTEMPTS = 20


def lab_host() -> str:
    """The address of the range at which lab servers listen."""
    return str(settings.GATEWRIGHT_LOOPBACK_RANGE[1])


def store_with_address(row: PublicIPAddress) -> None:
    """Store a public IP address with the next free address; only inside a ``write`` callback.

    Raises ``Rejected``: the name is wrong or taken, or no address is left.
    """
    for _ in range(_ATTEMPTS):
        row.address = next(free_addresses(), "")
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
