"""Seed 000 click by click, once by mouse and once by keyboard alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Download, FileChooser, Locator, Page, expect

from certificates.files import save_file
from certificates.models import Certificate, Place, SavedFile, StoredCertificate, StoredKey
from certificates.x509.files.read import read_certificates
from gateway.accounts.models import User
from gateway.models import LabServer
from tests.browser.conftest import Portal, sign_in
from tests.browser.hands import Hand, Keyboard, Mouse

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "full-chain.contoso.test"


@pytest.fixture(params=["mouse", "keyboard"])
def hand(request: pytest.FixtureRequest, page: Page, file_choosers: list[FileChooser]) -> Hand:
    return Mouse(page, file_choosers) if request.param == "mouse" else Keyboard(page, file_choosers)


def openssl(*arguments: str, data: bytes) -> bytes:
    return subprocess.run(
        ["openssl", *arguments], input=data, capture_output=True, check=True
    ).stdout


def server(portal: Portal, name: str) -> LabServer:
    """A lab server of the sandbox; both of its networks have one of each name, with one leaf."""
    return LabServer.objects.select_related("leaf", "root").filter(
        name=name, virtual_network__group__subscription__sandbox_of=portal.user
    )[0]


def der_of(row: Certificate | None) -> bytes:
    assert row is not None
    return bytes(row.der)


def entry(page: Page, name: str) -> Locator:
    return page.get_by_role("grid").get_by_role("row").filter(has_text=name)


def window(page: Page, name: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("dialog", name=name)


def wizard(page: Page) -> Locator:
    return page.locator("dialog.window-dialog").filter(has=page.locator("[data-wizard]"))


def heading(page: Page) -> Locator:
    return wizard(page).locator(".wizard-page:visible h2")


def next_page(hand: Hand, title: str) -> None:
    hand.press(wizard(hand.page).get_by_role("button", name="Next"))
    expect(heading(hand.page)).to_have_text(title)


def finish(hand: Hand) -> Download:
    """Press Finish; what the browser downloads."""
    with hand.page.expect_download() as download:
        hand.press(wizard(hand.page).get_by_role("button", name="Finish"))
    return download.value


def message(page: Page) -> Locator:
    return page.locator("dialog[data-wizard-done][open]")


def choose_format(hand: Hand, words: str) -> None:
    hand.choose(wizard(hand.page).get_by_role("radio", name=words))


def export(hand: Hand, portal: Portal, words: str, path: str) -> Path:
    """From the welcome page to the message box without the private key; the downloaded file."""
    page = hand.page
    expect(heading(page)).to_have_text("Welcome to the Certificate Export Wizard")
    if page.get_by_role("heading", name="Export Private Key", include_hidden=True).count():
        next_page(hand, "Export Private Key")
    next_page(hand, "Export File Format")
    choose_format(hand, words)
    next_page(hand, "File to Export")
    hand.type(wizard(page).get_by_role("textbox", name="File name"), path)
    next_page(hand, "Completing the Certificate Export Wizard")
    download = finish(hand)
    expect(message(page)).to_contain_text("The export was successful.")
    return keep(portal, download)


def keep(portal: Portal, download: Download) -> Path:
    return portal.file(download.suggested_filename, Path(download.path()).read_bytes())


def from_main_menu(hand: Hand, entry: str) -> None:
    page = hand.page
    hand.press(page.get_by_label("Main menu"))
    hand.press(page.get_by_role("navigation", name="Main").get_by_role("link", name=entry))


def to_gateway(hand: Hand, tier: str, blade: str) -> None:
    """Home, All resources, the gateway, one of its blades, as the documents say."""
    page = hand.page
    from_main_menu(hand, "All resources")
    group = "myResourceGroupAG-v1" if tier == "v1" else re.compile(r"myResourceGroupAG(?!-)")
    row = page.get_by_role("row").filter(has_text=group).filter(has_text="gateway")
    hand.press(row.get_by_role("link", name="myAppGateway"))
    to_blade(hand, blade)


def to_blade(hand: Hand, blade: str) -> None:
    menu = hand.page.get_by_role("navigation", name="myAppGateway")
    hand.press(menu.get_by_role("link", name=blade, exact=True))


def upload(hand: Hand, file: Path) -> None:
    hand.upload(hand.page.get_by_label("Upload CER certificate", exact=True), file)


def save(hand: Hand) -> None:
    hand.press(hand.page.get_by_role("button", name="Save", exact=True))


def was_saved(page: Page) -> None:
    expect(page.get_by_role("status").filter(has_text="was saved").first).to_be_visible()


def to_https(hand: Hand, tier: str) -> None:
    """The default HTTP setting, turned to HTTPS, with a name for the certificate."""
    page = hand.page
    to_gateway(hand, tier, "HTTP settings")
    hand.press(page.get_by_role("link", name="appGatewayBackendHttpSettings"))
    protocol = page.get_by_role("group", name="Protocol")
    hand.choose(protocol.get_by_role("radio", name="HTTPS"))
    titles = {"v1": "Backend authentication certificates", "v2": "Trusted root certificates"}
    block = page.get_by_role("region", name=titles[tier])
    hand.type(block.get_by_label("Name", exact=True), "backendcert")


def expect_health(hand: Hand, name: str, status: str) -> Locator:
    to_blade(hand, "Backend health")
    row = hand.page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text(status, timeout=10_000)
    return row


def open_folder(hand: Hand) -> None:
    hand.press(message(hand.page).get_by_role("link", name="Open folder"))
    expect(hand.page).to_have_url(re.compile("/certificates/files/"))


def test_000_A0_000_A1a_000_A1b_000_A1c_000_A2_000_A3_000_A4_000_A5_000_A6_000_A7_000_A9_to_v1(
    portal: Portal, page: Page, hand: Hand
) -> None:
    page.goto("/portal/")
    # 000-A1a: Manage user certificates.
    from_main_menu(hand, "Certificates")
    tree = page.get_by_role("navigation", name="Certificates - Current User")
    expect(tree.locator("[aria-current=page]")).to_have_text("Certificates in Personal")
    # 000-A0: the certificate is here; a self-signed one is marked.
    expect(entry(page, NAME)).to_contain_text("Lab Issuing CA")
    expect(entry(page, "self-signed.contoso.test")).to_contain_text("for tests only")
    # 000-A1b: under Local Computer it is not, and the page says where it is.
    hand.press(page.get_by_role("link", name="Manage computer certificates"))
    hand.type(page.get_by_role("searchbox", name="Search certificates"), "full-chain")
    expect(entry(page, NAME)).to_have_count(0)
    hand.press(page.get_by_role("link", name="Open Certificates - Current User\\Personal"))
    hand.row(entry(page, NAME))
    expect(entry(page, NAME)).to_have_attribute("aria-selected", "true")
    # 000-A1c
    hand.menu(entry(page, NAME), "All Tasks", "Export...")
    expect(window(page, "Certificate Export Wizard")).to_be_visible()
    # 000-A2
    expect(heading(page)).to_have_text("Welcome to the Certificate Export Wizard")
    next_page(hand, "Export Private Key")
    # 000-A3
    no = wizard(page).get_by_role("radio", name="No, do not export the private key")
    expect(no).to_be_checked()
    hand.choose(wizard(page).get_by_role("radio", name="Yes, export the private key"))
    hand.choose(no)
    next_page(hand, "Export File Format")
    expect(wizard(page).get_by_role("radio", name="PKCS #12 (.PFX)")).to_be_disabled()
    expect(wizard(page).get_by_role("radio", name="Serialized")).to_be_disabled()
    # 000-A4
    expect(
        wizard(page).get_by_role("radio", name="DER encoded binary X.509 (.CER)")
    ).to_be_checked()
    path = wizard(page).get_by_role("checkbox", name="Include all certificates").first
    expect(path).to_be_disabled()
    choose_format(hand, "Cryptographic Message Syntax Standard - PKCS #7 Certificates (.P7B)")
    expect(path).to_be_enabled()
    choose_format(hand, "Base-64 encoded X.509 (.CER)")
    expect(wizard(page).get_by_text("v1 authentication certificate: accepted")).to_be_visible()
    next_page(hand, "File to Export")
    # 000-A5: by Browse, in a folder.
    hand.press(wizard(page).get_by_role("button", name="Browse…"))
    browse = window(page, "Save As")
    expect(browse).to_contain_text("Base-64 encoded X.509 (.CER)")
    hand.choose(browse.get_by_role("radio", name="Documents"))
    hand.choose(browse.get_by_role("radio", name="Desktop"))
    hand.type(browse.get_by_role("textbox", name="File name"), "backend")
    hand.press(browse.get_by_role("button", name="Save"))
    expect(wizard(page).get_by_role("textbox", name="File name")).to_have_value(
        "Desktop\\backend.cer"
    )
    next_page(hand, "Completing the Certificate Export Wizard")
    summary = wizard(page).locator("[data-wizard-page=completing]")
    for words in ("Desktop\\backend.cer", "No", "Base-64 encoded X.509 (.CER)"):
        expect(summary).to_contain_text(words)
    # Back leads to every answer that was given.
    hand.press(wizard(page).get_by_role("button", name="Back"))
    expect(heading(page)).to_have_text("File to Export")
    next_page(hand, "Completing the Certificate Export Wizard")
    # 000-A6, 000-A7
    file = keep(portal, finish(hand))
    expect(message(page)).to_contain_text("The export was successful.")
    expect(message(page)).to_contain_text("Desktop\\backend.cer")
    hand.press(message(page).get_by_role("button", name="OK"))
    expect(wizard(page)).to_have_count(0)
    expect(entry(page, NAME)).to_be_focused()
    leaf = der_of(server(portal, "full-chain").leaf)
    assert file.name == "backend.cer"
    assert openssl("x509", "-outform", "DER", data=file.read_bytes()) == leaf
    hand.press(page.get_by_role("link", name="Exported files"))
    desktop = page.get_by_role("grid", name="Desktop")
    expect(desktop.get_by_role("row").filter(has_text="backend.cer")).to_be_visible()
    # 000-A9
    to_https(hand, "v1")
    upload(hand, file)
    expect(portal.preview).to_contain_text("The gateway accepts this file.")
    save(hand)
    was_saved(page)
    expect_health(hand, NAME, "Healthy")


def test_000_A8a_000_A8b_000_A8c_the_file_in_notepad_and_at_the_gateway(
    portal: Portal, page: Page, hand: Hand
) -> None:
    page.goto("/portal/")
    from_main_menu(hand, "Certificates")
    hand.menu(entry(page, NAME), "All Tasks", "Export...")
    export(hand, portal, "Base-64 encoded X.509 (.CER)", "Desktop\\backend")
    hand.press(message(page).get_by_role("button", name="OK"))
    hand.menu(entry(page, NAME), "All Tasks", "Export...")
    binary = export(hand, portal, "DER encoded binary X.509 (.CER)", "Desktop\\binary")
    open_folder(hand)
    # 000-A8a: BEGIN and END, what is between them marked.
    hand.menu(entry(page, "backend.cer"), "Open with Notepad")
    notepad = window(page, re.compile("backend.cer"))
    text = notepad.get_by_role("group", name="Text of backend.cer")
    expect(text).to_contain_text("-----BEGIN CERTIFICATE-----")
    expect(text).to_contain_text("-----END CERTIFICATE-----")
    body = "".join(text.locator("mark.notepad-body").all_inner_texts())
    leaf = der_of(server(portal, "full-chain").leaf)
    begin, end = "-----BEGIN CERTIFICATE-----\n", "\n-----END CERTIFICATE-----\n"
    marked = f"{begin}{body.strip()}{end}".encode()
    assert openssl("x509", "-outform", "DER", data=marked) == leaf
    # 000-A8c: another program saves it with what does not belong there.
    hand.pick(notepad.get_by_label("Save a copy as another program would"), "smart dashes")
    hand.press(notepad.get_by_role("button", name="Save a copy"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("smart dashes")
    expect(page.get_by_role("list", name="What the marks mean")).to_contain_text("dashes")
    expect(page.get_by_text("Refused", exact=True).first).to_be_visible()
    with page.expect_download() as download:
        hand.press(page.get_by_role("link", name="Download", exact=True))
    spoilt = keep(portal, download.value)
    hand.press(page.get_by_role("link", name="Exported files").first)
    # 000-A8b: the binary form is unreadable, and the page says that it is not Base-64.
    hand.menu(entry(page, "binary.cer"), "Open with Notepad")
    notepad = window(page, re.compile("binary.cer"))
    expect(notepad).not_to_contain_text("BEGIN CERTIFICATE")
    expect(notepad).to_contain_text("Base-64")
    hand.press(notepad.locator("footer, .window-foot").get_by_role("link", name="Close"))
    # The gateway says the same of both.
    to_https(hand, "v1")
    for file, words in ((binary, "binary form"), (spoilt, "dashes")):
        upload(hand, file)
        expect(portal.preview).to_contain_text(words)
        save(hand)
        expect(page.locator(".field-error").filter(has_text=words)).to_be_visible()


def test_000_B1_000_B2_000_B3_000_B4_000_B5_000_B6_000_B7_000_B8_to_v2(
    portal: Portal, page: Page, hand: Hand
) -> None:
    page.goto("/portal/")
    from_main_menu(hand, "Certificates")
    # 000-B1
    hand.menu(entry(page, NAME), "All Tasks", "Export...")
    leaf = export(hand, portal, "Base-64 encoded X.509 (.CER)", "Desktop\\leaf.cer")
    assert openssl("x509", "-outform", "DER", data=leaf.read_bytes()) == der_of(
        server(portal, "full-chain").leaf
    )
    open_folder(hand)
    # 000-B2
    hand.open(entry(page, "leaf.cer"))
    shown = window(page, f"Certificate: {NAME}")
    for tab in ("General", "Details", "Certification Path"):
        expect(shown.get_by_role("tab", name=tab)).to_be_visible()
    expect(shown).to_contain_text("Issued to")
    # 000-B3
    hand.tab(shown.get_by_role("tab", name="Certification Path"))
    nodes = shown.get_by_role("treeitem")
    expect(nodes).to_have_count(3)
    expect(nodes.nth(0)).to_contain_text("Lab Root CA")
    expect(nodes.nth(1)).to_contain_text("Lab Issuing CA")
    expect(nodes.nth(2)).to_contain_text(NAME)
    levels = [node.get_attribute("aria-level") for node in nodes.all()]
    assert levels == ["1", "2", "3"]
    # 000-B4
    hand.node(nodes.nth(0))
    hand.press(shown.get_by_role("button", name="View Certificate"))
    root = window(page, re.compile("Certificate: Lab Root CA"))
    expect(root).to_be_visible()
    # 000-B5
    hand.tab(root.get_by_role("tab", name="Details"))
    hand.press(root.get_by_role("button", name="Copy to File..."))
    expect(heading(page)).to_have_text("Welcome to the Certificate Export Wizard")
    # 000-B6: no question about a private key, as only a certificate is open.
    assert not page.get_by_role("heading", name="Export Private Key", include_hidden=True).count()
    file = export(hand, portal, "Base-64 encoded X.509 (.CER)", "Desktop\\root.cer")
    expected = server(portal, "full-chain").root
    assert openssl("x509", "-outform", "DER", data=file.read_bytes()) == der_of(expected)
    hand.press(message(page).get_by_role("button", name="OK"))
    expect(entry(page, "root.cer")).to_be_visible()
    # 000-B8: the leaf is no root; the root is.
    to_https(hand, "v2")
    upload(hand, leaf)
    expect(portal.preview).to_contain_text("This is a leaf")
    save(hand)
    expect(page.locator(".field-error").filter(has_text="server certificate")).to_be_visible()
    upload(hand, file)
    expect(portal.preview).to_contain_text("The gateway accepts this file.")
    hand.type(page.get_by_label("Host name", exact=True), NAME)
    save(hand)
    was_saved(page)
    expect_health(hand, NAME, "Healthy")
    # 000-B7: the same root, and a server that keeps its intermediate to itself.
    to_blade(hand, "Backend pools")
    hand.press(page.get_by_role("link", name="appGatewayBackendPool"))
    hand.type(page.locator("#id_targets-0-target"), "no-intermediate.contoso.test")
    save(hand)
    was_saved(page)
    to_blade(hand, "HTTP settings")
    hand.press(page.get_by_role("link", name="appGatewayBackendHttpSettings"))
    hand.type(page.get_by_label("Host name", exact=True), "no-intermediate.contoso.test")
    save(hand)
    was_saved(page)
    row = expect_health(hand, "no-intermediate.contoso.test", "Unhealthy")
    expect(row).to_contain_text(re.compile("intermediate", re.I))


# ---- the wizard alone ---------------------------------------------------------------------------


@pytest.fixture
def desk(page: Page, owner: User, live_server: object, tmp_path: Path) -> Portal:
    """A signed-in owner in the browser; no backend server is asked for anything."""
    sign_in(page, owner, str(live_server))
    return Portal(page, owner, tmp_path)


def open_wizard(page: Page, row: str = NAME) -> Locator:
    page.goto("/certificates/stores/current-user/personal/")
    line = entry(page, row)
    line.get_by_role("button", name=re.compile("Actions for")).click()
    page.get_by_role("menuitem", name="All Tasks").click()
    page.get_by_role("menuitem", name="Export...").click()
    expect(wizard(page)).to_be_visible()
    return wizard(page)


def test_enter_leads_on_from_every_page_and_each_title_is_read_out(
    desk: Portal, page: Page
) -> None:
    box = open_wizard(page)
    expect(box.get_by_role("button", name="Next")).to_be_focused()
    live = box.locator("[data-wizard-live]")
    expect(live).to_have_text("Welcome to the Certificate Export Wizard")
    for title in ("Export Private Key", "Export File Format", "File to Export"):
        page.keyboard.press("Enter")
        expect(heading(page)).to_have_text(title)
        expect(live).to_have_text(title)
    # Nothing typed: told beside the box, and the page stays.
    page.keyboard.press("Enter")
    expect(box.get_by_role("alert")).to_have_text("Enter a file name.")
    expect(box.get_by_role("textbox", name="File name")).to_be_focused()
    page.keyboard.type("by-hand")
    expect(box.get_by_role("alert")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(box.get_by_role("button", name="Finish")).to_be_focused()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "by-hand.cer"
    expect(message(page).get_by_role("button", name="OK")).to_be_focused()
    page.keyboard.press("Enter")
    expect(wizard(page)).to_have_count(0)
    assert SavedFile.objects.get().place == Place.DOCUMENTS


def test_cancel_and_escape_write_nothing(desk: Portal, page: Page) -> None:
    box = open_wizard(page)
    box.get_by_role("button", name="Next").click()
    box.get_by_role("link", name="Cancel").click()
    expect(wizard(page)).to_have_count(0)
    expect(entry(page, NAME)).to_be_focused()
    open_wizard(page)
    page.keyboard.press("Escape")
    expect(wizard(page)).to_have_count(0)
    assert not SavedFile.objects.exists()


def test_a_private_key_leaves_in_a_pfx_with_a_password_and_is_not_kept(
    desk: Portal, page: Page
) -> None:
    box = open_wizard(page)
    next_button = box.get_by_role("button", name="Next")
    next_button.click()
    box.get_by_role("radio", name="Yes, export the private key").check()
    next_button.click()
    # Only PFX can hold a key.
    expect(box.get_by_role("radio", name="PKCS #12 (.PFX)")).to_be_checked()
    for words in ("DER encoded", "Base-64 encoded", "PKCS #7", "Serialized"):
        expect(box.get_by_role("radio", name=words)).to_be_disabled()
    next_button.click()
    expect(heading(page)).to_have_text("Security")
    next_button.click()
    expect(box.get_by_role("alert")).to_contain_text("Enter a password")
    box.get_by_label("Password", exact=True).fill("1aB2cd3E")
    box.get_by_label("Confirm password", exact=True).fill("1aB2cd3")
    next_button.click()
    expect(box.get_by_role("alert")).to_contain_text("not the same")
    box.get_by_label("Confirm password", exact=True).fill("1aB2cd3E")
    box.get_by_label("Encryption", exact=True).select_option(label="TripleDES-SHA1")
    next_button.click()
    expect(box.get_by_text("not kept here")).to_be_visible()
    box.get_by_role("textbox", name="File name").fill("Desktop\\backend")
    next_button.click()
    expect(box.locator("[data-wizard-page=completing]")).to_contain_text("backend.pfx")
    with page.expect_download() as download:
        box.get_by_role("button", name="Finish").click()
    file = keep(desk, download.value)
    assert file.name == "backend.pfx"
    opened = openssl(
        "pkcs12", "-legacy", "-in", str(file), "-passin", "pass:1aB2cd3E", "-nodes", data=b""
    )
    assert b"BEGIN PRIVATE KEY" in opened
    assert len(read_certificates(opened).certificates) == 3
    expect(message(page)).to_contain_text("the only copy")
    expect(message(page).get_by_role("link", name="Open folder")).to_be_hidden()
    assert not SavedFile.objects.exists()
    assert "1aB2cd3E" not in page.content()


def test_a_key_that_may_not_leave_is_greyed_and_one_that_is_not_there_is_not_asked_about(
    desk: Portal, page: Page
) -> None:
    StoredKey.objects.update(exportable=False)
    box = open_wizard(page)
    box.get_by_role("button", name="Next").click()
    expect(box.get_by_role("radio", name="Yes, export the private key")).to_be_disabled()
    expect(box).to_contain_text("marked as not exportable")
    box.get_by_role("button", name="Next").click()
    expect(heading(page)).to_have_text("Export File Format")
    expect(box.get_by_role("radio", name="PKCS #12 (.PFX)")).to_be_disabled()
    box = open_wizard(page, "expired.contoso.test")
    box.get_by_role("button", name="Next").click()
    expect(heading(page)).to_have_text("Export File Format")
    expect(box.get_by_role("radio", name="PKCS #12 (.PFX)")).to_be_disabled()


def test_a_file_is_written_over_only_after_a_question(desk: Portal, page: Page) -> None:
    save_file(desk.user.pk, Place.DESKTOP, "backend.cer", b"old")
    save_file(desk.user.pk, Place.DESKTOP, "path.p7b", b"old")
    box = open_wizard(page)
    for _ in range(3):
        box.get_by_role("button", name="Next").click()
    question = window(page, "Confirm Save As")
    # By hand: No leaves it alone.
    name = box.get_by_role("textbox", name="File name")
    name.fill("desktop/BACKEND")
    box.get_by_role("button", name="Next").click()
    expect(question).to_contain_text("Desktop\\BACKEND.cer")
    expect(question.get_by_role("button", name="No")).to_be_focused()
    page.keyboard.press("Enter")
    expect(box.get_by_role("alert")).to_have_text("Choose another name.")
    # By Browse: only files of the format are listed; Escape closes the question, then the dialog.
    box.get_by_role("button", name="Browse…").click()
    browse = window(page, "Save As")
    browse.get_by_role("radio", name="Desktop").check()
    expect(browse.get_by_role("button", name="path.p7b")).to_be_hidden()
    browse.get_by_role("button", name="backend.cer").dblclick()
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(browse).to_be_visible()
    browse.get_by_role("button", name="Save").click()
    question.get_by_role("button", name="Yes").click()
    expect(browse).to_be_hidden()
    expect(name).to_have_value("Desktop\\backend.cer")
    # Not asked twice.
    box.get_by_role("button", name="Next").click()
    with page.expect_download():
        box.get_by_role("button", name="Finish").click()
    expect(message(page)).to_be_visible()
    kept = SavedFile.objects.get(name="backend.cer")
    assert bytes(kept.data).startswith(b"-----BEGIN") or bytes(kept.data)[:1] == b"0"


def test_what_the_server_refuses_is_told_on_its_page_and_passwords_stay_in_the_browser(
    desk: Portal, page: Page
) -> None:
    box = open_wizard(page)
    for _ in range(3):
        box.get_by_role("button", name="Next").click()
    name = box.get_by_role("textbox", name="File name")
    name.fill("Desktop\\con")
    box.get_by_role("button", name="Next").click()
    box.get_by_role("button", name="Finish").click()
    expect(heading(page)).to_have_text("File to Export")
    expect(box.get_by_role("alert")).to_contain_text("name of a device")
    expect(name).to_be_focused()
    # A file that was saved meanwhile is asked about now.
    save_file(desk.user.pk, Place.DESKTOP, "late.cer", b"old")
    name.fill("Desktop\\late")
    box.get_by_role("button", name="Next").click()
    box.get_by_role("button", name="Finish").click()
    expect(box.get_by_role("alert")).to_contain_text("is there already")
    box.get_by_role("button", name="Next").click()
    window(page, "Confirm Save As").get_by_role("button", name="Yes").click()
    with page.expect_download():
        box.get_by_role("button", name="Finish").click()
    page.keyboard.press("Enter")
    # A refused password page keeps what was typed, here and not in the answer.
    box = open_wizard(page)
    box.get_by_role("button", name="Next").click()
    box.get_by_role("radio", name="Yes, export the private key").check()
    for _ in range(2):
        box.get_by_role("button", name="Next").click()
    for label in ("Password", "Confirm password"):
        box.get_by_label(label, exact=True).fill("smile😀")
    box.get_by_role("button", name="Next").click()
    box.get_by_role("textbox", name="File name").fill("x")
    box.get_by_role("button", name="Next").click()
    with page.expect_response(re.compile("/export/")) as answer:
        box.get_by_role("button", name="Finish").click()
    assert "smile" not in answer.value.text()
    expect(heading(page)).to_have_text("Security")
    expect(box.get_by_role("alert")).to_contain_text("do not agree")
    expect(box.get_by_label("Password", exact=True)).to_have_value("smile😀")


def test_who_is_signed_out_meanwhile_is_told(desk: Portal, page: Page) -> None:
    box = open_wizard(page)
    for _ in range(3):
        box.get_by_role("button", name="Next").click()
    box.get_by_role("textbox", name="File name").fill("x")
    box.get_by_role("button", name="Next").click()
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    box.get_by_role("button", name="Finish").click()
    expect(box.get_by_role("alert")).to_contain_text("You are signed out")
    expect(box.get_by_role("button", name="Finish")).to_be_enabled()


def test_a_portal_that_does_not_answer_is_told_and_may_be_asked_again(
    desk: Portal, page: Page, tolerated: list[str]
) -> None:
    tolerated.append("ERR_FAILED")
    box = open_wizard(page)
    for _ in range(3):
        box.get_by_role("button", name="Next").click()
    box.get_by_role("textbox", name="File name").fill("x")
    box.get_by_role("button", name="Next").click()
    page.route(re.compile("/export/"), lambda route: route.abort())
    box.get_by_role("button", name="Finish").click()
    expect(box.get_by_role("alert")).to_contain_text("could not be reached")
    page.unroute_all()
    with page.expect_download():
        box.get_by_role("button", name="Finish").click()
    expect(message(page)).to_be_visible()


def test_a_wizard_of_its_own_page_ends_where_it_began(desk: Portal, page: Page) -> None:
    stored = StoredCertificate.objects.get(friendly_name="Backend certificate")
    page.goto(f"/certificates/entries/{stored.pk}/export/")
    for _ in range(3):
        page.get_by_role("button", name="Next").click()
    page.get_by_role("textbox", name="File name").fill("x")
    page.get_by_role("button", name="Next").click()
    with page.expect_download():
        page.get_by_role("button", name="Finish").click()
    message(page).get_by_role("button", name="OK").click()
    expect(page).to_have_url(re.compile("/stores/current-user/personal/"))


@pytest.mark.parametrize("browser_options", [{"java_script_enabled": False}])
def test_without_script_one_long_form_makes_the_file(desk: Portal, page: Page) -> None:
    stored = StoredCertificate.objects.get(friendly_name="Backend certificate")
    page.goto(f"/certificates/entries/{stored.pk}/export/")
    for title in ("Export Private Key", "Export File Format", "Security", "File to Export"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    page.get_by_role("button", name="Finish").click()
    expect(page.locator(".error-summary")).to_contain_text("Enter a file name.")
    page.get_by_role("radio", name="Base-64 encoded X.509 (.CER)").check()
    page.get_by_role("textbox", name="File name").fill("Desktop\\plain")
    with page.expect_download() as download:
        page.get_by_role("button", name="Finish").click()
    file = keep(desk, download.value)
    assert file.name == "plain.cer"
    assert openssl("x509", "-outform", "DER", data=file.read_bytes()) == der_of(
        server(desk, "full-chain").leaf
    )
    page.goto("/certificates/files/")
    expect(page.get_by_role("row").filter(has_text="plain.cer")).to_be_visible()
