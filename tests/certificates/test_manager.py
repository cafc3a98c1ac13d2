"""The certificate manager: what a folder shows, where else to look, and deleting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from django.test import Client
from django.urls import reverse

from certificates.models import Folder, Store, StoredCertificate, StoredKey
from certificates.workshop.manager import folder_url, line_of
from certificates.x509.issuing.issue import make_root
from gateway.accounts.models import User
from tests.certificates import visits
from tests.certificates.visits import COMPUTER, USER, put, text
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NOW

PERSONAL, ROOTS, INTERMEDIATES = Folder.PERSONAL, Folder.ROOTS, Folder.INTERMEDIATES


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("anna")


@pytest.fixture
def client(user: User) -> Client:
    return visits.signed_in(user)


def page(client: Client, store: Store = USER, folder: Folder = PERSONAL, query: str = "") -> str:
    answer = client.get(folder_url(store, folder, query=query))
    assert answer.status_code == 200
    return text(answer)


def test_a_folder_shows_its_own_certificates_with_what_the_tool_tells_of_them(
    user: User, client: Client
) -> None:
    entry = put(user, makers.leaf(), key=True, friendly_name="my backend")
    put(user, makers.other_root(), ROOTS)
    shown = page(client)
    assert "Certificates - Current User" in shown
    assert "Personal\\Certificates" in shown
    for words in (makers.NAME, "Contoso Issuing CA", "Server Authentication", "my backend"):
        assert words in shown
    assert 'aria-label="with its private key"' in shown
    assert f"{makers.leaf().certificate.not_after:%Y-%m-%d}" in shown
    assert "Fabrikam Root" not in shown
    for view, names in (("view", ["entries"]), ("export", ["entries"]), ("entry-delete", [])):
        assert reverse(f"certificates:{view}", args=[*names, entry.pk]) in shown
    assert "Fabrikam Root" in page(client, folder=ROOTS)


def test_the_two_stores_have_their_names_and_their_entries_in_the_menu(client: Client) -> None:
    assert "Certificates - Local Computer" in page(client, COMPUTER)
    for store, label in ((USER, "Manage user certificates"), (COMPUTER, "computer certificates")):
        shown = page(client, store)
        assert label in shown
        current = shown.split('aria-label="Certificates"')[1].split('aria-current="page"')[1]
        assert label in current.split("</a>")[0]


def test_a_self_signed_certificate_is_marked_as_for_tests_and_a_root_in_its_folder_is_not(
    user: User,
) -> None:
    def marked(entry: StoredCertificate) -> bool:
        return line_of(entry, has_key=False, now=NOW).for_tests

    assert marked(put(user, makers.self_signed(ca=False)))
    assert marked(put(user, makers.self_signed(ca=False), ROOTS))
    assert marked(put(user, makers.root()))
    assert not marked(put(user, makers.root(), ROOTS))
    assert not marked(put(user, makers.leaf()))


def test_a_certificate_out_of_its_dates_says_so(user: User, client: Client) -> None:
    entry = put(user, makers.leaf())
    dates = makers.leaf().certificate
    for now, state in (
        (dates.not_before - timedelta(seconds=1), "not yet valid"),
        (dates.not_before, ""),
        (dates.not_after, ""),
        (dates.not_after + timedelta(seconds=1), "expired"),
    ):
        assert line_of(entry, has_key=False, now=now).state == state
    old = make_root("Old", now=datetime(2020, 1, 1, tzinfo=UTC), days=10)
    put(user, old)
    assert "Expired" in page(client)


def test_purposes_are_told_in_words_and_those_that_cannot_be_read_are_named_so(user: User) -> None:
    put(user, makers.leaf())
    put(user, makers.root())
    odd = makers.crafted((x509.ExtendedKeyUsage([Usage.CODE_SIGNING, Usage.CLIENT_AUTH]), False))
    damaged = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), b"\x01\x02\x03")
    put(user, odd)
    put(user, makers.crafted((damaged, False)))
    found = {
        line_of(row, has_key=False, now=NOW).purposes for row in StoredCertificate.objects.all()
    }
    assert found == {
        "Server Authentication",
        "<All>",
        "Code Signing, Client Authentication",
        "(unreadable)",
    }


def test_the_trusted_roots_tell_how_many_more_are_built_in(client: Client) -> None:
    assert "well-known authorities are built in" in page(client, folder=ROOTS)
    assert "built in" not in page(client)


# -- search, and looking elsewhere -----------------------------------------------------------------


def test_a_search_finds_by_name_issuer_friendly_name_and_thumbprint(
    user: User, client: Client
) -> None:
    put(user, makers.leaf(), friendly_name="My Web")
    put(user, makers.other_root())
    for query in (
        "backend.contoso",
        "ISSUING ca",
        "my web",
        makers.leaf().certificate.thumbprint,
        "contoso issuing backend",
    ):
        shown = page(client, query=query)
        assert "1 of 2 certificates" in shown, query
        assert "Fabrikam Root" not in shown


@pytest.mark.parametrize("query", ["", "backend.contoso"])
def test_000_A1b_what_lies_in_the_other_store_is_hinted_at(
    user: User, client: Client, query: str
) -> None:
    put(user, makers.leaf())
    shown = page(client, COMPUTER, query=query)
    assert f"“{makers.NAME}” is in Certificates - Current User\\Personal." in shown
    assert f'href="{folder_url(USER, PERSONAL, query=query)}"' in shown


def test_a_search_that_finds_nothing_here_looks_into_every_folder(
    user: User, client: Client
) -> None:
    put(user, makers.intermediate(), INTERMEDIATES)
    put(user, makers.root(), ROOTS, COMPUTER)
    shown = page(client, query="contoso")
    assert "“Contoso Issuing CA” is in Certificates - Current User\\Intermediate" in shown
    assert "“Contoso Root” is in Certificates - Local Computer\\Trusted Root" in shown


def test_a_hint_names_three_and_counts_the_others(user: User, client: Client) -> None:
    for number in range(5):
        put(user, makers.root(f"Root {number}"))
    shown = page(client, COMPUTER)
    assert "“Root 0”, “Root 1”, “Root 2” and 2 more are in Certificates - Current User" in shown


def test_an_empty_folder_hints_at_the_same_folder_of_the_other_store_alone(
    user: User, client: Client
) -> None:
    put(user, makers.root(), ROOTS)
    shown = page(client)
    assert "This folder is empty" in shown
    assert "Contoso Root" not in shown


def test_what_matches_nothing_anywhere_is_said_plainly_and_escaped(client: Client) -> None:
    answer = client.get(folder_url(USER, PERSONAL, query="<script>"))
    assert b'value="&lt;script&gt;"' in answer.content
    assert "Nothing in this folder matches “<script>”" in text(answer)


def test_a_certificate_without_a_friendly_name_says_so(user: User, client: Client) -> None:
    put(user, makers.leaf())
    assert b"&lt;None&gt;" in client.get(folder_url(USER, PERSONAL)).content


def test_names_in_a_certificate_are_escaped(user: User, client: Client) -> None:
    put(user, make_root("<b>bold</b>", now=NOW), friendly_name="<i>x</i>")
    answer = client.get(folder_url(USER, PERSONAL))
    assert b"<b>bold" not in answer.content
    assert b"<i>x" not in answer.content


# -- whose it is -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "/certificates/stores/current-user/attic/",
        "/certificates/stores/entries/5/",
        "/certificates/stores/nobody/personal/",
        "/certificates/stores/nobody/personal/import/",
    ],
)
def test_a_folder_that_does_not_exist_is_not_found(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_nobody_sees_or_deletes_what_is_anothers(user: User) -> None:
    entry = put(user, makers.leaf())
    other = visits.signed_in(User.objects.create_user("ben"))
    assert makers.NAME not in page(other)
    assert makers.NAME not in page(other, COMPUTER)
    url = reverse("certificates:entry-delete", args=[entry.pk])
    for answer in (other.get(url), other.post(url)):
        assert answer.status_code == 404
    assert StoredCertificate.objects.filter(pk=entry.pk).exists()


@pytest.mark.django_db
def test_every_page_wants_a_user() -> None:
    for url in (folder_url(USER, PERSONAL), reverse("certificates:entry-delete", args=[1])):
        answer = Client().get(url)
        assert answer.status_code == 302
        assert "/account/sign-in/" in answer["Location"]


# -- deleting --------------------------------------------------------------------------------------


def test_deleting_asks_first_and_tells_of_the_private_key(user: User, client: Client) -> None:
    with_key, without = put(user, makers.leaf(), key=True), put(user, makers.root(), ROOTS)
    asked = text(client.get(reverse("certificates:entry-delete", args=[with_key.pk])))
    assert "and its private key? Nobody can bring the key back" in asked
    asked = text(client.get(reverse("certificates:entry-delete", args=[without.pk])))
    assert "It can be imported again" in asked
    assert StoredCertificate.objects.count() == 2


def test_deleting_takes_the_key_along_and_leads_back_to_the_folder(
    user: User, client: Client
) -> None:
    entry = put(user, makers.leaf(), key=True)
    url = reverse("certificates:entry-delete", args=[entry.pk])
    answer = client.post(url, follow=True)
    assert answer.redirect_chain == [(folder_url(USER, PERSONAL), 302)]
    assert f"“{makers.NAME}” was deleted from Personal." in text(answer)
    assert not StoredKey.objects.exists()
    assert client.post(url).status_code == 404


@pytest.mark.parametrize("pk", [0, 2**63, 10**30])
def test_numbers_that_no_row_has_are_not_found(client: Client, pk: int) -> None:
    assert client.get(f"/certificates/stores/entries/{pk}/delete/").status_code == 404
    assert client.get(f"/certificates/files/{pk}/delete/").status_code == 404
    assert client.get(f"/certificates/files/{pk}/download/").status_code == 404
