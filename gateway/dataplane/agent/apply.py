"""Taking in a configuration so that no request is lost, and finding out whether Envoy took it.

New clusters come first, then listeners; clusters that nothing names any more stay until the
connections that still use them are gone. What Envoy refuses is put back to what it took last, so
that a restart serves the last good configuration, too.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.dataplane.agent.admin import AdminError, ask_json, stats
from gateway.dataplane.agent.documents import Texts, load, save
from gateway.dataplane.agent.engine import DRAIN
from gateway.dataplane.agent.home import Home, put
from gateway.dataplane.agent.places import Place, settle
from gateway.dataplane.agent.words import WHOLE, in_our_words
from gateway.dataplane.envoy import FILES

Config = dict[str, Any]

PATIENCE = 20.0  # seconds that Envoy gets to take a document in
RETIRED = DRAIN + 5.0  # seconds after which a cluster that nothing names is taken away
COUNTED_FIRST, COUNTED_AGAIN = 0.15, 0.3  # seconds after which refusals are looked for
LOG_PATIENCE = 1.0  # seconds within which Envoy writes down what it has said
_CLUSTER_REFUSED = re.compile(r"cluster '([^'\n]+)'[^:\n]*: ([^\n]+)")
_NAME = re.compile(r"[0-9a-f]{40}\.[a-z0-9]{1,8}")
_NAMED = re.compile(rf"{FILES}/([0-9a-f]{{40}}\.[a-z0-9]{{1,8}})")


class BadBundleError(Exception):
    """What the portal sent cannot be used; nothing was changed."""


class EngineAwayError(Exception):
    """Envoy does not answer; the documents are in place, and it reads them when it starts."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Listeners and clusters by name, and the files that they name."""

    listeners: dict[str, Config]
    clusters: dict[str, Config]
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Applied:
    """What Envoy made of it: reasons, in our words, by the name of what it refused."""

    refused_listeners: Mapping[str, str] = field(default_factory=dict)
    refused_clusters: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        return bool(self.refused_listeners or self.refused_clusters)


def read(bundle: object) -> Documents:
    """The documents of a portal's answer; raises :class:`BadBundleError`."""
    try:
        lds, cds, files = bundle["lds"], bundle["cds"], bundle["files"]  # type: ignore[index]
        documents = Documents(
            {str(one["name"]): one for one in lds["resources"]},
            {str(one["name"]): one for one in cds["resources"]},
            {name: base64.b64decode(text, validate=True) for name, text in files.items()},
        )
    except (KeyError, TypeError, AttributeError, binascii.Error, ValueError) as error:
        raise BadBundleError("The portal's answer is no configuration.") from error
    # Names become paths.
    if not all(_NAME.fullmatch(name) for name in documents.files):
        raise BadBundleError("The portal's answer names a file as no file is named.")
    return documents


