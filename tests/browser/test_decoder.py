"""The decoder in a real browser: dropped, chosen and pasted files, and what is made of them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from certificates.x509.files.read import read_certificates
from certificates.x509.issuing import issue
from tests.browser.conftest import Portal

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()
ROOT = issue.make_root("Dropped Root", now=NOW)
MIDDLE = issue.make_intermediate(ROOT, "Dropped Issuing CA", now=NOW)
LEAF = issue.make_leaf(MIDDLE, "shop.contoso.test", now=NOW, dns_names=["shop.contoso.test"])
CHAIN = issue.to_pem(LEAF.certificate, MIDDLE.certificate, ROOT.certificate)
PASSWORD = "Secret12"
PFX = issue.to_pfx(LEAF, PASSWORD, chain=[MIDDLE.certificate, ROOT.certificate])

# A drag comes from outside of the browser: the events that it brings are made here.
DROP = """([target, name, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  const element = document.querySelector(target);
  for (const kind of ["dragenter", "dragover", "drop"])
    element.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
}"""
PASTE = """([target, text]) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  document.querySelector(target).dispatchEvent(
    new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData }));
}"""


@pytest.fixture
def decoder(portal: Portal, page: Page) -> Page:
    page.goto("/certificates/decoder/")
    return page


def drop(page: Page, target: str, name: str, content: bytes) -> None:
    page.evaluate(DROP, [target, name, base64.b64encode(content).decode()])


def title(page: Page, text: str) -> None:
    expect(page.locator("#decoder-title")).to_have_text(text)


def way(page: Page, place: str) -> Locator:
    return page.get_by_role("listitem").filter(
        has=page.get_by_role("heading", name=place, exact=True)
    )


def download(page: Page, button: Locator, folder: Path) -> Path:
    with page.expect_download() as caught:
        button.click()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def test_a_file_dropped_anywhere_is_decoded_at_once(decoder: Page) -> None:
    drop(decoder, ".blade-header", "chain.pem", CHAIN)
    title(decoder, "chain.pem")
    expect(decoder.locator("#decoder-title")).to_be_focused()
    expect(decoder.locator("#decoder-answer").get_by_role("status").first).to_contain_text(
        "3 certificates"
    )
    expect(decoder.locator("body")).not_to_have_class("is-dropping")
    drop(decoder, ".dropzone", "root.cer", ROOT.certificate.der)
    title(decoder, "root.cer")
    row = decoder.get_by_role("row").filter(has_text="Trusted root").filter(has_text="portal")
    expect(row).to_contain_text("Refused")
    row = decoder.get_by_role("row").filter(has_text="Trusted root").filter(has_text="by the API")
    expect(row).to_contain_text("Accepted")


def test_the_file_that_was_made_is_what_a_gateway_accepts(
    decoder: Page, portal: Portal, tmp_path: Path
) -> None:
    decoder.get_by_label("Drop a file").set_input_files(portal.file("chain.pem", CHAIN))
    title(decoder, "chain.pem")
    leaf = way(decoder, "Backend authentication certificate (v1)").get_by_role(
        "button", name="Download"
    )
    root = way(decoder, "Trusted root certificate (v2)").get_by_role("button", name="Download")
    files = {"v1": download(decoder, leaf, tmp_path), "v2": download(decoder, root, tmp_path)}
    assert files["v1"].name == "shop.contoso.test.cer"
    assert files["v2"].name == "dropped-root.cer"
    assert read_certificates(files["v2"].read_bytes()).certificates == (ROOT.certificate,)
    for tier, file in files.items():
        portal.open_default_setting(tier)
        portal.choose("Protocol", "HTTPS")
        portal.upload(file)
        expect(portal.preview).to_contain_text("accepts this file")


def test_a_pfx_asks_for_its_password_and_then_opens(decoder: Page, portal: Portal) -> None:
    decoder.get_by_label("Drop a file").set_input_files(portal.file("shop.pfx", PFX))
    password = decoder.get_by_label("Password", exact=True)
    expect(password).to_be_focused()
    expect(decoder.get_by_text("Enter the password to see what is in it.")).to_be_visible()
    password.fill("wrong")
    decoder.keyboard.press("Enter")
    expect(decoder.get_by_text("stays closed")).to_be_visible()
    expect(password).to_be_focused()
    password.fill(PASSWORD)
    decoder.keyboard.press("Enter")
    expect(decoder.get_by_role("heading", name="Certificates in it")).to_be_visible()
    expect(way(decoder, "Listener certificate (PFX)")).to_contain_text("This file as it is")


def test_pasted_text_is_decoded_wherever_it_is_pasted(decoder: Page) -> None:
    spoilt = CHAIN.decode().replace("-----", "\u2014\u2014")
    decoder.evaluate(PASTE, ["body", spoilt])
    title(decoder, "The pasted text")
    expect(decoder.get_by_label("Or paste its text")).to_have_value(spoilt)
    expect(decoder.get_by_text("it can be mended")).to_be_visible()
    # The last thing given counts.
    drop(decoder, "body", "note.txt", b"hello")
    title(decoder, "note.txt")
    expect(decoder.get_by_label("Or paste its text")).to_have_value("")
    decoder.get_by_label("Or paste its text").fill(ROOT.certificate.pem)
    expect(decoder.locator("[data-filebox-name]")).to_have_text("Select a file")
    decoder.get_by_role("button", name="Decode").click()
    title(decoder, "The pasted text")
    expect(decoder.locator("#decoder-answer").get_by_role("status").first).to_contain_text(
        "the root “Dropped Root”"
    )


def test_a_pasted_private_key_leaves_the_page(decoder: Page) -> None:
    key = issue.key_pem(LEAF).decode()
    box = decoder.get_by_label("Or paste its text")
    box.fill(key + LEAF.certificate.pem)
    decoder.get_by_role("button", name="Decode").click()
    expect(decoder.get_by_text("The box was emptied")).to_be_visible()
    expect(box).to_have_value("")
    assert key.splitlines()[1] not in decoder.content()
    # The new box works as the old one did.
    box.fill("hello")
    decoder.get_by_role("button", name="Decode").click()
    expect(decoder.get_by_text("nor anything that usually gets mistaken")).to_be_visible()
    expect(box).to_have_value("hello")


def test_a_text_is_copied_with_one_click(decoder: Page, portal: Portal) -> None:
    decoder.context.grant_permissions(["clipboard-read", "clipboard-write"])
    decoder.get_by_label("Drop a file").set_input_files(portal.file("chain.pem", CHAIN))
    way(decoder, "Trusted root certificate (v2)").get_by_role("button", name="Copy").first.click()
    expect(decoder.get_by_text("Copied", exact=True)).to_be_visible()
    copied = decoder.evaluate("navigator.clipboard.readText()")
    assert copied.split() == ROOT.certificate.pem.split()


def test_a_refused_upload_leads_to_the_decoder(portal: Portal, page: Page) -> None:
    portal.open_default_setting("v2")
    portal.choose("Protocol", "HTTPS")
    portal.upload(portal.leaf("full-chain"))
    with page.context.expect_page() as opened:
        portal.preview.get_by_role("link", name="Look at this file in the decoder").click()
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("Certificate decoder")


def test_too_large_a_file_is_told(decoder: Page, portal: Portal, tolerated: list[str]) -> None:
    tolerated += ["status of 413", "Response Status Error Code 413"]
    drop(decoder, "body", "chain.pem", CHAIN)
    title(decoder, "chain.pem")
    drop(decoder, "body", "film.mp4", b"0" * 1_200_000)
    expect(decoder.get_by_role("alert").filter(has_text="too much at once")).to_be_visible()
    expect(decoder.locator("#decoder-title")).to_have_count(0)


@pytest.mark.parametrize("browser_options", [{"java_script_enabled": False}])
def test_it_works_without_script(decoder: Page, portal: Portal) -> None:
    decoder.get_by_label("Or paste its text").fill(CHAIN.decode())
    decoder.get_by_role("button", name="Decode").click()
    title(decoder, "The pasted text")
    expect(decoder.get_by_label("Or paste its text")).to_have_value(CHAIN.decode())
    root = way(decoder, "Trusted root certificate (v2)")
    root.get_by_text("Show the text").click()
    expect(root.get_by_role("group", name="dropped-root.cer")).to_contain_text("BEGIN CERTIFICATE")
    expect(root.get_by_role("button", name="Download")).to_be_hidden()
    decoder.get_by_label("Choose a file").set_input_files(portal.file("shop.pfx", PFX))
    decoder.get_by_label("Password", exact=True).fill(PASSWORD)
    decoder.get_by_role("button", name="Decode").click()
    title(decoder, "shop.pfx")
    expect(decoder.get_by_label("Password", exact=True)).to_have_value("")
