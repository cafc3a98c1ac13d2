"""What a result makes of the standing verdict: thresholds, first results, the next probe."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from typing import Any

from gateway.health.history import noted
from gateway.health.judge import Judged
from gateway.health.legs import requests_fail
from gateway.health.plans import ProbePlan
from gateway.health.unknown import U_NEW, U_PROBER
from gateway.models import Verdict

Status = Verdict.Status

# A v1 gateway asks again in quick succession until the threshold is reached, v2 at the interval.
RETRY_PAUSE = timedelta(seconds=1)
SLOTS = 10_000
# A part of the interval.
NEAR = 0.1
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
    "history",
    "remembered_address",
    "accepted_pem",
    "requests_fail",
    "rechecking",
    "failures",
    "checked_at",
    "changed_at",
    "due_at",
    "leased_until",
    "leased_by",
)


def take_in(
    verdict: Verdict,
    plan: ProbePlan,
    judged: Judged,
    now: datetime,
    *,
    is_needed: bool = False,
) -> None:
    """Change the row's fields by a new result; the caller saves :data:`FIELDS`.

    One success is enough to be healthy. A healthy server becomes unhealthy after as many failures
    in a row as the threshold says; the first result after a change decides at once ("Application
    Gateway health probes overview"). With ``is_needed`` a failing server counts as healthy all the
    same: the probe wants that many servers. The lease is given back.
    """
    verdict.leased_by, verdict.leased_until = "", None
    if judged.address:
        verdict.remembered_address = judged.address
    if not judged.settled and verdict.failures < STARTING_PATIENCE:
        verdict.failures += 1
        verdict.due_at = now + STARTING_PAUSE
        return
    verdict.checked_at = now
    verdict.failures = verdict.failures + 1 if judged.kind else 0
    status, error_id, message = judged.status, judged.error_id, judged.message
    spared = _may_be_spared(judged) and (
        verdict.status == Status.HEALTHY
        and not verdict.rechecking
        and judged.settled
        and verdict.failures < plan.leg.threshold
    )
    if spared:
        # The page still says why the last probe failed; traffic goes on.
        status, error_id = Status.HEALTHY, ""
        message = (
            f"Failure {verdict.failures} of {plan.leg.threshold} that make it unhealthy: {message}"
        )
    elif is_needed and status == Status.UNHEALTHY:
        status, error_id = Status.HEALTHY, ""
        message = (
            "Counts as healthy, because the probe always keeps "
            f"{plan.leg.min_servers} of the pool's servers so: {message}"
        )
    if (status, error_id) != (verdict.status, verdict.error_id):
        verdict.changed_at = now
    verdict.due_at = _next_probe(verdict, plan, judged, now, hurry=spared and plan.is_v1)
    verdict.status, verdict.error_id, verdict.message = status, error_id, message
    verdict.evidence = judged.evidence
    verdict.accepted_pem = accepted_certificate(judged.evidence) or verdict.accepted_pem
    verdict.requests_fail = requests_fail(verdict, plan)
    verdict.history = noted(verdict.history, status, judged.error_id, judged.ms, now)
    verdict.rechecking = False


def accepted_certificate(evidence: dict[str, Any]) -> str:
    """PEM of the certificate that a probe was shown and accepted; empty if it did not."""
    passed = any(
        stage["name"] == "certificate" and stage["ok"] for stage in evidence.get("stages", ())
    )
    return str(evidence["chain"][0]["pem"]) if passed and evidence.get("chain") else ""


def _may_be_spared(judged: Judged) -> bool:
    """Failures of a server are counted; that nothing is known about it is said at once."""
    return judged.status == Status.UNHEALTHY or judged.kind is U_PROBER


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


def _next_probe(
    verdict: Verdict, plan: ProbePlan, judged: Judged, now: datetime, *, hurry: bool
) -> datetime:
    if not judged.settled:
        return now + STOPPED_PAUSE
    if hurry:
        return now + RETRY_PAUSE
    return next_turn(verdict.pk, plan.leg.interval, now)


def next_turn(pk: int, interval: int, now: datetime) -> datetime:
    """The next turn of a pair: its turns are ``interval`` seconds apart, each pair has its own.

    So the probes of a save that made a thousand pairs due at once lie all over the interval from
    the second time on. A turn that is very near is left out.
    """
    share = zlib.crc32(str(pk).encode()) % SLOTS / SLOTS
    passed = (now.timestamp() / interval - share) % 1
    left = 1 - passed
    return now + timedelta(seconds=interval * (left if left > NEAR else left + 1))
