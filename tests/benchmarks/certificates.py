"""Microseconds that the judge of certificates takes, beside ``openssl verify`` on the same input.

*parse* reads the DER form of a server's certificate, *classify* a text file and what is in it,
*path* judges the presented chain (leaf and intermediate), *name* matches the host name. *total* is
what a probe does for a server that it sees for the first time: parse what it sent, path and name.

``openssl verify`` is given the same server's certificate 500 times in one process, with the
intermediate, the root, the purpose and the host name to check. It reads the certificate from a
file, which we do too (*classify*), so that *openssl* is best compared with *file, path, name*. Its
start, with the loading of the roots, is measured by a run with a single certificate and taken off;
of each the median of five runs counts. The processor time of the process is taken, not the clock's.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi

from certificates.wellknown import well_known_store
from certificates.x509.facts.certificate import Certificate
from certificates.x509.facts.names import match_name
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing import issue
from certificates.x509.issuing.issue import Issued, to_pem
from certificates.x509.trust.anchors import Anchor, AnchorStore
from certificates.x509.trust.chains import judge_chain
from tests.benchmarks.table import Table, median_ms

NAME = "bench.contoso.test"
REPEATS = 500
RUNS = 5


def run(table: Table) -> None:
    now = datetime.now(UTC)
    for key, names in (("ec", 1), ("ec", 100), ("rsa2048", 1), ("rsa4096", 1)):
        root = issue.make_root("Bench Root", now=now, key=key)
        issuing = issue.make_intermediate(root, "Bench Issuing", now=now, key=key)
        hosts = [NAME, *(f"n{number}.contoso.test" for number in range(names - 1))]
        leaf = issue.make_leaf(issuing, NAME, now=now, dns_names=hosts[::-1], key=key)
        anchors = AnchorStore.from_certificates([root.certificate])
        what = f"{leaf.certificate.key.label}, {names} name{'s' * (names > 1)}"
        _row(table, what, leaf, anchors, to_pem(root.certificate), now)
    # The same with all well-known authorities beside it, as the portal has them.
    root = issue.make_root("Bench Public Root", now=now)
    issuing = issue.make_intermediate(root, "Bench Public Issuing", now=now)
    leaf = issue.make_leaf(issuing, NAME, now=now, dns_names=[NAME])
    anchors = AnchorStore([*well_known_store(), Anchor(root.certificate, "lab-public")])
    bundle = Path(certifi.where()).read_bytes() + to_pem(root.certificate)
    _row(table, "EC P-256, well-known store", leaf, anchors, bundle, now)


def _row(
    table: Table, what: str, leaf: Issued, anchors: AnchorStore, roots: bytes, now: datetime
) -> None:
    presented = [leaf.certificate, leaf.chain[0]]
    ders = [one.der for one in presented]
    text = to_pem(leaf.certificate)

    def judge(chain: Sequence[Certificate]) -> None:
        verdict = judge_chain(chain, anchors, well_known=False, now=now + timedelta(minutes=1))
        assert verdict.ok, verdict

    def name(certificate: Certificate) -> None:
        assert match_name(certificate, NAME).ok

    def probe() -> None:
        chain = [Certificate.from_der(der) for der in ders]
        judge(chain)
        name(chain[0])

    def from_file() -> None:
        (certificate,) = read_certificates(text).certificates
        judge([certificate, presented[1]])
        name(certificate)

    def classify() -> str:
        return read_certificates(text).certificates[0].role

    figures: dict[str, Callable[[], object]] = {
        "parse": lambda: Certificate.from_der(ders[0]),
        "classify": classify,
        "path": lambda: judge(presented),
        "name": lambda: name(presented[0]),
        "total": probe,
        "file, path, name": from_file,
    }
    measured = {of: f"{median_ms(work, rounds=200) * 1000:.0f}" for of, work in figures.items()}
    measured["openssl"] = f"{_openssl_us(text, to_pem(presented[1]), roots):.0f}"
    table.add(f"certificates, µs: {what}", **measured)


def _openssl_us(leaf: bytes, issuing: bytes, roots: bytes) -> float:
    """Microseconds for each certificate after the first."""
    with tempfile.TemporaryDirectory() as directory:
        files = {"leaf": leaf, "issuing": issuing, "roots": roots}
        for file, data in files.items():
            (Path(directory) / file).write_bytes(data)
        command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", "roots"]
        command += ["-untrusted", "issuing", "-purpose", "sslserver", "-verify_hostname", NAME]
        many, one = (
            statistics.median(
                _seconds([*command, *["leaf"] * count], directory) for _ in range(RUNS)
            )
            for count in (REPEATS + 1, 1)
        )
    return (many - one) / REPEATS * 1_000_000


def _seconds(command: Sequence[str], directory: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=directory, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