@dataclass(slots=True)
class Applier:
    """Brings documents to the Envoy of one directory; for one thread.

    ``starts`` tells how often Envoy was started, so that its counters are compared with its own.
    """

    home: Home
    starts: Callable[[], int]
    places: Sequence[Place] = ()
    clock: Callable[[], float] = time.monotonic
    listeners: dict[str, Config] = field(default_factory=dict)
    clusters: dict[str, Config] = field(default_factory=dict)
    retired: dict[str, float] = field(default_factory=dict)
    wanted: Documents | None = None
    _versions: dict[str, str] = field(default_factory=dict)
    # What was settled and written the last time: most of it is the same the next time.
    _made: dict[str, tuple[Config, Config]] = field(default_factory=dict, repr=False)
    _texts: dict[str, Texts] = field(default_factory=dict, repr=False)
    # Documents of which Envoy has not said yet what it makes of them.
    _open: set[str] = field(default_factory=set)
    # What was refused so far, as counted by the Envoy of that start.
    _refusals: dict[str, tuple[int, float]] = field(default_factory=dict)

    def load(self) -> None:
        """Know what lies in the directory already."""
        self.listeners = load(self.home.listeners)
        self.clusters = load(self.home.clusters)

    def apply(self, documents: Documents) -> Applied:
        """Take in ``documents``; raises :class:`EngineAwayError`, with all of it in place."""
        self.wanted = documents
        self._write_files(documents.files)
        refused_clusters = self._put_clusters(documents.clusters)
        refused_listeners = self._put_listeners(self._settle_places(documents.listeners))
        self._retire(documents.clusters)
        self._sweep_files()
        return Applied(refused_listeners, refused_clusters)

    def recheck(self) -> Applied:
        """What an Envoy that was just started makes of what is wanted.

        It has the documents in place; what was refused before is tried once more.
        """
        self._open |= _MANAGERS.keys()
        return self.apply(self.wanted) if self.wanted is not None else Applied()

    def tidy(self) -> None:
        """Take away clusters that have been retired long enough."""
        now = self.clock()
        gone = [name for name, due in self.retired.items() if due <= now]
        if not gone:
            return
        for name in gone:
            del self.retired[name]
        self._write("cds", {k: v for k, v in self.clusters.items() if k not in gone})
        self._sweep_files()

    # -- clusters and listeners ----------------------------------------------------------------

    def _put_clusters(self, wanted: dict[str, Config]) -> dict[str, str]:
        """Add and change clusters, remove none."""
        union = {**self.clusters, **wanted}
        for name in wanted:
            self.retired.pop(name, None)
        if union == self.clusters and self._is_settled("cds"):
            return {}
        before = self.clusters
        position = self._log_end()
        if self._write("cds", union):
            return {}
        refused = self._refused_clusters(wanted, position)
        if set(refused) >= {name for name in wanted if wanted[name] != before.get(name)}:
            # Nothing of it was taken, or it is not known what: back to what was.
            self._write("cds", before)
        else:
            good = {k: v for k, v in union.items() if k not in refused}
            self._write("cds", {**good, **{k: before[k] for k in refused if k in before}})
        return refused

    def _settle_places(self, wanted: Mapping[str, Config]) -> dict[str, Config]:
        """Listeners as this machine has them; an object that came before gives the same one."""
        fresh = {k: v for k, v in wanted.items() if self._made.get(k, (None,))[0] is not v}
        settled = settle(fresh, self.places)
        self._made = {
            name: (one, settled[name] if name in settled else self._made[name][1])
            for name, one in wanted.items()
        }
        return {name: made for name, (_, made) in self._made.items()}

    def _put_listeners(self, wanted: dict[str, Config]) -> dict[str, str]:
        if wanted == self.listeners and self._is_settled("lds"):
            return {}
        before = self.listeners
        if self._write("lds", wanted):
            return {}
        refused = self._refused_listeners(wanted)
        good = {k: v for k, v in wanted.items() if k not in refused}
        self._write("lds", {**good, **{k: before[k] for k in refused if k in before}})
        return refused

    def _retire(self, wanted: dict[str, Config]) -> None:
        due = self.clock() + RETIRED
        gone = [name for name in self.clusters if name not in wanted]
        # A listener whose new version was refused still uses the clusters of its old one.
        used = json.dumps(list(self.listeners.values())) if gone else ""
        for name in gone:
            if json.dumps(name) not in used:
                self.retired.setdefault(name, due)

    def _write(self, kind: str, resources: dict[str, Config]) -> bool:
        """Put a document in place and wait; whether Envoy took all of it."""
        version = str(time.time_ns())
        starts, before = self.starts(), self._counted(kind)
        path = self.home.clusters if kind == "cds" else self.home.listeners
        save(path, resources, version, self._texts.setdefault(kind, {}))
        if kind == "cds":
            self.clusters = dict(resources)
        else:
            self.listeners = dict(resources)
        self._versions[kind] = version
        self._open.add(kind)
        taken = self._settled(kind, before if self.starts() == starts else 0.0, version)
        self._open.discard(kind)
        return taken

    def _is_settled(self, kind: str) -> bool:
        """Whether Envoy has said what it makes of the document in place."""
        return kind in self._versions and kind not in self._open

    # -- what Envoy says -----------------------------------------------------------------------

    def _settled(self, kind: str, before: float, version: str) -> bool:
        """Wait until Envoy took a version (true) or refused something of it (false)."""
        text = f"{_MANAGERS[kind]}.version_text"
        starts, deadline = self.starts(), time.monotonic() + PATIENCE
        pause, count_at = 0.002, time.monotonic() + COUNTED_FIRST
        while True:
            try:
                # Texts are few; counters are many where there are many sites, so they are asked
                # for only when it takes long.
                found = stats(self.home.admin, f"^{text}$", "TextReadouts")
                if version and found.get(text) == version:
                    return True
                if self.starts() != starts:
                    starts, before = self.starts(), 0.0
                if time.monotonic() >= count_at:
                    count_at = time.monotonic() + COUNTED_AGAIN
                    refusals = self._rejections(kind)
                    if refusals > before:
                        self._refusals[kind] = starts, refusals
                        # It may have been taken between the two questions.
                        found = stats(self.home.admin, f"^{text}$", "TextReadouts")
                        return bool(version) and found.get(text) == version
            except AdminError as error:
                if time.monotonic() > deadline:
                    raise EngineAwayError(str(error)) from error
            if time.monotonic() > deadline:
                raise EngineAwayError("Envoy has not taken the configuration in yet.")
            time.sleep(pause)
            pause = min(pause * 1.3, 0.1)

    def _counted(self, kind: str) -> float:
        """How often Envoy has refused something until now; it does so after our writes only."""
        starts = self.starts()
        known = self._refusals.get(kind)
        if known is None or known[0] != starts:
            known = self._refusals[kind] = starts, self._rejections(kind)
        return known[1]

    def _rejections(self, kind: str) -> float:
        pattern = rf"^{_MANAGERS[kind]}.update_(rejected|failure)$"
        try:
            found = stats(self.home.admin, pattern, "Counters")
            return sum(float(value) for value in found.values())
        except AdminError:
            return 0.0

    def _refused_listeners(self, wanted: Iterable[str]) -> dict[str, str]:
        """Name → reason; all of ``wanted`` where Envoy refused the document as a whole."""
        try:
            dump = ask_json(self.home.admin, "/config_dump?resource=dynamic_listeners")
        except AdminError as error:
            raise EngineAwayError(str(error)) from error
        found = {
            str(one.get("name")): in_our_words(str(one["error_state"].get("details", "")))
            for one in dump.get("configs", [])
            if "error_state" in one
        }
        found = {name: reason for name, reason in found.items() if name in wanted}
        return found or dict.fromkeys(wanted, WHOLE)

    def _refused_clusters(self, wanted: Iterable[str], position: int) -> dict[str, str]:
        """As for listeners; of clusters Envoy tells only its log."""
        names = set(wanted)
        deadline = time.monotonic() + LOG_PATIENCE
        found: dict[str, str] = {}
        while not found and time.monotonic() < deadline:
            time.sleep(0.05)
            with self.home.engine_log.open("rb") as log:
                log.seek(position)
                said = log.read(1_000_000).decode(errors="replace")
            for name, reason in _CLUSTER_REFUSED.findall(said):
                if name in names:
                    found[name] = in_our_words(reason)
        return found or dict.fromkeys(names, WHOLE)

    def _log_end(self) -> int:
        try:
            return self.home.engine_log.stat().st_size
        except OSError:
            return 0

    # -- files ---------------------------------------------------------------------------------

    def _write_files(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            path = self.home.files / name
            # Named by their content: one that is there is right.
            if not path.exists():
                put(path, content)

    def _sweep_files(self) -> None:
        """Delete files that no document names."""
        present = {path.name for path in self.home.files.iterdir()}
        if self.wanted is not None and present <= self.wanted.files.keys():
            return
        texts = [self.home.listeners.read_text(), self.home.clusters.read_text()]
        named = {name for text in texts for name in _NAMED.findall(text)}
        # A refused configuration may be tried again.
        named.update(self.wanted.files if self.wanted else ())
        for path in self.home.files.iterdir():
            if path.name not in named:
                path.unlink(missing_ok=True)


_MANAGERS = {"cds": "cluster_manager.cds", "lds": "listener_manager.lds"}
