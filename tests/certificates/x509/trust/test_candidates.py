"""Authorities of which there are several certificates: renewed, cross-signed, or only alike."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from cryptography import x509

from certificates.x509.facts.signatures import is_signed_by
from certificates.x509.issuing.issue import (
    Issued,
    make_intermediate,
    make_key,
    make_leaf,
    make_root,
)
from certificates.x509.trust import paths
from certificates.x509.trust.anchors import AnchorStore
from certificates.x509.trust.chains import judge_chain
from certificates.x509.trust.paths import walk, walks
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import LONG_AGO, NAME, NOW, YESTERDAY, certs, store

CA = (x509.BasicConstraints(ca=True, path_length=None), True)
LATER = NOW + timedelta(days=2000)


def judge(presented, anchors, *, now=NOW):
    return judge_chain(presented, anchors, well_known=False, now=now)


def crossed(subject: Issued, issuer: Issued, *, until=None, digest=None) -> Issued:
    """A certificate for the name and key of ``subject`` from another authority."""
    return makers.crafted(
        CA,
        subject=subject.certificate.common_name or "",
        issuer=issuer,
        key=subject.key,
        not_after=until,
        digest=digest,
    )


OLD = make_root("Old Root", now=NOW, days=800)
OLD_EXPIRED = make_root("Old Root", now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
NEW = make_root("New Root", now=NOW)
ISSUING = make_intermediate(NEW, "Issuing", now=NOW)
SERVER = make_leaf(ISSUING, NAME, now=NOW)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("trusted", [(OLD,), (NEW,), (OLD, NEW), (NEW, OLD)])
def test_a_root_that_an_older_one_signed_leads_to_either(order, trusted):
    bridge = crossed(NEW, OLD)
    others = [(ISSUING, bridge, OLD)[at] for at in order]
    verdict = judge(certs(SERVER, *others), store(*trusted))
    assert verdict.ok
    assert verdict.path[-1] in certs(*trusted)
    assert len(verdict.path) == (3 if NEW in trusted else 4)


def test_the_new_root_carries_what_the_expired_one_no_longer_does():
    bridge = crossed(NEW, OLD_EXPIRED)
    presented = certs(SERVER, ISSUING, bridge, OLD_EXPIRED)
    assert judge(presented, store(OLD_EXPIRED, NEW)).ok
    assert judge(presented, store(NEW)).path == tuple(certs(SERVER, ISSUING, NEW))
    verdict = judge(presented, store(OLD_EXPIRED))
    assert verdict.finding == "dates"
    assert verdict.at_fault == OLD_EXPIRED.certificate
    assert verdict.anchor is not None


def test_an_expired_bridge_is_told_only_where_nothing_else_leads_up():
    bridge = crossed(NEW, OLD, until=YESTERDAY)
    presented = certs(SERVER, ISSUING, bridge)
    assert judge(presented, store(OLD, NEW)).ok
    verdict = judge(presented, store(OLD))
    assert verdict.finding == "dates"
    assert verdict.at_fault == bridge.certificate


def test_an_intermediate_of_two_roots_leads_to_the_one_that_is_trusted():
    other = crossed(ISSUING, OLD)
    for presented in (certs(SERVER, ISSUING, other), certs(SERVER, other, ISSUING)):
        assert judge(presented, store(OLD)).path[1:] == tuple(certs(other, OLD))
        assert judge(presented, store(NEW)).path[1:] == tuple(certs(ISSUING, NEW))
        assert judge(presented, store(makers.root())).finding == "root-mismatch-no-root"


def test_a_sound_path_is_found_behind_one_that_is_not():
    weak = crossed(ISSUING, OLD, digest=makers.hashes.SHA224())
    plain = crossed(ISSUING, OLD)
    for presented in (certs(SERVER, weak, plain), certs(SERVER, plain, weak)):
        verdict = judge(presented, store(OLD))
        assert verdict.ok
        assert plain.certificate in verdict.path
    verdict = judge(certs(SERVER, weak), store(OLD))
    assert verdict.finding == "verify"
    assert verdict.at_fault == weak.certificate


def test_of_several_bad_paths_the_one_in_date_is_told():
    weak = crossed(ISSUING, OLD, digest=makers.hashes.SHA224())
    late = crossed(ISSUING, OLD, until=YESTERDAY)
    for presented in (certs(SERVER, weak, late), certs(SERVER, late, weak)):
        verdict = judge(presented, store(OLD))
        assert verdict.finding == "verify"
        assert verdict.at_fault == weak.certificate


@pytest.mark.parametrize("count", [2, 5])
def test_of_one_name_and_several_keys_the_one_that_signed_is_taken(count):
    # Without key identifiers, as simple tools make them: only the signature tells.
    named = [makers.crafted(CA, subject="Same", issuer=NEW) for _ in range(count)]
    for signer in named:
        below = makers.crafted(subject=NAME, issuer=signer)
        verdict = judge(certs(below, *named), store(NEW))
        assert verdict.ok
        assert verdict.path[1] == signer.certificate
        verdict = judge(certs(below, *(one for one in named if one is not signer)), store(NEW))
        assert verdict.finding == "verify"
        assert verdict.openssl == 7
        assert "Same" in verdict.detail


def test_of_one_name_and_key_the_certificate_in_date_is_taken():
    periods = [
        (LONG_AGO, YESTERDAY),
        (LONG_AGO, NOW + timedelta(days=1)),
        (NOW + timedelta(days=1), LATER),
    ]
    key = make_key()
    renewed = [
        makers.crafted(CA, subject="R", issuer=NEW, key=key, not_before=begin, not_after=end)
        for begin, end in periods
    ]
    below = make_leaf(renewed[0], NAME, now=NOW, days=2000)
    for order in itertools.permutations(renewed):
        verdict = judge(certs(below, *order), store(NEW))
        assert verdict.ok
        assert verdict.path[1] == renewed[1].certificate
    tomorrow = NOW + timedelta(days=2)
    assert judge(certs(below, *renewed), store(NEW), now=tomorrow).path[1] == certs(renewed[2])[0]
    outside = certs(below, renewed[0], renewed[2])
    assert judge(outside, store(NEW)).finding == "dates"


def test_two_authorities_that_signed_each_other_lead_nowhere_or_out():
    first, second = make_root("First", now=NOW), make_root("Second", now=NOW)
    ring = [crossed(first, second), crossed(second, first)]
    below = make_leaf(first, NAME, now=NOW)
    for order in itertools.permutations(ring):
        presented = certs(below, *order)
        verdict = judge(presented, store(NEW))
        assert verdict.finding == "root-mismatch-no-root"
        assert len(verdict.path) == 3
        assert judge(presented, store(first)).path == tuple(certs(below, first))
        assert judge(presented, store(second)).path == tuple(certs(below, ring[0], second))


def test_an_authority_that_certified_itself_again_is_passed_once():
    again = crossed(NEW, NEW)
    assert again.certificate.self_signed
    assert judge(certs(SERVER, ISSUING, again), store(NEW)).ok
    other_key = makers.reissued(NEW, NEW, key=make_key())
    below = make_leaf(other_key, NAME, now=NOW)
    verdict = judge(certs(below, other_key), store(NEW))
    assert verdict.ok
    assert verdict.path == tuple(certs(below, other_key, NEW))


def test_an_authority_with_the_key_under_another_name_is_no_issuer():
    renamed = makers.crafted(CA, subject="Renamed", issuer=NEW, key=ISSUING.key)
    assert judge(certs(SERVER, renamed), store(NEW)).finding == "intermediate-missing"


def test_an_authority_with_another_key_identifier_is_no_issuer():
    wanted = x509.AuthorityKeyIdentifier(b"wanted", None, None)
    has = x509.SubjectKeyIdentifier(b"has")
    issuing = makers.crafted(CA, (has, False), subject="Identified", issuer=NEW)
    below = makers.crafted((wanted, False), subject=NAME, issuer=issuing)
    assert judge(certs(below, issuing), store(NEW)).finding == "intermediate-missing"
    # An identifier on one side only says nothing.
    below = makers.crafted(subject=NAME, issuer=issuing)
    assert judge(certs(below, issuing), store(NEW)).ok
    issuing = makers.crafted(CA, subject="Identified", issuer=NEW)
    below = makers.crafted((wanted, False), subject=NAME, issuer=issuing)
    assert judge(certs(below, issuing), store(NEW)).ok


def test_every_way_is_found_once_and_the_best_comes_first():
    bridge = crossed(NEW, OLD)
    presented = certs(SERVER, ISSUING, bridge, NEW, OLD)
    found = walks(SERVER.certificate, presented, store(OLD, NEW), NOW)
    assert [way.path for way in found] == [
        tuple(certs(SERVER, ISSUING, NEW)),
        tuple(certs(SERVER, ISSUING, bridge, OLD)),
    ]
    assert {way.stop for way in found} == {"anchor"}
    assert walk(SERVER.certificate, presented, store(OLD, NEW), NOW) == found[0]
    assert len(walks(NEW.certificate, certs(NEW), store(NEW), NOW)) == 1


def test_where_nothing_is_trusted_the_way_to_a_root_is_told_before_an_open_one():
    bridge = crossed(NEW, OLD)
    for others in itertools.permutations([ISSUING, bridge, NEW]):
        verdict = judge(certs(SERVER, *others), store(makers.root()))
        assert verdict.finding == "root-mismatch"
        assert verdict.path == tuple(certs(SERVER, ISSUING, NEW))


def test_where_nothing_is_trusted_the_first_of_equal_ways_is_told():
    bridges = [crossed(ISSUING, OLD), crossed(ISSUING, makers.root())]
    for others in (bridges, bridges[::-1]):
        verdict = judge(certs(SERVER, *others), AnchorStore())
        assert verdict.finding == "root-mismatch-no-root"
        assert verdict.path == tuple(certs(SERVER, others[0]))


def test_no_signature_is_checked_twice(monkeypatch):
    checked = []

    def signed(child, issuer):
        checked.append((child, issuer))
        return is_signed_by(child, issuer)

    monkeypatch.setattr(paths, "is_signed_by", signed)
    presented = certs(SERVER, ISSUING, crossed(ISSUING, NEW), crossed(ISSUING, OLD), NEW, OLD)
    assert len(walks(SERVER.certificate, presented, store(OLD, NEW), NOW)) == 3
    assert len(checked) == len(set(checked)) == 4


def test_no_more_ways_are_compared_than_a_handful():
    twins = [crossed(ISSUING, OLD, digest=makers.hashes.SHA224()) for _ in range(19)]
    found = walks(SERVER.certificate, certs(*twins), store(OLD), NOW)
    assert len(found) == paths.MAX_WAYS
    assert judge(certs(SERVER, *twins), store(OLD)).finding == "verify"


def test_a_way_that_was_found_counts_even_if_the_search_is_given_up(monkeypatch):
    monkeypatch.setattr(paths, "MAX_STEPS", 2)
    assert judge(certs(SERVER, ISSUING, crossed(ISSUING, OLD)), store(NEW)).ok


def test_a_search_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(paths, "MAX_STEPS", 2)
    verdict = judge(certs(SERVER, ISSUING, crossed(NEW, OLD)), AnchorStore())
    assert verdict.finding == "verify"
    assert "too much work" in verdict.detail


def test_an_uploaded_certificate_that_is_no_root_is_passed_through_like_any_other():
    verdict = judge(certs(SERVER, ISSUING), store(ISSUING, NEW))
    assert verdict.ok
    assert verdict.path == tuple(certs(SERVER, ISSUING, NEW))
