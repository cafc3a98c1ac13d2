"""The Lab CA in the browser: by mouse, by keyboard alone, and without script."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import FileChooser, Locator, Page, expect

from certificates.models import Authority, StoredCertificate
from certificates.x509.files.read import read_certificates
from tests.browser.conftest import Portal
from tests.browser.hands import Hand, Keyboard, Mouse

pytestmark = pytest.mark.django_db(transaction=True)

LAB_CA = "/certificates/lab-ca/"
NAME = "shop.contoso.test"


@pytest.fixture(params=[Mouse, Keyboard], ids=["mouse", "keyboard"])
def hand(request: pytest.FixtureRequest, page: Page, file_choosers: list[FileChooser]) -> Hand:
    made: Hand = request.param(page, file_choosers)
    return made


def field(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True)


def made(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def told(page: Page, words: str) -> None:
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


def downloaded(hand: Hand, link: Locator) -> bytes:
    with hand.page.expect_download() as waiting:
        hand.press(link)
    return Path(waiting.value.path()).read_bytes()


def test_a_hierarchy_is_made_and_its_files_are_what_openssl_reads(
    portal: Portal, page: Page, hand: Hand, tmp_path: Path
) -> None:
    page.goto(LAB_CA)
    hand.press(page.get_by_role("link", name="New root", exact=True))
    hand.type(field(page, "Name"), "My Root")
    hand.press(page.get_by_role("button", name="Create"))
    told(page, "The root “My Root” was made.")

    hand.press(page.get_by_role("link", name="New intermediate", exact=True))
    hand.type(field(page, "Name"), "My Issuing CA")
    hand.pick(field(page, "Issuer"), "My Root")
    hand.press(page.get_by_role("button", name="Create"))
    told(page, "The intermediate “My Issuing CA” was made.")
    expect(made(page, "My Root").first).to_contain_text("1 intermediate")

    hand.press(page.get_by_role("link", name="New server certificate", exact=True).first)
    hand.type(field(page, "Name"), NAME)
    hand.pick(field(page, "Issuer"), "My Issuing CA")
    hand.press(page.get_by_role("button", name="Create"))
    told(page, f"The server certificate “{NAME}” was made.")

    row = made(page, NAME)
    leaf = downloaded(hand, row.get_by_role("link", name=f".cer of {NAME}"))
    chain = downloaded(hand, row.get_by_role("link", name=f".pem chain of {NAME}"))
    root = downloaded(hand, made(page, "My Root").first.get_by_role("link", name=".cer of My Root"))
    for name, data in (("leaf", leaf), ("chain", chain), ("root", root)):
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        ["openssl", "verify", "-verify_hostname", NAME, "-CAfile", str(tmp_path / "root"),
         "-untrusted", str(tmp_path / "chain"), str(tmp_path / "leaf")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "OK" in done.stdout

    zipped = row.get_by_role("link", name=f"for a server with {NAME}, holds the private key")
    with zipfile.ZipFile(io.BytesIO(downloaded(hand, zipped))) as archive:
        assert b"PRIVATE KEY" in archive.read(f"{NAME}/{NAME}.key")
        assert b"HOLDS THE PRIVATE KEY" in archive.read(f"{NAME}/READ-ME.txt")


def test_a_defect_is_chosen_explained_made_and_marked(
    portal: Portal, page: Page, hand: Hand
) -> None:
    page.goto(f"{LAB_CA}new/server/")
    note = page.get_by_text("the backend is unhealthy.", exact=False)
    expect(field(page, "Valid from")).to_be_hidden()
    hand.type(field(page, "Name"), NAME)
    hand.tick(field(page, "No subject alternative name (CN only)"))
    expect(field(page, "Subject alternative names")).to_be_hidden()
    hand.pick(field(page, "Validity"), "Expired yesterday")
    expect(note.filter(visible=True).first).to_contain_text("Both generations check the dates")
    hand.pick(field(page, "Key"), "RSA 1024 (weak)")
    hand.pick(field(page, "Chain file"), "Certificate alone (intermediates missing)")
    hand.type(field(page, "Friendly name"), "Everything wrong")
    hand.press(page.get_by_role("button", name="Create"))
    told(page, "Everything wrong")

    row = made(page, "Everything wrong")
    for trait in ("expired", "CN only", "weak key", "chain without intermediates"):
        expect(row).to_contain_text(trait)
    entry = StoredCertificate.objects.get(owner=portal.user, friendly_name="Everything wrong")
    assert entry.certificate.parsed.names == ()


def test_own_dates_are_typed_and_errors_stand_beside_their_fields(
    portal: Portal, page: Page
) -> None:
    page.goto(f"{LAB_CA}new/server/")
    field(page, "Name").fill("no host name")
    field(page, "Validity").select_option(label="Own dates")
    field(page, "Valid from").fill("2031-01-01T00:00")
    field(page, "Valid to").fill("2030-01-01T00:00")
    page.get_by_role("button", name="Create").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("#id_valid_to_error")).to_contain_text("The last day must come after")
    expect(page.locator("#id_names_error")).to_contain_text("is no host name")
    expect(field(page, "Name")).to_have_value("no host name")
    expect(field(page, "Valid from")).to_have_value("2031-01-01T00:00")

    field(page, "Name").fill(NAME)
    field(page, "Valid to").fill("2032-01-01T00:00")
    page.get_by_role("button", name="Create").click()
    told(page, NAME)
    expect(made(page, NAME)).to_contain_text("2031-01-01 to 2032-01-01")


@pytest.mark.parametrize("encryption", ["AES256-SHA256", "TripleDES-SHA1 (legacy)"])
def test_a_pfx_opens_with_the_password_alone(
    portal: Portal, page: Page, tmp_path: Path, encryption: str
) -> None:
    page.goto(f"{LAB_CA}new/server/")
    field(page, "Name").fill(NAME)
    page.get_by_role("button", name="Create").click()
    made(page, NAME).get_by_role("link", name=re.compile(r"^\.pfx")).click()
    page.get_by_role("button", name="Download PFX").click()
    expect(page.locator(".error-summary")).to_be_focused()
    field(page, "Password").fill("Passw0rd")
    page.get_by_role("group", name="Encryption").get_by_text(encryption, exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download PFX").click()
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    assert file.name == f"{NAME}.pfx"

    # A listener takes it.
    page.goto(portal.address("v2") + "listeners/add/multi-site/")
    portal.choose("Protocol", "HTTPS")
    portal.upload(file)
    field(page, "Password").fill("Passw0rd")
    page.keyboard.press("Tab")
    expect(portal.preview).to_contain_text("accepts this file")


def test_a_new_certificate_can_be_begun_at_its_issuer_and_deleted_again(
    portal: Portal, page: Page
) -> None:
    page.goto(LAB_CA)
    root = made(page, "Lab Root CA of owner").first
    root.get_by_role("button", name=re.compile("^Actions for")).click()
    page.get_by_role("menuitem", name="New client certificate below it").click()
    expect(field(page, "Issuer").locator("option:checked")).to_contain_text("lab-root")
    field(page, "Name").fill("Anna")
    page.get_by_role("button", name="Create").click()
    row = made(page, "Anna")
    expect(row).to_contain_text("not for servers")

    row.get_by_role("button", name="Actions for Anna").click()
    page.get_by_role("menuitem", name="Delete").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("its private key")
    question.get_by_role("button", name="Delete", exact=True).click()
    told(page, "“Anna” was deleted.")
    expect(page.get_by_role("heading", name="No certificates")).to_be_visible()


def test_what_is_made_opens_in_the_certificate_dialog_and_lies_in_the_store(
    portal: Portal, page: Page
) -> None:
    page.goto(f"{LAB_CA}new/server/")
    field(page, "Name").fill(NAME)
    page.get_by_role("button", name="Create").click()
    page.get_by_role("link", name=NAME, exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(NAME)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    page.goto("/certificates/stores/current-user/personal/")
    expect(made(page, NAME).first).to_be_visible()


class TestWithoutScript:
    @pytest.fixture
    def browser_options(self) -> dict[str, object]:
        return {"viewport": {"width": 1280, "height": 900}, "java_script_enabled": False}

    def test_forms_and_downloads_work(self, portal: Portal, page: Page) -> None:
        page.goto(LAB_CA)
        page.get_by_role("link", name="New root", exact=True).click()
        field(page, "Name").fill("My Root")
        page.get_by_role("button", name="Create").click()
        expect(made(page, "My Root").first).to_be_visible()
        with page.expect_download() as waiting:
            page.get_by_role("link", name=".cer of My Root").click()
        (found,) = read_certificates(Path(waiting.value.path()).read_bytes()).certificates
        assert found == Authority.objects.get(name="My Root").certificate.parsed
