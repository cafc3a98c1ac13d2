"""The facts that are read from one certificate."""

from __future__ import annotations

import hashlib
from datetime import UTC, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certificates.x509.facts.certificate import MAX_DER_BYTES, Certificate, KeyInfo, printable
from certificates.x509.facts.signatures import is_signed_by
from certificates.x509.issuing.issue import make_leaf, make_root
from certificates.x509.problems import ProblemError
from tests.certificates.x509 import bombs, hostile, makers
from tests.certificates.x509.makers import (
    NAME,
    NOW,
    intermediate,
    large_exponent,
    leaf,
    root,
    self_signed,
)


def test_a_leaf_tells_who_it_is_and_who_issued_it():
    certificate = leaf().certificate
    assert certificate.subject == f"CN={NAME}"
    assert certificate.issuer == "CN=Contoso Issuing CA"
    assert certificate.common_name == NAME
    assert certificate.issuer_common_name == "Contoso Issuing CA"
    assert certificate.dns_names == (NAME,)
    assert certificate.key == KeyInfo("EC", 256, "EC P-256")
    assert certificate.version == 3
    assert certificate.signature_algorithm == "ecdsa-with-SHA256"
    assert certificate.not_before.tzinfo is UTC
    assert certificate.faults == ()


def test_fingerprints_are_upper_case_hexadecimal_as_windows_shows_them():
    certificate = leaf().certificate
    assert certificate.sha256 == hashlib.sha256(certificate.der).hexdigest().upper()
    assert certificate.thumbprint == hashlib.sha1(certificate.der).hexdigest().upper()
    assert int(certificate.serial, 16) == certificate.x509.serial_number


def test_the_role_follows_from_the_issuer_and_the_ca_flag():
    assert root().certificate.role == "root"
    assert intermediate().certificate.role == "intermediate"
    assert leaf().certificate.role == "leaf"
    assert self_signed(ca=False).certificate.role == "self-signed"
    assert self_signed(ca=True).certificate.role == "root"


def test_a_root_with_a_broken_signature_is_self_issued_but_not_self_signed():
    certificate = makers.resigned(root().certificate)
    assert certificate.self_issued
    assert not certificate.self_signed


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_old_signatures_are_still_checked_and_called_weak(digest):
    certificate = makers.weak_digest(digest)
    assert certificate.self_signed
    assert certificate.has_weak_signature


def test_a_sha1_signature_with_an_ec_key_is_checked_too():
    assert makers.weak_digest("sha1", key="ec").self_signed


def test_an_old_signature_by_a_key_that_cannot_make_it_counts_as_wrong():
    rsa = makers.weak_digest("sha1")
    ed25519 = make_root("Ed", now=NOW, key="ed25519").certificate
    assert not is_signed_by(rsa.x509, ed25519.x509)
    assert not is_signed_by(rsa.x509, root().certificate.x509)
    assert not is_signed_by(leaf().certificate.x509, root().certificate.x509)


@pytest.mark.parametrize(
    ("spec", "label"),
    [("ec384", "EC P-384"), ("rsa2048", "RSA 2048"), ("ed25519", "Ed25519")],
)
def test_keys_have_a_readable_label(spec, label):
    assert make_root("Root", now=NOW, key=spec).certificate.key.label == label


@pytest.mark.parametrize(
    ("arguments", "label", "weak"),
    [
        (["-newkey", "ed448"], "Ed448", False),
        (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime192v1"], "EC P-192", True),
        (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], "EC secp256k1", False),
        (["-newkey", "rsa:1024"], "RSA 1024", True),
    ],
)
def test_keys_made_by_openssl_have_a_label_and_a_strength(arguments, label, weak):
    pem = makers.openssl("req", "-x509", *arguments, "-nodes", "-keyout", "{dir}/any.key",
                         "-subj", "/CN=key")  # fmt: skip
    key = makers.one(pem).key
    assert (key.label, key.is_weak) == (label, weak)


def test_a_dsa_key_is_named():
    makers.openssl("dsaparam", "-out", "{dir}/dsa.param", "1024")
    pem = makers.openssl("req", "-x509", "-newkey", "dsa:{dir}/dsa.param", "-nodes", "-keyout",
                         "{dir}/dsa.key", "-subj", "/CN=dsa")  # fmt: skip
    assert makers.one(pem).key.label == "DSA 1024"
    assert makers.one(pem).key.is_weak


