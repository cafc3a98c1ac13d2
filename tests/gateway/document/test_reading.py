"""What a document says, as a draft."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gateway.document import ChildDraft, Draft, Reference, read
from gateway.problems import Problem
from tests.gateway.document.gateways import ADDRESS_ID, GATEWAY_ID, SUBNET_ID, minimal


def draft_of(body: Any, *, strict: bool = True) -> Draft:
    return read(body, gateway_id=GATEWAY_ID, strict=strict)


def errors_of(draft: Draft) -> list[str]:
    return [problem.id for problem in draft.problems if problem.is_error]


def only(draft: Draft) -> Problem:
    (problem,) = draft.problems
    return problem


def child(draft: Draft, collection: str, name: str) -> ChildDraft:
    (found,) = [one for one in draft.collections[collection] if one.name == name]
    return found


def wrapped(name: str, **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": properties}


def listener(**properties: Any) -> dict[str, Any]:
    return wrapped("l", **properties)


def reference(collection: str, name: str) -> dict[str, str]:
    return {"id": f"{GATEWAY_ID}/{collection}/{name}"}


def test_a_small_document_is_read_without_a_problem() -> None:
    draft = draft_of(minimal())
    assert draft.problems == []
    assert draft.location == "westus"
    assert draft.tags is None
    assert draft.gateway.values["capacity"] == 1
    found = child(draft, "httpListeners", "l")
    assert found.values["protocol"] == "Http"
    assert found.references["frontend_port"] == Reference("frontendPorts", "p80")
    assert found.references["ssl_certificate"] is None
    rule = child(draft, "requestRoutingRules", "r")
    assert rule.values["priority"] == 10
    address = child(draft, "frontendIPConfigurations", "fip").externals["public_ip_address"]
    assert address is not None
    assert address.text == ADDRESS_ID
    assert address.id.names == ("pip1",)
    subnet = child(draft, "gatewayIPConfigurations", "gip").externals["subnet"]
    assert subnet is not None
    assert subnet.id.names == ("vnet1", "appgw")


def test_what_the_document_leaves_out_gets_the_default_of_the_column() -> None:
    draft = draft_of(minimal(probes=[wrapped("p", host="www.contoso.com")]))
    settings = child(draft, "backendHttpSettingsCollection", "hs")
    assert settings.values["request_timeout"] == 30
    assert settings.values["validate_sni"] is True
    assert settings.values["drain_timeout"] == 1
    assert settings.references["probe"] is None
    assert settings.links == {"authentication_links": [], "root_links": []}
    probe = child(draft, "probes", "p")
    assert (probe.values["path"], probe.values["port"]) == ("/", None)
    assert probe.values["match_status_codes"] == []
    frontend = child(draft, "frontendIPConfigurations", "fip")
    assert frontend.values["private_ip_allocation_method"] == "Dynamic"
    assert frontend.values["private_ip_address"] is None
    assert draft.gateway.values["autoscale_min_capacity"] is None
    assert draft.gateway.values["ssl_policy_type"] == ""


def test_capitals_in_members_and_numbers_as_text_are_taken_as_az_sends_them() -> None:
    body = {
        "Location": "West US",
        "Properties": {
            "SKU": {"Name": "standard_V2", "Tier": "standard_v2", "Capacity": "2"},
            "frontendPorts": [{"Name": "p", "Properties": {"Port": "443"}}],
            "BackendHttpSettingsCollection": [
                wrapped("s", Port="443", Protocol="https", CookieBasedAffinity="disabled")
            ],
            "httpListeners": [
                listener(
                    FrontendIpConfiguration={
                        "Id": f"{GATEWAY_ID.upper()}/FRONTENDIPCONFIGURATIONS/Fip"
                    },
                    Protocol="HTTPS",
                    RequireServerNameIndication="True",
                )
            ],
        },
        "zones": None,
    }
    draft = draft_of(body)
    assert draft.problems == []
    assert draft.location == "westus"
    assert draft.gateway.values["sku_name"] == "Standard_v2"
    assert draft.gateway.values["capacity"] == 2
    assert draft.gateway.values["zones"] == []
    assert child(draft, "frontendPorts", "p").values["port"] == 443
    settings = child(draft, "backendHttpSettingsCollection", "s").values
    assert (settings["protocol"], settings["cookie_based_affinity"]) == ("Https", "Disabled")
    found = child(draft, "httpListeners", "l")
    assert found.values["protocol"] == "Https"
    assert found.values["require_server_name_indication"] is True
    assert found.references["frontend_ip_configuration"] == Reference(
        "frontendIPConfigurations", "Fip"
    )


def test_nulls_are_as_good_as_absent() -> None:
    body = minimal(
        sslPolicy=None,
        autoscaleConfiguration=None,
        probes=None,
        httpListeners=[listener(hostName=None, sslCertificate=None, sslProfile={"id": None})],
    )
    draft = draft_of(body)
    assert draft.problems == []
    assert child(draft, "httpListeners", "l").references["ssl_profile"] is None


def test_read_only_members_are_passed_over_even_when_strict() -> None:
    body = minimal(
        provisioningState="Failed",
        operationalState=7,
        resourceGuid="x",
        defaultPredefinedSslPolicy="AppGwSslPolicy20150501",
        privateEndpointConnections=[],
        frontendPorts=[
            {
                "name": "p80",
                "id": "anything",
                "etag": "x",
                "type": "y",
                "properties": {
                    "port": 80,
                    "provisioningState": "Updating",
                    "httpListeners": [reference("httpListeners", "l")],
                },
            }
        ],
        backendAddressPools=[
            wrapped("bp", backendIPConfigurations=[], requestRoutingRules=[], backendAddresses=[])
        ],
    )
    body |= {"id": GATEWAY_ID.upper(), "name": "other", "type": "t", "etag": "e"}
    assert draft_of(body).problems == []


def test_the_tier_follows_from_the_size_where_it_is_not_said() -> None:
    for name, tier in (
        ("Standard_Small", "Standard"),
        ("WAF_Large", "WAF"),
        ("Standard_v2", "Standard_v2"),
        ("Basic", "Basic"),
    ):
        draft = draft_of(minimal(sku={"name": name}))
        assert draft.gateway.values["sku_tier"] == tier


def test_files_are_decoded_and_passwords_kept_out_of_sight() -> None:
    data = base64.b64encode(b"the file").decode()
    body = minimal(
        sslCertificates=[wrapped("s", data=data[:4] + "\n" + data[4:], password="p4ssw0rd")],
        trustedRootCertificates=[wrapped("r", data=data)],
    )
    draft = draft_of(body)
    upload = child(draft, "sslCertificates", "s").upload
    assert (upload.data, upload.password) == (b"the file", "p4ssw0rd")
    assert child(draft, "trustedRootCertificates", "r").upload.data == b"the file"
    assert "p4ssw0rd" not in repr(draft)
    assert "the file" not in repr(draft)


def test_an_empty_password_is_a_password_and_absent_data_is_no_file() -> None:
    body = minimal(sslCertificates=[wrapped("s", data="", password=""), wrapped("t")])
    draft = draft_of(body)
    assert draft.problems == []
    assert child(draft, "sslCertificates", "s").upload.password == ""
    assert child(draft, "sslCertificates", "t").upload.password is None
    assert child(draft, "sslCertificates", "t").upload.data is None


def test_lists_of_references_keep_their_order_and_lose_doubles() -> None:
    body = minimal(
        backendHttpSettingsCollection=[
            wrapped(
                "s",
                port=443,
                trustedRootCertificates=[
                    reference("trustedRootCertificates", "b"),
                    reference("trustedRootCertificates", "a"),
                    reference("trustedRootCertificates", "B"),
                ],
            )
        ]
    )
    links = child(draft_of(body), "backendHttpSettingsCollection", "s").links["root_links"]
    assert [link.name for link in links] == ["b", "a"]


def test_nested_lists_become_items() -> None:
    body = minimal(
        urlPathMaps=[
            wrapped(
                "m",
                pathRules=[
                    wrapped(
                        "images",
                        paths=["/images/*"],
                        backendAddressPool=reference("backendAddressPools", "bp"),
                    )
                ],
            )
        ],
        rewriteRuleSets=[
            {"name": "empty"},
            wrapped(
                "rw",
                rewriteRules=[
                    {
                        "name": "one",
                        "ruleSequence": "100",
                        "conditions": [
                            {"Variable": "http_req_Host", "pattern": "x", "ignoreCase": "true"}
                        ],
                        "actionSet": {
                            "responseHeaderConfigurations": [{"HeaderName": "A", "headerValue": ""}]
                        },
                    }
                ],
            ),
        ],
        customErrorConfigurations=[
            {"statusCode": "httpstatus403", "customErrorPageUrl": "https://x.test/403.html"}
        ],
    )
    draft = draft_of(body)
    assert draft.problems == []
    (path_rule,) = child(draft, "urlPathMaps", "m").items["path_rules"]
    assert path_rule.values["paths"] == ["/images/*"]
    assert path_rule.references["backend_address_pool"] == Reference("backendAddressPools", "bp")
    (rule,) = child(draft, "rewriteRuleSets", "rw").items["rules"]
    assert rule.values == {
        "rule_sequence": 100,
        "conditions": [{"variable": "http_req_Host", "pattern": "x", "ignoreCase": True}],
        "action_set": {"responseHeaderConfigurations": [{"headerName": "A", "headerValue": ""}]},
    }
    assert child(draft, "rewriteRuleSets", "empty").items == {"rules": []}
    (error,) = draft.gateway.items["custom_errors"]
    assert error.values["status_code"] == "HttpStatus403"


def test_client_authentication_is_on_where_its_object_is_given() -> None:
    body = minimal(
        sslProfiles=[
            wrapped("off"),
            wrapped("on", clientAuthConfiguration={}),
            wrapped("dn", clientAuthConfiguration={"verifyClientCertIssuerDN": True}),
        ]
    )
    draft = draft_of(body)
    values = {one.name: one.values for one in draft.collections["sslProfiles"]}
    assert [values[name]["has_client_auth"] for name in ("off", "on", "dn")] == [False, True, True]
    assert values["dn"]["verify_client_cert_issuer_dn"] is True


def test_tls_policy_values_get_their_usual_spelling_and_unknown_ones_pass() -> None:
    policy = {
        "policyType": "custom",
        "minProtocolVersion": "tlsv1_2",
        "cipherSuites": ["tls_rsa_with_aes_128_cbc_sha", "TLS_NEW"],
        "policyName": "AppGwSslPolicy20990101",
    }
    values = draft_of(minimal(sslPolicy=policy)).gateway.values
    assert values["ssl_policy_type"] == "Custom"
    assert values["ssl_min_protocol_version"] == "TLSv1_2"
    assert values["ssl_cipher_suites"] == ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_NEW"]
    assert values["ssl_policy_name"] == "AppGwSslPolicy20990101"


def test_members_that_are_not_modelled_are_kept_with_a_warning() -> None:
    policy = {"id": "/subscriptions/s/x"}
    body = minimal(
        sku={"name": "WAF_v2", "tier": "WAF_v2", "capacity": 1, "family": "Generation_2"},
        WebApplicationFirewallConfiguration={"enabled": True},
        loadDistributionPolicies=[],
        forceFirewallPolicyAssociation=False,
        httpListeners=[listener(firewallPolicy=policy)],
    )
    body["identity"] = {"type": "None"}
    draft = draft_of(body)
    assert errors_of(draft) == []
    assert draft.gateway.opaque == {
        "identity": {"type": "None"},
        "properties": {
            "sku": {"family": "Generation_2"},
            "webApplicationFirewallConfiguration": {"enabled": True},
            "forceFirewallPolicyAssociation": False,
        },
    }
    assert child(draft, "httpListeners", "l").opaque == {"firewallPolicy": policy}
    assert {problem.id for problem in draft.problems} == {"member-not-acted-on"}
    assert len(draft.problems) == 3


def test_tags_are_texts_and_nulls_are_empty() -> None:
    body = minimal() | {"tags": {"env": "test", "empty": None}}
    draft = draft_of(body)
    assert draft.problems == []
    assert draft.tags == {"env": "test", "empty": ""}


# -- Imports -----------------------------------------------------------------------------------


def flattened() -> dict[str, Any]:
    """A gateway as ``az network application-gateway show`` prints it."""
    other = GATEWAY_ID.replace("gw1", "elsewhere").replace("rg1", "RG")
    return {
        "id": other,
        "name": "elsewhere",
        "location": "westeurope",
        "resourceGroup": "RG",
        "sku": {"name": "Standard_v2", "tier": "Standard_v2", "family": "Generation_2"},
        "frontendPorts": [
            {"name": "p", "id": f"{other}/frontendPorts/p", "port": 80, "resourceGroup": "RG"}
        ],
        "httpListeners": [
            {
                "name": "l",
                "protocol": "Http",
                "frontendPort": {"id": f"{other}/frontendPorts/p", "resourceGroup": "RG"},
                "somethingNew": 1,
            }
        ],
        "tags": {"a": "b"},
    }


def test_an_import_takes_the_output_of_az_and_the_id_of_the_original() -> None:
    draft = draft_of(flattened(), strict=False)
    assert [problem.id for problem in draft.problems] == ["member-passed-over"]
    assert "httpListeners[0].somethingNew" in draft.problems[0].message
    assert child(draft, "frontendPorts", "p").values["port"] == 80
    assert child(draft, "httpListeners", "l").references["frontend_port"] == Reference(
        "frontendPorts", "p"
    )
    assert draft.gateway.values["sku_name"] == "Standard_v2"
    assert draft.tags == {"a": "b"}


def test_a_put_does_not_take_the_output_of_az() -> None:
    found = errors_of(draft_of(flattened()))
    assert {"id-mismatch", "member-unknown", "member-missing"} <= set(found)


# -- Problems ----------------------------------------------------------------------------------

TOO_DEEP: Any = "x"
for _ in range(30):
    TOO_DEEP = [TOO_DEEP]

# kind → (document, words of the message)
WRONG: dict[str, list[tuple[Any, str]]] = {
    "document-too-large": [
        (minimal(firewallPolicy=TOO_DEEP), "deeper"),
        (minimal(frontendPorts=[{}] * 5000), "5000 items"),
        (minimal(firewallPolicy={"id": "x" * 300_000}), "properties.firewallPolicy.id"),
        (minimal(listeners=[[0] * 1000] * 150), "values"),
    ],
    "text-unstorable": [
        (minimal(firewallPolicy={"id": "a\x00b"}), "properties.firewallPolicy.id"),
        (minimal(firewallPolicy={"id": "\ud800"}), "properties.firewallPolicy.id"),
        (minimal(firewallPolicy={"a\x00": 1}), "properties.firewallPolicy"),
        (minimal(reservedCapacity=float("nan")), "not finite"),
        (minimal(reservedCapacity=10**40), "too large"),
        (minimal(reservedCapacity=b"bytes"), "no JSON"),
        ({1: 2}, "The document"),
    ],
    "member-type-wrong": [
        ([], "an object"),
        (None, "an object"),
        ({"properties": 1, "location": "westus"}, "properties must be"),
        (minimal(frontendPorts={}), "properties.frontendPorts must be a list"),
        (minimal(frontendPorts=[7]), "properties.frontendPorts[0] must be an object"),
        (minimal(frontendPorts=[{"name": "p", "properties": 1}]), "frontendPorts[0].properties"),
        (minimal(frontendPorts=[wrapped("p", port="x")]), "whole number"),
        (minimal(frontendPorts=[wrapped("p", port=-1)]), "not below 0"),
        (minimal(frontendPorts=[wrapped("p", port=True)]), "whole number"),
        (minimal(frontendPorts=[wrapped("p", port=1.5)]), "whole number"),
        (minimal(enableHttp2=1), "true or false"),
        (minimal(sslPolicy="x"), "an object"),
        (minimal(sku=3), "properties.sku must be an object"),
        (minimal(httpListeners=[listener(hostName=7)]), "properties.hostName must be a text"),
        (minimal(httpListeners=[listener(hostNames="a.test")]), "a list of texts"),
        (minimal(httpListeners=[listener(hostNames=[1])]), "a list of texts"),
        (minimal(httpListeners=[listener(protocol=[])]), "must be a text"),
        (minimal(httpListeners=[listener(frontendPort="x")]), 'an object with an "id"'),
        (minimal(httpListeners=[listener(frontendPort={"id": 7})]), 'an object with an "id"'),
        (
            minimal(
                backendHttpSettingsCollection=[wrapped("s", port=1, trustedRootCertificates="x")]
            ),
            "a list of references",
        ),
        (minimal(rewriteRuleSets=[wrapped("r", rewriteRules="x")]), "must be a list"),
        (
            minimal(
                rewriteRuleSets=[wrapped("r", rewriteRules=[{"name": "a", "conditions": "x"}])]
            ),
            "a list of objects",
        ),
        (
            minimal(
                rewriteRuleSets=[wrapped("r", rewriteRules=[{"name": "a", "conditions": [1]}])]
            ),
            "conditions[0] must be an object",
        ),
        (
            minimal(rewriteRuleSets=[wrapped("r", rewriteRules=[{"name": "a", "actionSet": 1}])]),
            "actionSet must be an object",
        ),
        (minimal(sslCertificates=[wrapped("s", data=7)]), "in Base-64"),
        (minimal(sslCertificates=[wrapped("s", password=7)]), "password must be a text"),
        (minimal() | {"tags": []}, "tags must be"),
        (minimal() | {"tags": {"a": 1}}, "tags.a must be a text"),
        (minimal() | {"zones": "1"}, "zones must be a list"),
    ],
    "member-unknown": [
        (minimal(colour="red"), "properties.colour"),
        (minimal(frontendPorts=[wrapped("p", port=1, colour=1)]), "[0].properties.colour"),
        (minimal(frontendPorts=[{"name": "p", "properties": {"port": 1}, "x": 1}]), "[0].x"),
        (minimal() | {"colour": "red"}, "colour"),
        (minimal(sslPolicy={"colour": 1}), "properties.sslPolicy.colour"),
        (
            minimal(backendAddressPools=[wrapped("b", backendAddresses=[{"colour": 1}])]),
            "backendAddresses[0].colour",
        ),
    ],
    "member-duplicate": [
        (minimal(frontendPorts=[wrapped("p", port=1, Port=2)]), "Port is given twice"),
    ],
    "member-missing": [
        ({"location": "westus"}, "properties is missing"),
        (minimal(sku=None), "properties.sku is missing"),
        (minimal(sku={"tier": "Standard"}), "properties.sku.name"),
        (minimal(frontendPorts=[wrapped("p")]), "properties.port is missing"),
        (minimal(frontendPorts=[{"name": "p"}]), "properties.port is missing"),
        (minimal(backendHttpSettingsCollection=[wrapped("s")]), "properties.port is missing"),
        (minimal(autoscaleConfiguration={}), "autoscaleConfiguration.minCapacity"),
        (minimal(customErrorConfigurations=[{}]), "statusCode is missing"),
    ],
    "value-not-known": [
        (minimal(httpListeners=[listener(protocol="Tcp")]), "it can be Http, Https"),
        (minimal(sku={"name": "Huge"}), "“Huge”"),
        (minimal(sslPolicy={"policyType": "Wild"}), "Predefined, Custom, CustomV2"),
    ],
    "item-name-missing": [
        (minimal(frontendPorts=[{"properties": {"port": 1}}]), "frontendPorts[0] has no name"),
        (minimal(frontendPorts=[{"name": 7, "properties": {"port": 1}}]), "has no name"),
        (minimal(frontendPorts=[{"name": "", "properties": {"port": 1}}]), "has no name"),
    ],
    "item-name-duplicate": [
        (minimal(frontendPorts=[wrapped("p", port=1), wrapped("P", port=2)]), "named “P”"),
        (
            minimal(urlPathMaps=[wrapped("m", pathRules=[wrapped("a", paths=[]), wrapped("A")])]),
            "pathRules[1]",
        ),
    ],
    "reference-malformed": [
        (minimal(httpListeners=[listener(frontendPort={"id": "p80"})]), "frontendPorts"),
        (
            minimal(httpListeners=[listener(frontendPort=reference("probes", "p"))]),
            "frontendPorts",
        ),
        (
            minimal(httpListeners=[listener(frontendPort=reference("frontendPorts", ""))]),
            "frontendPorts",
        ),
        (
            minimal(gatewayIPConfigurations=[wrapped("g", subnet={"id": ADDRESS_ID})]),
            "virtualNetworks/subnets",
        ),
        (
            minimal(frontendIPConfigurations=[wrapped("g", publicIPAddress={"id": "nope"})]),
            "publicIPAddresses",
        ),
    ],
    "reference-missing": [
        (
            minimal(
                httpListeners=[
                    listener(
                        frontendPort={"id": GATEWAY_ID.replace("gw1", "gw2") + "/frontendPorts/p80"}
                    )
                ]
            ),
            "another gateway",
        ),
    ],
    "data-not-base64": [
        (minimal(sslCertificates=[wrapped("s", data="§§§")]), "sslCertificates[0]"),
        (
            minimal(trustedRootCertificates=[wrapped("r", data="-----BEGIN CERTIFICATE-----")]),
            "encoded once more",
        ),
    ],
    "id-mismatch": [
        (minimal() | {"id": GATEWAY_ID.replace("gw1", "gw2")}, "gw2"),
        (minimal() | {"id": SUBNET_ID}, "not the id"),
        (minimal() | {"id": 7}, "not the id"),
    ],
    "location-unknown": [
        (minimal() | {"location": "West/US"}, "location"),
        (minimal() | {"location": 7}, "location"),
    ],
    "tags-invalid": [
        (minimal() | {"tags": {str(number): "x" for number in range(51)}}, "51 tags"),
        (minimal() | {"tags": {"a<b": "x"}}, "a<b"),
        (minimal() | {"tags": {"": "x"}}, "cannot be used"),
        (minimal() | {"tags": {"a": "x" * 257}}, "cannot be used"),
        (minimal() | {"tags": {"a": "x", "A": "y"}}, "given twice"),
    ],
}


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [(kind, body, words) for kind, rows in WRONG.items() for body, words in rows],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)
def test_what_is_wrong_is_said_with_its_place(kind: str, body: Any, words: str) -> None:
    draft = draft_of(body)
    found = [problem for problem in draft.problems if problem.id == kind]
    assert found, [(problem.id, problem.message) for problem in draft.problems]
    assert any(words in problem.message for problem in found), found


def test_problems_point_to_the_child_and_the_column() -> None:
    draft = draft_of(minimal(frontendPorts=[wrapped("p80", port="x")]))
    target = only(draft).target
    assert (target.collection, target.name, target.field) == ("frontendPorts", "p80", "port")
    assert only(draft).arm_code == "InvalidRequestFormat"


def test_problems_of_items_point_to_their_owner() -> None:
    body = minimal(
        backendAddressPools=[wrapped("bp", backendAddresses=[{"fqdn": 7}])],
        urlPathMaps=[wrapped("m", pathRules=[wrapped("r", paths=7)])],
    )
    pool, path_rule = draft_of(body).problems
    assert (pool.target.name, pool.target.field) == ("bp", "addresses")
    assert (path_rule.target.collection, path_rule.target.name) == ("pathRules", "m/r")


def test_a_missing_port_has_the_code_of_its_collection() -> None:
    body = minimal(frontendPorts=[wrapped("p80")], backendHttpSettingsCollection=[wrapped("hs")])
    assert {problem.arm_code for problem in draft_of(body).problems} == {
        "ApplicationGatewayFrontendPortInvalidPortNumber",
        "ApplicationGatewayBackendHttpSettingsPortIsInvalid",
    }


def test_secrets_never_stand_in_a_message() -> None:
    body = minimal(
        sslCertificates=[
            wrapped("a", data="!secret-data!", password="s3cret"),
            wrapped("b", data="", password=["s3cret"]),
        ]
    )
    for problem in draft_of(body).problems:
        assert "s3cret" not in problem.message
        assert "secret-data" not in problem.message


def test_the_number_of_problems_is_bounded() -> None:
    body = minimal(**{f"unknown{number}": 1 for number in range(5000)})
    assert len(draft_of(body).problems) == 100
