"""What an agent's report does: states, counts, log lines; bounded, and never a 500."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gateway.agents import reports
from gateway.models import (
    AccessLogLine,
    Agent,
    AgentState,
    ApplicationGateway,
    LabEndpoint,
    LabServer,
    ListenerState,
    TrafficMinute,
)
from gateway.models.provisioning import HEARD_WITHIN, provisioning, provisioning_of
from tests import factories
from tests.gateway.agents.door import Door, report, state

MINUTE = {"minute": "2026-03-02T12:00", "requests": 5, "s2xx": 3, "s3xx": 1, "s4xx": 0, "s5xx": 1}


def lived(agent: Door, **parts: Any) -> None:
    answer = agent.post("report", report(**parts))
    assert answer.status_code == 204, answer.content


def test_verdicts_are_kept_for_each_listener_and_renewed(door: Door) -> None:
    gateway = factories.v2_gateway()
    agent = door.enrolled()
    live = {"name": "a", "state": "live", "reason": ""}
    refused = {"name": "b", "state": "refused", "reason": "Another program listens there."}
    lived(agent, gateways=[state(gateway, listeners=[live, refused])])
    assert set(ListenerState.objects.values_list("listener", "state")) == {
        ("a", "live"),
        ("b", "refused"),
    }
    lived(agent, gateways=[state(gateway, listeners=[{**refused, "state": "live"}])])
    assert set(ListenerState.objects.values_list("listener", "state")) == {("b", "live")}
    [kept] = AgentState.objects.all()
    assert (kept.generation, kept.accepted) == (gateway.generation, True)
    row = Agent.objects.get()
    assert row.engine == "1.40.0"
    assert row.last_seen_at is not None


def test_endpoints_are_kept(door: Door) -> None:
    gateway = factories.v2_gateway()
    one = {"cluster": "c", "address": "127.0.0.1:1", "healthy": False, "requests": 3, "errors": 2}
    lived(door.enrolled(), gateways=[state(gateway, endpoints=[one])])
    assert AgentState.objects.get().endpoints == [one]


def test_requests_are_added_up_by_minute(door: Door) -> None:
    gateway = factories.v2_gateway()
    first, second = door.enrolled("one"), door.enrolled("two")
    lived(first, id="r1", traffic=[{"gateway": gateway.pk, **MINUTE}])
    lived(second, id="r2", traffic=[{"gateway": gateway.pk, **MINUTE}])
    [row] = TrafficMinute.objects.all()
    assert (row.requests, row.s2xx, row.s3xx, row.s5xx) == (10, 6, 2, 2)
    assert row.minute == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_a_report_that_comes_twice_is_counted_once_and_its_newer_verdict_holds(
    door: Door,
) -> None:
    gateway = factories.v2_gateway()
    agent = door.enrolled()
    line = {"gateway": gateway.pk, "line": {"httpStatus": 200}}
    traffic = [{"gateway": gateway.pk, **MINUTE}]
    lived(agent, traffic=traffic, access=[line], gateways=[state(gateway, accepted=None)])
    lived(agent, traffic=traffic, access=[line], gateways=[state(gateway, accepted=True)])
    assert TrafficMinute.objects.get().requests == 5
    assert AccessLogLine.objects.count() == 1
    assert AgentState.objects.get().accepted is True


def test_old_minutes_go(door: Door) -> None:
    gateway = factories.v2_gateway()
    agent = door.enrolled()
    lived(agent, id="r1", traffic=[{"gateway": gateway.pk, **MINUTE}])
    later = datetime(2026, 3, 2, 12, 1, tzinfo=UTC) + reports.KEPT_MINUTES
    minute = {**MINUTE, "minute": f"{later:%Y-%m-%dT%H:%M}"}
    lived(agent, id="r2", traffic=[{"gateway": gateway.pk, **minute}])
    assert TrafficMinute.objects.get().minute == later


def test_the_newest_thousand_lines_are_kept(door: Door) -> None:
    gateway, other = factories.v2_gateway(), factories.v1_gateway()
    agent = door.enrolled()
    lived(agent, id="r0", access=[{"gateway": other.pk, "line": {"n": 1}}])
    for part in range(3):
        lines = [
            {"gateway": gateway.pk, "line": {"n": part * 500 + number}} for number in range(500)
        ]
        lived(agent, id=f"r{part + 1}", access=lines)
    kept = AccessLogLine.objects.filter(gateway=gateway)
    assert kept.count() == reports.KEPT_LINES
    assert {line.line["n"] for line in kept} == set(range(500, 1500))
    assert AccessLogLine.objects.filter(gateway=other).count() == 1


def test_a_line_names_the_lab_server_whatever_the_lab_listens_at_later(door: Door) -> None:
    gateway = factories.v2_gateway()
    server = factories.add_row(
        LabServer,
        virtual_network=factories.loaded(gateway).virtual_network,
        name="backend",
        scenario="full-chain",
        address="10.0.1.77",
        fqdn="full-chain.contoso.test",
        port=443,
    )
    endpoint = LabEndpoint.objects.create(
        server=server,
        port=443,
        real_host="127.76.0.1",
        real_port=38479,
        reported_at=timezone.now(),
    )
    line = {"serverRouted": "127.76.0.1:38479", "backendPoolName": factories.POOL}
    agent = door.enrolled()
    lived(agent, access=[{"gateway": gateway.pk, "line": line}])
    assert AccessLogLine.objects.get().line["serverName"] == "full-chain.contoso.test:443"
    endpoint.delete()
    lied = {**line, "serverName": "made up"}
    lived(agent, id="r2", access=[{"gateway": gateway.pk, "line": lied}])
    assert AccessLogLine.objects.latest("pk").line == line


def test_a_line_stands_at_the_time_that_it_tells(door: Door) -> None:
    gateway = factories.v2_gateway()
    line = {"timeStamp": "2026-03-02T12:00:01.500Z", "httpStatus": 200, "odd": [1, {"a": 2}]}
    lived(door.enrolled(), access=[{"gateway": gateway.pk, "line": line}])
    row = AccessLogLine.objects.get()
    assert row.at == datetime(2026, 3, 2, 12, 0, 1, 500000, tzinfo=UTC)
    assert row.line == {"timeStamp": line["timeStamp"], "httpStatus": 200}


def test_what_is_said_of_other_gateways_is_left_out(door: Door) -> None:
    mine, other = factories.v2_gateway(), factories.v1_gateway()
    agent = door.enrolled("node", gateways=[mine])
    lived(
        agent,
        gateways=[
            state(other, listeners=[{"name": "a", "state": "live", "reason": ""}]),
            state(mine),
            {**state(mine), "id": 987654},
        ],
        traffic=[{"gateway": other.pk, **MINUTE}],
        access=[{"gateway": other.pk, "line": {}}, {"gateway": 987654, "line": {}}],
    )
    assert [row.gateway_id for row in AgentState.objects.all()] == [mine.pk]
    assert not ListenerState.objects.exists()
    assert not TrafficMinute.objects.exists()
    assert not AccessLogLine.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"id": 1}',
        {"gateways": [{"id": True}]},
        {"gateways": [{"id": -1}]},
        {"traffic": [{"gateway": 1, **MINUTE, "minute": "yesterday"}]},
        {"traffic": [{"gateway": 1, **MINUTE, "requests": 2**70}]},
        {"traffic": [{"gateway": 1, **MINUTE, "minute": "2026-03-02T25:00"}]},
        {"access": [{"gateway": 1, "line": 7}]},
        {"access": 7},
    ],
)
def test_what_is_no_report_is_refused_and_leaves_nothing(door: Door, content: Any) -> None:
    agent = door.enrolled()
    sent = content if isinstance(content, bytes) else report(**content)
    assert agent.post("report", sent).status_code == 400
    assert not TrafficMinute.objects.exists()
    assert not Agent.objects.get().engine


def test_texts_that_no_database_takes_are_mended(door: Door) -> None:
    gateway = factories.v2_gateway()
    told = state(gateway, accepted=False, reason="a\0b" + "x" * 9000)
    lived(door.enrolled(), gateways=[told], access=[
        {"gateway": gateway.pk, "line": {"userAgent": "\ud800\0", "long": "y" * 9000}}
    ])  # fmt: skip
    assert AgentState.objects.get().reason.startswith("a�b")
    assert len(AgentState.objects.get().reason) == 2000
    assert AccessLogLine.objects.get().line["userAgent"] == "?�"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(JSON, JSON, JSON, JSON)
@hypothesis_settings(max_examples=150)
@pytest.mark.django_db
def test_no_report_raises_anything_else(one: Any, two: Any, three: Any, four: Any) -> None:
    agent = Agent(pk=1, name="n", credential_hash="h", enrolled_at=factories.NOW)
    content = {"id": one, "gateways": [two], "traffic": [three], "access": [four]}
    with pytest.raises(reports.BadReportError):
        reports.take_in(agent, content, now=factories.NOW)


# -- Provisioning state ----------------------------------------------------------------------


def shown(gateway: ApplicationGateway, **later: int) -> tuple[str, str]:
    found = provisioning(gateway, now=timezone.now() + timedelta(**later))
    return found.state, found.reason


def test_without_agents_a_change_has_succeeded_when_it_is_saved(db: None) -> None:
    assert shown(factories.v2_gateway()) == ("Succeeded", "")


def test_a_change_is_updating_until_every_agent_has_answered(door: Door) -> None:
    gateway = factories.v2_gateway()
    one, two = door.enrolled("one"), door.enrolled("two")
    lived(one, gateways=[state(gateway)])
    assert shown(gateway) == ("Succeeded", "")  # the other has never been heard of
    lived(two)
    assert shown(gateway) == ("Updating", "")
    lived(two, gateways=[state(gateway, accepted=None)])
    assert shown(gateway) == ("Updating", "")
    lived(two, gateways=[state(gateway)])
    assert shown(gateway) == ("Succeeded", "")
    factories.change(gateway, generation=gateway.generation + 1)
    assert shown(gateway) == ("Updating", "")
    lived(one, gateways=[state(gateway, accepted=False, reason="The port is taken.")])
    assert shown(gateway) == ("Updating", "")
    lived(two, gateways=[state(gateway)])
    assert shown(gateway) == ("Failed", "The port is taken.")


def test_an_agent_that_was_not_heard_of_is_not_waited_for(door: Door) -> None:
    gateway = factories.v2_gateway()
    lived(door.enrolled())
    assert shown(gateway) == ("Updating", "")
    seconds = int(HEARD_WITHIN.total_seconds())
    assert shown(gateway, seconds=seconds + 1) == ("Succeeded", "")


def test_agents_of_other_gateways_and_revoked_ones_do_not_count(door: Door) -> None:
    mine, other = factories.v2_gateway(), factories.v1_gateway()
    lived(door.enrolled("node", gateways=[mine]))
    assert shown(mine) == ("Updating", "")
    assert shown(other) == ("Succeeded", "")
    Agent.objects.update(revoked_at=factories.NOW)
    assert shown(mine) == ("Succeeded", "")


def test_states_of_many_gateways_take_two_queries(
    door: Door, django_assert_num_queries: Any
) -> None:
    gateways = [factories.v2_gateway(factories.make_group()) for _ in range(3)]
    lived(door.enrolled("node", gateways=gateways[:2]), gateways=[state(gateways[0])])
    with django_assert_num_queries(2):
        found = provisioning_of(gateways, now=timezone.now())
    assert [found[gateway.pk].state for gateway in gateways] == [
        "Succeeded",
        "Updating",
        "Succeeded",
    ]


def test_what_an_agent_reports_moves_no_row_of_the_gateway(door: Door) -> None:
    gateway = factories.v2_gateway()
    before = ApplicationGateway.objects.values().get(pk=gateway.pk)
    lived(door.enrolled(), gateways=[state(gateway, accepted=False, reason="No.")])
    assert ApplicationGateway.objects.values().get(pk=gateway.pk) == before
