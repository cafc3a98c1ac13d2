"""Published addresses become addresses of the machine; ports are nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.dataplane.agent.apply import Applier
from gateway.dataplane.agent.places import BadPlaceError, place, settle
from tests.gateway.dataplane.agent.nodes import a_port, documents, node, says
from tests.gateway.dataplane.agent.nodes import ask as get


def address(text: str, *places: str) -> str:
    found = settle({"one": says("one", 80, "x", text)}, [place(one) for one in places])
    return str(found["one"]["address"]["socket_address"]["address"])


def test_an_address_is_moved_and_others_are_not() -> None:
    assert address("127.83.16.2", "127.83.16.2=10.0.0.7") == "10.0.0.7"
    assert address("127.83.16.3", "127.83.16.2=10.0.0.7") == "127.83.16.3"
    assert address("127.83.16.2") == "127.83.16.2"


def test_a_network_is_moved_one_by_one_and_the_first_that_fits_counts() -> None:
    moves = "127.83.16.2=10.0.0.7", "127.83.16.0/20=127.90.0.0/20"
    assert address("127.83.16.2", *moves) == "10.0.0.7"
    assert address("127.83.17.5", *moves) == "127.90.1.5"
    assert address("::1", *moves, "::1=::2") == "::2"


def test_the_port_stays_and_is_never_shared() -> None:
    [found] = settle(
        {"one": says("one", 80, "x", "127.1.1.1")}, [place("127.1.1.1=127.1.1.2")]
    ).values()
    assert found["address"]["socket_address"]["port_value"] == 80
    assert found["enable_reuse_port"] is False
    assert settle({"one": {"name": "one"}}) == {"one": {"name": "one", "enable_reuse_port": False}}


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1", "a=b", "127.0.0.1=", "127.0.0.1/8=10.0.0.0/8", "=127.0.0.1"]
)
def test_what_is_no_place_is_told(text: str) -> None:
    with pytest.raises(BadPlaceError, match="PUBLISHED=OWN"):
        place(text)


def test_both_sides_are_of_one_size() -> None:
    with pytest.raises(BadPlaceError, match="of one size"):
        place("127.0.0.0/20=127.0.0.0/24")


def test_envoy_listens_at_the_own_address_only(tmp_path: Path) -> None:
    with node(tmp_path / "home") as envoy:
        applier = Applier(
            envoy.home, lambda: envoy.engine.starts, [place("127.83.16.0/20=127.90.0.0/20")]
        )
        applier.load()
        port = a_port()
        assert not applier.apply(documents([says("one", port, "x", "127.83.16.9")])).refused
        assert get(port, "127.90.0.9") == "200 x"
        assert get(port, "127.83.16.9") == "refused"
