"""The gateways that everybody begins with."""

from __future__ import annotations

import pytest

from gateway import rules
from gateway.rules.fields import field_problems
from tests.factories import NOW, loaded, many_sites, v1_gateway, v2_gateway

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("make", [v1_gateway, v2_gateway])
def test_the_default_gateways_have_no_problem(make):
    assert rules.check(loaded(make()), now=NOW) == []


@pytest.mark.parametrize("make", [v1_gateway, v2_gateway])
def test_judging_makes_no_query(make, django_assert_num_queries):
    gateway = make()
    many_sites(gateway, 3)
    everything = loaded(gateway)
    with django_assert_num_queries(0):
        rules.check(everything, now=NOW)


def test_the_rules_of_fields_make_no_query(django_assert_num_queries):
    everything = loaded(v2_gateway())
    with django_assert_num_queries(0):
        for rows in everything.collections.values():
            for row in rows:
                assert field_problems(row) == []
