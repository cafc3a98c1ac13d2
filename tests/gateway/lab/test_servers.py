from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from certificates.publicroot import public_root, well_known
from certificates.x509.facts.certificate import Certificate
from certificates.x509.facts.names import match_name
from certificates.x509.trust.anchors import AnchorStore
from certificates.x509.trust.chains import judge_chain
from gateway.accounts.models import Subscription
from gateway.lab import servers
from gateway.lab.endpoints import Place, report
from gateway.lab.sandbox import ensure_sandbox, reset_sandbox
from gateway.lab.scenarios import BY_ID, SCENARIOS
from gateway.models import LabEndpoint, LabServer, LabServerKey
from tests.factories import change, delete, make_user
from tests.gateway.lab.conftest import endpoint, eventually, running_lab, server_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox(transactional_db: None) -> Subscription:
    return ensure_sandbox(make_user("alice"))


@pytest.fixture
def lab(sandbox: Subscription) -> Iterator[Subscription]:
    with running_lab():
        yield sandbox


@dataclass(frozen=True)
class Answer:
    presented: tuple[Certificate, ...]
    version: str | None
    text: str


def ask(server: LabServer, port: int, request: bytes | None = None) -> Answer:
    """One request to the named port of a server; by TLS unless the port is 80."""
    address = endpoint(server, port)
    request = request or f"GET /hello HTTP/1.1\r\nHost: {server.fqdn}\r\n\r\n".encode()
    with socket.create_connection(address, timeout=10) as plain:
        if port == 80:
            return Answer((), None, talk(plain, request))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(plain, server_hostname=server.fqdn) as secure:
            shown = secure._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
            chain = tuple(Certificate.from_der(one.public_bytes(2)) for one in shown)
            return Answer(chain, secure.version(), talk(secure, request))


def talk(client: socket.socket, request: bytes) -> str:
    client.sendall(request)
    answer = b""
    while block := client.recv(65536):
        answer += block
    return answer.decode()


def roles(answer: Answer) -> list[str]:
    return [one.role for one in answer.presented]


def root_of(server: LabServer) -> AnchorStore:
    assert server.root is not None
    return AnchorStore.from_certificates([server.root.parsed])


@pytest.mark.parametrize(
    ("scenario", "shown"),
    [
        ("full-chain", ["leaf", "intermediate", "root"]),
        ("no-intermediate", ["leaf"]),
        ("self-signed-ca", ["root"]),
        ("self-signed", ["self-signed"]),
        ("wrong-name", ["leaf", "intermediate", "root"]),
        ("expired", ["leaf", "intermediate", "root"]),
        ("public", ["leaf", "intermediate"]),
        ("app-service", ["leaf", "intermediate"]),
        ("virtual-machine", ["leaf", "intermediate", "root"]),
        ("virtual-machine-2", ["leaf", "intermediate", "root"]),
        ("scale-set", ["leaf", "intermediate", "root"]),
    ],
)
def test_a_tls_server_answers_with_the_certificates_of_its_scenario(
    lab: Subscription, scenario: str, shown: list[str]
) -> None:
    server = server_of(lab, scenario)

    answer = ask(server, 443)

    assert roles(answer) == shown
    assert answer.version == "TLSv1.3"
    assert answer.text.startswith("HTTP/1.1 200 ")
    assert server.fqdn in answer.text
    assert "GET /hello" in answer.text


