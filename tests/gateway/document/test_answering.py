"""What GET answers for rows."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import pkcs7

from certificates.x509.issuing import issue
from gateway.document import gateway_document, snapshot
from gateway.models import (
    AuthenticationCertificate,
    BackendHttpSettings,
    FrontendPort,
    HttpListener,
    SslCertificate,
    TrustedRootCertificate,
)
from tests import factories as make
from tests.gateway.document import gateways

pytestmark = pytest.mark.django_db

V1_ORDER = [
    "gatewayIPConfigurations",
    "sslCertificates",
    "authenticationCertificates",
    "frontendIPConfigurations",
    "frontendPorts",
    "backendAddressPools",
    "backendHttpSettingsCollection",
    "httpListeners",
    "urlPathMaps",
    "requestRoutingRules",
    "probes",
    "rewriteRuleSets",
    "redirectConfigurations",
]


def answered(gateway: Any) -> dict[str, Any]:
    return gateway_document(make.loaded(gateway))


def child(document: dict[str, Any], collection: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in document["properties"][collection] if one["name"] == name]
    return found


def test_the_collections_of_v1_come_in_the_order_of_the_cloud_even_when_empty() -> None:
    properties = answered(make.v1_gateway())["properties"]
    assert [name for name in properties if name in V1_ORDER] == V1_ORDER
    assert properties["urlPathMaps"] == []
    assert "trustedRootCertificates" not in properties
    assert "sslProfiles" not in properties


def test_v2_has_roots_clients_and_profiles_in_place_of_the_allow_list() -> None:
    properties = answered(make.v2_gateway())["properties"]
    assert "authenticationCertificates" not in properties
    for name in (
        "trustedRootCertificates",
        "trustedClientCertificates",
        "sslProfiles",
        "loadDistributionPolicies",
        "privateLinkConfigurations",
        "privateEndpointConnections",
    ):
        assert properties[name] == []


def test_the_gateway_itself_is_answered_with_its_read_only_members() -> None:
    gateway = gateways.rich_v2()
    document = answered(gateway)
    assert document["name"] == "myAppGateway"
    assert document["id"] == gateway.arm_id
    assert document["etag"] == gateway.etag
    assert document["type"] == "Microsoft.Network/applicationGateways"
    assert document["location"] == "westus"
    assert document["tags"] == {"env": "test"}
    assert document["zones"] == ["1", "2"]
    properties = document["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["operationalState"] == "Running"
    assert properties["resourceGuid"] == str(gateway.resource_guid)
    assert properties["sku"] == {"name": "Standard_v2", "tier": "Standard_v2"}
    assert properties["autoscaleConfiguration"] == {"minCapacity": 1, "maxCapacity": 5}
    assert properties["enableHttp2"] is True
    assert properties["sslPolicy"] == {
        "policyType": "Predefined",
        "policyName": "AppGwSslPolicy20220101",
    }
    assert properties["defaultPredefinedSslPolicy"] == "AppGwSslPolicy20220101"
    assert [one["statusCode"] for one in properties["customErrorConfigurations"]] == [
        "HttpStatus403"
    ]


def test_every_child_carries_id_name_etag_type_and_state() -> None:
    gateway = gateways.rich_v2()
    document = answered(gateway)
    for collection, items in document["properties"].items():
        if not isinstance(items, list) or collection == "customErrorConfigurations":
            continue
        for item in items:
            assert item["id"] == f"{gateway.arm_id}/{collection}/{item['name']}"
            assert item["etag"] == gateway.etag
            assert item["type"] == f"Microsoft.Network/applicationGateways/{collection}"
            assert item["properties"]["provisioningState"] == "Succeeded"


def test_a_listener_is_answered_with_references_and_filled_defaults() -> None:
    gateway = gateways.rich_v2()
    document = answered(gateway)
    basic = child(document, "httpListeners", make.LISTENER)["properties"]
    assert basic["hostNames"] == []
    assert basic["requireServerNameIndication"] is False
    assert "hostName" not in basic
    secure = child(document, "httpListeners", "secure")["properties"]
    assert secure["protocol"] == "Https"
    assert secure["hostNames"] == ["www.contoso.com", "*.contoso.org"]
    assert secure["sslCertificate"] == {"id": f"{gateway.arm_id}/sslCertificates/site"}
    assert secure["sslProfile"] == {"id": f"{gateway.arm_id}/sslProfiles/strict"}
    assert secure["frontendPort"] == {"id": f"{gateway.arm_id}/frontendPorts/port443"}
    assert secure["customErrorConfigurations"] == [
        {
            "statusCode": "HttpStatus502",
            "customErrorPageUrl": "https://pages.contoso.com/502.htm",
        }
    ]


def test_settings_and_probe_are_answered_with_all_their_members() -> None:
    gateway = gateways.rich_v2()
    document = answered(gateway)
    tls = child(document, "backendHttpSettingsCollection", "tls")["properties"]
    assert tls["port"] == 443
    assert tls["requestTimeout"] == 30
    assert tls["connectionDraining"] == {"enabled": True, "drainTimeoutInSec": 60}
    assert tls["trustedRootCertificates"] == [
        {"id": f"{gateway.arm_id}/trustedRootCertificates/root1"}
    ]
    assert tls["probe"] == {"id": f"{gateway.arm_id}/probes/deep"}
    assert tls["pickHostNameFromBackendAddress"] is False
    assert tls["validateSNI"] is True
    probe = child(document, "probes", "deep")["properties"]
    assert probe["match"] == {"body": "fine", "statusCodes": ["200-399", "418"]}
    assert probe["port"] == 8443
    assert probe["unhealthyThreshold"] == 3


def test_pools_answer_their_targets_in_order() -> None:
    document = answered(gateways.rich_v2())
    pool = child(document, "backendAddressPools", "pool2")["properties"]
    assert pool["backendAddresses"] == [
        {"ipAddress": "10.0.1.4"},
        {"fqdn": "backend.contoso.test"},
    ]


def test_path_rules_have_ids_below_their_map() -> None:
    gateway = gateways.rich_v2()
    found = child(answered(gateway), "urlPathMaps", "sites")
    images, old = found["properties"]["pathRules"]
    assert images["id"] == f"{gateway.arm_id}/urlPathMaps/sites/pathRules/images"
    assert images["type"] == "Microsoft.Network/applicationGateways/urlPathMaps/pathRules"
    assert images["properties"]["paths"] == ["/images/*"]
    assert old["properties"]["redirectConfiguration"] == {
        "id": f"{gateway.arm_id}/redirectConfigurations/up"
    }
    assert found["properties"]["defaultRewriteRuleSet"] == {
        "id": f"{gateway.arm_id}/rewriteRuleSets/headers"
    }


def test_rewrite_rules_keep_their_shape() -> None:
    found = child(answered(gateways.rich_v2()), "rewriteRuleSets", "headers")
    assert found["properties"]["rewriteRules"] == [
        {
            "name": "rewrite0",
            "ruleSequence": 100,
            "actionSet": {
                "requestHeaderConfigurations": [{"headerName": "X-Seen", "headerValue": "yes"}]
            },
        }
    ]


def test_profiles_answer_client_authentication_only_where_it_is_on() -> None:
    gateway = gateways.rich_v2()
    make.add_profile(gateway, "policy-only", ssl_policy_type="Predefined")
    document = answered(gateway)
    strict = child(document, "sslProfiles", "strict")["properties"]
    assert strict["clientAuthConfiguration"] == {"verifyClientCertIssuerDN": True}
    assert strict["trustedClientCertificates"] == [
        {"id": f"{gateway.arm_id}/trustedClientCertificates/clients"}
    ]
    assert (
        "clientAuthConfiguration" not in child(document, "sslProfiles", "policy-only")["properties"]
    )


def test_a_private_frontend_names_subnet_and_address() -> None:
    gateway = make.v2_gateway()
    frontend = gateways.private_frontend(gateway)
    properties = child(answered(gateway), "frontendIPConfigurations", "private")["properties"]
    assert properties["privateIPAddress"] == "10.0.0.10"
    assert properties["privateIPAllocationMethod"] == "Static"
    assert properties["subnet"] == {"id": frontend.subnet.arm_id}
    public = child(answered(gateway), "frontendIPConfigurations", make.FRONTEND_IP)["properties"]
    assert public["privateIPAllocationMethod"] == "Dynamic"
    assert public["publicIPAddress"]["id"].endswith("/publicIPAddresses/myAppGateway-address")


def test_users_are_listed_as_back_references() -> None:
    gateway = gateways.rich_v2()
    document = answered(gateway)

    def ids(collection: str, name: str, users: str) -> list[str]:
        return [
            one["id"].removeprefix(gateway.arm_id + "/")
            for one in child(document, collection, name)["properties"].get(users, [])
        ]

    assert ids("frontendPorts", "port443", "httpListeners") == ["httpListeners/secure"]
    assert ids("frontendIPConfigurations", make.FRONTEND_IP, "httpListeners") == [
        f"httpListeners/{make.LISTENER}",
        "httpListeners/secure",
        "httpListeners/single",
        "httpListeners/paths",
    ]
    assert ids("trustedRootCertificates", "root1", "backendHttpSettings") == [
        "backendHttpSettingsCollection/tls"
    ]
    assert ids("probes", "deep", "backendHttpSettings") == ["backendHttpSettingsCollection/tls"]
    assert ids("sslCertificates", "site", "httpListeners") == ["httpListeners/secure"]
    assert ids("httpListeners", "secure", "requestRoutingRules") == ["requestRoutingRules/secured"]
    assert ids("httpListeners", "single", "redirectConfigurations") == ["redirectConfigurations/up"]
    assert ids("redirectConfigurations", "up", "pathRules") == ["urlPathMaps/sites/pathRules/old"]
    assert ids("backendAddressPools", make.POOL, "urlPathMaps") == ["urlPathMaps/sites"]
    assert ids("trustedClientCertificates", "clients", "sslProfiles") == ["sslProfiles/strict"]
    assert ids("backendAddressPools", "pool2", "pathRules") == []


def test_v1_allow_listed_certificates_know_their_settings() -> None:
    gateway = gateways.rich_v1()
    found = child(answered(gateway), "authenticationCertificates", "backend")["properties"]
    assert found["backendHttpSettings"] == [
        {"id": f"{gateway.arm_id}/backendHttpSettingsCollection/tls"}
    ]


def test_certificate_data_comes_back_as_it_was_sent() -> None:
    gateway = make.v2_gateway()
    pem = make.root().certificate.pem.encode()
    make.change(make.add_root(gateway, "pem"), data=pem)
    make.change(make.add_root(gateway, "der"), data=make.root().certificate.der)
    document = answered(gateway)
    for name, data in (("pem", pem), ("der", make.root().certificate.der)):
        properties = child(document, "trustedRootCertificates", name)["properties"]
        assert base64.b64decode(properties["data"]) == data


def test_a_listener_certificate_shows_its_public_part_only() -> None:
    gateway = gateways.rich_v1()
    document = answered(gateway)
    properties = child(document, "sslCertificates", "site")["properties"]
    assert "data" not in properties
    assert "password" not in properties
    bundle = base64.b64decode(properties["publicCertData"])
    subjects = {one.subject.rfc4514_string() for one in pkcs7.load_der_pkcs7_certificates(bundle)}
    assert "CN=www.contoso.com" in subjects
    assert len(subjects) == 1 + len(make.leaf().chain)


def test_no_private_key_is_in_document_or_snapshot() -> None:
    gateway = gateways.rich_v2()
    loaded = make.loaded(gateway)
    secret = issue.key_pem(make.leaf())
    for text in (json.dumps(gateway_document(loaded)), json.dumps(snapshot(loaded))):
        assert "PRIVATE KEY" not in text
        assert base64.b64encode(secret).decode()[40:80] not in text


def test_the_client_authority_names_the_issuer_of_clients() -> None:
    document = answered(gateways.rich_v2())
    found = child(document, "trustedClientCertificates", "clients")["properties"]
    assert found["clientCertIssuerDN"] == "CN=Contoso Issuing CA"
    text = base64.b64decode(found["validatedCertData"]).decode()
    assert text.count("BEGIN CERTIFICATE") == 2


def test_a_single_root_is_itself_the_issuer_of_clients() -> None:
    gateway = make.v2_gateway()
    make.add_client_authority(gateway, "alone", make.root().certificate)
    found = child(answered(gateway), "trustedClientCertificates", "alone")["properties"]
    assert found["clientCertIssuerDN"] == "CN=Contoso Root CA"


def test_a_key_vault_certificate_shows_its_secret_id_and_no_file() -> None:
    gateway = make.v2_gateway()
    make.add(gateway, SslCertificate, "vaulted", key_vault_secret_id="https://v.test/secrets/a")
    make.add(
        gateway, TrustedRootCertificate, "root", key_vault_secret_id="https://v.test/secrets/b"
    )
    document = answered(gateway)
    properties = child(document, "sslCertificates", "vaulted")["properties"]
    assert properties["keyVaultSecretId"] == "https://v.test/secrets/a"
    assert "publicCertData" not in properties
    assert "data" not in child(document, "trustedRootCertificates", "root")["properties"]


def test_members_that_are_not_modelled_come_back_as_they_were_kept() -> None:
    policy = {"id": "/subscriptions/s/firewall"}
    gateway = make.v2_gateway(
        opaque={
            "identity": {"type": "None"},
            "properties": {
                "firewallPolicy": policy,
                "sku": {"family": "Generation_2"},
                "loadDistributionPolicies": [{"name": "ldp"}],
            },
        }
    )
    make.change(make.find(gateway, HttpListener, make.LISTENER), opaque={"firewallPolicy": policy})
    document = answered(gateway)
    assert document["identity"] == {"type": "None"}
    assert document["properties"]["firewallPolicy"] == policy
    assert document["properties"]["sku"]["family"] == "Generation_2"
    assert document["properties"]["sku"]["capacity"] == 2
    assert document["properties"]["loadDistributionPolicies"] == [{"name": "ldp"}]
    listener = child(document, "httpListeners", make.LISTENER)["properties"]
    assert listener["firewallPolicy"] == policy


def test_what_was_kept_cannot_stand_in_for_what_is_stored() -> None:
    gateway = make.v2_gateway(opaque={"properties": {"enableHttp2": True, "sku": {"capacity": 9}}})
    properties = answered(gateway)["properties"]
    assert properties["enableHttp2"] is False
    assert properties["sku"]["capacity"] == 2


def test_changing_a_document_does_not_change_the_rows() -> None:
    gateway = gateways.rich_v2()
    loaded = make.loaded(gateway)
    document = gateway_document(loaded)
    document["tags"]["new"] = "x"
    child(document, "httpListeners", "secure")["properties"]["hostNames"].append("x")
    child(document, "rewriteRuleSets", "headers")["properties"]["rewriteRules"][0][
        "actionSet"
    ].clear()
    assert gateway_document(loaded) == answered(gateway)


def test_documents_are_json_and_the_same_every_time() -> None:
    gateway = gateways.rich_v2()
    assert json.dumps(answered(gateway)) == json.dumps(answered(gateway))


def test_reading_a_loaded_gateway_needs_no_query(django_assert_num_queries: Any) -> None:
    for gateway in (gateways.rich_v2(), gateways.rich_v1()):
        loaded = make.loaded(gateway)
        with django_assert_num_queries(0):
            gateway_document(loaded)
            snapshot(loaded)


def test_rows_of_the_other_generation_are_shown_rather_than_hidden() -> None:
    gateway = make.v2_gateway()
    make.add_authentication_certificate(gateway, "misplaced")
    properties = answered(gateway)["properties"]
    assert [one["name"] for one in properties["authenticationCertificates"]] == ["misplaced"]


def test_snapshots_hold_kinds_of_targets_and_digests_but_no_ids() -> None:
    gateway = gateways.rich_v2()
    pool = gateway_pool(gateway)
    make.change(pool.addresses.get(ip_address="10.0.1.4"), kind="virtual_machine")
    found = snapshot(make.loaded(gateway))
    assert child(found, "backendAddressPools", "pool2")["properties"]["backendAddresses"] == [
        {"ipAddress": "10.0.1.4", "kind": "virtual_machine"},
        {"fqdn": "backend.contoso.test"},
    ]
    root = child(found, "trustedRootCertificates", "root1")["properties"]
    assert "Contoso Root CA" in root["data"]
    assert len(root["data"]) < 120
    assert "www.contoso.com" in child(found, "sslCertificates", "site")["properties"]["certificate"]
    listener = child(found, "httpListeners", "secure")
    assert set(listener) == {"name", "properties"}
    assert listener["properties"]["frontendPort"] == {"id": "frontendPorts/port443"}
    assert "etag" not in json.dumps(found)


def test_snapshots_differ_where_the_file_differs_though_the_certificate_is_the_same() -> None:
    gateway = make.v1_gateway()
    row = make.add_authentication_certificate(gateway, "backend")
    before = snapshot(make.loaded(gateway))
    make.change(row, data=make.leaf().certificate.der)
    after = snapshot(make.loaded(gateway))
    assert before != after


def gateway_pool(gateway: Any) -> Any:
    from gateway.models import BackendAddressPool

    return make.find(gateway, BackendAddressPool, "pool2")


def test_every_collection_has_a_row_in_the_rich_gateways() -> None:
    v1, v2 = make.loaded(gateways.rich_v1()), make.loaded(gateways.rich_v2())
    for collection, rows in v2.collections.items():
        assert rows or v1.collections[collection], collection
    assert v1.collections[AuthenticationCertificate.collection]
    assert v2.collections[BackendHttpSettings.collection]
    assert v2.collections[FrontendPort.collection]
