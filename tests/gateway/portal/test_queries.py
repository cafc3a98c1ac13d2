"""No page asks the database more often because a gateway is large.

``tests/query_counts.json`` holds the count of each page, session and user included. A count that
rises is a fault; one that falls is written down with ``UPDATE_QUERY_COUNTS=1``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from certificates.models import SavedFile, StoredCertificate
from certificates.urls import urlpatterns as workshop_urls
from gateway.accounts.models import Subscription, User
from gateway.models import AccessLogLine, ApplicationGateway, Verdict, ZoneRecord
from gateway.portal.network_pages import network_url
from gateway.portal.urls import urlpatterns
from tests import crowds, factories
from tests.gateway.portal import carried, visits

RECORDED = Path(__file__).resolve().parents[2] / "query_counts.json"
UPDATE = os.environ.get("UPDATE_QUERY_COUNTS") == "1"

# Pages of lists and forms, and pages that show a gateway as a whole.
MOST, MOST_OF_A_WHOLE = 10, 30
# The Overview asks for it when it stands: the compiler reads keys, ports, zone and verdicts, too.
MOST_OF_THE_COMPILED, COMPILED = 36, {"announced"}
WHOLE = {"access-log-line", "advisor", "health-detail", "json", "overview"}

# The blades of a gateway: view and what follows in its address.
BLADES: dict[str, tuple[str, ...]] = {
    "overview": (),
    "announced": (),
    "test-request": (),
    "access-log": (),
    "activity": (),
    "properties": (),
    "json": (),
    "advisor": (),
    "frontends": (),
    "health": (),
    "http-settings": (),
    "http-settings-add": (),
    "http-settings-edit": (crowds.SETTINGS,),
    "http-settings-delete": (crowds.SETTINGS,),
    "listeners": (),
    "listeners-add": ("multi-site",),
    "listeners-edit": (crowds.LISTENER,),
    "listeners-delete": (crowds.LISTENER,),
    "pools": (),
    "pools-add": (),
    "pools-edit": (crowds.SHARED_POOL,),
    "pools-delete": (crowds.SHARED_POOL,),
    "probes": (),
    "probes-add": (),
    "probes-edit": (crowds.PROBE,),
    "probes-delete": (crowds.PROBE,),
    "rules": (),
    "rules-add": (),
    "rules-edit": (crowds.RULE,),
    "rules-delete": (crowds.RULE,),
}
OF_A_VERDICT = ("health-detail",)
OF_A_LINE = ("access-log-line",)
# Downloads and parts of pages, no pages: the same rows as the pages they belong to.
NOT_COUNTED = {"access-log-text", "health-chain", "health-roots", "test-request-onward"}
# Pages of no gateway, by their address.
PAGES = {
    "home": "/portal/",
    "all-resources": "/portal/resources/",
    "search": "/portal/search/?q=a",
    "notifications": "/portal/notifications/",
    "help-index": "/portal/help/",
    "help": "/portal/help/in-use/",
    "lab": "/portal/lab/",
}
NO_PAGES = {"lab-file", "lab-reset", "lab-pfx"}
# The blades of a virtual network: view and what follows in its address.
OF_A_NETWORK: dict[str, tuple[str, ...]] = {
    "network": (),
    "network-subnets": (),
    "network-dns": (),
    "network-zone": (),
    "network-zone-add": (),
    "network-zone-delete": ("record",),
    "network-lab-add": (),
    "network-lab-delete": ("vm0",),
}


# Pages of the certificate workshop, by view and what follows in its address.
FOLDER = ("current-user", "personal")
WORKSHOP: dict[str, tuple[str, ...]] = {
    "manager": FOLDER,
    "import": FOLDER,
    "view": ("entries", "entry"),
    "notepad": ("file",),
    "export": ("entries", "entry"),
    "entry-delete": ("entry",),
    "files": (),
    "file-delete": ("file",),
    "decoder": (),
    "lab-ca": (),
    "lab-ca-new": ("server",),
    "lab-ca-pfx": ("certificates", "entry"),
    "lab-ca-delete": ("certificates", "entry"),
}


# Answers that are no pages of their own, and pages that differ by the certificate alone.
NOT_OF_THE_WORKSHOP = {
    "preview",
    "file-download",
    "lab-ca-file",
    "view-node",
    "export-node",
    "start",
}


def workshop_addresses(user: User) -> dict[str, str]:
    """The workshop's pages, "entry" and "file" standing for the number of one of the user's."""
    numbers = {
        "entry": StoredCertificate.objects.filter(owner=user).latest("pk").pk,
        "file": SavedFile.objects.filter(owner=user).latest("pk").pk,
    }
    return {
        f"certificates:{view}": reverse(
            f"certificates:{view}", args=[numbers.get(part, part) for part in rest]
        )
        for view, rest in WORKSHOP.items()
    }


def addresses(gateway: ApplicationGateway) -> dict[str, str]:
    verdict = Verdict.objects.filter(gateway=gateway).earliest("pk")
    found = {view: visits.address(gateway, view, *rest) for view, rest in BLADES.items()}
    found |= {view: visits.address(gateway, view, str(verdict.pk)) for view in OF_A_VERDICT}
    line = AccessLogLine.objects.filter(gateway=gateway).latest("pk")
    found |= {view: visits.address(gateway, view, str(line.pk)) for view in OF_A_LINE}
    found |= network_addresses(gateway)
    return found | PAGES | workshop_addresses(factories.owner_of(gateway))


def network_addresses(gateway: ApplicationGateway) -> dict[str, str]:
    """The pages of the gateway's network, "record" standing for the number of a zone record."""
    network = factories.loaded(gateway).virtual_network
    assert network is not None
    record = str(ZoneRecord.objects.filter(virtual_network=network).earliest("pk").pk)
    return {
        view: network_url(network, view, *(record if part == "record" else part for part in rest))
        for view, rest in OF_A_NETWORK.items()
    }