def test_F3_every_scenario_is_judged_as_it_teaches(lab: Subscription) -> None:
    now = timezone.now()
    findings = {}
    for scenario in SCENARIOS:
        if not scenario.is_tls or scenario.speaks != "modern" or scenario.delay:
            continue
        server = server_of(lab, scenario.id)
        presented = ask(server, 443).presented
        public = scenario.presents in ("public", "app-service")
        anchors = well_known() if public else root_of(server)
        verdict = judge_chain(presented, anchors, well_known=public, now=now)
        named = match_name(presented[0], server.fqdn).ok
        findings[scenario.id] = (verdict.finding, named)

    good = ("ok", True)
    assert findings == {
        "full-chain": good,
        "no-intermediate": ("intermediate-missing", True),
        "leaf-and-root": ("intermediate-missing", True),
        "no-root": good,
        "wrong-order": ("leaf-not-first", False),
        "no-leaf": ("leaf-missing", False),
        "renewed-root": good,
        "name-in-subject": good,
        "wildcard": good,
        "address-only": ("ok", False),
        "default-site": good,
        "not-yet-valid": ("dates", True),
        "expired-intermediate": ("dates", True),
        "weak-key": ("verify", True),
        "sha1": ("verify", True),
        "answers-401": good,
        "answers-404": good,
        "maintenance": good,
        "self-signed-ca": good,
        "self-signed": ("intermediate-missing", True),
        "wrong-name": ("ok", False),
        "expired": ("dates", True),
        "public": good,
        "app-service": good,
        "answers-500": good,
        "virtual-machine": good,
        "virtual-machine-2": good,
        "scale-set": good,
    }


def test_the_public_server_leads_to_the_root_that_counts_as_well_known(lab: Subscription) -> None:
    presented = ask(server_of(lab, "public"), 443).presented

    verdict = judge_chain(presented, well_known(), well_known=True, now=timezone.now())

    assert verdict.anchor is not None
    assert verdict.anchor.origin == "lab-public"
    assert verdict.anchor.certificate == public_root()


@pytest.mark.parametrize(
    "scenario",
    [
        "plain-http",
        "full-chain",
        "app-service",
        "virtual-machine",
        "virtual-machine-2",
        "scale-set",
    ],
)
def test_plain_http_is_answered_on_port_80(lab: Subscription, scenario: str) -> None:
    answer = ask(server_of(lab, scenario), 80)

    assert answer.text.startswith("HTTP/1.1 200 ")
    assert "plain HTTP" in answer.text


@pytest.mark.parametrize("port", [80, 443])
def test_the_broken_application_answers_500(lab: Subscription, port: int) -> None:
    assert ask(server_of(lab, "answers-500"), port).text.startswith("HTTP/1.1 500 ")


@pytest.mark.parametrize("port", [80, 443])
def test_the_silent_server_takes_the_connection_and_says_nothing(
    lab: Subscription, port: int
) -> None:
    with socket.create_connection(endpoint(server_of(lab, "silent"), port), timeout=0.3) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: silent.contoso.test\r\n\r\n")
        with pytest.raises(TimeoutError):
            sock.recv(1)


@pytest.mark.parametrize(
    ("scenario", "port"), [("closed", 443), ("closed", 80), ("plain-http", 443), ("expired", 80)]
)
def test_a_port_on_which_nothing_listens_refuses(
    lab: Subscription, scenario: str, port: int
) -> None:
    server = server_of(lab, scenario)
    address = endpoint(server, port)

    assert not LabEndpoint.objects.filter(server=server, port=port).exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


def test_the_servers_stand_on_the_loopback_range_of_the_data_directory(lab: Subscription) -> None:
    host, _ = endpoint(server_of(lab, "full-chain"), 443)

    assert host == str(settings.GATEWRIGHT_LOOPBACK_RANGE[1])


def test_tls_1_2_is_spoken_and_1_1_is_not(lab: Subscription) -> None:
    address = endpoint(server_of(lab, "full-chain"), 443)

    def version(newest: ssl.TLSVersion) -> str | None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
        with (
            socket.create_connection(address, timeout=5) as plain,
            context.wrap_socket(plain) as secure,
        ):
            return secure.version()

    assert version(ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.warns(DeprecationWarning, match="TLSv1"), pytest.raises(ssl.SSLError):
        version(ssl.TLSVersion.TLSv1_1)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "200"),
        (b"GET / HTTP/1.0\r\n\r\n", "200"),
        (b"GET / HTTP/1.1\r\nHost: <script>\r\nContent-Length: -1\r\n\r\n", "200"),
        (b"\x16\x03\x01 nonsense\r\n\r\n", "400"),
        (b"GET /\xff\xfe\x00 HTTP/1.1\r\nHost: \xe4\r\n\r\n", "200"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 4000 + b"\r\n", "431"),
    ],
)
def test_odd_requests_are_answered(lab: Subscription, request_bytes: bytes, status: str) -> None:
    text = ask(server_of(lab, "plain-http"), 80, request_bytes).text

    assert text.startswith(f"HTTP/1.1 {status} ")
    assert "<script>" not in text
    if request_bytes.startswith(b"HEAD"):
        assert text.endswith("\r\n\r\n")


