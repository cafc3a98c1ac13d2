"""`manage.py dataplane`: the register of agents, and what it says when something is missing."""

from __future__ import annotations

import io
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from gateway.agents import register
from gateway.dataplane.agent.home import Home, held
from gateway.management.serving import dataplane as serving
from gateway.management.serving import web
from gateway.models import Agent, EnrolmentToken
from gateway.operations.ports import Finding
from tests import factories

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command("dataplane", *arguments, stdout=out)
    return out.getvalue()


def test_a_token_lets_an_agent_enrol_for_the_named_gateways() -> None:
    gateway = factories.v2_gateway()
    token = said("token", "node", "--gateway", f"{gateway.group.name}/MYAPPGATEWAY").split()[-1]
    enrolled = register.enrol(token, now=timezone.now())
    assert enrolled is not None
    agent, _ = enrolled
    assert list(agent.assigned.all()) == [gateway]
    assert not agent.everything


def test_without_a_gateway_it_is_for_all_of_them() -> None:
    said("token", "node")
    assert EnrolmentToken.objects.get().everything


def test_a_gateway_that_is_not_there_or_not_meant_is_told() -> None:
    with pytest.raises(CommandError, match="names no gateway"):
        said("token", "node", "--gateway", "group/absent")
    one, two = factories.v2_gateway(), factories.v2_gateway()
    assert one.group.name == two.group.name
    with pytest.raises(CommandError, match="several gateways"):
        said("token", "node", "--gateway", f"{one.group.name}/{one.name}")


def test_the_register_is_listed_and_an_agent_revoked() -> None:
    register.admit_local("here", now=timezone.now())
    gateway = factories.v2_gateway()
    register.enrol(register.issue_token("node", now=timezone.now(), gateways=[gateway]),
                   now=timezone.now())  # fmt: skip
    text = said("list")
    assert "here: seen never, Envoy ?, all gateways" in text
    assert f"node: seen never, Envoy ?, {gateway.name}" in text
    said("revoke", "node")
    assert "node: revoked" in said("list")
    with pytest.raises(CommandError, match="no agent"):
        said("revoke", "node")
    with pytest.raises(CommandError, match="already"):
        said("token", "here")


def test_without_an_envoy_the_agent_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVOY_BIN", str(tmp_path / "absent"))
    with pytest.raises(CommandError, match="cannot be run"):
        said("run", "--directory", str(tmp_path / "home"))


def test_a_second_agent_in_a_directory_is_refused(tmp_path: Path) -> None:
    place = Home(tmp_path / "home")
    place.make()
    with held(place), pytest.raises(CommandError, match="Another agent"):
        said("run", "--directory", str(place.path))


def test_enrolling_needs_a_token_and_an_authority(tmp_path: Path) -> None:
    asked = ["enrol", "--directory", str(tmp_path), "--portal", "https://localhost:1"]
    with pytest.raises(CommandError, match="token is needed"):
        said(*asked, "--ca", str(tmp_path / "ca.pem"))
    with pytest.raises(CommandError, match="cannot be read"):
        said(*asked, "--ca", str(tmp_path / "ca.pem"), "--token", "t")


# -- What serve does --------------------------------------------------------------------------


def test_serve_hands_its_agent_a_credential_for_the_owner_alone(
    tmp_path: Path, settings: Any
) -> None:
    settings.GATEWRIGHT_DATA = tmp_path
    authority = tmp_path / "ca.pem"
    authority.write_text("PEM")
    doors = [
        web.Door("http", "127.0.0.1", 1),
        web.Door("https", "0.0.0.0", 2, (authority, authority)),
    ]
    serving.hand_over(doors, authority, now=timezone.now())
    path = tmp_path / "dataplane" / "portal.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert '"https://127.0.0.1:2"' in path.read_text()
    [agent] = Agent.objects.all()
    assert agent.everything
    assert agent.credential_hash not in path.read_text()


def test_what_may_be_bound_is_tried(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_may_bind", lambda host, port: port == 1)
    assert serving.lowest_port("127.0.0.1") == 1
    monkeypatch.setattr(serving, "_may_bind", lambda host, port: False)
    assert serving.lowest_port("127.0.0.1") == 1024


def test_a_lower_limit_of_the_system_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "limit"
    monkeypatch.setattr(serving, "_UNPRIVILEGED", limit)
    monkeypatch.setattr(serving, "_may_bind", lambda host, port: port >= 80)
    for text, lowest in {"80": 80, "0": 1024, "1024": 1024, "odd": 1024}.items():
        limit.write_text(text)
        assert serving.lowest_port("127.0.0.1") == lowest


def test_a_port_in_use_may_be_bound() -> None:
    from tests.servers import refusing_port

    with refusing_port() as port:
        assert serving._may_bind("127.0.0.1", port)


def test_ports_that_the_portal_has_everywhere_are_told(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "lowest_port", lambda host: 1024)
    here = web.Door("http", "127.0.0.1", 8000)
    everywhere = web.Door("https", "0.0.0.0", 8443)
    assert serving.look([here]) == Finding(1024)
    assert serving.look([everywhere]) == Finding(1024, frozenset({8443}))
