"""The line to the portal: one authority and no other, one connection, no secret in an error."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from certificates.x509.issuing import issue
from gateway.dataplane.agent.follow import (
    Credentials,
    NotEnrolledError,
    Portal,
    PortalError,
    load,
    save,
)
from tests.free_ports import free_ports
from tests.servers import Serve, Server, _context, listening, read_head, tls_server

SECRET = "the-credential"


@pytest.fixture(scope="module")
def authority() -> issue.Issued:
    from django.utils import timezone

    return issue.make_root("Portal authority", now=timezone.now())


@pytest.fixture(scope="module")
def issued(authority: issue.Issued) -> issue.Issued:
    from django.utils import timezone

    return issue.make_leaf(
        authority, "portal", now=timezone.now(), dns_names=["localhost"],
        ip_addresses=["127.0.0.1"],
    )  # fmt: skip


def reply(status: str, body: object = None, *headers: str) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + content


@contextmanager
def portal(issued: issue.Issued, *replies: bytes, each: int = 99) -> Iterator[Server]:
    """A portal that gives ``replies`` in turn, ``each`` of them on one connection."""
    waiting = list(replies)
    context = _context(issued, None)

    def make(server: Server) -> Serve:
        def serve(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secured:
                for _ in range(each):
                    head = read_head(secured)
                    if not head or not waiting:
                        return
                    server.requests.append(head)
                    secured.sendall(waiting.pop(0))

        return serve

    with listening(make) as server:
        yield server


def line_to(server: Server, authority: issue.Issued, credential: str = SECRET) -> Portal:
    url = f"https://localhost:{server.port}"
    return Portal(Credentials(url, authority.certificate.pem, credential))


def test_the_tag_goes_along_and_nothing_new_is_none(
    authority: issue.Issued, issued: issue.Issued
) -> None:
    replies = [reply("200 OK", {"a": 1}, 'ETag: "t1"'), reply("304 Not Modified")]
    with portal(issued, *replies) as server:
        line = line_to(server, authority)
        assert line.bundle("") == ('"t1"', {"a": 1})
        assert line.bundle('"t1"') is None
    first, second = server.requests
    assert first.startswith("GET /agents/v1/bundle HTTP/1.1")
    assert "If-None-Match" not in first
    assert 'If-None-Match: "t1"' in second
    assert f"Authorization: Bearer {SECRET}" in first


def heads(*names: str) -> list[dict[str, object]]:
    return [
        {"listeners": {f"{one}L": []}, "clusters": [f"{one}C"], "files": [one]} for one in names
    ]


def content(gateways: list[dict[str, object]], *names: str, value: int = 1) -> dict[str, object]:
    return {
        "gateways": gateways,
        "lds": {"resources": [{"name": f"{one}L", "v": value} for one in names]},
        "cds": {"resources": [{"name": f"{one}C", "v": value} for one in names]},
        "files": {one: f"{one}{value}" for one in names},
    }


def test_a_part_is_put_together_with_what_was_before(
    authority: issue.Issued, issued: issue.Issued
) -> None:
    whole = content(heads("a", "b", "c"), "a", "b", "c")
    part = content(heads("a", "c", "d"), "c", "d", value=2)
    replies = [reply("200 OK", whole, "ETag: t1"), reply("226 IM Used", part, "ETag: t2")]
    with portal(issued, *replies) as server:
        line = line_to(server, authority)
        first = line.bundle("")
        second = line.bundle("t1")
    assert first is not None
    assert second is not None
    assert second[0] == "t2"
    found = second[1]
    assert found["gateways"] == part["gateways"]
    for kind in ("lds", "cds"):
        versions = [(one["name"][0], one["v"]) for one in found[kind]["resources"]]
        assert versions == [("a", 1), ("c", 2), ("d", 2)]
        assert found[kind]["resources"][0] is first[1][kind]["resources"][0]
    assert found["files"] == {"a": "a1", "c": "c2", "d": "d2"}
    asked = ["A-IM: gateways" in one for one in server.requests]
    assert asked == [False, True]


def test_a_part_that_does_not_fit_is_followed_by_a_question_for_all(
    authority: issue.Issued, issued: issue.Issued
) -> None:
    whole = content(heads("a"), "a")
    replies = [
        reply("200 OK", whole, "ETag: t1"),
        reply("226 IM Used", content(heads("a", "b")), "ETag: t2"),
        reply("200 OK", whole, "ETag: t3"),
    ]
    with portal(issued, *replies) as server:
        line = line_to(server, authority)
        line.bundle("")
        with pytest.raises(PortalError, match="does not fit"):
            line.bundle("t1")
        assert line.bundle("t1") == ("t3", whole)
    assert "A-IM" not in server.requests[-1]


def test_a_part_is_asked_for_only_with_the_tag_of_what_is_there(
    authority: issue.Issued, issued: issue.Issued
) -> None:
    replies = [reply("200 OK", content(heads("a"), "a"), "ETag: t1"), reply("304 Not Modified")]
    with portal(issued, *replies) as server:
        line = line_to(server, authority)
        line.bundle("")
        assert line.bundle("other") is None
    assert "A-IM" not in server.requests[-1]


def test_a_kept_connection_that_was_closed_is_replaced(
    authority: issue.Issued, issued: issue.Issued
) -> None:
    with portal(issued, *[reply("304 Not Modified")] * 3, each=1) as server:
        line = line_to(server, authority)
        for _ in range(3):
            assert line.bundle("x") is None
    assert len(server.requests) == 3


def test_another_authority_is_not_believed(issued: issue.Issued) -> None:
    from django.utils import timezone

    other = issue.make_root("Somebody else", now=timezone.now())
    with portal(issued) as server, pytest.raises(PortalError, match="not the expected one") as told:
        line_to(server, other).bundle("")
    assert not server.requests
    assert SECRET not in str(told.value)


def test_a_name_that_the_certificate_does_not_hold_is_not_believed(
    authority: issue.Issued,
) -> None:
    from django.utils import timezone

    elsewhere = issue.make_leaf(
        authority, "elsewhere", now=timezone.now(), dns_names=["elsewhere.test"]
    )
    with tls_server(elsewhere) as server, pytest.raises(PortalError, match="not the expected"):
        line_to(server, authority).bundle("")
    assert not server.requests


def test_plain_http_is_not_spoken(authority: issue.Issued) -> None:
    asked = Credentials("http://localhost:1", authority.certificate.pem, SECRET)
    with pytest.raises(PortalError, match="https://"):
        Portal(asked).bundle("")


def test_a_portal_that_is_down_is_told_without_a_secret(authority: issue.Issued) -> None:
    asked = Credentials(f"https://localhost:{free_ports(1)[0]}", authority.certificate.pem, SECRET)
    with pytest.raises(PortalError, match="cannot be reached") as told:
        Portal(asked).bundle("")
    assert SECRET not in str(told.value)
    assert SECRET not in repr(asked)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_one_that_is_not_known_is_told_so(
    authority: issue.Issued, issued: issue.Issued, status: str
) -> None:
    with (
        portal(issued, reply(status, {"error": "It was revoked."})) as server,
        pytest.raises(NotEnrolledError, match="It was revoked"),
    ):
        line_to(server, authority).bundle("")


@pytest.mark.parametrize(
    "answer",
    [
        reply("500 Internal Server Error"),
        reply("200 OK", [1]),
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        b"SSH-2.0\r\n\r\n",
    ],
)
def test_an_answer_that_is_none_is_told(
    authority: issue.Issued, issued: issue.Issued, answer: bytes
) -> None:
    with portal(issued, answer, answer) as server, pytest.raises(PortalError):
        line_to(server, authority).bundle("")


def test_a_token_is_traded(authority: issue.Issued, issued: issue.Issued) -> None:
    with portal(issued, reply("201 Created", {"credential": "c"})) as server:
        assert line_to(server, authority, "").enrol("t") == "c"
    assert "Authorization" not in server.requests[0]
    with (
        portal(issued, reply("400 Bad Request", {"error": "A token is needed."})) as server,
        pytest.raises(PortalError, match="A token is needed"),
    ):
        line_to(server, authority, "").enrol("")


def test_a_report_is_sent(authority: issue.Issued, issued: issue.Issued) -> None:
    with portal(issued, reply("204 No Content"), reply("400 Bad Request")) as server:
        line = line_to(server, authority)
        line.report({"id": 1})
        with pytest.raises(PortalError, match="400"):
            line.report({"id": 2})
    assert server.requests[0].startswith("POST /agents/v1/report")


def test_credentials_are_kept_for_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "portal.json"
    kept = Credentials("https://localhost:1", "PEM", SECRET)
    save(path, kept)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path) == kept
    for broken in ("", "[]", "{}"):
        path.write_text(broken)
        with pytest.raises(NotEnrolledError):
            load(path)
    with pytest.raises(NotEnrolledError):
        load(tmp_path / "absent.json")


@pytest.mark.parametrize("text", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAA==\n"])
def test_an_authority_that_is_none_is_told(text: str) -> None:
    with pytest.raises(PortalError, match="cannot be read as PEM"):
        Portal(Credentials("https://localhost:1", text, SECRET)).bundle("")


@pytest.mark.parametrize("url", ["https://localhost:99999", "https://[", "https://", "ftp://a"])
def test_an_address_that_is_none_is_told(authority: issue.Issued, url: str) -> None:
    with pytest.raises(PortalError, match="The portal's address"):
        Portal(Credentials(url, authority.certificate.pem, SECRET)).bundle("")


def test_a_busy_portal_is_asked_again_later_and_is_no_refusal(
    authority: issue.Issued, issued: issue.Issued
) -> None:
    busy = reply("503 Service Unavailable", {"error": "The portal is busy."}, "Retry-After: 5")
    page = busy.replace(b"{", b"<")
    replies = [busy, page, busy, reply("200 OK", {"a": 1}, 'ETag: "t1"'), reply("204 No Content")]
    with portal(issued, *replies) as server:
        line = line_to(server, authority)
        with pytest.raises(PortalError, match="answers 503: The portal is busy") as told:
            line.bundle("")
        assert not isinstance(told.value, NotEnrolledError)
        # In whatever form it comes.
        with pytest.raises(PortalError, match=r"answers 503$"):
            line.bundle("")
        with pytest.raises(PortalError):
            line.report({})
        assert line.bundle("") == ('"t1"', {"a": 1})
        line.report({})
