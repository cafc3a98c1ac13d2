"""What each kind of CER upload must be."""

from __future__ import annotations

import pytest

from certificates.x509.issuing.issue import (
    key_pem,
    load_issued,
    make_intermediate,
    make_leaf,
    make_root,
    make_self_signed,
    to_pem,
)
from certificates.x509.places import uploads
from certificates.x509.places.uploads import (
    authentication_certificate,
    client_ca_certificate,
    trusted_root_certificate,
)
from tests.certificates.x509 import hostile, makers
from tests.certificates.x509.makers import (
    LONG_AGO,
    NOW,
    TOMORROW,
    YESTERDAY,
    certs,
    intermediate,
    leaf,
    other_root,
    root,
    self_signed,
)


def root_upload(data, *, base64_only=True, now=NOW):
    return trusted_root_certificate(data, now=now, base64_only=base64_only)


def leaf_upload(data, *, base64_only=True, now=NOW):
    return authentication_certificate(data, now=now, base64_only=base64_only)


def client_upload(data, *, now=NOW):
    return client_ca_certificate(data, now=now)


def ids(upload):
    return [problem.id for problem in upload.problems]


def pem(*issued):
    return to_pem(*certs(*issued))


def test_a_root_is_what_v2_wants():
    upload = root_upload(pem(root()))
    assert upload.ok
    assert upload.certificates == (root().certificate,)
    assert upload.problems == ()
    assert (upload.base64_text, upload.key_pem) == (None, None)


def test_a_leaf_is_what_v1_wants():
    for issued in (leaf(), self_signed(ca=False)):
        upload = leaf_upload(pem(issued))
        assert upload.ok
        assert upload.certificates == (issued.certificate,)
        assert upload.problems == ()


@pytest.mark.parametrize("judge", [root_upload, leaf_upload])
def test_the_binary_form_is_refused_in_a_box_but_comes_converted(judge):
    der = root().certificate.der
    upload = judge(der)
    assert ids(upload)[0] == "cer-is-der"
    assert not upload.ok
    assert upload.certificates == ()
    assert upload.base64_text == root().certificate.pem
    again = judge(upload.base64_text.encode())
    assert again.ok


@pytest.mark.parametrize("judge", [root_upload, leaf_upload])
def test_the_binary_form_is_taken_elsewhere(judge):
    upload = judge(root().certificate.der, base64_only=False)
    assert upload.ok
    assert upload.certificates == (root().certificate,)
    assert upload.base64_text == root().certificate.pem


@pytest.mark.parametrize("judge", [root_upload, leaf_upload])
def test_exactly_one_certificate_is_wanted(judge):
    upload = judge(pem(leaf(), intermediate(), root()))
    assert ids(upload) == ["cer-several"]
    assert upload.certificates == ()
    assert "3 certificates" in upload.problems[0].message


def test_the_same_certificate_twice_is_one():
    assert root_upload(pem(root(), root())).ok


@pytest.mark.parametrize("judge", [root_upload, leaf_upload, client_upload])
def test_a_private_key_is_refused_and_not_repeated(judge):
    upload = judge(pem(root()) + key_pem(root()))
    assert "cer-private-key" in ids(upload)
    assert upload.certificates == ()
    assert upload.key_pem is None
    body = key_pem(root()).decode().splitlines()[1]
    assert body not in repr(upload)


@pytest.mark.parametrize("judge", [root_upload, leaf_upload, client_upload])
def test_a_p7b_is_refused(judge):
    path = makers.put("one.pem", pem(root()))
    p7b = makers.openssl("crl2pkcs7", "-nocrl", "-certfile", path)
    upload = judge(p7b)
    assert ids(upload)[0] == "cer-is-p7b"
    assert not upload.ok
    assert upload.base64_text is None


@pytest.mark.parametrize("judge", [root_upload, leaf_upload, client_upload])
def test_what_the_reader_says_is_passed_on(judge):
    assert ids(judge(b"")) == ["cer-empty"]
    assert ids(judge(b"\xef\xbb\xbf" + pem(root())))[0] == "cer-bom"
    assert judge(b"\xef\xbb\xbf" + pem(root())).ok
    assert not judge(b"junk").ok


@pytest.mark.parametrize("judge", [root_upload, leaf_upload])
def test_a_file_that_is_far_too_large_is_refused(judge):
    assert ids(judge(b" " * (uploads.MAX_CER_BYTES + 1))) == ["cer-too-large"]


def test_v1_warns_of_an_authority():
    for issued in (root(), intermediate()):
        upload = leaf_upload(pem(issued))
        assert ids(upload) == ["auth-is-ca"]
        assert upload.ok
        assert upload.certificates == (issued.certificate,)


def test_v2_refuses_a_leaf_and_an_intermediate_and_names_their_issuer():
    upload = root_upload(pem(leaf()))
    assert ids(upload) == ["root-is-leaf"]
    assert "Contoso Issuing CA" in upload.problems[0].message
    upload = root_upload(pem(intermediate()))
    assert ids(upload) == ["root-is-intermediate"]
    assert "Contoso Root" in upload.problems[0].message


