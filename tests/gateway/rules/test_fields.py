"""Field problems, whatever a field holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    BackendHttpSettings,
    FrontendIPConfiguration,
    FrontendPort,
    HttpListener,
    LabServer,
    PathRule,
    Probe,
    PublicIPAddress,
    RedirectConfiguration,
    RequestRoutingRule,
    ResourceGroup,
    RewriteRule,
    RewriteRuleSet,
    Row,
    SslProfile,
    Subnet,
    UrlPathMap,
    VirtualNetwork,
    ZoneRecord,
)
from gateway.rules.fields import field_problems

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary(max_size=8)
    | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def rows() -> list[Row]:
    return [
        ApplicationGateway(name="g"),
        BackendAddress(pool=BackendAddressPool(name="p")),
        BackendHttpSettings(name="s"),
        FrontendIPConfiguration(name="f"),
        FrontendPort(name="p", port=80),
        HttpListener(name="l"),
        LabServer(),
        PathRule(path_map=UrlPathMap(name="m"), name="r"),
        Probe(name="p"),
        PublicIPAddress(name="a"),
        RedirectConfiguration(name="r"),
        RequestRoutingRule(name="r"),
        ResourceGroup(name="g"),
        RewriteRule(rule_set=RewriteRuleSet(name="s"), name="r"),
        SslProfile(name="p"),
        Subnet(),
        VirtualNetwork(name="v"),
        ZoneRecord(),
    ]


@given(st.data())
def test_no_value_of_any_field_raises(data: Any):
    row = data.draw(st.sampled_from(rows()))
    fields = [field for field in row._meta.concrete_fields if not field.is_relation]
    field = data.draw(st.sampled_from(fields))
    setattr(row, field.attname, data.draw(anything))
    for problem in field_problems(row):
        assert problem.message
        assert len(problem.message) < 600


@pytest.mark.parametrize(
    "row",
    [HttpListener(name="l"), Probe(name="p", host="a"), UrlPathMap(name="m"), SslProfile(name="s")],
)
def test_rows_with_their_defaults_have_no_problem(row: Row):
    assert field_problems(row) == []


def test_references_are_left_to_the_rules_of_the_whole_gateway():
    assert field_problems(RequestRoutingRule(name="r")) == []


def test_values_come_out_in_the_type_of_the_field():
    port = FrontendPort(name="p", port="8080")
    assert field_problems(port) == []
    assert port.port == 8080


def test_several_problems_of_a_row_are_all_told():
    found = field_problems(Probe(name="-", interval=0, timeout=0, path="x"))
    assert [problem.target.field for problem in found] == ["name", "path", "interval", "timeout"]
