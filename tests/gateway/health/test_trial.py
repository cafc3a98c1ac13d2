"""A probe tried out before it is saved."""

import time
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateway.health import trial
from gateway.health.trial import Trial, try_probe
from gateway.models import ApplicationGateway, BackendHttpSettings, Probe, Verdict
from tests import factories, servers
from tests.factories import NOW
from tests.gateway.health.lab import add_backend, point_pool_at

pytestmark = pytest.mark.django_db

FQDN = "www.contoso.test"


@pytest.fixture
def gateway() -> ApplicationGateway:
    gateway = factories.v2_gateway()
    point_pool_at(gateway, FQDN)
    return gateway


def a_probe(**fields: Any) -> Probe:
    """Never stored."""
    return Probe(**{"name": "unsaved", "host": FQDN, "timeout": 2, **fields})


def tried(gateway: ApplicationGateway, probe: Probe, *names: str, **more: Any) -> Trial:
    loaded = factories.loaded(gateway)
    wanted = names or (factories.SETTINGS,)
    settings = [one for one in loaded.http_settings if one.name in wanted]
    return try_probe(loaded, probe, settings, now=NOW, **more)


def test_each_server_gets_its_result_and_nothing_is_stored(gateway: ApplicationGateway) -> None:
    point_pool_at(gateway, FQDN, "b.contoso.test")
    with (
        servers.http_server() as good,
        servers.http_server(servers.answer("503 No")) as bad,
    ):
        add_backend(gateway, FQDN, good.port, named_port=80)
        add_backend(gateway, "b.contoso.test", bad.port, named_port=80, address="10.0.1.5")
        found = tried(gateway, a_probe(path="/health"))
    assert [(one.target, one.pool, one.setting) for one in found.results] == [
        (FQDN, factories.POOL, factories.SETTINGS),
        ("b.contoso.test", factories.POOL, factories.SETTINGS),
    ]
    assert [one.judged.error_id for one in found.results if one.judged] == ["", "E-STATUS"]
    assert not found.is_good
    assert good.requests[0].startswith("GET /health ")
    assert not Verdict.objects.exists()


def test_a_good_probe_is_good(gateway: ApplicationGateway) -> None:
    with servers.http_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        assert tried(gateway, a_probe(match_body="fine")).is_good


def test_only_the_settings_that_are_named_and_used_are_tried(gateway: ApplicationGateway) -> None:
    factories.add_settings(gateway, "idle")
    assert tried(gateway, a_probe(), "idle") == Trial(())


def test_the_switches_of_https_validation_do_not_apply(gateway: ApplicationGateway) -> None:
    settings = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(
        settings,
        protocol="Https",
        port=443,
        validate_cert_chain_and_expiry=False,
        validate_sni=False,
        sni_name="sni.contoso.test",
    )
    with servers.tls_server(factories.leaf(FQDN)) as server:
        add_backend(gateway, FQDN, server.port)
        (result,) = tried(gateway, a_probe(protocol="Https")).results
    assert result.judged is not None
    assert result.judged.error_id == "E-INT-NOT-PUBLIC"
    assert server.names == [FQDN]


def test_a_test_ends_in_time_whatever_the_servers_do(gateway: ApplicationGateway) -> None:
    with servers.silent_server() as server:
        add_backend(gateway, FQDN, server.port, named_port=80)
        started = time.monotonic()
        found = tried(gateway, a_probe(timeout=60), seconds=0.5)
        assert time.monotonic() - started < 20
    assert found.results[0].judged is None
    assert not found.is_good


def test_only_so_many_servers_are_tried(
    gateway: ApplicationGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "MOST_TARGETS", 2)
    point_pool_at(gateway, *(f"absent{number}.contoso.test" for number in range(5)))
    found = tried(gateway, a_probe())
    assert (len(found.results), found.left_out) == (2, 3)
    assert not found.is_good


def test_many_servers_are_tried_at_once_with_few_queries(gateway: ApplicationGateway) -> None:
    names = [f"s{number}.contoso.test" for number in range(30)]
    point_pool_at(gateway, *names)
    loaded = factories.loaded(gateway)
    with ExitStack() as stack:
        slow = stack.enter_context(servers.silent_server())
        for number, name in enumerate(names):
            add_backend(gateway, name, slow.port, named_port=80, address=f"10.0.1.{number + 10}")
        started = time.monotonic()
        with CaptureQueriesContext(connection) as queries:
            found = try_probe(loaded, a_probe(timeout=1), loaded.http_settings, now=NOW)
        assert time.monotonic() - started < 4
    assert {one.judged.error_id for one in found.results if one.judged} == {"E-TIMEOUT"}
    assert len(found.results) == 30
    assert len(queries) <= 6


def test_a_fault_of_the_portal_is_told_as_such(
    gateway: ApplicationGateway, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("something unforeseen")

    monkeypatch.setattr(trial, "run", broken)
    (result,) = tried(gateway, a_probe()).results
    assert result.judged is not None
    assert result.judged.error_id == "U-PROBER"
    assert "something unforeseen" in caplog.text
