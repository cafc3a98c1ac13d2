"""What is wrong with a chain that leads to an anchor, and chains that try to take long."""

from __future__ import annotations

import itertools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing.issue import (
    load_issued,
    make_intermediate,
    make_key,
    make_leaf,
    make_root,
)
from certificates.x509.trust import paths, verifier
from certificates.x509.trust.anchors import AnchorStore
from certificates.x509.trust.chains import judge_chain
from tests.certificates.x509 import hostile, makers
from tests.certificates.x509.makers import (
    NAME,
    NOW,
    certs,
    intermediate,
    leaf,
    root,
    store,
)

EMPTY = AnchorStore()
CA = (x509.BasicConstraints(ca=True, path_length=None), True)
PARTIAL = certs(leaf(), intermediate())


def judge(presented, anchors=EMPTY, *, well_known=False, now=NOW):
    return judge_chain(presented, anchors, well_known=well_known, now=now)


def finding(presented, anchors=EMPTY, *, well_known=False, now=NOW):
    return judge(presented, anchors, well_known=well_known, now=now).finding


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
    top = load_issued(old_root, (makers.workshop() / "v1root.key").read_bytes())
    now = max(NOW, old_root.not_before)
    middle = make_intermediate(top, "Middle", now=now)
    bottom = make_leaf(middle, NAME, now=now)
    anchors = AnchorStore.from_certificates([old_root])
    assert finding(certs(bottom, middle), anchors, now=now) == "ok"
    direct = make_leaf(top, NAME, now=now)
    assert finding(certs(direct), anchors, now=now) == "ok"


def test_an_intermediate_of_version_1_is_no_authority():
    old_leaf, old_root = makers.version_1_pair()
    issuer = load_issued(old_leaf, (makers.workshop() / "v1leaf.key").read_bytes())
    now = max(NOW, old_leaf.not_before)
    below = make_leaf(issuer, "below", now=now)
    anchors = AnchorStore.from_certificates([old_root])
    verdict = verify_detail([below.certificate, old_leaf, old_root], anchors, now=now)
    assert verdict.at_fault == old_leaf
    assert (verdict.openssl, verdict.source) == (79, "RFC 5280 4.2.1.9")


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
    mute = makers.crafted(CA, (usage, True), subject="Mute", issuer=root())
    below = make_leaf(mute, NAME, now=NOW)
    verdict = verify_detail(certs(below, mute), store(root()))
    assert "key usage" in verdict.detail
    assert (verdict.at_fault, verdict.openssl) == (mute.certificate, 32)


PURPOSES = x509.ExtendedKeyUsageOID


@pytest.mark.parametrize(
    ("purposes", "expected"),
    [
        (None, "ok"),
        ([PURPOSES.SERVER_AUTH], "ok"),
        ([PURPOSES.CLIENT_AUTH, PURPOSES.SERVER_AUTH], "ok"),
        ([PURPOSES.ANY_EXTENDED_KEY_USAGE], "ok"),
        ([PURPOSES.CLIENT_AUTH], "verify"),
        ([PURPOSES.CODE_SIGNING, PURPOSES.EMAIL_PROTECTION], "verify"),
    ],
)
def test_purposes_count_where_they_are_listed(purposes, expected):
    listed = [(x509.ExtendedKeyUsage(purposes), False)] if purposes else []
    server = makers.crafted(*listed, subject=NAME, issuer=root())
    verdict = judge(certs(server), store(root()))
    assert verdict.finding == expected
    issuing = makers.crafted(CA, *listed, subject="Purpose CA", issuer=root())
    below = make_leaf(issuing, NAME, now=NOW)
    verdict = judge(certs(below, issuing), store(root()))
    assert verdict.finding == expected
    if expected != "ok":
        assert verdict.at_fault == issuing.certificate
        assert (verdict.openssl, verdict.source) == (26, "RFC 5280 4.2.1.12")
    # Of a trusted root only the name and the key count.
    top = makers.crafted(CA, *listed, subject="Purpose Root")
    assert finding(certs(make_leaf(top, NAME, now=NOW)), store(top)) == "ok"


