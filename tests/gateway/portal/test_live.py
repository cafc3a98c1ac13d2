"""What is live: states of listeners, addresses, provisioning, the hour's requests."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from gateway.models import ApplicationGateway, HttpListener, TrafficMinute
from gateway.portal.live import LiveListener, carriers_of, live_of, place_of
from gateway.portal.traffic import traffic_of
from tests import factories as make
from tests.gateway.portal import carried, visits

pytestmark = pytest.mark.django_db
NOW = make.NOW


@pytest.fixture
def gateway() -> ApplicationGateway:
    return make.v2_gateway()


@pytest.fixture
def listener(gateway: ApplicationGateway) -> HttpListener:
    site = make.add_listener(
        gateway, "site", protocol="Https", host_name="www.contoso.com", port=443
    )
    make.add_rule(gateway, "rule", site)
    return site


def state_of(gateway: ApplicationGateway, name: str = "site") -> LiveListener:
    return next(one for one in live_of(gateway, NOW).listeners if one.name == name)


def test_without_an_agent_a_gateway_is_configuration_only(
    gateway: ApplicationGateway, listener: HttpListener
) -> None:
    live = live_of(gateway, NOW)
    assert not live.carriers
    assert live.provisioning.state == "Succeeded"
    assert {one.state for one in live.listeners} == {"none"}
    assert not live.pending
    assert not live.is_carried


def test_an_agent_without_an_engine_carries_nothing(
    gateway: ApplicationGateway, listener: HttpListener
) -> None:
    carried.agent(gateway, NOW, engine="")
    assert state_of(gateway).state == "none"
    assert not live_of(gateway, NOW).is_carried


def test_an_agent_of_all_gateways_carries_this_one_and_a_revoked_one_none(
    gateway: ApplicationGateway,
) -> None:
    everything = carried.agent(gateway, NOW, name="all", everything=True)
    everything.assigned.clear()
    carried.agent(gateway, NOW, name="revoked", revoked_at=NOW)
    assert [one.name for one in carriers_of(gateway, NOW)] == ["all"]


def test_an_agent_that_was_not_heard_of_is_told(
    gateway: ApplicationGateway, listener: HttpListener
) -> None:
    row = carried.agent(gateway, NOW - timedelta(seconds=31))
    carried.reports(row, gateway, "site", "live")
    assert state_of(gateway).state == "away"
    assert live_of(gateway, NOW).provisioning.state == "Succeeded"
    assert not live_of(gateway, NOW).is_carried


@pytest.mark.parametrize(
    ("told", "state"), [("live", "live"), ("warming", "waiting"), ("refused", "refused")]
)
def test_a_listener_is_what_its_agent_reports(
    gateway: ApplicationGateway, listener: HttpListener, told: str, state: str
) -> None:
    row = carried.agent(gateway, NOW)
    carried.accepts(row, gateway)
    carried.reports(row, gateway, "site", told, "The port is taken." if told == "refused" else "")
    found = state_of(gateway)
    assert found.state == state
    assert ("The port is taken." in found.told) == (state == "refused")


def test_one_agent_that_refuses_outweighs_one_that_serves(
    gateway: ApplicationGateway, listener: HttpListener
) -> None:
    for name, told in (("a", "live"), ("b", "refused"), ("c", "warming")):
        row = carried.agent(gateway, NOW, name=name)
        carried.reports(row, gateway, "site", told, f"By {name}." if told == "refused" else "")
    assert (state_of(gateway).state, state_of(gateway).told) == ("refused", "By b.")


def test_a_listener_that_nobody_reported_is_awaited_and_one_without_a_rule_is_not(
    gateway: ApplicationGateway, listener: HttpListener
) -> None:
    make.add_listener(gateway, "spare", host_name="spare.contoso.com", port=8080)
    carried.accepts(carried.agent(gateway, NOW), gateway)
    assert state_of(gateway).state == "waiting"
    assert state_of(gateway, "spare").state == "no-rule"
    assert live_of(gateway, NOW).pending


def test_the_address_to_use_names_host_number_and_command(
    gateway: ApplicationGateway, listener: HttpListener
) -> None:
    published = carried.publish(gateway, listener, 8443, "127.9.0.17")
    place = state_of(gateway).place
    assert place is not None
    assert place.is_shifted
    assert place.socket == "127.9.0.17:8443"
    assert place.url == "https://www.contoso.com:8443/"
    assert place.command == (
        "curl -v --resolve www.contoso.com:8443:127.9.0.17 --insecure https://www.contoso.com:8443/"
    )
    published.number = 443
    ports = {(published.frontend_id, 443): published}
    place = place_of(listener, ports)
    assert place is not None
    assert not place.is_shifted
    assert place.url == "https://www.contoso.com/"


def test_a_wildcard_becomes_a_name_that_it_covers_and_a_basic_listener_its_address(
    gateway: ApplicationGateway,
) -> None:
    wild = make.add_listener(gateway, "wild", host_names=["*.contoso.com", "x.org"], port=80)
    basic = make.add_listener(gateway, "basic", port=8081)
    carried.publish(gateway, wild, 8080)
    carried.publish(gateway, basic, 8081)
    assert state_of(gateway, "wild").place is not None
    places = {one.name: one.place for one in live_of(gateway, NOW).listeners if one.place}
    assert places["wild"].command == (  # type: ignore[union-attr]
        "curl -v --resolve www.contoso.com:8080:127.0.0.1 http://www.contoso.com:8080/"
    )
    assert places["basic"].command == "curl -v http://127.0.0.1:8081/"  # type: ignore[union-attr]


def test_a_listener_whose_port_is_not_published_has_no_address(
    gateway: ApplicationGateway, listener: HttpListener
) -> None:
    assert state_of(gateway).place is None


def test_the_hour_is_counted_and_drawn(gateway: ApplicationGateway) -> None:
    minute = NOW.replace(second=0)
    for back, requests, good, bad in ((0, 4, 3, 1), (59, 2, 2, 0), (60, 9, 9, 0), (5, 0, 0, 0)):
        TrafficMinute.objects.create(
            gateway=gateway,
            minute=minute - timedelta(minutes=back),
            requests=requests,
            s2xx=good,
            s5xx=bad,
        )
    traffic = traffic_of(gateway, NOW + timedelta(seconds=40))
    assert traffic.requests == 6
    assert [(name, count) for name, _, count in traffic.totals] == [
        ("2xx", 5),
        ("3xx", 0),
        ("4xx", 0),
        ("5xx", 1),
    ]
    assert traffic.most == 4
    assert [one.requests for one in traffic.minutes] == [4, 2]
    # Bars stand on the ground and on each other: the oldest at the left, the newest at the right.
    assert [(bar.kind, bar.x, bar.y, bar.height) for bar in traffic.bars] == [
        ("s2xx", "0", "50.00", "50.00"),
        ("s2xx", "590", "25.00", "75.00"),
        ("s5xx", "590", "0.00", "25.00"),
    ]


def test_a_quiet_hour_has_no_bars(gateway: ApplicationGateway) -> None:
    traffic = traffic_of(gateway, NOW)
    assert (traffic.requests, traffic.most, traffic.bars) == (0, 0, ())


def test_the_overview_tells_it_all(gateway: ApplicationGateway, listener: HttpListener) -> None:
    carried.publish(gateway, listener, 8443, "127.9.0.17")
    row = carried.agent(gateway, timezone.now())
    carried.accepts(row, gateway, False, reason="The certificate’s key does not fit.")
    carried.reports(row, gateway, "site", "refused", "The key does not fit.")
    TrafficMinute.objects.create(
        gateway=gateway, minute=timezone.now().replace(second=0, microsecond=0), requests=3, s2xx=3
    )
    client = visits.visitor(gateway)
    url = visits.address(gateway, "overview")
    said = visits.said(client.get(url))
    for words in (
        "The data plane refused this configuration.",
        "127.9.0.17:8443",
        "stands for port 443",
        "--resolve www.contoso.com:8443:127.9.0.17",
        "The key does not fit.",
        "highest: 3 in a minute",
        "Failed",
    ):
        assert words in said
    assert 'id="traffic-table"' not in said
    table = visits.said(client.get(f"{url}?table=1"))
    assert 'id="traffic-table"' in table
    part = visits.said(client.get(url, headers={"HX-Request": "true"}))
    assert part.lstrip().startswith('<div id="live"')
    assert "<html" not in part
    assert "Failed: The certificate" in visits.said(
        client.get(visits.address(gateway, "properties"))
    )


def test_the_overview_of_a_gateway_that_nobody_carries_says_so(
    gateway: ApplicationGateway, client: Client
) -> None:
    said = visits.said(visits.visitor(gateway).get(visits.address(gateway, "overview")))
    assert "Configuration only" in said
    carried.agent(gateway, timezone.now() - timedelta(minutes=2))
    said = visits.said(visits.visitor(gateway).get(visits.address(gateway, "overview")))
    assert "No data plane is running" in said
