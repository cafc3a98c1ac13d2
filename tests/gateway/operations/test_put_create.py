"""Creating gateways by their document."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from certificates.x509.issuing import issue
from gateway.document.tables.frontends import PUBLIC_IP_ADDRESS
from gateway.models import (
    Activity,
    ApplicationGateway,
    ResourceGroup,
    SslCertificate,
    SslCertificateKey,
)
from gateway.operations import Caller, put
from gateway.operations.put import put_gateway
from tests import factories as make
from tests.gateway.operations import puts

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> ResourceGroup:
    """A group with the virtual network vnet1 (10.0.0.0/16) and the public addresses pip1, pip2."""
    group = make.make_group(name="rg1")
    make.make_network(group, "vnet1")
    make.make_public_address(group, "pip1", sku="Basic", allocation_method="Dynamic")
    make.make_public_address(group, "pip2")
    return group


def child(group: ResourceGroup, gateway: str, collection: str, name: str) -> dict[str, str]:
    return {"id": f"{provider(group)}/applicationGateways/{gateway}/{collection}/{name}"}


def provider(group: ResourceGroup) -> str:
    return f"{group.arm_id}/providers/Microsoft.Network"


def subnet(group: ResourceGroup) -> dict[str, str]:
    return {"id": f"{provider(group)}/virtualNetworks/vnet1/subnets/myAGSubnet"}


def address(group: ResourceGroup, name: str) -> dict[str, str]:
    return {"id": f"{provider(group)}/{PUBLIC_IP_ADDRESS}/{name}"}


def pfx() -> dict[str, str]:
    data = issue.to_pfx(make.leaf(), "Passw0rd", chain=make.leaf().chain)
    return {"data": base64.b64encode(data).decode(), "password": "Passw0rd"}


def az_body(group: ResourceGroup, name: str, *, v2: bool) -> dict[str, Any]:
    """What the template of ``az network application-gateway create`` holds, once evaluated."""

    def ref(collection: str, item: str) -> dict[str, str]:
        return {"Id": child(group, name, collection, item)["id"]}

    sku = (
        {"name": "Standard_v2", "tier": "Standard_v2", "capacity": 2}
        if v2
        else {"name": "Standard_Small", "tier": "Standard", "capacity": 2}
    )
    rule: dict[str, Any] = {
        "RuleType": "Basic",
        "httpListener": ref("httpListeners", "appGatewayHttpListener"),
        "backendAddressPool": ref("backendAddressPools", "appGatewayBackendPool"),
        "backendHttpSettings": ref(
            "backendHttpSettingsCollection", "appGatewayBackendHttpSettings"
        ),
    }
    if v2:
        rule["priority"] = 100
    return {
        "location": "westus",
        "tags": {},
        "properties": {
            "backendAddressPools": [
                {
                    "name": "appGatewayBackendPool",
                    "properties": {"BackendAddresses": [{"ipAddress": "127.0.0.1"}]},
                }
            ],
            "backendHttpSettingsCollection": [
                {
                    "name": "appGatewayBackendHttpSettings",
                    "properties": {
                        "Port": "80",
                        "Protocol": "Http",
                        "CookieBasedAffinity": "disabled",
                        "connectionDraining": {"enabled": False, "drainTimeoutInSec": 1},
                    },
                }
            ],
            "frontendIPConfigurations": [
                {
                    "name": "appGatewayFrontendIP",
                    "properties": {"publicIPAddress": address(group, "pip2" if v2 else "pip1")},
                }
            ],
            "frontendPorts": [{"name": "appGatewayFrontendPort", "properties": {"Port": "443"}}],
            "gatewayIPConfigurations": [
                {"name": "appGatewayFrontendIP", "properties": {"subnet": subnet(group)}}
            ],
            "httpListeners": [
                {
                    "name": "appGatewayHttpListener",
                    "properties": {
                        "FrontendIpConfiguration": ref(
                            "frontendIPConfigurations", "appGatewayFrontendIP"
                        ),
                        "FrontendPort": ref("frontendPorts", "appGatewayFrontendPort"),
                        "Protocol": "https",
                        "SslCertificate": ref("sslCertificates", f"{name}SslCert"),
                    },
                }
            ],
            "sku": sku,
            "requestRoutingRules": [{"Name": "rule1", "properties": rule}],
            "privateLinkConfigurations": [],
            "sslCertificates": [{"name": f"{name}SslCert", "properties": pfx()}],
        },
        "zones": None,
    }


def sdk_body(group: ResourceGroup, name: str) -> dict[str, Any]:
    """A small v2 gateway with one trusted root, as the Python SDK sends it."""
    root = base64.b64encode(make.root().certificate.pem.encode()).decode()
    return {
        "location": "westus",
        "properties": {
            "sku": {"name": "Standard_v2", "tier": "Standard_v2", "capacity": 1},
            "gatewayIPConfigurations": [{"name": "gip", "properties": {"subnet": subnet(group)}}],
            "frontendIPConfigurations": [
                {"name": "fip", "properties": {"publicIPAddress": address(group, "pip2")}}
            ],
            "frontendPorts": [{"name": "p80", "properties": {"port": 80}}],
            "backendAddressPools": [
                {"name": "bp", "properties": {"backendAddresses": [{"ipAddress": "127.0.0.1"}]}}
            ],
            "trustedRootCertificates": [{"name": "rc", "properties": {"data": root}}],
            "backendHttpSettingsCollection": [
                {
                    "name": "hs",
                    "properties": {
                        "port": 443,
                        "protocol": "Https",
                        "hostName": "backend.contoso.test",
                        "cookieBasedAffinity": "Disabled",
                        "trustedRootCertificates": [
                            child(group, name, "trustedRootCertificates", "rc")
                        ],
                    },
                }
            ],
            "httpListeners": [
                {
                    "name": "l",
                    "properties": {
                        "frontendIPConfiguration": child(
                            group, name, "frontendIPConfigurations", "fip"
                        ),
                        "frontendPort": child(group, name, "frontendPorts", "p80"),
                        "protocol": "Http",
                    },
                }
            ],
            "requestRoutingRules": [
                {
                    "name": "r",
                    "properties": {
                        "ruleType": "Basic",
                        "priority": 10,
                        "httpListener": child(group, name, "httpListeners", "l"),
                        "backendAddressPool": child(group, name, "backendAddressPools", "bp"),
                        "backendHttpSettings": child(
                            group, name, "backendHttpSettingsCollection", "hs"
                        ),
                    },
                }
            ],
        },
    }


@pytest.mark.parametrize("v2", [False, True], ids=["v1", "v2"])
def test_what_az_sends_for_a_new_gateway_is_accepted(group: ResourceGroup, v2: bool) -> None:
    outcome = puts.create(group, "gw1", az_body(group, "gw1", v2=v2))
    assert puts.messages(outcome) == []
    assert outcome.changed
    gateway = puts.found(group, "gw1")
    assert gateway.is_v1 is not v2
    document = puts.document_of(gateway)
    listener = puts.item(document, "httpListeners", "appGatewayHttpListener")["properties"]
    assert listener["protocol"] == "Https"
    assert listener["sslCertificate"]["id"].endswith("/sslCertificates/gw1SslCert")
    assert (
        puts.item(document, "frontendPorts", "appGatewayFrontendPort")["properties"]["port"] == 443
    )


def test_what_the_sdk_sends_for_a_new_gateway_is_accepted(group: ResourceGroup) -> None:
    outcome = puts.create(group, "gw2", sdk_body(group, "gw2"))
    assert puts.messages(outcome) == []
    document = puts.document_of(puts.found(group, "gw2"))
    settings = puts.item(document, "backendHttpSettingsCollection", "hs")["properties"]
    assert [one["id"] for one in settings["trustedRootCertificates"]] == [
        f"{document['id']}/trustedRootCertificates/rc"
    ]
    sent = sdk_body(group, "gw2")["properties"]["trustedRootCertificates"][0]["properties"]
    root = puts.item(document, "trustedRootCertificates", "rc")["properties"]
    assert root["data"] == sent["data"]


def test_a_new_gateway_put_again_is_no_change(group: ResourceGroup) -> None:
    body = az_body(group, "gw1", v2=True)
    assert puts.create(group, "gw1", body).changed
    gateway = puts.found(group, "gw1")
    again = puts.put(gateway, body)
    assert puts.messages(again) == []
    assert not again.changed
    back = puts.put(gateway, puts.document_of(gateway))
    assert not back.changed


def test_the_creation_is_recorded_without_secrets(group: ResourceGroup) -> None:
    body = az_body(group, "gw1", v2=True)
    outcome = puts.create(group, "gw1", body, operation="Create gateway")
    assert outcome.activity is not None
    activity = Activity.objects.get(pk=outcome.activity.pk)
    assert activity.status == Activity.Status.SUCCEEDED
    assert activity.operation == "Create gateway"
    assert activity.resource_id == f"{provider(group)}/applicationGateways/gw1"
    for recorded in Activity.objects.values():
        text = json.dumps(recorded, default=str)
        assert "Passw0rd" not in text
        assert body["properties"]["sslCertificates"][0]["properties"]["data"][:60] not in text


def test_the_key_of_a_listener_is_stored_apart_and_encrypted(group: ResourceGroup) -> None:
    puts.create(group, "gw1", az_body(group, "gw1", v2=True))
    row = SslCertificate.objects.get(name="gw1SslCert")
    assert b"PRIVATE KEY" in SslCertificateKey.objects.get(owner=row).pem
    assert row.parts.count() == 1 + len(make.leaf().chain)


def test_a_wrong_password_is_refused_with_the_code_of_the_cloud(group: ResourceGroup) -> None:
    body = az_body(group, "gw1", v2=True)
    body["properties"]["sslCertificates"][0]["properties"]["password"] = "Wr0ngPass"
    outcome = puts.create(group, "gw1", body)
    (problem,) = outcome.errors
    assert problem.id == "pfx-password-wrong"
    assert problem.arm_code == "ApplicationGatewaySslCertificatePasswordIncorrect"
    assert (problem.target.collection, problem.target.name, problem.target.field) == (
        "sslCertificates",
        "gw1SslCert",
        "data",
    )
    assert not ApplicationGateway.objects.exists()
    activity = Activity.objects.get()
    assert activity.status == Activity.Status.FAILED
    assert activity.problems == ["pfx-password-wrong"]
    assert "Wr0ngPass" not in json.dumps(Activity.objects.values().get(), default=str)


@pytest.mark.parametrize(
    ("collection", "code"),
    [
        ("sslCertificates", "ApplicationGatewaySslCertificateInvalidData"),
        ("trustedRootCertificates", "ApplicationGatewayTrustedRootCertificateInvalidData"),
        ("trustedClientCertificates", "ApplicationGatewayTrustedClientCertificateInvalidData"),
    ],
)
def test_a_file_that_is_no_certificate_is_refused(
    group: ResourceGroup, collection: str, code: str
) -> None:
    body = sdk_body(group, "gw2")
    data = base64.b64encode(b"not a certificate at all").decode()
    body["properties"].setdefault(collection, []).append(
        {"name": "bad", "properties": {"data": data}}
    )
    outcome = puts.create(group, "gw2", body)
    assert [(one.target.collection, one.target.name) for one in outcome.errors] == [
        (collection, "bad")
    ]
    assert outcome.errors[0].arm_code == code


def test_a_new_gateway_needs_a_location(group: ResourceGroup) -> None:
    body = sdk_body(group, "gw2")
    del body["location"]
    (problem,) = puts.create(group, "gw2", body).errors
    assert (problem.id, problem.arm_code) == ("location-missing", "LocationRequired")


def test_an_entity_tag_of_nothing_is_a_conflict(group: ResourceGroup) -> None:
    outcome = puts.create(group, "gw2", sdk_body(group, "gw2"), etag="something")
    assert outcome.conflict
    assert not ApplicationGateway.objects.exists()


@pytest.mark.parametrize(
    "name", ["", "-gw", "gw.", "a b", "gw\x00", "é", "x" * 81, "a/b", "\ud800"]
)
def test_a_bad_name_is_refused_before_it_reaches_the_database(
    group: ResourceGroup, name: str
) -> None:
    outcome = puts.create(group, name, sdk_body(group, "gw2"))
    assert outcome.errors
    assert not ApplicationGateway.objects.exists()


def test_a_document_full_of_errors_creates_nothing(group: ResourceGroup) -> None:
    body = sdk_body(group, "gw2")
    body["properties"]["colour"] = 1
    body["properties"]["frontendPorts"][0]["properties"]["port"] = "x"
    assert [problem.id for problem in puts.create(group, "gw2", body).errors] == [
        "member-unknown",
        "member-type-wrong",
    ]
    assert not ApplicationGateway.objects.exists()


def test_a_reader_creates_nothing_and_opens_no_file(
    group: ResourceGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(put, "open_uploads", fail)
    user = make.make_user()
    make.grant(group.subscription, user, make.Role.READER)
    outcome = put_gateway(Caller(user), group, "gw1", az_body(group, "gw1", v2=True), now=make.NOW)
    assert [problem.id for problem in outcome.errors] == ["access-denied"]
    assert not ApplicationGateway.objects.exists()


def test_two_creations_at_once_end_as_one_gateway(
    group: ResourceGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = sdk_body(group, "gw2")
    assert puts.create(group, "gw2", body).changed
    look, seen = put._find, []

    def late(where: ResourceGroup, name: str) -> ApplicationGateway | None:
        # The first look comes before the other creation was committed.
        seen.append(name)
        return None if len(seen) == 1 else look(where, name)

    monkeypatch.setattr(put, "_find", late)
    body["tags"] = {"second": "yes"}
    outcome = puts.create(group, "gw2", body)
    assert puts.messages(outcome) == []
    assert puts.found(group, "gw2").tags == {"second": "yes"}
    assert ApplicationGateway.objects.count() == 1


def test_the_name_of_the_address_counts_and_the_case_of_the_first_put_stays(
    group: ResourceGroup,
) -> None:
    puts.create(group, "Gw2", sdk_body(group, "Gw2"))
    outcome = puts.create(group, "gW2", sdk_body(group, "gw2"))
    assert puts.messages(outcome) == []
    assert ApplicationGateway.objects.get().name == "Gw2"


# -- Other resources ---------------------------------------------------------------------------


def test_ids_of_other_resources_are_found_whatever_their_case(group: ResourceGroup) -> None:
    body = sdk_body(group, "gw2")
    gip = body["properties"]["gatewayIPConfigurations"][0]["properties"]["subnet"]
    gip["id"] = gip["id"].upper()
    assert puts.messages(puts.create(group, "gw2", body)) == []


def test_a_subnet_that_does_not_exist_is_named(group: ResourceGroup) -> None:
    body = sdk_body(group, "gw2")
    gip = body["properties"]["gatewayIPConfigurations"][0]["properties"]
    gip["subnet"] = {"id": subnet(group)["id"] + "x"}
    (problem,) = puts.create(group, "gw2", body).errors
    assert problem.arm_code == "InvalidResourceReference"
    assert subnet(group)["id"] + "x" in problem.message
    assert "does not exist" in problem.message
    assert (problem.target.name, problem.target.field) == ("gip", "subnet")


def test_resources_of_another_subscription_are_out_of_reach(group: ResourceGroup) -> None:
    other = make.make_group(name="rg1")
    make.make_network(other, "vnet1")
    make.make_public_address(other, "pip2")
    body = sdk_body(group, "gw2")
    body["properties"]["frontendIPConfigurations"][0]["properties"]["publicIPAddress"] = address(
        other, "pip2"
    )
    (problem,) = puts.create(group, "gw2", body).errors
    assert problem.id == "reference-missing"
    assert "is not in the subscription" in problem.message


def test_a_public_address_belongs_to_one_gateway(group: ResourceGroup) -> None:
    assert puts.create(group, "gw2", sdk_body(group, "gw2")).changed
    outcome = puts.create(group, "gw3", sdk_body(group, "gw3"))
    (problem,) = outcome.errors
    assert problem.id == "public-ip-taken"
    assert "“gw2”" in problem.message
    assert (problem.target.name, problem.target.field) == ("fip", "public_ip_address")
