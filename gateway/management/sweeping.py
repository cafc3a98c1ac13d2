"""What would grow for ever is swept away: sessions, links, failed sign-ins, old activities and
certificates that nothing refers to.

In small batches with pauses between them, so that nobody waits for long for the database, and by a
thread of its own, so that no probe does either. Any number of processes may sweep at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, Model, Q, QuerySet
from django.utils import timezone

from certificates import unused
from gateway.accounts.models import SignInLink
from gateway.models import Activity, EnrolmentToken

logger = logging.getLogger(__name__)

BATCH = 500  # rows that one statement deletes
PAUSE_SECONDS = 0.2  # between two batches
FIRST_SECONDS, EACH_SECONDS = 60.0, 3600.0
# Of each subscription's log: so many entries, and none that is older.
ACTIVITIES, ACTIVITY_AGE = 5_000, timedelta(days=365)
# So long a link or token that is used up or has run out can still be looked into.
SPENT_AGE = timedelta(days=1)


def sessions(now: datetime, limit: int) -> int:
    """Delete up to ``limit`` expired sessions."""
    return _delete(Session.objects.filter(expire_date__lt=now), limit)


def sign_in_links(now: datetime, limit: int) -> int:
    """Delete up to ``limit`` links that were used or ran out a day ago."""
    return _delete(SignInLink.objects.filter(_spent(now)), limit)


def enrolment_tokens(now: datetime, limit: int) -> int:
    """Delete up to ``limit`` tokens of agents that were used or ran out a day ago."""
    return _delete(EnrolmentToken.objects.filter(_spent(now)), limit)


def failed_sign_ins(now: datetime, limit: int) -> int:
    """Delete up to ``limit`` failures that no longer count towards a lock."""
    old = now - settings.AXES_COOLOFF_TIME
    return _delete(AccessAttempt.objects.filter(attempt_time__lt=old), limit)


def old_activities(now: datetime, limit: int) -> int:
    """Delete up to ``limit`` activities above :data:`ACTIVITY_AGE`."""
    # The oldest have the lowest keys; the log is not indexed by time alone.
    oldest = Activity.objects.order_by("pk").values_list("pk", flat=True)[:limit]
    old = Activity.objects.filter(happened_at__lt=now - ACTIVITY_AGE)
    return _delete(old.filter(pk__in=list(oldest)), limit)


def many_activities(now: datetime, limit: int) -> int:
    """Delete up to ``limit`` activities of a subscription that are not among its newest ones."""
    crowded = (
        Activity.objects.order_by("subscription")
        .values("subscription")
        .annotate(entries=Count("pk"))
        .filter(entries__gt=ACTIVITIES)
        .values_list("subscription", flat=True)
        .first()
    )
    if crowded is None:
        return 0
    its = Activity.objects.filter(subscription=crowded)
    newest_too_many = its.order_by("-pk").values_list("pk", flat=True)[ACTIVITIES]
    return _delete(its.filter(pk__lte=newest_too_many), limit)


# Each deletes at most as many rows as it is told, and says how many.
PARTS: tuple[Callable[[datetime, int], int], ...] = (
    sessions,
    sign_in_links,
    enrolment_tokens,
    failed_sign_ins,
    old_activities,
    many_activities,
    unused.sweep,
)


def sweep(now: datetime, stop: threading.Event, *, batch: int = BATCH) -> int:
    """Delete all that is due at ``now``, until ``stop`` is set; the number of rows."""
    total = 0
    for part in PARTS:
        # Nothing to delete is the end: a batch that is not full may only have been one of many.
        while not stop.is_set() and (deleted := part(now, batch)):
            total += deleted
            stop.wait(PAUSE_SECONDS)
    return total


def run(stop: threading.Event, *, clock: Callable[[], datetime] = timezone.now) -> None:
    """Sweep soon, then once an hour, until ``stop`` is set; a fault waits for the next time."""
    pause = FIRST_SECONDS
    while not stop.wait(pause):
        pause = EACH_SECONDS
        try:
            sweep(clock(), stop)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Sweeping was broken off (%s).", type(error).__name__)
        except Exception:
            logger.exception("Sweeping failed; it is tried again in an hour.")
        finally:
            connection.close()


def _spent(now: datetime) -> Q:
    return Q(used_at__lt=now - SPENT_AGE) | Q(expires_at__lt=now - SPENT_AGE)


def _delete(query: QuerySet[Model], limit: int) -> int:
    # Looked for first: where there is nothing to delete nobody's lock is waited for.
    found = list(query.order_by("pk").values_list("pk", flat=True)[:limit])
    if found:
        query.filter(pk__in=found).delete()
    return len(found)
