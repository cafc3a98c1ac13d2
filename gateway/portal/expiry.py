"""Certificates on gateways that expire soon or have expired, for the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from gateway.accounts.models import User
from gateway.accounts.roles import readable_subscriptions
from gateway.models import (
    AuthenticationCertificate,
    SslCertificatePart,
    TrustedClientCertificatePart,
    TrustedRootCertificate,
)
from gateway.rules.advice import SOON

MOST = 20

# Kinds of stored certificates: where the name and the gateway are, seen from the row.
_Holder = (
    type[SslCertificatePart]
    | type[TrustedRootCertificate]
    | type[AuthenticationCertificate]
    | type[TrustedClientCertificatePart]
)
_PLACES: tuple[tuple[_Holder, str, str], ...] = (
    (SslCertificatePart, "owner__", "Listener certificate"),
    (TrustedRootCertificate, "", "Trusted root"),
    (AuthenticationCertificate, "", "Authentication certificate"),
    (TrustedClientCertificatePart, "owner__", "Client CA"),
)


@dataclass(frozen=True, slots=True)
class Expiring:
    """A certificate of a gateway; ``url`` leads to the gateway's advisor."""

    name: str
    kind: str
    subject: str
    not_after: datetime
    has_expired: bool
    gateway: str
    group: str
    url: str

    @property
    def day(self) -> str:
        return f"{self.not_after:%Y-%m-%d}"


def expiring(user: User, now: datetime) -> list[Expiring]:
    """What expires within 30 days on gateways that the user may see, the first to expire first.

    At most :data:`MOST` (4 queries).
    """
    found: list[Expiring] = []
    for model, owner, kind in _PLACES:
        rows = model._default_manager.filter(
            certificate__not_after__lt=now + SOON,
            **{f"{owner}gateway__group__subscription__in": readable_subscriptions(user)},
        ).order_by("certificate__not_after")
        for name, subject, not_after, gateway, group, subscription in rows.values_list(
            f"{owner}name",
            "certificate__subject",
            "certificate__not_after",
            f"{owner}gateway__name",
            f"{owner}gateway__group__name",
            f"{owner}gateway__group__subscription_id",
        )[:MOST]:
            url = reverse("portal:advisor", args=[str(subscription), group, gateway])
            found.append(
                Expiring(name, kind, subject, not_after, not_after < now, gateway, group, url)
            )
    return sorted(found, key=lambda one: one.not_after)[:MOST]
