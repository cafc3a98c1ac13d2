"""What a change of a gateway does, and what it never does."""

from collections.abc import Callable

import pytest

from gateway.accounts.models import Role, RoleAssignment
from gateway.models import (
    Activity,
    ApplicationGateway,
    BackendHttpSettings,
    HttpListener,
    LoadedGateway,
)
from gateway.operations import Caller, Rejected, change_gateway, store
from gateway.operations.change import NAME_TAKEN
from gateway.problems import at
from tests import factories

pytestmark = pytest.mark.django_db

Write = Callable[[LoadedGateway], None]


def set_timeout(seconds: int) -> Write:
    def write(loaded: LoadedGateway) -> None:
        settings = loaded.http_settings[0]
        settings.request_timeout = seconds
        store(settings)

    return write


def the_settings(gateway: ApplicationGateway) -> BackendHttpSettings:
    return BackendHttpSettings.objects.get(gateway=gateway)


def owner_of(gateway: ApplicationGateway) -> Caller:
    return Caller(factories.owner_of(gateway))


def test_a_change_moves_generation_and_tag_and_is_recorded_field_by_field() -> None:
    gateway = factories.v2_gateway()
    caller, tag, generation = owner_of(gateway), gateway.etag, gateway.generation
    outcome = change_gateway(
        caller, gateway, operation="Save it", write=set_timeout(77), now=factories.NOW
    )
    assert outcome.ok
    assert outcome.changed
    stored = ApplicationGateway.objects.get(pk=gateway.pk)
    assert stored.etag != tag
    assert stored.generation == generation + 1
    assert gateway.etag == stored.etag
    recorded = Activity.objects.get()
    assert (recorded.status, recorded.user, recorded.operation) == (
        "Succeeded",
        caller.user,
        "Save it",
    )
    [change] = recorded.changes
    assert "requestTimeout" in change["path"]
    assert (change["before"], change["after"]) == (30, 77)


def test_a_change_that_changes_nothing_leaves_no_trace() -> None:
    gateway = factories.v2_gateway()
    outcome = change_gateway(
        owner_of(gateway), gateway, operation="Save", write=set_timeout(30), now=factories.NOW
    )
    assert outcome.ok
    assert not outcome.changed
    assert ApplicationGateway.objects.get(pk=gateway.pk).etag == gateway.etag
    assert not Activity.objects.exists()


def test_an_error_of_the_rules_rolls_everything_back_and_is_recorded_by_id() -> None:
    gateway = factories.v2_gateway()

    def write(loaded: LoadedGateway) -> None:
        set_timeout(99)(loaded)
        listener = HttpListener(
            gateway=loaded.gateway,
            name="second",
            frontend_ip_configuration=loaded.frontend_ip_configurations[0],
            frontend_port=loaded.frontend_ports[0],
        )
        store(listener)

    outcome = change_gateway(
        owner_of(gateway), gateway, operation="Add", write=write, now=factories.NOW
    )
    assert not outcome.ok
    assert the_settings(gateway).request_timeout == 30
    assert not HttpListener.objects.filter(name="second").exists()
    failed = Activity.objects.get()
    assert failed.status == "Failed"
    assert failed.problems == [problem.id for problem in outcome.errors]
    assert failed.changes == []


def test_a_field_outside_its_range_is_refused_before_the_database_sees_it() -> None:
    gateway = factories.v2_gateway()
    outcome = change_gateway(
        owner_of(gateway), gateway, operation="Save", write=set_timeout(-5), now=factories.NOW
    )
    [problem] = outcome.errors
    assert problem.target.field == "request_timeout"
    assert problem.target.name == factories.SETTINGS


def test_a_name_is_taken_whatever_its_case() -> None:
    gateway = factories.v2_gateway()

    def write(loaded: LoadedGateway) -> None:
        store(BackendHttpSettings(gateway=loaded.gateway, name=factories.SETTINGS.upper()))

    outcome = change_gateway(
        owner_of(gateway), gateway, operation="Add", write=write, now=factories.NOW
    )
    assert [problem.kind for problem in outcome.errors] == [NAME_TAKEN]


def test_the_second_of_two_editors_is_told_who_saved_what() -> None:
    gateway = factories.v2_gateway()
    caller, seen = owner_of(gateway), gateway.etag
    change_gateway(caller, gateway, operation="Save first", write=set_timeout(40), etag=seen)
    outcome = change_gateway(
        caller, gateway, operation="Save second", write=set_timeout(50), etag=seen
    )
    assert outcome.conflict
    assert caller.user.username in outcome.errors[0].message
    assert "Save first" in outcome.errors[0].message
    assert the_settings(gateway).request_timeout == 40


def test_a_reader_may_not_change_and_the_attempt_is_recorded() -> None:
    gateway = factories.v2_gateway()
    reader = factories.make_user("reader")
    RoleAssignment.objects.create(
        user=reader, subscription=gateway.group.subscription, role=Role.READER
    )
    outcome = change_gateway(
        Caller(reader), gateway, operation="Save", write=set_timeout(40), now=factories.NOW
    )
    assert [problem.id for problem in outcome.errors] == ["access-denied"]
    assert the_settings(gateway).request_timeout == 30
    assert Activity.objects.get().problems == ["access-denied"]


def test_a_gateway_deleted_meanwhile_is_told_kindly() -> None:
    gateway = factories.v2_gateway()
    caller = owner_of(gateway)
    stale = ApplicationGateway.objects.select_related("group__subscription").get(pk=gateway.pk)
    stale.pk = 999_999
    outcome = change_gateway(caller, stale, operation="Save", write=set_timeout(40))
    assert [problem.id for problem in outcome.errors] == ["resource-gone"]


def test_what_a_write_rejects_comes_out_as_data() -> None:
    gateway = factories.v2_gateway()

    def write(loaded: LoadedGateway) -> None:
        set_timeout(40)(loaded)
        raise Rejected(at(NAME_TAKEN, "No."))

    outcome = change_gateway(owner_of(gateway), gateway, operation="Save", write=write)
    assert [problem.message for problem in outcome.errors] == ["No."]
    assert the_settings(gateway).request_timeout == 30
