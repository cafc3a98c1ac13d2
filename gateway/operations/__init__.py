"""Operations: the only way in which a resource changes."""

from gateway.operations.change import (
    Caller,
    Outcome,
    Rejected,
    change_gateway,
    change_resource,
    create_gateway,
    remove,
    store,
)
from gateway.operations.networks import change_network

__all__ = [
    "Caller",
    "Outcome",
    "Rejected",
    "change_gateway",
    "change_network",
    "change_resource",
    "create_gateway",
    "remove",
    "store",
]