@pytest.mark.parametrize(
    ("place", "expected"), [(0, "ok"), (2, "ok"), (4, "ok"), (1, "verify"), (5, "verify")]
)
def test_the_key_usage_of_a_server_must_allow_a_handshake(place, expected):
    usage = x509.KeyUsage(*[at == place for at in range(9)])
    server = makers.crafted((usage, True), subject=NAME, issuer=root())
    verdict = judge(certs(server), store(root()))
    assert verdict.finding == expected
    if expected != "ok":
        assert "TLS server" in verdict.detail
        assert verdict.openssl == 26


def test_the_allowed_number_of_intermediates_is_counted():
    narrow = make_root("Narrow", now=NOW, path_length=0)
    middle = make_intermediate(narrow, "Middle", now=NOW)
    below = make_leaf(middle, NAME, now=NOW)
    assert finding(certs(make_leaf(narrow, NAME, now=NOW)), store(narrow)) == "ok"
    verdict = verify_detail(certs(below, middle), store(narrow))
    assert "allows 0" in verdict.detail
    assert verdict.at_fault == narrow.certificate
    # What an authority issued to itself does not count (RFC 5280 6.1.4).
    rollover = makers.reissued(narrow, narrow, key=make_key())
    renewed = certs(make_leaf(rollover, NAME, now=NOW), rollover, narrow)
    assert verifier.own_refusal(renewed) is None


def test_an_intermediate_for_clients_only_is_named():
    usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    clients = makers.crafted(CA, (usage, False), subject="Clients CA", issuer=root())
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
    verdict = verify_detail(certs(make_leaf(weak, NAME, now=NOW)), store(weak))
    assert "RSA 1024" in verdict.detail
    assert (verdict.at_fault, verdict.openssl) == (weak.certificate, 67)
    old = makers.weak_digest("sha1")
    issuer = load_issued(old, (makers.workshop() / "weak.key").read_bytes())
    now = max(NOW, old.not_before)
    below = make_leaf(issuer, NAME, now=now)
    assert finding(certs(below), AnchorStore.from_certificates([old]), now=now) == "ok"


def test_an_unknown_critical_extension_is_named_with_its_certificate():
    odd = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
    bad_leaf = makers.crafted(odd, subject=NAME, issuer=root())
    verdict = verify_detail(certs(bad_leaf), store(root()))
    assert "(1.2.3.4)" in verdict.detail
    assert (verdict.openssl, verdict.source) == (34, "RFC 5280 4.2")
    bad_ca = makers.crafted(CA, odd, subject="Odd CA", issuer=root())
    verdict = verify_detail(certs(make_leaf(bad_ca, NAME, now=NOW), bad_ca), store(root()))
    assert verdict.at_fault == bad_ca.certificate


def test_a_critical_extension_on_policies_is_understood_where_the_library_gives_up():
    policies = x509.PolicyConstraints(require_explicit_policy=None, inhibit_policy_mapping=0)
    strict = makers.crafted(CA, (policies, True), subject="Policy CA", issuer=root())
    below = make_leaf(strict, NAME, now=NOW)
    assert finding(certs(below, strict), store(root())) == "ok"
    harmless = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False)
    assert finding(certs(makers.crafted(harmless, issuer=root())), store(root())) == "ok"


def test_an_intermediate_with_an_old_signature_is_named():
    old = make_intermediate(root(), "SHA-1 CA", now=NOW, digest="sha1")
    verdict = verify_detail(certs(make_leaf(old, NAME, now=NOW), old), store(root()))
    assert verdict.at_fault == old.certificate
    assert "SHA1" in verdict.detail
    assert (verdict.openssl, verdict.source[:2]) == (68, "CA")


def test_an_old_digest_in_a_padding_of_its_own_is_an_old_signature():
    top = make_root("PSS Root", now=NOW, key="rsa2048")
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    modern = makers.crafted(subject=NAME, issuer=top, padding=pss)
    assert finding(certs(modern), store(top)) == "ok"
    put_in = {"issuer.pem": top.certificate.pem.encode(), "issuer.key": makers.pem_key(top)}
    for name, data in put_in.items():
        makers.put(name, data)
    pem = makers.openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "{dir}/pss.key", "-subj",
        f"/CN={NAME}", "-sha1", "-sigopt", "rsa_padding_mode:pss", "-CA", "{dir}/issuer.pem",
        "-CAkey", "{dir}/issuer.key", "-addext", "basicConstraints=critical,CA:FALSE",
    )  # fmt: skip
    old = makers.one(pem)
    verdict = verify_detail([old], store(top), now=max(NOW, old.not_before))
    assert "outdated" in verdict.detail
    assert verdict.openssl == 68


