"""Trying a probe out before it is saved: the form's *Test*.

Every server that the rules lead to through the given HTTP settings is probed once, at the same
time, and nothing is stored. The HTTPS validation switches do not apply here, so that a test and the
periodic probe may honestly disagree ("Application Gateway HTTP settings configuration").
"""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from queue import Empty, Queue

from certificates.publicroot import well_known
from certificates.x509.trust.anchors import AnchorStore
from gateway.health.judge import Judged, own_failure, verdict
from gateway.health.plans import ProbePlan, plan_of
from gateway.health.pool import Pool
from gateway.health.probe import run
from gateway.models import BackendHttpSettings, LoadedGateway, Probe
from gateway.network import Zone, load_zone
from gateway.rules.joins import pairs
from gateway.rules.names import probe_leg, trust_of

logger = logging.getLogger(__name__)

# Somebody waits for the page.
MOST_TARGETS = 50
MOST_SECONDS = 30.0
THREADS = 25

# Shared by all tests that run in this process, so that many people cannot start a flood.
_pool = Pool(THREADS)


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What the probe made of one server; ``judged`` is ``None`` if it was not over in time."""

    target: str
    pool: str
    setting: str
    judged: Judged | None


@dataclass(frozen=True, slots=True)
class Trial:
    """Results in the order of pools and targets; ``left_out`` servers were too many to try."""

    results: tuple[TrialResult, ...]
    left_out: int = 0

    @property
    def is_good(self) -> bool:
        """Every server was tried and found healthy; so it is if there are none to try."""
        return not self.left_out and all(
            one.judged is not None and one.judged.kind is None for one in self.results
        )


def try_probe(
    loaded: LoadedGateway,
    probe: Probe,
    settings: Collection[BackendHttpSettings],
    *,
    now: datetime,
    seconds: float = MOST_SECONDS,
) -> Trial:
    """Probe the servers behind ``settings`` (rows of ``loaded``) as ``probe`` says.

    ``probe`` need not be stored. At most :data:`MOST_TARGETS` servers, and ``seconds`` for all of
    them; three or four queries first. To be called outside a transaction, for it waits for servers.
    Never raises for what a server does.
    """
    zone = load_zone(loaded.virtual_network)
    store = well_known()
    plans = [
        # An abandoned test must not hold its thread for longer than somebody waited.
        replace(plan, leg=replace(plan.leg, timeout=min(plan.leg.timeout, math.ceil(seconds))))
        for plan in _plans(loaded, zone, probe, {one.pk for one in settings})
    ]
    tried = plans[:MOST_TARGETS]
    finished: Queue[tuple[int, Judged]] = Queue()
    deadline = time.monotonic() + seconds
    for number, plan in enumerate(tried):
        _pool.submit(partial(_try, number, plan, zone, store, now, deadline, finished))
    found: dict[int, Judged] = {}
    while len(found) < len(tried) and (left := deadline - time.monotonic()) > 0:
        try:
            number, judged = finished.get(timeout=left)
        except Empty:
            break
        found[number] = judged
    results = (
        TrialResult(plan.target, plan.pool, plan.setting, found.get(number))
        for number, plan in enumerate(tried)
    )
    return Trial(tuple(results), len(plans) - len(tried))


def _plans(
    loaded: LoadedGateway, zone: Zone, probe: Probe, wanted: Collection[int]
) -> list[ProbePlan]:
    found: dict[tuple[int, int], ProbePlan] = {}
    for pool, stored in pairs(loaded):
        if stored.pk not in wanted:
            continue
        settings = _without_switches(stored)
        trust = replace(trust_of(loaded, stored), validate_chain=True, validate_name=True)
        for address in loaded.addresses(pool):
            leg = probe_leg(settings, probe, address, is_v1=loaded.is_v1)
            plan = plan_of(loaded, zone, pool, settings, address, leg, trust)
            found.setdefault(plan.key, plan)
    return list(found.values())


def _without_switches(stored: BackendHttpSettings) -> BackendHttpSettings:
    settings = copy.copy(stored)
    settings.validate_cert_chain_and_expiry = settings.validate_sni = True
    settings.sni_name = ""
    return settings


def _try(
    number: int,
    plan: ProbePlan,
    zone: Zone,
    store: AnchorStore,
    now: datetime,
    deadline: float,
    finished: Queue[tuple[int, Judged]],
) -> None:
    """Runs in a thread of the pool; a test that nobody waits for any more is left alone."""
    if time.monotonic() >= deadline:
        return
    try:
        judged = verdict(plan, run(plan, zone=zone, well_known=store, now=now), now)
    except Exception:
        logger.exception("The test of a probe against “%s” failed.", plan.target)
        judged = own_failure(plan, now)
    finished.put((number, judged))
