"""A database that stays locked or goes away: words and a second try, never a fault of ours."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.test import Client

from gateway.busy import is_busy
from gateway.models import Activity, ApplicationGateway
from tests import factories
from tests.gateway.portal import visits

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_MS = 100


@pytest.fixture
def gateway() -> ApplicationGateway:
    return factories.v2_gateway()


@pytest.fixture
def client(gateway: ApplicationGateway) -> Client:
    """Somebody signed in, in a process with little patience."""
    found = visits.visitor(gateway)
    found.raise_request_exception = False
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        else:
            cursor.execute(f"SET lock_timeout = {PATIENCE_MS}")
    yield found
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
    connection.close()


@contextmanager
def locked(*statements: str) -> Iterator[None]:
    """Another process in the midst of a transaction: on SQLite any write locks out all others."""
    other = connections.create_connection("default")
    with closing(other), other.cursor() as cursor:
        cursor.execute("BEGIN")
        for statement in statements:
            cursor.execute(statement)
        yield
        cursor.execute("ROLLBACK")


def probe(gateway: ApplicationGateway, client: Client) -> Callable[..., Any]:
    url = visits.address(gateway, "probes-add")
    data = {**visits.drawn(client, url), "name": "patient", "host": "www.contoso.com"}
    return lambda **options: visits.send(client, url, data, **options)


TOUCH = "UPDATE gateway_applicationgateway SET name = name"


@pytest.mark.parametrize("htmx", [False, True])
def test_a_save_that_finds_the_gateway_locked_is_told_and_saves_nothing(gateway, client, htmx):
    save = probe(gateway, client)
    with locked(TOUCH):
        answer = save(htmx=htmx)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    text = visits.said(answer)
    assert "The portal is busy" in text
    assert "Nothing was saved." in text
    assert ("<html" not in text) is htmx
    assert not Activity.objects.exists()
    assert save().status_code == 302, "the second try goes through"


def test_it_is_one_line_of_the_log(gateway, client, caplog):
    save = probe(gateway, client)
    with locked(TOUCH), caplog.at_level(logging.WARNING):
        save()
    assert [record.exc_info for record in caplog.records] == [None]


def test_a_session_that_cannot_be_saved_says_that_the_change_may_have_been(
    gateway, client, monkeypatch
):
    save = probe(gateway, client)
    with ExitStack() as held:
        other = locked("UPDATE django_session SET expire_date = expire_date")
        # Whoever locks the session does so after the change and before its toast is kept.
        monkeypatch.setattr("gateway.operations.change.wake", lambda: held.enter_context(other))
        answer = save()
    assert answer.status_code == 503
    assert "it may have been saved" in visits.said(answer)
    assert Activity.objects.filter(status=Activity.Status.SUCCEEDED).exists()


def test_who_was_signed_out_meanwhile_is_not_told_that_nothing_was_saved(
    gateway, client, monkeypatch
):
    save = probe(gateway, client)
    monkeypatch.setattr("gateway.operations.change.wake", Session.objects.all().delete)
    answer = save()
    assert answer.status_code == 400
    assert "You were signed out meanwhile" in visits.said(answer)
    assert "it may have been saved" in visits.said(answer)


def test_a_page_says_nothing_of_saving(gateway, client):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's readers wait for nobody")
    with locked("LOCK TABLE gateway_applicationgateway"):
        answer = client.get(visits.address(gateway, "overview"))
    assert answer.status_code == 503
    text = visits.said(answer)
    assert "did not answer in time." in text
    assert "Nothing was saved" not in text
    assert "Try again" in text


def test_a_connection_that_is_lost_is_no_fault_of_ours_and_the_next_request_gets_another(
    gateway, client
):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no connection to lose")
    url = visits.address(gateway, "overview")
    client.get(url)
    other = connections.create_connection("default")
    with closing(other), other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert client.get(url).status_code == 503
    connection.close()
    assert client.get(url).status_code == 200


def test_a_fault_of_ours_stays_one():
    assert not is_busy(None)
    assert not is_busy(ValueError("no"))
    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM missing")
    assert not is_busy(caught.value)
    assert is_busy(InterfaceError("connection already closed")) == (connection.vendor != "sqlite")


def test_two_changes_that_wait_for_each_other_are_no_fault(gateway):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    second = factories.v2_gateway(name="other")
    met = threading.Barrier(2)
    raised: list[BaseException] = []

    def change(first: int, then: int) -> None:
        try:
            with transaction.atomic():
                ApplicationGateway.objects.select_for_update().get(pk=first)
                met.wait(60)
                ApplicationGateway.objects.select_for_update().get(pk=then)
        except OperationalError as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=change, args=pair)
        for pair in ((gateway.pk, second.pk), (second.pk, gateway.pk))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(raised) == 1
    assert is_busy(raised[0])