def test_a_key_beyond_any_use_is_refused_without_being_used():
    huge = hostile.certificate(
        subject=hostile.name("Huge"), key=hostile.rsa_key(16384), extensions=[hostile.AUTHORITY]
    )
    top = Certificate.from_der(huge)
    below = Certificate.from_der(hostile.certificate(issuer=hostile.name("Huge")))
    for anchors in (AnchorStore.from_certificates([top]), store(root())):
        verdict = verify_detail([below, top], anchors)
        assert verdict.at_fault == top
        assert "RSA 16384" in verdict.detail
    exponent = hostile.rsa_key(2048, 1 << 100 | 1)
    odd = hostile.certificate(
        key=exponent, issuer=root().certificate.subject_key, signer=root().key
    )
    assert "101 bits" in verify_detail([Certificate.from_der(odd)], store(root())).detail


def test_an_issuer_with_a_key_of_an_unusual_kind_is_named():
    odd = make_root("Odd", now=NOW, key="ed25519")
    verdict = verify_detail(certs(make_leaf(odd, NAME, now=NOW)), store(odd))
    assert verdict.at_fault == odd.certificate
    assert "Ed25519" in verdict.detail
    assert "OpenSSL" not in verdict.detail  # it has no number for this
    assert finding(certs(make_leaf(root(), NAME, now=NOW, key="ed25519")), store(root())) == "ok"


def test_a_signature_that_only_the_library_refuses_is_named_with_its_certificate():
    middle = makers.crafted(CA, subject="SHA-224 CA", issuer=root(), digest=hashes.SHA224())
    below = make_leaf(middle, NAME, now=NOW)
    verdict = verify_detail(certs(below, middle), store(root()))
    assert verdict.at_fault == middle.certificate
    assert "ecdsa-with-SHA224" in verdict.detail
    assert "SHA-256" in verdict.rule
    old_leaf = makers.crafted(subject=NAME, issuer=root(), digest=hashes.SHA224())
    assert verify_detail(certs(old_leaf), store(root())).at_fault == old_leaf.certificate


def test_a_refusal_of_the_library_in_unknown_words_is_still_explained(monkeypatch):
    monkeypatch.setattr(verifier, "_FORBIDDEN_ALGORITHM", "something else")
    old_leaf = makers.crafted(subject=NAME, issuer=root(), digest=hashes.SHA224())
    assert "strict verification" in verify_detail(certs(old_leaf), store(root())).detail


@pytest.mark.parametrize("count", [21, 100])
def test_too_many_presented_certificates_are_not_searched(count):
    many = [make_leaf(root(), f"n{number}", now=NOW).certificate for number in range(count)]
    verdict = verify_detail(many, store(root()))
    assert str(count) in verdict.detail


def test_as_many_as_may_be_presented_are_searched():
    others = [make_root(f"n{number}", now=NOW) for number in range(paths.MAX_PRESENTED - 2)]
    assert finding(certs(leaf(), *others, intermediate()), store(root())) == "ok"


def test_look_alikes_do_not_blow_up_the_search():
    base, key = make_root("Ring", now=NOW), make_key()
    ring = [makers.reissued(base, base, key=key) for _ in range(100)]
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
    back = makers.reissued(first, second)
    below = make_leaf(first, NAME, now=NOW)
    for order in itertools.permutations(certs(second, back)):
        verdict = judge([below.certificate, *order], store(root()))
        assert verdict.finding == "root-mismatch-no-root"


@pytest.mark.parametrize("key", ["rsa2048", "ec384"])
def test_chains_of_every_kind_of_key_are_good(key):
    top = make_root("Root", now=NOW, key=key)
    bottom = make_leaf(top, NAME, now=NOW, key=key)
    assert finding(certs(bottom), store(top)) == "ok"
