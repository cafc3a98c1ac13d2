"""The prober: plans changed gateways, claims due pairs, probes them in threads, writes verdicts.

One thread speaks to the database; the probing threads get plain data and never touch it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from queue import Empty, Queue

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from certificates.publicroot import well_known
from certificates.x509.trust.anchors import AnchorStore
from gateway.health import claims
from gateway.health.claims import Claim, Lane, Result
from gateway.health.judge import own_failure, verdict
from gateway.health.planner import plan_gateway, read_plans, unplanned
from gateway.health.plans import Planned, ProbePlan
from gateway.health.pool import Pool
from gateway.health.probe import run
from gateway.models import ApplicationGateway, VirtualNetwork
from gateway.network import EMPTY_ZONE, Zone, load_zones

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
# How long the end waits for probes that are about to finish.
FAREWELL_SECONDS = 1.0
# A gateway that cannot be planned must neither stop the others nor be tried all the time.
MOST_THREADS = 250
SET_ASIDE = timedelta(seconds=10)
REMEMBERED_GATEWAYS = 500
# So long the addresses of a network's servers are taken for true.
ZONE_AGE = timedelta(seconds=0.5)


class Worker:
    """One prober; ``clock`` tells the time (aware), ``threads`` probe at once in each lane.

    Beside them up to :data:`MOST_THREADS` wait for servers that are slow to answer.
    """

    def __init__(self, *, threads: int = 50, clock: Callable[[], datetime] = timezone.now) -> None:
        self.clock = clock
        self.pools: dict[Lane, Pool] = {
            "quick": Pool(threads, MOST_THREADS),
            "slow": Pool(threads, MOST_THREADS),
        }
        self.running: dict[tuple[int, str], Claim] = {}
        # No SimpleQueue: one whose wait is interrupted by a signal at its end waits for ever.
        self.finished: Queue[Result] = Queue()
        self.unwritten: list[Result] = []
        self.written = 0
        self.remembered: OrderedDict[int, Planned] = OrderedDict()
        self.kept_at = clock()
        self.set_aside: dict[int, datetime] = {}
        # When the zone of each network was read.
        self.zones: dict[int, tuple[datetime, Zone]] = {}

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; a database that is away is waited for.

        Any other fault is logged and tried again like that: one row must not end all probing.
        """
        pause = POLL_SECONDS
        while not stop.is_set():
            try:
                close_old_connections()
                self.round()
                pause = POLL_SECONDS
                self.collect(POLL_SECONDS)
                continue
            except (DatabaseError, InterfaceError) as error:
                logger.warning("The database did not answer (%s).", type(error).__name__)
                connection.close()
            except Exception:
                logger.exception("A round of the prober failed; it is tried again.")
            stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        self.say_goodbye()

    def sweep(self) -> int:
        """Probe everything that is due now, once; the number of results that were written."""
        before = self.written
        # What becomes due again meanwhile is left for the next time.
        now = self.clock()
        while self.round(now) or self.running or self.unwritten:
            self.collect(POLL_SECONDS)
        return self.written - before

    def round(self, due_by: datetime | None = None) -> int:
        """Plan, claim and start, write what is finished; zero if there was nothing to start.

        ``due_by`` is the present unless given.
        """
        now = due_by or self.clock()
        self.plan(now)
        started = self.start("quick", now) + self.start("slow", now)
        self.collect(0)
        self.write()
        self.keep_leases()
        return started

    def keep_leases(self) -> None:
        """Extend the leases of what is still being probed, or waits for its turn."""
        now = self.clock()
        if self.running and now >= self.kept_at + claims.LEASE / 4:
            claims.extend(self.running.values(), now + claims.LEASE)
            self.kept_at = now

    def collect(self, seconds: float) -> None:
        """Take finished probes in, waiting up to ``seconds`` for the first."""
        try:
            result = self.finished.get(timeout=seconds) if seconds else self.finished.get_nowait()
            while True:
                self.unwritten.append(result)
                self.running.pop((result.claim.verdict, result.claim.token), None)
                result = self.finished.get_nowait()
        except Empty:
            return

    def write(self) -> None:
        """Write the finished probes; those whose rows are locked are kept for the next time."""
        before = len(self.unwritten)
        self.unwritten = claims.write(self.unwritten)
        self.written += before - len(self.unwritten)

    def plan(self, now: datetime) -> None:
        """Plan the gateways that were changed; their pairs are due ``now``."""
        self.set_aside = {pk: until for pk, until in self.set_aside.items() if until > now}
        for gateway in unplanned(but=list(self.set_aside)):
            self.plan_one(gateway, now)

    def plan_one(self, gateway: ApplicationGateway, now: datetime) -> Planned | None:
        return self.guarded(gateway, partial(plan_gateway, gateway, now))

    def guarded(
        self, gateway: ApplicationGateway, read: Callable[[], Planned | None]
    ) -> Planned | None:
        """Read plans and remember them; a gateway that defies it is set aside for a while."""
        try:
            planned = read()
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            logger.exception("Gateway %s cannot be planned.", gateway.pk)
            self.set_aside[gateway.pk] = self.clock() + SET_ASIDE
            return None
        if planned is not None:
            self.zones.pop(planned.network or 0, None)
            self.remembered[gateway.pk] = planned
            self.remembered.move_to_end(gateway.pk)
            while len(self.remembered) > REMEMBERED_GATEWAYS:
                self.remembered.popitem(last=False)
        return planned

    def start(self, lane: Lane, due_by: datetime) -> int:
        """Claim what is due in a lane and hand it to the threads; zero if that led to nothing."""
        pool = self.pools[lane]
        taken = claims.claim(self.clock(), limit=pool.room(), lane=lane, due_by=due_by)
        if not taken:
            return 0
        planned = self.planned({one.gateway for one in taken})
        zones = self.zones_of({one.network for one in planned.values() if one.network is not None})
        store = well_known()
        started = 0
        void: list[Claim] = []
        for one in taken:
            gateway = planned.get(one.gateway)
            plan = gateway.plans.get(one.key) if gateway else None
            if gateway is None or plan is None or plan.digest != one.digest:
                void.append(one)
                continue
            zone = zones.get(gateway.network or 0, EMPTY_ZONE)
            self.running[one.verdict, one.token] = one
            pool.submit(partial(self.probe, one, plan, zone, store))
            started += 1
        if void:
            claims.release(void)
        return started + sum(self.replan(pk, due_by) for pk in {one.gateway for one in void})

    def planned(self, gateways: set[int]) -> dict[int, Planned]:
        """The plans of gateways at their present generation."""
        found: dict[int, Planned] = {}
        wanted = gateways.difference(self.set_aside)
        for gateway in ApplicationGateway.objects.filter(pk__in=wanted):
            known = self.remembered.get(gateway.pk)
            if known is None or known.generation != gateway.generation:
                known = self.guarded(gateway, partial(read_plans, gateway))
            if known is not None:
                found[gateway.pk] = known
        return found

    def zones_of(self, networks: set[int]) -> dict[int, Zone]:
        """The zones of networks, read anew when they are old or a gateway there was planned."""
        now = self.clock()
        fresh = {pk for pk in networks if pk in self.zones and now < self.zones[pk][0] + ZONE_AGE}
        missing = networks - fresh
        if missing:
            self.zones = {pk: known for pk, known in self.zones.items() if pk in fresh}
            found = load_zones(VirtualNetwork.objects.filter(pk__in=missing))
            self.zones.update({pk: (now, zone) for pk, zone in found.items()})
        return {pk: self.zones[pk][1] for pk in networks if pk in self.zones}

    def replan(self, pk: int, now: datetime) -> bool:
        """Plan a gateway whose rows do not fit its plans, whatever generation was noted."""
        gateway = ApplicationGateway.objects.filter(pk=pk).first()
        if gateway is None or pk in self.set_aside:
            return False
        return self.plan_one(gateway, now) is not None

    def probe(self, one: Claim, plan: ProbePlan, zone: Zone, store: AnchorStore) -> None:
        """Probe one pair; runs in a thread of the pool and never raises."""
        now = self.clock()
        try:
            seen = run(plan, zone=zone, well_known=store, now=now, remembered=one.remembered)
            judged = verdict(plan, seen, now)
        except Exception:
            logger.exception("The probe of verdict %s failed.", one.verdict)
            judged = own_failure(plan, now)
        self.finished.put(Result(one, plan, judged, self.clock()))

    def say_goodbye(self) -> None:
        """Write what ends within a moment and give the other pairs back."""
        deadline = time.monotonic() + FAREWELL_SECONDS
        while self.running and (left := deadline - time.monotonic()) > 0:
            self.collect(left)
        try:
            self.write()
            claims.release(self.running.values())
        except (DatabaseError, InterfaceError) as error:
            # The leases end by themselves.
            logger.warning("The last verdicts were not written (%s).", type(error).__name__)
