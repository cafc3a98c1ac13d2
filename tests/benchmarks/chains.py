"""Diagnosis of chains: how many microseconds one verdict takes."""

from __future__ import annotations

from datetime import UTC, datetime

from certificates.wellknown import well_known_store
from certificates.x509.issuing import issue
from certificates.x509.trust.anchors import Anchor, AnchorStore
from certificates.x509.trust.chains import judge_chain
from tests.benchmarks.table import Table, median_ms


def run(table: Table) -> None:
    now = datetime.now(UTC)
    root = issue.make_root("Bench Root", now=now)
    issuing = issue.make_intermediate(root, "Bench Issuing", now=now)
    leaf = issue.make_leaf(issuing, "bench.contoso.test", now=now, dns_names=["bench.contoso.test"])
    full = (leaf.certificate, issuing.certificate, root.certificate)
    own = AnchorStore([Anchor(root.certificate, "uploaded")])
    public = well_known_store()
    for what, presented, anchors, well_known in (
        ("full chain, own root", full, own, False),
        ("leaf only, own root", full[:1], own, False),
        ("full chain, well-known store", full, public, True),
    ):
        spent = median_ms(
            lambda p=presented, a=anchors, w=well_known: judge_chain(p, a, well_known=w, now=now),
            rounds=50,
        )
        table.add(f"chain: {what}", us=f"{spent * 1000:.0f}")
