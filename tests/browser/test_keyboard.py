"""The frame by keyboard alone: whoever opens something is back where they were when it closes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from gateway.models import BackendAddress, BackendAddressPool, TargetKind
from tests import factories
from tests.browser.conftest import Portal, sign_in
from tests.browser.hands import Keyboard

pytestmark = pytest.mark.django_db(transaction=True)


def press_at(target: Locator, key: str = "Enter") -> None:
    target.focus()
    target.page.keyboard.press(key)


def test_panes_and_questions_give_the_keyboard_back(portal: Portal, page: Page) -> None:
    page.goto(portal.address("v2") + "probes/")
    # A pane that is closed, and one that is left by Cancel.
    for name in ("Close", "Cancel"):
        press_at(page.get_by_role("main").get_by_role("link", name="Add", exact=True).first)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Add health probe")
        press_at(page.get_by_role("link", name=name, exact=True))
        expect(page.get_by_role("heading", level=1)).to_contain_text("Health probes")
        expect(
            page.get_by_role("main").get_by_role("link", name="Add", exact=True).first
        ).to_be_focused()
    # The menu of a row: what it opened, and what it asks, come back to its button.
    page.goto(portal.address("v2") + "pools/")
    button = page.get_by_role("button", name=re.compile("Actions for appGatewayBackendPool"))
    press_at(button)
    expect(page.get_by_role("menuitem", name="Edit")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    # The button of a command bar that asks.
    page.goto(portal.address("v2") + "pools/appGatewayBackendPool/edit/")
    delete = page.get_by_role("link", name="Delete", exact=True)
    press_at(delete)
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(delete).to_be_focused()


def test_what_hangs_from_the_top_bar_closes_behind_the_keyboard(portal: Portal, page: Page) -> None:
    page.goto(portal.address("v2") + "pools/")
    bell = page.locator("#notifications-button")
    panel = page.locator("#notifications")
    press_at(bell)
    expect(panel).to_be_focused()
    expect(bell).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(bell).to_be_focused()
    press_at(bell)
    expect(panel).to_be_focused()
    Keyboard(page, []).go(page.get_by_title("Theme"))
    expect(panel).to_be_hidden()
    expect(bell).to_have_attribute("aria-expanded", "false")
    account = page.locator("summary").filter(has_text="Account menu")
    press_at(account)
    sign_out = page.get_by_role("button", name="Sign out")
    expect(sign_out).to_be_visible()
    Keyboard(page, []).go(sign_out)
    page.keyboard.press("Escape")
    expect(sign_out).to_be_hidden()
    expect(account).to_be_focused()
    press_at(account)
    expect(sign_out).to_be_visible()
    # Back past it: nothing stays open over the page.
    page.keyboard.press("Shift+Tab")
    expect(sign_out).to_be_hidden()
    # The resource menu: its search, a narrow screen's fold.
    page.keyboard.press("Control+/")
    search = page.get_by_label("Search the menu")
    expect(search).to_be_focused()
    page.keyboard.type("probes")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Health probes")
    page.set_viewport_size({"width": 400, "height": 800})
    fold = page.get_by_role("button", name=re.compile("^Menu of"))
    press_at(fold)
    expect(search).to_be_visible()
    search.focus()
    page.keyboard.press("Escape")
    expect(search).to_be_hidden()
    expect(fold).to_be_focused()


def test_a_changed_form_is_discarded_and_results_are_dismissed(portal: Portal, page: Page) -> None:
    portal.open_default_setting("v2")
    box = page.get_by_label("Request timeout", exact=True)
    discard = page.get_by_role("button", name="Discard")
    expect(discard).to_be_disabled()
    box.fill("44")
    press_at(discard)
    expect(box).to_have_value("30")
    # A button that is greyed out cannot keep the keyboard: it is at the first field.
    expect(page.get_by_role("radio").first).to_be_focused()
    copy = (
        "document.dispatchEvent(new CustomEvent('toast', {detail: {level: 'error', title: 'One'}}))"
    )
    page.evaluate(copy)
    page.evaluate(copy.replace("One", "Two"))
    box.focus()
    toasts = page.locator("#toasts .toast")
    first = toasts.filter(has_text="One").get_by_role("button", name="Dismiss")
    Keyboard(page, []).go(first)
    page.keyboard.press("Enter")
    expect(toasts.get_by_role("button", name="Dismiss")).to_be_focused()
    page.keyboard.press("Escape")
    expect(toasts).to_have_count(0)
    # It came from inside the page and is inside it again.
    assert page.evaluate("document.activeElement !== document.body")


def test_rows_of_a_large_pool_get_the_boxes_of_another_type(portal: Portal, page: Page) -> None:
    gateway = portal.gateway("v2")
    names = [f"server-{number}.contoso.test" for number in range(300)]
    factories.add_pool(gateway, "large", *names)
    page.goto(portal.address("v2") + "pools/large/edit/")
    kind = page.locator("#id_targets-100-kind")
    machine = page.locator("#id_targets-100-virtual_machine")
    expect(machine).to_have_count(0)
    kind.focus()
    page.keyboard.type("Virtual")
    expect(page.locator("#id_targets-100-target")).to_be_hidden()
    expect(machine).to_be_visible()
    machine.select_option(index=1)
    chosen = machine.input_value()
    # The row below is as it was; the last gets a successor as soon as it is used.
    expect(page.locator("#id_targets-101-target")).to_have_value(names[101])
    page.locator("#id_targets-300-target").fill("new.contoso.test")
    expect(page.locator("#id_targets-301-target")).to_be_visible()
    portal.save()
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    pool = factories.find(gateway, BackendAddressPool, "large")
    stored = [(one.kind, one.target) for one in BackendAddress.objects.filter(pool=pool)]
    assert stored[100] == (TargetKind.VIRTUAL_MACHINE, chosen)
    assert [target for _, target in stored[:100]] == names[:100]
    assert stored[-1] == (TargetKind.ADDRESS, "new.contoso.test")
    page.goto(portal.address("v2") + "pools/large/edit/")
    kind.select_option(label="IP address or FQDN")
    expect(page.locator("#id_targets-100-target")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(machine).to_be_visible()
    expect(machine).to_have_value(chosen)
    expect(page.get_by_role("button", name="Save")).to_be_disabled()


def test_without_script_nothing_typed_is_lost(
    portal: Portal, browser: Browser, live_server: object
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=str(live_server))
    try:
        page = context.new_page()
        sign_in(page, portal.user, str(live_server))
        page.goto(portal.address("v2") + "pools/appGatewayBackendPool/edit/")
        before = page.locator("#id_targets-0-target").input_value()
        page.locator("#id_targets-0-kind").select_option(label="Virtual machine")
        page.locator("#id_targets-1-target").fill("10.0.0.300")
        page.get_by_role("button", name="Save").click()
        # The type was changed, and its box came with the answer; what was typed is still there.
        expect(page.locator(".error-summary li")).to_have_count(2)
        expect(page.locator("#id_targets-0-target")).to_have_value(before)
        expect(page.locator("#id_targets-1-target")).to_have_value("10.0.0.300")
        page.locator("#id_targets-0-virtual_machine").select_option(index=1)
        page.locator("#id_targets-1-target").fill("")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Backend pools")
        page.goto(portal.address("v2") + "http-settings/add/")
        page.locator("#id_name").fill("typed")
        page.get_by_label("Override backend path", exact=True).fill("/kept/")
        page.get_by_label("Request timeout", exact=True).fill("0")
        page.get_by_role("button", name="OK", exact=True).click()
        expect(page.locator(".error-summary")).to_be_visible()
        expect(page.locator("#id_name")).to_have_value("typed")
        expect(page.get_by_label("Override backend path", exact=True)).to_have_value("/kept/")
    finally:
        context.close()
