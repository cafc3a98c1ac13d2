"""The two documents that Envoy follows, on disk: listeners and clusters by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.dataplane.agent.home import put

Config = dict[str, Any]


def load(path: Path) -> dict[str, Config]:
    """What lies at ``path``, by name; nothing where no document is."""
    try:
        return {str(one["name"]): one for one in json.loads(path.read_bytes())["resources"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def save(path: Path, resources: Mapping[str, Config], version: str) -> None:
    """Put a document in place at once, as Envoy wants it: it looks at nothing but renames."""
    document = {"version_info": version, "resources": list(resources.values())}
    put(path, json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
