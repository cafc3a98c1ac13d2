"""The certificate manager and the exported files, by mouse and by keyboard alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from certificates.files import save_file
from certificates.models import Place, SavedFile, StoredCertificate, StoredKey
from certificates.x509.issuing.issue import make_leaf, make_root, to_pem, to_pfx
from tests.browser.conftest import Portal
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)

USER, COMPUTER = "/certificates/stores/current-user/", "/certificates/stores/local-computer/"


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("grid").get_by_role("row").filter(has_text=name)


def item(page: Page, name: str) -> Locator:
    return page.get_by_role("menuitem", name=name)


@pytest.mark.parametrize("way", ["menu", "search"])
def test_000_A1a_the_tool_is_found_by_its_name_and_shows_the_users_store(
    portal: Portal, page: Page, way: str
) -> None:
    page.goto("/portal/")
    if way == "menu":
        page.get_by_label("Main menu").click()
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Certificates").click()
        page.get_by_role("link", name="Manage user certificates").click()
    else:
        page.keyboard.press("g")
        page.keyboard.press("/")
        page.keyboard.type("certmgr")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Manage user certificates").press("Enter")
    tree = page.get_by_role("navigation", name="Certificates - Current User")
    expect(tree).to_contain_text("Certificates - Current User")
    expect(tree.get_by_role("link", name="Personal", exact=True)).to_be_visible()
    expect(tree.locator("[aria-current=page]")).to_have_text("Certificates in Personal")


def test_000_A0_a_self_signed_certificate_is_marked_for_tests_only(
    portal: Portal, page: Page
) -> None:
    page.goto(USER + "personal/")
    expect(row(page, "self-signed.contoso.test")).to_contain_text("for tests only")
    expect(row(page, "full-chain.contoso.test")).not_to_contain_text("for tests only")


def test_000_A1b_who_looks_into_the_wrong_store_is_told_where_the_certificate_is(
    portal: Portal, page: Page
) -> None:
    page.goto(COMPUTER + "personal/")
    page.get_by_role("searchbox", name="Search certificates").press_sequentially("full-chain")
    expect(page.get_by_text("Nothing in this folder matches")).to_be_visible()
    hint = page.get_by_text("is in Certificates - Current User\\Personal.")
    expect(hint).to_contain_text("“full-chain.contoso.test”")
    page.get_by_role("link", name="Open Certificates - Current User\\Personal").click()
    chosen = row(page, "full-chain.contoso.test")
    chosen.get_by_role("gridcell").first.click()
    expect(chosen).to_have_attribute("aria-selected", "true")
    expect(chosen).to_be_focused()


def test_the_search_narrows_while_one_types_and_keeps_the_focus(portal: Portal, page: Page) -> None:
    page.goto(USER + "personal/")
    box = page.get_by_role("searchbox", name="Search certificates")
    box.press_sequentially("expired")
    expect(row(page, "full-chain")).to_be_hidden()
    expect(page.locator("#entries-status")).to_contain_text("1 of ")
    expect(box).to_be_focused()
    # The rows that came in work like those before.
    row(page, "expired").get_by_role("button", name=re.compile("Actions for")).click()
    expect(item(page, "Delete")).to_be_visible()
    page.keyboard.press("Escape")
    box.fill("")
    expect(row(page, "full-chain")).to_be_visible()
    assert "q=" not in page.url or page.url.endswith("q=")


def test_000_A1c_all_tasks_export_opens_the_wizard_by_mouse(portal: Portal, page: Page) -> None:
    page.goto(USER + "personal/")
    row(page, "full-chain.contoso.test").click(button="right")
    expect(row(page, "full-chain.contoso.test")).to_have_attribute("aria-selected", "true")
    item(page, "All Tasks").hover()
    item(page, "Export...").click()
    dialog = page.get_by_role("dialog", name="Certificate Export Wizard")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(row(page, "full-chain.contoso.test")).to_be_focused()


@pytest.mark.parametrize("key", ["Shift+F10", "ContextMenu"])
def test_000_A1c_all_tasks_export_opens_the_wizard_by_keyboard(
    portal: Portal, page: Page, key: str
) -> None:
    page.goto(USER + "personal/")
    page.get_by_role("searchbox", name="Search certificates").focus()
    page.keyboard.press("Tab")
    focused = page.locator("tr:focus")
    expect(focused).to_be_visible()
    page.keyboard.press("Home")
    while "full-chain" not in focused.inner_text():
        page.keyboard.press("ArrowDown")
    page.keyboard.press(key)
    expect(page.locator("[role=menuitem]:focus")).to_be_visible()
    while "All Tasks" not in page.locator("[role=menuitem]:focus").inner_text():
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    expect(item(page, "Export...")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(item(page, "All Tasks")).to_be_focused()
    expect(item(page, "Export...")).to_be_hidden()
    page.keyboard.press("Enter")
    page.keyboard.press("e")
    expect(item(page, "Export...")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Certificate Export Wizard")).to_be_visible()


def test_a_menu_closes_by_escape_a_click_elsewhere_and_tab(portal: Portal, page: Page) -> None:
    page.goto(USER + "personal/")
    one = row(page, "full-chain.contoso.test")
    menu = page.get_by_role("menu", name="Actions for full-chain.contoso.test")
    more = one.get_by_role("button", name="Actions for full-chain.contoso.test")
    more.click()
    expect(menu).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(more).to_have_attribute("aria-expanded", "false")
    expect(one).to_be_focused()
    one.press("Shift+F10")
    page.get_by_role("heading", level=1).click()
    expect(menu).to_be_hidden()
    one.press("Shift+F10")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    expect(menu).to_be_hidden()
    # From within the submenu everything closes, too.
    one.press("Shift+F10")
    item(page, "All Tasks").click()
    expect(item(page, "Export...")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(one).to_be_focused()


@pytest.mark.parametrize("way", ["double click", "Enter", "link"])
def test_a_certificate_opens_in_a_window_over_the_list(
    portal: Portal, page: Page, way: str
) -> None:
    page.goto(USER + "personal/")
    one = row(page, "full-chain.contoso.test")
    if way == "double click":
        one.get_by_role("gridcell").first.dblclick()
    elif way == "Enter":
        one.press("Enter")
    else:
        one.get_by_role("link").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("full-chain.contoso.test")
    expect(dialog.get_by_role("tab", name="General")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_what_happens_in_a_window_is_told_over_it_and_afterwards_over_the_page(
    portal: Portal, page: Page
) -> None:
    page.goto(USER + "personal/")
    row(page, "full-chain.contoso.test").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("tab", name="Details").click()
    dialog.get_by_role("button", name=re.compile("^Copy")).locator("visible=true").first.click()
    toast = dialog.get_by_role("region", name="Results").get_by_text(re.compile("Copied|Copy by"))
    expect(toast).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("region", name="Results")).to_be_attached()
    expect(page.locator("body > #toasts")).to_have_count(1)


def test_a_certificate_is_deleted_after_a_question(portal: Portal, page: Page) -> None:
    page.goto(USER + "personal/")
    row(page, "self-signed.contoso.test").press("Delete")
    dialog = page.get_by_role("dialog", name="Delete certificate")
    expect(dialog).to_contain_text("Delete “self-signed.contoso.test” and its private key?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(row(page, "self-signed.contoso.test")).to_be_focused()
    row(page, "self-signed.contoso.test").click(button="right")
    item(page, "Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status").filter(has_text="was deleted")).to_be_visible()
    expect(row(page, "self-signed.contoso.test")).to_be_hidden()


def test_ones_own_pfx_is_imported_and_a_wrong_password_loses_nothing(
    portal: Portal, page: Page, tmp_path: Path
) -> None:
    root = make_root("My Root", now=NOW)
    leaf = make_leaf(root, "mine.example.com", now=NOW, dns_names=["mine.example.com"])
    file = tmp_path / "mine.pfx"
    file.write_bytes(to_pfx(leaf, "right one", chain=[root.certificate]))
    page.goto(USER + "personal/")
    row(page, "full-chain.contoso.test").click(button="right")
    item(page, "All Tasks").click()
    item(page, "Import...").click()
    window = page.get_by_role("dialog", name="Certificate Import Wizard")
    window.get_by_label("File to import", exact=True).set_input_files(file)
    page.get_by_label("Password", exact=True).fill("wrong one")
    page.get_by_label("Friendly name", exact=True).fill("my own")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("#import-password_error")).to_contain_text("does not open the PFX")
    assert page.locator("#import-file").evaluate("box => box.files[0].name") == "mine.pfx"
    page.get_by_label("Password", exact=True).fill("right one")
    page.get_by_role("button", name="Import", exact=True).click()
    said = page.get_by_role("status").filter(has_text="“mine.example.com” was imported with its")
    expect(said).to_be_visible()
    expect(window).to_be_hidden()
    expect(row(page, "mine.example.com")).to_contain_text("my own")
    expect(row(page, "mine.example.com").get_by_label("with its private key")).to_be_visible()
    entry = StoredCertificate.objects.get(friendly_name="my own")
    assert StoredKey.objects.get(entry=entry).exportable


def test_the_import_window_works_by_keyboard_and_gives_the_focus_back(
    portal: Portal, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "root.cer"
    file.write_bytes(to_pem(make_root("Keyboard Root", now=NOW).certificate))
    page.goto(USER + "roots/")
    command = page.get_by_role("link", name="Import", exact=True)
    command.press("Enter")
    window = page.get_by_role("dialog", name="Certificate Import Wizard")
    expect(window.get_by_label("File to import", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(command).to_be_focused()
    command.press("Enter")
    with page.expect_file_chooser() as chooser:
        window.get_by_label("File to import", exact=True).press("Enter")
    chooser.value.set_files(file)
    submit = window.get_by_role("button", name="Import", exact=True)
    for _ in range(20):
        if submit.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(row(page, "Keyboard Root")).to_be_visible()


@pytest.mark.parametrize("browser_options", [{"java_script_enabled": False}])
def test_a_file_is_imported_without_script(portal: Portal, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "root.cer"
    file.write_bytes(to_pem(make_root("Scriptless Root", now=NOW).certificate))
    page.goto(USER + "roots/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("No file was chosen.").first).to_be_visible()
    page.get_by_label("File to import", exact=True).set_input_files(file)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="Scriptless Root")).to_be_visible()


def test_exported_files_are_opened_downloaded_and_deleted(portal: Portal, page: Page) -> None:
    certificate = make_root("Exported Root", now=NOW).certificate
    save_file(portal.user.pk, Place.DESKTOP, "root.cer", to_pem(certificate))
    save_file(portal.user.pk, Place.DOWNLOADS, "note.txt", b"hello")
    page.goto("/certificates/files/")
    file = page.get_by_role("region", name="Desktop").get_by_role("row").filter(has_text="root.cer")
    expect(file).to_contain_text("Exported Root")
    file.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Exported Root")
    page.keyboard.press("Escape")
    file.press("Shift+F10")
    item(page, "Open with Notepad").click()
    expect(page.get_by_role("dialog")).to_contain_text("BEGIN CERTIFICATE")
    page.keyboard.press("Escape")
    file.click(button="right")
    with page.expect_download() as download:
        item(page, "Download").click()
    assert download.value.suggested_filename == "root.cer"
    assert Path(download.value.path()).read_bytes() == to_pem(certificate)
    note = page.get_by_role("row").filter(has_text="note.txt")
    note.press("Shift+F10")
    expect(item(page, "Open with Notepad")).to_be_focused()
    item(page, "Delete").click()
    dialog = page.get_by_role("dialog", name="Delete file")
    expect(dialog).to_contain_text("“note.txt”")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status").filter(has_text="was deleted")).to_be_visible()
    assert SavedFile.objects.count() == 1


@pytest.mark.parametrize("browser_options", [{"viewport": {"width": 1280, "height": 900}}])
def test_names_are_not_broken_in_the_middle_of_a_word(portal: Portal, page: Page) -> None:
    page.goto(USER + "personal/")
    for name in ("expired.contoso.test", "full-chain.contoso.test", "self-signed.contoso.test"):
        box = page.get_by_role("link", name=name, exact=True).bounding_box()
        assert box is not None
        assert box["height"] < 24, f"{name} takes more than one line"


@pytest.mark.parametrize("browser_options", [{"viewport": {"width": 400, "height": 500}}])
def test_a_menu_opened_after_scrolling_stays_and_goes_with_the_next_movement(
    portal: Portal, page: Page
) -> None:
    page.goto(USER + "personal/")
    # Clicking scrolls the row into sight first, and the browser tells of that a frame later.
    row(page, "self-signed").get_by_role("button", name="Actions for").click()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(item(page, "Open").first).to_be_visible()
    page.mouse.wheel(0, -120)
    expect(item(page, "Open").first).to_be_hidden()


@pytest.mark.parametrize("browser_options", [{"java_script_enabled": False}])
def test_everything_can_be_reached_without_script(portal: Portal, page: Page) -> None:
    save_file(portal.user.pk, Place.DESKTOP, "note.txt", b"hello")
    page.goto(COMPUTER + "personal/")
    page.get_by_role("searchbox", name="Search certificates").fill("full-chain")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Open Certificates - Current User\\Personal").click()
    expect(page.get_by_role("menu")).to_have_count(0)
    one = row(page, "full-chain.contoso.test")
    one.get_by_role("link", name="full-chain.contoso.test").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(USER + "personal/")
    row(page, "expired").get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status").filter(has_text="was deleted")).to_be_visible()
    page.goto("/certificates/files/")
    page.get_by_role("row").filter(has_text="note").get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    assert not SavedFile.objects.exists()
