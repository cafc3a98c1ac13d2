"""Whatever a gateway looks like, the engine takes what is compiled from it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings

from gateway.dataplane.compile import compile_gateway
from gateway.dataplane.inputs import Inputs
from tests.gateway.dataplane.drawn import drawn_inputs
from tests.gateway.dataplane.engine import Engine, running


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running() as found:
        yield found


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(inputs=drawn_inputs())
def test_the_engine_takes_every_gateway(engine: Engine, inputs: Inputs):
    found = compile_gateway(inputs)
    names = [listener["name"] for listener in found.listeners]
    # HTTP and HTTPS on one port are never saved.
    assume(len(names) == len(set(names)))
    engine.write(found)
    engine.wait_until_live()
