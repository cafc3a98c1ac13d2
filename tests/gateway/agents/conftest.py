"""An agents' door that believes it is reached over HTTPS, as `serve` tells its HTTPS server."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.agents import views
from gateway.agents.bundles import Bundles
from tests.gateway.agents.door import Door


@pytest.fixture
def door(settings: Any, monkeypatch: pytest.MonkeyPatch, db: None) -> Door:
    settings.GATEWRIGHT_SCHEME = "https"
    # What an earlier test compiled has the primary keys of this one's gateways.
    monkeypatch.setattr(views, "_bundles", Bundles())
    return Door()
