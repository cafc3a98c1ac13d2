"""What a lab server does: what it presents in the handshake, how it speaks, what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.models import TargetKind

Presents = Literal[
    "full-chain",
    "leaf-only",
    "no-root",
    "leaf-and-root",
    "authority-first",
    "authorities-only",
    "self-signed-ca",
    "self-signed",
    "wrong-name",
    "name-in-subject",
    "wildcard",
    "address",
    "other-site-first",
    "expired",
    "not-yet-valid",
    "expired-intermediate",
    "renewed-root",
    "weak-key",
    "sha1",
    "public",
    "app-service",
    "nothing",
]
"""Which certificates are sent in the handshake; ``nothing`` means that no TLS is spoken."""

Answers = Literal[
    "page", "maintenance", "silence", "refusal", "reset", "dns-silence", "dns-private"
]
"""A page, another page, a connection without an answer, no connection, or one that is reset as soon
as the client speaks. The last two are DNS servers: one that never answers, one that answers for the
zone of its network alone."""

Speaks = Literal["modern", "tls-1.0", "tls-1.3", "client-certificate"]
"""TLS 1.2 and 1.3; one version alone; or both, with a client certificate demanded."""

ZONE = "contoso.test"
APP_SERVICE_ZONE = "azurewebsites.test"
NETWORK = "10.0.1"
DNS_PORT = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A kind of lab server and its place in a sandbox's virtual network.

    ``id`` is what a row keeps; ``teaches`` says what the probe of a gateway finds. ``port`` is the
    port that clients name. With ``plain_port`` the server answers there too, by plain HTTP.
    ``status`` is the HTTP status of its answers, ``delay`` the seconds that they take.
    """

    id: str
    name: str
    title: str
    teaches: str
    suffix: int
    fqdn: str
    port: int = 443
    plain_port: int | None = None
    kind: TargetKind = TargetKind.ADDRESS
    presents: Presents = "full-chain"
    speaks: Speaks = "modern"
    answers: Answers = "page"
    status: int = 200
    delay: int = 0

    @property
    def address(self) -> str:
        """The address in the virtual network of a sandbox."""
        return f"{NETWORK}.{self.suffix}"

    @property
    def is_tls(self) -> bool:
        return self.presents != "nothing"

    @property
    def is_dns(self) -> bool:
        return self.answers in ("dns-silence", "dns-private")


def in_zone(
    suffix: int,
    id: str,
    title: str,
    teaches: str,
    *,
    port: int = 443,
    plain_port: int | None = None,
    presents: Presents = "full-chain",
    speaks: Speaks = "modern",
    answers: Answers = "page",
    status: int = 200,
    delay: int = 0,
) -> Scenario:
    """A scenario whose server is called by its id, in the zone of the lab."""
    return Scenario(
        id=id,
        name=id,
        title=title,
        teaches=teaches,
        suffix=suffix,
        fqdn=f"{id}.{ZONE}",
        port=port,
        plain_port=plain_port,
        presents=presents,
        speaks=speaks,
        answers=answers,
        status=status,
        delay=delay,
    )
