"""From a gateway to Envoy's configuration: pure, so the same inputs always give the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.dataplane import notes
from gateway.dataplane.audit import check
from gateway.dataplane.clusters import clusters_of
from gateway.dataplane.envoy import Config
from gateway.dataplane.error_pages import missing
from gateway.dataplane.inputs import Inputs
from gateway.dataplane.listeners import listeners_of
from gateway.dataplane.work import begin
from gateway.models import CustomError
from gateway.problems import Problem, at


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


def compile_gateway(inputs: Inputs) -> Compiled:
    """Compile a gateway.

    What a user configured and the engine cannot serve is left out, and a note says so. Raises
    :class:`gateway.dataplane.audit.AuditError` if the result is not safe, which is a fault here.
    """
    work = begin(inputs)
    clusters = clusters_of(work)
    listeners = listeners_of(work)
    check(listeners.configs, clusters.configs)
    pages = missing(inputs.loaded, inputs.error_pages)
    rewrites = (note for one in work.rewrites.sets.values() for note in one.notes)
    told = tuple(dict.fromkeys((*listeners.notes, *clusters.notes, *rewrites, *_unfetched(pages))))
    return Compiled(
        listeners=tuple(listeners.configs),
        clusters=tuple(clusters.configs),
        files=work.files.contents,
        owners=listeners.owners,
        notes=told,
        digest=_digest(listeners.configs, clusters.configs),
    )


def _unfetched(pages: list[CustomError]) -> Iterator[Problem]:
    for one in pages:
        message = f"The page for {one.status_code} has not been fetched: “{one.page_url[:80]}”."
        yield at(notes.PAGE_MISSING, message)


def _digest(*parts: object) -> str:
    """Files are named by their content, so the documents stand for them, too."""
    text = json.dumps(parts, separators=(",", ":")).encode()
    return hashlib.sha256(text).hexdigest()
