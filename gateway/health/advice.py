"""What a cause means and what helps, in the words for one tier where v1 and v2 differ.

A kind's own text covers both tiers, for its help page; a report about one server is read by
somebody who has one gateway before them ("Troubleshoot backend health issues in Application
Gateway", which has a section for each tier where they differ).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.health.unhealthy import E_AUTHCERT, E_CN, E_DATES, E_TCP, E_VERIFY
from gateway.health.unknown import U_NSG
from gateway.problems import Kind


@dataclass(frozen=True, slots=True)
class Advice:
    """``why`` a server is in this state and the ``remedy``, a sentence or more each."""

    why: str
    remedy: str


_V1: dict[str, Advice] = {
    E_CN.id: Advice(
        why="A v1 gateway expects the FQDN in the backend pool in the server's certificate, "
        "whatever host a probe or the HTTP setting names, and the certificate does not carry it.",
        remedy="Put the name that the certificate is for into the backend pool, or install a "
        "certificate for the FQDN that is there and upload it to the HTTP setting.",
    ),
    E_DATES.id: Advice(
        why="Today lies before the first or after the last day of the certificate that the server "
        "presents. A v1 gateway looks at the dates although the certificate is allow-listed.",
        remedy="Renew the server's certificate and install it; then upload the same certificate "
        "to the HTTP setting as authentication certificate, for the old one no longer equals it.",
    ),
    E_AUTHCERT.id: Advice(
        why="A v1 gateway accepts exactly the certificates that were uploaded to the HTTP setting, "
        "and the server presents another one.",
        remedy="Export the certificate that the server presents (not its root) as Base-64 CER "
        "file and add it to the HTTP setting; use an FQDN rather than an IP address in the pool, "
        "so that the server knows which site is meant. With “Use for App service” put the app's "
        "own name into the pool, or clear that box and upload the certificate.",
    ),
    E_VERIFY.id: Advice(
        why="The server's certificate could not be checked, or not read at all.",
        remedy="Have the certificate issued again, install it, and upload it to the HTTP setting.",
    ),
    E_TCP.id: Advice(
        why="The gateway could not open a connection on the port of the HTTP setting, or the "
        "connection broke before anything was answered. A v1 gateway speaks TLS 1.2 only and "
        "probes the setting's port whatever a custom probe says.",
        remedy="Check port and protocol of the HTTP setting, then whether the server listens "
        "there, lets the gateway in and speaks TLS 1.2.",
    ),
    U_NSG.id: Advice(
        why="The platform manages a v1 gateway through the ports 65503 to 65534, and a network "
        "security group on the gateway's subnet blocks them.",
        remedy="Allow the ports 65503 to 65534 inbound on the gateway's subnet.",
    ),
}

_V2: dict[str, Advice] = {
    E_CN.id: Advice(
        why="The server's certificate does not carry the name that the gateway sends and expects: "
        "the host of the custom probe, else the host name of the HTTP setting, else the FQDN in "
        "the pool. If it has subject alternative names, only those count. An IP address is never "
        "sent as server name and never fits.",
        remedy="With the default probe, override the host name in the HTTP setting or pick it "
        "from the backend address; with a custom probe, name the host there or pick it from the "
        "HTTP setting. For a pool of IP addresses name the server name in the HTTP setting. Or "
        "install a certificate for the name that is expected.",
    ),
    E_DATES.id: Advice(
        why="Today lies before the first or after the last day of one of the certificates of the "
        "server's chain. The gateway tells both cases, and leaf, intermediate and root, alike.",
        remedy="Renew the certificate that is named and install the chain again: leaf, "
        "intermediates, root. Upload a root to the HTTP setting only if the root itself was "
        "renewed.",
    ),
    E_TCP.id: Advice(
        why="The gateway could not open a connection on the probe's port, or the connection broke "
        "before anything was answered. A v2 gateway speaks TLS 1.2 and 1.3 and shows no client "
        "certificate.",
        remedy="Check port and protocol of the HTTP setting and of the custom probe, then whether "
        "the server listens there, lets the gateway in and speaks the same TLS.",
    ),
    U_NSG.id: Advice(
        why="The platform manages a v2 gateway through the ports 65200 to 65535, and a network "
        "security group on the gateway's subnet blocks them. Such a group is refused for v2 when "
        "it is configured.",
        remedy="Allow the ports 65200 to 65535 inbound on the gateway's subnet from the service "
        "tag GatewayManager.",
    ),
}


def advice(kind: Kind, *, is_v1: bool) -> Advice:
    """The words for a gateway of one tier; the kind's own where the tiers do not differ."""
    return (_V1 if is_v1 else _V2).get(kind.id) or Advice(kind.why, kind.remedy)


def differs(kind: Kind) -> bool:
    """Whether v1 and v2 are told something different about ``kind``."""
    return advice(kind, is_v1=True) != advice(kind, is_v1=False)
