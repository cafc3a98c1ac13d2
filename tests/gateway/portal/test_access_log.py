"""The access log: lines as they are read, filters, download, one line in words."""

from __future__ import annotations

import pytest
from django.test import Client

from gateway.models import AccessLogLine, ApplicationGateway
from gateway.portal.log_lines import line_of
from tests import factories as make
from tests.gateway.portal import carried, visits

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway() -> ApplicationGateway:
    return make.v2_gateway()


@pytest.fixture
def client(gateway: ApplicationGateway) -> Client:
    return visits.visitor(gateway)


def test_a_line_is_read_and_what_it_lacks_is_left_out(gateway: ApplicationGateway) -> None:
    line = line_of(carried.logged(gateway, serverRouted="-", userAgent=None, httpStatus=200))
    assert line.status == 200
    assert line.is_from_server
    assert line.get("serverStatus") == "200"
    assert line.get("serverRouted") == ""
    assert "userAgent" not in line.fields
    assert line.request == "GET /"
    assert line.tls == "TLSv1.3 TLS_AES_256_GCM_SHA384"
    assert line.error == ""
    assert line.state == "ok"
    assert ("httpStatus", "Status", "200") in line.shown


@pytest.mark.parametrize(
    ("status", "state"),
    [(200, "ok"), (302, "ok"), (404, "warning"), (502, "failed"), (0, "failed"), ("x", "failed")],
)
def test_the_status_decides_how_a_line_is_drawn(
    gateway: ApplicationGateway, status: object, state: str
) -> None:
    assert line_of(carried.logged(gateway, httpStatus=status)).state == state


@pytest.mark.parametrize("line", [None, [], "text", 5])
def test_a_line_that_is_no_object_is_empty(gateway: ApplicationGateway, line: object) -> None:
    row = AccessLogLine.objects.create(gateway=gateway, at=make.NOW, line=line or {})
    assert line_of(row).fields == {"error_info": "ERRORINFO_NO_ERROR"}


def test_what_clients_put_into_a_line_stays_on_it(gateway: ApplicationGateway) -> None:
    row = carried.logged(
        gateway, userAgent='evil\n2026 "agent" \x1b[31m', clientIP={"a": 1}, originalHost="x" * 9000
    )
    text = line_of(row).as_text()
    assert "\n" not in text
    assert "\x1b" not in text
    assert 'userAgent="evil' in text
    assert '\\"agent\\"' in text
    assert "clientIP" not in text
    assert len(text) < 4000


def test_the_blade_lists_the_newest_first_and_follows(
    gateway: ApplicationGateway, client: Client
) -> None:
    for number in range(52):
        carried.logged(gateway, originalRequestUriWithArgs=f"/n{number}")
    said = visits.said(client.get(visits.address(gateway, "access-log")))
    assert said.index("/n51") < said.index("/n50")
    assert "GET /n2<" in said
    assert "GET /n1<" not in said
    assert "The newest 50 are shown" in said
    part = visits.said(
        client.get(visits.address(gateway, "access-log"), headers={"HX-Request": "true"})
    )
    assert part.lstrip().startswith('<div id="log"')
    assert "every 2s" in part


def test_an_empty_log_says_what_to_do(gateway: ApplicationGateway, client: Client) -> None:
    url = visits.address(gateway, "access-log")
    assert "No request yet" in visits.said(client.get(url))
    assert "No such request" in visits.said(client.get(f"{url}?status=5"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?listener=a", {"/a"}),
        ("?status=5", {"/b"}),
        ("?listener=a&status=5", set()),
        ("?status=0", {"/gone"}),
        ("?status=77", {"/a", "/b", "/gone"}),
        ("?listener=%27%20or%201", set()),
    ],
)
def test_filters_hold_on_the_page_and_in_the_download(
    gateway: ApplicationGateway, client: Client, query: str, found: set[str]
) -> None:
    carried.logged(gateway, originalRequestUriWithArgs="/a", listenerName="a", httpStatus=200)
    carried.logged(gateway, originalRequestUriWithArgs="/b", listenerName="b", httpStatus=502)
    carried.logged(gateway, originalRequestUriWithArgs="/gone", listenerName="b", httpStatus=0)
    for view in ("access-log", "access-log-text"):
        answer = client.get(visits.address(gateway, view) + query)
        assert answer.status_code == 200
        said = visits.said(answer)
        assert {
            path
            for path in ("/a", "/b", "/gone")
            if f"GET {path}<" in said or f"originalRequestUriWithArgs={path} " in said
        } == found


def test_the_download_is_a_text_file_oldest_first(
    gateway: ApplicationGateway, client: Client
) -> None:
    for path in ("/first", "/second"):
        carried.logged(gateway, originalRequestUriWithArgs=path)
    answer = client.get(visits.address(gateway, "access-log-text"))
    assert answer["Content-Type"].startswith("text/plain")
    assert "attachment" in answer["Content-Disposition"]
    first, second = answer.content.decode().splitlines()
    assert first.startswith("2026-03-02T12:00:00")
    assert "/first" in first
    assert "/second" in second


def test_one_line_shows_every_field_and_the_reason(
    gateway: ApplicationGateway, client: Client
) -> None:
    row = carried.logged(
        gateway,
        httpStatus=502,
        flags="UF",
        details="upstream_reset",
        reason="TLS_error:_X509_verify_cert:_certificate_has_expired",
    )
    said = visits.said(client.get(visits.address(gateway, "access-log-line", str(row.pk))))
    assert "The server's certificate has expired." in said
    assert "ERRORINFO_UPSTREAM_CLOSED_CONNECTION" in said
    assert "certificate_has_expired" in said


def test_lines_of_other_gateways_are_not_there(gateway: ApplicationGateway, client: Client) -> None:
    foreign = carried.logged(make.v2_gateway(name="other"))
    assert (
        client.get(visits.address(gateway, "access-log-line", str(foreign.pk))).status_code == 404
    )
    assert "GET /" not in visits.said(client.get(visits.address(gateway, "access-log")))
    for view in ("access-log", "access-log-text", "test-request", "overview"):
        assert client.get(visits.address(foreign.gateway, view)).status_code == 404


def test_a_server_is_told_by_its_name_and_in_the_details_by_where_it_was_dialed(
    gateway: ApplicationGateway, client: Client
) -> None:
    named = carried.logged(
        gateway, serverRouted="127.76.0.1:38479", serverName="backend.contoso.test:443"
    )
    carried.logged(gateway, serverRouted="10.9.9.9:8443", serverName=None)
    said = visits.said(client.get(visits.address(gateway, "access-log")))
    assert 'data-label="Server">backend.contoso.test:443<' in said
    assert 'data-label="Server">10.9.9.9:8443<' in said
    assert "38479" not in said
    details = visits.said(client.get(visits.address(gateway, "access-log-line", str(named.pk))))
    assert "127.76.0.1:38479" in details


def test_the_name_of_an_error_may_be_broken_between_its_words(
    gateway: ApplicationGateway, client: Client
) -> None:
    row = carried.logged(gateway, httpStatus=502, flags="UH", details="no_healthy_upstream")
    line = line_of(row)
    assert line.error_parts == ["ERRORINFO_", "UPSTREAM_", "NO_", "LIVE"]
    assert line_of(carried.logged(gateway)).error_parts == [""]
    said = visits.said(client.get(visits.address(gateway, "access-log")))
    assert "ERRORINFO_<wbr>UPSTREAM_<wbr>NO_<wbr>LIVE" in said
