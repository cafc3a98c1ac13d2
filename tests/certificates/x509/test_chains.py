"""The verdict on a presented chain, cell by cell."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from cryptography import x509

from certificates.x509 import paths, verifier
from certificates.x509.anchors import Anchor, AnchorStore
from certificates.x509.chains import RULES, judge_chain, judge_leaf_pin
from certificates.x509.issue import (
    Issued,
    make_intermediate,
    make_key,
    make_leaf,
    make_root,
    make_self_signed,
)
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

# What the server presents; the verdict with the well-known store (which does not know these
# authorities), with the right root uploaded, with a wrong one.
TRUST_TABLE = {
    "private CA, full chain": (FULL, root(), "not-public", "ok", "root-mismatch"),
    "private CA, leaf and intermediate": (
        PARTIAL, root(), "intermediate-not-public", "ok", "root-mismatch-no-root",
    ),
    "leaf of an intermediate alone": (
        ALONE, root(), "intermediate-missing", "intermediate-missing", "intermediate-missing",
    ),
    "leaf directly under the root, with it": (
        DIRECT_FULL, root(), "not-public", "ok", "root-mismatch",
    ),
    "leaf directly under the root, alone": (
        DIRECT_ALONE, root(), "intermediate-missing", "ok", "intermediate-missing",
    ),
    "self-signed with CA:TRUE": (
        CA_ITSELF, self_signed(ca=True), "not-public", "ok", "root-mismatch",
    ),
    "self-signed without CA:TRUE": (
        PLAIN_ITSELF, self_signed(ca=False),
        "intermediate-missing", "intermediate-missing", "intermediate-missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", TRUST_TABLE.values(), ids=TRUST_TABLE)
def test_trust_depends_on_what_is_presented_and_what_is_uploaded(row):
    presented, right, well_known, with_right, with_wrong = row
    assert finding(presented, store(other_root()), well_known=True) == well_known
    assert finding(presented, store(right)) == with_right
    assert finding(presented, store(other_root(), right)) == with_right
    assert finding(presented, store(other_root())) == with_wrong
    assert finding(presented) == with_wrong


def test_a_public_chain_needs_no_upload_but_every_intermediate():
    public = store(root())
    assert finding(FULL, public, well_known=True) == "ok"
    assert finding(PARTIAL, public, well_known=True) == "ok"
    assert finding(ALONE, public, well_known=True) == "intermediate-missing"


# The codes of OpenSSL and the finding for them: (uploaded roots, well-known CA).
OPENSSL_TABLE = {
    "0 ok": (FULL, root(), "ok", "ok"),
    "9 not yet valid": ("early", root(), "dates", "dates"),
    "10 expired": ("late", root(), "dates", "dates"),
    "18 self-signed leaf, CA": (CA_ITSELF, other_root(), "root-mismatch", "not-public"),
    "18 self-signed leaf, no CA": (
        PLAIN_ITSELF, other_root(), "intermediate-missing", "intermediate-missing",
    ),
    "19 self-signed in chain": (FULL, other_root(), "root-mismatch", "not-public"),
    "20 at depth 0": (ALONE, root(), "intermediate-missing", "intermediate-missing"),
    "20 above": (
        PARTIAL, other_root(), "root-mismatch-no-root", "intermediate-not-public",
    ),
    "7 bad signature": ("tampered", root(), "verify", "verify"),
    "26 wrong purpose": ("client", root(), "verify", "verify"),
    "24 invalid CA": ("issued by a leaf", root(), "verify", "verify"),
    "66 weak key": ("weak", root(), "verify", "verify"),
    "68 weak digest": ("sha1", root(), "verify", "verify"),
    "no leaf": (certs(intermediate(), root()), root(), "leaf-missing", "leaf-missing"),
    "leaf not first": (
        certs(intermediate(), leaf(), root()), root(), "leaf-not-first", "leaf-not-first",
    ),
}  # fmt: skip


def presented_as(description: str):
    makes = {
        "early": lambda: certs(
            make_leaf(root(), NAME, now=NOW, not_before=TOMORROW, dns_names=[NAME])
        ),
        "late": lambda: certs(
            make_leaf(root(), NAME, now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
        ),
        "tampered": lambda: [makers.resigned(direct_leaf().certificate)],
        "client": lambda: certs(make_leaf(root(), NAME, now=NOW, purposes=("client",))),
        "issued by a leaf": lambda: certs(
            make_leaf(direct_leaf(), "below", now=NOW), direct_leaf(), root()
        ),
        "weak": lambda: certs(make_leaf(root(), NAME, now=NOW, key="rsa1024")),
        "sha1": lambda: [makers.weak_digest("sha1", issuer=root())],
    }
    return makes[description]()


@pytest.mark.parametrize("row", OPENSSL_TABLE.values(), ids=OPENSSL_TABLE)
def test_each_result_of_openssl_has_its_finding(row):
    presented, trusted, uploaded, well_known = row
    if isinstance(presented, str):
        presented = presented_as(presented)
    # Certificates made by openssl begin at the real time; a little later all of them are valid.
    now = (
        max(NOW, *(certificate.not_before for certificate in presented))
        if (presented[0].common_name == "weak")
        else NOW
    )
    assert finding(presented, store(trusted), now=now) == uploaded
    assert finding(presented, store(trusted), well_known=True, now=now) == well_known


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
    renewed = makers.Issued(_reissue(lasting, "Same Key"), lasting.key)
    below = make_leaf(lasting, NAME, now=NOW)
    assert finding(certs(below), store(renewed)) == "ok"
    assert finding(certs(below, lasting), store(renewed)) == "ok"
    assert finding(certs(lasting), store(renewed)) == "root-mismatch"


def _reissue(issued: Issued, name: str):
    from cryptography.hazmat.primitives import hashes, serialization

    from certificates.x509.certificate import Certificate

    old = issued.certificate.x509
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), x509.random_serial_number(),
        old.not_valid_before_utc, old.not_valid_after_utc + timedelta(days=9),
        list(old.extensions),
    )  # fmt: skip
    der = builder.sign(issued.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return Certificate.from_der(der)


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
    fresh = Issued(_renewed(old, root()), old.key, root())
    assert finding(certs(bottom, old, fresh), store(root())) == "ok"
    assert finding(certs(bottom, fresh, old), store(root())) == "ok"
    assert finding(certs(bottom, old), store(root())) == "dates"


def _renewed(old: Issued, issuer: Issued):
    from cryptography.hazmat.primitives import hashes, serialization

    from certificates.x509.certificate import Certificate

    was = old.certificate.x509
    builder = x509.CertificateBuilder(
        was.issuer, was.subject, was.public_key(), x509.random_serial_number(),
        LONG_AGO, NOW + timedelta(days=900), list(was.extensions),
    )  # fmt: skip
    der = builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return Certificate.from_der(der)


def test_dates_far_away_are_judged_at_the_moment_that_is_passed():
    assert finding(FULL, store(root()), now=NOW + timedelta(days=5000)) == "dates"
    assert finding(FULL, store(root()), now=NOW - timedelta(days=5000)) == "dates"


def test_version_1_roots_are_trusted_as_openssl_does():
    old_leaf, old_root = makers.version_1_pair()
    now = max(NOW, old_leaf.not_before, old_root.not_before)
    anchors = AnchorStore.from_certificates([old_root])
    assert finding([old_leaf], anchors, now=now) == "ok"
    assert finding([old_leaf, old_root], anchors, now=now) == "ok"
    assert finding([old_leaf, old_root], store(root()), now=now) == "root-mismatch"
    assert finding([old_root], anchors, now=now) == "intermediate-missing"


def test_an_intermediate_below_a_version_1_root_passes_the_library_too():
    _, old_root = makers.version_1_pair()
    from certificates.x509.issue import load_issued

    top = load_issued(old_root, (makers.workshop() / "v1root.key").read_bytes())
    now = max(NOW, old_root.not_before)
    middle = make_intermediate(top, "Middle", now=now)
    bottom = make_leaf(middle, NAME, now=now)
    anchors = AnchorStore.from_certificates([old_root])
    assert finding(certs(bottom, middle), anchors, now=now) == "ok"
    direct = make_leaf(top, NAME, now=now)
    assert finding(certs(direct), anchors, now=now) == "ok"


def test_a_version_1_leaf_below_modern_authorities_is_judged_without_the_library():
    csr = makers.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                         "-nodes", "-keyout", "{dir}/vl.key", "-subj", f"/CN={NAME}")  # fmt: skip
    makers.put("vl.csr", csr)
    makers.put("vlca.pem", intermediate().certificate.pem.encode())
    makers.put("vlca.key", makers.pem_key(intermediate()))
    pem = makers.openssl("x509", "-req", "-in", "{dir}/vl.csr", "-CA", "{dir}/vlca.pem", "-CAkey",
                         "{dir}/vlca.key", "-set_serial", "3", "-days", "9000")  # fmt: skip
    old_leaf = makers.one(pem)
    now = max(NOW, old_leaf.not_before)
    assert old_leaf.version == 1
    assert finding([old_leaf, intermediate().certificate], store(root()), now=now) == "ok"


def verify_detail(presented, anchors, **options):
    verdict = judge(presented, anchors, **options)
    assert verdict.finding == "verify"
    return verdict


def test_a_tampered_intermediate_is_named():
    broken = makers.resigned(intermediate().certificate)
    verdict = verify_detail([leaf().certificate, broken], store(root()))
    assert verdict.at_fault == broken
    assert "Contoso Root" in verdict.detail


def test_an_issuer_without_the_ca_flag_is_named():
    not_ca = makers.crafted(subject="Flagless")
    below = make_leaf(not_ca, NAME, now=NOW)
    verdict = verify_detail(certs(below), store(not_ca))
    assert "CA:TRUE" in verdict.detail
    assert verdict.at_fault == not_ca.certificate


def test_an_issuer_that_may_not_sign_is_named():
    usage = x509.KeyUsage(True, *[False] * 8)
    ca = (x509.BasicConstraints(ca=True, path_length=None), True)
    mute = makers.crafted(ca, (usage, True), subject="Mute", issuer=root())
    below = make_leaf(mute, NAME, now=NOW)
    assert "key usage" in verify_detail(certs(below, mute), store(root())).detail


def test_the_allowed_number_of_intermediates_is_counted():
    narrow = make_root("Narrow", now=NOW, path_length=0)
    middle = make_intermediate(narrow, "Middle", now=NOW)
    below = make_leaf(middle, NAME, now=NOW)
    assert finding(certs(make_leaf(narrow, NAME, now=NOW)), store(narrow)) == "ok"
    assert "allows 0" in verify_detail(certs(below, middle), store(narrow)).detail


def test_an_intermediate_for_clients_only_is_named():
    ca = (x509.BasicConstraints(ca=True, path_length=None), True)
    usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    clients = makers.crafted(ca, (usage, False), subject="Clients CA", issuer=root())
    below = make_leaf(clients, NAME, now=NOW)
    assert "server authentication" in verify_detail(certs(below, clients), store(root())).detail


def test_an_unreadable_certificate_in_the_path_is_named():
    assert finding([makers.spoilt_extension()]) == "intermediate-missing"
    oid = x509.ObjectIdentifier("2.5.29.19")
    bad = (x509.UnrecognizedExtension(oid, b"\x01\x02\x03"), True)
    bad_leaf = makers.crafted(bad, subject=NAME, issuer=root())
    assert "extensions" in verify_detail(certs(bad_leaf), store(root())).detail


def test_a_weak_root_is_refused_but_its_own_old_signature_is_not():
    weak = make_root("Weak", now=NOW, key="rsa1024")
    assert "RSA 1024" in verify_detail(certs(make_leaf(weak, NAME, now=NOW)), store(weak)).detail
    from certificates.x509.issue import load_issued

    old = makers.weak_digest("sha1")
    issuer = load_issued(old, (makers.workshop() / "weak.key").read_bytes())
    now = max(NOW, old.not_before)
    below = make_leaf(issuer, NAME, now=now)
    assert finding(certs(below), AnchorStore.from_certificates([old]), now=now) == "ok"


def test_an_unknown_critical_extension_is_left_to_the_library():
    odd = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
    bad_leaf = makers.crafted(odd, subject=NAME, issuer=root())
    assert "critical extension" in verify_detail(certs(bad_leaf), store(root())).detail


def test_name_constraints_are_left_to_the_library():
    ca = (x509.BasicConstraints(ca=True, path_length=None), True)
    only = x509.NameConstraints([x509.DNSName("fabrikam.test")], None)
    narrow = makers.crafted(ca, (only, True), subject="Narrow CA", issuer=root())
    below = make_leaf(narrow, NAME, now=NOW, dns_names=[NAME])
    assert "names" in verify_detail(certs(below, narrow), store(root())).detail


def test_an_issuer_with_a_key_of_an_unusual_kind_is_named():
    odd = make_root("Odd", now=NOW, key="ed25519")
    verdict = verify_detail(certs(make_leaf(odd, NAME, now=NOW)), store(odd))
    assert verdict.at_fault == odd.certificate
    assert "Ed25519" in verdict.detail
    assert finding(certs(make_leaf(root(), NAME, now=NOW, key="ed25519")), store(root())) == "ok"


def test_a_refusal_of_the_library_in_unknown_words_is_still_explained(monkeypatch):
    monkeypatch.setattr(verifier, "_LIBRARY_WORDS", ())
    odd = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
    bad_leaf = makers.crafted(odd, subject=NAME, issuer=root())
    assert "strict verification" in verify_detail(certs(bad_leaf), store(root())).detail


@pytest.mark.parametrize("count", [21, 100])
def test_too_many_presented_certificates_are_not_searched(count):
    many = [make_leaf(root(), f"n{number}", now=NOW).certificate for number in range(count)]
    verdict = verify_detail(many, store(root()))
    assert str(count) in verdict.detail


def _ring(count: int) -> list[Issued]:
    """Authorities with one name and one key, each cross-signed by the others' common key."""
    key = make_key()
    ring: list[Issued] = []
    base = make_root("Ring", now=NOW)
    for number in range(count):
        twin = Issued(_renewed_with(base, key, number), key)
        ring.append(twin)
    return ring


