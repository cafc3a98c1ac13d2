"""Visits of a gateway's blades with Django's test client."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gateway.accounts.models import Role
from gateway.models import ApplicationGateway
from tests import factories


def visitor(gateway: ApplicationGateway, role: Role = Role.CONTRIBUTOR) -> Client:
    """A client signed in as somebody with ``role`` on the gateway's subscription."""
    user = factories.make_user()
    factories.grant(gateway.group.subscription, user, role)
    client = Client()
    client.force_login(user)
    return client


def address(gateway: ApplicationGateway, view: str, *args: str) -> str:
    group = gateway.group
    return reverse(
        f"portal:{view}", args=[str(group.subscription_id), group.name, gateway.name, *args]
    )


def queries_of(client: Client, url: str) -> int:
    """How many queries a page takes, in a session that is warm."""
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def send(client: Client, url: str, data: dict[str, Any], *, htmx: bool = False) -> Any:
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post(url, data, headers=headers)


class _Form(HTMLParser):
    """What a browser would send of ``#child-form`` as it was drawn, templates left out."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.template = False
        self.select: str | None = None
        self.area: str | None = None
        self.data: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = found.get("id") == "child-form"
        if tag == "template":
            self.template = True
        if not self.inside or self.template or "disabled" in found:
            return
        name = found.get("name", "")
        if tag == "input" and name:
            box = found.get("type") in {"checkbox", "radio"}
            if not box or "checked" in found:
                self.data[name] = found.get("value", "on" if box else "")
        elif tag == "textarea":
            self.area = name
            self.data[name] = ""
        elif tag == "select":
            self.select = name
        elif (
            tag == "option"
            and self.select
            and ("selected" in found or self.select not in self.data)
        ):
            self.data[self.select] = found.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.area:
            self.data[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = None
        elif tag == "textarea" and self.area:
            # The line break after the tag is no part of the text.
            self.data[self.area] = self.data[self.area].removeprefix("\n")
            self.area = None
        elif tag == "template":
            self.template = False
        elif tag == "form":
            self.inside = False


def drawn(client: Client, url: str) -> dict[str, str]:
    """The data of the form on a page, as a browser without script would send it unchanged."""
    response = client.get(url)
    assert response.status_code == 200, response.content
    return data_of(response.content.decode())


def data_of(page: str) -> dict[str, str]:
    """The data of the form on a page that is at hand as text."""
    parser = _Form()
    parser.feed(page)
    return parser.data


def said(response: Any) -> str:
    """The text of an answer, with entities resolved."""
    return unescape(response.content.decode())
