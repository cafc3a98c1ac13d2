"""A defect is picked in the portal, a cause is switched on: Backend health tells both."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Portal

pytestmark = pytest.mark.django_db(transaction=True)


def open_network(page: Page, blade: str) -> None:
    """All resources, then the virtual network of the v2 gateway, then a blade of it."""
    page.goto("/portal/resources/")
    group = re.compile(r"myResourceGroupAG(?!-)")
    row = page.get_by_role("row").filter(has_text=group).filter(has_text="Virtual network")
    row.get_by_role("link", name="myVNet").click()
    page.get_by_role("navigation", name="myVNet").get_by_role("link", name=blade).click()


def expect_row(portal: Portal, server: str, status: str) -> None:
    portal.page.goto(portal.address("v2") + "health/")
    row = portal.page.get_by_role("row").filter(has_text=server)
    expect(row).to_contain_text(status, timeout=10_000)


def test_a_server_that_is_added_answers_and_is_judged(portal: Portal, page: Page) -> None:
    page.goto("/portal/lab/")
    page.get_by_role("link", name=re.compile("^Add a lab server .* myResourceGroupAG$")).click()
    page.get_by_label("What it does", exact=True).select_option("Answers 404")
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="required")).to_be_visible()
    chosen = page.get_by_label("What it does", exact=True)
    expect(chosen).to_have_value("answers-404")
    page.get_by_label("Name", exact=True).fill("mine")
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="“mine” was added")).to_be_visible()

    portal.point_pool_at("v2", "mine.contoso.test")

    expect_row(portal, "mine.contoso.test", "Unhealthy")
    expect(page.get_by_role("row").filter(has_text="mine.contoso.test")).to_contain_text("404")

    page.goto("/portal/lab/")
    page.get_by_label("Search servers of myResourceGroupAG", exact=True).fill("mine.contoso")
    page.get_by_role("button", name="Actions for mine").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="“mine” was deleted")).to_be_visible()

    expect_row(portal, "mine.contoso.test", "does not exist")


def test_a_cause_that_is_switched_on_is_told_as_simulated(portal: Portal, page: Page) -> None:
    expect_row(portal, "full-chain.contoso.test", "Healthy")

    open_network(page, "Subnets")
    page.get_by_label("Simulated cause in myAGSubnet", exact=True).select_option("U-FW")
    portal.save()
    expect(page.get_by_text("simulated U-FW", exact=True)).to_be_visible()

    expect_row(portal, "full-chain.contoso.test", "Unknown")
    row = page.get_by_role("row").filter(has_text="full-chain.contoso.test")
    expect(row).to_contain_text("Simulated")

    open_network(page, "Subnets")
    page.get_by_label("Simulated cause in myAGSubnet", exact=True).select_option("U-NSG")
    portal.save()
    expect(page.get_by_role("alert").filter(has_text="ports 65200 to 65535")).to_be_visible()
    page.get_by_label("Simulated cause in myAGSubnet", exact=True).select_option("")
    portal.save()
    expect(page.get_by_role("status").filter(has_text="were saved")).to_be_visible()

    expect_row(portal, "full-chain.contoso.test", "Healthy")


def test_dns_servers_of_the_lab_decide_what_a_name_leads_to(portal: Portal, page: Page) -> None:
    portal.point_pool_at("v2", "full-chain.contoso.test", "www.example.com")

    open_network(page, "DNS servers")
    expect(page.get_by_label("Addresses", exact=True)).to_be_hidden()
    page.get_by_label("Lab: DNS server of the zone only").check()
    portal.save()
    expect(page.get_by_role("status").filter(has_text="were saved")).to_be_visible()

    expect_row(portal, "full-chain.contoso.test", "Healthy")
    expect_row(portal, "www.example.com", "REFUSED")

    open_network(page, "DNS servers")
    page.get_by_label("Lab: DNS server that never answers").check()
    portal.save()
    expect(page.get_by_role("status").filter(has_text="were saved")).to_be_visible()

    expect_row(portal, "full-chain.contoso.test", "Unknown")
