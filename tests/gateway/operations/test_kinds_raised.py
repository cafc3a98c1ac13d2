"""Every kind of problem that the operations declare comes out of an operation."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from gateway.accounts.models import Role
from gateway.models import (
    ApplicationGateway,
    BackendHttpSettings,
    LoadedGateway,
    PublicIPAddress,
)
from gateway.operations import Caller, Outcome, change_gateway, change_resource, store
from gateway.operations.addresses import store_with_address
from gateway.problems import KINDS
from tests import factories as make
from tests.gateway.operations import puts

pytestmark = pytest.mark.django_db


def save(gateway: ApplicationGateway, *, by: Caller | None = None, etag: str = "") -> Outcome:
    """Add an HTTP setting whose name is that of the default one, in capitals."""

    def write(loaded: LoadedGateway) -> None:
        store(BackendHttpSettings(gateway=loaded.gateway, name=make.SETTINGS.upper()))

    caller = by or Caller(make.owner_of(gateway))
    return change_gateway(caller, gateway, operation="Save", write=write, etag=etag or None)


def reader_saves() -> Outcome:
    gateway = make.v2_gateway()
    reader = make.make_user()
    make.grant(gateway.group.subscription, reader, Role.READER)
    return save(gateway, by=Caller(reader))


def gateway_is_gone() -> Outcome:
    gateway = make.v2_gateway()
    gateway.pk += 1_000_000
    return save(gateway)


def addresses_run_out() -> Outcome:
    group = make.make_group()
    owner = make.make_user()
    make.grant(group.subscription, owner, Role.OWNER)

    def write() -> None:
        for number in range(32):
            store_with_address(PublicIPAddress(group=group, name=f"address{number}"))

    return change_resource(
        Caller(owner),
        group.subscription,
        resource_id=group.arm_id,
        resource_name=group.name,
        operation="Create public IP addresses",
        write=write,
    )


def address_is_taken() -> Outcome:
    first = make.v2_gateway()
    second = make.v2_gateway(first.group, name="second")
    body, other = puts.document_of(second), puts.document_of(first)
    body["properties"]["frontendIPConfigurations"][0]["properties"]["publicIPAddress"] = other[
        "properties"
    ]["frontendIPConfigurations"][0]["properties"]["publicIPAddress"]
    return puts.put(second, body)


def new_gateway_without_location() -> Outcome:
    gateway = make.v2_gateway()
    text = json.dumps(puts.document_of(gateway))
    body = json.loads(text.replace(f"/{gateway.name}", "/another"))
    body["name"] = "another"
    del body["location"]
    return puts.create(gateway.group, "another", body)


def put_elsewhere() -> Outcome:
    gateway = make.v2_gateway()
    return puts.put(gateway, {**puts.document_of(gateway), "location": "northeurope"})


def put_as_v1() -> Outcome:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    body["properties"]["sku"] = {"name": "Standard_Medium", "tier": "Standard", "capacity": 2}
    return puts.put(gateway, body)


def put_root_without_data() -> Outcome:
    gateway = make.v2_gateway()
    body = puts.document_of(gateway)
    body["properties"]["trustedRootCertificates"] = [{"name": "new", "properties": {}}]
    return puts.put(gateway, body)


HAPPENINGS: dict[str, Callable[[], Outcome]] = {
    "access-denied": reader_saves,
    "certificate-data-missing": put_root_without_data,
    "changed-meanwhile": lambda: save(make.v2_gateway(), etag="an older one"),
    "generation-fixed": put_as_v1,
    "location-fixed": put_elsewhere,
    "location-missing": new_gateway_without_location,
    "name-taken": lambda: save(make.v2_gateway()),
    "public-address-exhausted": addresses_run_out,
    "public-ip-taken": address_is_taken,
    "resource-gone": gateway_is_gone,
}


@pytest.mark.parametrize("id", HAPPENINGS)
def test_each_kind_happens_and_changes_nothing(id: str, settings: Settings) -> None:
    settings.GATEWRIGHT_LOOPBACK_RANGE = ip_network("127.9.0.0/27")
    outcome = HAPPENINGS[id]()
    assert [problem.kind for problem in outcome.errors] == [KINDS[id]]
    assert not outcome.changed
    assert outcome.activity is not None
    assert outcome.activity.problems == [id]
