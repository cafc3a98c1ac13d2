"""The verdict on a presented chain, cell by cell."""

from __future__ import annotations

from datetime import timedelta

import pytest

from certificates.x509.issuing.issue import (
    make_intermediate,
    make_leaf,
    make_root,
    make_self_signed,
)
from certificates.x509.trust.anchors import Anchor, AnchorStore
from certificates.x509.trust.chains import RULES, judge_chain
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

EMPTY = AnchorStore()


def judge(presented, anchors=EMPTY, *, well_known=False, now=NOW):
    return judge_chain(presented, anchors, well_known=well_known, now=now)


def finding(presented, anchors=EMPTY, *, well_known=False, now=NOW):
    return judge(presented, anchors, well_known=well_known, now=now).finding


FULL = certs(leaf(), intermediate(), root())
PARTIAL = certs(leaf(), intermediate())
ALONE = certs(leaf())
DIRECT_FULL = certs(direct_leaf(), root())
DIRECT_ALONE = certs(direct_leaf())
CA_ITSELF = certs(self_signed(ca=True))
PLAIN_ITSELF = certs(self_signed(ca=False))


def test_nothing_presented_is_its_own_finding():
    verdict = judge([], store(root()))
    assert (verdict.finding, verdict.at_fault, verdict.path) == ("no-certificate", None, ())


def test_a_good_chain_shows_its_path_and_its_anchor():
    verdict = judge(PARTIAL, store(root()))
    assert verdict.ok
    assert verdict.path == tuple(FULL)
    assert verdict.anchor == Anchor(root().certificate)
    assert verdict.at_fault is None
    assert "Contoso Root" in verdict.detail


@pytest.mark.parametrize(
    ("presented", "anchors", "at_fault", "words"),
    [
        (ALONE, store(root()), leaf(), "Contoso Issuing CA"),
        (PARTIAL, store(other_root()), intermediate(), "Contoso Root"),
        (FULL, store(other_root()), root(), root().certificate.thumbprint),
        (certs(intermediate(), leaf()), store(root()), intermediate(), NAME),
        (certs(intermediate()), store(root()), intermediate(), "Contoso Issuing CA"),
        (PLAIN_ITSELF, store(root()), self_signed(ca=False), "CA:TRUE"),
    ],
)
def test_every_refusal_names_the_certificate_at_fault(presented, anchors, at_fault, words):
    verdict = judge(presented, anchors)
    assert verdict.at_fault == at_fault.certificate
    assert words in verdict.detail
    assert verdict.rule == RULES[verdict.finding]
    assert verdict.source
    assert not verdict.ok


def test_a_missing_issuer_is_called_by_its_common_name():
    for presented in (ALONE, PARTIAL):
        detail = judge(presented, store(other_root())).detail
        assert f"“{presented[-1].issuer_common_name}”" in detail


def test_the_missing_certificate_is_the_issuer_of_the_last_one_that_was_found():
    assert judge(PARTIAL, store(other_root())).path == tuple(PARTIAL)
    assert judge(FULL, store(other_root())).path == tuple(FULL)


def test_the_order_and_extra_certificates_do_not_matter_after_the_leaf():
    shuffled = certs(leaf(), root(), other_root(), direct_leaf(), intermediate(), leaf())
    verdict = judge(shuffled, store(root()))
    assert verdict.ok
    assert verdict.path == tuple(FULL)


def test_two_intermediates_are_followed():
    lower = make_intermediate(intermediate(), "Lower CA", now=NOW)
    bottom = make_leaf(lower, NAME, now=NOW)
    assert finding(certs(bottom, lower, intermediate()), store(root())) == "ok"
    verdict = judge(certs(bottom, lower), store(root()))
    assert verdict.finding == "root-mismatch-no-root"
    assert verdict.at_fault == lower.certificate


def test_authorities_only_are_a_missing_leaf_even_with_two_roots():
    assert finding(certs(root(), other_root()), store(root())) == "leaf-missing"
    assert finding(certs(intermediate()), store(root())) == "leaf-missing"


def test_a_self_signed_ca_that_is_sent_twice_is_still_one():
    assert finding(CA_ITSELF * 2, store(self_signed(ca=True))) == "ok"


def test_an_uploaded_leaf_is_no_anchor():
    verdict = judge(ALONE, store(leaf()))
    assert verdict.finding == "intermediate-missing"
    assert "only a root" in verdict.detail


def test_an_uploaded_intermediate_is_no_anchor():
    verdict = judge(ALONE, store(intermediate()))
    assert verdict.finding == "intermediate-missing"
    assert "is an intermediate" in verdict.detail
    verdict = judge(PARTIAL, store(intermediate()))
    assert verdict.finding == "root-mismatch-no-root"
    assert "uploaded itself" in verdict.detail


