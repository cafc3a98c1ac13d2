"""What would grow for ever is swept, in batches, and nothing that is still of use."""

from __future__ import annotations

import logging
import queue
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from certificates.models import Certificate, keep
from certificates.x509.issuing import issue
from gateway.accounts import links
from gateway.accounts.models import SignInLink, Subscription
from gateway.management import sweeping
from gateway.management.commands import worker
from gateway.models import Activity, EnrolmentToken
from tests import factories as make
from tests.factories import NOW

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "PAUSE_SECONDS", 0)


def sweep(now: datetime = NOW, batch: int = 3) -> int:
    return sweeping.sweep(now, threading.Event(), batch=batch)


def session(key: str, expires: datetime) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=expires)


def activities(subscription: Subscription, count: int, at: datetime = NOW) -> None:
    before = Activity.objects.count()
    Activity.objects.bulk_create(
        Activity(
            subscription=subscription,
            resource_id="/x",
            resource_name="x",
            operation=f"Save {before + number}",
            status=Activity.Status.SUCCEEDED,
            happened_at=at,
        )
        for number in range(count)
    )


@pytest.mark.django_db
def test_expired_sessions_go_and_living_ones_stay():
    for number in range(7):
        session(f"old{number}", NOW - timedelta(seconds=1))
    session("new", NOW + DAY)
    assert sweep() == 7
    assert [one.session_key for one in Session.objects.all()] == ["new"]


@pytest.mark.django_db
def test_links_go_a_day_after_they_were_used_or_ran_out():
    user = make.make_user()
    used = links.issue(user, now=NOW)
    assert links.redeem(used, now=NOW) == user
    SignInLink.objects.update(expires_at=NOW + 10 * DAY)
    links.issue(user, now=NOW)
    assert sweep(NOW + DAY) == 0
    assert sweep(NOW + DAY + timedelta(seconds=1)) == 1, "the used one"
    assert sweep(NOW + DAY + links.LIFETIME + timedelta(seconds=1)) == 1, "the one that ran out"
    assert not SignInLink.objects.exists()


@pytest.mark.django_db
def test_tokens_of_agents_go_a_day_after_they_ran_out():
    EnrolmentToken.objects.create(token_hash="a", expires_at=NOW)
    EnrolmentToken.objects.create(token_hash="b", expires_at=NOW + 2 * DAY)
    assert sweep(NOW + DAY + timedelta(seconds=1)) == 1
    assert [one.token_hash for one in EnrolmentToken.objects.all()] == ["b"]


@pytest.mark.django_db
def test_failed_sign_ins_go_when_they_no_longer_lock():
    for number in range(4):
        AccessAttempt.objects.create(
            username=f"user{number}", ip_address="127.0.0.1", failures_since_start=1
        )
    AccessAttempt.objects.update(attempt_time=NOW)
    assert sweep(NOW + settings.AXES_COOLOFF_TIME) == 0
    assert sweep(NOW + settings.AXES_COOLOFF_TIME + timedelta(seconds=1)) == 4
    assert not AccessAttempt.objects.exists()


@pytest.mark.django_db
def test_the_log_keeps_the_newest_of_each_subscription(monkeypatch):
    monkeypatch.setattr(sweeping, "ACTIVITIES", 5)
    first, second = make.make_subscription(name="first"), make.make_subscription(name="second")
    quiet = make.make_subscription(name="quiet")
    activities(first, 9)
    activities(second, 12)
    activities(quiet, 5)
    assert sweep() == 4 + 7
    for subscription in (first, second, quiet):
        assert Activity.objects.filter(subscription=subscription).count() == 5
    newest = Activity.objects.filter(subscription=second).order_by("pk")
    assert newest[0].operation == "Save 16"
    assert sweep() == 0


@pytest.mark.django_db
def test_the_log_keeps_a_year():
    subscription = make.make_subscription()
    activities(subscription, 7, NOW - sweeping.ACTIVITY_AGE - timedelta(seconds=1))
    activities(subscription, 2, NOW - sweeping.ACTIVITY_AGE)
    assert sweep() == 7
    assert Activity.objects.count() == 2


@pytest.mark.django_db
def test_certificates_that_nothing_refers_to_go():
    keep([issue.make_root("Left", now=NOW).certificate])
    assert sweep() == 0
    assert sweep(NOW + DAY) == 1
    assert not Certificate.objects.exists()


@pytest.mark.django_db
def test_where_nothing_is_due_nothing_is_written():
    make.v2_gateway()
    activities(make.make_subscription(), 3)
    sweep()
    with CaptureQueriesContext(connection) as queries:
        assert sweep() == 0
    assert len(queries) <= 2 * len(sweeping.PARTS)
    assert all(query["sql"].startswith("SELECT") for query in queries)


@pytest.mark.django_db
def test_a_batch_takes_as_many_queries_whatever_it_deletes():
    subscription = make.make_subscription()
    counts = []
    for size in (2, 200):
        activities(subscription, size, NOW - 2 * sweeping.ACTIVITY_AGE)
        with CaptureQueriesContext(connection) as queries:
            assert sweeping.old_activities(NOW, 500) == size
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_it_stops_between_two_batches():
    for number in range(5):
        session(f"old{number}", NOW - DAY)
    stop = threading.Event()
    stop.set()
    assert sweeping.sweep(NOW, stop) == 0
    assert Session.objects.count() == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fault", "said"),
    [(OperationalError("locked"), "broken off"), (ValueError("odd"), "Sweeping failed")],
)
def test_a_fault_waits_for_the_next_time(monkeypatch, caplog, fault, said):
    monkeypatch.setattr(sweeping, "FIRST_SECONDS", 0)
    monkeypatch.setattr(sweeping, "EACH_SECONDS", 0)
    session("old", NOW - DAY)
    stop = threading.Event()
    times = iter((fault, NOW))

    def clock() -> datetime:
        found = next(times, None)
        if isinstance(found, Exception):
            raise found
        if found is None:
            stop.set()
        return NOW

    thread = threading.Thread(target=sweeping.run, args=(stop,), kwargs={"clock": clock})
    with caplog.at_level(logging.WARNING):
        thread.start()
        thread.join(10)
    assert not thread.is_alive()
    assert said in caplog.text
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_may_sweep_at_once_while_somebody_writes():
    for number in range(40):
        session(f"old{number}", NOW - DAY)
    sweepers = [threading.Thread(target=_sweep_and_close) for _ in range(2)]
    for one in sweepers:
        one.start()
    for number in range(10):
        session(f"new{number}", NOW + DAY)
    for one in sweepers:
        one.join(20)
    assert Session.objects.count() == 10


def _sweep_and_close() -> None:
    try:
        sweep()
    finally:
        connection.close()


def test_the_worker_sweeps_beside_its_probes(monkeypatch):
    seen: list[str] = []
    swept_with: queue.Queue[threading.Event] = queue.Queue()
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    monkeypatch.setattr(worker.sweeping, "run", swept_with.put)

    def probe(self: Any, stop: threading.Event) -> None:
        seen.append("probed")
        assert swept_with.get(timeout=20) is stop

    monkeypatch.setattr(worker.Worker, "run", probe)
    call_command("worker")
    assert seen == ["probed"]
