"""What is allowed and still worth a word: findings on a whole gateway before any traffic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from certificates.models import Certificate
from certificates.x509.kinds.contents import EXPIRED
from gateway.models import (
    AuthenticationCertificate,
    LoadedGateway,
    Protocol,
    SslCertificate,
    TrustedClientCertificate,
    TrustedRootCertificate,
)
from gateway.problems import Problem, declare
from gateway.rules import joins
from gateway.rules.names import probe_leg, trust_of
from gateway.rules.references import references
from gateway.rules.words import about, called, named, quoted

SOON = timedelta(days=30)

V1_RETIRED = declare(
    "gateway-v1-retired",
    severity="warning",
    title="The v1 tiers are retired",
    why="The cloud retired the tiers Standard and WAF on 28 April 2026 and refuses new ones. Here "
    "they live on, to practise what the older documents describe.",
    remedy="Plan the way to v2: upload the backends' roots instead of their own certificates, and "
    "have the servers send their whole chain.",
    source="Migrate Application Gateway from v1 to v2 article",
)
EXPIRES_SOON = declare(
    "certificate-expires-soon",
    severity="warning",
    title="A certificate expires within 30 days",
    why="An expired listener certificate makes every client complain; an expired certificate of a "
    "backend's chain makes the backend unhealthy.",
    remedy="Renew it now and upload the new one beside the old; then change over.",
    source="TLS termination with Application Gateway article",
)
UNUSED = declare(
    "certificate-unused",
    severity="warning",
    title="A certificate that nobody uses",
    why="It is stored on the gateway, but no listener, HTTP setting or SSL profile refers to it, "
    "so it neither serves nor is trusted.",
    remedy="Choose it where it belongs, or delete it.",
    source="Application Gateway components article",
)
NAME_IS_ADDRESS = declare(
    "settings-name-address",
    severity="warning",
    title="The name that backends must have is an IP address",
    why="A v2 gateway never sends an IP address as server name, and no certificate counts as "
    "issued for one. Servers behind this setting end up unhealthy with another name in their "
    "certificate.",
    remedy="Name the host in the HTTP setting or in its custom probe, set an SNI name, or use "
    "FQDNs in the pool.",
    source="Overview of TLS termination and end to end TLS with Application Gateway",
)

_Stored = (
    SslCertificate | AuthenticationCertificate | TrustedRootCertificate | TrustedClientCertificate
)


def advise(loaded: LoadedGateway, *, now: datetime) -> list[Problem]:
    """Findings that :func:`gateway.rules.check` does not give, all of them warnings.

    ``now`` is aware. Makes no query.
    """
    return [
        *_retired(loaded),
        *_dates(loaded, now),
        *_unused(loaded),
        *_addresses(loaded),
    ]


def expiring(certificate: Certificate, now: datetime) -> str:
    """``expired``, ``soon`` (within 30 days) or empty."""
    if certificate.not_after < now:
        return EXPIRED.id
    return EXPIRES_SOON.id if certificate.not_after < now + SOON else ""


def certificates_of(loaded: LoadedGateway) -> Iterator[tuple[_Stored, list[Certificate]]]:
    """Every named certificate of a gateway with what is behind the name."""
    for listener in loaded.ssl_certificates:
        yield listener, [part.certificate for part in loaded.ssl_certificate_parts(listener)]
    for pinned in loaded.authentication_certificates:
        yield pinned, [pinned.certificate]
    for root in loaded.trusted_root_certificates:
        yield root, [root.certificate] if root.certificate else []
    for authority in loaded.trusted_client_certificates:
        parts = loaded.client_certificate_parts(authority)
        yield authority, [part.certificate for part in parts]


def _retired(loaded: LoadedGateway) -> Iterator[Problem]:
    gateway = loaded.gateway
    if loaded.is_v1:
        message = f"{called(gateway)} has the tier {gateway.get_sku_tier_display()}."
        yield about(V1_RETIRED, gateway, message, "sku_tier")


def _dates(loaded: LoadedGateway, now: datetime) -> Iterator[Problem]:
    for row, certificates in certificates_of(loaded):
        for one in certificates:
            if expiring(one, now) == EXPIRES_SOON.id:
                message = (
                    f"{called(row)} holds “{one.subject[:80]}”, which expires on "
                    f"{one.not_after:%Y-%m-%d}."
                )
                yield about(EXPIRES_SOON, row, message, "data")


def _unused(loaded: LoadedGateway) -> Iterator[Problem]:
    used = {(collection, key) for _, _, collection, key in references(loaded)}
    for row, _ in certificates_of(loaded):
        if (row.collection, row.pk) not in used:
            yield about(UNUSED, row, f"Nothing refers to {named(row)}.")


def _addresses(loaded: LoadedGateway) -> Iterator[Problem]:
    for pool, settings in joins.pairs(loaded):
        if loaded.is_v1 or settings.protocol != Protocol.HTTPS:
            continue
        if not trust_of(loaded, settings).validate_name:
            continue
        wrong = [
            address.target
            for address in loaded.addresses(pool)
            if probe_leg(settings, settings.probe, address, is_v1=False).name_is_address
        ]
        if wrong:
            message = (
                f"{called(settings)} names no host for {quoted(wrong, 3)} in {named(pool)}, so "
                "that an IP address is what the certificate would have to carry."
            )
            yield about(NAME_IS_ADDRESS, settings, message, "host_name")
