"""Probe and request side by side: where they part, and what is said before a user notices."""

from typing import Any

import pytest

from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    HttpListener,
    RequestRoutingRule,
    RewriteRuleSet,
)
from gateway.rules.traffic import ANY_HOST, BothLegs, TrafficWarning, both_legs, traffic_warnings
from tests import factories

pytestmark = pytest.mark.django_db

FQDN = "backend.contoso.test"
SHOP = "shop.contoso.com"
PICK = {"pick_host_name_from_backend_address": True}


@pytest.fixture
def gateway() -> ApplicationGateway:
    return https(factories.v2_gateway(), SHOP)


def https(gateway: ApplicationGateway, *hosts: str, **settings: Any) -> ApplicationGateway:
    """The default rule leads from a listener for ``hosts`` to FQDN by HTTPS."""
    address = BackendAddress.objects.get(pool__gateway=gateway)
    factories.change(address, fqdn=FQDN)
    setting = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(setting, protocol="Https", port=443, **settings)
    listener = factories.find(gateway, HttpListener, factories.LISTENER)
    factories.change(listener, host_names=list(hosts))
    return gateway


def change_settings(gateway: ApplicationGateway, **fields: Any) -> None:
    setting = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(setting, **fields)


def legs(gateway: ApplicationGateway) -> BothLegs:
    loaded = factories.loaded(gateway)
    pool = loaded.find(BackendAddressPool, factories.POOL)
    settings = loaded.find(BackendHttpSettings, factories.SETTINGS)
    assert pool is not None
    assert settings is not None
    return both_legs(loaded, pool, settings, loaded.addresses(pool)[0])


def told(gateway: ApplicationGateway, *names: str) -> tuple[TrafficWarning, ...]:
    return traffic_warnings(legs(gateway), factories.leaf(*names).certificate)


def test_both_legs_are_shown_for_every_host_of_the_listener(gateway: ApplicationGateway) -> None:
    listener = factories.find(gateway, HttpListener, factories.LISTENER)
    factories.change(listener, host_names=[SHOP, "*.contoso.com"])
    both = legs(gateway)
    assert (both.probe.sni, both.probe.checked_name) == (FQDN, FQDN)
    assert [(one.listener, one.host, one.leg.sni) for one in both.requests] == [
        (factories.LISTENER, SHOP, SHOP),
        (factories.LISTENER, "*.contoso.com", "*.contoso.com"),
    ]
    assert [one.depends_on_client for one in both.requests] == [False, True]


def test_probe_green_and_users_get_a_502(gateway: ApplicationGateway) -> None:
    (warning,) = told(gateway, FQDN)
    assert (warning.host, warning.name, warning.for_some) == (SHOP, SHOP, False)
    assert SHOP in warning.message
    assert f"is for {FQDN}" in warning.message
    assert warning.kind.id == "traffic-name-uncovered"


def test_a_certificate_for_both_names_is_fine(gateway: ApplicationGateway) -> None:
    assert told(gateway, FQDN, SHOP) == ()


def test_where_the_probe_fails_by_its_name_nothing_more_is_said(
    gateway: ApplicationGateway,
) -> None:
    assert told(gateway, "else.contoso.test") == ()


def test_a_name_that_the_setting_gives_is_the_same_for_both(gateway: ApplicationGateway) -> None:
    change_settings(gateway, host_name="www.contoso.com")
    assert told(gateway, "www.contoso.com") == ()
    change_settings(gateway, host_name="", **PICK)
    assert told(gateway, FQDN) == ()


def test_a_probe_of_its_own_host_hides_what_requests_ask(gateway: ApplicationGateway) -> None:
    probe = factories.add_probe(gateway, "mine", protocol="Https", host="probe.contoso.com")
    change_settings(gateway, probe=probe, host_name="www.contoso.com")
    (warning,) = told(gateway, "probe.contoso.com")
    assert warning.name == "www.contoso.com"


def test_a_setting_that_picks_the_host_of_an_address_asks_for_what_cannot_be(
    gateway: ApplicationGateway,
) -> None:
    probe = factories.add_probe(gateway, "mine", protocol="Https", host="probe.contoso.com")
    change_settings(gateway, probe=probe, **PICK)
    address = BackendAddress.objects.get(pool__gateway=gateway)
    factories.change(address, fqdn="", ip_address="10.0.1.9")
    (warning,) = traffic_warnings(legs(gateway), None)
    assert "10.0.1.9, which no server name can be" in warning.message


def test_without_a_known_certificate_only_the_impossible_is_told(
    gateway: ApplicationGateway,
) -> None:
    assert traffic_warnings(legs(gateway), None) == ()


def test_a_listener_for_every_host_depends_on_the_client(gateway: ApplicationGateway) -> None:
    listener = factories.find(gateway, HttpListener, factories.LISTENER)
    factories.change(listener, host_names=[])
    (warning,) = told(gateway, FQDN)
    assert (warning.host, warning.for_some) == (ANY_HOST, True)
    assert "the client's host name" in warning.message


