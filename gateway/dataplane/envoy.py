"""Small pieces of Envoy's configuration, and where its files lie.

Paths are relative: the engine runs in its agent's directory.
"""

from __future__ import annotations

import hashlib
from typing import Any

Config = dict[str, Any]

# Certificates and keys, each named by its content.
FILES = "files"
ACCESS_LOG = "access.log"

# The key under which routes and clusters tell whose they are.
METADATA = "gatewright"


def typed(kind: str, /, **fields: Any) -> Config:
    """A message of the type ``envoy.<kind>`` with its fields."""
    return {"@type": f"type.googleapis.com/envoy.{kind}", **fields}


def extension(name: str, kind: str, /, **fields: Any) -> Config:
    """A named extension: filters, sockets, matchers …"""
    return {"name": name, "typed_config": typed(kind, **fields)}


def tagged(**facts: str) -> Config:
    """Metadata of a route or a cluster."""
    return {"filter_metadata": {METADATA: facts}}


def seconds(amount: float) -> str:
    """A duration as Envoy reads it."""
    return f"{amount:g}s"


class Files:
    """The files that a configuration names, each kept once."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def add(self, content: bytes, ending: str) -> Config:
        """A data source for ``content``; the name is a hash of it, so content never changes."""
        name = f"{hashlib.sha256(content).hexdigest()[:40]}.{ending}"
        self.contents[name] = content
        return {"filename": f"{FILES}/{name}"}
