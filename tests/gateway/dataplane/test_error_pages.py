"""Custom error pages are fetched as a gateway is saved, through the network's rules."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from certificates.x509.trust.anchors import AnchorStore
from gateway.dataplane import error_pages
from gateway.dataplane.error_pages import FetchError, fetch, pages_of, refresh, status_of
from gateway.models import ApplicationGateway, CustomError, ErrorPage
from gateway.network import Endpoint, Zone
from tests import factories as make
from tests.factories import NOW
from tests.gateway.dataplane.sites import leaf, root
from tests.gateway.health.lab import add_backend
from tests.servers import (
    Server,
    answer,
    http_server,
    refusing_port,
    resetting_server,
    silent_server,
    tls_server,
)

ADDRESS = "10.0.1.4"
HOST = "pages.contoso.test"


def zone(port: int | None) -> Zone:
    real = Endpoint("127.0.0.1", port or 0)
    return Zone(
        names={HOST: (ADDRESS,), "outside.test": ("169.254.1.1",)},
        domains=frozenset({"contoso.test"}),
        lab_addresses=frozenset({ADDRESS}),
        endpoints={(ADDRESS, 443): real, (ADDRESS, 80): real} if port else {},
    )


STORE = AnchorStore.from_certificates([root().certificate])


def fetched(server: AbstractContextManager[Server], url: str = f"http://{HOST}/502.html") -> str:
    with server as running:
        return fetch(zone(running.port), url, STORE, seconds=2)


def html(body: bytes, kind: str = "text/html") -> bytes:
    return answer(body=body, extra=f"Content-Type: {kind}\r\n")


def test_a_page_is_fetched_over_http_and_https():
    with http_server(html(b"<p>gone</p>")) as server:
        assert fetch(zone(server.port), f"http://{HOST}/a.html?b=c", STORE) == "<p>gone</p>"
    assert server.requests[0].startswith("GET /a.html?b=c HTTP/1.1\r\nHost: pages.contoso.test\r\n")
    page = fetched(tls_server(leaf(HOST), reply=html(b"<p>safe</p>")), f"https://{HOST}/a.html")
    assert page == "<p>safe</p>"


def test_letters_are_read_as_the_server_says():
    assert fetched(http_server(html("<p>\u00e9\0</p>".encode()))) == "<p>\u00e9</p>"
    latin = html("\u00e9".encode("latin-1"), "text/html; charset=iso-8859-1")
    assert fetched(http_server(latin)) == "\u00e9"
    assert fetched(http_server(html(b"x", "text/html; charset=unheard-of"))) == "x"


@pytest.mark.parametrize(
    ("server", "url", "fault"),
    [
        (http_server(answer("404 Not Found")), f"http://{HOST}/x.html", "answered 404"),
        (http_server(html(b"x" * (1024 * 1024 + 1))), f"http://{HOST}/x.html", "larger than 1 MB"),
        (http_server(html(b"x" * (1024 * 1200))), f"http://{HOST}/x.html", "larger than 1 MB"),
        (http_server(b"nonsense\r\n\r\n"), f"http://{HOST}/x.html", "broke"),
        (resetting_server(), f"http://{HOST}/x.html", "broke"),
        (silent_server(), f"http://{HOST}/x.html", "too long"),
        (tls_server(leaf("other.test")), f"https://{HOST}/x.html", "not trusted"),
        (http_server(), f"https://{HOST}/x.html", "too long"),
        (http_server(), "http://nowhere.contoso.test/x.html", "no address"),
        (http_server(), "http://outside.test/x.html", "not connected to"),
        (http_server(), f"http://{HOST}/\u00e9.html", "broke"),
    ],
)
def test_why_a_page_cannot_be_fetched_is_told(
    server: AbstractContextManager[Server], url: str, fault: str
):
    with pytest.raises(FetchError, match=fault):
        fetched(server, url)


def test_a_server_that_is_not_there_is_told():
    with pytest.raises(FetchError, match="no server answers"):
        fetch(zone(None), f"http://{HOST}/x.html", STORE)
    with refusing_port() as port, pytest.raises(FetchError, match="broke"):
        fetch(zone(port), f"http://{HOST}/x.html", STORE)


def gateway_with_page(url: str = f"http://{HOST}/502.html") -> ApplicationGateway:
    gateway = make.v2_gateway()
    make.add_custom_error(gateway, "HttpStatus502", url)
    return gateway


def saved(gateway: ApplicationGateway) -> None:
    gateway.refresh_from_db()
    make.change(gateway, generation=gateway.generation + 1)


def pages(gateway: ApplicationGateway) -> dict[Any, str]:
    return pages_of(make.loaded(gateway))


@pytest.mark.django_db
def test_a_page_is_fetched_once_for_each_saved_state():
    gateway = gateway_with_page()
    with http_server(html(b"one")) as server:
        add_backend(gateway, HOST, server.port, named_port=80)
        assert refresh(NOW) == 1
        assert refresh(NOW) == 0
        assert pages(gateway) == {("", 502): "one"}
        saved(gateway)
        assert refresh(NOW) == 1
    assert len(server.requests) == 2


@pytest.mark.django_db
def test_a_page_that_was_fetched_stays_while_fetching_fails():
    gateway = gateway_with_page()
    with http_server(html(b"one")) as server:
        add_backend(gateway, HOST, server.port, named_port=80)
        refresh(NOW)
    saved(gateway)
    assert refresh(NOW) == 1
    assert ErrorPage.objects.get().fault
    assert pages(gateway) == {("", 502): "one"}
    assert refresh(NOW) == 0
    assert refresh(NOW + timedelta(minutes=2)) == 1


@pytest.mark.django_db
def test_a_listeners_page_is_its_own_and_one_that_nobody_wants_is_dropped():
    gateway = gateway_with_page()
    listener = make.loaded(gateway).listeners[0]
    make.add_custom_error(gateway, "HttpStatus502", f"http://{HOST}/own.html", listener)
    make.add_custom_error(gateway, "HttpStatus403", f"http://{HOST}/other.html")
    with http_server(html(b"page")) as server:
        add_backend(gateway, HOST, server.port, named_port=80)
        assert refresh(NOW) == 3
    assert set(pages(gateway)) == {("", 502), ("", 403), (listener.name, 502)}
    make.delete(CustomError.objects.get(status_code="HttpStatus403"))
    refresh(NOW)
    assert ErrorPage.objects.count() == 2


@pytest.mark.django_db
def test_a_gateway_without_a_network_resolves_by_the_platform():
    gateway = gateway_with_page("http://169.254.169.254/latest.html")
    for one in make.loaded(gateway).gateway_ip_configurations:
        make.delete(one)
    refresh(NOW)
    assert "link-local" in ErrorPage.objects.get().fault
    assert pages(gateway) == {}


def test_a_status_is_read_from_its_name():
    names = ("HttpStatus502", "HttpStatus", "502", "HttpStatusabc", "HttpStatus5020")
    assert [status_of(CustomError(status_code=name)) for name in names] == [502, 0, 502, 0, 0]


class Stop:
    """Lets the loop run a few times."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def wait(self, seconds: float) -> bool:
        self.rounds -= 1
        return self.rounds < 0


@pytest.mark.django_db
def test_the_loop_goes_on_after_a_fault(monkeypatch: pytest.MonkeyPatch):
    happened: list[Any] = []
    faults = [RuntimeError("x"), error_pages.DatabaseError("locked"), None]

    def refreshed(now: Any) -> int:
        happened.append(now)
        fault = faults[len(happened) - 1]
        if fault is not None:
            raise fault
        return 0

    monkeypatch.setattr(error_pages, "refresh", refreshed)
    monkeypatch.setattr(error_pages.connection, "close", lambda: None)
    error_pages.run(Stop(3), clock=lambda: NOW)  # type: ignore[arg-type]
    assert happened == [NOW] * 3
