"""Which pairs are probed, and what a change of the gateway does to them."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.health.planner import plan_gateway, unplanned
from gateway.health.plans import plans_of
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendHttpSettings,
    HealthPlan,
    PathRule,
    Probe,
    RequestRoutingRule,
    Verdict,
)
from tests import factories
from tests.factories import NOW
from tests.gateway.health.lab import move_on, network_of, point_pool_at

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def gateway() -> ApplicationGateway:
    return factories.v2_gateway()


def settings_of(gateway: ApplicationGateway) -> BackendHttpSettings:
    return factories.find(gateway, BackendHttpSettings, factories.SETTINGS)


def pairs(gateway: ApplicationGateway) -> set[tuple[str, str]]:
    plans = plans_of(factories.loaded(gateway))
    return {(plan.target, plan.setting) for plan in plans.values()}


def settle(gateway: ApplicationGateway) -> Verdict:
    """Plan and give every pair a healthy verdict, due in an hour."""
    gateway.refresh_from_db()
    plan_gateway(gateway, NOW)
    Verdict.objects.update(
        status="Healthy",
        error_id="",
        rechecking=False,
        failures=2,
        due_at=NOW + timedelta(hours=1),
        leased_by="somebody",
        leased_until=NOW + timedelta(hours=1),
    )
    return Verdict.objects.get(gateway=gateway)


def planned(gateway: ApplicationGateway) -> Verdict:
    move_on(gateway)
    assert plan_gateway(gateway, LATER) is not None
    return Verdict.objects.get(gateway=gateway)


def test_a_basic_rule_joins_the_targets_of_its_pool_with_its_setting(
    gateway: ApplicationGateway,
) -> None:
    point_pool_at(gateway, "a.contoso.test", "10.0.1.9")
    assert pairs(gateway) == {
        ("a.contoso.test", factories.SETTINGS),
        ("10.0.1.9", factories.SETTINGS),
    }


def test_a_pool_or_setting_that_no_rule_uses_is_not_probed(gateway: ApplicationGateway) -> None:
    factories.add_pool(gateway, "idle", "idle.contoso.test")
    factories.add_settings(gateway, "idle")
    assert pairs(gateway) == {("full-chain.contoso.test", factories.SETTINGS)}


def test_a_path_map_joins_its_default_and_its_path_rules(gateway: ApplicationGateway) -> None:
    images = factories.add_pool(gateway, "images", "images.contoso.test")
    other = factories.add_settings(gateway, "other")
    path_map = factories.add_path_map(gateway, "map")
    for rule in PathRule.objects.filter(path_map=path_map):
        factories.change(rule, backend_address_pool=images, backend_http_settings=other)
    listener = factories.add_listener(gateway, "second", port=8080)
    rule = factories.add_rule(gateway, "paths", listener, url_path_map=path_map)
    factories.delete(factories.find(gateway, RequestRoutingRule, factories.RULE))
    assert pairs(gateway) == {
        ("full-chain.contoso.test", factories.SETTINGS),
        ("images.contoso.test", "other"),
    }
    factories.change(rule, url_path_map=None)
    assert pairs(gateway) == set()


def test_two_rules_with_the_same_pair_make_one_verdict(gateway: ApplicationGateway) -> None:
    listener = factories.add_listener(gateway, "second", port=8080)
    factories.add_rule(gateway, "rule2", listener)
    assert len(plans_of(factories.loaded(gateway))) == 1


def test_a_redirect_joins_nothing(gateway: ApplicationGateway) -> None:
    rule = factories.find(gateway, RequestRoutingRule, factories.RULE)
    redirect = factories.add_redirect(gateway, "away")
    factories.change(
        rule,
        backend_address_pool=None,
        backend_http_settings=None,
        redirect_configuration=redirect,
    )
    assert pairs(gateway) == set()


def test_a_stopped_gateway_probes_nothing(gateway: ApplicationGateway) -> None:
    settle(gateway)
    factories.change(gateway, operational_state="Stopped")
    move_on(gateway)
    plan_gateway(gateway, LATER)
    assert not Verdict.objects.filter(gateway=gateway).exists()


def test_a_new_gateway_waits_to_be_planned_until_it_is(gateway: ApplicationGateway) -> None:
    assert unplanned() == [gateway]
    assert unplanned(but=[gateway.pk]) == []
    gateway.refresh_from_db()
    plan_gateway(gateway, NOW)
    assert unplanned() == []
    assert HealthPlan.objects.get(gateway=gateway).generation == gateway.generation
    move_on(gateway)
    assert unplanned() == [gateway]


def test_a_new_pair_is_unknown_and_due_at_once(gateway: ApplicationGateway) -> None:
    gateway.refresh_from_db()
    plan_gateway(gateway, NOW)
    verdict = Verdict.objects.get(gateway=gateway)
    assert (verdict.status, verdict.error_id, verdict.due_at) == ("Unknown", "U-NEW", NOW)
    assert verdict.rechecking


def test_a_change_that_does_not_touch_a_pair_leaves_verdict_and_schedule(
    gateway: ApplicationGateway,
) -> None:
    before = settle(gateway)
    factories.add_pool(gateway, "idle", "idle.contoso.test")
    factories.change(settings_of(gateway), request_timeout=99)
    after = planned(gateway)
    assert not after.rechecking
    assert (after.due_at, after.failures, after.leased_by) == (before.due_at, 2, "somebody")


def test_times_between_probes_do_not_make_a_verdict_old(gateway: ApplicationGateway) -> None:
    probe = factories.add_probe(gateway, "mine", interval=30)
    factories.change(settings_of(gateway), probe=probe)
    settle(gateway)
    factories.change(probe, interval=5, unhealthy_threshold=1)
    assert not planned(gateway).rechecking


def _new_root(gateway: ApplicationGateway) -> None:
    factories.trust(settings_of(gateway), roots=[factories.add_root(gateway, "root")])


CHANGES: dict[str, Any] = {
    "port": lambda g: factories.change(settings_of(g), port=8080),
    "protocol": lambda g: factories.change(settings_of(g), protocol="Https", port=443),
    "host name": lambda g: factories.change(settings_of(g), host_name="www.contoso.com"),
    "target": lambda g: factories.change(
        BackendAddress.objects.get(pool__gateway=g), fqdn="b.contoso.test"
    ),
    "probe": lambda g: factories.change(
        settings_of(g), probe=factories.add_probe(g, "p", path="/health")
    ),
    "root": _new_root,
    "validation": lambda g: factories.change(settings_of(g), validate_cert_chain_and_expiry=False),
    "name check": lambda g: factories.change(settings_of(g), validate_sni=False),
    "tier": lambda g: factories.change(g, sku_tier="Standard", sku_name="Standard_Small"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_that_touches_a_pair_has_it_rechecked_and_the_old_verdict_stands(
    gateway: ApplicationGateway, change: Any
) -> None:
    factories.change(settings_of(gateway), protocol="Https", port=443)
    if change is CHANGES["protocol"]:
        factories.change(settings_of(gateway), protocol="Http", port=80)
    before = settle(gateway)
    change(gateway)
    after = planned(gateway)
    assert after.pk == before.pk
    assert after.rechecking
    assert (after.status, after.error_id) == ("Healthy", "")
    assert (after.due_at, after.failures, after.leased_by) == (LATER, 0, "")


def test_another_network_means_other_answers(gateway: ApplicationGateway) -> None:
    settle(gateway)
    other = factories.make_network(gateway.group, "other")
    configuration = factories.loaded(gateway).gateway_ip_configurations[0]
    factories.change(configuration, subnet=other.subnets.first())
    assert network_of(gateway) == other
    assert planned(gateway).rechecking


def test_a_pair_that_is_gone_loses_its_verdict(gateway: ApplicationGateway) -> None:
    point_pool_at(gateway, "a.contoso.test", "b.contoso.test")
    gateway.refresh_from_db()
    plan_gateway(gateway, NOW)
    assert Verdict.objects.filter(gateway=gateway).count() == 2
    factories.delete(factories.find(gateway, RequestRoutingRule, factories.RULE))
    move_on(gateway)
    plan_gateway(gateway, LATER)
    assert not Verdict.objects.filter(gateway=gateway).exists()


def test_a_gateway_that_was_saved_while_it_was_read_is_read_again(
    gateway: ApplicationGateway,
) -> None:
    stale = ApplicationGateway.objects.get(pk=gateway.pk)
    move_on(gateway)
    planned = plan_gateway(stale, NOW)
    assert planned is not None
    assert planned.generation == gateway.generation
    assert unplanned() == []
    assert HealthPlan.objects.get().generation == gateway.generation
    assert {(one.address_id, one.settings_id) for one in Verdict.objects.all()} == set(
        planned.plans
    )


def test_a_gateway_that_is_gone_is_no_fault(gateway: ApplicationGateway) -> None:
    stale = ApplicationGateway.objects.get(pk=gateway.pk)
    factories.delete(gateway)
    assert plan_gateway(stale, NOW) is None


def test_a_probe_belongs_to_the_plan(gateway: ApplicationGateway) -> None:
    probe = factories.add_probe(gateway, "mine", path="/health", timeout=3)
    factories.change(settings_of(gateway), probe=probe)
    (plan,) = plans_of(factories.loaded(gateway)).values()
    assert isinstance(probe, Probe)
    assert (plan.leg.path, plan.leg.timeout, plan.pool) == ("/health", 3, factories.POOL)
