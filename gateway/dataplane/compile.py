"""From a gateway to Envoy's configuration: pure, so the same inputs always give the same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.dataplane.clusters import clusters_of
from gateway.dataplane.envoy import Config
from gateway.dataplane.inputs import Inputs
from gateway.dataplane.listeners import listeners_of
from gateway.dataplane.work import begin
from gateway.problems import Problem


@dataclass(frozen=True, slots=True)
class Compiled:
    """The configuration of one gateway.

    ``files``: name → content of what the documents name below ``files/``, private keys among them.
    ``owners``: name of an Envoy listener → names of the portal's listeners that it serves.
    ``notes`` is what is to be announced, ``digest`` changes when anything of it all does.
    """

    listeners: tuple[Config, ...]
    clusters: tuple[Config, ...]
    files: Mapping[str, bytes] = field(repr=False)
    owners: Mapping[str, tuple[str, ...]]
    notes: tuple[Problem, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """What an agent gets: the two documents, the files, and the tag that says whether it is new."""

    lds: Config
    cds: Config
    files: Mapping[str, bytes] = field(repr=False)
    digest: str

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, files in Base-64. Private keys are in it: never to be logged or cached."""
        files = {name: base64.b64encode(data).decode() for name, data in self.files.items()}
        return {"lds": self.lds, "cds": self.cds, "files": files, "digest": self.digest}


def compile_gateway(inputs: Inputs) -> Compiled:
    """Compile a gateway. Never raises for what a user configured: what cannot be served is left
    out, and a note says so."""
    work = begin(inputs)
    clusters = clusters_of(work)
    listeners = listeners_of(work)
    rewrites = (note for one in work.rewrites.sets.values() for note in one.notes)
    notes = tuple(dict.fromkeys((*listeners.notes, *clusters.notes, *rewrites)))
    return Compiled(
        listeners=tuple(listeners.configs),
        clusters=tuple(clusters.configs),
        files=work.files.contents,
        owners=listeners.owners,
        notes=notes,
        digest=_digest(listeners.configs, clusters.configs),
    )


def bundle(compiled: Iterable[Compiled]) -> Bundle:
    """The documents of all gateways of one agent."""
    listeners: list[Config] = []
    clusters: list[Config] = []
    files: dict[str, bytes] = {}
    for one in compiled:
        listeners += one.listeners
        clusters += one.clusters
        files |= one.files
    lds, cds = _document(listeners), _document(clusters)
    return Bundle(lds, cds, files, _digest(lds, cds))


def _document(resources: list[Config]) -> Config:
    return {"version_info": _digest(resources)[:16], "resources": resources}


def _digest(*parts: object) -> str:
    """Files are named by their content, so the documents stand for them, too."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.sha256(text).hexdigest()
