"""Field-by-field differences."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.document import diff, snapshot
from gateway.models import BackendHttpSettings, HttpListener
from tests import factories as make
from tests.gateway.document import gateways


def items(*named: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "properties": {
            "probes": [{"name": name, "properties": properties} for name, properties in named]
        }
    }


def test_equal_snapshots_have_no_difference() -> None:
    assert diff(items(("a", {"x": 1})), items(("a", {"x": 1}))) == []


def test_a_changed_value_is_named_by_its_path() -> None:
    before, after = items(("a", {"match": {"body": "x"}})), items(("a", {"match": {"body": "y"}}))
    assert diff(before, after) == [{"path": "probes/a/match/body", "before": "x", "after": "y"}]


def test_items_that_come_and_go_stand_whole() -> None:
    found = diff(items(("a", {"x": 1})), items(("b", {"x": 2})))
    assert found == [
        {"path": "probes/a", "before": {"name": "a", "properties": {"x": 1}}, "after": None},
        {"path": "probes/b", "before": None, "after": {"name": "b", "properties": {"x": 2}}},
    ]


def test_names_are_matched_whatever_their_case() -> None:
    assert diff(items(("A", {"x": 1})), items(("A", {"x": 2})))[0]["path"] == "probes/A/x"


def test_a_new_order_is_one_change() -> None:
    one, two = ("a", {"x": 1}), ("b", {"x": 2})
    assert diff(items(one, two), items(two, one)) == [
        {"path": "probes/(order)", "before": ["a", "b"], "after": ["b", "a"]}
    ]


def test_plain_lists_are_compared_whole() -> None:
    assert diff({"zones": ["1"]}, {"zones": ["1", "2"]}) == [
        {"path": "zones", "before": ["1"], "after": ["1", "2"]}
    ]


def test_long_texts_are_cut_and_still_told_apart() -> None:
    (change,) = diff({"x": "a" * 1000}, {"x": "a" * 999 + "b"})
    assert len(change["before"]) < 150
    assert change["before"] != change["after"]
    (nested,) = diff({"x": None}, {"x": [{"y": "a" * 1000}]})
    assert len(nested["after"][0]["y"]) < 150


@pytest.mark.django_db
def test_a_change_of_rows_shows_as_the_members_that_changed() -> None:
    gateway = gateways.rich_v2()
    before = snapshot(make.loaded(gateway))
    make.change(make.find(gateway, HttpListener, "secure"), host_names=["www.contoso.com"])
    make.change(make.find(gateway, BackendHttpSettings, "tls"), request_timeout=60, probe=None)
    assert diff(before, snapshot(make.loaded(gateway))) == [
        {
            "path": "backendHttpSettingsCollection/tls/requestTimeout",
            "before": 30,
            "after": 60,
        },
        {
            "path": "backendHttpSettingsCollection/tls/probe",
            "before": {"id": "probes/deep"},
            "after": None,
        },
        {
            "path": "httpListeners/secure/hostNames",
            "before": ["www.contoso.com", "*.contoso.org"],
            "after": ["www.contoso.com"],
        },
    ]
