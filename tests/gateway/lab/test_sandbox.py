from __future__ import annotations

import threading
from ipaddress import ip_address, ip_network

import pytest
from django.conf import settings
from django.db import connections
from pytest_django import Settings

from gateway import rules
from gateway.accounts.models import Role, Subscription, User
from gateway.accounts.roles import role_of
from gateway.lab.sandbox import SandboxError, ensure_sandbox, reset_sandbox
from gateway.lab.scenarios import SCENARIOS
from gateway.models import (
    Activity,
    ApplicationGateway,
    LabServer,
    PublicIPAddress,
    ResourceGroup,
    ZoneRecord,
    load_gateway,
)
from tests.factories import NOW, change, delete, make_user


def gateways(subscription: Subscription) -> dict[str, ApplicationGateway]:
    rows = ApplicationGateway.objects.filter(group__subscription=subscription)
    return {row.group.name: row for row in rows.select_related("group__subscription")}


def test_a_sandbox_has_a_gateway_of_each_generation(user: User) -> None:
    found = gateways(ensure_sandbox(user, NOW))

    v2, v1 = found["myResourceGroupAG"], found["myResourceGroupAG-v1"]
    assert (v2.name, v2.sku_name, v2.sku_tier) == ("myAppGateway", "Standard_v2", "Standard_v2")
    assert (v1.name, v1.sku_name, v1.sku_tier) == ("myAppGateway", "Standard_Medium", "Standard")
    assert v1.capacity == v2.capacity == 2


@pytest.mark.parametrize(
    ("group", "priority"), [("myResourceGroupAG", 100), ("myResourceGroupAG-v1", None)]
)
def test_a_gateway_begins_with_the_classic_default_objects(
    user: User, group: str, priority: int | None
) -> None:
    loaded = load_gateway(gateways(ensure_sandbox(user, NOW))[group])

    names = {name: [row.name for row in rows] for name, rows in loaded.collections.items() if rows}
    assert names == {
        "gatewayIPConfigurations": ["appGatewayIpConfig"],
        "frontendIPConfigurations": ["appGatewayFrontendIP"],
        "frontendPorts": ["appGatewayFrontendPort"],
        "backendAddressPools": ["appGatewayBackendPool"],
        "backendHttpSettingsCollection": ["appGatewayBackendHttpSettings"],
        "httpListeners": ["appGatewayHttpListener"],
        "requestRoutingRules": ["rule1"],
    }
    assert loaded.rules[0].priority == priority
    assert loaded.frontend_ports[0].port == 80
    assert [one.fqdn for one in loaded.addresses(loaded.pools[0])] == ["full-chain.contoso.test"]
    assert (loaded.http_settings[0].protocol, loaded.http_settings[0].port) == ("Http", 80)


@pytest.mark.parametrize("group", ["myResourceGroupAG", "myResourceGroupAG-v1"])
def test_the_default_gateway_breaks_no_rule(user: User, group: str) -> None:
    loaded = load_gateway(gateways(ensure_sandbox(user, NOW))[group])

    assert rules.check(loaded, now=NOW) == []


def test_each_network_has_a_server_of_every_scenario_with_a_name(user: User) -> None:
    subscription = ensure_sandbox(user, NOW)

    for gateway in gateways(subscription).values():
        network = load_gateway(gateway).virtual_network
        assert network is not None
        servers = LabServer.objects.filter(virtual_network=network)
        assert [one.scenario for one in servers] == [one.id for one in SCENARIOS]
        named = set(
            ZoneRecord.objects.filter(virtual_network=network).values_list("name", "address")
        )
        assert named == {(one.fqdn, one.address) for one in servers}


def test_both_networks_present_the_same_certificates(user: User) -> None:
    subscription = ensure_sandbox(user, NOW)

    rows = LabServer.objects.filter(virtual_network__group__subscription=subscription)
    presented = set(rows.values_list("scenario", "presented"))
    assert len(presented) == len(SCENARIOS)


