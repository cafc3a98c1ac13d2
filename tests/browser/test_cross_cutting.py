"""What holds for every form: keyboard, discarding, two editors, secrets, dependent fields."""

import re

import pytest
from playwright.sync_api import Page, expect

from gateway.models import BackendHttpSettings
from tests.browser.conftest import Portal

pytestmark = pytest.mark.django_db(transaction=True)


def focused(page: Page) -> str:
    """Name and role of what has the focus, as a person would call it."""
    return str(
        page.evaluate(
            """() => {
              const e = document.activeElement;
              const label = e.labels && e.labels.length ? e.labels[0].innerText : '';
              return (e.getAttribute('aria-label') || label || e.innerText || e.name || '').trim();
            }"""
        )
    )


def tab_to(page: Page, wanted: str, limit: int = 80) -> None:
    """Press Tab until the control named ``wanted`` has the focus."""
    seen = []
    for _ in range(limit):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if re.fullmatch(wanted, seen[-1]):
            return
    raise AssertionError(f"{wanted} cannot be reached with Tab: {seen}")


def test_X_1_the_whole_way_works_by_keyboard_alone(portal: Portal, page: Page) -> None:
    portal.files_for_key_presses(portal.root("full-chain"))
    page.goto("/portal/")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to main content"
    page.keyboard.press("Enter")
    tab_to(page, "All resources")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("All resources")
    page.keyboard.press("Tab")
    for _ in range(80):
        page.keyboard.press("Tab")
        href = page.evaluate("document.activeElement.getAttribute('href') || ''")
        if "/myResourceGroupAG/" in href:
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("myAppGateway")
    page.wait_for_load_state()
    page.keyboard.press("Control+/")
    assert focused(page) == "Search the menu"
    page.keyboard.type("HTTP")
    tab_to(page, "HTTP settings")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("HTTP settings")
    tab_to(page, "appGatewayBackendHttpSettings")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("appGatewayBackendHttpSettings")
    tab_to(page, "HTTP")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "HTTPS"
    block = page.get_by_role("region", name="Trusted root certificates")
    expect(block).to_be_visible()
    tab_to(page, "Name")
    page.keyboard.type("backendcert")
    tab_to(page, r"Upload CER certificate")
    page.keyboard.press("Enter")
    expect(block.get_by_text("This is a root certificate.")).to_be_visible()
    tab_to(page, "Pick host name from backend address")
    page.keyboard.press("Space")
    # Save stands in the command bar above: go around.
    tab_to(page, "Save", limit=120)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    # Every control of the form has a name, a role and, if it is refused, a described error.
    portal.expect_health("full-chain.contoso.test", "Healthy")


def test_X_2_discard_restores_and_leaving_asks(portal: Portal, page: Page) -> None:
    portal.open_default_setting("v2")
    timeout = page.get_by_label("Request timeout", exact=True)
    timeout.fill("55")
    portal.choose("Protocol", "HTTPS")
    page.get_by_role("button", name="Discard").click()
    expect(timeout).to_have_value("30")
    expect(page.get_by_role("radio", name="HTTP", exact=True)).to_be_checked()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    # Leaving a changed form asks; Cancel stays, OK leaves.
    timeout.fill("55")
    portal.menu("Listeners")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(timeout).to_have_value("55")
    portal.menu("Listeners")
    dialog.get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("link", name="appGatewayHttpListener")).to_be_visible()
    assert BackendHttpSettings.objects.get(gateway=portal.gateway("v2")).request_timeout == 30


def test_X_3_the_second_of_two_saves_is_told_and_loses_nothing(portal: Portal, page: Page) -> None:
    portal.open_default_setting("v2")
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("Request timeout", exact=True).fill("41")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    page.get_by_label("Request timeout", exact=True).fill("42")
    page.get_by_label("Override backend path", exact=True).fill("/mine/")
    portal.save()
    summary = page.locator(".error-summary")
    expect(summary).to_contain_text("owner saved")
    expect(summary).to_contain_text("requestTimeout")
    expect(page.get_by_label("Request timeout", exact=True)).to_have_value("42")
    expect(page.get_by_label("Override backend path", exact=True)).to_have_value("/mine/")
    # Saving again applies it on top.
    portal.save()
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    stored = BackendHttpSettings.objects.get(gateway=portal.gateway("v2"))
    assert (stored.request_timeout, stored.path) == (42, "/mine/")


def test_X_4_a_reopened_form_shows_what_was_saved_and_no_secret(portal: Portal, page: Page) -> None:
    portal.open_default_setting("v2")
    portal.choose("Cookie based affinity", "Enabled")
    portal.choose("Connection draining", "Enabled")
    page.get_by_label("Drain timeout", exact=True).fill("90")
    portal.choose("Protocol", "HTTPS")
    page.get_by_label("Use Well Known CA Certificate", exact=True).check()
    page.get_by_label("Port", exact=True).fill("8443")
    page.get_by_label("Override backend path", exact=True).fill("/app/")
    page.get_by_label("Request timeout", exact=True).fill("61")
    portal.host_name("www.contoso.test")
    portal.save()
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    portal.open_default_setting("v2")
    for group, choice in (
        ("Cookie based affinity", "Enabled"),
        ("Connection draining", "Enabled"),
        ("Protocol", "HTTPS"),
    ):
        radio = page.get_by_role("group", name=group).get_by_role("radio", name=choice, exact=True)
        expect(radio).to_be_checked()
    for label, value in (
        ("Drain timeout", "90"),
        ("Port", "8443"),
        ("Override backend path", "/app/"),
        ("Request timeout", "61"),
        ("Host name", "www.contoso.test"),
    ):
        expect(page.get_by_label(label, exact=True)).to_have_value(value)
    expect(page.get_by_label("Use Well Known CA Certificate", exact=True)).to_be_checked()
    # A PFX password is never seen again.
    portal.add_https_listener("v2", "secureListener", "VerySecret1")
    for path in ("listeners/secureListener/edit/", "json/", "activity/"):
        page.goto(portal.address("v2") + path)
        content = page.content()
        assert "VerySecret1" not in content
        assert "PRIVATE KEY" not in content


def test_X_5_hidden_fields_are_neither_sent_nor_judged(portal: Portal, page: Page) -> None:
    portal.open_default_setting("v2")
    portal.choose("Connection draining", "Enabled")
    page.get_by_label("Drain timeout", exact=True).fill("999999")
    portal.choose("Connection draining", "Disabled")
    portal.choose("Protocol", "HTTPS")
    page.get_by_label("Name", exact=True).fill("-not a name-")
    page.get_by_label("Use Well Known CA Certificate", exact=True).check()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    portal.save()
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    body = "".join(sent)
    assert "drain_timeout" not in body
    assert "certificate_name" not in body
    stored = BackendHttpSettings.objects.get(gateway=portal.gateway("v2"))
    assert stored.drain_timeout != 999999
