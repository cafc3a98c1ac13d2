"""Notepad: an exported file as an editor shows it, and copies from other programs."""

from __future__ import annotations

import re
from html import escape

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates import files
from certificates.files import save_file
from certificates.models import SavedFile
from certificates.x509.editor.damage import PROGRAMS
from certificates.x509.files.read import read_certificates
from gateway.accounts.models import User
from tests import factories
from tests.certificates.visits import signed_in, text
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NOW

pytestmark = pytest.mark.django_db

PEM = makers.leaf().certificate.pem.encode()


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certificates.workshop.notepad.timezone.now", lambda: NOW)


@pytest.fixture
def user() -> User:
    return factories.make_user()


def save(user: User, data: bytes, name: str = "backend.cer") -> SavedFile:
    return save_file(user.pk, "documents", name, data)


def address(file: SavedFile) -> str:
    return reverse("certificates:notepad", args=[file.pk])


def shown(user: User, data: bytes) -> str:
    answer = signed_in(user).get(address(save(user, data)))
    assert answer.status_code == 200
    return text(answer)


def test_what_a_gateway_reads_is_highlighted(user: User) -> None:
    page = shown(user, PEM)
    body = PEM.decode().split("-----")[2].strip()
    assert f'<mark class="notepad-body">{body}</mark>' in page
    assert "this is what a gateway reads" in page
    for words in ("UTF-8", "Unix (LF)", "backend.cer - Notepad"):
        assert words in page


def test_what_the_boxes_of_a_gateway_answer_stands_below(user: User) -> None:
    page = shown(user, PEM)
    assert re.findall(r"<span>(Accepted|Refused)</span>", page) == ["Accepted", "Refused"]
    assert reverse("portal:help", args=["root-is-leaf"]) in page


def test_a_binary_certificate_is_explained(user: User) -> None:
    page = shown(user, makers.leaf().certificate.der)
    assert "Not Base-64" in page
    assert "binary form (DER)" in page
    assert re.findall(r"<span>(Accepted|Refused)</span>", page) == ["Refused", "Refused"]


def test_markup_in_a_file_stays_text(user: User) -> None:
    answer = signed_in(user).get(address(save(user, b"<script>alert(1)</script>")))
    assert b"<script>alert" not in answer.content


@pytest.mark.parametrize("how", PROGRAMS)
def test_a_copy_from_another_program_lies_beside_the_file_and_opens(user: User, how: str) -> None:
    file = save(user, PEM)
    answer = signed_in(user).post(address(file), {"how": how})
    words, _ = PROGRAMS[how]
    copy = SavedFile.objects.exclude(pk=file.pk).get()
    assert answer.status_code == 302
    assert answer["Location"] == address(copy)
    assert (copy.place, copy.name) == ("documents", f"backend ({words}).cer")
    assert bytes(copy.data) != PEM
    assert bytes(SavedFile.objects.get(pk=file.pk).data) == PEM
    page = text(signed_in(user).get(address(copy)))
    for problem in read_certificates(bytes(copy.data)).problems:
        assert reverse("portal:help", args=[problem.id]) in page


def test_a_second_copy_takes_the_place_of_the_first(user: User) -> None:
    file = save(user, PEM)
    for _ in range(2):
        signed_in(user).post(address(file), {"how": "utf16"})
    assert SavedFile.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "copied"),
    [("noending", "noending (UTF-16)"), ("x" * 116 + ".cer", "x" * 107 + " (UTF-16).cer")],
)
def test_the_name_of_a_copy_is_as_long_as_names_may_be(user: User, name: str, copied: str) -> None:
    file = save(user, PEM, name)
    signed_in(user).post(address(file), {"how": "utf16"})
    assert SavedFile.objects.exclude(pk=file.pk).get().name == copied


@pytest.mark.parametrize(
    ("data", "how", "words"),
    [
        (makers.leaf().certificate.der, "utf16", "short text file"),
        (b"words", "utf16", "damaged already"),
        (PEM, "", "Choose one of the programs"),
        (PEM, "fax", "Choose one of the programs"),
    ],
)
def test_a_copy_that_cannot_be_made_says_why(user: User, data: bytes, how: str, words: str) -> None:
    file = save(user, data)
    answer = signed_in(user).post(address(file), {"how": how})
    assert answer.status_code == 422
    assert words in text(answer)
    assert SavedFile.objects.count() == 1


def test_a_full_disk_is_told(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    file = save(user, PEM)
    monkeypatch.setattr(files, "MAX_FILES", 1)
    answer = signed_in(user).post(address(file), {"how": "utf16"})
    assert answer.status_code == 422
    assert "exported files already" in text(answer)


def test_strangers_and_the_signed_out_see_nothing(user: User, client) -> None:  # type: ignore[no-untyped-def]
    file = save(user, PEM)
    stranger = signed_in(factories.make_user())
    for method in ("get", "post"):
        assert getattr(stranger, method)(address(file)).status_code == 404
        assert getattr(client, method)(address(file)).status_code == 302
    assert signed_in(user).put(address(file)).status_code == 405


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=300), how=st.one_of(st.sampled_from(sorted(PROGRAMS)), st.text()))
def test_no_file_and_no_program_is_a_fault_of_the_server(data: bytes, how: str) -> None:
    user = User.objects.first() or factories.make_user()
    file = save(user, data)
    assert signed_in(user).get(address(file)).status_code == 200
    assert signed_in(user).post(address(file), {"how": how}).status_code in {302, 422}
    assert (
        signed_in(user).get(reverse("certificates:view", args=["files", file.pk])).status_code
        == 200
    )


def test_a_name_is_escaped(user: User) -> None:
    file = save(user, PEM, "a & b.cer")
    assert escape("a & b.cer - Notepad").encode() in signed_in(user).get(address(file)).content
