"""Configurations taken in by a real Envoy: what is refused leaves what was."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certificates.x509.issuing import issue
from gateway.dataplane.agent.apply import RETIRED, BadBundleError, EngineAwayError, read
from gateway.dataplane.agent.words import WHOLE, in_our_words, is_passing
from tests import factories
from tests.gateway.dataplane.agent.nodes import (
    Node,
    a_port,
    ask,
    bundle,
    cluster,
    leads,
    node,
    says,
    taken_port,
)
from tests.servers import answer, http_server

HEX = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with node(tmp_path_factory.mktemp("node") / "home") as found:
        yield found


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Node]:
    """An Envoy of the test's own."""
    with node(tmp_path / "home") as found:
        yield found


def test_listeners_and_their_servers_are_live_when_apply_returns(envoy: Node) -> None:
    port = a_port()
    with http_server() as server:
        applied = envoy.apply([leads("one", port, "c1")], [cluster("c1", server.port)])
        assert not applied.refused
        assert ask(port) == "200 fine"
    assert not envoy.apply([says("one", port, "hello")]).refused
    assert ask(port) == "200 hello"
    assert not envoy.apply([]).refused
    assert ask(port) == "refused"


def test_the_same_again_is_not_written_again(envoy: Node) -> None:
    port = a_port()
    envoy.apply([says("one", port, "hello")])
    before = envoy.home.listeners.read_bytes(), envoy.home.clusters.read_bytes()
    assert not envoy.apply([says("one", port, "hello")]).refused
    assert before == (envoy.home.listeners.read_bytes(), envoy.home.clusters.read_bytes())


def test_a_taken_port_is_told_and_the_others_are_live(envoy: Node) -> None:
    port = a_port()
    with taken_port() as taken:
        applied = envoy.apply([says("busy", taken, "no"), says("free", port, "yes")])
        assert set(applied.refused_listeners) == {"busy"}
        reason = applied.refused_listeners["busy"]
        assert f"127.0.0.1:{taken}" in reason
        assert is_passing(reason)
        assert ask(port) == "200 yes"
    # … and taken once the port is free.
    assert not envoy.apply([says("busy", taken, "at last"), says("free", port, "yes")]).refused
    assert ask(taken) == "200 at last"


def test_two_envoys_never_share_a_port(envoy: Node, own: Node) -> None:
    port = a_port()
    assert not envoy.apply([says("one", port, "first")]).refused
    applied = own.apply([says("one", port, "second")])
    assert is_passing(applied.refused_listeners["one"])
    assert {ask(port) for _ in range(20)} == {"200 first"}


def test_a_refused_listener_keeps_serving_as_before_and_does_so_after_a_restart(
    own: Node,
) -> None:
    port, other = a_port(), a_port()
    own.apply([says("one", port, "old"), says("two", other, "old")])
    wrong = says("one", port, "new")
    wrong["filter_chains"].append(dict(wrong["filter_chains"][0]))
    applied = own.apply([wrong, says("two", other, "new")])
    assert set(applied.refused_listeners) == {"one"}
    assert "Two listeners of one port" in applied.refused_listeners["one"]
    assert (ask(port), ask(other)) == ("200 old", "200 new")
    own.kill()
    assert (ask(port), ask(other)) == ("200 old", "200 new")
    # … and what was refused is not taken for accepted because of that.
    assert set(own.applier.recheck().refused_listeners) == {"one"}
    assert (ask(port), ask(other)) == ("200 old", "200 new")


def test_servers_of_a_refused_listener_stay_for_its_old_version(own: Node) -> None:
    port = a_port()
    clock = [0.0]
    own.applier.clock = lambda: clock[0]
    with http_server() as old, http_server(answer(body=b"new")) as new:
        own.apply([leads("one", port, "c1")], [cluster("c1", old.port)])
        wrong = leads("one", port, "c2")
        wrong["filter_chains"].append(dict(wrong["filter_chains"][0]))
        own.apply([wrong], [cluster("c2", new.port)])
        clock[0] += RETIRED + 1
        own.applier.tidy()
        assert ask(port) == "200 fine"
        own.apply([leads("one", port, "c2")], [cluster("c2", new.port)])
        assert ask(port) == "200 new"
        clock[0] += RETIRED + 1
        own.applier.tidy()
    assert [one["name"] for one in resources(own.home.clusters)] == ["c2"]


def test_a_document_that_cannot_be_read_changes_nothing(envoy: Node) -> None:
    port = a_port()
    envoy.apply([says("one", port, "old")])
    wrong = says("one", port, "new")
    wrong["connection_balance_config"] = {}
    applied = envoy.apply([wrong])
    assert applied.refused_listeners == {"one": WHOLE}
    assert ask(port) == "200 old"
    assert not envoy.apply([says("one", port, "new")]).refused
    assert ask(port) == "200 new"


def test_a_refused_cluster_is_told_and_the_others_are_there(envoy: Node) -> None:
    port = a_port()
    bad_tls = {
        "name": "tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
            "UpstreamTlsContext",
            "common_tls_context": {
                "validation_context": {"trusted_ca": {"inline_string": "no certificate"}}
            },
        },
    }
    with http_server() as server:
        applied = envoy.apply(
            [leads("one", port, "good")],
            [cluster("bad", server.port, transport_socket=bad_tls), cluster("good", server.port)],
        )
        assert set(applied.refused_clusters) == {"bad"}
        assert applied.refused_clusters["bad"] == "A trusted certificate cannot be read."
        assert ask(port) == "200 fine"


