"""The verdict of a v1 gateway, which compares with the uploaded certificates."""

from __future__ import annotations

import pytest

from certificates.x509.issuing.issue import (
    make_leaf,
)
from certificates.x509.trust.chains import RULES, judge_leaf_pin
from tests.certificates.x509.makers import (
    LONG_AGO,
    NAME,
    NOW,
    YESTERDAY,
    certs,
    direct_leaf,
    intermediate,
    leaf,
    other_root,
    root,
    self_signed,
)

FULL = certs(leaf(), intermediate(), root())
PARTIAL = certs(leaf(), intermediate())
ALONE = certs(leaf())
DIRECT_ALONE = certs(direct_leaf())
CA_ITSELF = certs(self_signed(ca=True))
PLAIN_ITSELF = certs(self_signed(ca=False))


def test_v1_wants_exactly_the_uploaded_certificate():
    verdict = judge_leaf_pin(ALONE, certs(root(), leaf()), now=NOW)
    assert verdict.ok
    assert verdict.rule == "The presented certificate is an uploaded one."
    assert judge_leaf_pin(PLAIN_ITSELF, PLAIN_ITSELF, now=NOW).finding == "ok"
    assert judge_leaf_pin(CA_ITSELF, CA_ITSELF, now=NOW).finding == "ok"
    assert judge_leaf_pin([], ALONE, now=NOW).finding == "no-certificate"


@pytest.mark.parametrize(
    ("presented", "pinned", "words"),
    [
        (ALONE, [], "no authentication certificate"),
        (FULL, certs(root()), "its chain is uploaded"),
        (FULL, certs(intermediate()), "its chain is uploaded"),
        (FULL, certs(other_root()), "another site"),
        (DIRECT_ALONE, certs(root()), "issuer is uploaded"),
        (ALONE, certs(direct_leaf()), "renewed"),
        (ALONE, certs(other_root()), "another site"),
    ],
)
def test_v1_explains_why_a_certificate_is_not_allowed(presented, pinned, words):
    verdict = judge_leaf_pin(presented, pinned, now=NOW)
    assert verdict.finding == "not-allow-listed"
    assert verdict.at_fault == presented[0]
    assert verdict.rule == RULES["not-allow-listed"]
    assert words in verdict.detail
    assert not verdict.ok


def test_v1_checks_the_dates_of_the_pinned_certificate():
    late = make_leaf(root(), NAME, now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
    verdict = judge_leaf_pin(certs(late), certs(late), now=NOW)
    assert verdict.finding == "dates"
    assert verdict.at_fault == late.certificate
