"""Probes over real sockets: what each stage sees, and what a broken server is called."""

import errno
import ipaddress
import socket
import ssl
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from certificates.x509.issuing import issue
from gateway.health import probe as probing
from gateway.health.answers import MAX_BODY_BYTES, MAX_HEAD_BYTES
from gateway.health.probe import accepts
from gateway.models import Probe
from gateway.network import Endpoint, Zone
from tests import servers
from tests.factories import NOW
from tests.gateway.health.scenes import (
    ADDRESS,
    NAME,
    judge,
    observe,
    plan_for,
    private,
    root_of,
    stages,
    trusting,
    zone_for,
)

LEAF = private()
TRUST = trusting("roots", root_of(LEAF))


def a_probe(**fields: Any) -> Probe:
    return Probe(**{"name": "myProbe", "host": NAME, "timeout": 2, **fields})


def test_a_healthy_server_passes_every_stage_and_shows_its_evidence() -> None:
    with servers.tls_server(LEAF) as server:
        judged = judge(plan_for(trust=TRUST), zone_for(server.port))
    assert judged.error_id == ""
    assert judged.status == "Healthy"
    evidence = judged.evidence
    assert [stage["name"] for stage in evidence["stages"]] == [
        "resolve",
        "connect",
        "handshake",
        "certificate",
        "request",
        "verdict",
    ]
    assert all(stage["ok"] for stage in evidence["stages"])
    assert all(stage["detail"] for stage in evidence["stages"])
    assert evidence["dns"] == {
        "name": NAME,
        "source": "zone",
        "addresses": [ADDRESS],
        "error": None,
        "asked": [],
        "remembered": None,
    }
    assert evidence["dialed"] == f"{ADDRESS}:443"
    assert evidence["sni"] == evidence["checked_name"] == NAME
    assert evidence["tls"]["version"] == "TLSv1.3"
    assert [one["label"] for one in evidence["chain"]] == [NAME, "Private Issuing CA"]
    assert evidence["chain"][0]["pem"] == LEAF.certificate.pem
    assert evidence["anchor"]["origin"] == "uploaded"
    assert evidence["path"] == [NAME, "Private Issuing CA", "Private Root"]
    assert evidence["at_fault"] is None
    assert evidence["status_code"] == 200
    assert str(server.port) not in str(evidence)


def test_the_request_is_a_plain_get_that_asks_to_close() -> None:
    probe = a_probe(path="/health?deep=1", host="probe.contoso.test")
    with servers.http_server() as server:
        judged = judge(plan_for(probe=probe), zone_for(server.port))
    assert judged.status == "Healthy"
    first, *headers = server.requests[0].split("\r\n")
    assert first == "GET /health?deep=1 HTTP/1.1"
    assert "Host: probe.contoso.test" in headers
    assert "Connection: close" in headers
    assert judged.evidence["request"] == "GET /health?deep=1 with Host: probe.contoso.test"


def test_the_default_probe_asks_for_127_0_0_1() -> None:
    with servers.http_server() as server:
        judge(plan_for(), zone_for(server.port))
    assert "Host: 127.0.0.1" in server.requests[0]


def test_a_path_of_other_letters_is_escaped() -> None:
    with servers.http_server() as server:
        judge(plan_for(probe=a_probe(path="/größe/50%25")), zone_for(server.port))
    assert server.requests[0].startswith("GET /gr%C3%B6%C3%9Fe/50%25 HTTP/1.1")


def test_the_server_name_is_sent_and_an_address_is_not() -> None:
    with servers.tls_server(LEAF) as server:
        judge(plan_for(trust=TRUST, host_name="other.contoso.test"), zone_for(server.port))
        judge(plan_for(trust=TRUST, target=ADDRESS), zone_for(server.port))
    assert server.names == ["other.contoso.test", None]


@pytest.mark.parametrize(
    ("is_v1", "version", "healthy"),
    [
        (False, ssl.TLSVersion.TLSv1_3, True),
        (False, ssl.TLSVersion.TLSv1_2, True),
        (True, ssl.TLSVersion.TLSv1_2, True),
        (True, ssl.TLSVersion.TLSv1_3, False),
    ],
)
def test_v2_speaks_tls_1_2_and_1_3_and_v1_only_1_2(
    is_v1: bool, version: ssl.TLSVersion, healthy: bool
) -> None:
    trust = trusting("pinned", LEAF.certificate) if is_v1 else TRUST
    with servers.tls_server(LEAF, version=version) as server:
        judged = judge(plan_for(trust=trust, is_v1=is_v1), zone_for(server.port))
    assert (judged.error_id == "") is healthy
    if not healthy:
        assert judged.error_id == "E-TCP"
        assert "no TLS version in common" in judged.message


