"""The access log read and turned over; counts that are lost never and doubled never."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.dataplane.agent import report
from gateway.dataplane.agent.apply import Applied
from gateway.dataplane.agent.home import Home
from gateway.dataplane.agent.report import Log, Mail, Traffic, endpoints
from gateway.dataplane.agent.standing import Standing
from gateway.dataplane.envoy import extension
from tests.gateway.dataplane.agent.nodes import (
    a_port,
    ask,
    cluster,
    leads,
    node,
    says,
    wait_for,
)
from tests.servers import answer, http_server, refusing_port


def line(
    status: Any = 200, gateway: Any = 7, minute: str = "2026-03-02T12:00", **more: Any
) -> bytes:
    content = {"gateway": gateway, "timeStamp": f"{minute}:01.5Z", "httpStatus": status, **more}
    return json.dumps(content, separators=(",", ":")).encode()


@pytest.fixture
def place(tmp_path: Path) -> Home:
    found = Home(tmp_path / "home")
    found.make()
    return found


def append(place: Home, *lines: bytes) -> None:
    with place.access_log.open("ab") as file:
        file.write(b"".join(lines))


def test_the_log_is_read_line_by_line_as_it_grows(place: Home) -> None:
    append(place, b"of an earlier agent\n")
    log = Log(place)
    log.open_at_end()
    assert log.lines() == []
    append(place, b"one\ntw")
    assert log.lines() == [b"one"]
    append(place, b"o\nthree\n")
    assert log.lines() == [b"two", b"three"]
    assert log.lines() == []


def test_what_an_earlier_agent_did_not_tell_is_read_and_nothing_twice(place: Home) -> None:
    log = Log(place)
    log.open_at_end()
    append(place, b"one\nhal")
    assert log.lines() == [b"one"]
    log.keep_position()
    append(place, b"f\ntwo\n")
    later = Log(place)
    later.open_at_end()
    assert later.lines() == [b"half", b"two"]


def test_a_position_in_another_file_counts_nothing(place: Home) -> None:
    append(place, b"one\n")
    (place.path / "access.position").write_text("1 0")
    log = Log(place)
    log.open_at_end()
    assert log.lines() == []


def test_a_line_without_end_is_bounded(place: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "LONGEST_LINE", 100)
    log = Log(place)
    log.open_at_end()
    append(place, b"x" * 200)
    assert log.lines() == []
    append(place, b"y\nfine\n")
    assert log.lines() == [b"y", b"fine"]


def test_a_long_log_is_turned_over_and_no_request_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "LONGEST_LOG", 1000)
    port = a_port()
    with node(tmp_path / "home") as made:
        log = Log(made.home)
        log.open_at_end()
        made.apply([says("one", port, "x")])
        traffic = Traffic()
        for round_ in range(8):
            for _ in range(10):
                ask(port)

            def counted(wanted: int = (round_ + 1) * 10) -> bool:
                traffic.take_in(log.lines())
                return sum(row[0] for row in traffic.counts.values()) == wanted

            wait_for(counted, "the lines to be written")
        assert made.home.access_log.with_suffix(".log.1").exists()
        assert made.home.access_log.stat().st_size < 5000
        assert {path.name for path in made.home.path.glob("access*")} == {
            "access.log",
            "access.log.1",
        }


def test_requests_are_counted_by_gateway_minute_and_class() -> None:
    traffic = Traffic()
    traffic.take_in(
        [
            line(200), line(204), line(301), line(404), line(502), line(101), line(None),
            line(0, unanswered="499"), line(0, unanswered="0"),
            line(200, gateway="8"), line(200, minute="2026-03-02T12:01"),
            b"no json", b"", b"{}",
        ]
    )  # fmt: skip
    told = traffic.hand_over()["traffic"]
    assert {"gateway": 7, "minute": "2026-03-02T12:00", "requests": 9,
            "s2xx": 2, "s3xx": 1, "s4xx": 2, "s5xx": 1} in told  # fmt: skip
    assert {(row["gateway"], row["minute"]) for row in told} == {
        (7, "2026-03-02T12:00"),
        (8, "2026-03-02T12:00"),
        (7, "2026-03-02T12:01"),
    }
    assert not traffic


def test_the_newest_lines_wait_and_are_clipped() -> None:
    traffic = Traffic()
    lines = [line(userAgent="u" * 9000, n=n) for n in range(report.KEPT_LINES + 5)]
    traffic.take_in([*lines, b'{"gateway":7,"timeStamp":"2026-03-02T12:00', b"[7]"])
    first = traffic.hand_over()["access"]
    assert first[0]["line"]["n"] >= 5
    assert all(len(one["line"]["userAgent"]) == report.LONGEST_VALUE for one in first)
    # What does not go into one report goes with the next.
    assert traffic
    told = list(first)
    while traffic:
        told += traffic.hand_over()["access"]
    assert told[-1]["line"]["n"] == report.KEPT_LINES + 4


def test_minutes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "KEPT_MINUTES", 2)
    traffic = Traffic()
    traffic.take_in([line(minute=f"2026-03-02T12:0{n}") for n in range(4)])
    assert [one["minute"][-2:] for one in traffic.hand_over()["traffic"]] == ["02", "03"]


def test_a_report_is_repeated_under_its_id_until_it_has_arrived() -> None:
    traffic, mail = Traffic(), Mail()
    traffic.take_in([line()])
    first = mail.next({"gateways": [{"id": 1, "digest": "old"}]}, traffic)
    traffic.take_in([line()])
    again = mail.next({"gateways": [{"id": 1, "digest": "new"}]}, traffic)
    assert again["id"] == first["id"]
    assert again["traffic"] == first["traffic"]
    assert again["gateways"] == [{"id": 1, "digest": "new"}]
    mail.arrived()
    third = mail.next({"gateways": []}, traffic)
    assert third["id"] != first["id"]
    assert third["traffic"][0]["requests"] == 1


def test_a_report_has_the_gateways_of_which_there_is_news_and_now_and_then_all() -> None:
    now = 1000.0
    mail = Mail(clock=lambda: now)

    def told(*gateways: dict[str, Any], arrives: bool = True) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = mail.next({"gateways": list(gateways)}, Traffic())["gateways"]
        if arrives:
            mail.arrived()
        return found

    one, two, changed = {"id": 1, "a": 1}, {"id": 2, "a": 1}, {"id": 2, "a": 2}
    assert told(one, two, arrives=False) == [one, two]
    assert told(one, two) == [one, two]
    assert told(one, two) == []
    assert told(one, changed, arrives=False) == [changed]
    assert told(one, changed) == [changed]
    assert told(one) == []
    # One that had gone and is there again is news.
    assert told(one, changed) == [changed]
    now += report.WHOLE_EVERY
    assert told(one, changed, arrives=False) == [one, changed]
    assert told(one, changed) == [one, changed]
    assert told(one, changed) == []


def test_errors_of_a_server_are_the_requests_that_did_not_succeed(tmp_path: Path) -> None:
    port = a_port()
    router = extension(
        "envoy.filters.http.router", "extensions.filters.http.router.v3.Router",
        dynamic_stats=False,
    )  # fmt: skip
    with (
        http_server() as good,
        http_server(answer("500 No")) as bad,
        node(tmp_path / "home") as made,
    ):
        listener = leads("one", port, "good")
        [chain] = listener["filter_chains"]
        manager = chain["filters"][0]["typed_config"]
        manager["http_filters"] = [router]
        to_bad = {"match": {"prefix": "/bad"}, "route": {"cluster": "bad"}}
        manager["route_config"]["virtual_hosts"][0]["routes"].insert(0, to_bad)
        made.apply([listener], [cluster("good", good.port), cluster("bad", bad.port)])
        for path in ("/", "/", "/bad", "/bad", "/bad"):
            ask(port, path=path)
        told = {one["cluster"]: one for one in endpoints(made.home, {"good": 7, "bad": 7})[7]}
    assert (told["good"]["requests"], told["good"]["errors"]) == (2, 0)
    assert (told["bad"]["requests"], told["bad"]["errors"]) == (3, 3)


def test_envoys_view_of_the_servers_is_told(tmp_path: Path) -> None:
    port = a_port()
    with refusing_port() as refusing, node(tmp_path / "home") as made:
        made.apply([leads("one", port, "c")], [cluster("c", refusing), cluster("other", 1)])
        assert ask(port).startswith("503")
        [told] = endpoints(made.home, {"c": 7, "gone": 8})[7]
    assert told["cluster"] == "c"
    assert told["address"] == f"127.0.0.1:{refusing}"
    assert told["healthy"] is True
    assert told["errors"] >= 1
    assert endpoints(made.home, {"c": 7}) == {}


# -- What became of each gateway ----------------------------------------------------------------

BUNDLE = {
    "gateways": [
        {"id": 1, "generation": 4, "digest": "d", "listeners": {"L1": ["a", "b"], "L2": ["c"]},
         "clusters": ["c1"]},
        {"id": 2, "generation": 1, "digest": "e", "listeners": {"L3": ["x"]}, "clusters": ["c2"]},
    ]
}  # fmt: skip


def judged(applied: Applied | None, bundle: Any = BUNDLE) -> list[dict[str, Any]]:
    standing = Standing()
    standing.judge(bundle, applied)
    assert standing.news.is_set()
    return standing.told()


def test_before_envoy_has_answered_everything_is_warming() -> None:
    one, two = judged(None)
    assert (one["accepted"], two["accepted"]) == (None, None)
    assert {listener["state"] for listener in one["listeners"]} == {"warming"}


def test_a_refusal_is_told_of_its_own_gateway_and_listeners_only() -> None:
    one, two = judged(Applied({"L1": "The port is taken."}))
    assert (one["accepted"], one["reason"]) == (False, "The port is taken.")
    assert (two["accepted"], two["reason"]) == (True, "")
    assert {row["name"]: row["state"] for row in one["listeners"]} == {
        "a": "refused",
        "b": "refused",
        "c": "live",
    }


def test_a_refused_cluster_fails_its_gateway() -> None:
    one, two = judged(Applied({}, {"c2": "A trusted certificate cannot be read."}))
    assert one["accepted"] is True
    assert (two["accepted"], two["reason"]) == (False, "A trusted certificate cannot be read.")


def test_a_fault_of_the_portal_fails_its_gateway() -> None:
    bundle = {"gateways": [{**BUNDLE["gateways"][0], "fault": "It could not be made."}]}
    [one] = judged(Applied(), bundle)
    assert (one["accepted"], one["reason"]) == (False, "It could not be made.")


def test_clusters_are_known_by_gateway() -> None:
    standing = Standing()
    standing.judge(BUNDLE, Applied())
    assert standing.clusters() == {"c1": 1, "c2": 2}


def test_what_envoy_said_of_a_gateway_stands_while_another_one_changes() -> None:
    standing = Standing()
    standing.judge(BUNDLE, Applied({"L3": "The port is taken."}))
    one, two = BUNDLE["gateways"]
    standing.judge({"gateways": [one, two]}, None)
    assert [row["accepted"] for row in standing.told()] == [True, None]
    standing.judge(BUNDLE, Applied())
    for changed in ({**one, "digest": "x"}, {**one, "generation": 5}):
        standing.judge({"gateways": [changed, two]}, None)
        assert [row["accepted"] for row in standing.told()] == [None, True]
        standing.judge(BUNDLE, Applied())
