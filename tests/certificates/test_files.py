"""Exported files: their names, their places, and how many there may be."""

from __future__ import annotations

import pytest

from certificates import files
from certificates.files import FileRefusedError, check_name, find_file, save_file
from certificates.models import Place, SavedFile
from gateway.accounts.models import User


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("anna")


@pytest.mark.parametrize(
    "name", ["leaf.cer", "  leaf.cer", "Ünïcode (2).p7b", ".hidden", "x" * 120]
)
def test_a_name_that_windows_takes_is_taken(name: str) -> None:
    assert check_name(name) == name.lstrip()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Enter a file name"),
        ("   ", "Enter a file name"),
        ("a/b.cer", "cannot hold"),
        ("C:\\b.cer", "cannot hold"),
        ('what?*"<>|', "cannot hold"),
        ("leaf.", "dot or a blank"),
        ("leaf.cer ", "dot or a blank"),
        ("con", "device"),
        ("Nul.cer", "device"),
        ("COM1 .cer", "device"),
        ("lpt9.tar.gz", "device"),
        ("a\x00b.cer", "cannot be seen"),
        ("a\nb.cer", "cannot be seen"),
        ("a\u202eb.cer", "cannot be seen"),
        ("x" * 121, "120 characters"),
    ],
)
def test_a_name_that_windows_refuses_is_refused_with_a_reason(name: str, words: str) -> None:
    with pytest.raises(FileRefusedError, match=words):
        check_name(name)


def test_a_file_of_the_same_name_is_replaced_in_whatever_case_it_is_written(user: User) -> None:
    first = save_file(user.pk, Place.DESKTOP, "Größe.cer", b"old")
    second = save_file(user.pk, "desktop", "GRÖSSE.CER", b"new")
    assert first.pk == second.pk
    row = SavedFile.objects.get()
    assert (row.name, bytes(row.data)) == ("GRÖSSE.CER", b"new")


def test_the_same_name_at_another_place_or_of_another_user_is_another_file(user: User) -> None:
    other = User.objects.create_user("ben")
    save_file(user.pk, Place.DESKTOP, "leaf.cer", b"1")
    save_file(user.pk, Place.DOCUMENTS, "leaf.cer", b"2")
    save_file(other.pk, Place.DESKTOP, "leaf.cer", b"3")
    assert SavedFile.objects.count() == 3
    found = find_file(user.pk, Place.DOCUMENTS, "LEAF.cer")
    assert found is not None
    assert bytes(found.data) == b"2"
    assert find_file(user.pk, Place.DOWNLOADS, "leaf.cer") is None


def test_a_place_that_does_not_exist_and_too_many_bytes_are_refused(user: User) -> None:
    with pytest.raises(FileRefusedError, match="Desktop"):
        save_file(user.pk, "basement", "leaf.cer", b"1")
    with pytest.raises(FileRefusedError, match="can be kept"):
        save_file(user.pk, Place.DESKTOP, "leaf.cer", b"1" * (files.MAX_BYTES + 1))


def test_all_files_together_have_a_limit_and_one_of_them_may_be_replaced(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_TOTAL", 10)
    save_file(user.pk, Place.DESKTOP, "1.cer", b"1" * 6)
    save_file(user.pk, Place.DOWNLOADS, "2.cer", b"2" * 4)
    save_file(user.pk, Place.DESKTOP, "1.cer", b"again!")
    with pytest.raises(FileRefusedError, match="more than 10 bytes"):
        save_file(user.pk, Place.DESKTOP, "1.cer", b"1" * 7)
    with pytest.raises(FileRefusedError, match="more than 10 bytes"):
        save_file(user.pk, Place.DESKTOP, "3.cer", b"3")


def test_a_user_who_has_the_most_files_may_still_replace_one(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 2)
    save_file(user.pk, Place.DESKTOP, "1.cer", b"1")
    save_file(user.pk, Place.DOWNLOADS, "2.cer", b"2")
    save_file(user.pk, Place.DESKTOP, "1.cer", b"again")
    with pytest.raises(FileRefusedError, match="2 exported files"):
        save_file(user.pk, Place.DESKTOP, "3.cer", b"3")