def test_the_user_owns_the_sandbox(user: User) -> None:
    subscription = ensure_sandbox(user, NOW)

    assert subscription.sandbox_of == user
    assert role_of(user, subscription) == Role.OWNER


def test_a_second_call_finds_the_sandbox(user: User) -> None:
    first = ensure_sandbox(user, NOW)
    before = Activity.objects.count()

    assert ensure_sandbox(user, NOW) == first
    assert Activity.objects.count() == before
    assert ResourceGroup.objects.count() == 2


def test_what_the_user_deleted_stays_deleted(user: User) -> None:
    subscription = ensure_sandbox(user, NOW)
    delete(gateways(subscription)["myResourceGroupAG"])

    ensure_sandbox(user, NOW)

    assert list(gateways(subscription)) == ["myResourceGroupAG-v1"]


def test_every_step_is_in_the_activity_log(user: User) -> None:
    ensure_sandbox(user, NOW)

    rows = list(Activity.objects.filter(user=user))
    assert {row.status for row in rows} == {"Succeeded"}
    assert {row.client for row in rows} == {"Lab"}
    assert sum(row.operation == "Create application gateway" for row in rows) == 2


def test_two_sandboxes_do_not_collide(user: User) -> None:
    first, second = ensure_sandbox(user, NOW), ensure_sandbox(make_user("bob"), NOW)

    found = PublicIPAddress.objects.values_list("address", flat=True)
    assert len(set(found)) == 4
    assert all(ip_address(one) in settings.GATEWRIGHT_LOOPBACK_RANGE for one in found)
    roots = LabServer.objects.filter(scenario="full-chain").values_list(
        "virtual_network__group__subscription", "root"
    )
    assert len(set(roots)) == 2
    assert {pk for pk, _ in roots} == {first.pk, second.pk}


def test_a_reset_puts_everything_back(user: User) -> None:
    subscription = ensure_sandbox(user, NOW)
    change(gateways(subscription)["myResourceGroupAG"], name="renamed")
    delete(gateways(subscription)["myResourceGroupAG-v1"].group)
    root = LabServer.objects.filter(scenario="full-chain").values_list("root", flat=True).first()

    assert reset_sandbox(user, NOW) == subscription

    found = gateways(subscription)
    assert {name: row.name for name, row in found.items()} == {
        "myResourceGroupAG": "myAppGateway",
        "myResourceGroupAG-v1": "myAppGateway",
    }
    again = set(LabServer.objects.filter(scenario="full-chain").values_list("root", flat=True))
    assert again == {root}
    assert Activity.objects.filter(operation="Reset sandbox").count() == 1


def test_a_reset_makes_a_missing_sandbox(user: User) -> None:
    assert len(gateways(reset_sandbox(user, NOW))) == 2


def test_a_reset_gives_a_lost_role_back(user: User) -> None:
    subscription = ensure_sandbox(user, NOW)
    subscription.role_assignments.all().delete()

    reset_sandbox(user, NOW)

    assert role_of(user, subscription) == Role.OWNER


def test_without_a_free_address_nothing_is_stored(user: User, settings: Settings) -> None:
    settings.GATEWRIGHT_LOOPBACK_RANGE = ip_network("127.9.0.0/28")

    with pytest.raises(SandboxError, match="got no address"):
        ensure_sandbox(user, NOW)

    assert not Subscription.objects.exists()
    assert not ResourceGroup.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_calls_at_the_same_time_make_one_sandbox() -> None:
    user = make_user("carol")
    found: list[object] = []

    def call() -> None:
        try:
            found.append(ensure_sandbox(user, NOW).pk)
        except Exception as error:
            found.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert set(found) == {Subscription.objects.get(sandbox_of=user).pk}
    assert ResourceGroup.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_users_arriving_together_get_addresses_of_their_own() -> None:
    users = [make_user() for _ in range(4)]
    errors: list[Exception] = []

    def call(user: User) -> None:
        try:
            ensure_sandbox(user, NOW)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert len(set(PublicIPAddress.objects.values_list("address", flat=True))) == 8
