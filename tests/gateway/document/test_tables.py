"""The tables cover the models, so that no column is lost on the way out and in again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models

from gateway.document.shapes import Member, Shape
from gateway.document.tables import (
    BACK_REFERENCES,
    FIRST,
    LAST,
    SHAPES,
    SHAPES_IN_WRITING_ORDER,
    member_path,
)
from gateway.document.tables.backends import BACKEND_ADDRESSES
from gateway.document.tables.frontends import CUSTOM_ERRORS
from gateway.document.tables.routing import PATH_RULES, REWRITE_RULES
from gateway.models import ApplicationGateway, CustomError
from gateway.models.loading import CHILD_MODELS

# Columns of every row that the engine itself sets, and those that a document never shows.
STRUCTURAL = {"id", "gateway", "name", "position", "opaque"}
NOT_SHOWN = {
    "AuthenticationCertificate": {"certificate"},
    "TrustedRootCertificate": {"certificate"},
    # The kind of a target belongs to the portal; a diff shows it.
    "BackendAddress": {"kind", "pool"},
    "CustomError": {"listener"},
    "PathRule": {"path_map"},
    "RewriteRule": {"rule_set"},
}
GATEWAY_ITSELF = {
    "group",
    "location",
    "tags",
    "zones",
    "resource_guid",
    "etag",
    "generation",
    "created_at",
    "changed_at",
    "operational_state",
    "provisioning_state",
}


def fields(members: tuple[Member, ...]) -> set[str]:
    found = set()
    for member in members:
        found |= {member.field, member.presence} - {""} | fields(member.members)
    return found


def columns(model: type[models.Model]) -> set[str]:
    return {column.name for column in model._meta.concrete_fields} - STRUCTURAL


@pytest.mark.parametrize(
    "shape",
    [*SHAPES, BACKEND_ADDRESSES, CUSTOM_ERRORS, PATH_RULES, REWRITE_RULES],
    ids=lambda shape: shape.collection,
)
def test_every_column_of_a_child_has_a_member(shape: Shape) -> None:
    assert shape.model is not None
    missing = columns(shape.model) - fields(shape.members)
    assert missing == NOT_SHOWN.get(shape.model.__name__, set())


def test_every_column_of_the_gateway_has_a_member() -> None:
    assert columns(ApplicationGateway) - fields((*FIRST, *LAST)) == GATEWAY_ITSELF


def test_every_child_model_has_one_table() -> None:
    assert [shape.model for shape in SHAPES_IN_WRITING_ORDER] == list(CHILD_MODELS)
    assert {shape.collection for shape in SHAPES} == {one.collection for one in CHILD_MODELS}
    assert CUSTOM_ERRORS.model is CustomError


def test_no_two_members_of_a_table_have_one_name() -> None:
    def check(members: tuple[Member, ...]) -> None:
        names = [member.json.lower() for member in members]
        assert len(names) == len(set(names))
        for member in members:
            check(member.members)
            if member.of:
                check(member.of.members)

    check((*FIRST, *LAST))
    for shape in SHAPES:
        check(shape.members)


def test_a_back_reference_never_shadows_a_member() -> None:
    for shape in SHAPES:
        names = {member.json for member in shape.members}
        assert not names & set(BACK_REFERENCES[shape.collection])


def test_columns_know_their_path() -> None:
    expected: dict[tuple[str, str], Any] = {
        ("", "sku_tier"): "properties.sku.tier",
        ("sslProfiles", "has_client_auth"): "properties.clientAuthConfiguration",
        ("sslProfiles", "ssl_policy_name"): "properties.sslPolicy.policyName",
        ("urlPathMaps", "backend_address_pool"): "properties.defaultBackendAddressPool",
        ("probes", "nothing"): "",
        ("nothing", "name"): "",
    }
    assert {key: member_path(*key) for key in expected} == expected
