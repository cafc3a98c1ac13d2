"""What a result makes of the standing verdict: thresholds, first results, the next probe."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

from gateway.health.catalogue import U_NEW, U_NOT_ALLOWED
from gateway.health.judge import Judged
from gateway.health.plans import ProbePlan
from gateway.models import Verdict

# While a lab server is starting it is asked again at once, this often, before that counts.
STARTING_PAUSE = timedelta(seconds=0.5)
STARTING_PATIENCE = 20
# Once it counts, the lab is still looked for more often than a probe's interval says.
STOPPED_PAUSE = timedelta(seconds=2)

FIELDS = (
    "status",
    "error_id",
    "message",
    "evidence",
    "rechecking",
    "failures",
    "checked_at",
    "changed_at",
    "due_at",
    "leased_until",
    "leased_by",
)


def take_in(verdict: Verdict, plan: ProbePlan, judged: Judged, now: datetime) -> None:
    """Change the row's fields by a new result; the caller saves :data:`FIELDS`.

    One success is enough to be healthy. A healthy server becomes unhealthy after as many failures
    in a row as the threshold says; the first result after a change decides at once ("Application
    Gateway health probes overview"). The lease is given back.
    """
    verdict.leased_by, verdict.leased_until = "", None
    if not judged.settled and verdict.failures < STARTING_PATIENCE:
        verdict.failures += 1
        verdict.due_at = now + STARTING_PAUSE
        return
    pause = _interval(verdict, plan) if judged.settled else STOPPED_PAUSE
    verdict.checked_at, verdict.due_at = now, now + pause
    verdict.failures = verdict.failures + 1 if judged.kind else 0
    status, error_id, message = judged.status, judged.error_id, judged.message
    spared = (
        judged.kind not in (None, U_NOT_ALLOWED)
        and verdict.status == Verdict.Status.HEALTHY
        and not verdict.rechecking
        and judged.settled
        and verdict.failures < plan.leg.threshold
    )
    if spared:
        # The page still says why the last probe failed; traffic goes on.
        status, error_id = Verdict.Status.HEALTHY, ""
        message = (
            f"Failure {verdict.failures} of {plan.leg.threshold} that make it unhealthy: {message}"
        )
    if (status, error_id) != (verdict.status, verdict.error_id):
        verdict.changed_at = now
    verdict.status, verdict.error_id, verdict.message = status, error_id, message
    verdict.evidence = judged.evidence
    verdict.rechecking = False


def restart(verdict: Verdict, plan: ProbePlan, now: datetime) -> None:
    """Have a pair probed anew: due at once, the next result decides, a running probe is void."""
    verdict.digest = plan.digest
    verdict.rechecking = True
    verdict.failures = 0
    verdict.due_at = now
    verdict.leased_by, verdict.leased_until = "", None


def fresh(gateway_id: int, plan: ProbePlan, now: datetime) -> Verdict:
    """The row of a pair that was never probed."""
    address, settings = plan.key
    return Verdict(
        gateway_id=gateway_id,
        address_id=address,
        settings_id=settings,
        status=Verdict.Status.UNKNOWN,
        error_id=U_NEW.id,
        message="The first probe has not finished.",
        digest=plan.digest,
        rechecking=True,
        due_at=now,
    )


def _interval(verdict: Verdict, plan: ProbePlan) -> timedelta:
    """The interval, up to 5 % shorter or longer by pair, so that a save's probes drift apart."""
    share = zlib.crc32(str(verdict.pk).encode()) % 1000 / 1000
    return timedelta(seconds=plan.leg.interval * (0.95 + share / 10))
