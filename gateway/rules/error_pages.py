"""Custom error pages of a gateway and of its listeners (custom error pages article)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.models import CustomError, HttpListener, LoadedGateway
from gateway.problems import Problem, at, declare
from gateway.rules.redirects import is_web_address
from gateway.rules.words import called

_PAGES = "Create Application Gateway custom error pages article"

CODE_UNKNOWN = declare(
    "error-page-code",
    title="There is no custom page for this status",
    why="Own pages can stand in for the gateway's answers 400, 403, 404, 405, 408, 500, 502, 503 "
    "and 504. Errors that a backend answers pass unchanged.",
    remedy="Choose one of these codes.",
    source=_PAGES,
)
URL_INVALID = declare(
    "error-page-url",
    title="The address of the error page cannot be used",
    why="The gateway fetches the page once from a public address; it is a file with the ending "
    ".htm or .html.",
    remedy="Enter the full address, for example https://www.contoso.com/502.html.",
    source=_PAGES,
)
CODE_DUPLICATE = declare(
    "error-page-duplicate",
    title="One status has two pages",
    why="For each status code a gateway or a listener has one page.",
    remedy="Remove one of the two.",
    source=_PAGES,
)

CODES = tuple(f"HttpStatus{code}" for code in (400, 403, 404, 405, 408, 500, 502, 503, 504))


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    by_owner: dict[int | None, list[CustomError]] = defaultdict(list)
    for page in loaded.custom_errors:
        by_owner[page.listener_id].append(page)
    listeners = {listener.pk: listener for listener in loaded.listeners}
    for owner, pages in by_owner.items():
        listener = listeners.get(owner) if owner is not None else None
        yield from _pages(loaded, listener, pages)


def _pages(
    loaded: LoadedGateway, listener: HttpListener | None, pages: list[CustomError]
) -> Iterator[Problem]:
    who = called(listener or loaded.gateway)
    collection = listener.collection if listener else ""
    name = listener.name if listener else ""
    seen: set[str] = set()
    for page in pages:
        if page.status_code not in CODES:
            message = f"{who} has a page for “{page.status_code}”, which is not one of the codes."
            yield at(CODE_UNKNOWN, message, collection, name, "custom_errors")
        if page.status_code in seen:
            message = f"{who} has two pages for {page.status_code}."
            yield at(CODE_DUPLICATE, message, collection, name, "custom_errors")
        seen.add(page.status_code)
        if not _is_page(page.page_url):
            message = f"{who}: “{page.page_url[:80]}” is no address of a page."
            yield at(URL_INVALID, message, collection, name, "custom_errors")


def _is_page(url: str) -> bool:
    return is_web_address(url) and urlsplit(url).path.lower().endswith((".htm", ".html"))
