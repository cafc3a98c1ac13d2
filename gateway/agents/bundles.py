"""The configuration of an agent's gateways, compiled when something that it is made of changed.

Each process keeps what it compiled. Whether that still stands is asked in two steps: figures that
are cheap for all gateways at once, and, where only those of the prober moved, what it found, for a
probe that finds what the last one found changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from certificates.publicroot import well_known
from gateway.dataplane.compile import Compiled, compile_gateway
from gateway.dataplane.inputs import Inputs, gather, members_of
from gateway.models import (
    Agent,
    ApplicationGateway,
    ErrorPage,
    GatewayIPConfiguration,
    LabEndpoint,
    LabServer,
    PublishedPort,
    Verdict,
    ZoneRecord,
)

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
_REMEMBERED = 64  # answers that agents may have and be told the difference to
NOT_COMPILED = (
    "The configuration could not be made from what is saved: a fault of Gatewright, not of yours. "
    "The portal's log tells more. The configuration before it goes on."
)
Stamp = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Stamps:
    """What a configuration was made from: all of it in ``whole``, the prober's part in ``seen``."""

    whole: Stamp
    seen: Stamp


@dataclass(frozen=True, slots=True)
class Kept:
    """One compiled gateway, already written as JSON.

    ``inputs`` is ``None`` where compiling failed; then the rest is that of the compilation before,
    and ``head`` says so.
    """

    stamps: Stamps
    inputs: Inputs | None = field(repr=False)
    head: bytes = field(repr=False)
    listeners: bytes = field(default=b"", repr=False)
    clusters: bytes = field(default=b"", repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent gets: a strong entity tag and the JSON text, with private keys in it.

    A ``partial`` one has the documents of the gateways that differ from what the agent has, beside
    the heads of all, which name what belongs together.
    """

    etag: str
    body: bytes = field(repr=False)
    partial: bool = False


class Bundles:
    """Compiled gateways of this process; may be used by several threads."""

    def __init__(self) -> None:
        self._kept: dict[int, Kept] = {}
        # Heads by the tag of the answer that had them, the newest last.
        self._answered: dict[str, frozenset[bytes]] = {}
        self._lock = threading.Lock()

    def answer(self, agent: Agent, etag: str = "", *, parts: bool = False) -> Answer:
        """The configuration for ``agent``; the body is empty if it is the one with ``etag``.

        With ``parts`` it may be the difference to that one, if this process remembers it.
        """
        gateways = list(gateways_of(agent).order_by("pk"))
        stamps = stamps_of(gateways)
        with self._lock:
            found = [self._current(gateway, stamps[gateway.pk]) for gateway in gateways]
            if agent.everything:
                self._forget({gateway.pk for gateway in gateways})
        # A head holds generation and digest, and the digest covers all the rest.
        tag = f'"{hashlib.sha256(b" ".join(one.head for one in found)).hexdigest()}"'
        before = self._remember(tag, found, etag)
        if tag == etag:
            return Answer(tag, b"")
        if not parts or before is None:
            return Answer(tag, _body(found, found, tag))
        changed = [one for one in found if one.head not in before]
        return Answer(tag, _body(found, changed, tag), partial=True)

    def _remember(self, tag: str, found: Sequence[Kept], etag: str) -> frozenset[bytes] | None:
        """Keep what an answer had; what the one with ``etag`` had, if that is known."""
        with self._lock:
            before = self._answered.get(etag)
            self._answered.pop(tag, None)
            self._answered[tag] = frozenset(one.head for one in found)
            while len(self._answered) > _REMEMBERED:
                del self._answered[next(iter(self._answered))]
        return before

    def _current(self, gateway: ApplicationGateway, stamps: Stamps) -> Kept:
        kept = self._kept.get(gateway.pk)
        if kept is not None and kept.stamps == stamps:
            return kept
        try:
            found = _made(gateway, stamps, kept)
        except Exception:
            # One gateway must not take the others' configuration away.
            logger.exception("Gateway %s could not be compiled.", gateway.pk)
            found = _unmade(gateway, stamps, kept)
        self._kept[gateway.pk] = found
        return found

    def _forget(self, present: set[int]) -> None:
        for gone in self._kept.keys() - present:
            del self._kept[gone]


def gateways_of(agent: Agent) -> QuerySet[ApplicationGateway]:
    """The gateways that an agent carries."""
    if agent.everything:
        return ApplicationGateway.objects.all()
    return ApplicationGateway.objects.filter(agents=agent)


def _made(gateway: ApplicationGateway, stamps: Stamps, kept: Kept | None) -> Kept:
    """A gateway compiled anew, unless the prober found what it had found before."""
    if kept is None or kept.inputs is None or kept.stamps.whole != stamps.whole:
        inputs = _gathered(gateway)
    else:
        members = members_of(kept.inputs.loaded)
        if members == kept.inputs.members:
            return replace(kept, stamps=stamps)
        inputs = replace(kept.inputs, members=members)
    return _written(stamps, inputs, compile_gateway(inputs))


def _unmade(gateway: ApplicationGateway, stamps: Stamps, kept: Kept | None) -> Kept:
    """What goes on where compiling failed: the configuration before, with a word about it."""
    before: dict[str, Any] = {"digest": "", "listeners": {}, "clusters": [], "files": []}
    if kept is not None:
        before = json.loads(kept.head)
    head = {**before, "id": gateway.pk, "generation": gateway.generation, "fault": NOT_COMPILED}
    if kept is None:
        return Kept(stamps, None, _json(head))
    return replace(kept, stamps=stamps, inputs=None, head=_json(head))


def _gathered(gateway: ApplicationGateway) -> Inputs:
    """Everything of a gateway as of one moment, though it takes many queries to read."""
    for _ in range(_ATTEMPTS):
        fresh = ApplicationGateway.objects.select_related("group__subscription").get(pk=gateway.pk)
        inputs = gather(fresh)
        tag = ApplicationGateway.objects.values_list("etag", flat=True).get(pk=gateway.pk)
        if tag == fresh.etag:
            return inputs
    # Saved again and again: the next question comes soon.
    return inputs


def stamps_of(gateways: Sequence[ApplicationGateway]) -> dict[int, Stamps]:
    """Figures that move when the configuration may have changed (a constant number of queries)."""
    pks = [gateway.pk for gateway in gateways]
    networks: dict[int, tuple[int, str]] = {}
    rows = GatewayIPConfiguration.objects.filter(gateway__in=pks, subnet__isnull=False)
    for pk, key, tag in rows.values_list(
        "gateway_id", "subnet__virtual_network_id", "subnet__virtual_network__etag"
    ):
        networks.setdefault(pk, (key, tag))
    zones = _zone_stamps({key for key, _ in networks.values()})
    ports = _figures(
        PublishedPort.objects.filter(frontend__gateway__in=pks), "frontend__gateway", Max("pk")
    )
    verdicts = _figures(
        Verdict.objects.filter(gateway__in=pks),
        "gateway",
        Max("pk"),
        Max("checked_at"),
        Max("changed_at"),
        Count("pk", filter=Q(status=Verdict.Status.HEALTHY)),
    )
    pages = _figures(ErrorPage.objects.filter(gateway__in=pks), "gateway", Max("tried_at"))
    store = well_known()
    found = {}
    for gateway in gateways:
        network = networks.get(gateway.pk, (0, ""))
        found[gateway.pk] = Stamps(
            whole=(
                gateway.generation,
                gateway.etag,
                network,
                store,
                ports.get(gateway.pk),
                pages.get(gateway.pk),
            ),
            seen=(verdicts.get(gateway.pk), zones.get(network[0])),
        )
    return found


def _zone_stamps(networks: set[int]) -> dict[int, Stamp]:
    """Figures of the names and servers of each virtual network."""
    parts: dict[int, list[Any]] = defaultdict(list)
    servers = LabServer.objects.filter(virtual_network__in=networks)
    endpoints = LabEndpoint.objects.filter(server__virtual_network__in=networks)
    for figures in (
        _figures(servers, "virtual_network", Max("pk"), Max("changed_at")),
        _figures(endpoints, "server__virtual_network", Max("pk"), Max("reported_at")),
    ):
        for pk, found in figures.items():
            parts[pk].append(found)
    records = ZoneRecord.objects.filter(virtual_network__in=networks).order_by("pk")
    for pk, *record in records.values_list("virtual_network_id", "pk", "name", "address"):
        parts[pk].append(tuple(record))
    return {pk: tuple(found) for pk, found in parts.items()}


def _figures(rows: QuerySet[Any], owner: str, *figures: Any) -> dict[int, Stamp]:
    """Number of rows and ``figures`` by the primary key of the owner."""
    names = {f"figure{position}": figure for position, figure in enumerate(figures)}
    query = rows.order_by().values(owner).annotate(rows=Count("pk"), **names)
    return {row[0]: tuple(row[1:]) for row in query.values_list(owner, "rows", *names)}


def _written(stamps: Stamps, inputs: Inputs, compiled: Compiled) -> Kept:
    gateway = inputs.loaded.gateway
    head = {
        "id": gateway.pk,
        "generation": gateway.generation,
        "digest": compiled.digest,
        "listeners": {name: list(owners) for name, owners in compiled.owners.items()},
        "clusters": [one["name"] for one in compiled.clusters],
        "files": sorted(compiled.files),
    }
    return Kept(
        stamps=stamps,
        inputs=inputs,
        head=_json(head),
        listeners=_joined(compiled.listeners),
        clusters=_joined(compiled.clusters),
        files=compiled.files,
    )


def _joined(items: Sequence[Mapping[str, Any]]) -> bytes:
    return b",".join(_json(item) for item in items)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _body(found: Sequence[Kept], sent: Sequence[Kept], tag: str) -> bytes:
    """The heads of ``found`` and the documents of ``sent``.

    What was written once for each gateway is only put together.
    """
    files: dict[str, str] = {}
    for one in sent:
        for name, content in one.files.items():
            if name not in files:
                files[name] = base64.b64encode(content).decode()
    version = _json(tag.strip('"')[:16])
    return b"".join(
        (
            b'{"gateways":[', b",".join(one.head for one in found),
            b'],"lds":{"version_info":', version,
            b',"resources":[', b",".join(one.listeners for one in sent if one.listeners),
            b']},"cds":{"version_info":', version,
            b',"resources":[', b",".join(one.clusters for one in sent if one.clusters),
            b']},"files":', _json(files), b"}",
        )
    )  # fmt: skip
