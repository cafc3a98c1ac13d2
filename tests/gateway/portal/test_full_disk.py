"""A database that cannot grow: words, nothing half saved, and all is well once there is room."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper
from django.test import Client

from gateway.busy import is_busy, is_full
from gateway.models import Activity, ApplicationGateway, BackendAddress, BackendAddressPool
from tests import factories
from tests.gateway.portal import visits

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's size has no limit"),
]

TARGETS = 1000  # so many rows need pages of their own


@pytest.fixture
def gateway() -> ApplicationGateway:
    return factories.v2_gateway()


@pytest.fixture
def client(gateway: ApplicationGateway) -> Client:
    found = visits.visitor(gateway)
    found.raise_request_exception = False
    return found


def inserted(cursor: CursorWrapper, size: int) -> bool:
    try:
        cursor.execute("INSERT INTO filler VALUES (zeroblob(%s))", [size])
    except OperationalError:
        return False
    return True


@contextmanager
def full_disk() -> Iterator[None]:
    """The database may not become larger, and has no free page left."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE filler (text BLOB)")
        [pages] = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            for size in (100_000, 4_000, 400):
                while inserted(cursor, size):
                    pass
            yield
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
            cursor.execute("DROP TABLE filler")


@pytest.mark.parametrize("htmx", [False, True])
def test_a_save_on_a_full_disk_is_told_and_nothing_is_half_saved(gateway, client, htmx, caplog):
    url = visits.address(gateway, "pools-add")
    data = {**visits.drawn(client, url), "name": "many", "targets-TOTAL_FORMS": str(TARGETS)}
    for number in range(TARGETS):
        data[f"targets-{number}-kind"] = "address"
        data[f"targets-{number}-target"] = f"10.0.{1 + number // 250}.{1 + number % 250}"
    before = (gateway.etag, BackendAddress.objects.count())
    with full_disk():
        answer = visits.send(client, url, data, htmx=htmx)
        text = visits.said(answer)
        assert answer.status_code == 507, text
        assert "The disk is full" in text
        assert "Nothing was saved." in text
        assert ("<html" not in text) is htmx
        assert not connection.in_atomic_block
        assert client.get(visits.address(gateway, "pools")).status_code == 200
    gateway.refresh_from_db()
    assert (gateway.etag, BackendAddress.objects.count()) == before
    assert not BackendAddressPool.objects.filter(name="many").exists()
    assert not Activity.objects.exists()
    told = [record for record in caplog.records if record.name == "django.request"]
    assert [record.exc_info for record in told] == [None]
    assert visits.send(client, url, data).status_code == 302, "there is room again"
    assert BackendAddress.objects.filter(pool__name="many").count() == TARGETS


def test_a_full_disk_is_not_taken_for_a_busy_database():
    with full_disk(), pytest.raises(OperationalError) as caught, connection.cursor() as cursor:
        cursor.execute("INSERT INTO filler VALUES (zeroblob(100000))")
    assert is_full(caught.value)
    assert not is_busy(caught.value)
    assert not is_full(sqlite3.OperationalError("no such table: missing"))
