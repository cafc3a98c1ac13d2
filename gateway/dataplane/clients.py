"""What a listener asks of clients: their certificate, its chain, its issuer.

Source: "Overview of mutual authentication with Application Gateway". The handshake is completed
with any certificate, and the request is refused with 400, as the cloud does.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dataplane.envoy import Config


@dataclass(frozen=True, slots=True)
class ClientCheck:
    """``profile`` is the SSL profile's primary key."""

    profile: int


def client_filters(client: ClientCheck | None) -> list[Config]:
    return []


def client_mutations(client: ClientCheck | None) -> list[Config]:
    return []