def test_a_root_that_was_made_anew_under_the_same_name_is_pointed_at():
    again = make_root("Contoso Root", now=NOW)
    verdict = judge(PARTIAL, store(again))
    assert verdict.finding == "root-mismatch-no-root"
    assert "made anew" in verdict.detail
    verdict = judge(DIRECT_ALONE, store(again))
    assert verdict.finding == "intermediate-missing"
    assert "made anew" in verdict.detail
    assert finding(FULL, store(again)) == "root-mismatch"


def test_a_root_renewed_with_the_same_key_is_accepted_below_but_not_as_the_server_s_own():
    lasting = make_self_signed("Same Key", now=NOW, ca=True)
    renewed = makers.reissued(lasting, lasting)
    below = make_leaf(lasting, NAME, now=NOW)
    assert finding(certs(below), store(renewed)) == "ok"
    assert finding(certs(below, lasting), store(renewed)) == "ok"
    assert finding(certs(lasting), store(renewed)) == "root-mismatch"


def test_a_server_certificate_named_like_its_issuer_is_followed_by_its_signature():
    same_name = make_leaf(root(), "Contoso Root", now=NOW)
    assert same_name.certificate.self_issued
    assert finding(certs(same_name), store(root())) == "ok"


DATES = {
    "leaf": (0, YESTERDAY),
    "intermediate": (1, YESTERDAY),
    "root": (2, YESTERDAY),
}


@pytest.mark.parametrize(("depth", "end"), DATES.values(), ids=DATES)
def test_any_expired_certificate_of_the_path_is_named(depth, end):
    ends = [end if depth == at else None for at in range(3)]
    top = make_root("Dated Root", now=LONG_AGO, not_after=ends[2])
    middle = make_intermediate(top, "Dated CA", now=LONG_AGO, not_after=ends[1])
    bottom = make_leaf(middle, NAME, now=LONG_AGO, days=900, not_after=ends[0])
    presented = certs(bottom, middle, top)
    verdict = judge(presented, store(top))
    assert verdict.finding == "dates"
    assert verdict.at_fault == presented[depth]
    assert "expired on 2026-05-31" in verdict.detail
    assert judge(presented, store(top), well_known=True).finding == "dates"


def test_a_certificate_that_is_not_valid_yet_is_told_so():
    early = make_leaf(root(), NAME, now=NOW, not_before=TOMORROW)
    verdict = judge(certs(early), store(root()))
    assert verdict.finding == "dates"
    assert "not valid before 2026-06-02" in verdict.detail
    assert finding(certs(early), store(root()), now=TOMORROW + timedelta(hours=1)) == "ok"


def test_the_trust_anchor_is_told_before_the_dates():
    late = make_leaf(root(), NAME, now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
    assert finding(certs(late, root()), store(other_root())) == "root-mismatch"


def test_the_dates_are_told_before_anything_else_that_is_wrong():
    late = make_leaf(
        root(), NAME, now=NOW, not_before=LONG_AGO, not_after=YESTERDAY, purposes=("client",)
    )
    assert finding(certs(late), store(root())) == "dates"


def test_an_expired_twin_does_not_spoil_a_valid_path():
    old = make_intermediate(root(), "Twin CA", now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
    bottom = make_leaf(old, NAME, now=NOW)
    fresh = makers.reissued(old, root())
    assert finding(certs(bottom, old, fresh), store(root())) == "ok"
    assert finding(certs(bottom, fresh, old), store(root())) == "ok"
    assert finding(certs(bottom, old), store(root())) == "dates"


def test_dates_far_away_are_judged_at_the_moment_that_is_passed():
    assert finding(FULL, store(root()), now=NOW + timedelta(days=5000)) == "dates"
    assert finding(FULL, store(root()), now=NOW - timedelta(days=5000)) == "dates"


def test_openssl_agrees_on_good_and_bad_chains():
    now = str(int(NOW.timestamp()))
    makers.put("v-root.pem", root().certificate.pem.encode())
    makers.put("v-int.pem", intermediate().certificate.pem.encode())
    makers.put("v-leaf.pem", leaf().certificate.pem.encode())
    done = makers.openssl("verify", "-attime", now, "-CAfile", "{dir}/v-root.pem", "-untrusted",
                          "{dir}/v-int.pem", "{dir}/v-leaf.pem")  # fmt: skip
    assert b"OK" in done
    assert finding(PARTIAL, store(root())) == "ok"


def test_anchors_are_kept_once_and_in_order():
    anchors = AnchorStore([Anchor(root().certificate, "lab-public"), Anchor(root().certificate)])
    assert [anchor.origin for anchor in anchors] == ["lab-public"]
    assert len(anchors) == 1
    assert anchors.find(leaf().certificate) is None
