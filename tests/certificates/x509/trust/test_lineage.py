"""The path of a certificate, root first, with the broken place marked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509

from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing.issue import make_intermediate, make_leaf, make_root
from certificates.x509.trust.anchors import Anchor, AnchorStore
from certificates.x509.trust.lineage import is_sound, lineage
from certificates.x509.trust.paths import MAX_PRESENTED
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import LONG_AGO, NOW, TOMORROW, YESTERDAY, certs, store

NOBODY = AnchorStore()


def test_a_path_runs_from_the_root_to_the_certificate() -> None:
    leaf, issuing, root = certs(makers.leaf(), makers.intermediate(), makers.root())
    nodes = lineage(leaf, [leaf, issuing, root], store(makers.root()), NOW)
    assert [node.certificate for node in nodes] == [root, issuing, leaf]
    assert [node.label for node in nodes] == ["Contoso Root", "Contoso Issuing CA", makers.NAME]
    assert [node.trusted for node in nodes] == [True, False, False]
    assert [node.origin for node in nodes] == ["uploaded", None, None]
    assert is_sound(nodes)


def test_an_anchor_needs_not_be_among_the_candidates() -> None:
    nodes = lineage(makers.leaf().certificate, certs(makers.intermediate()),
                    store(makers.root()), NOW)  # fmt: skip
    assert nodes[0].label == "Contoso Root"
    assert is_sound(nodes)


def test_a_root_that_is_not_trusted_is_marked() -> None:
    candidates = certs(makers.intermediate(), makers.root())
    nodes = lineage(makers.leaf().certificate, candidates, NOBODY, NOW)
    assert [node.ok for node in nodes] == [False, True, True]
    assert "not among the trusted roots" in nodes[0].problem
    assert not is_sound(nodes)


def test_an_issuer_that_is_not_found_is_a_place_without_certificate() -> None:
    nodes = lineage(makers.leaf().certificate, [], store(makers.root()), NOW)
    assert nodes[0].certificate is None
    assert nodes[0].label == "Contoso Issuing CA"
    assert nodes[0].problem == "The issuer “Contoso Issuing CA” was not found."
    assert [node.ok for node in nodes] == [False, True]
    assert not is_sound(nodes)


def test_a_trusted_root_of_the_name_with_another_key_is_told() -> None:
    renewed = make_root("Contoso Root", now=NOW)
    (missing, _) = lineage(makers.direct_leaf().certificate, [], store(renewed), NOW)
    assert missing.certificate is None
    assert "trusted root has this name, but another key" in missing.problem


def test_a_certificate_of_the_name_with_another_key_is_told() -> None:
    renewed = make_root("Contoso Root", now=NOW)
    (missing, _) = lineage(makers.direct_leaf().certificate, certs(renewed), NOBODY, NOW)
    assert missing.certificate is None
    assert "A certificate of this name is here" in missing.problem


def test_an_uploaded_intermediate_is_no_end_of_a_path() -> None:
    nodes = lineage(makers.leaf().certificate, [], store(makers.intermediate()), NOW)
    assert not is_sound(nodes)
    assert nodes[0].certificate is None


def test_a_signature_that_does_not_fit_is_a_missing_issuer_of_the_name() -> None:
    altered = makers.resigned(makers.direct_leaf().certificate)
    (missing, node) = lineage(altered, certs(makers.root()), NOBODY, NOW)
    assert missing.certificate is None
    assert "its key did not sign" in missing.problem
    assert node.certificate == altered


def test_a_root_with_a_spoilt_signature_says_so() -> None:
    (node,) = lineage(makers.resigned(makers.root().certificate), [], NOBODY, NOW)
    assert "signature does not fit its key" in node.problem
    assert not node.ok


@pytest.mark.parametrize(
    ("ca", "words"),
    [(True, "not among the trusted roots"), (False, "nobody vouches for it")],
    ids=["authority", "no authority"],
)
def test_a_self_signed_certificate_stands_alone(ca: bool, words: str) -> None:
    (node,) = lineage(makers.self_signed(ca=ca).certificate, [], NOBODY, NOW)
    assert words in node.problem
    assert not is_sound((node,))


def test_a_self_signed_certificate_can_be_trusted() -> None:
    trusted = makers.self_signed(ca=False)
    assert is_sound(lineage(trusted.certificate, [], store(trusted), NOW))


def test_every_certificate_outside_its_dates_is_marked() -> None:
    root = make_root("Dated Root", now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
    leaf = make_leaf(root, "dated", now=NOW, not_before=TOMORROW, not_after=None)
    nodes = lineage(leaf.certificate, [], store(root), NOW)
    assert nodes[0].problem == "It expired on 2026-05-31."
    assert nodes[1].problem == "It is not valid before 2026-06-02."
    assert nodes[0].trusted
    assert not is_sound(nodes)


def test_an_expired_root_that_is_not_trusted_says_both() -> None:
    root = make_root("Dated Root", now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
    (node,) = lineage(root.certificate, [], NOBODY, NOW)
    assert "expired" in node.problem
    assert "not among the trusted roots" in node.problem


def test_a_key_that_is_too_short_is_marked_where_it_is() -> None:
    weak = makers.one(
        makers.openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout",
                       "{dir}/short.key", "-subj", "/CN=short", "-days", "9000")
    )  # fmt: skip
    (node,) = lineage(weak, [], AnchorStore([Anchor(weak)]), weak.not_before)
    assert node.problem == "It has a key that is too short (RSA 1024)."


def test_of_a_certificate_with_two_faults_both_are_told() -> None:
    root = make_root("Dated Root", now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
    crafted = makers.crafted((x509.BasicConstraints(ca=False, path_length=None), True),
                             issuer=root, not_after=YESTERDAY)  # fmt: skip
    child = makers.crafted(issuer=crafted)
    nodes = lineage(child.certificate, certs(crafted), store(root), NOW)
    assert "It expired" in nodes[1].problem
    assert "It is no authority" in nodes[1].problem


def test_what_the_library_refuses_is_marked() -> None:
    constraints = x509.NameConstraints([x509.DNSName("fabrikam.test")], None)
    root = makers.crafted(
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (constraints, True),
        subject="Constrained",
    )
    leaf = make_leaf(root, makers.NAME, now=NOW, dns_names=[makers.NAME])
    nodes = lineage(leaf.certificate, [], store(root), NOW)
    assert "outside the names" in nodes[-1].problem


def test_a_way_on_which_nothing_is_wrong_goes_before_another() -> None:
    constraints = x509.NameConstraints([x509.DNSName("fabrikam.test")], None)
    authority = x509.BasicConstraints(ca=True, path_length=None)
    strict = makers.crafted((authority, True), (constraints, True), subject="Two Roots")
    open_minded = makers.reissued(strict, strict)
    leaf = make_leaf(strict, makers.NAME, now=NOW, dns_names=[makers.NAME])
    nodes = lineage(leaf.certificate, [], store(strict, open_minded), NOW)
    assert is_sound(nodes)
    assert nodes[0].certificate == open_minded.certificate


def test_what_the_library_alone_refuses_is_marked() -> None:
    # SHA-3 can be computed here, but no verifier of chains takes it.
    odd = makers.weak_digest("sha3-256", issuer=makers.root())
    nodes = lineage(odd, [], store(makers.root()), odd.not_before)
    assert [node.ok for node in nodes] == [True, False]
    assert "is signed in a way that is not accepted" in nodes[1].problem


def test_the_certificate_of_a_client_is_as_good_as_that_of_a_server() -> None:
    usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH])
    client = makers.crafted((usage, False), issuer=makers.root())
    assert is_sound(lineage(client.certificate, [], store(makers.root()), NOW))


def test_two_certificates_that_issued_each_other_end_the_path() -> None:
    first, second = make_root("First", now=NOW), make_root("Second", now=NOW)
    one = makers.reissued(first, second).certificate
    other = makers.reissued(second, first).certificate
    nodes = lineage(one, [one, other], NOBODY, NOW)
    assert [node.certificate for node in nodes] == [None, other, one]


def test_look_alikes_do_not_crowd_out_the_issuer() -> None:
    alike = certs(*(makers.root(f"Contoso Root {number}") for number in range(3)))
    issuer = makers.root("Contoso Root 0").certificate
    crowd = [
        replace(issuer, der=issuer.der + bytes([number]), subject_key_id=b"%d" % number)
        for number in range(200)
    ]
    leaf = make_leaf(makers.root("Contoso Root 0"), "crowded", now=NOW)
    nodes = lineage(leaf.certificate, [*crowd, *alike], NOBODY, NOW)
    assert nodes[0].certificate == issuer


def test_look_alikes_with_the_same_key_are_cut_off_those_in_date_first() -> None:
    issuer = makers.root().certificate
    old = [replace(issuer, der=bytes([n]), not_after=YESTERDAY) for n in range(MAX_PRESENTED + 5)]
    nodes = lineage(makers.direct_leaf().certificate, [*old, issuer], store(makers.root()), NOW)
    assert nodes[0].certificate == issuer
    assert is_sound(nodes)


def test_a_path_that_takes_too_much_work_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certificates.x509.trust.paths.MAX_CHECKS", 0)
    (node,) = lineage(makers.leaf().certificate, certs(makers.intermediate()), NOBODY, NOW)
    assert "not followed" in node.problem
    assert not node.ok


def test_what_cannot_be_read_has_a_path_too() -> None:
    spoilt: list[Certificate] = [makers.spoilt_extension(), makers.doubled_extension()]
    for one in spoilt:
        assert not is_sound(lineage(one, spoilt, AnchorStore([Anchor(one)]), NOW))


def test_an_intermediate_has_its_path() -> None:
    second = make_intermediate(makers.intermediate(), "Second", now=NOW)
    candidates = certs(makers.intermediate(), makers.root())
    nodes = lineage(second.certificate, candidates, store(makers.root()), NOW)
    assert [node.label for node in nodes] == ["Contoso Root", "Contoso Issuing CA", "Second"]
