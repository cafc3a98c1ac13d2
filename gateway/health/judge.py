"""From what a probe saw to a verdict with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from certificates.x509.facts.certificate import Certificate, printable
from certificates.x509.trust.chains import MAX_PRESENTED
from gateway.health.catalogue import HEALTH_KINDS, SIMULATED, SIMULATED_SILENCE, block_of
from gateway.health.plans import ProbePlan
from gateway.health.probe import FailureKind, Observation
from gateway.health.unhealthy import E_BODY, E_DNS, E_STATUS, E_TCP, E_TIMEOUT, E_VERIFY
from gateway.health.unknown import U_CDNS, U_DNS, U_NOT_ALLOWED, U_PROBER
from gateway.models import Verdict
from gateway.problems import Kind

_OF_FAILURE: dict[FailureKind, Kind] = {
    "dns": E_DNS,
    "dns-silent": U_DNS,
    "dns-refused": U_CDNS,
    "dns-not-ready": U_DNS,
    "not-allowed": U_NOT_ALLOWED,
    "lab-not-ready": E_TCP,
    "connect": E_TCP,
    "broken": E_TCP,
    "timeout": E_TIMEOUT,
    "status": E_STATUS,
    "body": E_BODY,
}
_MOST_NAMES = 50
_LONGEST_NAME = 400


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict of one probe.

    ``kind`` is ``None`` for a healthy server. ``address`` is what the target's name resolved to,
    to be remembered; empty if nobody answered. ``settled`` is false where a lab server has not
    started yet: the verdict stands only if that goes on.
    """

    status: Verdict.Status
    kind: Kind | None
    message: str
    evidence: dict[str, Any]
    address: str = ""
    settled: bool = True

    @property
    def error_id(self) -> str:
        return self.kind.id if self.kind else ""

    @property
    def ms(self) -> float:
        """How long the stages of the probe took together, in milliseconds."""
        return float(self.evidence.get("ms", 0))


def verdict(plan: ProbePlan, seen: Observation, now: datetime) -> Judged:
    """Judge an observation; ``now`` is noted in the evidence."""
    judged = _observed(plan, seen, now)
    if plan.simulated not in SIMULATED:
        return judged
    return _simulated(plan, HEALTH_KINDS[plan.simulated], seen, judged, now)


def _simulated(
    plan: ProbePlan, kind: Kind, seen: Observation, judged: Judged, now: datetime
) -> Judged:
    """What a switch of the subnet makes of it; what a real probe saw is kept beside it."""
    evidence = _evidence(plan, seen, kind, now)
    if kind.id in SIMULATED_SILENCE:
        told = "No probe was sent."
    else:
        told = f"The probe itself found: {judged.message}"
        evidence["observed"] = {
            "status": judged.status.value,
            "error_id": judged.error_id,
            "message": judged.message,
        }
    message = f"Simulated by the gateway's subnet: {kind.title.lower()}. {told}"
    return replace(
        judged,
        status=Verdict.Status.UNKNOWN,
        kind=kind,
        message=message,
        evidence=evidence,
        settled=True,
    )


def _observed(plan: ProbePlan, seen: Observation, now: datetime) -> Judged:
    failure = seen.failure
    if failure is None:
        code = seen.answer.status_code if seen.answer else 0
        message = f"Answered {code} within {seen.milliseconds:.0f} ms."
        evidence = _evidence(plan, seen, None, now)
        return Judged(Verdict.Status.HEALTHY, None, message, evidence, seen.resolved)
    kind = _OF_FAILURE.get(failure.kind)
    if kind is None:
        examined = seen.examination.kind if seen.examination else None
        kind = examined or E_VERIFY
    status = Verdict.Status.UNKNOWN if kind.id.startswith("U-") else Verdict.Status.UNHEALTHY
    return Judged(
        status,
        kind,
        printable(failure.detail),
        _evidence(plan, seen, kind, now),
        seen.resolved,
        settled=failure.kind not in ("lab-not-ready", "dns-not-ready"),
    )


