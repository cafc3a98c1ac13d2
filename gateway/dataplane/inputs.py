"""All that the compiler reads of one gateway, and the only place that fetches it."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from certificates.publicroot import well_known
from certificates.x509.facts.certificate import Certificate
from certificates.x509.problems import ProblemError
from certificates.x509.trust.anchors import AnchorStore
from gateway.dataplane.error_pages import pages_of
from gateway.dataplane.forbidden import Forbidden, forbidden_now
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    LoadedGateway,
    SslCertificateKey,
    Verdict,
    load_gateway,
)
from gateway.models.dataplane import PublishedPort
from gateway.network import Zone, dial_address, load_zone
from gateway.network.dial import LabNotReadyError, NoHostError, NotAllowedError
from gateway.network.zone import canonical
from gateway.rules.joins import pairs

Status = Literal["healthy", "unhealthy", "unknown"]
Address = tuple[str, int]
PairKey = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Member:
    """One server of a pool through one HTTP setting, as the prober judges it.

    ``addresses`` are the literal addresses and ports to dial, ``None`` where a connection is not
    allowed. ``leaf`` is the certificate that the prober last accepted from this server.
    """

    status: Status
    addresses: tuple[Address, ...] | None
    leaf: Certificate | None = None

    @property
    def pin(self) -> str | None:
        """The SHA-256 of :attr:`leaf` in lower-case hexadecimal digits."""
        return self.leaf.sha256.lower() if self.leaf else None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a gateway's configuration is made of. Time is no part of it.

    ``ports``: (primary key of a frontend, port asked for) → (address, port bound). ``members``:
    (primary key of a pool's address, of an HTTP setting) → member. ``well_known_pem``: the roots
    of the built-in store. ``error_pages``: (name of a listener or "" for the gateway, status) →
    HTML. ``keys``: primary key of a listener certificate → private key as PEM. ``forbidden``: what
    no backend connection may reach.
    """

    loaded: LoadedGateway
    ports: Mapping[tuple[int, int], Address]
    members: Mapping[PairKey, Member] = field(default_factory=dict)
    well_known_pem: bytes = b""
    error_pages: Mapping[tuple[str, int], str] = field(default_factory=dict)
    keys: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    forbidden: tuple[Forbidden, ...] = ()


def gather(gateway: ApplicationGateway) -> Inputs:
    """Read everything of ``gateway`` (a bounded number of queries, whatever its size)."""
    loaded = load_gateway(gateway)
    ports = PublishedPort.objects.filter(frontend__gateway=gateway)
    keys = SslCertificateKey.objects.filter(owner__gateway=gateway)
    return Inputs(
        loaded=loaded,
        ports={(one.frontend_id, one.port): (str(one.host), one.number) for one in ports},
        members=members_of(loaded),
        well_known_pem=pem_of_store(well_known()),
        error_pages=pages_of(loaded),
        keys={key.owner_id: bytes(key.pem) for key in keys},
        forbidden=forbidden_now(),
    )


@lru_cache(maxsize=4)
def pem_of_store(store: AnchorStore) -> bytes:
    """The certificates of a store as one PEM text (stores are shared, so this is done once)."""
    return "".join(anchor.certificate.pem for anchor in store).encode()


def members_of(loaded: LoadedGateway) -> dict[PairKey, Member]:
    """The servers of a loaded gateway as the prober judges them now (4 queries)."""
    return _members(loaded, load_zone(loaded.virtual_network))


def _members(loaded: LoadedGateway, zone: Zone) -> dict[PairKey, Member]:
    found = {}
    verdicts = _verdicts(loaded.gateway)
    for pool, settings in pairs(loaded):
        for address in loaded.addresses(pool):
            key = address.pk, settings.pk
            facts = verdicts.get(key)
            found[key] = Member(
                status=_status(facts),
                addresses=_addresses(zone, address, settings.port, facts),
                leaf=_parsed(facts["accepted_pem"]) if facts else None,
            )
    return found


_FACTS = (
    "address_id",
    "settings_id",
    "status",
    "remembered_address",
    "evidence__observed__status",
    "evidence__dns__addresses__0",
    "accepted_pem",
)


def _verdicts(gateway: ApplicationGateway) -> dict[PairKey, dict[str, Any]]:
    rows = Verdict.objects.filter(gateway=gateway).values(*_FACTS)
    return {(row["address_id"], row["settings_id"]): row for row in rows}


def _status(facts: dict[str, Any] | None) -> Status:
    if facts is None:
        return "unknown"
    status = facts["status"]
    if status == Verdict.Status.UNKNOWN:
        # What is only played between gateway and server spoils the report, not the traffic
        # ("Troubleshoot backend health issues in Application Gateway", Unknown status).
        status = facts["evidence__observed__status"]
    if status == Verdict.Status.HEALTHY:
        return "healthy"
    return "unhealthy" if status == Verdict.Status.UNHEALTHY else "unknown"


def _addresses(
    zone: Zone, address: BackendAddress, port: int, facts: dict[str, Any] | None
) -> tuple[Address, ...] | None:
    """Where the target really is; ``None`` if that may not be dialed.

    A name that the network's zone does not know has the address that the prober found last: the
    engine looks up no names, so nobody can turn one while a connection is made.
    """
    for literal in _literals(zone, address, facts):
        try:
            dial = dial_address(zone, literal, port)
        except NotAllowedError:
            return None
        except (NoHostError, LabNotReadyError):
            continue
        return ((dial.host, dial.port),)
    return ()


def _literals(zone: Zone, address: BackendAddress, facts: dict[str, Any] | None) -> Iterable[str]:
    if address.ip_address:
        return (str(address.ip_address),)
    known = zone.names.get(canonical(address.fqdn))
    if known and not zone.dns_servers:
        return known[:1]
    found = facts and (facts["remembered_address"] or facts["evidence__dns__addresses__0"])
    return (str(found),) if found else ()


@lru_cache(maxsize=4096)
def _parsed(pem: str) -> Certificate | None:
    """A certificate; ``None`` for no text, and for one that is none."""
    try:
        return Certificate.from_der(ssl.PEM_cert_to_DER_cert(pem))
    except (ProblemError, ValueError):
        return None
