"""What the probe of a reported server asks and what requests ask, with its last certificate."""

from __future__ import annotations

import ssl
from typing import Any

from certificates.x509.facts.certificate import Certificate
from gateway.health.plans import ProbePlan
from gateway.health.reading import HealthRow
from gateway.models import LoadedGateway, Verdict
from gateway.rules.joins import pairs
from gateway.rules.traffic import BothLegs, TrafficWarning, both_legs, traffic_warnings


def legs_of(
    loaded: LoadedGateway, row: HealthRow
) -> tuple[BothLegs, tuple[TrafficWarning, ...]] | None:
    """Both legs of a verdict and what is wrong between them; ``None`` if it is joined no more.

    ``row`` comes with its evidence (:func:`gateway.health.reading.verdict_of`).
    """
    for pool, settings in pairs(loaded):
        if settings.pk != row.settings_id:
            continue
        for address in loaded.addresses(pool):
            if address.pk == row.address_id:
                legs = both_legs(loaded, pool, settings, address)
                return legs, traffic_warnings(legs, leaf_of(row.evidence))
    return None


def requests_fail(verdict: Verdict, plan: ProbePlan) -> bool:
    """Whether the server is healthy and users' requests fail all the same.

    It is judged by the certificate that the last good probe accepted.
    """
    asked = {request.leg.checked_name for request in plan.requests}
    # Where users ask by the probe's own name no certificate needs to be read, not of 1,200 servers.
    if verdict.status != Verdict.Status.HEALTHY or asked <= {None, plan.leg.checked_name}:
        return False
    leaf = _of_pem(verdict.accepted_pem) if verdict.accepted_pem else None
    return bool(traffic_warnings(BothLegs(plan.leg, plan.requests), leaf))


def leaf_of(evidence: dict[str, Any]) -> Certificate | None:
    """The certificate that the server showed first, ``None`` if it showed none."""
    chain = evidence.get("chain") or []
    if not chain:
        return None
    return _of_pem(chain[0]["pem"])


def _of_pem(text: str) -> Certificate:
    return Certificate.from_der(ssl.PEM_cert_to_DER_cert(text))
