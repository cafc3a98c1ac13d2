"""Making certificates."""

from __future__ import annotations

from datetime import timedelta

import pytest

from certificates.x509.issuing import issue
from certificates.x509.issuing.issue import (
    chain_pem,
    key_pem,
    load_issued,
    load_key,
    make_intermediate,
    make_key,
    make_leaf,
    make_root,
    make_self_signed,
    ordered_chain,
    to_pem,
    to_pfx,
)
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NOW, TOMORROW, YESTERDAY, certs, intermediate, leaf, root


def test_a_chain_knows_its_issuers_upward():
    assert leaf().chain == tuple(certs(intermediate(), root()))
    assert root().chain == ()


def test_dates_default_to_an_hour_before_now_and_may_be_set():
    made = make_leaf(root(), "a", now=NOW, days=10).certificate
    assert made.not_before == NOW - timedelta(hours=1)
    assert made.not_after == NOW + timedelta(days=10)
    made = make_root("a", now=NOW, not_before=YESTERDAY, not_after=TOMORROW).certificate
    assert (made.not_before, made.not_after) == (YESTERDAY, TOMORROW)
    future = make_self_signed("a", now=NOW, ca=False, not_before=NOW + timedelta(days=999))
    assert future.certificate.not_after > future.certificate.not_before


def test_names_and_addresses_are_written_as_asked():
    made = make_leaf(
        root(),
        "a",
        now=NOW,
        dns_names=["bücher.test", "*.a.test"],
        ip_addresses=["10.0.0.4", "::1"],
    ).certificate
    assert made.dns_names == ("xn--bcher-kva.test", "*.a.test")
    assert made.ip_addresses == ("10.0.0.4", "::1")


def test_every_key_can_sign_and_be_stored():
    for spec in ("ec", "ec384", "rsa2048", "ed25519"):
        made = make_self_signed("a", now=NOW, ca=True, key=spec)
        assert made.certificate.self_signed
        assert load_key(key_pem(made)).public_key() == made.key.public_key()


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_root("x" * 65, now=NOW),
        lambda: make_root("", now=NOW),
        lambda: make_leaf(root(), "a", now=NOW, ip_addresses=["300.1.1.1"]),
        lambda: make_leaf(root(), "a", now=NOW, dns_names=["ü" * 80]),
        lambda: make_root("a", now=NOW, not_before=TOMORROW, not_after=YESTERDAY),
        lambda: make_key("rsa2"),
        lambda: make_key("kyber"),
        lambda: make_root("a", now=NOW, key="ed25519", digest="sha1"),
        lambda: load_key(b"junk"),
        lambda: load_issued(root().certificate, key_pem(leaf())),
        lambda: load_key(makers.openssl("genpkey", "-algorithm", "X25519")),
    ],
)
def test_what_cannot_be_made_raises_value_error(make):
    with pytest.raises(ValueError, match=r".+"):
        make()


def test_a_stored_authority_goes_on_issuing():
    again = load_issued(intermediate().certificate, key_pem(intermediate()), root())
    made = make_leaf(again, "a", now=NOW)
    assert made.chain == tuple(certs(intermediate(), root()))
    assert made.certificate.authority_key_id == intermediate().certificate.subject_key_id


def test_an_authority_without_key_identifier_is_referred_to_by_its_key():
    plain = makers.crafted(subject="Plain")
    assert make_leaf(plain, "a", now=NOW).certificate.authority_key_id is not None


def test_openssl_reads_what_is_made():
    text = to_pem(*certs(leaf(), intermediate()))
    assert text.count(b"BEGIN CERTIFICATE") == 2
    for legacy in (False, True):
        data = to_pfx(leaf(), "secret", name="listener", chain=leaf().chain, legacy=legacy)
        extra = ["-legacy"] if legacy else []
        out = makers.openssl("pkcs12", *extra, "-nodes", "-passin", "pass:secret", stdin=data)
        assert out.count(b"BEGIN CERTIFICATE") == 3
        assert b"friendlyName: listener" in out


