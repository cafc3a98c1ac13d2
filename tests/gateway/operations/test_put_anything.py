"""Whole gateways at random: valid ones come back as they were, broken ones never raise."""

from __future__ import annotations

import copy
import itertools
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.models import ApplicationGateway
from tests import factories as make
from tests.gateway.document import gateways
from tests.gateway.document.test_never_raises import mutate
from tests.gateway.operations import puts

pytestmark = pytest.mark.django_db

LABELS = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,12}[A-Za-z0-9_])?", fullmatch=True)
TARGETS = st.one_of(
    st.builds(lambda name: {"fqdn": f"{name}.contoso.test"}, LABELS),
    st.builds(lambda last: {"ipAddress": f"10.0.1.{last}"}, st.integers(4, 250)),
)
SITE = st.fixed_dictionaries(
    {
        "targets": st.lists(TARGETS, max_size=4, unique_by=lambda one: tuple(one.values())),
        "timeout": st.integers(1, 86400),
        "affinity": st.sampled_from(["Enabled", "Disabled"]),
        "cookie": st.sampled_from(["", "Sticky"]),
        "drain": st.booleans(),
        "drain_timeout": st.integers(1, 3600),
        "host": st.sampled_from([None, "pick", "backend.contoso.test"]),
        "path": st.sampled_from(["", "/app/"]),
        "probe": st.none()
        | st.fixed_dictionaries(
            {
                "interval": st.integers(1, 86400),
                "threshold": st.integers(1, 20),
                "codes": st.sampled_from([[], ["200-399"], ["200", "404"]]),
                "body": st.sampled_from(["", "fine"]),
            }
        ),
        "redirect": st.sampled_from([None, "Permanent", "SeeOther"]),
        "paths": st.lists(LABELS, max_size=3, unique=True),
        "rewrites": st.lists(LABELS, max_size=2, unique=True),
    }
)
GATEWAYS = st.fixed_dictionaries(
    {
        "sites": st.dictionaries(LABELS, SITE, min_size=1, max_size=3),
        "tags": st.dictionaries(
            LABELS,
            st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=5),
            max_size=2,
        ),
        "http2": st.booleans(),
        "zones": st.lists(st.sampled_from(["1", "2", "3"]), unique=True),
        "capacity": st.none() | st.integers(1, 10),
        "order": st.randoms(use_true_random=False),
    }
)
numbers = itertools.count()


def body_of(gateway: ApplicationGateway, wanted: dict[str, Any]) -> dict[str, Any]:
    """The document of the gateway, with the wanted sites instead of its own."""
    body = puts.document_of(gateway)
    body["tags"], body["zones"] = wanted["tags"], wanted["zones"]
    properties = body["properties"]
    properties["enableHttp2"] = wanted["http2"]
    if wanted["capacity"]:
        properties["sku"]["capacity"] = wanted["capacity"]
    else:
        del properties["sku"]["capacity"]
        properties["autoscaleConfiguration"] = {"minCapacity": 0, "maxCapacity": 3}
    for collection in (
        "backendAddressPools",
        "backendHttpSettingsCollection",
        "httpListeners",
        "requestRoutingRules",
    ):
        properties[collection] = []
    for number, (label, site) in enumerate(wanted["sites"].items()):
        add_site(gateway, properties, f"{label}{number}", site, number)
    for items in properties.values():
        if isinstance(items, list):
            wanted["order"].shuffle(items)
    return body


