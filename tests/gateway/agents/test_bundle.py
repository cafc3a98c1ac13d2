"""What an agent gets, and when it gets something new."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest
from django.utils import timezone

from gateway.agents import bundles, views
from gateway.dataplane.agent.follow import together
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendHttpSettings,
    LabEndpoint,
    LabServer,
    SslCertificateKey,
    Verdict,
)
from gateway.operations import Caller, change_gateway, store
from tests import factories
from tests.gateway.agents.door import Door, published


def save(gateway: ApplicationGateway, seconds: int) -> None:
    def write(loaded: Any) -> None:
        loaded.http_settings[0].request_timeout = seconds
        store(loaded.http_settings[0])

    caller = Caller(factories.owner_of(gateway))
    assert change_gateway(caller, gateway, operation="Save", write=write, now=factories.NOW).changed


def test_the_bundle_names_listeners_clusters_and_generation(door: Door) -> None:
    gateway = published(factories.v2_gateway())
    answer = door.enrolled().bundle()
    assert answer.status_code == 200
    content = json.loads(answer.content)
    [told] = content["gateways"]
    assert (told["id"], told["generation"]) == (gateway.pk, gateway.generation)
    names = [one["name"] for one in content["lds"]["resources"]]
    assert names
    assert list(told["listeners"]) == names
    assert [factories.LISTENER] in told["listeners"].values()
    assert [one["name"] for one in content["cds"]["resources"]] == told["clusters"]


def test_nothing_keeps_an_answer(door: Door) -> None:
    published(factories.v2_gateway())
    agent = door.enrolled()
    first = agent.bundle()
    again = agent.bundle(first["ETag"])
    for answer in (first, again):
        assert answer["Cache-Control"] == "no-store"
        assert not answer.cookies


def test_an_agent_that_has_the_configuration_is_told_so_in_a_word(door: Door) -> None:
    gateway = published(factories.v2_gateway())
    agent = door.enrolled()
    tag = agent.bundle()["ETag"]
    again = agent.bundle(tag)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    save(gateway, 77)
    changed = agent.bundle(tag)
    assert changed.status_code == 200
    assert changed["ETag"] != tag
    assert json.loads(changed.content)["gateways"][0]["generation"] == gateway.generation


def test_a_save_that_changes_no_traffic_is_told_too_for_it_waits_for_an_answer(door: Door) -> None:
    gateway = published(factories.v2_gateway())
    agent = door.enrolled()
    tag = agent.bundle()["ETag"]
    factories.change(gateway, generation=gateway.generation + 1, etag="other")
    assert agent.bundle(tag).status_code == 200


def test_what_a_probe_finds_again_changes_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = published(factories.v2_gateway())
    verdict = add_verdict(gateway, Verdict.Status.HEALTHY)
    agent = door.enrolled()
    tag = agent.bundle()["ETag"]
    compiled: list[object] = []
    monkeypatch.setattr(bundles, "compile_gateway", compiled.append)
    Verdict.objects.filter(pk=verdict.pk).update(checked_at=timezone.now())
    assert agent.bundle(tag).status_code == 304
    assert not compiled


def test_a_verdict_that_turns_changes_the_bundle(door: Door) -> None:
    gateway = published(factories.v2_gateway())
    verdict = add_verdict(gateway, Verdict.Status.HEALTHY)
    agent = door.enrolled()
    before = agent.bundle()
    Verdict.objects.filter(pk=verdict.pk).update(
        status=Verdict.Status.UNHEALTHY, checked_at=timezone.now()
    )
    after = agent.bundle(before["ETag"])
    assert after.status_code == 200
    first, second = (json.loads(one.content)["cds"]["resources"] for one in (before, after))
    assert first != second


def add_verdict(gateway: ApplicationGateway, status: Verdict.Status) -> Verdict:
    settings = BackendHttpSettings.objects.get(gateway=gateway)
    loaded = factories.loaded(gateway)
    network = loaded.virtual_network
    assert network is not None
    server = factories.add_row(
        LabServer,
        virtual_network=network,
        name="one",
        scenario="plain",
        address="10.0.1.4",
        fqdn="one.contoso.test",
        port=80,
    )
    LabEndpoint.objects.create(
        server=server, port=80, real_host="127.0.0.1", real_port=9, reported_at=factories.NOW
    )
    address = factories.add_row(
        BackendAddress, pool=loaded.pools[0], ip_address="10.0.1.4", position=9
    )
    return Verdict.objects.create(
        gateway=gateway,
        address=address,
        settings=settings,
        status=status,
        due_at=factories.NOW,
        checked_at=factories.NOW,
    )


def test_an_agent_sees_the_gateways_assigned_to_it_and_no_other(door: Door) -> None:
    mine, other = published(factories.v2_gateway()), published(factories.v1_gateway())
    agent = door.enrolled("node", gateways=[mine])
    content = json.loads(agent.bundle().content)
    assert [one["id"] for one in content["gateways"]] == [mine.pk]
    everything = json.loads(door.enrolled("all").bundle().content)
    assert {one["id"] for one in everything["gateways"]} == {mine.pk, other.pk}


def test_an_agent_that_can_put_parts_together_gets_what_differs(door: Door) -> None:
    first, second = published(factories.v2_gateway()), published(factories.v1_gateway())
    agent = door.enrolled()
    before = agent.bundle()
    tag, whole = before["ETag"], json.loads(before.content)
    assert agent.bundle(tag, parts=True).status_code == 304
    save(second, 77)
    answer = agent.bundle(tag, parts=True)
    assert (answer.status_code, answer["IM"]) == (226, "gateways")
    part = json.loads(answer.content)
    assert [one["id"] for one in part["gateways"]] == [first.pk, second.pk]
    prefix = f"g{second.pk}/"
    sent = [one["name"] for kind in ("lds", "cds") for one in part[kind]["resources"]]
    assert sent
    assert all(name.startswith(prefix) for name in sent)
    # Together with what was before it is what an agent gets that has nothing.
    assert agent.bundle(tag).status_code == 200
    fresh = json.loads(agent.bundle().content)
    assert together(whole, part) == fresh
    assert agent.bundle(answer["ETag"], parts=True).status_code == 304


def test_a_portal_that_does_not_remember_sends_all(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = published(factories.v2_gateway())
    agent = door.enrolled()
    tag = agent.bundle()["ETag"]
    monkeypatch.setattr(views, "_bundles", bundles.Bundles())
    save(gateway, 77)
    answer = agent.bundle(tag, parts=True)
    assert (answer.status_code, answer.has_header("IM")) == (200, False)
    assert json.loads(answer.content)["lds"]["resources"]


def test_answers_are_remembered_for_some_agents_only(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "_REMEMBERED", 2)
    gateway = published(factories.v2_gateway())
    agent = door.enrolled()
    tags = []
    for number in range(3):
        tags.append(agent.bundle()["ETag"])
        save(gateway, 70 + number)
    assert agent.bundle(tags[0], parts=True).status_code == 200
    assert agent.bundle(tags[2], parts=True).status_code == 226


def test_a_gateway_that_is_deleted_leaves_the_bundle(door: Door) -> None:
    gateway = published(factories.v2_gateway())
    agent = door.enrolled()
    tag = agent.bundle()["ETag"]
    factories.delete(gateway)
    answer = agent.bundle(tag)
    assert answer.status_code == 200
    assert json.loads(answer.content)["lds"]["resources"] == []


def test_private_keys_travel_in_files_and_stand_in_no_log(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = factories.v2_gateway()
    certificate = factories.add_ssl_certificate(gateway, "appgwcert")
    listener = factories.add_listener(
        gateway, "secure", port=443, protocol="Https", ssl_certificate=certificate
    )
    factories.add_rule(gateway, "secure", listener)
    published(gateway)
    key = bytes(SslCertificateKey.objects.get().pem)
    with caplog.at_level(logging.DEBUG):
        content = json.loads(door.enrolled().bundle().content)
    files = {name: base64.b64decode(text) for name, text in content["files"].items()}
    assert key in files.values()
    middle = key.splitlines()[2].decode()
    assert middle not in caplog.text
    assert middle not in json.dumps([content["lds"], content["cds"], content["gateways"]])


def test_a_gateway_that_cannot_be_compiled_says_so_and_takes_no_other_down(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = published(factories.v2_gateway()), published(factories.v1_gateway())
    agent = door.enrolled()
    first = agent.bundle()
    compile_gateway = bundles.compile_gateway
    failures: list[int] = []

    def failing(inputs: Any) -> Any:
        if inputs.loaded.gateway.pk == broken.pk:
            failures.append(1)
            raise RuntimeError("a fault")
        return compile_gateway(inputs)

    monkeypatch.setattr(bundles, "compile_gateway", failing)
    save(broken, 44)
    save(fine, 55)
    after = agent.bundle(first["ETag"])
    content = json.loads(after.content)
    told = {one["id"]: one for one in content["gateways"]}
    assert told[broken.pk]["fault"]
    assert told[broken.pk]["generation"] == broken.generation
    assert "fault" not in told[fine.pk]
    assert told[fine.pk]["generation"] == fine.generation
    # What was compiled before goes on.
    before = {one["name"]: one for one in json.loads(first.content)["lds"]["resources"]}
    now = {one["name"]: one for one in content["lds"]["resources"]}
    assert all(now[name] == before[name] for name in told[broken.pk]["listeners"])
    # It is not tried again until something changes.
    assert agent.bundle(after["ETag"]).status_code == 304
    assert len(failures) == 1
    monkeypatch.setattr(bundles, "compile_gateway", compile_gateway)
    save(broken, 45)
    assert b'"fault"' not in agent.bundle(after["ETag"]).content


def test_the_figures_that_are_asked_at_each_poll_are_constant_in_rows(
    door: Door, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        published(factories.v2_gateway(factories.make_group()))
    agent = door.enrolled()
    tag = agent.bundle()["ETag"]
    with django_assert_max_num_queries(12):
        assert agent.bundle(tag).status_code == 304


def test_processes_share_nothing_but_the_tag(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    published(factories.v2_gateway())
    agent = door.enrolled()
    tag = agent.bundle()["ETag"]
    monkeypatch.setattr(views, "_bundles", bundles.Bundles())
    assert agent.bundle(tag).status_code == 304
