"""Certificates that nothing refers to any more go, those in use or just taken into use stay."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext

from certificates import stores, unused
from certificates.authorities import keep_authority
from certificates.models import Authority, Certificate, Folder, Store, StoredCertificate, keep
from certificates.x509.issuing import issue
from tests import factories as make

LATER = make.NOW + unused.GRACE


def certificate(name: str) -> issue.Issued:
    return issue.make_root(name, now=make.NOW)


def swept(now: datetime = make.NOW, limit: int = 100) -> int:
    return unused.sweep(now, limit)


def names() -> set[str]:
    return {row.parsed.label for row in Certificate.objects.all()}


@pytest.mark.django_db
def test_what_nothing_refers_to_goes_after_a_day():
    keep([certificate("Left").certificate])
    assert swept() == 0
    assert swept(LATER - timedelta(seconds=1)) == 0
    assert swept(LATER) == 1
    assert not Certificate.objects.exists()


@pytest.mark.django_db
def test_whatever_refers_to_a_certificate_keeps_it():
    gateway = make.v2_gateway()
    make.add_root(gateway, "root")
    make.add_ssl_certificate(gateway, "www")
    make.add_authentication_certificate(make.v1_gateway(name="old"), "leaf")
    user = make.make_user()
    stores.add(user.pk, Store.CURRENT_USER, Folder.ROOTS, certificate("Stored").certificate)
    keep_authority(user.pk, "mine", certificate("Authority"))
    before = names()
    assert len(before) > 4
    swept()
    assert swept(LATER) == 0
    assert names() == before


@pytest.mark.django_db
def test_every_reference_to_a_certificate_is_known():
    # Rows of any application, also those whose reverse side has no name.
    referring = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model is Certificate
    }
    query = str(Certificate.objects.filter(unused._used()).query)
    assert len(referring) > 5
    assert query.count("EXISTS") == len(referring)
    for model, _ in referring:
        assert f'"{model._meta.db_table}"' in query


@pytest.mark.django_db
def test_one_that_is_used_again_is_no_longer_counted_as_unused():
    root = certificate("Again").certificate
    keep([root])
    swept()
    entry = stores.add(make.make_user().pk, Store.CURRENT_USER, Folder.ROOTS, root)
    assert Certificate.objects.get().unused_since is None
    entry.delete()
    swept(LATER)
    assert swept(LATER + timedelta(hours=1)) == 0, "its day begins anew"
    assert swept(LATER + unused.GRACE) == 1


@pytest.mark.django_db
def test_a_reference_that_came_another_way_is_noticed():
    root = certificate("Again").certificate
    (row,) = keep([root])
    swept()
    StoredCertificate.objects.create(
        owner=make.make_user(), store=Store.CURRENT_USER, folder=Folder.ROOTS, certificate=row
    )
    assert swept(LATER) == 0
    assert Certificate.objects.get().unused_since is None


@pytest.mark.django_db
def test_batches_are_bounded_and_so_are_queries():
    keep(certificate(f"Left {number}").certificate for number in range(5))
    swept()
    with CaptureQueriesContext(connection) as few:
        assert swept(LATER, limit=1) == 1
    keep(certificate(f"More {number}").certificate for number in range(5))
    swept()
    with CaptureQueriesContext(connection) as many:
        assert swept(LATER, limit=4) == 4
    assert len(many) <= len(few) + 2
    assert Certificate.objects.count() == 5


def _in_a_thread(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_one_that_is_just_taken_into_use_is_not_deleted():
    root = certificate("Wanted").certificate
    keep([root])
    swept()
    user = make.make_user()
    kept, go_on = threading.Event(), threading.Event()

    def take() -> None:
        with transaction.atomic():
            (row,) = keep([root])
            kept.set()
            go_on.wait(5)
            Authority.objects.create(owner=user, name="mine", certificate=row)

    taking = _in_a_thread(take)
    assert kept.wait(5)
    sweeping = _in_a_thread(lambda: swept(LATER))
    if connection.vendor != "sqlite":
        sweeping.join(5)
        assert not sweeping.is_alive(), "nobody is waited for"
    go_on.set()
    taking.join(5)
    sweeping.join(5)
    assert Authority.objects.get().certificate.parsed.label == "Wanted"


@pytest.mark.django_db(transaction=True)
def test_one_that_was_just_deleted_is_stored_anew(monkeypatch):
    root = certificate("Wanted").certificate
    keep([root])
    swept()
    stale = Certificate.objects.get()
    # The deletion comes between looking for it and taking it into use.
    plain = models.QuerySet.update

    def late(query, **fields):
        monkeypatch.setattr(models.QuerySet, "update", plain)
        assert swept(LATER) == 1
        return plain(query, **fields)

    monkeypatch.setattr(models.QuerySet, "update", late)
    (row,) = keep([root])
    assert row.pk != stale.pk or connection.vendor == "sqlite"
    assert Certificate.objects.get() == row