def test_v2_warns_of_a_self_signed_certificate_that_is_no_authority():
    upload = root_upload(pem(self_signed(ca=False)))
    assert ids(upload) == ["root-not-ca"]
    assert upload.ok
    assert root_upload(pem(self_signed(ca=True))).problems == ()


def test_v2_warns_of_a_version_1_root():
    _, old_root = makers.version_1_pair()
    upload = root_upload(to_pem(old_root), now=max(NOW, old_root.not_before))
    assert ids(upload) == ["root-version-1"]
    assert upload.ok


def test_v2_refuses_a_root_whose_signature_does_not_fit():
    upload = root_upload(to_pem(makers.resigned(root().certificate)))
    assert ids(upload) == ["root-signature-broken"]


@pytest.mark.parametrize("judge", [root_upload, leaf_upload])
def test_dates_are_warnings(judge):
    late = make_self_signed("late", now=NOW, ca=True, not_before=LONG_AGO, not_after=YESTERDAY)
    early = make_self_signed("early", now=NOW, ca=True, not_before=TOMORROW)
    assert "certificate-expired" in ids(judge(pem(late)))
    assert "certificate-not-yet-valid" in ids(judge(pem(early)))
    assert judge(pem(late)).ok
    assert judge(pem(early)).ok
    assert "certificate-not-yet-valid" not in ids(judge(pem(early), now=TOMORROW))


@pytest.mark.parametrize("judge", [root_upload, leaf_upload])
def test_weak_keys_and_signatures_are_warnings(judge):
    weak = make_root("weak", now=NOW, key="rsa1024")
    assert "certificate-weak-key" in ids(judge(pem(weak)))
    assert judge(pem(weak)).ok
    sha1 = makers.weak_digest("sha1")
    upload = judge(to_pem(sha1), now=max(NOW, sha1.not_before))
    assert "certificate-weak-signature" in ids(upload)
    assert upload.ok


@pytest.mark.parametrize("judge", [root_upload, leaf_upload])
def test_a_certificate_that_cannot_be_read_completely_is_refused(judge):
    upload = judge(to_pem(makers.spoilt_extension()))
    assert "certificate-malformed" in ids(upload)
    assert not upload.ok


def test_a_key_larger_than_any_in_use_is_all_that_is_said_of_a_root():
    huge = hostile.certificate(key=hostile.rsa_key(16384), extensions=[hostile.AUTHORITY])
    for judge in (root_upload, client_upload):
        upload = judge(hostile.pem(huge))
        assert ids(upload) == ["certificate-key-too-large"]
        assert not upload.ok


def test_a_client_ca_file_has_one_root_and_its_intermediates():
    for chain in ([intermediate(), root()], [root(), intermediate()], [root()]):
        upload = client_upload(pem(*chain))
        assert upload.ok
        assert upload.problems == ()
        assert upload.certificates == tuple(certs(*chain))


def test_a_client_s_own_certificate_in_the_file_is_left_out():
    upload = client_upload(pem(leaf(), intermediate(), root()))
    assert ids(upload) == ["client-ca-leaf"]
    assert upload.certificates == tuple(certs(intermediate(), root()))


def test_a_client_ca_file_without_authority_is_refused():
    for issued in (leaf(), self_signed(ca=False)):
        assert ids(client_upload(pem(issued))) == ["client-ca-none"]


def test_a_client_ca_file_wants_exactly_one_root():
    upload = client_upload(pem(root(), other_root()))
    assert ids(upload) == ["client-ca-roots"]
    assert "Fabrikam Root" in upload.problems[0].message
    upload = client_upload(pem(intermediate()))
    assert "client-ca-roots" in ids(upload)
    assert not upload.ok


def test_an_intermediate_that_leads_elsewhere_is_a_warning():
    stray = make_intermediate(other_root(), "Stray CA", now=NOW)
    upload = client_upload(pem(root(), stray))
    assert ids(upload) == ["client-ca-chain-broken"]
    assert "Fabrikam Root" in upload.problems[0].message
    assert upload.ok


def test_a_client_ca_file_is_text():
    upload = client_upload(root().certificate.der)
    assert ids(upload) == ["cer-is-der"]
    assert upload.base64_text == root().certificate.pem


def test_a_client_ca_file_has_25_kb_at_most():
    assert (uploads.CLIENT_CA_MAX_BYTES, uploads.MAX_CER_BYTES) == (25_600, 65_536)
    padding = b"\n" * (uploads.CLIENT_CA_MAX_BYTES - len(pem(root())))
    assert client_upload(pem(root()) + padding).ok
    assert ids(client_upload(pem(root()) + padding + b"\n")) == ["client-ca-too-large"]


def test_a_client_ca_file_is_judged_for_dates_too():
    late = make_root("late", now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
    assert ids(client_upload(pem(late))) == ["certificate-expired"]


def test_an_issuer_without_a_common_name_is_named_by_its_subject():
    subject = "/O=Nameless"
    made = makers.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                          "-nodes", "-keyout", "{dir}/nl.key", "-subj", subject)  # fmt: skip
    nameless = load_issued(makers.one(made), (makers.workshop() / "nl.key").read_bytes())
    below = make_leaf(nameless, "below", now=NOW)
    assert "O=Nameless" in root_upload(pem(below)).problems[0].message
