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


Texts = dict[str, tuple[Config, bytes]]


def save(
    path: Path, resources: Mapping[str, Config], version: str, texts: Texts | None = None
) -> None:
    """Put a document in place at once, as Envoy wants it: it looks at nothing but renames.

    ``texts`` is what was written the last time: objects that are still the same are not turned
    into text again.
    """
    texts = {} if texts is None else texts
    written: Texts = {}
    for name, one in resources.items():
        known = texts.get(name)
        written[name] = known if known and known[0] is one else (one, _json(one))
    texts.clear()
    texts.update(written)
    parts = b",".join(text for _, text in written.values())
    put(path, b'{"version_info":%b,"resources":[%b]}' % (_json(version), parts))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