def test_a_key_that_does_not_fit_is_refused_in_our_words(envoy: Node, tmp_path: Path) -> None:
    one, two = (
        issue.make_self_signed(name, now=factories.NOW, ca=False) for name in ("a.test", "b.test")
    )
    (tmp_path / "a.crt").write_bytes(issue.to_pem(one.certificate))
    (tmp_path / "b.key").write_bytes(issue.key_pem(two))
    tls = {
        "tls_certificates": [
            {
                "certificate_chain": {"filename": str(tmp_path / "a.crt")},
                "private_key": {"filename": str(tmp_path / "b.key")},
            }
        ]
    }
    applied = envoy.apply([says("one", a_port(), "x", tls=tls)])
    assert "does not belong to its certificate" in applied.refused_listeners["one"]


def test_files_are_for_their_owner_and_go_when_nothing_names_them(envoy: Node) -> None:
    name, other = f"{HEX}.key", f"{HEX[::-1]}.crt"
    port = a_port()
    named = says("one", port, "x")
    named["metadata"] = {"filter_metadata": {"t": {"file": f"files/{name}"}}}
    envoy.apply([named], [], **{name: b"secret"})
    kept = envoy.home.files / name
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(envoy.home.files.stat().st_mode) == 0o700
    assert stat.S_IMODE(envoy.home.listeners.stat().st_mode) == 0o600
    envoy.apply([says("one", port, "y")], [], **{other: b"next"})
    assert not kept.exists()
    assert (envoy.home.files / other).exists()


def test_clusters_go_last(envoy: Node) -> None:
    port = a_port()
    clock = [0.0]
    envoy.applier.clock = lambda: clock[0]
    with http_server() as server:
        first = cluster("first", server.port)
        envoy.apply([leads("one", port, "first")], [first])
        envoy.apply([leads("one", port, "second")], [cluster("second", server.port)])
        names = {one["name"] for one in resources(envoy.home.clusters)}
        assert {"first", "second"} <= names
        clock[0] += RETIRED - 1
        envoy.applier.tidy()
        assert "first" in {one["name"] for one in resources(envoy.home.clusters)}
        clock[0] += 2
        envoy.applier.tidy()
        assert "first" not in {one["name"] for one in resources(envoy.home.clusters)}
        # One that comes back in time is not taken away.
        envoy.apply([leads("one", port, "first")], [first])
        envoy.apply([leads("one", port, "second")], [cluster("second", server.port)])
        envoy.apply([leads("one", port, "first")], [first])
        clock[0] += RETIRED + 1
        envoy.applier.tidy()
        assert "first" in {one["name"] for one in resources(envoy.home.clusters)}
        assert ask(port) == "200 fine"
    del envoy.applier.clock


def test_without_envoy_the_documents_are_in_place_for_its_start(
    own: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.dataplane.agent.apply.PATIENCE", 0.2)
    port = a_port()
    assert own.engine.process is not None
    own.engine.process.kill()
    own.engine.process.wait()
    with pytest.raises(EngineAwayError):
        own.apply([says("one", port, "hello")])
    own.kill()
    assert not own.apply([says("one", port, "hello")]).refused
    assert ask(port) == "200 hello"


def test_what_envoy_never_answered_is_not_taken_for_accepted(
    own: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own.engine.process is not None
    own.engine.process.kill()
    own.engine.process.wait()
    with taken_port() as taken:
        with monkeypatch.context() as patched:
            patched.setattr("gateway.dataplane.agent.apply.PATIENCE", 0.2)
            with pytest.raises(EngineAwayError):
                own.apply([says("one", taken, "hello")])
        own.kill()
        assert is_passing(own.apply([says("one", taken, "hello")]).refused_listeners["one"])


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"lds": {}, "cds": {}, "files": {}},
        {"lds": {"resources": [{}]}, "cds": {"resources": []}, "files": {}},
        {"lds": {"resources": []}, "cds": {"resources": []}, "files": {f"{HEX}.key": "%%"}},
        {"lds": {"resources": []}, "cds": {"resources": []}, "files": {"../../x.key": "AA=="}},
        {"lds": {"resources": []}, "cds": {"resources": []}, "files": {f"{HEX}.key\n": "AA=="}},
        {"lds": {"resources": []}, "cds": {"resources": []}, "files": []},
    ],
)
def test_what_is_no_configuration_is_not_taken(content: Any) -> None:
    with pytest.raises(BadBundleError):
        read(content)


def test_a_bundle_is_read() -> None:
    found = read(bundle([says("one", 1, "x")], [cluster("c", 2)], {f"{HEX}.key": b"secret"}))
    assert list(found.listeners) == ["one"]
    assert list(found.clusters) == ["c"]
    assert found.files == {f"{HEX}.key": b"secret"}
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ("cannot bind '10.9.9.9:80': Cannot assign requested address", "10.9.9.9:80 is no address"),
        ("cannot bind '127.0.0.1:80': Permission denied", "CAP_NET_BIND_SERVICE"),
        ("Duplicate entry of domain a.com in route x", "host name a.com"),
        (
            "The following ciphers were rejected when tried individually: DHE-RSA-AES",
            "cipher suite DHE-RSA-AES.",
        ),
        ("only RSA certificates with 2048-bit or larger keys are supported", "shorter than 2048"),
        ("something quite new", "Envoy refused it: something quite new"),
        ("", "without a reason"),
    ],
)
def test_reasons_are_told_in_our_words(details: str, words: str) -> None:
    assert words in in_our_words(details)


def resources(path: Path) -> Any:
    return json.loads(path.read_bytes())["resources"]
