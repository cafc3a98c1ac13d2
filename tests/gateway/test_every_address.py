"""Every address of the site under every method, with torn paths, queries and bodies: an answer in
words, never a server error. New pages are found by themselves.
"""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.test.client import encode_multipart
from django.urls import URLPattern, get_resolver

from certificates.models import SavedFile, StoredCertificate
from gateway.accounts.models import Subscription
from gateway.models import AccessLogLine, ApplicationGateway, LabServer, Verdict, ZoneRecord
from tests import crowds, factories
from tests.gateway.portal import carried, visits

pytestmark = pytest.mark.django_db

# What is put in the place of each parameter of an address, as it stands in one.
TORN: dict[str, tuple[str, ...]] = {
    "str": ("%00", "%FF%FE", "x" * 3000, "%0d%0aX:y", "%2e%2e%2f"),
    "int": ("0", "9" * 19, "9" * 5000),
    "uuid": (str(uuid.UUID(int=0)),),
}
SHARED = {"subscription", "group", "gateway", "network"}
PARAMETERS = ("q", "page", "status", "listener", "table", "looks", "issuer", "next", "after")
QUERIES = ("%00", "%FF", "-1", "9" * 5000, "%D9%A3")
TEXTS = ("a\0b", "x" * 3000, "9" * 5000, "-1", "٣", "\r\nX: <b>'\"🔒")
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
PART = b"--b\r\nContent-Disposition: form-data; name="
# One reader takes them all in, whatever the address: these go to the first form of each room.
LARGE: tuple[tuple[str, bytes], ...] = (
    (FORM, b"x" * 900_000),
    (FORM, b"x=" + b"y" * 10_000_000),
    (FORM, b"&".join(b"a%d=1" % number for number in range(10_001))),
    ("application/json", b'{"a": ' + b"[" * 50_000),
)
BODIES: tuple[tuple[str, bytes], ...] = (
    (FORM, b"%FF=%FE&\xff=\x00&&=&a"),
    (f"{FORM}; charset=utf-16", b"a=b"),
    (f"{FORM}; charset=nonsense", b"a=b"),
    (MULTIPART, b""),
    (MULTIPART, b"--b--"),
    (MULTIPART, b"\0" * 50),
    (MULTIPART, PART + b'"a"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n--b--'),
    (MULTIPART, PART + b'"file"; filename="\xff\x00"\r\n\r\nx\r\n--b--'),
    ("text/plain; charset=nonsense", b"a=b"),
    ("", b"a=b"),
)
HTMX: tuple[dict[str, str], ...] = (
    {"HX-Request": "true"},
    {"HX-Request": "true", "HX-Target": "\xff<x>", "HX-Trigger": "'", "HX-Prompt": "\xfe"},
    {"HX-Request": "false", "HX-Boosted": "maybe", "HX-Current-URL": "http://[::1"},
    {"HX-Request": "true", "HX-Current-URL": "//", "HX-History-Restore-Request": "true"},
)
FIELD = re.compile(r'\bname="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Site:
    """A site of which something is behind every address, and its owner at the door."""

    client: Client
    gateway: ApplicationGateway

    def value(self, view: str, parameter: str) -> str:
        """What leads to something that is there."""
        group = self.gateway.group
        owner = factories.owner_of(self.gateway)
        network = factories.loaded(self.gateway).virtual_network
        assert network is not None
        match parameter:
            case "subscription":
                return str(group.subscription_id)
            case "group":
                return group.name
            case "gateway":
                return self.gateway.name
            case "network":
                return network.name
            case "record":
                return str(ZoneRecord.objects.filter(virtual_network=network).earliest("pk").pk)
            case "verdict":
                return str(Verdict.objects.filter(gateway=self.gateway).earliest("pk").pk)
            case "line":
                return str(AccessLogLine.objects.filter(gateway=self.gateway).latest("pk").pk)
            case "server":
                return str(LabServer.objects.filter(virtual_network=network).earliest("pk").pk)
            case "pk" if view.startswith(("file", "notepad")):
                return str(SavedFile.objects.filter(owner=owner).latest("pk").pk)
            case "pk":
                return str(StoredCertificate.objects.filter(owner=owner).latest("pk").pk)
            case "sha256":
                return StoredCertificate.objects.filter(owner=owner).latest("pk").certificate.sha256
            case "name":
                names = {
                    "http-settings": crowds.SETTINGS,
                    "listeners": crowds.LISTENER,
                    "pools": crowds.SHARED_POOL,
                    "probes": crowds.PROBE,
                    "rules": crowds.RULE,
                    "network-lab": "vm0",
                }
                return names[view.rpartition("-")[0]]
            case "kind":
                kinds = {"listeners-add": "basic", "preview": "listener", "lab-ca-new": "server"}
                return kinds.get(view, "leaf.cer" if view == "lab-ca-file" else "entries")
        return {
            "store": "current-user", "folder": "personal", "what": "certificates",
            "file": "leaf.cer", "id": "in-use", "token": "unknown", "request_id": "unknown",
        }[parameter]  # fmt: skip


def patterns(within: Any = None, before: str = "", room: str = "") -> Iterator[tuple[str, str]]:
    """(view, route) of every address, the parameters of the route in angle brackets."""
    for one in (within or get_resolver()).url_patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield f"{room}:{one.name}", route
        else:
            yield from patterns(one, route, one.namespace or room)


PARAMETER = re.compile(r"<(\w+):(\w+)>")
ADDRESSES = sorted(set(patterns()))


def room(view: str, route: str) -> str:
    """What the tests are divided by, so that a site is made once for many addresses."""
    within = next((one for one in ("gateways", "networks") if one in route), "")
    return within or view.partition(":")[0] or route.partition("/")[0]


ROOMS = sorted({room(*one) for one in ADDRESSES})


@pytest.fixture
def site() -> Site:
    gateway = crowds.crowd(1)
    owner = factories.owner_of(gateway)
    Subscription.objects.filter(pk=gateway.group.subscription_id).update(sandbox_of=owner)
    carried.crowded(gateway, 1)
    crowds.fill_stores(owner, 1)
    client = Client(raise_request_exception=False)
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    return Site(client, gateway)


def address(site: Site, view: str, route: str, torn: int = -1, instead: str = "") -> str:
    """The route filled in, its parameter number ``torn`` with ``instead``."""
    numbers = itertools.count()
    name = view.partition(":")[2]

    def fill(found: re.Match[str]) -> str:
        return instead if next(numbers) == torn else quote(site.value(name, found[2]))

    return "/" + PARAMETER.sub(fill, route)


def ask(site: Site, method: str, url: str, body: bytes | str = b"", **options: Any) -> Any:
    """One request; what it changes is taken back."""
    with transaction.atomic():
        answer = site.client.generic(method, url, body, **options)
        transaction.set_rollback(True)
    what = (method, url[:300], body[:100], str(options)[:300])
    assert answer.status_code < 500, what
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"], what
    assert answer.headers["X-Content-Type-Options"] == "nosniff", what
    assert answer.headers["X-Frame-Options"] == "DENY", what
    assert "no-store" in answer.headers["Cache-Control"], what
    return answer


@pytest.mark.parametrize("where", ROOMS)
def test_whatever_an_address_is_sent_it_answers(site: Site, where: str) -> None:
    large = iter(LARGE)
    for number, (view, route) in enumerate(ADDRESSES):
        if room(view, route) == where:
            torn_addresses(site, view, route)
            url = address(site, view, route)
            torn_requests(site, url, number)
            if FIELD.search(ask(site, "GET", url).content.decode(errors="replace")):
                for kind, body in large:
                    ask(site, "POST", url, body, content_type=kind)


def torn_addresses(site: Site, view: str, route: str) -> None:
    for number, (converter, name) in enumerate(PARAMETER.findall(route)):
        # One way of looking up serves all pages of a gateway, or of a network.
        if name in SHARED and view not in ("portal:overview", "portal:network"):
            continue
        for instead in TORN[converter]:
            ask(site, "GET", address(site, view, route, number, instead))
        ask(site, "POST", address(site, view, route, number, TORN[converter][-1]))


def torn_requests(site: Site, url: str, number: int) -> None:
    """Requests to one address; of what all addresses read by the same means each gets a part."""
    page = ask(site, "GET", url).content.decode(errors="replace")
    value = QUERIES[number % len(QUERIES)]
    ask(site, "GET", url + "?" + "&".join(f"{name}={value}" for name in PARAMETERS))
    ask(site, "GET", url, headers=HTMX[number % len(HTMX)])
    ask(site, "POST", url, headers=HTMX[1])
    for method in ("HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        ask(site, method, url, b"x=1")
    for kind, body in BODIES[number % 3 :: 3]:
        ask(site, "POST", url, body, content_type=kind)
    drawn = visits.data_of(page)
    fields = list(dict.fromkeys([*FIELD.findall(page), *drawn, "id", "etag", "position"]))
    for text in TEXTS:
        ask(site, "POST", url, urlencode(dict.fromkeys(fields, text)), content_type=FORM)
    thrice = urlencode([(name, "1") for name in fields for _ in range(3)])
    ask(site, "POST", url, thrice, content_type=FORM)
    # Files where texts belong.
    files = {name: SimpleUploadedFile("a", b"\xff\0") for name in fields[-15:]}
    ask(site, "POST", url, encode_multipart("b", {**drawn, **files}), content_type=MULTIPART)
