"""Replacing gateways by their document."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest

from certificates.x509.issuing import issue
from gateway.models import (
    Activity,
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    Child,
    CustomError,
    FrontendPort,
    HttpListener,
    PathRule,
    Probe,
    RewriteRule,
    SslCertificate,
    SslCertificateKey,
    SslCertificatePart,
    SslProfile,
    TrustedClientCertificate,
    TrustedRootCertificate,
    UrlPathMap,
)
from gateway.models.loading import CHILD_MODELS
from tests import factories as make
from tests.gateway.document import gateways
from tests.gateway.operations import puts

pytestmark = pytest.mark.django_db


def ref(gateway: ApplicationGateway, collection: str, name: str) -> dict[str, str]:
    return {"id": f"{gateway.arm_id}/{collection}/{name}"}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def keys(gateway: ApplicationGateway) -> dict[str, list[int]]:
    """The primary keys of every row of the gateway."""
    found: dict[str, list[int]] = {
        model.__name__: list(
            model._default_manager.filter(gateway=gateway).values_list("pk", flat=True)
        )
        for model in (*CHILD_MODELS, CustomError)
    }
    found["addresses"] = list(
        BackendAddress.objects.filter(pool__gateway=gateway).values_list("pk", flat=True)
    )
    found["path rules"] = list(
        PathRule.objects.filter(path_map__gateway=gateway).values_list("pk", flat=True)
    )
    found["rewrites"] = list(
        RewriteRule.objects.filter(rule_set__gateway=gateway).values_list("pk", flat=True)
    )
    found["parts"] = list(
        SslCertificatePart.objects.filter(owner__gateway=gateway).values_list("pk", flat=True)
    )
    return found


# -- What comes back is what was there ---------------------------------------------------------


@pytest.mark.parametrize("build", [gateways.rich_v1, gateways.rich_v2, make.v1_gateway])
def test_a_document_put_back_changes_nothing_and_keeps_every_row(build: Any) -> None:
    gateway = build()
    before, rows = puts.document_of(gateway), keys(gateway)
    outcome = puts.put(gateway, copy.deepcopy(before))
    assert puts.messages(outcome) == []
    assert not outcome.changed
    assert puts.document_of(gateway) == before
    assert keys(gateway) == rows
    assert not Activity.objects.exists()


def test_a_private_frontend_comes_back_as_it_was() -> None:
    gateway = make.v2_gateway()
    gateways.private_frontend(gateway)
    before = puts.document_of(gateway)
    outcome = puts.put(gateway, copy.deepcopy(before))
    assert puts.messages(outcome) == []
    assert not outcome.changed
    assert puts.document_of(gateway) == before


def test_what_is_kept_unmodelled_comes_back_as_it_was() -> None:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {"/x": {}}}
    body["properties"]["sku"]["family"] = "Generation_2"
    body["properties"]["globalConfiguration"] = {"enableRequestBuffering": True}
    puts.item(body, "httpListeners", make.LISTENER)["properties"]["firewallPolicy"] = {"id": "/p"}
    outcome = puts.put(gateway, copy.deepcopy(body))
    assert puts.messages(outcome) == []
    assert outcome.changed
    assert {problem.id for problem in outcome.warnings} >= {"member-not-acted-on"}
    after = puts.document_of(gateway)
    for member in ("identity", "tags", "location"):
        assert after[member] == body[member]
    for member in ("sku", "globalConfiguration"):
        assert after["properties"][member] == body["properties"][member]
    assert not puts.put(gateway, after).changed
    removed = copy.deepcopy(after)
    del removed["identity"]
    assert puts.put(gateway, removed).changed
    assert "identity" not in puts.document_of(gateway)


@pytest.mark.parametrize("tier", ["Standard_v2", "WAF_v2"])
def test_a_firewall_is_switched_on_in_its_own_tiers_only(tier: str) -> None:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    body["properties"]["sku"] |= {"name": tier, "tier": tier}
    body["properties"]["webApplicationFirewallConfiguration"] = {
        "enabled": True,
        "firewallMode": "Prevention",
        "ruleSetType": "OWASP",
        "ruleSetVersion": "3.2",
    }
    outcome = puts.put(gateway, body)
    refused = [] if tier == "WAF_v2" else ["firewall-not-in-tier"]
    assert [problem.id for problem in outcome.errors] == refused
    assert outcome.changed is not bool(refused)


def test_queries_do_not_grow_with_the_gateway(django_assert_max_num_queries: Any) -> None:
    small, large = make.v2_gateway(), make.v2_gateway(make.make_group(name="large"))
    make.many_sites(large, 30)
    for gateway in (small, large):
        body = puts.document_of(gateway)
        body["tags"] = {"changed": "yes"}
        make.owner_of(gateway)
        with django_assert_max_num_queries(90):
            assert puts.put(gateway, body).changed


# -- Changes -----------------------------------------------------------------------------------


def test_a_changed_member_is_recorded_field_by_field() -> None:
    gateway = gateways.rich_v2()
    body = puts.document_of(gateway)
    puts.item(body, "backendHttpSettingsCollection", "tls")["properties"]["requestTimeout"] = "60"
    body["properties"]["enableHttp2"] = False
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    assert outcome.activity is not None
    assert outcome.activity.client == "az"
    assert outcome.activity.changes == [
        {"path": "backendHttpSettingsCollection/tls/requestTimeout", "before": 30, "after": 60},
        {"path": "enableHttp2", "before": True, "after": False},
    ]


def test_a_save_moves_generation_and_entity_tag() -> None:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    body["tags"] = {"a": "b"}
    assert puts.put(gateway, body, etag=body["etag"]).changed
    after = make.loaded(gateway).gateway
    assert after.generation == 2
    assert after.etag != body["etag"]
    assert after.tags == {"a": "b"}


def test_an_old_entity_tag_is_a_conflict_and_none_is_no_question() -> None:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    first, second = copy.deepcopy(body), copy.deepcopy(body)
    first["tags"], second["tags"] = {"a": "1"}, {"a": "2"}
    assert puts.put(gateway, first, etag=body["etag"]).changed
    outcome = puts.put(gateway, second, etag=body["etag"])
    assert outcome.conflict
    assert outcome.errors[0].arm_code == "PreconditionFailed"
    assert make.loaded(gateway).gateway.tags == {"a": "1"}
    assert puts.put(gateway, second).changed


def test_children_are_matched_whatever_the_case_of_their_names() -> None:
    gateway = gateways.rich_v2()
    body = json.loads(json.dumps(puts.document_of(gateway)).replace("tls", "TLS"))
    rows = keys(gateway)
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    assert not outcome.changed
    assert keys(gateway) == rows
    assert make.find(gateway, BackendHttpSettings, "tls")


def test_absent_members_go_back_to_their_defaults() -> None:
    gateway = gateways.rich_v2()
    body = puts.document_of(gateway)
    del body["zones"]
    for member in ("sslPolicy", "enableHttp2", "customErrorConfigurations"):
        del body["properties"][member]
    properties = puts.item(body, "backendHttpSettingsCollection", "tls")["properties"]
    for member in ("hostName", "probe", "connectionDraining"):
        del properties[member]
    del puts.item(body, "sslProfiles", "strict")["properties"]["clientAuthConfiguration"]
    del puts.item(body, "sslProfiles", "strict")["properties"]["trustedClientCertificates"]
    puts.item(body, "sslProfiles", "strict")["properties"]["sslPolicy"] = {
        "policyType": "Predefined",
        "policyName": "AppGwSslPolicy20220101S",
    }
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    row = make.loaded(gateway).gateway
    assert (row.zones, row.ssl_policy_type, row.enable_http2) == ([], "", False)
    settings = make.find(gateway, BackendHttpSettings, "tls")
    assert (settings.host_name, settings.probe, settings.drain_timeout) == ("", None, 1)
    profile = make.find(gateway, SslProfile, "strict")
    assert profile.has_client_auth is False
    assert profile.client_certificate_links.count() == 0
    assert [one.listener_id is None for one in CustomError.objects.all()] == [False]


def test_targets_are_matched_by_value_and_keep_kind_and_row() -> None:
    gateway = make.v2_gateway()
    pool = make.add_pool(gateway, "p", "10.0.1.4", "web.contoso.test", "10.0.1.6")
    machine = make.change(pool.addresses.get(ip_address="10.0.1.4"), kind="virtual_machine")
    body = puts.document_of(gateway)
    puts.item(body, "backendAddressPools", "p")["properties"]["backendAddresses"] = [
        {"fqdn": "new.contoso.test"},
        {"fqdn": "WEB.contoso.test"},
        {"ipAddress": "10.0.1.4"},
    ]
    assert puts.messages(puts.put(gateway, body)) == []
    rows = list(pool.addresses.all())
    assert [row.target for row in rows] == ["new.contoso.test", "WEB.contoso.test", "10.0.1.4"]
    assert [row.position for row in rows] == [0, 1, 2]
    assert rows[2].pk == machine.pk
    assert rows[2].kind == "virtual_machine"


def test_the_order_of_the_document_is_the_order_of_the_rows() -> None:
    gateway = gateways.rich_v2()
    body = puts.document_of(gateway)
    body["properties"]["httpListeners"].reverse()
    maps = puts.item(body, "urlPathMaps", "sites")["properties"]
    maps["pathRules"].reverse()
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    assert [change["path"] for change in outcome.activity.changes if outcome.activity] == [
        "httpListeners/(order)",
        "urlPathMaps/sites/pathRules/(order)",
    ]
    after = puts.document_of(gateway)
    names = [one["name"] for one in after["properties"]["httpListeners"]]
    assert names == ["paths", "single", "secure", make.LISTENER]


def test_children_come_go_and_are_pointed_elsewhere_in_one_put() -> None:
    gateway = gateways.rich_v2()
    body = puts.document_of(gateway)
    properties = body["properties"]
    puts.without(body, "probes", "deep")
    puts.without(body, "trustedRootCertificates", "root1")
    puts.without(body, "backendAddressPools", "pool2")
    puts.without(body, "redirectConfigurations", "up")
    properties["probes"].append(
        {
            "name": "shallow",
            "properties": {"protocol": "Https", "host": "a.test", "path": "/", "timeout": 9},
        }
    )
    properties["trustedRootCertificates"].append(
        {"name": "root2", "properties": {"data": encoded(make.root().certificate.der)}}
    )
    settings = puts.item(body, "backendHttpSettingsCollection", "tls")["properties"]
    settings["probe"] = ref(gateway, "probes", "shallow")
    settings["trustedRootCertificates"] = [ref(gateway, "trustedRootCertificates", "root2")]
    puts.item(body, "requestRoutingRules", "secured")["properties"]["backendAddressPool"] = ref(
        gateway, "backendAddressPools", make.POOL
    )
    sites = puts.item(body, "urlPathMaps", "sites")["properties"]
    sites["pathRules"] = [one for one in sites["pathRules"] if one["name"] != "old"]
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    assert [row.name for row in make.loaded(gateway).probes] == ["shallow"]
    row = make.find(gateway, BackendHttpSettings, "tls")
    assert row.probe.name == "shallow"
    assert [link.certificate.name for link in row.root_links.all()] == ["root2"]
    assert not BackendAddressPool.objects.filter(name="pool2").exists()
    assert not PathRule.objects.filter(name="old").exists()


def test_everything_optional_can_be_removed_at_once() -> None:
    gateway = gateways.rich_v2()
    bare = puts.document_of(make.v2_gateway(make.make_group(name="bare")))
    body = puts.document_of(gateway)
    for collection, items in bare["properties"].items():
        if isinstance(items, list):
            names = [one["name"] for one in items]
            body["properties"][collection] = [
                one for one in body["properties"][collection] if one["name"] in names
            ]
    assert puts.messages(puts.put(gateway, body)) == []
    left = make.loaded(gateway)
    assert len(left.listeners) == 1
    assert left.ssl_certificates == []
    assert not TrustedClientCertificate.objects.exists()
    assert not SslCertificateKey.objects.exists()


# -- Certificates ------------------------------------------------------------------------------


def test_a_listener_certificate_without_data_keeps_its_file() -> None:
    gateway = gateways.rich_v1()
    body = puts.document_of(gateway)
    puts.item(body, "sslCertificates", "site")["properties"] = {}
    key = SslCertificateKey.objects.get()
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    assert not outcome.changed
    assert SslCertificateKey.objects.get().pk == key.pk


@pytest.mark.parametrize(
    ("collection", "code"),
    [
        (
            "sslCertificates",
            "ApplicationGatewayCertificateDataOrKeyVaultSecretIdMustBeSpecified",
        ),
        (
            "trustedRootCertificates",
            "ApplicationGatewayCertificateDataOrKeyVaultSecretIdMustBeSpecified",
        ),
        (
            "trustedClientCertificates",
            "ApplicationGatewayTrustedClientCertificateMustSpecifyData",
        ),
    ],
)
def test_a_new_certificate_without_data_is_refused(collection: str, code: str) -> None:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    body["properties"][collection].append({"name": "new", "properties": {}})
    (problem,) = puts.put(gateway, body).errors
    assert (problem.id, problem.arm_code) == ("certificate-data-missing", code)
    assert (problem.target.name, problem.target.field) == ("new", "data")


def test_a_new_authentication_certificate_without_data_is_refused() -> None:
    gateway = make.v1_gateway()
    body = puts.document_of(gateway)
    body["properties"]["authenticationCertificates"].append({"name": "new"})
    (problem,) = puts.put(gateway, body).errors
    assert problem.id == "certificate-data-missing"


def test_a_listener_certificate_is_replaced_by_new_data() -> None:
    gateway = gateways.rich_v2()
    body = puts.document_of(gateway)
    other = make.leaf("other.contoso.com")
    puts.item(body, "sslCertificates", "site")["properties"] = {
        "data": encoded(issue.to_pfx(other, "", chain=other.chain)),
        "password": "",
    }
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    assert outcome.activity is not None
    assert [change["path"] for change in outcome.activity.changes] == [
        "sslCertificates/site/certificate"
    ]
    assert SslCertificateKey.objects.get().pem == issue.key_pem(other)
    row = make.find(gateway, SslCertificate, "site")
    assert row.parts.first().certificate.parsed.common_name == "other.contoso.com"


def test_roots_and_client_authorities_are_replaced_by_new_data() -> None:
    gateway = gateways.rich_v2()
    body = puts.document_of(gateway)
    other = make.root("Other Root")
    puts.item(body, "trustedRootCertificates", "root1")["properties"]["data"] = encoded(
        other.certificate.der
    )
    puts.item(body, "trustedClientCertificates", "clients")["properties"]["data"] = encoded(
        issue.to_pem(other.certificate)
    )
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    root = make.find(gateway, TrustedRootCertificate, "root1")
    assert root.certificate.parsed.common_name == "Other Root"
    assert bytes(root.data) == other.certificate.der
    clients = make.find(gateway, TrustedClientCertificate, "clients")
    assert [part.certificate_id for part in clients.parts.all()] == [root.certificate_id]


def test_a_certificate_can_move_to_a_key_vault_and_back() -> None:
    gateway = gateways.rich_v2()
    body = puts.document_of(gateway)
    vault = {"keyVaultSecretId": "https://vault.test/secrets/one"}
    puts.item(body, "sslCertificates", "site")["properties"] = vault
    puts.item(body, "trustedRootCertificates", "root1")["properties"] = vault
    outcome = puts.put(gateway, body)
    assert puts.messages(outcome) == []
    assert not SslCertificateKey.objects.exists()
    assert make.find(gateway, TrustedRootCertificate, "root1").certificate is None
    again = puts.document_of(gateway)
    assert not puts.put(gateway, copy.deepcopy(again)).changed
    puts.item(again, "sslCertificates", "site")["properties"] = {}
    puts.item(again, "trustedRootCertificates", "root1")["properties"] = {}
    assert [problem.id for problem in puts.put(gateway, again).errors] == [
        "certificate-data-missing",
        "certificate-data-missing",
    ]


# -- Refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("collection", "name", "user", "field"),
    [
        ("trustedRootCertificates", "root1", "backendHttpSettingsCollection/tls", "root_links"),
        ("probes", "deep", "backendHttpSettingsCollection/tls", "probe"),
        ("frontendPorts", "port443", "httpListeners/secure", "frontend_port"),
        ("sslCertificates", "site", "httpListeners/secure", "ssl_certificate"),
        ("backendAddressPools", "pool2", "requestRoutingRules/secured", "backend_address_pool"),
        (
            "redirectConfigurations",
            "up",
            "urlPathMaps/sites/pathRules/old",
            "redirect_configuration",
        ),
        (
            "trustedClientCertificates",
            "clients",
            "sslProfiles/strict",
            "client_certificate_links",
        ),
    ],
)
def test_what_is_in_use_cannot_be_left_out(
    collection: str, name: str, user: str, field: str
) -> None:
    gateway = gateways.rich_v2()
    before = puts.document_of(gateway)
    outcome = puts.put(gateway, puts.without(copy.deepcopy(before), collection, name))
    (problem,) = outcome.errors
    assert (problem.id, problem.arm_code) == ("reference-missing", "InvalidResourceReference")
    assert f"{gateway.arm_id}/{user} " in problem.message
    assert f"{gateway.arm_id}/{collection}/{name}," in problem.message
    assert problem.target.field == field
    assert puts.document_of(gateway) == before


def test_a_name_that_nothing_has_is_refused() -> None:
    gateway = make.v1_gateway()
    body = puts.document_of(gateway)
    settings = puts.item(body, "backendHttpSettingsCollection", make.SETTINGS)["properties"]
    settings["authenticationCertificates"] = [ref(gateway, "authenticationCertificates", "nope")]
    (problem,) = puts.put(gateway, body).errors
    assert problem.arm_code == "InvalidResourceReference"
    assert "authenticationCertificates/nope" in problem.message


def test_a_gateway_stays_in_its_region_and_generation() -> None:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    body["location"] = "North Europe"
    body["properties"]["sku"] = {"name": "Standard_Medium", "tier": "Standard", "capacity": 2}
    outcome = puts.put(gateway, body)
    assert [(problem.id, problem.target.field) for problem in outcome.errors] == [
        ("location-fixed", "location"),
        ("generation-fixed", "sku_tier"),
    ]
    del body["location"]
    body["properties"]["sku"] = {"name": "Standard_v2", "tier": "Standard_v2", "capacity": 3}
    assert puts.put(gateway, body).changed


def test_wrong_columns_are_all_reported_with_their_child() -> None:
    gateway = gateways.rich_v2()
    before = puts.document_of(gateway)
    body = copy.deepcopy(before)
    puts.item(body, "frontendPorts", "port443")["properties"]["port"] = 99999
    puts.item(body, "backendHttpSettingsCollection", "tls")["properties"]["requestTimeout"] = 0
    puts.item(body, "backendAddressPools", "pool2")["properties"]["backendAddresses"] = [
        {"ipAddress": "10.0.0.999"},
        {"fqdn": "not a name"},
    ]
    puts.item(body, "urlPathMaps", "sites")["properties"]["pathRules"][0]["name"] = "a b"
    body["properties"]["probes"].append({"name": "bad name!", "properties": {"host": "a.test"}})
    outcome = puts.put(gateway, body)
    found = {(one.target.collection, one.target.name, one.target.field) for one in outcome.errors}
    assert {
        ("frontendPorts", "port443", "port"),
        ("backendHttpSettingsCollection", "tls", "request_timeout"),
        ("backendAddressPools", "pool2", "addresses"),
        ("pathRules", "sites/a b", "name"),
        ("probes", "bad name!", "name"),
    } <= found
    assert puts.document_of(gateway) == before


def test_a_refused_document_leaves_ids_of_problems_and_nothing_else() -> None:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    body["properties"]["s3cretMember"] = "s3cret"
    outcome = puts.put(gateway, body)
    assert [problem.id for problem in outcome.errors] == ["member-unknown"]
    recorded = Activity.objects.get()
    assert recorded.problems == ["member-unknown"]
    assert recorded.changes == []
    assert "s3cret" not in json.dumps(Activity.objects.values().get(), default=str)


def test_an_import_passes_over_what_it_does_not_know() -> None:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    body["properties"]["brandNew"] = 1
    body["tags"] = {"imported": "yes"}
    outcome = puts.put(gateway, body, strict=False)
    assert outcome.changed
    assert "member-passed-over" in [problem.id for problem in outcome.warnings]


def test_the_row_of_another_gateway_is_never_touched() -> None:
    one, two = make.v2_gateway(), make.v2_gateway(make.make_group(name="other"))
    body = puts.document_of(one)
    before = puts.document_of(two)
    puts.item(body, "frontendPorts", make.FRONTEND_PORT)["properties"]["port"] = 8080
    assert puts.put(one, body).changed
    assert puts.document_of(two) == before
    assert make.find(two, FrontendPort, make.FRONTEND_PORT).port == 80


def test_every_model_of_a_child_is_written_by_a_put() -> None:
    written: set[type[Child]] = set()
    for gateway in (gateways.rich_v1(), gateways.rich_v2()):
        loaded = make.loaded(gateway)
        written |= {model for model in CHILD_MODELS if loaded.children(model)}
    assert written == set(CHILD_MODELS)
    assert {HttpListener, Probe, UrlPathMap} <= written
