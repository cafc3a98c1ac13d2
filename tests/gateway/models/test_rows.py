"""Rows are read in a way of their own, and are no different for it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateway.models import ApplicationGateway, HttpListener, load_gateway, writing
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_a_row_that_was_read_equals_one_that_was_made():
    gateway = make.v2_gateway()
    made = make.add_listener(gateway, "www", host_names=["a.contoso.com"], opaque={"x": 1})
    read = HttpListener.objects.get(pk=made.pk)
    made = HttpListener(
        **{column.attname: getattr(made, column.attname) for column in made._meta.concrete_fields}
    )
    assert read == made
    values = {key: value for key, value in read.__dict__.items() if key != "_state"}
    assert values == {key: value for key, value in made.__dict__.items() if key != "_state"}
    assert read._state.db == "default"
    assert read._state.adding is False


def test_it_can_be_saved_read_again_and_followed():
    gateway = make.v2_gateway()
    row = HttpListener.objects.filter(gateway=gateway)[0]
    assert row.gateway == gateway
    row.protocol = "Https"
    row.gateway_id = row.gateway_id
    with writing():
        row.save()
    again = HttpListener.objects.get(pk=row.pk)
    assert again.protocol == "Https"
    with writing():
        HttpListener.objects.filter(pk=row.pk).update(protocol="Http")
    again.refresh_from_db()
    assert again.protocol == "Http"


def test_another_reference_is_followed_anew():
    gateway, other = make.v2_gateway(), make.v2_gateway(name="other")
    row = HttpListener.objects.filter(gateway=gateway)[0]
    assert row.gateway == gateway
    row.gateway_id = other.pk
    assert row.gateway == other


def test_columns_that_were_left_out_are_fetched_when_they_are_asked_for():
    gateway = make.v2_gateway()
    row = ApplicationGateway.objects.defer("tags").get(pk=gateway.pk)
    assert row.get_deferred_fields() == {"tags"}
    with CaptureQueriesContext(connection) as queries:
        assert row.tags == gateway.tags
    assert len(queries) == 1


def test_rows_do_not_share_what_they_hold():
    gateway = make.v2_gateway()
    make.add_listener(gateway, "www")
    first, second, *_ = load_gateway(gateway).listeners
    first.opaque["x"] = 1
    assert "x" not in second.opaque
    assert first._state is not second._state