def test_a_name_that_does_not_exist_is_told() -> None:
    judged = judge(plan_for(target="absent.contoso.test"), zone_for())
    assert judged.error_id == "E-DNS"
    assert "absent.contoso.test" in judged.message
    assert stages(judged) == {"resolve": False, "verdict": False}


def test_a_resolver_that_does_not_answer_is_told() -> None:
    def silent(name: str) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    judged = judge(plan_for(target="www.example.com"), zone_for(), lookup=silent)
    assert (judged.status, judged.error_id) == ("Unknown", "U-DNS")
    assert "no usable answer" in judged.message
    assert judged.address == ""


def test_a_dns_server_of_the_lab_that_has_not_started_is_not_settled() -> None:
    zone = Zone(dns_servers=("10.0.1.53",), lab_addresses=frozenset({"10.0.1.53"}))
    judged = judge(plan_for(target="www.example.com"), zone)
    assert (judged.error_id, judged.settled) == ("U-DNS", False)
    assert "has not been started" in judged.message
    foreign = replace(zone, dns_servers=("192.0.2.53",))
    judged = judge(plan_for(target="www.example.com"), foreign)
    assert (judged.error_id, judged.settled) == ("U-DNS", True)
    assert "192.0.2.53 was not asked" in judged.message


def test_a_closed_port_refuses() -> None:
    with servers.refusing_port() as port:
        judged = judge(plan_for(port=8080), zone_for(refusing=port))
    assert judged.error_id == "E-TCP"
    assert f"{ADDRESS}:8080 refused" in judged.message
    assert stages(judged) == {"resolve": True, "connect": False, "verdict": False}


def test_an_address_without_a_host_is_told() -> None:
    zone = Zone(prefixes=(ipaddress.ip_network("10.0.0.0/16"),))
    judged = judge(plan_for(target="10.0.7.7"), zone)
    assert judged.error_id == "E-TCP"
    assert "No server" in judged.message


def test_an_address_outside_is_not_connected_to_and_stands_as_unknown() -> None:
    judged = judge(plan_for(target="192.0.2.7"), zone_for())
    assert (judged.status, judged.error_id) == ("Unknown", "U-NOT-ALLOWED")
    assert "192.0.2.7" in judged.message


def test_the_forbidden_address_behind_a_name_is_not_connected_to() -> None:
    plan = plan_for(target="metadata.example.com")
    judged = judge(plan, zone_for(), lookup=lambda _: ["169.254.169.254"])
    assert judged.error_id == "U-NOT-ALLOWED"


def test_an_opened_address_is_probed_outside_the_lab(settings: Any) -> None:
    settings.GATEWRIGHT_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.1/32")]
    with servers.http_server() as server:
        plan = plan_for(target="www.example.com", port=server.port)
        judged = judge(plan, zone_for(), lookup=lambda _: ["127.0.0.1"])
    assert judged.status == "Healthy"
    assert judged.evidence["dns"]["source"] == "system"


def test_a_lab_server_that_has_not_started_is_not_settled() -> None:
    judged = judge(plan_for(), zone_for())
    assert judged.error_id == "E-TCP"
    assert not judged.settled


@pytest.mark.parametrize("https", [True, False])
def test_silence_is_a_time_out(https: bool) -> None:
    started = time.monotonic()
    with servers.silent_server() as server:
        plan = plan_for(trust=TRUST if https else None, timeout=1)
        judged = judge(plan, zone_for(server.port))
    assert judged.error_id == "E-TIMEOUT"
    assert "within 1 seconds" in judged.message
    assert time.monotonic() - started < 3
    assert not stages(judged)["handshake" if https else "request"]


def test_an_answer_that_comes_in_drops_ends_with_the_time_out_of_all_stages() -> None:
    def make(server: servers.Server) -> servers.Serve:
        def serve(connection: socket.socket) -> None:
            servers.read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            while not server.released.wait(0.1):
                connection.sendall(b"x")

        return serve

    started = time.monotonic()
    with servers.listening(make) as server:
        judged = judge(plan_for(timeout=1), zone_for(server.port))
    assert judged.error_id == "E-TIMEOUT"
    assert time.monotonic() - started < 3


