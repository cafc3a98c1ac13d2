"""Requests in front of a learner: a whole installation, its portal in the browser, a real Envoy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from certificates.x509.issuing import issue
from tests.browser.test_accessibility import faults, overflow
from tests.traffic.installation import Installation

SITE = "www.contoso.test"
PASSWORD = "Secret12"
# From a save to the verdict and the new configuration, on a busy machine.
PATIENCE = 20_000


class Learner:
    """A person at the portal of an installation; nothing is done but by the browser."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder

    def open_gateway(self, group: str) -> None:
        self.page.goto("/portal/resources/")
        only = re.compile(rf"{group}(?!-)")
        row = self.page.get_by_role("row").filter(has_text=only).filter(has_text="gateway")
        row.get_by_role("link", name="myAppGateway").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("myAppGateway")

    def menu(self, blade: str) -> None:
        menu = self.page.get_by_role("navigation", name="myAppGateway")
        menu.get_by_role("link", name=blade).click()
        # The Overview's heading is the gateway's own.
        shown = "myAppGateway" if blade == "Overview" else f"myAppGateway | {blade}"
        heading = self.page.get_by_role("heading", level=1)
        expect(heading).to_have_text(re.compile(rf"^\s*{re.escape(shown)}\s*$"))

    def open_setting(self) -> None:
        self.menu("HTTP settings")
        self.page.get_by_role("link", name="appGatewayBackendHttpSettings").click()

    def choose(self, group: str, option: str) -> None:
        self.page.get_by_role("group", name=group).get_by_text(option, exact=True).click()

    def lab_file(self, server: str, kind: str) -> Path:
        """A file that the lab page offers for a server."""
        self.page.goto("/portal/lab/")
        row = self.page.get_by_role("row").filter(
            has_text=re.compile(rf"\b{server}\.contoso\.test")
        )
        link = row.first.get_by_role("link", name=re.compile(rf"^{kind} of"))
        with self.page.expect_download() as waiting:
            link.click()
        path = self.folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    def pfx(self) -> Path:
        now = timezone.now()
        root = issue.make_root("Learner's Root", now=now)
        leaf = issue.make_leaf(
            root, SITE, now=now, dns_names=[SITE], not_before=now - timedelta(days=1)
        )
        path = self.folder / "site.pfx"
        path.write_bytes(issue.to_pfx(leaf, PASSWORD, chain=[root.certificate]))
        return path

    def save(self) -> None:
        self.page.get_by_role("button", name="Save").click()
        expect(self.page.get_by_role("status").filter(has_text="was saved")).to_be_visible()

    def add(self) -> None:
        self.page.get_by_role("button", name="OK", exact=True).click()
        expect(self.page.get_by_role("status").filter(has_text="was added")).to_be_visible()

    def health(self, status: str) -> None:
        self.menu("Backend health")
        row = self.page.get_by_role("row").filter(has_text="full-chain.contoso.test")
        expect(row.first).to_contain_text(status, timeout=PATIENCE)

    def send(self, listener: str, answer: str) -> Locator:
        """Send test requests until the journey ends with ``answer``: a save needs its moment."""
        for _ in range(60):
            self.menu("Test request")
            page = self.page
            page.get_by_label("Listener", exact=True).select_option(listener)
            page.get_by_role("button", name="Send").click()
            journey = page.locator("#test-answer")
            # The heading of a new answer; before the listener is live there is no connection.
            expect(journey.locator("h2")).to_be_visible(timeout=PATIENCE)
            last = journey.locator(".leg").last
            if last.locator(".status").inner_text().strip() == answer:
                expect(journey.get_by_text("All fields of the access log")).to_be_visible(
                    timeout=PATIENCE
                )
                return journey
            page.wait_for_timeout(250)
        raise AssertionError(f"no {answer}: {page.locator('#test-answer').inner_text()}")

    @staticmethod
    def leg(journey: Locator, title: str) -> Locator:
        heading = journey.page.get_by_role("heading", name=title, exact=True)
        return journey.locator(".leg").filter(has=heading)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    found = Installation(tmp_path_factory.mktemp("learner") / "installation")
    try:
        found.wait_until_ready()
        yield found
    finally:
        found.clean_up()


