"""Resource rows change through operations, and nowhere else."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

from gateway.models import BackendAddressPool, Row, WriteOutsideOperationsError, writing
from tests import factories

ROOT = Path(__file__).resolve().parents[3]
REPORTS = {"LabEndpoint", "HealthPlan", "Verdict", "ErrorPage"}  # written by engines
CARRIED = {"AgentState", "ListenerState", "TrafficMinute", "AccessLogLine"}  # reported by agents
REGISTER = {"Agent", "EnrolmentToken", "Installation"}  # the installation's own, no resources
LOG = {"Activity"}  # written with each operation, failed ones too

pytestmark = pytest.mark.django_db


def test_every_table_of_the_gateway_is_guarded_or_a_report() -> None:
    unguarded = {
        model.__name__
        for model in apps.get_app_config("gateway").get_models()
        if not issubclass(model, Row)
    }
    assert unguarded == REPORTS | CARRIED | REGISTER | LOG


def test_a_row_cannot_be_saved_or_deleted_outside_an_operation() -> None:
    gateway = factories.v2_gateway()
    pool = BackendAddressPool.objects.get(gateway=gateway)
    with pytest.raises(WriteOutsideOperationsError):
        pool.save()
    with pytest.raises(WriteOutsideOperationsError):
        pool.delete()
    with pytest.raises(WriteOutsideOperationsError):
        BackendAddressPool.objects.create(gateway=gateway, name="other")


def test_rows_cannot_be_written_in_bulk_outside_an_operation() -> None:
    gateway = factories.v2_gateway()
    pools = BackendAddressPool.objects.filter(gateway=gateway)
    fresh = BackendAddressPool(gateway=gateway, name="other")
    for write in (
        lambda: pools.update(name="x"),
        pools.delete,
        lambda: BackendAddressPool.objects.bulk_create([fresh]),
        lambda: BackendAddressPool.objects.bulk_update(list(pools), ["name"]),
        lambda: BackendAddressPool.objects.get_or_create(gateway=gateway, name="other"),
        lambda: BackendAddressPool.objects.update_or_create(gateway=gateway, name="other"),
    ):
        with pytest.raises(WriteOutsideOperationsError):
            write()
    assert pools.count() == 1


def test_the_permission_ends_with_the_operation() -> None:
    gateway = factories.v2_gateway()
    pool = BackendAddressPool.objects.get(gateway=gateway)
    with writing():
        pool.save()
    with pytest.raises(WriteOutsideOperationsError):
        pool.save()


def test_only_operations_open_the_lock() -> None:
    allowed = {Path("gateway/operations"), Path("gateway/models")}
    for path in [*ROOT.glob("gateway/**/*.py"), *ROOT.glob("certificates/**/*.py")]:
        place = path.relative_to(ROOT)
        if any(parent in allowed for parent in place.parents):
            continue
        names = {
            node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)
        }
        assert "writing" not in names, f"{place} opens the lock on rows"