def _renewed_with(base: Issued, key, number: int):
    from cryptography.hazmat.primitives import hashes, serialization

    from certificates.x509.certificate import Certificate

    builder = (
        x509.CertificateBuilder()
        .subject_name(base.certificate.x509.subject)
        .issuer_name(base.certificate.x509.subject)
        .public_key(key.public_key())
        .serial_number(number + 1)
        .not_valid_before(LONG_AGO)
        .not_valid_after(NOW + timedelta(days=900))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    der = builder.sign(base.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return Certificate.from_der(der)


def test_look_alikes_do_not_blow_up_the_search():
    ring = _ring(100)
    below = make_leaf(ring[0], NAME, now=NOW)
    assert finding(certs(below, *ring[:19]), store(root())) != "ok"
    anchors = store(*ring)
    assert finding(certs(below), anchors) in {"ok", "verify"}


def test_the_number_of_signature_checks_is_bounded(monkeypatch):
    monkeypatch.setattr(paths, "MAX_CHECKS", 1)
    verdict = verify_detail(PARTIAL, store(root()))
    assert "too much work" in verdict.detail


def test_loops_end_by_themselves():
    first = make_root("Loop A", now=NOW)
    second = make_intermediate(first, "Loop B", now=NOW)
    back = Issued(_renewed_by(first, second), first.key, second)
    below = make_leaf(first, NAME, now=NOW)
    for order in itertools.permutations(certs(second, back)):
        verdict = judge([below.certificate, *order], store(root()))
        assert verdict.finding == "root-mismatch-no-root"


def _renewed_by(subject: Issued, issuer: Issued):
    from cryptography.hazmat.primitives import hashes, serialization

    from certificates.x509.certificate import Certificate

    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.certificate.x509.subject)
        .issuer_name(issuer.certificate.x509.subject)
        .public_key(subject.key.public_key())
        .serial_number(99)
        .not_valid_before(LONG_AGO)
        .not_valid_after(NOW + timedelta(days=900))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    der = builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return Certificate.from_der(der)


@pytest.mark.parametrize("key", ["rsa2048", "ec384"])
def test_chains_of_every_kind_of_key_are_good(key):
    top = make_root("Root", now=NOW, key=key)
    bottom = make_leaf(top, NAME, now=NOW, key=key)
    assert finding(certs(bottom), store(top)) == "ok"


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


def test_v1_wants_exactly_the_uploaded_certificate():
    verdict = judge_leaf_pin(ALONE, certs(root(), leaf()), now=NOW)
    assert verdict.ok
    assert judge_leaf_pin(PLAIN_ITSELF, PLAIN_ITSELF, now=NOW).finding == "ok"
    assert judge_leaf_pin(CA_ITSELF, CA_ITSELF, now=NOW).finding == "ok"
    assert judge_leaf_pin([], ALONE, now=NOW).finding == "no-certificate"


@pytest.mark.parametrize(
    ("presented", "pinned", "words"),
    [
        (ALONE, [], "no authentication certificate"),
        (FULL, certs(root()), "its chain is uploaded"),
        (DIRECT_ALONE, certs(root()), "issuer is uploaded"),
        (ALONE, certs(direct_leaf()), "renewed"),
        (ALONE, certs(other_root()), "another site"),
    ],
)
def test_v1_explains_why_a_certificate_is_not_allowed(presented, pinned, words):
    verdict = judge_leaf_pin(presented, pinned, now=NOW)
    assert verdict.finding == "not-allow-listed"
    assert verdict.at_fault == presented[0]
    assert words in verdict.detail
    assert not verdict.ok


def test_v1_checks_the_dates_of_the_pinned_certificate():
    late = make_leaf(root(), NAME, now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
    verdict = judge_leaf_pin(certs(late), certs(late), now=NOW)
    assert verdict.finding == "dates"
    assert verdict.at_fault == late.certificate