@pytest.fixture(scope="module")
def signed_in(installation: Installation, browser: Browser) -> Iterator[BrowserContext]:
    link = re.search(r"http://localhost:\d+(/account/link/\S+)", installation.text)
    assert link is not None
    context = browser.new_context(
        base_url=f"http://localhost:{installation.port}", viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(link[1])
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/portal/"))
    page.close()
    yield context
    context.close()


@pytest.fixture
def learner(signed_in: BrowserContext, tmp_path: Path) -> Iterator[Learner]:
    page = signed_in.new_page()
    found: list[str] = []

    def on_console(message: Any) -> None:
        if message.type == "error" and "htmx:" not in message.text:
            found.append(message.text)

    page.on("console", on_console)
    page.on("pageerror", lambda error: found.append(str(error)))
    yield Learner(page, tmp_path)
    page.close()
    assert not found


def test_001_X1_003_1_a_new_https_listener_answers_and_the_backend_stays_plain(
    learner: Learner,
) -> None:
    page = learner.page
    learner.open_gateway("myResourceGroupAG")
    learner.menu("Listeners")
    page.get_by_role("link", name="Multi-site").click()
    page.get_by_label("Name", exact=True).fill("site")
    page.get_by_label("Host name", exact=True).fill(SITE)
    learner.choose("Protocol", "HTTPS")
    page.get_by_label("Upload PFX certificate", exact=True).set_input_files(learner.pfx())
    page.get_by_label("Certificate name", exact=True).fill("site")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    learner.add()
    learner.menu("Rules")
    page.get_by_role("link", name="Basic").click()
    page.get_by_label("Name", exact=True).fill("rule2")
    page.get_by_label("Listener", exact=True).select_option(label="site")
    page.get_by_label("Backend pool", exact=True).select_option(label="appGatewayBackendPool")
    page.get_by_label("HTTP setting", exact=True).select_option(
        label="appGatewayBackendHttpSettings"
    )
    learner.add()
    # It is live, and the page says where.
    learner.menu("Overview")
    row = page.get_by_role("row").filter(has_text="site")
    expect(row).to_contain_text("Live", timeout=PATIENCE)
    expect(row).to_contain_text(re.compile(rf"curl -v --resolve {SITE}:\d+:127\.\S+ --insecure"))
    # TLS ends at the gateway: there is a handshake with the listener and none with the server.
    journey = learner.send("site", "200")
    expect(learner.leg(journey, "TLS with the listener")).to_contain_text("TLSv1")
    expect(learner.leg(journey, "TLS with the listener")).to_contain_text(f"CN={SITE}")
    expect(learner.leg(journey, "Rule")).to_contain_text("rule2")
    expect(
        learner.leg(
            journey,
            "Server",
        )
    ).to_contain_text("full-chain.contoso.test, port 80")
    expect(learner.leg(journey, "TLS with the server")).to_have_count(0)


def test_001_H8_003_2_a_502_turns_into_a_200_once_the_root_is_trusted(learner: Learner) -> None:
    page = learner.page
    root = learner.lab_file("full-chain", "Root")
    learner.open_gateway("myResourceGroupAG")
    learner.open_setting()
    learner.choose("Protocol", "HTTPS")
    page.get_by_label("Port", exact=True).fill("443")
    page.get_by_label("Use Well Known CA Certificate", exact=True).check()
    page.get_by_label("Host name", exact=True).fill("full-chain.contoso.test")
    learner.save()
    learner.health("Unhealthy")
    # Users get a 502, and the journey tells the cause.
    journey = learner.send("appGatewayHttpListener", "502")
    expect(learner.leg(journey, "Server")).to_contain_text("full-chain.contoso.test: Unhealthy")
    expect(learner.leg(journey, "The gateway's own answer")).to_contain_text(
        "No server of the pool is healthy"
    )
    # The cure, as the document says: the root of the backend, uploaded to the setting.
    learner.open_setting()
    page.get_by_label("Use Well Known CA Certificate", exact=True).uncheck()
    block = page.get_by_role("region", name="Trusted root certificates")
    block.get_by_label("Name", exact=True).fill("backendroot")
    page.get_by_label("Upload CER certificate", exact=True).set_input_files(root)
    learner.save()
    learner.health("Healthy")
    journey = learner.send("appGatewayHttpListener", "200")
    tls = learner.leg(journey, "TLS with the server")
    expect(tls).to_contain_text("Accepted")
    for words in ("full-chain.contoso.test", "TLSv1.3", "The HTTP setting overrides the host name"):
        expect(tls).to_contain_text(words)
    # Both requests stand in the access log; the filter finds the failed one.
    learner.menu("Access log")
    page.get_by_label("Status").select_option(label="5xx Failed")
    row = page.get_by_role("row").filter(has_text="ERRORINFO_UPSTREAM_NO_LIVE")
    expect(row.first).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download as text").click()
    text = Path(waiting.value.path()).read_text()
    assert "httpStatus=502" in text
    learner.menu("Overview")
    expect(page.locator(".traffic-5xx")).not_to_contain_text(re.compile(r"^0 "), timeout=PATIENCE)


def test_003_6_a_v1_gateway_answers_once_the_leaf_is_stored(learner: Learner) -> None:
    page = learner.page
    leaf = learner.lab_file("full-chain", "Leaf")
    learner.open_gateway("myResourceGroupAG-v1")
    learner.open_setting()
    learner.choose("Protocol", "HTTPS")
    page.get_by_label("Port", exact=True).fill("443")
    learner.save()
    learner.health("Unhealthy")
    learner.send("appGatewayHttpListener", "502")
    learner.open_setting()
    block = page.get_by_role("region", name="Backend authentication certificates")
    block.get_by_label("Name", exact=True).fill("backendcert")
    page.get_by_label("Upload CER certificate", exact=True).set_input_files(leaf)
    learner.save()
    learner.health("Healthy")
    journey = learner.send("appGatewayHttpListener", "200")
    expect(learner.leg(journey, "TLS with the server")).to_contain_text("Accepted")


def test_pages_of_the_data_plane_are_accessible_with_traffic_in_them(
    learner: Learner, signed_in: BrowserContext
) -> None:
    page = learner.page
    learner.open_gateway("myResourceGroupAG")
    base = page.url
    found: list[str] = []
    for scheme in ("light", "dark"):
        for width in (1280, 380):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 900})
            for address in ("?table=1", "test-request/", "access-log/", "announced/"):
                page.goto(base + address)
                found += faults(page) + overflow(page)
            page.goto(base + "test-request/")
            page.get_by_role("button", name="Send").click()
            expect(page.get_by_text("All fields of the access log")).to_be_visible(timeout=PATIENCE)
            for summary in page.locator("#test-answer summary").all():
                summary.click()
            found += faults(page) + overflow(page)
            page.get_by_text("All fields of the access log").click()
            expect(page.get_by_role("heading", name="Fields")).to_be_visible()
            found += faults(page) + overflow(page)
    assert not found, "\n".join(found)


def test_the_access_log_follows_and_leaves_the_focus_alone(learner: Learner) -> None:
    page = learner.page
    learner.open_gateway("myResourceGroupAG")
    learner.send("appGatewayHttpListener", "200")
    learner.menu("Access log")
    rows = page.locator("#log-rows tr")
    first = rows.first.get_by_role("link")
    first.focus()
    seen = first.get_attribute("id")
    other = learner.page.context.new_page()
    Learner(other, learner.folder).open_gateway("myResourceGroupAG")
    Learner(other, learner.folder).send("appGatewayHttpListener", "200")
    other.close()
    expect(rows.first.get_by_role("link")).not_to_have_attribute("id", str(seen), timeout=PATIENCE)
    assert page.evaluate("document.activeElement.id") == seen