def test_no_probe_waits_longer_than_the_portal_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "LONGEST_WAIT", 0.2)
    with servers.silent_server() as server:
        judged = judge(plan_for(timeout=86400), zone_for(server.port))
    assert judged.error_id == "E-TIMEOUT"
    assert "86400" in judged.message


@pytest.mark.parametrize("https", [True, False])
def test_a_reset_is_no_connection(https: bool) -> None:
    with servers.resetting_server() as server:
        judged = judge(plan_for(trust=TRUST if https else None), zone_for(server.port))
    assert judged.error_id == "E-TCP"


def test_plain_http_on_an_https_port_is_recognised() -> None:
    def make(_: servers.Server) -> servers.Serve:
        def serve(connection: socket.socket) -> None:
            connection.recv(4096)
            connection.sendall(servers.answer("400 Bad Request"))

        return serve

    with servers.listening(make) as server:
        judged = judge(plan_for(trust=TRUST), zone_for(server.port))
    assert judged.error_id == "E-TCP"
    assert "plain HTTP" in judged.message


def test_https_on_a_plain_port_is_no_http() -> None:
    with servers.tls_server(LEAF) as server:
        judged = judge(plan_for(), zone_for(server.port))
    assert judged.error_id == "E-TCP"


def test_a_server_that_wants_a_client_certificate_is_told_apart() -> None:
    root = issue.make_root("Client Root", now=NOW)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with servers.tls_server(LEAF, version=version, client_authority=root.certificate) as server:
            judged = judge(plan_for(trust=TRUST), zone_for(server.port))
        assert judged.error_id == "E-TCP"
        assert "client certificate" in judged.message
        broken = judged.evidence["broken"]
        # By TLS 1.3 the refusal comes when the client believes the handshake to be over.
        late = version == ssl.TLSVersion.TLSv1_3
        assert broken["stage"] == ("request" if late else "handshake")
        assert broken["alert"] == ("certificate required" if late else "handshake failure")


def test_the_request_is_not_sent_to_a_server_that_is_not_trusted() -> None:
    with servers.tls_server(private()) as server:
        judged = judge(plan_for(trust=TRUST), zone_for(server.port))
    assert judged.error_id == "E-ROOT-MISMATCH-NOROOT"
    assert "request" not in stages(judged)
    assert "".join(server.requests) == ""


@pytest.mark.parametrize(
    ("ranges", "code", "accepted"),
    [
        (["200-399"], 200, True),
        (["200-399"], 399, True),
        (["200-399"], 400, False),
        (["200-399"], 199, False),
        (["200", "401"], 401, True),
        (["200", "401"], 400, False),
        ([" 200 - 204 "], 203, True),
        (["nonsense", "2xx", "-"], 200, False),
        ([], 200, False),
    ],
)
def test_status_codes_lie_in_ranges(ranges: list[str], code: int, accepted: bool) -> None:
    assert accepts(ranges, code) is accepted


def test_a_status_outside_the_ranges_is_told_with_what_is_accepted() -> None:
    with servers.http_server(servers.answer("500 Internal Server Error")) as server:
        judged = judge(plan_for(), zone_for(server.port))
    assert judged.error_id == "E-STATUS"
    assert "500" in judged.message
    assert "200-399" in judged.message
    assert judged.evidence["status_code"] == 500


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    reply = servers.answer("302 Found", extra="Location: http://169.254.169.254/\r\n")
    with servers.http_server(reply) as server:
        judged = judge(plan_for(), zone_for(server.port))
    assert judged.status == "Healthy"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"all is fine", ""),
        (b"x" * 65530 + b"all is fine", ""),
        (b"x" * (MAX_BODY_BYTES + 100_000) + b"all is fine", "E-BODY"),
        (b"all is broken", "E-BODY"),
        (b"", "E-BODY"),
    ],
)
def test_the_text_is_looked_for_in_the_first_mebibyte(body: bytes, error: str) -> None:
    probe = a_probe(match_body="all is fine", timeout=5)
    with servers.http_server(servers.answer(body=body)) as server:
        judged = judge(plan_for(probe=probe), zone_for(server.port))
    assert judged.error_id == error


def test_the_text_is_found_in_the_server_s_own_character_set() -> None:
    reply = servers.answer(
        body="alles schön".encode("latin-1"), extra="Content-Type: text/plain; charset=latin-1\r\n"
    )
    with servers.http_server(reply) as server:
        judged = judge(plan_for(probe=a_probe(match_body="schön")), zone_for(server.port))
    assert judged.status == "Healthy"


