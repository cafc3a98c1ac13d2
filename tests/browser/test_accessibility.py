"""Every page under axe in both themes, on a phone and enlarged; faults of a request; focus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from certificates import labca
from certificates.files import save_file
from certificates.models import ChainForm, Place, StoredCertificate
from certificates.x509.editor.damage import PROGRAMS, damage
from certificates.x509.issuing.issue import make_leaf, make_root, to_pem
from gateway.accounts import links
from tests.browser.conftest import Portal

pytestmark = pytest.mark.django_db(transaction=True)

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
}
# What depends on the theme.
CONTRAST = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
REFUSED = "bad.host/path"


def faults(page: Page, rules: dict[str, Any] | None = None) -> list[str]:
    """What axe holds against the page as it stands, a line for each element."""
    found = Axe().run(page, options=rules or RULES).response["violations"]
    return [
        f"{page.url}: {one['id']} ({one['help']}): {node['html'][:200]} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


def overflow(page: Page) -> list[str]:
    """Whether the page is wider than its window, and what sticks out."""
    wide = page.evaluate(
        """() => {
          const root = document.documentElement;
          if (root.scrollWidth <= root.clientWidth) return null;
          const sticksOut = (element) => !element.closest('.table-wrap')
            && element.getBoundingClientRect().right > root.clientWidth + 1;
          const out = [...document.querySelectorAll('body *')].filter(sticksOut);
          return out.slice(0, 5).map((element) => element.outerHTML.slice(0, 120)).join(' | ');
        }"""
    )
    return [] if wide is None else [f"{page.url} is wider than its window: {wide}"]


def furnish(portal: Portal) -> None:
    """Both gateways with health in every colour; a probe and a listener with long names."""
    for tier in ("v1", "v2"):
        portal.point_pool_at(
            tier,
            "full-chain.contoso.test",
            "expired.contoso.test",
            "nowhere.contoso.test",
            "a-host-with-a-very-long-name-that-nobody-would-want-to-type.contoso.test",
        )
    page = portal.page
    page.goto(portal.address("v2") + "http-settings/appGatewayBackendHttpSettings/edit/")
    portal.choose("Protocol", "HTTPS")
    page.get_by_label("Use Well Known CA Certificate", exact=True).check()
    page.get_by_label("Pick host name from backend address", exact=True).check()
    page.get_by_label("Port", exact=True).fill("443")
    portal.save()
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()
    portal.add_https_listener("v2", "a-listener-with-a-rather-long-name-for-a-phone", "1aB2cd")
    page.goto(portal.address("v2") + "probes/add/")
    page.locator("#id_name").fill("a-probe-with-a-rather-long-name-for-a-phone")
    page.locator("#id_host").fill("probe.contoso.test")
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="was added")).to_be_visible()


def networks(portal: Portal) -> Iterator[str]:
    """The pages of a virtual network, with a simulated cause and refused forms among them."""
    page = portal.page
    page.goto("/portal/resources/")
    page.get_by_role("link", name="myVNet").first.click()
    base = page.url
    yield "network"
    page.goto(base + "subnets/")
    cause = page.get_by_label("Simulated cause in myAGSubnet", exact=True)
    cause.select_option("U-FW")
    portal.save()
    expect(page.get_by_role("status").filter(has_text="The subnets were saved.")).to_be_visible()
    page.goto(base + "subnets/")
    yield "subnets with a simulated cause"
    page.get_by_label("Simulated cause in myAGSubnet", exact=True).select_option("")
    portal.save()
    expect(page.locator(".pill")).to_have_count(0)
    page.goto(base + "dns/")
    page.get_by_label("Own addresses", exact=True).check()
    page.get_by_label("Addresses", exact=True).fill("nobody")
    portal.save()
    expect(page.locator(".error-summary")).to_be_visible()
    yield "DNS servers refused"
    page.goto(base + "zone/")
    yield "zone"
    page.goto(base + "zone/add/")
    page.get_by_role("button", name="OK", exact=True).click()
    expect(page.locator(".error-summary")).to_be_visible()
    yield "zone record refused"
    page.goto(base + "lab/add/")
    page.get_by_text("What each kind of server teaches").click()
    yield "a new lab server"


def states(portal: Portal) -> Iterator[str]:
    """Bring the page to every state that is looked at, one after the other, by its name."""
    page = portal.page
    for address in (
        "/portal/",
        "/portal/resources/",
        "/portal/search/?q=root",
        "/portal/search/?q=gateway",
        "/portal/search/?q=nothing-is-called-so",
        "/portal/notifications/",
        "/portal/help/",
        "/portal/help/E-DNS/",
        "/portal/lab/",
        "/portal/is-not-there/",
        "/account/password/",
    ):
        page.goto(address)
        yield address
    yield from networks(portal)
    for tier in ("v1", "v2"):
        base = portal.address(tier)
        for blade in (
            "",
            "activity/",
            "properties/",
            "json/",
            "advisor/",
            "announced/",
            "test-request/",
            "access-log/",
            "frontends/",
            "http-settings/",
            "listeners/",
            "pools/",
            "probes/",
            "rules/",
            "pools/add/",
            "pools/appGatewayBackendPool/edit/",
            "pools/appGatewayBackendPool/delete/",
            "probes/add/",
            "rules/add/",
            "rules/rule1/edit/",
            "listeners/appGatewayHttpListener/edit/",
        ):
            page.goto(base + blade)
            yield base + blade
        for pane in (
            "http-settings/add/",
            "http-settings/appGatewayBackendHttpSettings/edit/",
            "listeners/add/basic/",
            "listeners/add/multi-site/",
        ):
            page.goto(base + pane)
            portal.choose("Protocol", "HTTPS")
            yield base + pane
        page.goto(base + "health/")
        expect(page.get_by_role("row").filter(has_text="nowhere")).to_contain_text(
            re.compile("Unhealthy|Unknown")
        )
        yield "health"
        page.get_by_role("link", name=re.compile("^(Details|Troubleshoot) of full-chain")).click()
        expect(page.get_by_role("heading", name="Stages")).to_be_visible()
        yield "health detail"


def workshop(portal: Portal) -> Iterator[str]:
    """The certificate tools: lists with their menus open, searches without a result, forms."""
    page = portal.page
    save_file(portal.user.pk, Place.DESKTOP, f"{'a-long-name-' * 9}.cer", b"no certificate")
    stores = "/certificates/stores/"
    for address in (
        f"{stores}current-user/personal/",
        f"{stores}current-user/roots/",
        f"{stores}local-computer/intermediates/",
        f"{stores}local-computer/personal/?q=full-chain",
        f"{stores}current-user/personal/import/",
        "/certificates/files/",
    ):
        page.goto(address)
        yield address
        menus = page.get_by_role("button", name=re.compile("Actions for"))
        if menus.count():
            menus.first.click()
            tasks = page.get_by_role("menuitem", name="All Tasks")
            if tasks.count():
                tasks.click()
            yield f"{address} with a menu open"
            page.keyboard.press("Escape")
    page.goto(f"{stores}current-user/personal/import/")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".error-summary")).to_be_focused()
    yield "refused import"
    page.goto(f"{stores}current-user/personal/")
    page.get_by_role("link", name="Import", exact=True).click()
    expect(page.get_by_role("dialog", name="Certificate Import Wizard")).to_be_visible()
    yield "import in a window"
    page.keyboard.press("Escape")
    yield from decoded(portal)
    yield from lab_ca(portal)
    yield from dialogs(portal)
    yield from exporting(portal)


def decoded(portal: Portal) -> Iterator[str]:
    """The decoder: empty, sent empty, with a locked PFX, with a chain, with a key."""
    page = portal.page
    page.goto("/certificates/decoder/")
    yield "decoder"
    page.get_by_role("button", name="Decode").click()
    expect(page.locator(".error-summary")).to_be_focused()
    yield "decoder, nothing given"
    page.get_by_label("Drop a file").set_input_files(portal.pfx("www.contoso.test", "Secret12"))
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    yield "decoder, locked PFX"
    page.get_by_label("Password", exact=True).fill("Secret12")
    page.get_by_role("button", name="Decode").click()
    expect(page.get_by_role("heading", name="Certificates in it")).to_be_visible()
    page.get_by_text("Show the text").first.click()
    yield "decoder, open PFX"
    page.get_by_label("Drop a file").set_input_files(portal.key_file())
    expect(page.get_by_text("private key that should not be there")).to_be_visible()
    yield "decoder, private key"


def dialogs(portal: Portal) -> Iterator[str]:
    """The certificate dialog with its tabs, in order, broken and over a page; files in Notepad."""
    page, owner = portal.page, portal.user.pk
    now = timezone.now()
    root = make_root("A root with a name as long as a common name may be, or nearly so", now=now)
    leaf = make_leaf(root, "a-server-with-a-rather-long-name.contoso.test", now=now)
    for name, data in {
        "orphan.cer": leaf.certificate.pem.encode(),
        "chain.pem": to_pem(leaf.certificate, root.certificate),
        "empty.cer": b"",
        "binary.cer": root.certificate.der,
        **{f"{how}.cer": damage(to_pem(leaf.certificate), how) for how in PROGRAMS},
    }.items():
        pk = save_file(owner, Place.DOCUMENTS, name, data).pk
        page.goto(f"/certificates/files/{pk}/view/")
        yield f"{name} opened"
        page.goto(f"/certificates/files/{pk}/notepad/")
        yield f"{name} in Notepad"
    page.goto("/certificates/files/")
    for name in ("orphan.cer", "chain.pem"):
        page.get_by_role("link", name=name, exact=True).click()
        if name == "chain.pem":
            page.get_by_role("link", name=root.certificate.label).click()
        for tab in ("General", "Details", "Certification Path"):
            page.get_by_role("tab", name=tab).click()
            yield f"dialog of {name}, {tab}"
        page.get_by_role("treeitem").first.click()
        yield f"dialog of {name}, the top of its path"
        for _ in range(1 + (name == "chain.pem")):
            page.keyboard.press("Escape")


def exporting(portal: Portal) -> Iterator[str]:
    """The Certificate Export Wizard: its pages, Browse, what is refused, the message at the end."""
    page = portal.page
    stored = StoredCertificate.objects.filter(key__isnull=False, owner=portal.user).earliest("pk")
    page.goto(f"/certificates/entries/{stored.pk}/export/")
    yield "wizard, welcome"
    forward = page.get_by_role("button", name="Next")
    forward.click()
    page.get_by_role("radio", name="Yes, export the private key").check()
    yield "wizard, private key"
    forward.click()
    yield "wizard, formats with the private key"
    forward.click()
    forward.click()
    expect(page.get_by_role("alert").filter(has_text="Enter a password")).to_be_visible()
    yield "wizard, no password"
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Back").click()
    page.get_by_role("radio", name="No, do not export the private key").check()
    forward.click()
    page.get_by_role("radio", name="Base-64 encoded").check()
    yield "wizard, formats"
    forward.click()
    page.get_by_role("button", name="Browse…").click()
    page.get_by_role("radio", name="Documents").check()
    page.get_by_role("button", name="orphan.cer").click()
    yield "wizard, Browse"
    page.get_by_role("button", name="Save", exact=True).click()
    yield "wizard, a file to be replaced"
    page.get_by_role("button", name="Yes", exact=True).click()
    yield "wizard, file name"
    forward.click()
    yield "wizard, summary"
    page.get_by_role("textbox", name="File name", include_hidden=True).first.evaluate(
        "box => { box.value = 'con' }"
    )
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("alert").filter(has_text="name of a device")).to_be_visible()
    yield "wizard, refused"
    page.get_by_role("textbox", name="File name").first.fill("Downloads\\axe.cer")
    forward.click()
    with page.expect_download():
        page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("The export was successful.")).to_be_visible()
    yield "wizard, success"


def lab_ca(portal: Portal) -> Iterator[str]:
    """The Lab CA: empty, with a tree of authorities and certificates, and its forms."""
    page = portal.page
    address = "/certificates/lab-ca/"
    page.goto(address)
    yield "lab CA without certificates"
    now = timezone.now()
    begin, end = labca.validity("expired", now)
    parent = None
    for number in range(6):
        kind: labca.Kind = "root" if parent is None else "intermediate"
        name = f"Authority {number} with a name as long as a common name may be, or so"[:64]
        made = labca.make(
            portal.user.pk,
            labca.Order(kind=kind, name=name, valid_from=begin, valid_to=end, issuer_id=parent),
            now=now,
        )
        parent = made.authority.pk if made.authority else None
    labca.make(
        portal.user.pk,
        labca.Order(
            kind="server",
            name="a-server-with-a-rather-long-name.contoso.test",
            names=[f"another-name-{number}.contoso.test" for number in range(9)],
            issuer_id=parent,
            valid_from=begin,
            valid_to=end,
            key="rsa1024",
            digest="sha1",
            chain_form=ChainForm.LEAF_ONLY,
        ),
        now=now,
    )
    page.goto(address)
    yield "lab CA"
    page.get_by_role("button", name=re.compile("Actions for a-server")).click()
    yield "lab CA with a menu open"
    page.keyboard.press("Escape")
    for kind in ("root", "intermediate", "server", "client"):
        page.goto(f"{address}new/{kind}/")
        page.get_by_label("Validity").select_option("own")
        page.get_by_label("Key", exact=True).select_option("rsa1024")
        yield f"lab CA, new {kind}"
    page.get_by_role("button", name="Create").click()
    expect(page.locator(".error-summary")).to_be_visible()
    yield "lab CA, refused form"
    page.goto(address)
    page.get_by_role("link", name=re.compile("of a-server.*holds the private key")).click()
    page.get_by_role("button", name="Download PFX").click()
    expect(page.locator(".error-summary")).to_be_visible()
    yield "lab CA, refused PFX"


def refused_forms(portal: Portal) -> Iterator[str]:
    """Forms with their errors, previews of files, open menus, flyouts and dialogs."""
    page, base = portal.page, portal.address("v2")
    page.goto(portal.address("v1") + "http-settings/appGatewayBackendHttpSettings/edit/")
    portal.choose("Protocol", "HTTPS")
    portal.upload(portal.der("full-chain"))
    expect(portal.preview.get_by_role("button")).to_be_visible()
    yield "preview of a file that is not accepted"
    portal.upload(portal.leaf("full-chain"))
    expect(portal.preview).to_contain_text("accepts this file")
    yield "preview of a file that is accepted"
    page.get_by_label("Request timeout", exact=True).fill("0")
    portal.host_name(REFUSED)
    portal.save()
    expect(page.locator(".error-summary")).to_be_focused()
    yield "form with errors"
    page.get_by_role("button", name="About Protocol").click()
    yield "help bubble"
    page.goto(base + "probes/")
    page.get_by_role("button", name=re.compile("Actions for")).first.click()
    yield "row menu"
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "confirm dialog"
    page.goto(base)
    page.locator("#notifications-button").click()
    expect(page.get_by_role("heading", name="Notifications")).to_be_visible()
    yield "notifications flyout"
    for summary in ("[title='Main menu']", "[title='Theme']", ".topbar-account"):
        page.locator(f"summary{summary}").click()
        yield summary


def signed_out(portal: Portal) -> Iterator[str]:
    """What one sees before signing in."""
    page = portal.page
    token = links.issue(portal.user, now=timezone.now())
    page.context.clear_cookies()
    page.goto(f"/account/link/{token}/")
    yield "one-time link"
    page.goto("/account/link/used-up/")
    yield "one-time link that is used up"
    page.goto("/account/sign-in/")
    yield "sign-in"
    page.get_by_label("Username").fill("owner")
    page.get_by_label("Password", exact=True).fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".error-summary")).to_be_visible()
    yield "refused sign-in"


@pytest.fixture
def tolerated(tolerated: list[str]) -> list[str]:
    """Pages that are not there are looked at here, and files that are too large are sent."""
    expected = [*tolerated]
    for status in (403, 404, 410, 413):
        expected += [f"status of {status}", f"Response Status Error Code {status}"]
    return expected


# So tall that what sticks to the foot of a window covers nothing of the page.
@pytest.mark.parametrize("browser_options", [{"viewport": {"width": 1440, "height": 1600}}])
def test_axe_finds_nothing_on_any_page_light_or_dark(portal: Portal, page: Page) -> None:
    furnish(portal)
    found = []
    for walk in (states, workshop, refused_forms, signed_out):
        for state in walk(portal):
            found += [f"{state}: {fault}" for fault in faults(page)]
            page.emulate_media(color_scheme="dark")
            found += [f"{state}, dark: {fault}" for fault in faults(page, CONTRAST)]
            page.emulate_media(color_scheme="light")
    assert not found, "\n".join(found)


PHONE = {"width": 400, "height": 800}
# 1,440 pixels of a screen at 200 %.
ENLARGED = {"width": 720, "height": 450}


@pytest.mark.parametrize("browser_options", [{"viewport": PHONE}])
def test_no_page_is_wider_than_its_window(portal: Portal, page: Page) -> None:
    furnish(portal)
    found = []
    for walk in (states, workshop, refused_forms, signed_out):
        for state in walk(portal):
            found += [f"{state}, phone: {fault}" for fault in overflow(page)]
            # A menu closes when its window changes.
            if page.locator("[role=menu]:visible").count() == 0:
                page.set_viewport_size(ENLARGED)
                found += [f"{state}, enlarged: {fault}" for fault in overflow(page)]
                page.set_viewport_size(PHONE)
    assert not found, "\n".join(found)


def test_a_file_that_is_too_large_is_named_and_nothing_typed_is_lost(
    portal: Portal, page: Page
) -> None:
    portal.open_default_setting("v2")
    portal.choose("Protocol", "HTTPS")
    page.get_by_label("Request timeout", exact=True).fill("77")
    page.get_by_label("Name", exact=True).fill("backendcert")
    alert = page.get_by_role("alert").filter(has_text="too much at once")
    portal.upload(portal.root("full-chain"))
    expect(portal.preview).to_contain_text("accepts this file")
    # The preview says so, and what it said of the file before is gone.
    portal.upload(portal.file("film.cer", b"0" * 1_200_000))
    expect(alert).to_contain_text("1 MB")
    expect(portal.preview).to_be_empty()
    alert.get_by_role("button", name="Dismiss").click()
    # So does saving.
    portal.save()
    expect(alert).to_contain_text("Nothing was saved")
    expect(page.get_by_label("Request timeout", exact=True)).to_have_value("77")
    expect(page.get_by_label("Name", exact=True)).to_have_value("backendcert")
    assert page.locator("input[type=file]").first.evaluate("box => box.files[0].name") == "film.cer"
    # With the right file the same form goes through.
    portal.upload(portal.root("full-chain"))
    expect(portal.preview).to_contain_text("accepts this file")
    page.get_by_label("Pick host name from backend address", exact=True).check()
    portal.save()
    expect(page.get_by_role("status").filter(has_text="was saved")).to_be_visible()


def test_a_refusal_of_the_server_is_shown_in_its_own_words(portal: Portal, page: Page) -> None:
    portal.open_default_setting("v2")
    page.get_by_label("Request timeout", exact=True).fill("44")
    page.evaluate(
        """() => {
          document.body.removeAttribute('hx-headers');
          for (const box of document.querySelectorAll('[name=csrfmiddlewaretoken]'))
            box.value = 'stale';
        }"""
    )
    portal.save()
    expect(page.get_by_role("alert").filter(has_text="This form has expired")).to_be_visible()
    expect(page.get_by_label("Request timeout", exact=True)).to_have_value("44")


def test_who_is_signed_out_meanwhile_is_told_and_not_shown_a_page_in_a_page(
    portal: Portal, page: Page
) -> None:
    portal.open_default_setting("v2")
    page.get_by_label("Request timeout", exact=True).fill("44")
    other = page.context.new_page()
    other.goto(portal.address("v2") + "health/")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    # The poll of the report leads to the sign-in page, a save does not throw away what was typed.
    expect(other).to_have_url(re.compile("/account/sign-in/"), timeout=8000)
    portal.save()
    expect(page.get_by_role("alert").filter(has_text="You are signed out")).to_be_visible()
    expect(page.get_by_label("Request timeout", exact=True)).to_have_value("44")


def test_polling_takes_no_focus_from_a_link_inside(portal: Portal, page: Page) -> None:
    page.goto(portal.address("v2") + "health/")
    row = page.get_by_role("row").filter(has_text="full-chain.contoso.test")
    expect(row).to_contain_text("Healthy")
    link = row.get_by_role("link", name=re.compile("^(Details|Troubleshoot) of"))
    focused = "document.activeElement.id"
    link.focus()
    wanted = page.evaluate(focused)
    assert wanted
    for _ in range(2):
        drawn = page.locator("#health").element_handle()
        assert drawn is not None
        page.wait_for_function("part => !part.isConnected", arg=drawn, timeout=8000)
        assert page.evaluate(focused) == wanted
        expect(link).to_be_focused()


def test_focus_returns_to_where_a_dialog_or_a_menu_was_opened(portal: Portal, page: Page) -> None:
    portal.open_gateway("v2")
    portal.menu("HTTP settings")
    more = page.get_by_role("button", name=re.compile("Actions for")).first
    more.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Delete").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(more).to_be_focused()
    # The preview of a file leaves the focus on its box.
    portal.open_default_setting("v2")
    portal.choose("Protocol", "HTTPS")
    box = page.locator("input[type=file]").first
    box.focus()
    portal.upload(portal.root("full-chain"))
    expect(portal.preview).to_contain_text("accepts this file")
    expect(box).to_be_focused()
