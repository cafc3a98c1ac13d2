"""What every test may use: a real Chromium, and property tests that end in time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FileChooser,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

# How long, in milliseconds, a page is waited for: a machine may be busy, and passing costs nothing.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Chromium writes these lines itself when a form is refused with its errors, and htmx these when a
# page is left while it asks for news; they are no fault.
REFUSALS = ("status of 422", "status of 409", "htmx:sendAbort", "htmx:afterRequest")

settings.register_profile("default", deadline=None, max_examples=60, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def browser_options() -> dict[str, Any]:
    """Options of the browser's context; a test module may override them (size, colour scheme)."""
    return {"viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def browser_context(
    browser: Browser,
    browser_options: dict[str, Any],
    live_server: Any,
    transactional_db: None,
) -> Iterator[BrowserContext]:
    """A browser that nobody has used before, at the live server."""
    context = browser.new_context(base_url=live_server.url, **browser_options)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def tolerated() -> list[str]:
    """Texts of console lines and failed requests that the test expects; append to it."""
    return list(REFUSALS)


@pytest.fixture
def file_choosers() -> list[FileChooser]:
    """File choosers in the order in which the page opened them.

    They are caught from before the first page on: waiting for one beside a key press is a race.
    """
    return []


@pytest.fixture
def page(
    browser_context: BrowserContext, tolerated: list[str], file_choosers: list[FileChooser]
) -> Iterator[Page]:
    """A page that fails its test when the browser finds fault with it."""
    faults: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            faults.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def on_failure(request: Request) -> None:
        # A download or a click elsewhere ends a request without any fault.
        if request.failure != "net::ERR_ABORTED":
            faults.append(f"request failed: {request.url} {request.failure}")

    def on_response(response: Response) -> None:
        if response.status >= 500:
            faults.append(f"status of {response.status}: {response.url}")

    page = browser_context.new_page()
    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on("requestfailed", on_failure)
    page.on("response", on_response)
    page.on("filechooser", lambda chooser: file_choosers.append(chooser))
    yield page
    page.close()
    bad = [fault for fault in faults if not any(text in fault for text in tolerated)]
    assert not bad, "The browser reported:\n" + "\n".join(bad)
