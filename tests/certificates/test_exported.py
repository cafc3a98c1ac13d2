"""The page of exported files, downloading and deleting."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from certificates.files import save_file
from certificates.models import Place, SavedFile
from certificates.workshop import exported
from certificates.workshop.exported import READ_BYTES, describe
from certificates.x509.issuing.issue import to_pem
from gateway.accounts.models import User
from tests.certificates import visits
from tests.certificates.test_imports import p7b
from tests.certificates.visits import text
from tests.certificates.x509 import makers

URL = "/certificates/files/"


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("anna")


@pytest.fixture
def client(user: User) -> Client:
    return visits.signed_in(user)


def test_what_a_file_holds_is_told_in_words() -> None:
    leaf = makers.leaf().certificate
    assert describe(to_pem(leaf)) == (makers.NAME, "Base-64", True)
    assert describe(leaf.der) == (makers.NAME, "DER", True)
    assert describe(p7b()) == (f"{makers.NAME} and 2 more", "PKCS #7", True)
    assert describe(b"hello") == ("No certificate", "", False)
    assert describe(b"") == ("No certificate", "", False)


def test_each_file_stands_at_its_place_with_what_can_be_done_with_it(
    user: User, client: Client
) -> None:
    row = save_file(user.pk, Place.DOCUMENTS, "leaf.cer", to_pem(makers.leaf().certificate))
    shown = text(client.get(URL))
    desktop, documents, downloads = shown.split('class="shelf"')[1:]
    assert "Nothing was exported to Desktop yet." in desktop
    assert "Nothing was exported to Downloads yet." in downloads
    for words in ("leaf.cer", makers.NAME, "Base-64", f"{len(row.data)}\xa0bytes"):
        assert words in documents
    for view, names in (("view", ["files"]), ("notepad", []), ("file-download", [])):
        assert reverse(f"certificates:{view}", args=[*names, row.pk]) in documents


def test_what_holds_no_certificate_opens_in_notepad(user: User, client: Client) -> None:
    row = save_file(user.pk, Place.DESKTOP, "note.txt", b"hello")
    shown = text(client.get(URL))
    assert f'href="{reverse("certificates:notepad", args=[row.pk])}" data-window' in shown
    assert reverse("certificates:view", args=["files", row.pk]) not in shown


def test_the_list_does_not_look_into_large_files_nor_into_too_many(
    user: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = to_pem(makers.leaf().certificate)
    save_file(user.pk, Place.DESKTOP, "big.cer", pem + b"\n" * READ_BYTES)
    for number in range(3):
        save_file(user.pk, Place.DESKTOP, f"{number}.cer", pem)
    monkeypatch.setattr(exported, "READ_TOTAL", 2 * len(pem))
    (desktop, *_) = exported.shelves(user.pk)
    told = {line.name: line.what for line in desktop.lines}
    assert told == {
        "0.cer": makers.NAME,
        "1.cer": makers.NAME,
        "2.cer": "Open it to see",
        "big.cer": "Open it to see",
    }
    # They open as certificates all the same.
    assert all(line.opens for line in desktop.lines)


@pytest.mark.parametrize("name", ["leaf.cer", "Größe (2) \U0001f600.p7b", "a'b;c.cer", "a%22b.cer"])
def test_a_download_is_the_file_as_it_was_saved(user: User, client: Client, name: str) -> None:
    row = save_file(user.pk, Place.DESKTOP, name, bytes(range(256)))
    answer = client.get(reverse("certificates:file-download", args=[row.pk]))
    assert answer.content == bytes(range(256))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment; filename")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_deleting_asks_first_and_then_deletes(user: User, client: Client) -> None:
    row = save_file(user.pk, Place.DESKTOP, "leaf.cer", b"1")
    url = reverse("certificates:file-delete", args=[row.pk])
    assert "Delete the file “leaf.cer”?" in text(client.get(url))
    assert SavedFile.objects.exists()
    answer = client.post(url, follow=True)
    assert answer.redirect_chain == [(URL, 302)]
    assert "“leaf.cer” was deleted." in text(answer)
    assert not SavedFile.objects.exists()


def test_nobody_reaches_the_files_of_others(user: User) -> None:
    row = save_file(user.pk, Place.DESKTOP, "leaf.cer", b"1")
    other = visits.signed_in(User.objects.create_user("ben"))
    assert "leaf.cer" not in text(other.get(URL))
    for view in ("file-download", "file-delete"):
        assert other.get(reverse(f"certificates:{view}", args=[row.pk])).status_code == 404
    assert other.post(reverse("certificates:file-delete", args=[row.pk])).status_code == 404
    assert SavedFile.objects.exists()
    assert Client().get(URL).status_code == 302
