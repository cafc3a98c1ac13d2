"""What a v2 gateway says to a chain, row by row of the two tables that decide it.

First the trust table: what the server presents against what the HTTP setting trusts. Then the
results of OpenSSL's verification, each of which has its error in the health report; the binary of
OpenSSL judges the same certificates, so that every row is what it says it is.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from certificates.x509.facts.certificate import Certificate
from certificates.x509.facts.names import match_name
from certificates.x509.issuing.issue import Issued, make_intermediate, make_leaf, make_root, to_pem
from certificates.x509.trust.anchors import Anchor, AnchorStore
from certificates.x509.trust.chains import RULES, judge_chain
from gateway.health.catalogue import OF_FINDING
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import (
    LONG_AGO,
    NAME,
    NOW,
    TOMORROW,
    YESTERDAY,
    certs,
    direct_leaf,
    intermediate,
    leaf,
    other_root,
    root,
    self_signed,
    store,
)

PUBLIC_ROOT = make_root("Public Root", now=NOW)
PUBLIC_ISSUER = make_intermediate(PUBLIC_ROOT, "Public Issuing CA", now=NOW)
PUBLIC_LEAF = make_leaf(PUBLIC_ISSUER, NAME, now=NOW, dns_names=[NAME])
APP_SERVICE = make_leaf(
    PUBLIC_ISSUER, "*.azurewebsites.net", now=NOW, dns_names=["*.azurewebsites.net"]
)
WELL_KNOWN = AnchorStore([Anchor(PUBLIC_ROOT.certificate, "well-known")])


def error(
    presented: Sequence[Certificate], anchors: AnchorStore, *, well_known: bool, wanted: str = NAME
) -> str:
    """The id in the health report, empty for a good chain; the name counts where the chain does."""
    verdict = judge_chain(presented, anchors, well_known=well_known, now=NOW)
    assert verdict.rule
    assert verdict.source
    if verdict.ok:
        assert verdict.anchor is not None
        return "" if match_name(presented[0], wanted).ok else "E-CN"
    assert (verdict.rule == RULES[verdict.finding]) is (verdict.finding != "verify")
    assert verdict.at_fault in verdict.path or verdict.at_fault in presented
    assert verdict.at_fault is not None
    assert verdict.at_fault.label in verdict.detail
    return OF_FINDING[verdict.finding].id


# -- The trust table (backend health article, SSL overview article) -------------------------------


@dataclass(frozen=True)
class Row:
    """What is presented; the right root; the errors with a well-known CA, with the right root
    uploaded and with a wrong one."""

    presented: list[Certificate]
    right: Issued
    well_known: str
    right_root: str
    wrong_root: str


TRUST: dict[str, Row] = {
    "public CA, full chain": Row(
        certs(PUBLIC_LEAF, PUBLIC_ISSUER, PUBLIC_ROOT), PUBLIC_ROOT, "", "", "E-ROOT-MISMATCH"
    ),
    "public CA, leaf and intermediate": Row(
        certs(PUBLIC_LEAF, PUBLIC_ISSUER), PUBLIC_ROOT, "", "", "E-ROOT-MISMATCH-NOROOT"
    ),
    "public CA, leaf only": Row(
        certs(PUBLIC_LEAF), PUBLIC_ROOT, "E-INT-MISSING", "E-INT-MISSING", "E-INT-MISSING"
    ),
    "private CA, leaf, intermediate and root": Row(
        certs(leaf(), intermediate(), root()), root(), "E-NOT-PUBLIC", "", "E-ROOT-MISMATCH"
    ),
    "private CA, leaf and intermediate": Row(
        certs(leaf(), intermediate()), root(), "E-INT-NOT-PUBLIC", "", "E-ROOT-MISMATCH-NOROOT"
    ),
    "private CA, leaf of an intermediate only": Row(
        certs(leaf()), root(), "E-INT-MISSING", "E-INT-MISSING", "E-INT-MISSING"
    ),
    "private CA, leaf directly under the root, with it": Row(
        certs(direct_leaf(), root()), root(), "E-NOT-PUBLIC", "", "E-ROOT-MISMATCH"
    ),
    # The documents leave this cell open. Whether the issuer of a lone leaf is a root or an
    # intermediate cannot be seen, so the same is said as to every lone leaf.
    "private CA, leaf directly under the root, leaf only": Row(
        certs(direct_leaf()), root(), "E-INT-MISSING", "", "E-INT-MISSING"
    ),
    "self-signed, CA:TRUE": Row(
        certs(self_signed(ca=True)), self_signed(ca=True), "E-NOT-PUBLIC", "", "E-ROOT-MISMATCH"
    ),
    "self-signed, not a CA": Row(
        certs(self_signed(ca=False)),
        self_signed(ca=False),
        "E-INT-MISSING",
        "E-INT-MISSING",
        "E-INT-MISSING",
    ),
    "no leaf": Row(
        certs(intermediate(), root()), root(), "E-LEAF-MISSING", "E-LEAF-MISSING", "E-LEAF-MISSING"
    ),
    "leaf not first": Row(
        certs(intermediate(), leaf(), root()), root(), "E-LEAF-ORDER", "E-LEAF-ORDER",
        "E-LEAF-ORDER",
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", TRUST.values(), ids=TRUST)
def test_trust_depends_on_what_is_presented_and_what_is_uploaded(row: Row) -> None:
    found = (
        error(row.presented, WELL_KNOWN, well_known=True),
        error(row.presented, store(row.right), well_known=False),
        error(row.presented, store(other_root()), well_known=False),
    )
    assert found == (row.well_known, row.right_root, row.wrong_root)
    # A second root beside the right one changes nothing, and no root at all is a wrong one.
    assert error(row.presented, store(other_root(), row.right), well_known=False) == row.right_root
    assert error(row.presented, AnchorStore(), well_known=False) == row.wrong_root


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("myapp.azurewebsites.net", ""), ("a.b.azurewebsites.net", "E-CN"), (NAME, "E-CN")],
)
def test_an_app_service_is_accepted_when_the_host_name_matches(wanted: str, expected: str) -> None:
    presented = certs(APP_SERVICE, PUBLIC_ISSUER)
    assert error(presented, WELL_KNOWN, well_known=True, wanted=wanted) == expected


# -- The results of OpenSSL (openssl-verification-options(1)) --------------------------------------


@dataclass(frozen=True)
class Result:
    """What is presented, the root that is trusted, what OpenSSL must say (number and depth, the
    switches that make it look), and the errors with roots uploaded and with a well-known CA."""

    presented: Callable[[], list[Certificate]]
    trusted: Callable[[], Issued]
    code: int
    depth: int
    uploaded: str
    well_known: str
    switches: tuple[str, ...] = ()


def full() -> list[Certificate]:
    return certs(leaf(), intermediate(), root())


def of(issuer: Issued, **options: object) -> list[Certificate]:
    return certs(make_leaf(issuer, NAME, now=NOW, dns_names=[NAME], **options))  # type: ignore[arg-type]


def below_weak_authority() -> list[Certificate]:
    weak = make_intermediate(root(), "Weak CA", now=NOW, key="rsa1024")
    return [*of(weak), weak.certificate]


def below_narrow_root() -> tuple[Issued, list[Certificate]]:
    middle = make_intermediate(NARROW, "Middle", now=NOW)
    return NARROW, [*of(middle), middle.certificate]


NARROW = make_root("Narrow", now=NOW, path_length=0)
SECURE = ("-auth_level", "2")
OPENSSL: dict[str, Result] = {
    "0 ok": Result(full, root, 0, 0, "", ""),
    "2 issuer of a trusted intermediate not found": Result(
        lambda: full()[:2], intermediate, 2, 1, "E-ROOT-MISMATCH-NOROOT", "E-INT-NOT-PUBLIC"
    ),
    "7 bad signature": Result(
        lambda: [makers.resigned(direct_leaf().certificate)], root, 7, 0, "E-VERIFY", "E-VERIFY"
    ),
    "9 not yet valid": Result(
        lambda: of(root(), not_before=TOMORROW), root, 9, 0, "E-DATES", "E-DATES"
    ),
    "10 expired": Result(
        lambda: of(root(), not_before=LONG_AGO, not_after=YESTERDAY),
        root, 10, 0, "E-DATES", "E-DATES",
    ),
    "18 self-signed leaf, CA:TRUE": Result(
        lambda: certs(self_signed(ca=True)), other_root, 18, 0, "E-ROOT-MISMATCH", "E-NOT-PUBLIC"
    ),
    "18 self-signed leaf, not a CA": Result(
        lambda: certs(self_signed(ca=False)), other_root, 18, 0, "E-INT-MISSING", "E-INT-MISSING"
    ),
    "19 self-signed in the chain": Result(
        full, other_root, 19, 2, "E-ROOT-MISMATCH", "E-NOT-PUBLIC"
    ),
    "20 issuer of a lone leaf not found": Result(
        lambda: full()[:1], root, 20, 0, "E-INT-MISSING", "E-INT-MISSING"
    ),
    "20 issuer of an intermediate not found": Result(
        lambda: full()[:2], other_root, 20, 1, "E-ROOT-MISMATCH-NOROOT", "E-INT-NOT-PUBLIC"
    ),
    "25 path too long": Result(
        lambda: below_narrow_root()[1], lambda: NARROW, 25, 2, "E-VERIFY", "E-VERIFY"
    ),
    "26 wrong purpose": Result(
        lambda: of(root(), purposes=("client",)), root, 26, 0, "E-VERIFY", "E-VERIFY",
        ("-purpose", "sslserver"),
    ),
    "62 host name mismatch": Result(
        full, root, 62, 0, "E-CN", "E-CN", ("-verify_hostname", "elsewhere.contoso.test")
    ),
    "66 weak key of the leaf": Result(
        lambda: of(root(), key="rsa1024"), root, 66, 0, "E-VERIFY", "E-VERIFY", SECURE
    ),
    "67 weak key of an authority": Result(
        below_weak_authority, root, 67, 1, "E-VERIFY", "E-VERIFY", SECURE
    ),
    "68 weak digest": Result(
        lambda: of(root(), digest="sha1"), root, 68, 0, "E-VERIFY", "E-VERIFY", SECURE
    ),
    # 24 is what this was until OpenSSL 3.
    "79 invalid CA": Result(
        lambda: certs(make_leaf(direct_leaf(), NAME, now=NOW), direct_leaf(), root()),
        root, 79, 1, "E-VERIFY", "E-VERIFY",
    ),
}  # fmt: skip
"""21 (*unable to verify the first certificate*) follows 20 at depth 0 and never comes alone. 23
(*revoked*) is void: a gateway asks neither a list nor a responder about a backend's certificate, so
nothing can produce it."""


@pytest.mark.parametrize("row", OPENSSL.values(), ids=OPENSSL)
def test_each_result_of_openssl_has_its_error(row: Result) -> None:
    presented, anchors = row.presented(), store(row.trusted())
    assert openssl_says(presented, certs(row.trusted()), row.switches) == (row.code, row.depth)
    wanted = "elsewhere.contoso.test" if row.code == 62 else NAME
    assert error(presented, anchors, well_known=False, wanted=wanted) == row.uploaded
    assert error(presented, anchors, well_known=True, wanted=wanted) == row.well_known
    verdict = judge_chain(presented, anchors, well_known=False, now=NOW)
    if verdict.finding == "verify":
        assert verdict.openssl == row.code
        assert f"OpenSSL error {row.code}" in verdict.detail
        assert verdict.at_fault == verdict.path[row.depth]
    else:
        assert verdict.openssl is None


def openssl_says(
    presented: Sequence[Certificate], trusted: Sequence[Certificate], switches: Sequence[str] = ()
) -> tuple[int, int]:
    """(number, depth) of the first error of ``openssl verify``; (0, 0) if there is none."""
    done = subprocess.run(
        [
            "openssl", "verify", "-attime", str(int(NOW.timestamp())),
            "-no-CApath", "-no-CAstore",
            "-CAfile", makers.put("table-trusted.pem", to_pem(*trusted)),
            "-untrusted", makers.put("table-presented.pem", to_pem(*presented)),
            *switches, makers.put("table-leaf.pem", to_pem(presented[0])),
        ],
        capture_output=True,
        text=True,
    )  # fmt: skip
    said = re.search(r"^error (\d+) at (\d+) depth", done.stdout + done.stderr, re.M)
    assert bool(said) is (done.returncode != 0), done.stderr
    return (int(said[1]), int(said[2])) if said else (0, 0)
