"""The certificate dialog and Notepad in the browser: by mouse, by keyboard, without script."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from certificates.files import save_file
from certificates.models import Folder, Place, SavedFile, Store
from certificates.stores import add
from certificates.x509.editor.damage import damage
from certificates.x509.issuing.issue import to_pem
from gateway.accounts.models import User
from tests.browser.conftest import sign_in
from tests.certificates.x509 import makers
from tests.conftest import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

LEAF, CA, ROOT = (one().certificate for one in (makers.leaf, makers.intermediate, makers.root))


@pytest.fixture
def owner(transactional_db: None) -> User:
    """Somebody with a chain in the stores and the leaf as a file, and no sandbox."""
    user = User.objects.create_user("anna")
    add(user.pk, Store.CURRENT_USER, Folder.INTERMEDIATES, CA)
    add(user.pk, Store.CURRENT_USER, Folder.ROOTS, ROOT)
    save_file(user.pk, Place.DESKTOP, "backend.cer", to_pem(LEAF))
    return user


@pytest.fixture
def files(page: Page, owner: User, live_server: Any) -> Page:
    sign_in(page, owner, str(live_server))
    page.goto("/certificates/files/")
    return page


def window(page: Page, name: str) -> Locator:
    return page.get_by_role("dialog", name=name)


def test_the_path_is_climbed_with_the_keyboard_alone(files: Page) -> None:
    page = files
    page.get_by_role("link", name="backend.cer").press("Enter")
    dialog = window(page, f"Certificate: {makers.NAME}")
    expect(dialog.get_by_role("tab", name="General")).to_be_focused()
    page.keyboard.press("End")
    expect(dialog.get_by_role("tab", name="Certification Path")).to_be_focused()
    page.keyboard.press("Tab")
    leaf, issuing, root = (
        dialog.get_by_role("treeitem", name=one.label) for one in (LEAF, CA, ROOT)
    )
    expect(leaf).to_be_focused()
    expect(leaf).to_have_attribute("aria-selected", "true")
    button = dialog.get_by_role("button", name="View Certificate")
    expect(button).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("ArrowUp")
    expect(issuing).to_be_focused()
    page.keyboard.press("Home")
    expect(root).to_be_focused()
    expect(dialog.get_by_role("status")).to_contain_text("Trusted Root Certification Authorities")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Space")
    second = window(page, "Certificate: Contoso Root")
    expect(second).to_be_visible()
    # The windows lie over each other; each closes alone and gives the focus back.
    page.keyboard.press("Escape")
    expect(second).to_be_hidden()
    expect(button).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_place_of_the_path_opens_by_double_click_and_by_enter(files: Page) -> None:
    page = files
    page.get_by_role("link", name="backend.cer").click()
    dialog = window(page, f"Certificate: {makers.NAME}")
    dialog.get_by_role("tab", name="Certification Path").click()
    dialog.get_by_role("treeitem", name=CA.label).dblclick()
    expect(window(page, f"Certificate: {CA.label}")).to_be_visible()
    page.keyboard.press("Escape")
    dialog.get_by_role("treeitem", name=ROOT.label).press("Enter")
    expect(window(page, f"Certificate: {ROOT.label}")).to_be_visible()


def test_fields_are_chosen_narrowed_and_copied(files: Page) -> None:
    page = files
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="backend.cer").click()
    dialog = window(page, f"Certificate: {makers.NAME}")
    dialog.get_by_role("tab", name="Details").click()
    fields = dialog.get_by_role("listbox", name="Fields")
    chosen = fields.get_by_role("option", selected=True)
    expect(chosen).to_have_text(re.compile("Version"))
    expect(dialog.get_by_role("heading", name="Version")).to_be_visible()
    fields.press("End")
    expect(chosen).to_contain_text("Thumbprint (SHA-256)")
    expect(dialog.locator("pre:visible")).to_have_text(LEAF.sha256)
    dialog.get_by_label("Show").select_option(label="Extensions Only")
    expect(fields.get_by_role("option").first).to_contain_text("Subject")
    expect(fields.get_by_role("option", name=re.compile("^Issuer"))).to_be_hidden()
    fields.get_by_role("option", name=re.compile("Alternative")).click()
    expect(dialog.locator("pre:visible")).to_have_text(f"DNS Name={makers.NAME}")
    dialog.get_by_role("button", name="Copy Subject Alternative Name").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"DNS Name={makers.NAME}"
    dialog.get_by_label("Show").select_option(label="Critical Extensions Only")
    expect(fields.get_by_role("option", selected=True)).to_be_visible()
    dialog.get_by_role("button", name="Copy to File...").press("Space")
    expect(window(page, "Certificate Export Wizard")).to_be_visible()


def test_a_file_with_several_certificates_asks_first(files: Page, owner: User) -> None:
    page = files
    save_file(owner.pk, Place.DESKTOP, "chain.p7b", to_pem(LEAF, CA, ROOT))
    page.reload()
    page.get_by_role("link", name="chain.p7b").click()
    window(page, "chain.p7b").get_by_role("link", name=CA.label).press("Enter")
    expect(window(page, f"Certificate: {CA.label}")).to_be_visible()


def test_a_copy_from_another_program_is_made_shown_and_downloaded(
    files: Page, tmp_path: Path
) -> None:
    page = files
    page.goto(f"/certificates/files/{SavedFile.objects.get().pk}/notepad/")
    body = LEAF.pem.split("-----")[2].strip()
    expect(page.locator("mark.notepad-body").first).to_have_text(body)
    page.get_by_label("Save a copy as another program would").select_option("smart dashes")
    page.get_by_role("button", name="Save a copy").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "backend (smart dashes).cer - Notepad"
    )
    expect(page.locator("mark.notepad-body")).to_have_count(0)
    expect(page.locator("mark.notepad-damage").first).to_have_text("––")
    expect(page.get_by_text("Typographic dashes.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "copy.cer")
    assert (tmp_path / "copy.cer").read_bytes() == damage(to_pem(LEAF), "smart-dashes")


def test_without_script_everything_is_there(
    browser: Browser, owner: User, live_server: Any
) -> None:
    context = browser.new_context(base_url=str(live_server), java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    try:
        page = context.new_page()
        sign_in(page, owner, str(live_server))
        page.goto("/certificates/files/")
        page.get_by_role("link", name="backend.cer").click()
        for field in ("Serial number", "Subject Alternative Name", "Thumbprint (SHA-256)"):
            expect(page.get_by_role("heading", name=field)).to_be_visible()
        expect(page.get_by_role("button", name="Copy to File...")).to_be_visible()
        page.get_by_role("link", name=ROOT.label).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Certificate: {ROOT.label}")
        page.get_by_role("link", name="OK").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Certificate: {makers.NAME}")
        page.get_by_role("link", name="OK").click()
        expect(page).to_have_url(re.compile("/certificates/files/$"))
    finally:
        context.close()
