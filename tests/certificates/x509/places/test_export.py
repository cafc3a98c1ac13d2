"""Exported files, read back by openssl and compared."""

from __future__ import annotations

import base64
import subprocess
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given
from hypothesis import strategies as st

from certificates.x509.facts.certificate import Certificate
from certificates.x509.files.pfx import open_pfx
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing import issue
from certificates.x509.places.export import (
    FORMATS,
    Answer,
    Format,
    KeyUnusableError,
    PasswordRefusedError,
    answers,
    base64_text,
    export,
)
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NOW, openssl

PASSWORD = "1aB2cd3E"
KEYS: tuple[issue.KeySpec, ...] = ("ec", "ec384", "rsa2048", "ed25519")


def chain() -> list[Certificate]:
    return list(makers.leaf().chain)


@pytest.mark.parametrize("key", KEYS)
def test_openssl_reads_back_the_binary_and_the_base_64_form(key: issue.KeySpec) -> None:
    certificate = issue.make_self_signed("one.test", now=NOW, ca=False, key=key).certificate
    for form, name in ((export(certificate, "der"), "DER"), (export(certificate, "base64"), "PEM")):
        read = openssl("x509", "-inform", name, "-outform", "DER", stdin=form.content)
        assert read == certificate.der
        assert (form.extension, form.media_type) == (".cer", "application/pkix-cert")
    assert export(certificate, "der").content == certificate.der


