"""Test request: the form, whom it may reach, redirects, client certificates, the journey."""

from __future__ import annotations

import secrets
import threading
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from certificates import stores
from certificates.models import Folder, Store, StoredCertificate
from certificates.x509.issuing import issue
from gateway.models import ApplicationGateway, HttpListener
from gateway.portal import test_request as blade
from tests import factories as make
from tests import servers
from tests.gateway.portal import carried, visits

pytestmark = pytest.mark.django_db

NOW = timezone.now()
ROOT = issue.make_root("Client Root", now=NOW)
ISSUING = issue.make_intermediate(ROOT, "Client Issuing", now=NOW)
CLIENT = issue.make_leaf(ISSUING, "client", now=NOW, purposes=("client",))
SITE = issue.make_leaf(ROOT, "www.contoso.com", now=NOW, dns_names=["www.contoso.com"])
ID = "ab" * 16


@pytest.fixture
def gateway() -> ApplicationGateway:
    return make.v2_gateway()


@pytest.fixture
def client(gateway: ApplicationGateway) -> Client:
    return visits.visitor(gateway)


@pytest.fixture(autouse=True)
def known_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ids of requests, so that the log can hold a line for one beforehand; no waiting."""
    monkeypatch.setattr(secrets, "token_hex", lambda size: "ab" * size)
    monkeypatch.setattr(blade, "PATIENCE", 0.0)


def add_site(
    gateway: ApplicationGateway, number: int, name: str = "site", port: int = 80, **fields: Any
) -> HttpListener:
    fields.setdefault("host_name", "www.contoso.com")
    listener = make.add_listener(gateway, name, port=port, **fields)
    carried.publish(gateway, listener, number)
    make.add_rule(gateway, f"rule-{name}", listener)
    return listener


def send(client: Client, gateway: ApplicationGateway, **fields: Any) -> Any:
    data = {"listener": "site", "path": "/", "method": "GET", **fields}
    url = visits.address(gateway, "test-request")
    return client.post(url, data, headers={"HX-Request": "true"})


def test_a_gateway_without_a_published_port_says_so(
    gateway: ApplicationGateway, client: Client
) -> None:
    said = visits.said(client.get(visits.address(gateway, "test-request")))
    assert "No listener is published" in said


def test_the_form_offers_published_listeners_and_begins_with_the_one_asked_for(
    gateway: ApplicationGateway, client: Client
) -> None:
    add_site(gateway, 8081, port=8081)
    add_site(gateway, 8443, "other", 443, protocol="Https", host_name="other.contoso.com")
    said = visits.said(client.get(visits.address(gateway, "test-request") + "?listener=other"))
    assert '<option value="other" selected>other (HTTPS, port 443)</option>' in said
    assert "appGatewayHttpListener" not in said.split('id="id_listener"')[1].split("</select>")[0]


def test_a_request_and_its_journey(gateway: ApplicationGateway, client: Client) -> None:
    with servers.http_server(servers.answer(body=b"<b>hello</b>")) as server:
        add_site(gateway, server.port)
        said = visits.said(send(client, gateway, path="/a?b=1"))
    assert server.requests[0].startswith("GET /a?b=1 HTTP/1.1\r\nHost: www.contoso.com\r\n")
    assert "GET http://www.contoso.com/a?b=1" in said
    assert "Connected" in said
    assert "published for port 80" in said
    assert "200 OK" in said
    assert "Waiting for the access log" in said
    assert "<html" not in said


def test_body_and_headers_of_an_answer_are_text_on_the_page(
    gateway: ApplicationGateway, client: Client
) -> None:
    reply = servers.answer(body=b"<script>alert(1)</script>", extra="X-Bad: <i>x</i>\r\n")
    with servers.http_server(reply) as server:
        add_site(gateway, server.port)
        page = send(client, gateway).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "&lt;i&gt;x" in page


def test_without_script_the_whole_page_answers(gateway: ApplicationGateway, client: Client) -> None:
    with servers.http_server() as server:
        add_site(gateway, server.port)
        data = {"listener": "site", "path": "/", "method": "GET"}
        page = visits.said(client.post(visits.address(gateway, "test-request"), data))
    assert "<html" in page
    assert "200 OK" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"listener": "nobody"}, "Select a valid choice"),
        ({"path": "no-slash"}, "begins with"),
        ({"path": "/a b"}, "no blanks"),
        ({"path": "/a\r\nX: y"}, "no blanks"),
        ({"host": "bad host"}, "is not a host name"),
        ({"host": "a.test:80"}, "is not a host name"),
        ({"method": "TRACE"}, "Select a valid choice"),
        ({"version": "SSLv3"}, "Select a valid choice"),
        ({"identity": "stored"}, "Choose one of your certificates"),
        ({"identity": "stored", "stored": "99999"}, "Select a valid choice"),
        ({"identity": "given"}, "Choose a file or paste a text"),
        ({"identity": "given", "text": "hello"}, "There is no certificate in it."),
        ({"identity": "given", "text": ROOT.certificate.pem}, "There is no private key in it."),
    ],
)
def test_what_cannot_be_sent_is_told(
    gateway: ApplicationGateway, client: Client, fields: dict[str, str], words: str
) -> None:
    with servers.http_server() as server:
        add_site(gateway, server.port)
        answer = send(client, gateway, **fields)
    assert answer.status_code == 422
    assert words in visits.said(answer)
    assert not server.requests


def test_nobody_behind_the_port_is_told(gateway: ApplicationGateway, client: Client) -> None:
    with servers.refusing_port() as port:
        add_site(gateway, port)
        said = visits.said(send(client, gateway))
    assert "no data plane listens there now" in said
    assert "Waiting for the access log" not in said


def test_003_4_the_handshake_shows_protocol_cipher_and_certificate(
    gateway: ApplicationGateway, client: Client
) -> None:
    with servers.tls_server(SITE) as server:
        add_site(gateway, server.port, port=443, protocol="Https")
        said = visits.said(send(client, gateway))
        other = visits.said(send(client, gateway, host="a.fabrikam.com", version="TLSv1_2"))
    assert "TLSv1.3" in said
    assert "TLS_AES_256_GCM_SHA384" in said
    assert SITE.certificate.thumbprint in said
    assert "Server name sent" in said
    assert "TLSv1.2" in other
    assert server.names == ["www.contoso.com", "a.fabrikam.com"]


def test_a_version_that_the_policy_forbids_is_told(
    gateway: ApplicationGateway, client: Client
) -> None:
    with servers.tls_server(SITE) as server:
        add_site(gateway, server.port, port=443, protocol="Https")
        said = visits.said(send(client, gateway, version="TLSv1_1"))
    # Which alert a server sends for it depends on how its library was built.
    assert "No handshake" in said


# -- Redirects ---------------------------------------------------------------------------------


def redirect_to(location: str) -> bytes:
    return servers.answer("301 Moved Permanently", b"", f"Location: {location}\r\n")


@pytest.mark.parametrize(
    "location", ["https://www.contoso.com/next?a=1", "https://shop.contoso.com:{number}/next?a=1"]
)
def test_a_redirect_to_another_listener_is_followed(
    gateway: ApplicationGateway, client: Client, location: str
) -> None:
    with servers.tls_server(SITE) as secure:
        target = location.format(number=secure.port)
        with servers.http_server(redirect_to(target)) as plain:
            add_site(gateway, plain.port)
            add_site(
                gateway,
                secure.port,
                "secure",
                443,
                protocol="Https",
                host_name="",
                host_names=["www.contoso.com", "*.contoso.com"],
            )
            said = visits.said(send(client, gateway, follow="on", method="POST"))
            once = visits.said(send(client, gateway))
    assert "Redirected to https://" in said
    assert [head.split(" HTTP")[0] for head in secure.requests] == ["GET /next?a=1"]
    assert "Redirected to" not in once


@pytest.mark.parametrize(
    "location",
    [
        "https://www.bing.com/",
        "http://169.254.169.254/",
        "http://127.0.0.1:1/",
        "ftp://www.contoso.com/",
        "https://[::1",
        "http://www.contoso.com:99999/",
        "http://www.contoso.com:81/",
    ],
)
def test_a_redirect_that_leads_away_is_not_followed(
    gateway: ApplicationGateway, client: Client, location: str
) -> None:
    with servers.http_server(redirect_to(location)) as server:
        add_site(gateway, server.port)
        answer = send(client, gateway, follow="on")
    assert answer.status_code == 200
    assert len(server.requests) == 1


def test_a_circle_of_redirects_ends(gateway: ApplicationGateway, client: Client) -> None:
    with servers.http_server(redirect_to("/again")) as server:
        add_site(gateway, server.port)
        said = visits.said(send(client, gateway, follow="on"))
    assert len(server.requests) == 6
    assert "no more are followed" in said


# -- Client certificates -----------------------------------------------------------------------


@pytest.fixture
def stored(client: Client) -> StoredCertificate:
    owner = int(client.session["_auth_user_id"])
    stores.add(owner, Store.CURRENT_USER, Folder.INTERMEDIATES, ISSUING.certificate)
    return stores.add(
        owner,
        Store.CURRENT_USER,
        Folder.PERSONAL,
        CLIENT.certificate,
        key_pem=issue.key_pem(CLIENT),
        friendly_name="my client",
        exportable=False,
    )


def pem(issued: issue.Issued = CLIENT) -> str:
    return (issue.to_pem(issued.certificate, ISSUING.certificate) + issue.key_pem(issued)).decode()


@pytest.mark.parametrize("way", ["stored", "text", "file", "pfx"])
def test_a_client_certificate_is_sent_with_its_issuers(
    gateway: ApplicationGateway, client: Client, stored: StoredCertificate, way: str
) -> None:
    pfx = issue.to_pfx(CLIENT, "Secret12", chain=[ISSUING.certificate])
    fields: dict[str, Any] = {
        "stored": {"identity": "stored", "stored": str(stored.pk)},
        "text": {"identity": "given", "text": pem()},
        "file": {"identity": "given", "file": SimpleUploadedFile("c.pem", pem().encode())},
        "pfx": {
            "identity": "given",
            "file": SimpleUploadedFile("c.pfx", pfx),
            "password": "Secret12",
        },
    }[way]
    with servers.tls_server(SITE, client_authority=ROOT.certificate) as server:
        add_site(gateway, server.port, port=443, protocol="Https")
        answer = send(client, gateway, **fields)
    page = visits.said(answer)
    assert "200 OK" in page
    assert "PRIVATE" not in page
    assert "Secret12" not in page


def test_a_listener_that_wants_a_certificate_refuses_a_request_without_one(
    gateway: ApplicationGateway, client: Client
) -> None:
    with servers.tls_server(SITE, client_authority=ROOT.certificate) as server:
        add_site(gateway, server.port, port=443, protocol="Https")
        said = visits.said(send(client, gateway))
    # The alert may be overtaken by the end of the connection.
    assert "asks for a client certificate" in said or "closed the connection" in said


def test_certificates_of_others_are_not_offered(
    gateway: ApplicationGateway, stored: StoredCertificate
) -> None:
    stranger = visits.visitor(gateway)
    with servers.http_server() as server:
        add_site(gateway, server.port)
        page = visits.said(stranger.get(visits.address(gateway, "test-request")))
        answer = send(stranger, gateway, identity="stored", stored=str(stored.pk))
    assert "my client" not in page
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("data", "password", "words"),
    [
        (issue.to_pfx(CLIENT, "Secret12"), "wrong", "does not open"),
        (b"x" * 70_000, "", "are taken"),
        (
            pem().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY").encode(),
            "",
            "protected by a password",
        ),
        (
            issue.to_pem(CLIENT.certificate)
            + b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "",
            "cannot be read",
        ),
        (
            issue.to_pem(CLIENT.certificate)
            + b"-----BEGIN PRIVATE KEY-----\n"
            + b"A" * 9000
            + b"\n-----END PRIVATE KEY-----\n",
            "",
            "larger than any",
        ),
        (issue.to_pem(SITE.certificate) + issue.key_pem(CLIENT), "", "belongs to none"),
    ],
)
def test_a_file_that_is_no_client_certificate_is_told(
    gateway: ApplicationGateway, client: Client, data: bytes, password: str, words: str
) -> None:
    with servers.tls_server(SITE) as server:
        add_site(gateway, server.port, port=443, protocol="Https")
        file = SimpleUploadedFile("c.bin", data)
        answer = send(client, gateway, identity="given", file=file, password=password)
    said = visits.said(answer)
    assert answer.status_code == 422
    assert words in said
    assert "PRIVATE KEY-----" not in said
    assert not server.requests


def test_a_pasted_key_is_not_shown_again(gateway: ApplicationGateway, client: Client) -> None:
    with servers.http_server() as server:
        add_site(gateway, server.port)
        data = {"listener": "site", "path": "bad", "identity": "given", "text": pem()}
        page = visits.said(client.post(visits.address(gateway, "test-request"), data))
    assert "begins with" in page
    assert "PRIVATE" not in page


# -- The log, and how many at a time ----------------------------------------------------------


def test_a_line_that_is_there_in_time_comes_with_the_answer(
    gateway: ApplicationGateway, client: Client
) -> None:
    carried.logged(gateway, requestId=ID)
    with servers.http_server() as server:
        add_site(gateway, server.port)
        said = visits.said(send(client, gateway))
    assert "Chosen" in said
    assert "All fields of the access log" in said


def test_only_a_few_requests_run_at_a_time(
    gateway: ApplicationGateway, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blade, "_at_once", threading.BoundedSemaphore(1))
    with servers.http_server() as server:
        add_site(gateway, server.port)
        assert blade._at_once.acquire(blocking=False)
        busy = send(client, gateway)
        blade._at_once.release()
        free = send(client, gateway)
    assert busy.status_code == 422
    assert "still running" in visits.said(busy)
    assert free.status_code == 200