def own_failure(plan: ProbePlan, now: datetime) -> Judged:
    """The verdict when the prober itself failed."""
    message = "The portal could not carry out this probe; its log says why."
    evidence = _evidence(plan, Observation(), U_PROBER, now)
    return Judged(Verdict.Status.UNKNOWN, U_PROBER, message, evidence)


def _evidence(
    plan: ProbePlan, seen: Observation, kind: Kind | None, now: datetime
) -> dict[str, Any]:
    """Plain JSON: what a page, a picture or a report shows of one probe. Sizes are bounded."""
    examination = seen.examination
    at_fault = examination.at_fault if examination else None
    presented = seen.presented[:MAX_PRESENTED]
    stages = [
        {"name": one.name, "ok": one.ok, "ms": one.ms, "detail": printable(one.detail)}
        for one in seen.stages
    ]
    told = kind.title if kind else "Healthy"
    stages.append({"name": "verdict", "ok": kind is None, "ms": 0, "detail": f"{told}."})
    return {
        "stages": stages,
        "block": block_of(kind) if kind else None,
        "simulated": plan.simulated,
        "broken": _broken(seen),
        "ms": seen.milliseconds,
        "judged_at": now.isoformat(),
        "dns": _dns(plan, seen),
        "dialed": seen.dialed,
        "scheme": plan.leg.scheme,
        "sni": plan.leg.sni,
        "checked_name": plan.leg.checked_name if plan.trust.validate_name else None,
        "host_header": plan.leg.host_header,
        "why": plan.leg.why,
        "trust": {
            "kind": plan.trust.kind,
            "chain": plan.trust.validate_chain,
            "name": plan.trust.validate_name,
            "certificates": [
                {"name": one.name, "thumbprint": one.certificate.thumbprint}
                for one in plan.trust.certificates
            ],
        },
        "tls": (
            {"version": seen.handshake.version, "cipher": seen.handshake.cipher}
            if seen.handshake
            else None
        ),
        "chain": [_certificate(one) for one in presented],
        "at_fault": presented.index(at_fault) if at_fault in presented else None,
        "at_fault_certificate": _certificate(at_fault) if at_fault else None,
        "path": [one.label[:_LONGEST_NAME] for one in examination.path] if examination else [],
        "anchor": (
            {**_certificate(examination.anchor.certificate), "origin": examination.anchor.origin}
            if examination and examination.anchor
            else None
        ),
        "rule": examination.rule if examination else "",
        "request": seen.request,
        "status_code": seen.answer.status_code if seen.answer else None,
    }


def _dns(plan: ProbePlan, seen: Observation) -> dict[str, Any] | None:
    if seen.resolution is None:
        return None
    return {
        "name": plan.target,
        "source": seen.resolution.source,
        "addresses": list(seen.resolution.addresses[:_MOST_NAMES]),
        "error": seen.resolution.error,
        "asked": list(seen.resolution.asked[:_MOST_NAMES]),
        "remembered": seen.remembered or None,
    }


def _broken(seen: Observation) -> dict[str, str] | None:
    """Where a connection broke, and by which alert of the server, if it sent one."""
    if seen.failure is None or seen.failure.trouble is None or not seen.stages:
        return None
    trouble = seen.failure.trouble
    return {"stage": seen.stages[-1].name, "alert": trouble.alert, "reason": trouble.reason}


def _certificate(certificate: Certificate) -> dict[str, Any]:
    return {
        "label": certificate.label[:_LONGEST_NAME],
        "subject": certificate.subject[:_LONGEST_NAME],
        "issuer": certificate.issuer[:_LONGEST_NAME],
        "names": [name[:_LONGEST_NAME] for name in certificate.names[:_MOST_NAMES]],
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "thumbprint": certificate.thumbprint,
        "sha256": certificate.sha256,
        "key": certificate.key.label,
        "role": certificate.role,
        "pem": certificate.pem,
    }
