"""The web servers: which addresses they listen on, how they are started, whether they answer."""

from __future__ import annotations

import http.client
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.management.serving import ports

PATIENCE = 2.0  # seconds that a readiness question waits


@dataclass(frozen=True, slots=True)
class Door:
    """One listening address of the portal; ``tls`` holds certificate and key for HTTPS."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    tls: tuple[Path, Path] | None = None

    @property
    def nearby(self) -> str:
        """The address at which this machine itself reaches the door."""
        if ports.is_wildcard(self.host):
            return "::1" if ":" in self.host else "127.0.0.1"
        return self.host

    @property
    def address(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"

    def url(self, name: str = "localhost") -> str:
        return f"{self.scheme}://{bracketed(name)}:{self.port}/"


def bracketed(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def command(door: Door, workers: int) -> Sequence[str]:
    """The command line of the server behind ``door``."""
    line = [
        sys.executable, "-m", "granian", "gateway.asgi:application",
        # Without the protocol of starting and ending, which the application has no use for.
        "--interface", "asginl",
        "--host", door.host,
        "--port", str(door.port),
        "--workers", str(workers),
        "--workers-kill-timeout", "5",
        "--respawn-failed-workers",
        "--no-ws",
        # No access log: paths of sign-in links would stand in it.
        "--no-access-log",
        "--log-level", "warning",
    ]  # fmt: skip
    if door.tls:
        certificate, key = door.tls
        # The server's own default refuses every client that speaks TLS 1.2 only.
        line += ["--ssl-certificate", str(certificate), "--ssl-keyfile", str(key)]
        line += ["--ssl-protocol-min", "tls1.2"]
    return line


def answers(door: Door, installation: str, authority: Path) -> bool:
    """Whether this installation answers there, and no stranger, under a certificate of ours."""
    connection: http.client.HTTPConnection
    if door.tls:
        context = ssl.create_default_context(cafile=str(authority))
        connection = http.client.HTTPSConnection(
            door.nearby, door.port, timeout=PATIENCE, context=context
        )
    else:
        connection = http.client.HTTPConnection(door.nearby, door.port, timeout=PATIENCE)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == 200 and answer.read(64).decode().strip() == installation
    except (OSError, http.client.HTTPException, UnicodeDecodeError):
        return False
    finally:
        connection.close()
