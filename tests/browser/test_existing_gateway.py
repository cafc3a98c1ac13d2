"""Seed 001, second half: an HTTPS listener, backend certificates, and a rule that joins them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Portal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("tier", ["v1", "v2"])
def test_001_T1_001_T2_001_T3a_001_T4_001_T5_001_T5n_001_T6_001_T7_a_basic_https_listener(
    portal: Portal, page: Page, tier: str
) -> None:
    portal.open_gateway(tier)  # 001-T1
    portal.menu("Listeners")  # 001-T2
    page.get_by_role("link", name="Basic").click()  # 001-T3a
    expect(page.get_by_role("heading", level=1)).to_have_text("Add basic listener")
    expect(page.get_by_label("Host name", exact=True)).to_have_count(0)
    block = page.get_by_role("region", name="Certificate")
    expect(block).to_be_hidden()
    portal.choose("Protocol", "HTTPS")  # 001-T4
    expect(block).to_be_visible()
    expect(page.get_by_label("Port", exact=True)).to_have_value("443")
    # 001-T5, 001-T5n
    page.get_by_label("Name", exact=True).fill("secureListener")
    portal.upload(portal.pfx("www.contoso.test", "Secret12", self_signed=True))
    block.get_by_label("Certificate name", exact=True).fill("mycert1")
    block.get_by_label("Password", exact=True).fill("Secret12")
    block.get_by_label("Password", exact=True).press("Tab")
    expect(block.get_by_text("The gateway accepts this file.")).to_be_visible()
    expect(portal.preview).to_contain_text(re.compile("self-signed", re.I))
    # 001-T6
    expect(page.get_by_label("Frontend IP configuration", exact=True)).to_contain_text(
        "appGatewayFrontendIP"
    )
    expect(page.get_by_label("Port name", exact=True)).to_have_value("port_443")
    # 001-T7
    page.get_by_role("button", name="OK", exact=True).click()
    row = page.get_by_role("row").filter(has_text="secureListener")
    expect(row).to_contain_text("443")
    expect(row.get_by_role("cell").nth(2)).to_have_text("-")
    # The certificate is there for the next listener, its key is nowhere.
    row.get_by_role("link", name="secureListener").click()
    expect(page.get_by_label("Certificate of this gateway", exact=True)).to_have_value("mycert1")
    assert "PRIVATE" not in page.content()
    assert "Secret12" not in page.content()


@pytest.mark.parametrize("tier", ["v1", "v2"])
def test_001_T3b_a_multi_site_listener_asks_for_its_host(
    portal: Portal, page: Page, tier: str
) -> None:
    portal.open_gateway(tier)
    portal.menu("Listeners")
    page.get_by_role("link", name="Multi-site").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Add multi-site listener")
    page.get_by_label("Name", exact=True).fill("site")
    portal.choose("Protocol", "HTTPS")
    block = page.get_by_role("region", name="Certificate")
    portal.upload(portal.pfx("www.contoso.test", "Secret12"))
    block.get_by_label("Certificate name", exact=True).fill("mycert1")
    block.get_by_label("Password", exact=True).fill("Secret12")
    page.get_by_role("button", name="OK", exact=True).click()
    # The host is missing; the chosen file and the password are still there.
    expect(page.locator(".field-error").filter(has_text=re.compile("required"))).to_be_visible()
    expect(page.locator("[data-filebox-name]")).to_have_text('"www.contoso.test.pfx"')
    page.get_by_label("Host name", exact=True).fill("www.contoso.test")
    page.get_by_role("button", name="OK", exact=True).click()
    row = page.get_by_role("row").filter(has_text="site")
    expect(row).to_contain_text("www.contoso.test")


def test_001_T5_every_bad_pfx_is_refused_in_its_own_words(portal: Portal, page: Page) -> None:
    portal.open_gateway("v1")
    portal.menu("Listeners")
    page.get_by_role("link", name="Basic").click()
    page.get_by_label("Name", exact=True).fill("secureListener")
    portal.choose("Protocol", "HTTPS")
    block = page.get_by_role("region", name="Certificate")
    block.get_by_label("Certificate name", exact=True).fill("mycert1")
    said: set[str] = set()
    for file, password, words in (
        (portal.pfx("www.contoso.test", "Secret12"), "Wrong123", "password"),
        (portal.leaf("full-chain"), "Secret12", "alone"),
        (portal.pfx("www.contoso.test", "Secret12", key=False), "Secret12", "but no private key"),
        (portal.pfx("www.contoso.test", "Secret12", padding=12_000), "Secret12", "10,240"),
        (portal.file("junk.pfx", b"\x00\x01junk"), "Secret12", "holds no certificate"),
    ):
        portal.upload(file)
        block.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="OK", exact=True).click()
        error = block.locator(".field-error").first
        expect(error).to_contain_text(re.compile(words))
        said.add(error.inner_text())
        expect(block.get_by_label("Certificate name", exact=True)).to_have_value("mycert1")
    assert len(said) == 5
    # An expired one is taken, with a warning.
    portal.upload(portal.pfx("www.contoso.test", "Secret12", expired=True))
    block.get_by_label("Password", exact=True).fill("Secret12")
    block.get_by_label("Password", exact=True).press("Tab")
    expect(portal.preview).to_contain_text(re.compile("expired", re.I))
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="secureListener")).to_be_visible()
    # A second listener cannot store its certificate under the same name.
    page.get_by_role("link", name="Multi-site").click()
    page.get_by_label("Name", exact=True).fill("second")
    page.get_by_label("Host name", exact=True).fill("second.contoso.test")
    portal.choose("Protocol", "HTTPS")
    portal.upload(portal.pfx("second.contoso.test", "Secret12"))
    block.get_by_label("Certificate name", exact=True).fill("MyCert1")
    block.get_by_label("Password", exact=True).fill("Secret12")
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.locator(".field-error").filter(has_text="already")).to_be_visible()


def test_001_T6_names_ports_and_hosts_are_validated_beside_their_fields(
    portal: Portal, page: Page
) -> None:
    portal.open_gateway("v2")
    portal.menu("Listeners")
    page.get_by_role("link", name="Multi-site").click()
    page.get_by_label("Name", exact=True).fill("-bad name-")
    page.get_by_label("Host name", exact=True).fill("*.*.contoso..test")
    page.get_by_label("Frontend port", exact=True).select_option(label="New")
    page.get_by_label("Port name", exact=True).fill("infrastructure")
    page.get_by_label("Port", exact=True).fill("65300")
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.locator(".field-error").filter(has_text="begin with a letter")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("site")
    page.get_by_role("button", name="OK", exact=True).click()
    summary = page.locator(".error-summary")
    expect(summary).to_contain_text("65300")
    expect(summary).to_contain_text("contoso..test")
    expect(page.locator("#id_port_number_error")).to_contain_text("65300")
    expect(page.locator("#id_host_name_error")).to_contain_text("contoso..test")
    page.get_by_label("Port", exact=True).fill("8081")
    page.get_by_label("Host name", exact=True).fill("www.contoso.test")
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="site")).to_contain_text("8081")
    # A second basic listener on a port is refused, and the message names the first one.
    page.get_by_role("link", name="Basic").click()
    page.get_by_label("Name", exact=True).fill("another")
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.locator(".error-summary")).to_contain_text("appGatewayHttpListener")


def test_001_H1_001_H2_001_H3_001_H4_001_H5_001_H6_001_H7b_001_H8_settings_get_a_root(
    portal: Portal, page: Page
) -> None:
    portal.open_gateway("v2")  # 001-H1
    portal.menu("HTTP settings")  # 001-H2
    page.get_by_role("link", name="appGatewayBackendHttpSettings").click()  # 001-H3
    block = page.get_by_role("region", name="Trusted root certificates")
    portal.choose("Protocol", "HTTPS")  # 001-H4
    expect(block.get_by_role("radio", name="Create new")).to_be_checked()  # 001-H5
    block.get_by_label("Name", exact=True).fill("backendroot")  # 001-H6
    # The wrong root first: the verdict says so, and names a remedy.
    portal.upload(portal.root("self-signed-ca"))
    portal.host_name("full-chain.contoso.test")
    portal.save()
    row = portal.expect_health("full-chain.contoso.test", "Unhealthy")
    expect(row).to_contain_text(re.compile("root", re.I))
    # 001-H7b: the right one.
    portal.open_default_setting("v2")
    expect(block.get_by_role("checkbox", name="backendroot")).to_be_checked()
    block.get_by_label("Name", exact=True).fill("rightroot")
    portal.upload(portal.root("full-chain"))
    portal.save()  # 001-H8
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    row = portal.expect_health("full-chain.contoso.test", "Healthy")
    # The evidence: presented chain with names and dates, SNI and timings.
    row.get_by_role("link", name="Details").click()
    for words in ("full-chain.contoso.test", "Handshake", "SNI", "ms"):
        expect(page.get_by_role("main").get_by_text(re.compile(words)).first).to_be_visible()
    # 001-H2: a new setting works too.
    portal.add_setting("second")
    portal.choose("Protocol", "HTTPS")
    block.get_by_label("Name", exact=True).fill("third")
    portal.upload(portal.root("wrong-name"))
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.locator("body")).to_contain_text("second")


def test_001_H7a_a_v1_gateway_allow_lists_the_leaf(portal: Portal, page: Page) -> None:
    portal.open_default_setting("v1")
    portal.choose("Protocol", "HTTPS")
    portal.save()
    # Saved with a warning: nothing is allow-listed yet.
    row = portal.expect_health("full-chain.contoso.test", "Unhealthy")
    expect(row).to_contain_text(re.compile("authentication certificate|allow-list", re.I))
    portal.open_default_setting("v1")
    block = page.get_by_role("region", name="Backend authentication certificates")
    block.get_by_label("Name", exact=True).fill("backendcert")
    portal.upload(portal.leaf("full-chain"))
    portal.save()
    portal.expect_health("full-chain.contoso.test", "Healthy")


def test_001_H7c_a_public_backend_needs_no_upload(portal: Portal, page: Page) -> None:
    portal.point_pool_at("v2", "public.contoso.test")
    portal.open_default_setting("v2")
    portal.choose("Protocol", "HTTPS")
    page.get_by_label("Use Well Known CA Certificate", exact=True).check()
    portal.host_name("public.contoso.test")
    portal.save()
    portal.expect_health("public.contoso.test", "Healthy")


def test_001_X1_a_rule_binds_the_new_listener(portal: Portal, page: Page) -> None:
    portal.open_gateway("v2")
    portal.menu("Listeners")
    page.get_by_role("link", name="Multi-site").click()
    page.get_by_label("Name", exact=True).fill("site")
    page.get_by_label("Host name", exact=True).fill("www.contoso.test")
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="site")).to_contain_text("-")
    portal.menu("Rules")
    page.get_by_role("link", name="Basic").click()
    page.get_by_label("Name", exact=True).fill("rule2")
    page.get_by_label("Listener", exact=True).select_option(label="site")
    page.get_by_label("Backend pool", exact=True).select_option(label="appGatewayBackendPool")
    page.get_by_label("HTTP setting", exact=True).select_option(
        label="appGatewayBackendHttpSettings"
    )
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="rule2")).to_contain_text("site")
    portal.menu("Listeners")
    expect(page.get_by_role("row").filter(has_text="site")).to_contain_text("rule2")
    # What a rule uses stays; the rule itself can go, and then the listener.
    portal.delete_row("site")
    expect(page.locator(".error-summary")).to_contain_text("rule2")
    portal.open_gateway("v2")
    portal.menu("Rules")
    portal.delete_row("rule2")
    expect(page.get_by_role("row").filter(has_text="rule2")).to_have_count(0)
    portal.menu("Listeners")
    portal.delete_row("site")
    expect(page.get_by_role("row").filter(has_text="site")).to_have_count(0)


def test_a_v1_gateway_trusts_an_app_service_without_an_upload(portal: Portal, page: Page) -> None:
    page.goto(portal.address("v1") + "pools/appGatewayBackendPool/edit/")
    page.locator("#id_targets-0-kind").select_option(label="App Services")
    page.locator("#id_targets-0-app_service").select_option(index=1)
    portal.save()
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    portal.open_default_setting("v1")
    portal.choose("Protocol", "HTTPS")
    upload = page.get_by_label("Upload CER certificate", exact=True)
    expect(upload).to_be_visible()
    page.get_by_label("Use for App service", exact=True).check()
    expect(upload).to_be_hidden()
    portal.save()
    portal.expect_health("contoso-app.azurewebsites.test", "Healthy")
    # Re-opened, the tick is derived from what is stored.
    portal.open_default_setting("v1")
    expect(page.get_by_label("Use for App service", exact=True)).to_be_checked()
