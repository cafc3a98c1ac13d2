"""What each lab server does to a client, over real connections."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator

import pytest
from django.utils import timezone

from certificates.authorities import find_authority, issuer_of
from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing.issue import key_pem, make_leaf, to_pem
from gateway.accounts.models import Subscription
from gateway.lab.sandbox import ensure_sandbox
from tests.factories import change, make_user
from tests.gateway.lab.conftest import endpoint, eventually, running_lab, server_of
from tests.gateway.lab.test_servers import ask, roles, talk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lab(transactional_db: None) -> Iterator[Subscription]:
    sandbox = ensure_sandbox(make_user("alice"))
    with running_lab():
        yield sandbox


def hello(
    lab: Subscription,
    scenario: str,
    *,
    name: str | None = "",
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
) -> tuple[str | None, list[Certificate]]:
    """Shake hands, by the server's own name if none is given; the version and the chain."""
    server = server_of(lab, scenario)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = oldest, newest
    wanted = server.fqdn if name == "" else name
    with (
        socket.create_connection(endpoint(server, 443), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=wanted) as secure,
    ):
        shown = secure._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
        chain = [Certificate.from_der(one.public_bytes(2)) for one in shown]
        version = secure.version()
        if scenario == "client-certificate":
            talk(secure, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return version, chain


@pytest.mark.parametrize(
    ("scenario", "shown"),
    [
        ("leaf-and-root", ["leaf", "root"]),
        ("no-root", ["leaf", "intermediate"]),
        ("wrong-order", ["intermediate", "leaf", "root"]),
        ("no-leaf", ["intermediate", "root"]),
        ("renewed-root", ["leaf", "intermediate", "root"]),
        ("expired-intermediate", ["leaf", "intermediate", "root"]),
    ],
)
def test_certificates_are_sent_in_the_order_of_the_scenario(
    lab: Subscription, scenario: str, shown: list[str]
) -> None:
    assert roles(ask(server_of(lab, scenario), 443)) == shown


def test_a_renewed_root_has_the_name_of_the_lab_root_and_another_key(lab: Subscription) -> None:
    old = server_of(lab, "full-chain").root
    new = server_of(lab, "renewed-root").root
    assert old is not None
    assert new is not None

    assert new.parsed.subject == old.parsed.subject
    assert new.parsed.public_key_der != old.parsed.public_key_der


def test_names_are_where_the_scenario_puts_them(lab: Subscription) -> None:
    def leaf(scenario: str) -> Certificate:
        return hello(lab, scenario)[1][0]

    assert leaf("name-in-subject").dns_names == ()
    assert leaf("name-in-subject").common_name == "name-in-subject.contoso.test"
    assert leaf("wildcard").dns_names == ("*.contoso.test",)
    assert leaf("address-only").dns_names == ()
    assert leaf("address-only").ip_addresses == ("10.0.1.29",)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("default-site.contoso.test", "default-site.contoso.test"),
        ("DEFAULT-SITE.contoso.test", "default-site.contoso.test"),
        ("other.contoso.test", "www.fabrikam.test"),
        (None, "www.fabrikam.test"),
    ],
)
def test_without_its_name_a_server_of_two_sites_shows_the_other_one(
    lab: Subscription, name: str | None, shown: str
) -> None:
    _, chain = hello(lab, "default-site", name=name)

    assert chain[0].dns_names == (shown,)
    assert len(chain) == 3


def test_a_client_without_certificate_is_told_by_an_alert(lab: Subscription) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"):
        hello(lab, "client-certificate")
    with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
        hello(lab, "client-certificate", newest=ssl.TLSVersion.TLSv1_2)


def test_a_client_with_a_certificate_of_the_lab_is_answered(
    lab: Subscription, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = server_of(lab, "client-certificate")
    file = tmp_path_factory.mktemp("client") / "client.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    authority = find_authority(lab.sandbox_of_id, "lab-issuing")
    assert authority is not None
    client = make_leaf(issuer_of(authority), "client", now=timezone.now(), purposes=("client",))
    file.write_bytes(key_pem(client) + to_pem(client.certificate))
    context.load_cert_chain(file)
    with (
        socket.create_connection(endpoint(server, 443), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=server.fqdn) as secure,
    ):
        text = talk(secure, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert text.startswith("HTTP/1.1 200 ")


def test_tls_1_0_only_refuses_newer_clients_by_an_alert(lab: Subscription) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        hello(lab, "tls-1-0")

    version, _ = hello(lab, "tls-1-0", oldest=ssl.TLSVersion.TLSv1)
    assert version == "TLSv1"


def test_tls_1_3_only_refuses_older_clients(lab: Subscription) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        hello(lab, "tls-1-3", newest=ssl.TLSVersion.TLSv1_2)

    assert hello(lab, "tls-1-3")[0] == "TLSv1.3"


def test_plain_http_on_the_tls_port_answers_a_handshake_with_text(lab: Subscription) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)wrong.version.number|record"):
        hello(lab, "http-on-443")

    server = server_of(lab, "http-on-443")
    with socket.create_connection(endpoint(server, 443), timeout=10) as client:
        assert talk(client, b"GET / HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 200 ")


def test_a_resetting_server_resets_at_the_first_words(lab: Subscription) -> None:
    with pytest.raises(ConnectionResetError):
        hello(lab, "reset")


@pytest.mark.parametrize(
    ("scenario", "status", "says"),
    [
        ("answers-401", 401, "WWW-Authenticate: Basic"),
        ("answers-404", 404, "Not Found"),
        ("answers-500", 500, "Something broke"),
        ("maintenance", 200, "Closed for maintenance"),
    ],
)
@pytest.mark.parametrize("port", [80, 443])
def test_the_application_answers_as_its_scenario_says(
    lab: Subscription, scenario: str, status: int, says: str, port: int
) -> None:
    text = ask(server_of(lab, scenario), port).text

    assert text.startswith(f"HTTP/1.1 {status} ")
    assert says in text
    assert "Hello from" not in text


def test_a_slow_server_answers_when_its_time_has_come(lab: Subscription) -> None:
    server = server_of(lab, "slow")
    with socket.create_connection(endpoint(server, 80), timeout=0.5) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(TimeoutError):
            client.recv(1)

    before = endpoint(server, 80)
    change(server, delay=1)

    eventually(lambda: endpoint(server, 80) != before)
    assert ask(server, 80).text.startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize("scenario", ["weak-key", "sha1"])
def test_outdated_certificates_can_be_served(lab: Subscription, scenario: str) -> None:
    leaf = ask(server_of(lab, scenario), 443).presented[0]

    if scenario == "weak-key":
        assert leaf.key.bits == 1024
    else:
        assert "sha1" in leaf.signature_algorithm.lower().replace("-", "")
