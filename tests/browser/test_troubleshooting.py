"""From a red row to the field that cures it, and a probe that is tried before it is added."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Portal

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_bad_server_is_drawn_and_its_cure_is_the_very_field(portal: Portal, page: Page) -> None:
    portal.point_pool_at("v2", "full-chain.contoso.test", "no-intermediate.contoso.test")
    portal.open_default_setting("v2")
    portal.choose("Protocol", "HTTPS")
    page.get_by_label("Use Well Known CA Certificate", exact=True).check()
    page.get_by_role("checkbox", name="Pick host name from backend address").check()
    portal.save()
    portal.expect_health("full-chain.contoso.test", "Unhealthy")
    # The search narrows the report on the server.
    page.get_by_role("searchbox", name="Search backend health").fill("no-intermediate")
    expect(page.locator("#health-table tbody tr")).to_have_count(1)
    page.get_by_role("searchbox", name="Search backend health").fill("")
    expect(page.locator("#health-table tbody tr")).to_have_count(2)
    row = page.get_by_role("row").filter(has_text="full-chain.contoso.test")
    row.get_by_role("link", name=re.compile("^Troubleshoot of full-chain")).click()
    picture = page.get_by_role("list", name="Client, gateway and backend server")
    expect(picture).to_contain_text("The setting does not fit")
    chain = picture.get_by_role("list", name=re.compile("^Certificates in the order"))
    expect(chain.get_by_role("listitem")).to_have_count(3)
    expect(chain.get_by_role("listitem").last).to_contain_text("at fault")
    expect(page.get_by_role("group", name="On this machine")).to_contain_text(
        "-servername full-chain.contoso.test"
    )
    # What is unfolded stays so while the page draws itself anew.
    page.get_by_text("The evidence as text").click()
    with page.expect_response(lambda answer: "/health/" in answer.url):
        pass
    expect(page.get_by_role("group", name="Evidence")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Use Well Known CA Certificate of")).click()
    expect(page.get_by_label("Use Well Known CA Certificate", exact=True)).to_be_focused()


def test_a_probe_is_tried_against_real_servers_before_it_is_added(
    portal: Portal, page: Page
) -> None:
    portal.point_pool_at("v2", "plain-http.contoso.test", "nowhere.contoso.test")
    # The lab may still be starting: the worker asks it again until it is there.
    portal.menu("Backend health")
    row = page.get_by_role("row").filter(has_text="plain-http.contoso.test")
    expect(row).to_contain_text("Healthy", timeout=15000)
    page.goto(portal.address("v2") + "probes/add/")
    page.locator("#id_name").fill("tried")
    page.locator("#id_host").fill("plain-http.contoso.test")
    page.get_by_label(re.compile("^appGatewayBackendHttpSettings")).check()
    page.set_viewport_size({"width": 1280, "height": 800})
    held: list[Route] = []
    page.route("**/probes/add/", lambda route: held.append(route))
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text(re.compile(r"^Asking … \d+ of at most 15 s$"))).to_be_visible()
    expect(page.get_by_role("button", name="Test", exact=True)).to_be_disabled()
    held[0].continue_()
    page.unroute("**/probes/add/")
    # The results stand below the form and above its footer: they are what one sees next.
    title = page.get_by_role("heading", name="Test results")
    expect(title).to_be_focused()
    expect(title).to_be_in_viewport()
    expect(page.get_by_text(re.compile(r"^Asking …"))).to_have_count(0)
    expect(page.get_by_role("button", name="Test", exact=True)).to_be_enabled()
    results = page.get_by_role("region", name="Test results")
    row = results.get_by_role("row").filter(has_text="plain-http.contoso.test")
    expect(row).to_contain_text("Healthy")
    lost = results.get_by_role("row").filter(has_text="nowhere.contoso.test")
    expect(lost).to_contain_text("does not exist")
    expect(page.locator("#id_name")).to_have_value("tried")
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="was added")).to_be_visible()
