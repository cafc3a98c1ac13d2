"""Seed 001, first half: certificates of backend servers in the default HTTP setting."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Portal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("tier", ["v1", "v2"])
def test_F1_F2_001_N1_001_N2_001_N3_all_resources_lead_to_the_default_setting(
    portal: Portal, page: Page, tier: str
) -> None:
    page.goto("/portal/")
    page.get_by_role("main").get_by_role("link", name="All resources").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("All resources")
    row = page.get_by_role("row").filter(
        has_text="myResourceGroupAG-v1" if tier == "v1" else re.compile(r"myResourceGroupAG(?!-)")
    )
    row.get_by_role("link", name="myAppGateway").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("myAppGateway")
    expect(
        page.get_by_text("Standard V2" if tier == "v2" else "Standard", exact=True)
    ).to_be_visible()
    menu = page.get_by_role("navigation", name="myAppGateway")
    for blade, default in (
        ("Listeners", "appGatewayHttpListener"),
        ("Backend pools", "appGatewayBackendPool"),
        ("Rules", "rule1"),
        ("Frontend IP configurations", "appGatewayFrontendIP"),
        ("HTTP settings", "appGatewayBackendHttpSettings"),
    ):
        menu.get_by_role("link", name=blade).click()
        expect(page.get_by_role("row").filter(has_text=default)).to_have_count(1)
    page.get_by_role("link", name="appGatewayBackendHttpSettings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("appGatewayBackendHttpSettings")
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    expect(page.get_by_role("radio", name="HTTP", exact=True)).to_be_checked()
    expect(page.get_by_label("Port", exact=True)).to_have_value("80")


def test_F4_001_P1_the_lab_gives_a_newcomer_the_files(
    portal: Portal, page: Page, tmp_path: Path
) -> None:
    page.goto("/portal/")
    page.get_by_role("main").get_by_role("link", name="Lab").click()
    row = page.get_by_role("row").filter(has_text="full-chain.contoso.test").first
    for label in ("Leaf", "Root"):
        with page.expect_download() as download:
            row.get_by_role("link", name=re.compile(label)).click()
        text = Path(download.value.path()).read_text()
        assert text.startswith("-----BEGIN CERTIFICATE-----")
    page.get_by_label("Host name", exact=True).fill("www.contoso.test")
    page.get_by_label("Password", exact=True).fill("Secret12")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download listener PFX").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert portal.opens(file, "Secret12")
    assert not portal.opens(file, "another")


def test_001_N4_001_N5_001_N6_001_N7b_001_N8_a_v2_setting_trusts_an_uploaded_root(
    portal: Portal, page: Page
) -> None:
    portal.open_default_setting("v2")
    # 001-N4: HTTPS brings up the certificate block, and Save.
    block = page.get_by_role("region", name="Trusted root certificates")
    expect(block).to_be_hidden()
    portal.choose("Protocol", "HTTPS")
    expect(block).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_enabled()
    expect(page.get_by_label("Port", exact=True)).to_have_value("443")
    expect(page.get_by_label("Use Well Known CA Certificate", exact=True)).not_to_be_checked()
    # 001-N5: Create new is the default.
    expect(block.get_by_role("radio", name="Create new")).to_be_checked()
    # Nothing chosen: refused beside the field, and the summary leads to it.
    portal.save()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.get_by_role("alert").filter(has_text="root certificate").first).to_be_visible()
    # 001-N7b: a leaf is no root.
    block.get_by_label("Name", exact=True).fill("backendcert")
    portal.upload(portal.leaf("full-chain"))
    expect(block.get_by_text("This is a leaf")).to_be_visible()
    portal.save()
    expect(page.locator(".field-error").filter(has_text="is a server certificate")).to_be_visible()
    expect(block.get_by_label("Name", exact=True)).to_have_value("backendcert")
    # The root is accepted, and the preview says what it is before Save.
    portal.upload(portal.root("full-chain"))
    expect(block.get_by_text("This is a root certificate.")).to_be_visible()
    portal.host_name("full-chain.contoso.test")
    # 001-N8
    portal.save()
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="appGatewayBackendHttpSettings")
    expect(row).to_contain_text("443")
    expect(row).to_contain_text("HTTPS")
    portal.expect_health("full-chain.contoso.test", "Healthy")
    # 001-N5, 001-N6: another setting selects the stored one; its name is taken.
    portal.add_setting("second")
    portal.choose("Protocol", "HTTPS")
    block.get_by_label("Name", exact=True).fill("BackendCert")
    portal.upload(portal.root("self-signed-ca"))
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.locator(".field-error").filter(has_text="already")).to_be_visible()
    portal.choose("Choose a certificate", "Select existing")
    block.get_by_label("backendcert").check()
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="second")).to_contain_text("HTTPS")


def test_001_N7a_a_v1_setting_takes_the_leaf_and_refuses_keys_and_der(
    portal: Portal, page: Page
) -> None:
    portal.open_default_setting("v1")
    portal.choose("Protocol", "HTTPS")
    block = page.get_by_role("region", name="Backend authentication certificates")
    expect(block).to_be_visible()
    block.get_by_label("Name", exact=True).fill("backendcert")
    upload = block.get_by_label("Upload CER certificate", exact=True)
    upload.set_input_files(portal.key_file())
    expect(portal.preview).to_contain_text("private key")
    portal.save()
    expect(page.locator(".field-error").filter(has_text="private key")).to_be_visible()
    upload.set_input_files(portal.der("full-chain"))
    expect(portal.preview).to_contain_text("Base-64")
    portal.save()
    expect(page.locator(".field-error").filter(has_text="binary form")).to_be_visible()
    # The DER file is converted with one click, and is accepted then.
    block.get_by_role("button", name="Use the Base-64 form").click()
    expect(block.get_by_text("The gateway accepts this file.")).to_be_visible()
    portal.save()
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    portal.expect_health("full-chain.contoso.test", "Healthy")


def test_001_N7c_the_well_known_tick_needs_no_upload(portal: Portal, page: Page) -> None:
    portal.open_default_setting("v2")
    portal.choose("Protocol", "HTTPS")
    upload = page.get_by_label("Upload CER certificate", exact=True)
    expect(upload).to_be_visible()
    page.get_by_label("Use Well Known CA Certificate", exact=True).check()
    expect(upload).to_be_hidden()
    portal.save()
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    # The default pool's server belongs to a private authority: the verdict says so.
    portal.expect_health("full-chain.contoso.test", "Unhealthy")
    portal.open_default_setting("v2")
    expect(page.get_by_label("Use Well Known CA Certificate", exact=True)).to_be_checked()


def test_001_P2_a_certificate_for_another_name_is_reported_and_explained(
    portal: Portal, page: Page
) -> None:
    portal.point_pool_at("v2", "wrong-name.contoso.test")
    portal.open_default_setting("v2")
    portal.choose("Protocol", "HTTPS")
    block = page.get_by_role("region", name="Trusted root certificates")
    block.get_by_label("Name", exact=True).fill("backendcert")
    portal.upload(portal.root("wrong-name"))
    portal.host_name("wrong-name.contoso.test")
    portal.save()
    row = portal.expect_health("wrong-name.contoso.test", "Unhealthy")
    expect(row).to_contain_text("wrong-name.contoso.test")
    row.get_by_role("link", name=re.compile("Learn more|explained", re.I)).click()
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
