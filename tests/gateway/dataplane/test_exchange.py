"""One request to a listener, watched leg by leg, against real servers."""

from __future__ import annotations

import os
import socket
import ssl
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from certificates.x509.issuing import issue
from gateway.dataplane import exchange as room
from gateway.dataplane.exchange import Ask, Identity, broken, exchange
from tests import servers

NOW = timezone.now()
ROOT = issue.make_root("Listener Root", now=NOW)
LEAF = issue.make_leaf(ROOT, "www.contoso.test", now=NOW, dns_names=["www.contoso.test"])
CLIENT = issue.make_leaf(ROOT, "client", now=NOW, purposes=("client",))


def ask(port: int, scheme: str = "http", **fields: object) -> Ask:
    return Ask(
        scheme=scheme,  # type: ignore[arg-type]
        address="127.0.0.1",
        number=port,
        port=443 if scheme == "https" else 80,
        host="www.contoso.test",
        **fields,  # type: ignore[arg-type]
    )


def identity(issued: issue.Issued = CLIENT) -> Identity:
    return Identity(issue.to_pem(issued.certificate), issue.key_pem(issued))


def test_a_plain_request_is_sent_as_a_client_writes_it() -> None:
    with servers.http_server(servers.answer(body=b"hello", extra="X-One: 1\r\n")) as server:
        seen = exchange(ask(server.port, path="/ä b?x=1", request_id="ab" * 16))
    assert seen.trouble is None
    assert seen.reply is not None
    assert (seen.reply.status, seen.reply.body, seen.reply.complete) == (200, b"hello", True)
    assert seen.reply.header("x-one") == "1"
    assert seen.reply.header("x-two") == ""
    assert seen.session is None
    assert seen.own is not None
    assert seen.own[0] == "127.0.0.1"
    assert set(seen.times) == {"connect", "answer"}
    head = server.requests[0]
    assert head.startswith("GET /%C3%A4%20b?x=1 HTTP/1.1\r\nHost: www.contoso.test\r\n")
    assert f"X-Request-Id: {'ab' * 16}\r\n" in head


def test_a_handshake_is_kept_with_protocol_cipher_and_certificate() -> None:
    with servers.tls_server(LEAF) as server:
        seen = exchange(ask(server.port, "https"))
    assert seen.session is not None
    assert seen.session.version == "TLSv1.3"
    assert seen.session.cipher.startswith("TLS_")
    assert seen.session.chain[0] == LEAF.certificate
    assert server.names == ["www.contoso.test"]
    assert seen.reply is not None
    assert seen.reply.status == 200


@pytest.mark.parametrize(("host", "sent"), [("127.0.0.1", None), ("a.test.", "a.test")])
def test_an_address_is_never_sent_as_server_name(host: str, sent: str | None) -> None:
    with servers.tls_server(LEAF) as server:
        wanted = ask(server.port, "https")
        exchange(Ask("https", "127.0.0.1", server.port, 443, host))
    assert wanted.server_name == "www.contoso.test"
    assert server.names == [sent]


def test_one_version_of_tls_can_be_offered() -> None:
    with servers.tls_server(LEAF) as server:
        seen = exchange(ask(server.port, "https", version="TLSv1_2"))
    assert seen.session is not None
    assert seen.session.version == "TLSv1.2"
    with servers.tls_server(LEAF, version=ssl.TLSVersion.TLSv1_3) as server:
        seen = exchange(ask(server.port, "https", version="TLSv1_2"))
    assert seen.trouble is not None
    assert seen.trouble.stage == "handshake"
    assert "allows none of the TLS versions" in seen.trouble.words


def test_a_client_certificate_is_shown_and_never_touches_the_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with servers.tls_server(LEAF, client_authority=ROOT.certificate) as server:
        good = exchange(ask(server.port, "https", identity=identity()))
        none = exchange(ask(server.port, "https"))
    assert good.reply is not None
    assert none.reply is None
    assert none.trouble is not None
    monkeypatch.delattr(os, "memfd_create")
    with servers.tls_server(LEAF, client_authority=ROOT.certificate) as server:
        assert exchange(ask(server.port, "https", identity=identity())).reply is not None


def test_a_certificate_with_another_key_is_told_and_not_a_fault() -> None:
    mixed = Identity(issue.to_pem(CLIENT.certificate), issue.key_pem(LEAF))
    with servers.tls_server(LEAF) as server:
        seen = exchange(ask(server.port, "https", identity=mixed))
    assert seen.trouble is not None
    assert "cannot be used together" in seen.trouble.words