@pytest.mark.parametrize(
    "charset", ["=nonsense", "=base64", "=idna", "=ascii", "*=us-ascii''a%00b"]
)
def test_an_odd_character_set_does_no_harm(charset: str) -> None:
    reply = servers.answer(
        body="schön".encode(), extra=f"Content-Type: text/plain; charset{charset}\r\n"
    )
    with servers.http_server(reply) as server:
        judged = judge(plan_for(probe=a_probe(match_body="schön")), zone_for(server.port))
    assert judged.error_id in {"", "E-BODY"}


def test_a_long_text_is_shortened_in_the_message() -> None:
    with servers.http_server() as server:
        judged = judge(plan_for(probe=a_probe(match_body="y" * 4000)), zone_for(server.port))
    assert judged.error_id == "E-BODY"
    assert len(judged.message) < 200


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 banana OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * (MAX_HEAD_BYTES + 10) + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX Y: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
    ],
)
def test_an_answer_that_is_no_http_is_a_broken_connection(reply: bytes) -> None:
    with servers.http_server(reply) as server:
        judged = judge(plan_for(), zone_for(server.port))
    assert judged.error_id == "E-TCP"
    assert judged.message.endswith(".")


def test_a_text_is_not_missing_from_an_answer_that_broke_off() -> None:
    with servers.http_server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab") as server:
        judged = judge(plan_for(probe=a_probe(match_body="abc")), zone_for(server.port))
    assert (judged.error_id, "broke off" in judged.message) == ("E-TCP", True)


def test_chunked_answers_and_old_http_are_read() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n"
    for reply in (chunked, b"HTTP/1.0 200 OK\r\n\r\nfine", b"HTTP/1.1 204 No Content\r\n\r\n"):
        with servers.http_server(reply) as server:
            wanted = "fine" if b"fine" in reply else ""
            judged = judge(plan_for(probe=a_probe(match_body=wanted)), zone_for(server.port))
        assert judged.error_id == "", reply


def test_hints_before_the_answer_are_passed_over() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    with servers.http_server(2 * hints + servers.answer(body=b"fine")) as server:
        judged = judge(plan_for(probe=a_probe(match_body="fine")), zone_for(server.port))
    assert (judged.error_id, judged.evidence["status_code"]) == ("", 200)
    with servers.http_server(b"HTTP/1.1 101 Switching Protocols\r\n\r\n") as server:
        assert judge(plan_for(), zone_for(server.port)).error_id == "E-STATUS"
    with servers.http_server(hints * MAX_HEAD_BYTES) as server:
        assert judge(plan_for(), zone_for(server.port)).error_id == "E-TCP"


def test_an_endless_answer_is_healthy_once_enough_was_read() -> None:
    def make(server: servers.Server) -> servers.Serve:
        def serve(connection: socket.socket) -> None:
            servers.read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not server.released.is_set():
                connection.sendall(b"x" * 65536)

        return serve

    with servers.listening(make) as server:
        assert judge(plan_for(timeout=5), zone_for(server.port)).status == "Healthy"


def test_a_server_name_that_cannot_be_sent_is_told() -> None:
    plan = plan_for(trust=TRUST, host_name="a" * 70 + ".contoso.test")
    with servers.tls_server(LEAF) as server:
        judged = judge(plan, zone_for(server.port))
    assert judged.error_id in {"E-TCP", "E-CN"}


def test_a_fault_of_this_machine_is_not_blamed_on_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def exhausted(*_: Any) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(socket.socket, "connect", exhausted)
    with pytest.raises(OSError, match="too many"):
        observe(plan_for(), zone_for(1))


def test_an_unreachable_network_is_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any) -> None:
        raise OSError(errno.ENETUNREACH, "unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    judged = judge(plan_for(), zone_for(1))
    assert judged.error_id == "E-TCP"
    assert "cannot be reached" in judged.message


def test_an_ipv6_address_is_shown_in_brackets() -> None:
    zone = Zone(
        lab_addresses=frozenset({"fd00::4"}), refusing={"fd00::4": Endpoint("127.0.0.1", 1)}
    )
    judged = judge(replace(plan_for(target="fd00::4")), zone)
    assert judged.evidence["dialed"] == "[fd00::4]:80"


def test_many_probes_of_one_server_at_once_do_not_disturb_each_other() -> None:
    found: list[str] = []
    with servers.tls_server(LEAF) as server:
        plan = plan_for(trust=TRUST, timeout=10)
        threads = [
            threading.Thread(
                target=lambda: found.append(judge(plan, zone_for(server.port)).error_id)
            )
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert found == [""] * 20