def test_keys_are_in_no_representation():
    assert "key" not in repr(leaf()).lower().replace("key=", "")
    assert issue.Issued.__dataclass_fields__["key"].repr is False


def test_an_intermediate_may_be_limited():
    assert make_intermediate(root(), "a", now=NOW, path_length=0).certificate.path_length == 0


@pytest.mark.parametrize("key", ["ec", "ec384", "rsa1024", "rsa2048"])
def test_a_sha_1_signature_is_made_and_checked_by_openssl(key):
    issuer = make_root("old root", now=NOW, key=key, digest="sha1")
    made = make_leaf(issuer, "old", now=NOW, dns_names=["old.test"], digest="sha1")
    assert made.certificate.has_weak_signature
    assert issuer.certificate.role == "root"
    makers.put("sha1root.pem", to_pem(issuer.certificate))
    moment = str(int(NOW.timestamp()))
    out = makers.openssl(
        "verify", "-auth_level", "0", "-attime", moment, "-CAfile", "{dir}/sha1root.pem",
        stdin=to_pem(made.certificate),
    )  # fmt: skip
    assert b"OK" in out


def test_every_kind_of_certificate_may_have_a_sha_1_signature():
    below = make_intermediate(root(), "a", now=NOW, digest="sha1").certificate
    own = make_self_signed("a", now=NOW, ca=False, key="rsa2048", digest="sha1").certificate
    assert below.signature_algorithm == "ecdsa-with-SHA1"
    assert own.signature_algorithm == "sha1WithRSAEncryption"
    assert own.self_signed


def test_a_large_certificate_may_have_a_sha_1_signature():
    names = [f"host{number}.contoso.test" for number in range(4000)]
    made = make_leaf(root(), "a", now=NOW, dns_names=names, digest="sha1").certificate
    assert made.dns_names == tuple(names)


@pytest.mark.parametrize(
    ("purposes", "may_serve"),
    [(["server"], True), (["client"], False), (["server", "client"], True), ([], True),
     (["code-signing"], False)],
)  # fmt: skip
def test_purposes_are_written_as_asked(purposes, may_serve):
    made = make_leaf(root(), "a", now=NOW, purposes=purposes)
    assert made.certificate.may_serve is may_serve


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("complete", [leaf, intermediate]),
        ("with-root", [leaf, intermediate, root]),
        ("leaf-only", [leaf]),
        ("reversed", [root, intermediate, leaf]),
    ],
)
def test_a_chain_file_holds_what_its_form_says(form, expected):
    wanted = certs(*(make() for make in expected))
    assert list(ordered_chain(leaf().certificate, leaf().chain, form)) == wanted
    assert chain_pem(leaf(), form) == to_pem(*wanted)


def test_a_leaf_can_be_made_for_a_key_that_is_there():
    first = make_leaf(root(), "first", now=NOW)
    second = make_leaf(root(), "second", now=NOW, key=first.key)
    assert second.key is first.key
    assert second.certificate.public_key_der == first.certificate.public_key_der
    assert second.certificate != first.certificate


def test_an_empty_password_leaves_a_pfx_open():
    data = to_pfx(leaf(), "")
    out = makers.openssl("pkcs12", "-nodes", "-passin", "pass:", stdin=data)
    assert b"PRIVATE KEY" in out


def test_international_names_are_spelt_as_the_judge_spells_them():
    names = ["straße.test", "*.😀.test", "βόλος.test"]
    made = make_leaf(root(), "a", now=NOW, dns_names=names).certificate
    assert made.dns_names == ("xn--strae-oqa.test", "*.xn--e28h.test", "xn--nxasmm1c.test")


@pytest.mark.parametrize("name", ["ü" * 64 + ".test", "ü..test", "ü" * 300])
def test_an_international_name_without_a_spelling_is_refused(name):
    with pytest.raises(ValueError, match="cannot hold the name"):
        make_leaf(root(), "a", now=NOW, dns_names=[name])
