"""The Envoy that can be used: found, asked for its version, tried with a configuration."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway.dataplane.agent.documents import load
from gateway.dataplane.agent.home import Home, put

OLDEST = (1, 40)
CONNECTIONS = 50_000
_PATIENCE = 120  # seconds that Envoy gets to look at a configuration

Config = dict[str, Any]


class EngineMissingError(Exception):
    """There is no Envoy that can be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """An Envoy that can be used."""

    path: Path
    version: str

    def identity(self) -> list[int]:
        """Numbers that differ as soon as another file lies at :attr:`path`; empty if none does."""
        with suppress(OSError):
            facts = self.path.stat()
            return [facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns]
        return []


def find(named: str | None) -> Found:
    """The Envoy that ``named`` (the variable ENVOY_BIN) names, else the installed package's.

    Raises :class:`EngineMissingError`.
    """
    path = Path(named) if named else _packaged()
    if path is None:
        raise EngineMissingError("Envoy is not installed, and ENVOY_BIN names none.")
    try:
        told = subprocess.run(  # noqa: S603  (the administrator names it, no user does)
            [path, "--version"], capture_output=True, text=True, timeout=30, check=False, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or "it does not answer"
        raise EngineMissingError(f"{path.name} cannot be run: {reason}.") from None
    version = re.search(r"/(\d+)\.(\d+)\.(\d+)[/-]", told.stdout)
    if told.returncode or version is None:
        raise EngineMissingError(f"{path.name} does not tell its version as Envoy does.")
    if (int(version[1]), int(version[2])) < OLDEST:
        raise EngineMissingError(
            f"{path.name} is Envoy {'.'.join(version.groups())}; 1.40 or newer is needed."
        )
    return Found(path.absolute(), ".".join(version.groups()))


def _packaged() -> Path | None:
    spec = find_spec("envoy")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place, "_bin", "envoy")
        if path.exists():
            return path
    return None


def bootstrap() -> Config:
    """What Envoy is started with; names are relative to the agent's directory."""
    source = {"resource_api_version": "V3"}
    return {
        "node": {"id": "gatewright", "cluster": "gatewright"},
        "admin": {"address": {"pipe": {"path": "admin.sock", "mode": 0o600}}},
        "dynamic_resources": {
            "lds_config": {**source, "path_config_source": {"path": "./lds.json"}},
            "cds_config": {**source, "path_config_source": {"path": "./cds.json"}},
        },
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.resource_monitors."
                        "downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": CONNECTIONS,
                    },
                }
            ]
        },
    }


def validate(found: Found, home: Home) -> None:
    """Let an Envoy look at the bootstrap in place; raises :class:`EngineMissingError`."""
    _try(found, home, home.bootstrap)


def try_out(found: Found, home: Home) -> None:
    """Let an Envoy look at everything that it would serve; the one that runs notices nothing.

    Raises :class:`EngineMissingError`. What Envoy reads from the two documents it takes or refuses
    piece by piece, and says so when it is too late: here all of it stands in one file.
    """
    content = bootstrap()
    del content["dynamic_resources"]
    content["static_resources"] = {
        "listeners": _pieces(home.listeners),
        "clusters": _pieces(home.clusters),
    }
    draft = home.path / f"check-{os.getpid()}.json"
    put(draft, json.dumps(content).encode())
    try:
        _try(found, home, draft)
    finally:
        draft.unlink()


def _pieces(document: Path) -> list[Config]:
    # Of one kind each, so without the name of it.
    return [
        {key: value for key, value in one.items() if key != "@type"}
        for one in load(document).values()
    ]


def _try(found: Found, home: Home, config: Path) -> None:
    try:
        checked = subprocess.run(  # noqa: S603  (as above)
            [found.path, "-c", config.name, "--mode", "validate", "--log-level", "error"],
            cwd=home.path, env={}, capture_output=True, timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise EngineMissingError(f"{found.path.name} takes too long to look at it.") from None
    if checked.returncode:
        last = checked.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise EngineMissingError(
            f"{found.path.name} does not take our configuration: {last[-300:]}"
        )
