"""What a call costs, measured in a process that has done nothing else.

``python -m tests.certificates.x509.measured`` warms up with ordinary certificates and then waits
for work: each job is done in a fork, so that every job starts from the same small process. Input
and output are pickles on the standard streams. Processor time includes that of child processes.
"""

from __future__ import annotations

import gc
import os
import pickle
import resource
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

MEASURED_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Cost:
    """Seconds of processor time, growth of memory in MB, and what the job answered."""

    seconds: float
    megabytes: float
    answer: Any


class Measurer:
    """The process that measures, started once: ``measurer(job, *data)`` gives a :class:`Cost`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )

    def __enter__(self) -> Measurer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)

    def __call__(self, job: str, *data: Any) -> Cost:
        pickle.dump((job, data), self._process.stdin)
        self._process.stdin.flush()
        told = pickle.load(self._process.stdout)
        assert isinstance(told, tuple), told
        return Cost(*told)


def read(data: bytes) -> Any:
    from certificates.x509.files.read import read_certificates

    reading = read_certificates(data)
    return len(reading.certificates), [problem.id for problem in reading.problems]


def upload(data: bytes) -> Any:
    from certificates.x509.places import uploads

    now = MEASURED_AT
    return [
        [problem.id for problem in judged.problems]
        for judged in (
            uploads.authentication_certificate(data, now=now, base64_only=False),
            uploads.trusted_root_certificate(data, now=now, base64_only=True),
            uploads.client_ca_certificate(data, now=now),
        )
    ]


def listener(data: bytes, password: str | None = "secret12") -> Any:
    from certificates.x509.places import uploads

    judged = uploads.listener_certificate(data, password, size_limit=16_384, now=MEASURED_AT)
    return [problem.id for problem in judged.problems]


def open_pfx(data: bytes) -> Any:
    from certificates.x509.files.pfx import look_into_pfx
    from certificates.x509.problems import ProblemError

    try:
        return len(look_into_pfx(data, "secret12").others)
    except ProblemError as error:
        return [error.problem.id]


def open_pfx_unlimited(data: bytes) -> Any:
    """The same where the work cannot be seen beforehand, so that only the kernel's limits hold."""
    from certificates.x509.files import pfx

    pfx.MAX_ROUNDS = 10**18
    return open_pfx(data)


def examine(data: bytes) -> Any:
    from certificates.x509.places.exams import examine
    from certificates.x509.trust.anchors import AnchorStore

    exam = examine(data, "secret12", anchors=AnchorStore(), candidates=(), now=MEASURED_AT)
    return exam.headline


def chain(presented: list[bytes], trusted: list[bytes]) -> Any:
    from certificates.x509.facts.certificate import Certificate
    from certificates.x509.trust.anchors import AnchorStore
    from certificates.x509.trust.chains import judge_chain

    anchors = AnchorStore.from_certificates(map(Certificate.from_der, trusted))
    shown = [Certificate.from_der(der) for der in presented]
    verdict = judge_chain(shown, anchors, well_known=False, now=MEASURED_AT)
    return verdict.finding, verdict.detail


def names(der: bytes, wanted: str) -> Any:
    from certificates.x509.facts.certificate import Certificate
    from certificates.x509.facts.names import match_name

    return match_name(Certificate.from_der(der), wanted).ok


def pace() -> int:
    """A piece of work that does not change."""
    total = 0
    for number in range(1_500_000):
        total += number & 3
    return total


JOBS: dict[str, Callable[..., Any]] = {
    job.__name__: job
    for job in (pace, read, upload, listener, open_pfx, open_pfx_unlimited, examine, chain, names)
}


def _measure(job: Callable[..., Any], data: tuple[Any, ...]) -> tuple[float, float, Any]:
    gc.collect()
    before = _used()
    answer = job(*data)
    after = _used()
    return after[0] - before[0], (after[1] - before[1]) / 1024, answer


def _used() -> tuple[float, int]:
    """(seconds of processor time with those of ended children, most memory at once in KB)."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return seconds, own.ru_maxrss


def _warm_up() -> None:
    from certificates.x509.issuing.issue import make_intermediate, make_leaf, make_root, to_pem
    from certificates.x509.places import exams  # noqa: F401 - loads what the jobs need

    root = make_root("Root", now=MEASURED_AT)
    issuing = make_intermediate(root, "Issuing", now=MEASURED_AT)
    leaf = make_leaf(issuing, "a.test", now=MEASURED_AT, dns_names=["a.test"])
    ders = [one.certificate.der for one in (leaf, issuing, root)]
    upload(to_pem(root.certificate))
    examine(to_pem(leaf.certificate))
    chain(ders, ders[2:])
    names(ders[0], "a.test")


def _serve() -> None:
    _warm_up()
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            job, data = pickle.load(requests)
        except EOFError:
            return
        if os.fork() == 0:
            try:
                result: Any = _measure(JOBS[job], data)
            except BaseException:
                result = traceback.format_exc()
            pickle.dump(result, answers)
            answers.flush()
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    _serve()
