"""Who uses what, and why something may not be deleted."""

from __future__ import annotations

import pytest

from gateway.models import (
    BackendAddressPool,
    BackendHttpSettings,
    FrontendIPConfiguration,
    FrontendPort,
    HttpListener,
    PathRule,
    RequestRoutingRule,
)
from gateway.rules import blockers, users
from tests import factories as make
from tests.factories import LISTENER, POOL, RULE, SETTINGS, loaded, v1_gateway, v2_gateway

pytestmark = pytest.mark.django_db


def ids(gateway, child) -> list[str]:
    return [problem.id for problem in blockers(loaded(gateway), child)]


def test_what_nothing_uses_may_go():
    gateway = v2_gateway()
    assert ids(gateway, make.add_pool(gateway, "spare")) == []
    assert ids(gateway, make.add_probe(gateway, "spare")) == []


def test_a_used_object_names_its_users_and_the_code_of_the_cloud():
    gateway = v2_gateway()
    make.add_pool(gateway, "spare")
    pool = make.find(gateway, BackendAddressPool, POOL)
    (problem,) = blockers(loaded(gateway), pool)
    assert problem.id == "in-use"
    assert problem.arm_code == "InvalidResourceReference"
    assert problem.message == f"Backend pool “{POOL}” is used by rule “{RULE}”."
    assert (problem.target.collection, problem.target.name) == ("backendAddressPools", POOL)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (BackendAddressPool, POOL),
        (BackendHttpSettings, SETTINGS),
        (HttpListener, LISTENER),
        (FrontendPort, make.FRONTEND_PORT),
        (FrontendIPConfiguration, make.FRONTEND_IP),
    ],
)
def test_the_last_one_that_is_in_use_has_two_reasons_to_stay(model, name):
    gateway = v1_gateway()
    assert ids(gateway, make.find(gateway, model, name)) == ["in-use", "collection-empty"]


def test_the_last_rule_stays_and_a_second_one_may_go():
    gateway = v2_gateway()
    rule = make.find(gateway, RequestRoutingRule, RULE)
    assert ids(gateway, rule) == ["collection-empty"]
    make.add_rule(gateway, "second", make.add_listener(gateway, "other", port=8080))
    assert ids(gateway, rule) == []


def test_certificates_are_used_through_links():
    gateway = v2_gateway()
    root = make.add_root(gateway, "root")
    authority = make.add_client_authority(gateway, "clients")
    assert ids(gateway, root) == ids(gateway, authority) == []
    settings = make.add_settings(gateway, "s", protocol="Https", roots=[root])
    profile = make.add_profile(gateway, "p", authority)
    assert users(loaded(gateway), root) == [settings]
    assert users(loaded(gateway), authority) == [profile]


def test_an_authentication_certificate_is_used_by_its_settings():
    gateway = v1_gateway()
    leaf = make.add_authentication_certificate(gateway, "leaf")
    other = make.add_root(gateway, "other")
    assert leaf.pk
    settings = make.add_settings(gateway, "s", protocol="Https", authentication=[leaf])
    everything = loaded(gateway)
    assert users(everything, leaf) == [settings]
    assert users(everything, other) == []


def test_path_rules_are_named_with_their_map():
    gateway = v2_gateway()
    redirect = make.add_redirect(gateway, "away")
    path_map = make.add_path_map(gateway, "map")
    rule = make.change(
        PathRule.objects.get(path_map=path_map),
        redirect_configuration=redirect,
        backend_address_pool=None,
        backend_http_settings=None,
    )
    (problem,) = blockers(loaded(gateway), redirect)
    assert problem.message == "Redirect “away” is used by path rule “images” of path map “map”."
    assert users(loaded(gateway), redirect) == [rule]


def test_a_listener_is_used_by_its_rule_and_by_redirects_to_it():
    gateway = v2_gateway()
    listener = make.add_listener(gateway, "other", port=8080)
    redirect = make.add_redirect(gateway, "r", target_listener=listener)
    rule = make.add_rule(gateway, "second", listener)
    assert users(loaded(gateway), listener) == [redirect, rule]


def test_something_used_twice_by_one_row_is_listed_once_and_many_users_are_counted():
    gateway = v2_gateway()
    pool = make.add_pool(gateway, "shared")
    path_map = make.add_path_map(gateway, "map", {}, backend_address_pool=pool)
    assert users(loaded(gateway), pool) == [path_map]
    for number in range(7):
        listener = make.add_listener(gateway, f"l{number}", port=8000 + number)
        make.add_rule(gateway, f"r{number}", listener, pool)
    (problem,) = blockers(loaded(gateway), pool)
    assert problem.message.endswith("and 3 more.")


def test_asking_makes_no_query(django_assert_num_queries):
    gateway = v2_gateway()
    make.add_settings(gateway, "s", protocol="Https", roots=[make.add_root(gateway, "root")])
    make.add_path_map(gateway, "map")
    everything = loaded(gateway)
    with django_assert_num_queries(0):
        for rows in everything.collections.values():
            for row in rows:
                blockers(everything, row)