def test_a_key_of_an_unusual_kind_is_named_after_its_kind():
    makers.openssl("genpkey", "-algorithm", "X25519", "-out", "{dir}/x.key")
    makers.openssl("pkey", "-in", "{dir}/x.key", "-pubout", "-out", "{dir}/x.pub")
    makers.put("ca.pem", root().certificate.pem.encode())
    makers.put("ca.key", makers.pem_key(root()))
    makers.openssl("req", "-new", "-key", "{dir}/ca.key", "-subj", "/CN=x", "-out", "{dir}/x.csr")
    pem = makers.openssl("x509", "-req", "-in", "{dir}/x.csr", "-CA", "{dir}/ca.pem",
                         "-CAkey", "{dir}/ca.key", "-set_serial", "9",
                         "-force_pubkey", "{dir}/x.pub")  # fmt: skip
    assert makers.one(pem).key.label == "X25519"


def test_a_key_that_cannot_be_loaded_is_a_fault_and_not_an_error():
    der = root().certificate.der.replace(
        b"\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x2a\x86\x48\xce\x3d\x03\x01\x7f"
    )
    certificate = Certificate.from_der(der)
    assert certificate.key.label == "unknown key"
    assert "the public key" in certificate.faults


@pytest.mark.parametrize("make", [makers.spoilt_extension, makers.doubled_extension])
def test_unreadable_extensions_are_a_fault_and_not_an_error(make):
    certificate = make()
    assert certificate.faults == ("the extensions",)
    assert not certificate.is_ca


def test_an_unreadable_name_is_a_fault_and_not_an_error():
    der = root("Unreadable").certificate.der.replace(
        b"Unreadable", b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe"
    )
    certificate = Certificate.from_der(der)
    assert certificate.subject == "(unreadable)"
    assert certificate.faults == ("the subject name", "the issuer name")
    assert certificate.common_name is None
    assert certificate.label == "(unreadable)"


def test_a_certificate_without_a_name_says_so():
    pem = makers.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                         "-nodes", "-keyout", "{dir}/n.key", "-subj", "/")  # fmt: skip
    assert makers.one(pem).subject == "(no name)"


def test_the_most_specific_part_of_a_name_comes_first_and_its_last_common_name_counts():
    pem = makers.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                         "-nodes", "-keyout", "{dir}/n.key", "-subj",
                         "/C=DE/O=Contoso, Ltd/CN=first/CN=second")  # fmt: skip
    certificate = makers.one(pem)
    assert certificate.subject == "CN=second, CN=first, O=Contoso\\, Ltd, C=DE"
    assert certificate.common_name == "second"


def test_names_cannot_disturb_a_line_of_output():
    certificate = make_root("evil\r\n\u202egnp.exe", now=NOW).certificate
    assert "\n" not in certificate.describes()
    assert certificate.common_name == "evil\\u000d\\u000a\\u202egnp.exe"
    assert printable("plain ü") == "plain ü"


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        (hostile.name(*["a"] * 40), True),
        (hostile.name(*["a"] * 41), False),
        (bombs.in_one_part(40), True),
        (bombs.in_one_part(41), False),
        (hostile.name("ü" * 1_900), True),
        (hostile.name("ü" * 2_100), False),
    ],
)
@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_a_name_without_end_is_a_fault(name, readable):
    certificate = Certificate.from_der(hostile.certificate(subject=name))
    faults = [f"the {which} name, which is too long" for which in ("subject", "issuer")]
    assert certificate.faults == (() if readable else tuple(faults))
    assert (certificate.common_name is None) is not readable


def test_a_certificate_beyond_any_size_is_not_read():
    with pytest.raises(ProblemError) as caught:
        Certificate.from_der(leaf().certificate.der + bytes(MAX_DER_BYTES))
    assert caught.value.problem.id == "cer-too-large"


def test_a_large_certificate_keeps_nothing_that_was_unfolded():
    names = [f"n{number}.test" for number in range(1_000)]
    extensions = [hostile.extension(hostile.ALTERNATIVE_NAMES, hostile.general_names(*names))]
    certificate = Certificate.from_der(hostile.certificate(extensions=extensions))
    assert certificate.dns_names == tuple(names)
    assert certificate.x509.public_bytes(serialization.Encoding.DER) == certificate.der


