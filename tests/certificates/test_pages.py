"""The pages of the workshop are found by what they are, and by what Windows calls them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from certificates.workshop.pages import find
from gateway.accounts.models import User
from gateway.portal.frame import main_menu
from tests.certificates.visits import signed_in, text

USER_STORE = "/certificates/stores/current-user/personal/"
COMPUTER_STORE = "/certificates/stores/local-computer/personal/"


@pytest.mark.parametrize(
    ("query", "url"),
    [
        ("certmgr", USER_STORE),
        ("CertMgr.msc", USER_STORE),
        ("manage user certificates", USER_STORE),
        ("certificates - current user", USER_STORE),
        ("certlm", COMPUTER_STORE),
        ("local computer", COMPUTER_STORE),
        ("certificate manager", USER_STORE),
        ("export certificate", USER_STORE),
        ("import pfx", USER_STORE),
        ("desktop", "/certificates/files/"),
        ("decoder", "/certificates/decoder/"),
        ("lab ca", "/certificates/lab-ca/"),
    ],
)
def test_a_tool_is_found_by_its_names(query: str, url: str) -> None:
    assert url in [page.url for page in find(query)]


@pytest.mark.parametrize("query", ["", "   ", "certmgr banana"])
def test_what_names_no_tool_finds_none(query: str) -> None:
    assert find(query) == []


@pytest.mark.django_db
def test_the_search_of_the_portal_leads_to_the_tool() -> None:
    client = signed_in(User.objects.create_user("anna"))
    shown = text(client.get(reverse("portal:search"), {"q": "certmgr"}))
    assert f'href="{USER_STORE}">Manage user certificates' in shown


def test_the_main_menu_leads_to_the_users_store() -> None:
    (entry,) = [link for link in main_menu(USER_STORE) if link.label == "Certificates"]
    assert (entry.url, entry.shortcut, entry.current) == (USER_STORE, "g c", True)


@pytest.mark.django_db
def test_the_address_of_the_workshop_alone_leads_to_the_users_store() -> None:
    answer = signed_in(User.objects.create_user("anna")).get("/certificates/")
    assert (answer.status_code, answer.headers["Location"]) == (302, USER_STORE)
