"""Resource ids: read without regard to case, and written for references and error targets."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.document.tables import member_path
from gateway.models import ApplicationGateway
from gateway.problems import Target


@dataclass(frozen=True, slots=True)
class ResourceId:
    """A parsed id of a resource of ``Microsoft.Network``.

    ``type`` joins the type names (``virtualNetworks/subnets``) in the case they were written,
    ``names`` are the names along the way.
    """

    subscription: str
    group: str
    type: str
    names: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two ids the same."""
        return tuple(
            part.lower() for part in (self.subscription, self.group, self.type, *self.names)
        )


def parse(text: str) -> ResourceId | None:
    """The parts of an id, or ``None`` if it is none."""
    parts = text.strip().split("/")
    if len(parts) < 9 or parts[0] or not all(parts[1:]) or len(parts) % 2 == 0:
        return None
    words = [part.lower() for part in parts]
    if (words[1], words[3], words[5], words[6]) != (
        "subscriptions",
        "resourcegroups",
        "providers",
        "microsoft.network",
    ):
        return None
    tail = parts[7:]
    return ResourceId(parts[2], parts[4], "/".join(tail[::2]), tuple(tail[1::2]))


def child_of(text: str, gateway_ids: tuple[str, ...]) -> tuple[str, str] | None:
    """(collection, name) of a child id below one of the gateways (lower-case ids), or ``None``."""
    wanted = text.strip()
    lowered = wanted.lower()
    for gateway_id in gateway_ids:
        # Characters whose lower case is longer would shift the cut; no valid id has them.
        if lowered.startswith(gateway_id + "/") and len(lowered) == len(wanted):
            parts = wanted[len(gateway_id) + 1 :].split("/")
            if len(parts) == 2 and all(parts):
                return parts[0], parts[1]
    return None


def arm_path(gateway: ApplicationGateway, target: Target) -> str:
    """The id of what a problem is about: the gateway's, or a child's, with the member if known.

    A path rule's name is ``map/rule``.
    """
    where = gateway.arm_id
    if target.collection == "pathRules" and "/" in target.name:
        owner, _, name = target.name.partition("/")
        where += f"/urlPathMaps/{owner}/pathRules/{name}"
    elif target.collection:
        where += f"/{target.collection}"
        where += f"/{target.name}" if target.name else ""
    member = member_path(target.collection, target.field) if target.field else ""
    return f"{where}/{member}" if member else where
