"""Whatever the forms of networks and of the lab are sent: an answer, never a server error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.accounts.models import Subscription
from gateway.models import LabServer, Subnet, VirtualNetwork, ZoneRecord
from gateway.portal.network_pages import network_url
from tests import factories
from tests.gateway.portal import visits
from tests.gateway.portal.test_form_fuzz import ANSWERS, Target, forged, sent

VIEWS = (
    "network-subnets",
    "network-dns",
    "network-zone-add",
    "network-zone-delete",
    "network-lab-add",
    "network-lab-delete",
)


@pytest.fixture
def targets(db: None) -> list[Target]:
    gateway = factories.v2_gateway()
    owner = factories.owner_of(gateway)
    Subscription.objects.filter(pk=gateway.group.subscription_id).update(sandbox_of=owner)
    network = VirtualNetwork.objects.select_related("group").get(group=gateway.group)
    record = factories.add_row(
        ZoneRecord, virtual_network=network, name="a.contoso.test", address="10.0.1.9"
    )
    factories.add_row(
        LabServer,
        virtual_network=network,
        name="server",
        scenario="closed",
        address="10.0.1.77",
        fqdn="server.contoso.test",
    )
    assert Subnet.objects.filter(virtual_network=network).count() == 2
    rest: dict[str, tuple[object, ...]] = {
        "network-zone-delete": (record.pk,),
        "network-lab-delete": ("server",),
    }
    client = visits.visitor(gateway)
    found = []
    for view in VIEWS:
        url = network_url(network, view, *rest.get(view, ()))
        data = visits.drawn(client, url)
        if "name" in data:
            data["name"] = "mine.contoso.test"
        found.append(Target(client, url, data))
    return found


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(number=st.integers(0, len(VIEWS) - 1), changes=forged, htmx=st.booleans())
def test_a_torn_form_gets_an_answer(
    targets: list[Target], number: int, changes: list[tuple[int, Any]], htmx: bool
) -> None:
    target = targets[number]
    answer = visits.send(target.client, target.url, sent(target, changes), htmx=htmx)
    assert answer.status_code in ANSWERS


@pytest.mark.parametrize("number", range(len(VIEWS)))
def test_each_field_stands_each_odd_text(targets: list[Target], number: int) -> None:
    odd = ["\0", "a\0b", "9" * 5000, "x" * 3000, "\ud800", "<script>", "::1", "../..", "{{ 7 }}"]
    target = targets[number]
    for name in target.data:
        for text in odd:
            try:
                answer = visits.send(target.client, target.url, {**target.data, name: text})
            except UnicodeEncodeError:
                continue  # no browser can send it
            assert answer.status_code in ANSWERS, (name, text[:20])