def add_site(
    gateway: ApplicationGateway,
    properties: dict[str, Any],
    name: str,
    site: dict[str, Any],
    number: int,
) -> None:
    def ref(collection: str, other: str = name) -> dict[str, str]:
        return {"id": f"{gateway.arm_id}/{collection}/{other}"}

    def add(collection: str, **members: Any) -> None:
        given = {key: value for key, value in members.items() if value is not None}
        properties[collection].append({"name": name, "properties": given})

    probe = site["probe"]
    if probe:
        add(
            "probes",
            protocol="Http",
            host="www.contoso.test",
            path="/",
            interval=probe["interval"],
            timeout=probe["interval"],
            unhealthyThreshold=probe["threshold"],
            match={"body": probe["body"], "statusCodes": probe["codes"]},
        )
    add("backendAddressPools", backendAddresses=site["targets"])
    add(
        "backendHttpSettingsCollection",
        port=80,
        protocol="Http",
        cookieBasedAffinity=site["affinity"],
        affinityCookieName=site["cookie"],
        requestTimeout=site["timeout"],
        connectionDraining={"enabled": site["drain"], "drainTimeoutInSec": site["drain_timeout"]},
        hostName=site["host"] if site["host"] != "pick" else None,
        # Picking the name is of no use for addresses, which have none.
        pickHostNameFromBackendAddress=site["host"] == "pick",
        path=site["path"],
        probe=ref("probes") if probe else None,
    )
    add(
        "httpListeners",
        frontendIPConfiguration=ref("frontendIPConfigurations", make.FRONTEND_IP),
        frontendPort=ref("frontendPorts", make.FRONTEND_PORT),
        protocol="Http",
        hostNames=[f"{name}.contoso.com"],
    )
    if site["rewrites"]:
        rules = [
            {
                "name": one,
                "ruleSequence": 100 + place,
                "conditions": [{"variable": "http_req_Host", "pattern": one, "negate": False}],
                "actionSet": {
                    "responseHeaderConfigurations": [{"headerName": "X-One", "headerValue": one}]
                },
            }
            for place, one in enumerate(site["rewrites"])
        ]
        add("rewriteRuleSets", rewriteRules=rules)
    goal = {
        "backendAddressPool": ref("backendAddressPools"),
        "backendHttpSettings": ref("backendHttpSettingsCollection"),
        "rewriteRuleSet": ref("rewriteRuleSets") if site["rewrites"] else None,
    }
    if site["redirect"]:
        add(
            "redirectConfigurations",
            redirectType=site["redirect"],
            targetUrl="https://www.contoso.com",
            includeQueryString=True,
        )
        goal = {"redirectConfiguration": ref("redirectConfigurations")}
    if site["paths"]:
        path_rules = [
            {
                "name": one,
                "properties": {
                    "paths": [f"/{one}/*"],
                    "backendAddressPool": ref("backendAddressPools"),
                    "backendHttpSettings": ref("backendHttpSettingsCollection"),
                },
            }
            for one in site["paths"]
        ]
        defaults = {f"default{key[0].upper()}{key[1:]}": value for key, value in goal.items()}
        add("urlPathMaps", pathRules=path_rules, **defaults)
        goal = {"urlPathMap": ref("urlPathMaps")}
    add(
        "requestRoutingRules",
        ruleType="PathBasedRouting" if site["paths"] else "Basic",
        priority=100 + number,
        httpListener=ref("httpListeners"),
        **goal,
    )


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(wanted=GATEWAYS)
def test_a_random_gateway_comes_back_as_it_was(wanted: dict[str, Any]) -> None:
    gateway = make.v2_gateway(make.make_group(name=f"random{next(numbers)}"))
    outcome = puts.put(gateway, body_of(gateway, wanted))
    assert puts.messages(outcome) == []
    document = puts.document_of(gateway)
    again = puts.put(gateway, copy.deepcopy(document))
    assert puts.messages(again) == []
    assert not again.changed
    assert puts.document_of(gateway) == document


@pytest.mark.parametrize("build", [gateways.rich_v2, gateways.rich_v1])
def test_a_broken_document_is_refused_and_changes_nothing(build: Any) -> None:
    chance = random.Random(7)
    gateway = build()
    for _ in range(50):
        document = puts.document_of(gateway)
        outcome = puts.put(gateway, mutate(document, chance))
        if outcome.errors:
            assert not outcome.changed
            assert puts.document_of(gateway) == document
        else:
            back = puts.document_of(gateway)
            assert not puts.put(gateway, copy.deepcopy(back)).changed


JUNK: list[Any] = [
    None,
    7,
    "text",
    [],
    [[]],
    {},
    {"properties": None},
    {"properties": {}, "location": "westus"},
    {"properties": {"sku": {"name": "Standard_v2"}}, "location": "westus"},
]


@pytest.mark.parametrize("body", JUNK, ids=repr)
def test_junk_is_refused_for_a_gateway_and_for_a_new_name(body: Any) -> None:
    gateway = make.v2_gateway()
    before = puts.document_of(gateway)
    assert puts.put(gateway, body).errors
    assert puts.document_of(gateway) == before
    assert puts.create(gateway.group, "another", body).errors
    assert ApplicationGateway.objects.count() == 1
