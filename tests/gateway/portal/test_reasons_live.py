"""The engine's own words, as it really says them, become sentences."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from certificates.x509.issuing import issue
from gateway.dataplane.exchange import Ask, Identity, exchange
from gateway.models import AccessLogLine, ApplicationGateway
from gateway.portal.log_lines import LogLine, line_of
from gateway.portal.reasons import reason_of
from tests import factories as make
from tests import servers
from tests.gateway.dataplane.engine import running
from tests.gateway.dataplane.sites import TODAY, Traffic, intermediate, leaf, root

pytestmark = pytest.mark.django_db

NAME = "app.internal"
STRANGER = issue.make_root("Stranger", now=TODAY)


def lines_of(
    gateway: ApplicationGateway, port: int, *asks: dict[str, Any], status: str = "healthy"
) -> list[LogLine]:
    """The log's lines of requests to a gateway all of whose servers stand at ``port``."""
    traffic = Traffic(gateway)
    traffic.inputs()
    for pool in make.loaded(gateway).pools:
        for address in make.loaded(gateway).addresses(pool):
            for settings in make.loaded(gateway).http_settings:
                traffic.member(settings, address, port, status=status)
    with running(traffic.compile()) as engine:
        for fields in asks:
            wanted = {"scheme": "http", "port": 80, "host": "www.contoso.com", **fields}
            exchange(Ask(address="127.0.0.1", number=traffic.port(wanted["port"]), **wanted))
        found = engine.lines(len(asks))
    return [line_of(AccessLogLine(gateway=gateway, at=make.NOW, line=line)) for line in found]


def secure(**fields: Any) -> ApplicationGateway:
    """A gateway whose only setting speaks HTTPS and trusts the tests' root."""
    gateway = make.v2_gateway()
    settings = make.change(
        make.loaded(gateway).http_settings[0],
        **{"protocol": "Https", "port": 443, "host_name": NAME, "request_timeout": 2, **fields},
    )
    make.trust(settings, roots=[make.add_root(gateway, "root", root().certificate)])
    return gateway


def expired() -> issue.Issued:
    return issue.make_leaf(
        intermediate(), NAME, now=TODAY, dns_names=[NAME], not_before=TODAY.replace(year=2020),
        not_after=TODAY.replace(year=2021),
    )  # fmt: skip


Server = Callable[[], AbstractContextManager[servers.Server]]


@pytest.mark.parametrize(
    ("server", "words", "help"),
    [
        (lambda: servers.tls_server(expired()), "has expired", "E-DATES"),
        (lambda: servers.tls_server(leaf("other.internal")), "it carries other.internal", "E-CN"),
        (
            lambda: servers.tls_server(
                issue.make_leaf(STRANGER, NAME, now=TODAY, dns_names=[NAME])
            ),
            "does not lead to a root",
            "E-ROOT-MISMATCH",
        ),
        (
            lambda: servers.tls_server(
                issue.make_self_signed(NAME, now=TODAY, ca=True, dns_names=[NAME])
            ),
            "self-signed",
            "E-ROOT-MISMATCH",
        ),
        (
            lambda: servers.tls_server(
                issue.make_leaf(
                    intermediate(), NAME, now=TODAY, dns_names=[NAME], purposes=("client",)
                )
            ),
            "lacks server authentication",
            "E-VERIFY",
        ),
        (servers.resetting_server, "", "E-TCP"),
    ],
)
def test_a_server_that_is_refused(server: Server, words: str, help: str) -> None:
    with server() as backend:
        (line,) = lines_of(secure(), backend.port, {})
    reason = reason_of(line.fields)
    assert line.status == 502
    assert line.error == "ERRORINFO_UPSTREAM_CLOSED_CONNECTION"
    assert not line.is_from_server
    assert reason is not None
    assert words in reason.text
    assert reason.help == help
    assert line.get("serverRouted") == f"127.0.0.1:{backend.port}"


def test_a_server_that_is_not_there_slow_or_speaks_no_http() -> None:
    plain = make.v2_gateway()
    make.change(make.loaded(plain).http_settings[0], request_timeout=1)
    with servers.refusing_port() as port:
        (refused,) = lines_of(plain, port, {})
    with servers.silent_server() as server:
        (slow,) = lines_of(plain, server.port, {})
    with servers.http_server(b"garbage\r\n\r\n") as server:
        (garbage,) = lines_of(plain, server.port, {})
    (nobody,) = lines_of(plain, port, {}, status="unhealthy")
    for line, status, error, words in (
        (refused, 502, "UPSTREAM_CLOSED_CONNECTION", "nothing listens"),
        (slow, 504, "UPSTREAM_TIMED_OUT", "request time-out"),
        (garbage, 502, "UPSTREAM_CLOSED_CONNECTION", "not HTTP"),
        (nobody, 502, "UPSTREAM_NO_LIVE", "No server of the pool is healthy"),
    ):
        reason = reason_of(line.fields)
        assert (line.status, line.error) == (status, f"ERRORINFO_{error}")
        assert reason is not None
        assert words in reason.text


def test_a_host_of_no_listener_plain_http_at_tls_and_another_site_s_name() -> None:
    gateway = make.v2_gateway()
    for name in ("a.test", "b.test"):
        site = make.add_listener(
            gateway,
            name.replace(".", "-"),
            port=443,
            protocol="Https",
            host_name=name,
            ssl_certificate=make.add_ssl_certificate(gateway, name, leaf(name)),
        )
        make.add_rule(gateway, f"rule-{name}", site)
    with servers.http_server() as server:
        none, plain = lines_of(
            gateway,
            server.port,
            {"scheme": "https", "port": 443, "host": "c.test"},
            {"port": 443, "host": "a.test"},
        )
    for line, status, error, words in (
        (none, 404, "INVALID_HOST", "No listener on this port"),
        (plain, 400, "HTTP_TO_HTTPS_PORT", "Plain HTTP was spoken"),
    ):
        reason = reason_of(line.fields)
        assert (line.status, line.error) == (status, f"ERRORINFO_{error}")
        assert reason is not None
        assert words in reason.text


def test_a_client_without_a_certificate_with_a_wrong_and_with_a_right_one() -> None:
    gateway = make.v2_gateway()
    authority = make.add_client_authority(
        gateway, "clients", intermediate().certificate, root().certificate
    )
    profile = make.add_profile(gateway, "mutual", authority)
    site = make.add_listener(
        gateway,
        "site",
        port=443,
        protocol="Https",
        host_name="a.test",
        ssl_certificate=make.add_ssl_certificate(gateway, "a", leaf("a.test")),
        ssl_profile=profile,
    )
    make.add_rule(gateway, "rule", site)

    def identity(issuer: issue.Issued) -> Identity:
        made = issue.make_leaf(issuer, "client", now=TODAY, purposes=("client",))
        chain = [made.certificate, *(one for one in made.chain if not one.self_signed)]
        return Identity(issue.to_pem(*chain), issue.key_pem(made))

    ask = {"scheme": "https", "port": 443, "host": "a.test"}
    with servers.http_server() as server:
        none, wrong, right = lines_of(
            gateway,
            server.port,
            ask,
            {**ask, "identity": identity(STRANGER)},
            {**ask, "identity": identity(intermediate())},
        )
    assert (none.status, wrong.status, right.status) == (400, 400, 200)
    assert none.error == wrong.error == "ERRORINFO_HTTPS_NO_CERT"
    for line, words in ((none, "none was sent"), (wrong, "was not accepted")):
        reason = reason_of(line.fields)
        assert reason is not None
        assert words in reason.text
    assert reason_of(right.fields) is None