def test_an_identity_does_not_show_its_key() -> None:
    assert "PRIVATE" not in repr(identity())
    assert "PRIVATE" not in repr(ask(1, "https", identity=identity()))


def test_nobody_at_the_port_is_told() -> None:
    with servers.refusing_port() as port:
        seen = exchange(ask(port))
    assert seen.trouble is not None
    assert seen.trouble.stage == "connect"
    assert "no data plane listens" in seen.trouble.words


def test_plain_http_at_a_tls_port_is_told() -> None:
    def talks_first(server: servers.Server) -> servers.Serve:
        def serve(connection: socket.socket) -> None:
            connection.sendall(servers.answer("400 Bad Request"))
            server.released.wait(5)

        return serve

    with servers.listening(talks_first) as server:
        seen = exchange(ask(server.port, "https"))
    assert seen.trouble is not None
    assert "does not speak TLS" in seen.trouble.words


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_silence_ends_in_time(scheme: str) -> None:
    with servers.silent_server() as server:
        started = time.monotonic()
        seen = exchange(ask(server.port, scheme), seconds=0.3)
    assert time.monotonic() - started < 3
    assert seen.trouble is not None
    assert seen.trouble.stage == ("answer" if scheme == "http" else "handshake")


def test_no_time_left_is_no_fault() -> None:
    with servers.http_server() as server:
        seen = exchange(ask(server.port), seconds=0)
    assert seen.trouble is not None


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_is_reset_is_told(scheme: str) -> None:
    with servers.resetting_server() as server:
        seen = exchange(ask(server.port, scheme))
    assert seen.trouble is not None
    assert seen.reply is None


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"garbage\r\n\r\n", "no HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", "no HTTP answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: aaaaaaaaaaaaaaaa\r\n" * 80 + b"Y: b", None),
        (b"", "closed"),
    ],
)
def test_an_answer_that_is_none_is_told(reply: bytes, words: str | None) -> None:
    with servers.http_server(reply) as server:
        seen = exchange(ask(server.port))
    if words is None:
        assert seen.trouble is not None or seen.reply is not None
    else:
        assert seen.trouble is not None
        assert seen.trouble.stage == "answer"


def test_a_large_answer_is_cut_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_BODY", 1000)
    with servers.http_server(servers.answer(body=b"x" * 200_000)) as server:
        seen = exchange(ask(server.port))
    assert seen.reply is not None
    assert len(seen.reply.body) == 1000
    assert not seen.reply.complete


def test_an_answer_that_breaks_off_is_marked() -> None:
    with servers.http_server(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort") as server:
        seen = exchange(ask(server.port))
    assert seen.reply is not None
    assert seen.reply.body == b"short"
    assert not seen.reply.complete


def test_the_host_header_has_a_port_only_where_it_is_not_the_scheme_s_own() -> None:
    usual = Ask("https", "127.0.0.1", 8443, 443, "a.test")
    other = Ask("http", "127.0.0.1", 8081, 8081, "fd00::1")
    assert usual.host_header == "a.test"
    assert usual.url == "https://a.test/"
    assert other.host_header == "[fd00::1]:8081"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("NO_PROTOCOLS_AVAILABLE", "allows none"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "no cipher suite"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "asks for a client certificate"),
        ("TLSV1_ALERT_UNKNOWN_CA", "refused the client certificate"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "refused the client certificate"),
        ("SOMETHING_NEW", "“something new”"),
    ],
)
def test_the_library_s_reasons_become_sentences(reason: str, words: str) -> None:
    error = ssl.SSLError(1, "told by the library")
    error.reason = reason
    assert words in broken(error)


def test_a_lost_connection_has_words() -> None:
    assert broken(ConnectionResetError()) == "The listener closed the connection."
    assert broken(OSError(5, "input/output")) == "The connection was lost."


def test_dates_do_not_matter_to_the_client_that_watches() -> None:
    old = issue.make_leaf(
        ROOT,
        "old.test",
        now=NOW,
        not_before=NOW - timedelta(days=20),
        not_after=NOW - timedelta(days=2),
    )
    with servers.tls_server(old) as server:
        seen = exchange(ask(server.port, "https"))
    assert seen.session is not None
    assert seen.reply is not None
