"""Resource ids."""

from __future__ import annotations

import pytest

from gateway.accounts.models import Subscription
from gateway.document import arm_path, parse
from gateway.document.ids import child_of
from gateway.models import ApplicationGateway, ResourceGroup
from gateway.problems import Target
from tests.gateway.document.gateways import ADDRESS_ID, GATEWAY_ID, SUBNET_ID


def test_an_id_is_taken_apart_whatever_its_case() -> None:
    found = parse(SUBNET_ID)
    assert found is not None
    assert (found.group, found.type) == ("rg1", "virtualNetworks/subnets")
    assert found.names == ("vnet1", "appgw")
    upper = parse(SUBNET_ID.upper())
    assert upper is not None
    assert upper.key == found.key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "vnet1",
        "/subscriptions/s",
        SUBNET_ID + "/",
        SUBNET_ID + "/more",
        SUBNET_ID[1:],
        SUBNET_ID.replace("Microsoft.Network", "Microsoft.Compute"),
        SUBNET_ID.replace("resourceGroups", "groups"),
        SUBNET_ID.replace("/rg1/", "//"),
    ],
)
def test_what_is_no_id_is_not_taken_apart(text: str) -> None:
    assert parse(text) is None


def test_children_are_found_below_their_own_gateway_only() -> None:
    own = (GATEWAY_ID.lower(),)
    assert child_of(f"{GATEWAY_ID.upper()}/Probes/P1", own) == ("Probes", "P1")
    assert child_of(f"{GATEWAY_ID}2/probes/p1", own) is None
    assert child_of(f"{GATEWAY_ID}/probes", own) is None
    assert child_of(f"{GATEWAY_ID}/probes/a/b", own) is None
    assert child_of(ADDRESS_ID, own) is None
    assert child_of("\u0130" * 9 + GATEWAY_ID, own) is None


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (Target(), ""),
        (Target(field="tags"), "/tags"),
        (Target(field="capacity"), "/properties.sku.capacity"),
        (Target("httpListeners", "web"), "/httpListeners/web"),
        (Target("httpListeners", "web", "host_name"), "/httpListeners/web/properties.hostName"),
        (Target("httpListeners", "web", "name"), "/httpListeners/web/name"),
        (
            Target("probes", "p", "match_status_codes"),
            "/probes/p/properties.match.statusCodes",
        ),
        (
            Target("backendHttpSettingsCollection", "s", "root_links"),
            "/backendHttpSettingsCollection/s/properties.trustedRootCertificates",
        ),
        (Target("sslCertificates", "c", "data"), "/sslCertificates/c/properties.data"),
        (Target("httpListeners", "", ""), "/httpListeners"),
        (Target("httpListeners", "web", "no_such_column"), "/httpListeners/web"),
        (
            Target("pathRules", "map/rule", "paths"),
            "/urlPathMaps/map/pathRules/rule/properties.paths",
        ),
    ],
)
def test_problems_have_an_arm_path(target: Target, path: str) -> None:
    subscription = Subscription(pk="11111111-2222-3333-4444-555555555555")
    gateway = ApplicationGateway(
        group=ResourceGroup(subscription=subscription, name="rg1"), name="gw1"
    )
    assert arm_path(gateway, target) == GATEWAY_ID + path
