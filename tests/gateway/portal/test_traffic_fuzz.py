"""Whatever the pages of the data plane are sent: an answer, never a server error."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates.x509.issuing import issue
from gateway.models import ApplicationGateway
from gateway.portal.log_lines import line_of
from gateway.portal.reasons import error_info, reason_of
from tests import factories as make
from tests import servers
from tests.gateway.portal import carried, visits

pytestmark = pytest.mark.django_db

KEPT = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FIELDS = (
    "listener",
    "host",
    "path",
    "method",
    "version",
    "follow",
    "identity",
    "stored",
    "file",
    "password",
    "text",
)
CLIENT = issue.make_self_signed("client", now=make.NOW, ca=False)
PEM = (issue.to_pem(CLIENT.certificate) + issue.key_pem(CLIENT)).decode()
texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            "site",
            "/",
            "//",
            "/\ud800",
            "/%",
            "/ä?ö#ü",
            "\0",
            "given",
            "stored",
            "on",
            "1",
            "9" * 400,
            "[::1]",
            "::1",
            "127.0.0.1",
            "a" * 64 + ".test",
            "xn--",
            "ß.test",
            "TLSv1_2",
            "HEAD",
            PEM,
            PEM.replace("M", "N"),
            PEM[:-200],
        ]
    ),
)
files = st.one_of(
    st.binary(max_size=400), st.sampled_from([PEM.encode(), issue.to_pfx(CLIENT, "Secret12")])
).map(lambda data: SimpleUploadedFile("x.pem", data))


@pytest.fixture
def gateway() -> ApplicationGateway:
    return make.v2_gateway()


@pytest.fixture
def client(gateway: ApplicationGateway) -> Client:
    return visits.visitor(gateway)


@KEPT
@given(changes=st.dictionaries(st.sampled_from(FIELDS), st.one_of(texts, files), max_size=6))
def test_test_request_answers_whatever_it_is_sent(
    gateway: ApplicationGateway, client: Client, changes: dict[str, Any]
) -> None:
    with servers.refusing_port() as port:
        listener = make.loaded(gateway).listeners[0]
        published = carried.publish(gateway, listener, port)
        data = {"listener": listener.name, "path": "/", "method": "GET", **changes}
        try:
            answer = client.post(visits.address(gateway, "test-request"), data)
        except UnicodeEncodeError:
            return  # the test's own client cannot send such a text
        finally:
            make.delete(published)
    assert answer.status_code in {200, 422}
    assert "PRIVATE KEY" not in visits.said(answer)


@KEPT
@given(
    line=st.dictionaries(
        st.sampled_from(
            ["httpStatus", "flags", "details", "reason", "routeName", "ruleName", "serverRouted",
             "backendPoolName", "backendSettingName", "originalHost", "serverResponseLatency"]
        ),
        st.one_of(st.text(max_size=50), st.integers(), st.none(), st.floats(allow_nan=False)),
    )
)  # fmt: skip
def test_any_line_of_the_log_can_be_shown(
    gateway: ApplicationGateway, client: Client, line: dict[str, Any]
) -> None:
    row = carried.logged(gateway, **line)
    try:
        row.refresh_from_db()
        found = line_of(row)
        assert "\n" not in found.as_text()
        assert error_info(found.fields).startswith("ERRORINFO_")
        reason_of(found.fields)
        for view, rest in (("access-log", ()), ("access-log-line", (str(row.pk),))):
            assert client.get(visits.address(gateway, view, *rest)).status_code == 200
    finally:
        row.delete()


@pytest.mark.parametrize("query", ["?status=%00", "?listener=%ED%A0%80", "?table=%FF", "?looks=٣"])
def test_odd_queries_are_answered(gateway: ApplicationGateway, client: Client, query: str) -> None:
    for view in ("overview", "access-log", "access-log-text", "test-request", "announced"):
        assert client.get(visits.address(gateway, view) + query).status_code in {200, 400}