def counts(size: int) -> dict[str, int]:
    gateway = crowds.crowd(size)
    # The lab of a network is that of somebody's sandbox.
    Subscription.objects.filter(pk=gateway.group.subscription_id).update(
        sandbox_of=factories.owner_of(gateway)
    )
    carried.crowded(gateway, size)
    crowds.fill_stores(factories.owner_of(gateway), size)
    client = Client()
    client.force_login(
        factories.owner_of(gateway), backend="django.contrib.auth.backends.ModelBackend"
    )
    return {view: visits.queries_of(client, url) for view, url in addresses(gateway).items()}


def test_every_page_of_the_portal_is_counted() -> None:
    *pages, of_a_network, of_a_gateway = urlpatterns
    named = {one.name for one in (*pages, *of_a_network.url_patterns, *of_a_gateway.url_patterns)}
    counted = {*BLADES, *OF_A_VERDICT, *OF_A_LINE, *PAGES, *OF_A_NETWORK}
    assert named - NOT_COUNTED - NO_PAGES == counted


def test_every_page_of_the_workshop_is_counted() -> None:
    assert {one.name for one in workshop_urls} - NOT_OF_THE_WORKSHOP == set(WORKSHOP)


@pytest.mark.django_db
def test_pages_take_as_many_queries_with_a_hundred_rows_as_with_one() -> None:
    few, many = counts(1), counts(100)
    assert many == few
    if UPDATE:
        RECORDED.write_text(json.dumps(many, indent=2, sort_keys=True) + "\n")
    assert many == json.loads(RECORDED.read_text())
    for view, count in many.items():
        most = MOST_OF_A_WHOLE if view in WHOLE else MOST
        most = MOST_OF_THE_COMPILED if view in COMPILED else most
        assert count <= most, f"{view}: {count}"
