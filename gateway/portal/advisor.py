"""Advisor: what is allowed and still worth a word, before any traffic."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone

from certificates.x509.facts.certificate import Certificate
from gateway.health.legs import leaf_of
from gateway.models import LoadedGateway, Verdict, load_gateway
from gateway.portal.pages import Page, PortalRequest, gateway_page
from gateway.portal.places import url_of
from gateway.problems import Problem
from gateway.rules import check
from gateway.rules.advice import advise
from gateway.rules.joins import pairs
from gateway.rules.traffic import both_legs, traffic_warnings
from gateway.rules.words import about

# What has passed is shown first, and in red.
PASSED = {"certificate-expired"}
# So many healthy servers are compared with what users ask.
MOST_SERVERS = 200


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    loaded = load_gateway(page.gateway)
    now = timezone.now()
    found = [*check(loaded, now=now), *advise(loaded, now=now), *_at_names(loaded)]
    found.sort(key=lambda problem: problem.id not in PASSED)
    context = page.blade(
        "advisor",
        findings=[
            (one, one.id in PASSED or one.is_error, url_of(page, one.target)) for one in found
        ],
        health_url=page.url("health"),
    )
    return page.render("portal/advisor.html", context)


def _at_names(loaded: LoadedGateway) -> list[Problem]:
    """Requests that will fail at the name of a server whose probe is green, each setting once."""
    leaves: dict[tuple[int, int], Certificate | None] = {}
    healthy = Verdict.objects.filter(gateway=loaded.gateway, status=Verdict.Status.HEALTHY)
    for verdict in healthy.only("address_id", "settings_id", "evidence")[:MOST_SERVERS]:
        leaves[verdict.address_id, verdict.settings_id] = leaf_of(verdict.evidence)
    found: dict[str, Problem] = {}
    for pool, settings in pairs(loaded):
        for address in loaded.addresses(pool):
            if (address.pk, settings.pk) not in leaves:
                continue
            legs = both_legs(loaded, pool, settings, address)
            for warning in traffic_warnings(legs, leaves[address.pk, settings.pk]):
                message = f"HTTP setting “{settings.name}”: {warning.message}"
                found.setdefault(message, about(warning.kind, settings, message, "host_name"))
    return list(found.values())
