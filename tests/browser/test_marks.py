"""What a page says of itself while one works: counts, marks, previews, and a 502 foreseen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from gateway.models import LabServer
from tests.browser.conftest import Portal
from tests.browser.test_accessibility import faults, overflow

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_count_of_targets_follows_the_rows(portal: Portal, page: Page) -> None:
    page.goto(portal.address("v2") + "pools/add/")
    count = page.locator("[data-rows-count]")
    expect(count).to_have_text("0 items")
    for number in range(2):
        page.locator(f"#id_targets-{number}-target").fill(f"s{number}.contoso.test")
    expect(count).to_have_text("2 items")
    page.get_by_role("button", name="Delete this row").first.click()
    expect(count).to_have_text("1 item")


def test_what_is_unsaved_stays_marked_after_a_refused_save(portal: Portal, page: Page) -> None:
    portal.open_default_setting("v2")
    protocol = page.get_by_role("group", name="Protocol")
    portal.choose("Protocol", "HTTPS")
    expect(protocol).to_have_class(re.compile("is-edited"))
    portal.save()
    expect(page.locator(".error-summary")).to_be_visible()
    expect(protocol).to_have_class(re.compile("is-edited"))
    affinity = page.get_by_role("group", name="Cookie based affinity")
    expect(affinity).not_to_have_class(re.compile("is-edited"))


def test_the_preview_of_a_pfx_file_follows_the_password_as_it_is_typed(
    portal: Portal, page: Page
) -> None:
    page.goto(portal.address("v2") + "listeners/add/multi-site/")
    portal.choose("Protocol", "HTTPS")
    portal.upload(portal.pfx("secure.contoso.test", "1aB2cd"))
    password = page.get_by_label("Password", exact=True)
    password.focus()
    page.keyboard.type("1aB2cd")
    expect(portal.preview).to_contain_text("secure.contoso.test", timeout=20_000)
    expect(password).to_be_focused()


def test_a_healthy_server_that_gives_users_a_502_is_marked_in_the_report(
    portal: Portal, page: Page
) -> None:
    server = LabServer.objects.select_related("root").get(
        virtual_network__group=portal.gateway("v2").group, name="full-chain"
    )
    assert server.root is not None
    root = portal.file("root.cer", server.root.parsed.pem.encode())
    portal.open_default_setting("v2")
    portal.choose("Protocol", "HTTPS")
    page.locator("#id_certificate_name").fill("root")
    portal.upload(root)
    portal.save()
    row = portal.expect_health("full-chain.contoso.test", "Healthy")
    expect(row).to_contain_text("Users get 502", timeout=20_000)
    expect(page.get_by_text("1 healthy server whose users get 502")).to_be_visible()
    assert faults(page) == []
    page.set_viewport_size({"width": 400, "height": 800})
    assert overflow(page) == []
    row.get_by_role("link", name=re.compile("^Users ask for a name")).click()
    expect(
        page.get_by_role("heading", name="What the probe asks, and what users ask")
    ).to_be_visible()