def test_a_client_that_leaves_early_or_speaks_the_wrong_way_disturbs_nobody(
    lab: Subscription,
) -> None:
    server = server_of(lab, "full-chain")
    for port, data in ((443, b"GET / HTTP/1.1\r\n\r\n"), (443, b""), (80, b"\x16\x03"), (80, b"")):
        with socket.create_connection(endpoint(server, port), timeout=5) as sock:
            sock.sendall(data)

    assert ask(server, 443).text.startswith("HTTP/1.1 200 ")
    assert ask(server, 80).text.startswith("HTTP/1.1 200 ")


def test_many_clients_at_once_are_all_answered(lab: Subscription) -> None:
    server = server_of(lab, "plain-http")
    address = endpoint(server, 80)
    clients = [socket.create_connection(address, timeout=10) for _ in range(200)]
    try:
        answers = [talk(one, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") for one in clients]
    finally:
        for one in clients:
            one.close()

    assert all(one.startswith("HTTP/1.1 200 ") for one in answers)


def test_a_new_sandbox_is_served_without_a_restart(lab: Subscription) -> None:
    started = time.monotonic()
    other = ensure_sandbox(make_user("bob"))
    server = server_of(other, "full-chain")

    assert ask(server, 443).text.startswith("HTTP/1.1 200 ")
    assert time.monotonic() - started < 10


def test_two_sandboxes_have_endpoints_and_roots_of_their_own(lab: Subscription) -> None:
    mine = server_of(lab, "full-chain")
    theirs = server_of(ensure_sandbox(make_user("bob")), "full-chain")

    assert endpoint(mine, 443) != endpoint(theirs, 443)
    presented = ask(theirs, 443).presented
    now = timezone.now()
    assert judge_chain(presented, root_of(theirs), well_known=False, now=now).finding == "ok"
    refused = judge_chain(presented, root_of(mine), well_known=False, now=now).finding
    assert refused == "root-mismatch"


def test_a_deleted_server_stops_answering(lab: Subscription) -> None:
    server = server_of(lab, "plain-http")
    address = endpoint(server, 80)

    delete(server)

    def refuses() -> bool:
        try:
            socket.create_connection(address, timeout=5).close()
        except ConnectionRefusedError:
            return True
        return False

    eventually(refuses)


def test_a_changed_server_is_served_anew(lab: Subscription) -> None:
    server = server_of(lab, "plain-http")
    endpoint(server, 80)

    change(server, name="renamed", port=8080)

    eventually(lambda: set(server.endpoints.values_list("port", flat=True)) == {None, 8080})
    with socket.create_connection(endpoint(server, 8080), timeout=5) as client:
        assert "Hello from renamed" in talk(client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")


def test_a_server_without_the_certificate_of_its_scenario_refuses(lab: Subscription) -> None:
    server = server_of(lab, "plain-http")
    endpoint(server, 80)

    change(server, scenario="expired", port=8080)

    eventually(lambda: list(server.endpoints.values_list("port", flat=True)) == [None])


def test_a_reset_sandbox_is_served_again(lab: Subscription) -> None:
    assert lab.sandbox_of is not None
    endpoint(server_of(lab, "full-chain"), 443)

    reset_sandbox(lab.sandbox_of)

    assert ask(server_of(lab, "full-chain"), 443).text.startswith("HTTP/1.1 200 ")


def test_an_unknown_scenario_refuses_and_harms_no_other(lab: Subscription) -> None:
    change(server_of(lab, "closed"), scenario="from-the-future")

    changed = LabServer.objects.filter(scenario="from-the-future")
    eventually(lambda: LabEndpoint.objects.filter(server__in=changed).exists())
    assert ask(server_of(lab, "public"), 443).text.startswith("HTTP/1.1 200 ")


def test_a_server_whose_key_does_not_fit_refuses_and_harms_no_other(lab: Subscription) -> None:
    server = server_of(lab, "expired")
    endpoint(server, 443)
    other = LabServerKey.objects.get(server=server_of(lab, "public"))

    change(LabServerKey.objects.get(server=server), pem=bytes(other.pem))
    change(server, name="renamed")

    eventually(lambda: list(server.endpoints.values_list("port", flat=True)) == [None])
    assert ask(server_of(lab, "public"), 443).text.startswith("HTTP/1.1 200 ")


def test_reports_are_rewritten_at_the_start_and_removed_at_the_end(sandbox: Subscription) -> None:
    server = server_of(sandbox, "full-chain")
    report([Place(server.pk, 443, "127.0.0.1", 1)])

    with running_lab():
        eventually(lambda: server.endpoints.count() == 3)
        assert ask(server, 443).text.startswith("HTTP/1.1 200 ")

    assert not LabEndpoint.objects.exists()


def test_a_report_that_somebody_removed_is_written_again(lab: Subscription) -> None:
    server = server_of(lab, "full-chain")
    endpoint(server, 443)

    LabEndpoint.objects.all().delete()

    eventually(lambda: server.endpoints.count() == 3)


def test_a_report_leaves_out_servers_that_are_gone(sandbox: Subscription) -> None:
    server = server_of(sandbox, "full-chain")
    report([Place(server.pk, 443, "127.0.0.1", 1), Place(server.pk + 999, 443, "127.0.0.1", 2)])

    assert LabEndpoint.objects.count() == 1


def test_certificates_that_run_out_are_renewed_at_the_start(sandbox: Subscription) -> None:
    assert sandbox.sandbox_of is not None
    long_ago = timezone.now() - timedelta(days=720)
    reset_sandbox(sandbox.sandbox_of, long_ago)
    before = server_of(sandbox, "full-chain").leaf

    with running_lab():
        server = server_of(sandbox, "full-chain")
        (leaf, *_) = ask(server, 443).presented

    assert leaf.is_valid_at(timezone.now() + timedelta(days=100))
    assert before is not None
    assert leaf.sha256 != before.sha256


def test_no_key_is_written_to_disk(lab: Subscription) -> None:
    endpoint(server_of(lab, "full-chain"), 443)
    ask(server_of(lab, "full-chain"), 443)

    for path in Path(settings.GATEWRIGHT_DATA).rglob("*"):
        if path.is_file():
            assert b"PRIVATE KEY" not in path.read_bytes(), path


def test_the_servers_outlive_a_database_that_does_not_answer(
    lab: Subscription, caplog: pytest.LogCaptureFixture
) -> None:
    address = endpoint(server_of(lab, "plain-http"), 80)

    def rename(old: str, new: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")

    rename("gateway_labendpoint", "away")
    try:
        eventually(lambda: "The database does not answer the lab" in caplog.text)
        with socket.create_connection(address, timeout=5) as client:
            assert "Hello from plain-http" in talk(client, b"GET / HTTP/1.1\r\n\r\n")
    finally:
        rename("away", "gateway_labendpoint")

    other = ensure_sandbox(make_user("bob"))
    assert ask(server_of(other, "plain-http"), 80).text.startswith("HTTP/1.1 200 ")


def test_the_servers_outlive_a_fault_that_nobody_thought_of(
    lab: Subscription, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = endpoint(server_of(lab, "plain-http"), 80)

    def broken() -> None:
        raise RuntimeError("nobody thought of this")

    with monkeypatch.context() as patch:
        patch.setattr(servers, "marks", broken)
        eventually(lambda: "The lab could not follow its rows" in caplog.text)
        with socket.create_connection(address, timeout=5) as client:
            assert "Hello from plain-http" in talk(client, b"GET / HTTP/1.1\r\n\r\n")

    other = ensure_sandbox(make_user("bob"))
    assert ask(server_of(other, "plain-http"), 80).text.startswith("HTTP/1.1 200 ")


def test_every_scenario_is_declared_once() -> None:
    assert len(BY_ID) == len(SCENARIOS)
    assert len({(one.address, one.port) for one in SCENARIOS}) == len(SCENARIOS)
    assert len({one.fqdn for one in SCENARIOS}) == len(SCENARIOS)