def rewrite_host(gateway: ApplicationGateway, *values: str) -> RewriteRuleSet:
    actions = [
        {"requestHeaderConfigurations": [{"headerName": "Host", "headerValue": value}]}
        for value in values
    ]
    rewrites = factories.add_rewrite_set(gateway, "hosts", *actions)
    rule = factories.find(gateway, RequestRoutingRule, factories.RULE)
    factories.change(rule, rewrite_rule_set=rewrites)
    return rewrites


def test_a_rewritten_host_is_what_the_certificate_must_carry(gateway: ApplicationGateway) -> None:
    rewrites = rewrite_host(gateway, "first.contoso.test", f"{FQDN}:443")
    assert told(gateway, FQDN) == ()
    assert legs(gateway).requests[0].leg.why == "A rewrite set changes the host name."
    last = rewrites.rules.get(rule_sequence=101)
    header = {"headerName": "host", "headerValue": "other.contoso.test"}
    factories.change(last, action_set={"requestHeaderConfigurations": [header]})
    (warning,) = told(gateway, FQDN, SHOP)
    assert (warning.host, warning.name) == (SHOP, "other.contoso.test")
    assert "which a rewrite set makes" in warning.message


def test_a_rewrite_with_conditions_may_leave_the_host_as_it_is(
    gateway: ApplicationGateway,
) -> None:
    rule = rewrite_host(gateway, "other.contoso.test").rules.get()
    factories.change(rule, conditions=[{"variable": "http_req_X-A", "pattern": "1"}])
    assert [warning.name for warning in told(gateway, FQDN)] == [SHOP, "other.contoso.test"]
    assert told(gateway, FQDN, SHOP, "other.contoso.test") == ()


def test_a_host_made_from_the_request_needs_a_wildcard(gateway: ApplicationGateway) -> None:
    rewrite_host(gateway, "{http_req_X-Tenant}.contoso.test")
    (warning,) = told(gateway, FQDN, SHOP)
    assert (warning.name, warning.for_some) == ("*.contoso.test", True)
    assert told(gateway, FQDN, "*.contoso.test") == ()


def test_where_the_setting_gives_the_name_a_rewrite_changes_nothing(
    gateway: ApplicationGateway,
) -> None:
    rule = rewrite_host(gateway, "other.contoso.test").rules.get()
    factories.change(rule, conditions=[{"variable": "http_req_X-A", "pattern": "1"}])
    change_settings(gateway, **PICK)
    assert told(gateway, FQDN) == ()
    assert len(legs(gateway).requests) == 1


def test_rewrites_of_other_headers_change_nothing(gateway: ApplicationGateway) -> None:
    factories.change(
        factories.find(gateway, RequestRoutingRule, factories.RULE),
        rewrite_rule_set=factories.add_rewrite_set(gateway, "headers"),
    )
    assert told(gateway, FQDN, SHOP) == ()


def test_a_wildcard_of_the_certificate_covers_the_same_wildcard_of_the_listener(
    gateway: ApplicationGateway,
) -> None:
    listener = factories.find(gateway, HttpListener, factories.LISTENER)
    factories.change(listener, host_names=["*.Contoso.com"])
    assert told(gateway, FQDN, "*.contoso.com") == ()
    assert told(gateway, FQDN, SHOP)[0].for_some


def test_an_unchecked_name_is_no_trouble(gateway: ApplicationGateway) -> None:
    change_settings(gateway, validate_sni=False)
    assert told(gateway, "else.contoso.test") == ()


def test_a_server_name_of_the_setting_is_sent_by_both(gateway: ApplicationGateway) -> None:
    change_settings(gateway, sni_name=FQDN)
    assert told(gateway, FQDN) == ()


def test_v1_asks_the_pool_s_name_on_both_legs() -> None:
    both = legs(https(factories.v1_gateway(), SHOP))
    assert both.probe.sni == both.requests[0].leg.sni == FQDN
    assert traffic_warnings(both, factories.leaf(FQDN).certificate) == ()


def test_plain_http_names_nothing(gateway: ApplicationGateway) -> None:
    change_settings(gateway, protocol="Http", port=80)
    assert told(gateway, "else.contoso.test") == ()


def test_only_rules_that_lead_to_the_pair_are_told(gateway: ApplicationGateway) -> None:
    other = factories.add_pool(gateway, "other", "other.contoso.test")
    listener = factories.add_listener(gateway, "second", port=8080)
    factories.add_rule(gateway, "second", listener, other)
    third = factories.add_listener(gateway, "third", port=8081)
    rule = factories.add_rule(gateway, "third", third)
    factories.change(rule, http_listener=None)
    assert {one.listener for one in legs(gateway).requests} == {factories.LISTENER}
    factories.delete(factories.find(gateway, RequestRoutingRule, factories.RULE))
    assert legs(gateway).requests == ()


def test_many_names_are_shortened(gateway: ApplicationGateway) -> None:
    names = [f"s{number}.contoso.test" for number in range(9)]
    (warning,) = told(gateway, FQDN, *names)
    assert "and 5 more" in warning.message
