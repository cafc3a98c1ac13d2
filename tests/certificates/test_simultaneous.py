"""Forms that are sent at the same moment: limits hold, names stay unique, nothing is lost.

Run on PostgreSQL, too: SQLite lets one writer in at a time, PostgreSQL would let all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.http import HttpResponse
from django.test import Client

from certificates import files, labca
from certificates.models import Authority, Folder, SavedFile, StoredCertificate
from certificates.workshop import imports
from certificates.x509.issuing import issue
from certificates.x509.places.export import base64_text
from gateway.accounts.models import User
from tests.certificates.visits import put, signed_in
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 4
IMPORT = "/certificates/stores/current-user/personal/import/"


def together(posts: list[Callable[[Client], HttpResponse]], user: User) -> list[int]:
    """Send all at once, each from a browser of its own; the status of each answer."""
    clients = [signed_in(user) for _ in posts]
    start = Barrier(len(posts))

    def send(number: int) -> int:
        try:
            start.wait(10)
            return posts[number](clients[number]).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(posts)) as threads:
        return sorted(threads.map(send, range(len(posts))))


def upload(name: str) -> Callable[[Client], HttpResponse]:
    content = base64_text(issue.make_root(name, now=NOW).certificate)

    def send(client: Client) -> HttpResponse:
        form = {"file": SimpleUploadedFile("a.cer", content), "place": "folder"}
        return client.post(IMPORT, form)  # type: ignore[return-value]

    return send


def save(pk: int, name: str, **more: str) -> Callable[[Client], HttpResponse]:
    form = {"format": "base64", "key": "no", "file_name": name, **more}
    return lambda client: client.post(f"/certificates/entries/{pk}/export/", form)  # type: ignore[return-value]


def test_no_more_certificates_are_imported_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imports, "MAX_STORED", 2)
    anna = User.objects.create_user("anna")
    answers = together([upload(f"Root {number}") for number in range(AT_ONCE)], anna)
    assert answers == [302, 302, 422, 422]
    assert StoredCertificate.objects.count() == 2


def test_the_same_certificate_imported_at_once_is_there_once() -> None:
    anna = User.objects.create_user("anna")
    one = upload("Root")
    assert together([one] * AT_ONCE, anna) == [302] * AT_ONCE
    assert StoredCertificate.objects.count() == 1


def test_no_more_files_are_exported_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 2)
    anna = User.objects.create_user("anna")
    entry = put(anna, issue.make_root("Root", now=NOW), Folder.ROOTS)
    answers = together([save(entry.pk, f"{number}.cer") for number in range(AT_ONCE)], anna)
    assert answers == [200, 200, 422, 422]
    assert SavedFile.objects.count() == 2


def test_one_name_is_one_file_in_whatever_case_it_is_written() -> None:
    anna = User.objects.create_user("anna")
    entry = put(anna, issue.make_root("Root", now=NOW), Folder.ROOTS)
    names = ["ROOT.cer", "root.cer", "Root.cer", "rooT.cer"]
    together([save(entry.pk, name, replace="on") for name in names], anna)
    assert SavedFile.objects.count() == 1


def test_no_more_authorities_are_made_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labca, "MAX_AUTHORITIES", 2)
    anna = User.objects.create_user("anna")

    def order(name: str) -> Callable[[Client], HttpResponse]:
        form = {"name": name, "key": "ec", "validity": "valid", "digest": "sha256"}
        return lambda client: client.post("/certificates/lab-ca/new/root/", form)  # type: ignore[return-value]

    answers = together([order(f"Root {number}") for number in range(AT_ONCE)], anna)
    assert answers == [302, 302, 422, 422]
    assert Authority.objects.count() == 2
