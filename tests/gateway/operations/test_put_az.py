"""What ``az`` adds to a gateway's document, command by command: all of it is accepted."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from certificates.x509.issuing import issue
from gateway.models import ApplicationGateway
from tests import factories as make
from tests.gateway.operations import puts

pytestmark = pytest.mark.django_db


def ref(gateway: ApplicationGateway, collection: str, name: str) -> dict[str, str]:
    return {"id": f"{gateway.arm_id}/{collection}/{name}"}


def az(gateway: ApplicationGateway, collection: str, item: dict[str, Any]) -> None:
    """GET, add, drop what az drops, PUT: it must be accepted and come back."""
    body = puts.document_of(gateway)
    for member in ("etag", "name", "type"):
        del body[member]
    body["properties"].setdefault(collection, []).append(item)
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    assert outcome.changed
    assert puts.item(puts.document_of(gateway), collection, item["name"])


def pem(certificate: Any) -> str:
    return base64.b64encode(certificate.pem.encode()).decode()


DRAINING = {"drainTimeoutInSec": 1, "enabled": False}


def test_the_commands_for_a_v1_gateway() -> None:
    gateway = make.v1_gateway()
    az(
        gateway,
        "authenticationCertificates",
        {"name": "ac1", "properties": {"data": pem(make.leaf().certificate)}},
    )
    az(
        gateway,
        "backendHttpSettingsCollection",
        {
            "name": "hs443",
            "properties": {
                "authenticationCertificates": [ref(gateway, "authenticationCertificates", "ac1")],
                "connectionDraining": DRAINING,
                "cookieBasedAffinity": "Disabled",
                "port": 443,
                "protocol": "Https",
                "validateCertChainAndExpiry": True,
                "validateSNI": True,
            },
        },
    )
    body = puts.document_of(gateway)
    refused = puts.put(gateway, puts.without(body, "authenticationCertificates", "ac1"))
    assert [problem.arm_code for problem in refused.errors] == ["InvalidResourceReference"]
    body = puts.document_of(gateway)
    puts.without(body, "backendHttpSettingsCollection", "hs443")
    puts.without(body, "authenticationCertificates", "ac1")
    assert puts.messages(puts.put(gateway, body)) == []


def test_the_commands_for_a_v2_gateway() -> None:
    gateway = make.v2_gateway()
    root = pem(make.root().certificate)
    az(gateway, "trustedRootCertificates", {"name": "rc1", "properties": {"data": root}})
    az(
        gateway,
        "backendHttpSettingsCollection",
        {
            "name": "hs443",
            "properties": {
                "connectionDraining": DRAINING,
                "cookieBasedAffinity": "Disabled",
                "hostName": "backend.contoso.test",
                "port": 443,
                "protocol": "Https",
                "trustedRootCertificates": [ref(gateway, "trustedRootCertificates", "rc1")],
                "validateCertChainAndExpiry": True,
                "validateSNI": True,
            },
        },
    )
    data = issue.to_pfx(make.leaf(), "Passw0rd", chain=make.leaf().chain)
    az(
        gateway,
        "sslCertificates",
        {
            "name": "sc2",
            "properties": {"data": base64.b64encode(data).decode(), "password": "Passw0rd"},
        },
    )
    az(gateway, "frontendPorts", {"name": "port8443", "properties": {"port": 8443}})
    az(
        gateway,
        "probes",
        {
            "name": "pr1",
            "properties": {
                "interval": 30,
                "match": {"statusCodes": ["200-399"]},
                "path": "/health",
                "pickHostNameFromBackendHttpSettings": True,
                "protocol": "Https",
                "timeout": 120,
                "unhealthyThreshold": 8,
            },
        },
    )
    az(
        gateway,
        "backendAddressPools",
        {
            "name": "pool2",
            "properties": {
                "backendAddresses": [{"ipAddress": "127.0.0.1"}, {"fqdn": "backend.contoso.test"}]
            },
        },
    )
    az(
        gateway,
        "httpListeners",
        {
            "name": "li2",
            "properties": {
                "frontendIPConfiguration": ref(
                    gateway, "frontendIPConfigurations", make.FRONTEND_IP
                ),
                "frontendPort": ref(gateway, "frontendPorts", "port8443"),
                "hostName": "www.contoso.test",
                "protocol": "Https",
                "requireServerNameIndication": True,
                "sslCertificate": ref(gateway, "sslCertificates", "sc2"),
            },
        },
    )
    az(
        gateway,
        "requestRoutingRules",
        {
            "name": "rule2",
            "properties": {
                "backendAddressPool": ref(gateway, "backendAddressPools", "pool2"),
                "backendHttpSettings": ref(gateway, "backendHttpSettingsCollection", "hs443"),
                "httpListener": ref(gateway, "httpListeners", "li2"),
                "priority": 200,
                "ruleType": "Basic",
            },
        },
    )
    az(gateway, "trustedClientCertificates", {"name": "cc1", "properties": {"data": root}})
    az(
        gateway,
        "sslProfiles",
        {
            "name": "sp1",
            "properties": {
                "clientAuthConfiguration": {"verifyClientCertIssuerDN": True},
                "sslPolicy": {
                    "policyName": "AppGwSslPolicy20220101",
                    "policyType": "Predefined",
                },
                "trustedClientCertificates": [ref(gateway, "trustedClientCertificates", "cc1")],
            },
        },
    )
    az(
        gateway,
        "redirectConfigurations",
        {
            "name": "rd1",
            "properties": {
                "redirectType": "Permanent",
                "targetListener": ref(gateway, "httpListeners", "li2"),
            },
        },
    )
    az(gateway, "rewriteRuleSets", {"name": "rws1"})
    pool = ref(gateway, "backendAddressPools", "pool2")
    settings = ref(gateway, "backendHttpSettingsCollection", "hs443")
    az(
        gateway,
        "urlPathMaps",
        {
            "name": "um1",
            "properties": {
                "defaultBackendAddressPool": pool,
                "defaultBackendHttpSettings": settings,
                "pathRules": [
                    {
                        "name": "r1",
                        "properties": {
                            "backendAddressPool": pool,
                            "backendHttpSettings": settings,
                            "paths": ["/img/*"],
                        },
                    }
                ],
            },
        },
    )
    update(gateway)


def update(gateway: ApplicationGateway) -> None:
    """``update --set``, ``--http2``, ``--capacity``, ``--remove`` and ``resource tag``."""
    body = puts.document_of(gateway)
    body["tags"]["env"] = "test"
    body["properties"]["enableHttp2"] = True
    body["properties"]["sku"]["capacity"] = 3
    settings = puts.item(body, "backendHttpSettingsCollection", "hs443")["properties"]
    settings["trustedRootCertificates"] = []
    settings["probe"] = ref(gateway, "probes", "pr1")
    puts.without(body, "trustedRootCertificates", "rc1")
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    after = puts.document_of(gateway)
    assert after["tags"] == {"env": "test"}
    assert after["properties"]["sku"]["capacity"] == 3
    assert after["properties"]["trustedRootCertificates"] == []
    settings = puts.item(after, "backendHttpSettingsCollection", "hs443")["properties"]
    assert "trustedRootCertificates" not in settings
    # az resource tag sends the raw answer back, read-only members included.
    after["tags"]["a"] = "b"
    assert puts.put(gateway, after).changed


def test_the_tls_policy_command() -> None:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    policy = {
        "cipherSuites": ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
        "minProtocolVersion": "TLSv1_2",
        "policyType": "CustomV2",
    }
    body["properties"]["sslPolicy"] = policy
    assert puts.messages(puts.put(gateway, body)) == []
    assert puts.document_of(gateway)["properties"]["sslPolicy"] == policy
