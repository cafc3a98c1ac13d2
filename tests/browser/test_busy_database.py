"""A database that stays locked costs nobody what was typed."""

from __future__ import annotations

from contextlib import closing

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from gateway.accounts.models import User
from tests.browser.conftest import Portal, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections made from now on wait a tenth of a second for a lock."""
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", 0.1)


@pytest.fixture
def alone(
    owner: User, hasty: None, page: Page, live_server: object, tolerated: list[str], tmp_path
) -> Portal:
    """The owner at the portal, where no worker waits for the same lock."""
    tolerated += ["status of 503", "Error Code 503"]
    sign_in(page, owner, str(live_server))
    return Portal(page, owner, tmp_path)


def test_a_save_that_finds_the_database_locked_keeps_form_file_and_password(
    alone: Portal, page: Page
) -> None:
    page.goto(alone.address("v2") + "listeners/add/multi-site/")
    page.locator("#id_name").fill("patient")
    page.get_by_label("Host name", exact=True).fill("secure.contoso.test")
    alone.choose("Protocol", "HTTPS")
    alone.upload(alone.pfx("secure.contoso.test", "Secret12"))
    page.get_by_label("Certificate name", exact=True).fill("secure")
    page.get_by_label("Password", exact=True).fill("Secret12")
    add = page.get_by_role("button", name="OK", exact=True)

    with closing(connections.create_connection("default")) as other, other.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        add.click()
        toast = page.get_by_role("alert").filter(has_text="The portal is busy")
        expect(toast).to_contain_text("Nothing was saved. Try again")
        cursor.execute("ROLLBACK")
    expect(page.locator("#id_name")).to_have_value("patient")

    add.click()
    expect(page.get_by_role("row").filter(has_text="patient")).to_be_visible()