@pytest.mark.parametrize(
    ("bits", "exponent", "label", "unreasonable"),
    [
        (8192, 65537, "RSA 8192", False),
        (8193, 65537, "RSA 8193", True),
        (2048, 1 << 32 | 1, "RSA 2048", False),
        (2048, 1 << 33 | 1, "RSA 2048 with an exponent of 34 bits", True),
    ],
)
def test_keys_that_are_larger_than_any_in_use_are_called_so(bits, exponent, label, unreasonable):
    key = hostile.rsa_key(bits, exponent)
    info = Certificate.from_der(hostile.certificate(key=key)).key
    assert (info.label, info.is_unreasonable) == (label, unreasonable)


def test_a_signature_by_a_key_of_no_use_is_not_checked():
    odd = large_exponent()
    assert odd.certificate.key.is_unreasonable
    assert not odd.certificate.self_signed
    assert not is_signed_by(odd.certificate.x509, odd.certificate.x509)


def test_extensions_limit_what_a_certificate_may_do():
    client = make_leaf(root(), "client", now=NOW, purposes=("client",)).certificate
    assert not client.may_serve
    assert leaf().certificate.may_serve
    assert not leaf().certificate.may_sign_certificates
    assert intermediate().certificate.may_sign_certificates
    assert make_leaf(root(), "any", now=NOW, purposes=()).certificate.may_serve
    assert make_root("Short", now=NOW, path_length=1).certificate.path_length == 1


def test_version_1_is_told_apart():
    old_leaf, old_root = makers.version_1_pair()
    assert (old_leaf.version, old_root.version) == (1, 1)
    assert old_root.self_signed
    assert not old_root.is_ca


def test_certificates_are_equal_when_their_bytes_are():
    again = Certificate.from_der(leaf().certificate.der)
    assert again == leaf().certificate
    assert len({again, leaf().certificate}) == 1
    assert again != root().certificate


def test_a_certificate_describes_itself_in_one_line():
    day = f"{root().certificate.not_after:%Y-%m-%d}"
    assert root().certificate.describes() == f"CN=Contoso Root (root, EC P-256, until {day})"
    assert repr(root().certificate) == f"<Certificate {root().certificate.describes()}>"


def test_validity_includes_both_ends():
    certificate = leaf().certificate
    assert certificate.is_valid_at(certificate.not_before)
    assert certificate.is_valid_at(certificate.not_after)
    assert not certificate.is_valid_at(certificate.not_after + timedelta(seconds=1))
    assert not certificate.is_valid_at(certificate.not_before - timedelta(seconds=1))


def test_the_base64_text_is_what_openssl_writes():
    certificate = leaf().certificate
    assert (
        makers.openssl("x509", "-inform", "DER", stdin=certificate.der).decode() == certificate.pem
    )
    assert certificate.pem == certificate.x509.public_bytes(serialization.Encoding.PEM).decode()


def test_the_label_falls_back_to_a_dns_name():
    san = x509.SubjectAlternativeName([x509.DNSName("only.contoso.test")])
    certificate = makers.crafted((san, False)).certificate
    assert certificate.label == "crafted"
    pem = makers.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                         "-nodes", "-keyout", "{dir}/n.key", "-subj", "/O=Contoso",
                         "-addext", "subjectAltName=DNS:only.contoso.test")  # fmt: skip
    assert makers.one(pem).label == "only.contoso.test"


@pytest.mark.parametrize(
    "data", [b"", b"0", b"0\x80", b"not a certificate", b"\x30\x03\x02\x01\x00"]
)
def test_anything_else_raises_a_problem(data):
    with pytest.raises(ProblemError) as caught:
        Certificate.from_der(data)
    assert caught.value.problem.id == "cer-not-certificate"
    assert caught.value.problem.remedy


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_negative_serial_number_does_not_matter():
    pem = makers.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                         "-nodes", "-keyout", "{dir}/n.key", "-subj", "/CN=n",
                         "-set_serial", "-5")  # fmt: skip
    assert makers.one(pem).serial == "-5"