def test_the_base_64_form_is_written_as_windows_does() -> None:
    certificate = makers.leaf().certificate
    text = base64_text(certificate)
    assert text.endswith(b"-----END CERTIFICATE-----\r\n")
    first, *body, last, rest = text.split(b"\r\n")
    assert (first, last) == (b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----")
    assert rest == b""
    assert b"\n" not in b"".join(body)
    assert {len(line) for line in body[:-1]} == {64}
    assert 0 < len(body[-1]) <= 64
    assert base64.b64decode(b"".join(body)) == certificate.der
    reading = read_certificates(text)
    assert reading.certificates == (certificate,)
    assert reading.problems == ()


def test_openssl_reads_back_a_p7b_with_and_without_the_path() -> None:
    certificate = makers.leaf().certificate
    for issuers in ([], chain()):
        file = export(certificate, "p7b", chain=issuers)
        assert file.extension == ".p7b"
        listed = openssl("pkcs7", "-inform", "DER", "-print_certs", stdin=file.content)
        found = read_certificates(listed).certificates
        assert set(found) == {certificate, *issuers}
        assert len(found) == 1 + len(issuers)
        assert set(read_certificates(file.content).certificates) == {certificate, *issuers}


def test_a_path_that_names_the_certificate_itself_holds_it_once() -> None:
    root = makers.root()
    file = export(root.certificate, "p7b", chain=[root.certificate])
    assert read_certificates(file.content).certificates == (root.certificate,)
    pfx = export(
        root.certificate,
        "pfx",
        chain=[root.certificate],
        key_pem=issue.key_pem(root),
        password=PASSWORD,
    )
    assert open_pfx(pfx.content, PASSWORD).others == ()


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("key", KEYS)
def test_openssl_opens_a_pfx_in_both_protections(key: issue.KeySpec, legacy: bool) -> None:
    leaf = issue.make_leaf(makers.intermediate(), "pfx.test", now=NOW, key=key)
    file = export(
        leaf.certificate,
        "pfx",
        chain=leaf.chain,
        key_pem=issue.key_pem(leaf),
        password=PASSWORD,
        name="Backend certificate",
        legacy=legacy,
    )
    assert (file.extension, file.media_type) == (".pfx", "application/x-pkcs12")
    path = makers.put("export.pfx", file.content)
    old = ["-legacy"] if legacy else []
    opened = openssl("pkcs12", "-in", path, "-passin", f"pass:{PASSWORD}", "-nodes", *old)
    assert set(read_certificates(opened).certificates) == {leaf.certificate, *leaf.chain}
    key_text = opened[opened.index(b"-----BEGIN PRIVATE KEY-----") :]
    assert issue.load_key(key_text).public_key() == leaf.key.public_key()
    assert b"friendlyName: Backend certificate" in opened
    described = subprocess.run(
        ["openssl", "pkcs12", "-in", path, "-passin", f"pass:{PASSWORD}", "-info", "-noout", *old],
        capture_output=True,
        check=True,
    ).stderr
    assert (b"TripleDES" in described or b"3-KeyTripleDES" in described) is legacy
    assert (b"AES-256" in described) is not legacy
    wrong = subprocess.run(
        ["openssl", "pkcs12", "-in", path, "-passin", "pass:another", "-noout", *old],
        capture_output=True,
        check=False,
    )
    assert wrong.returncode != 0
    own = open_pfx(file.content, PASSWORD)
    assert own.certificate == leaf.certificate
    assert set(own.others) == set(leaf.chain)


def test_a_pfx_needs_a_key_that_fits() -> None:
    leaf = makers.leaf()
    keys = (
        None,
        b"no key at all",
        issue.key_pem(makers.root()),
        plain_text(dsa.generate_private_key(1024)),
    )
    for key in keys:
        with pytest.raises(KeyUnusableError):
            export(leaf.certificate, "pfx", key_pem=key, password=PASSWORD)


@pytest.mark.parametrize("password", ["", "nul\0byte", "smile😀", "half\ud800"])
def test_a_pfx_needs_a_password_that_every_reader_spells_alike(password: str) -> None:
    with pytest.raises(PasswordRefusedError):
        export(
            makers.leaf().certificate,
            "pfx",
            key_pem=issue.key_pem(makers.leaf()),
            password=password,
        )


@given(password=st.text(max_size=12), name=st.text(max_size=12), legacy=st.booleans())
def test_any_password_is_refused_in_words_or_opens_the_file(
    password: str, name: str, legacy: bool
) -> None:
    leaf = makers.self_signed(ca=False)
    try:
        file = export(
            leaf.certificate,
            "pfx",
            key_pem=issue.key_pem(leaf),
            password=password,
            name=name,
            legacy=legacy,
        )
    except PasswordRefusedError:
        assert not password or any(not "\0" < one <= "\uffff" for one in password)
        return
    key, certificate, _ = pkcs12.load_key_and_certificates(file.content, password.encode())
    assert key is not None
    assert issue.load_issued(leaf.certificate, plain_text(key)).certificate == leaf.certificate
    assert certificate == leaf.certificate.x509


def plain_text(key: Any) -> bytes:
    text: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return text


def told(form: Format, certificate: Certificate, issuers: list[Certificate]) -> dict[str, Answer]:
    return {one.place: one for one in answers(form, certificate, issuers, NOW)}


@pytest.mark.parametrize(
    ("form", "authentication", "root", "listener"),
    [
        ("der", "cer-is-der", "cer-is-der", "pfx-is-certificate"),
        ("base64", None, "root-is-leaf", "pfx-is-certificate"),
        ("p7b", "cer-is-p7b", "cer-is-p7b", "pfx-is-certificate"),
        ("pfx", "cer-is-pfx", "cer-is-pfx", None),
    ],
)
def test_what_a_gateway_says_to_a_leaf(
    form: Format, authentication: str | None, root: str | None, listener: str | None
) -> None:
    found = told(form, makers.leaf().certificate, chain())
    for place, wanted in (
        ("authentication", authentication),
        ("root", root),
        ("listener", listener),
    ):
        answer = found[place]
        assert answer.accepted is (wanted is None)
        assert (answer.reason.id if answer.reason else None) == wanted


def test_what_a_gateway_says_to_a_root_in_base_64() -> None:
    found = told("base64", makers.root().certificate, [])
    assert found["root"].accepted
    assert found["root"].reason is None
    # A v1 gateway takes it, and will find the server's own certificate to be another.
    assert found["authentication"].reason is not None
    assert found["authentication"].reason.id == "auth-is-ca"


def test_a_warning_is_told_where_nothing_is_refused() -> None:
    found = told("base64", makers.self_signed(ca=False).certificate, [])
    assert found["root"].accepted
    assert found["root"].reason is not None
    assert not found["root"].reason.is_error


def test_a_pfx_without_the_path_is_told_to_be_incomplete() -> None:
    with_path = told("pfx", makers.leaf().certificate, chain())["listener"]
    without = told("pfx", makers.leaf().certificate, [])["listener"]
    assert with_path.problems == ()
    assert [one.id for one in without.problems] == ["pfx-chain-incomplete"]


def test_answers_are_had_for_every_certificate_and_format() -> None:
    old_leaf, old_root = makers.version_1_pair()
    odd = (old_leaf, old_root, makers.weak_digest("sha1"), makers.spoilt_extension())
    for certificate in (*odd, makers.leaf().certificate, makers.intermediate().certificate):
        for form in FORMATS:
            found = answers(form, certificate, chain(), NOW)
            assert [one.place for one in found] == ["authentication", "root", "listener"]
