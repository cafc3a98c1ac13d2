"""Files made by the ``openssl`` program are taken: PFX of all ages, P7B, and texts with more in
them than a certificate."""

from __future__ import annotations

import pytest

from certificates.x509.files import pfx, pfx_child
from certificates.x509.files.contents import look
from certificates.x509.files.pfx import look_into_pfx, open_pfx, unusual_protection
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing.issue import Issued, KeySpec, key_pem, make_leaf, to_pem
from certificates.x509.places.uploads import (
    client_ca_certificate,
    listener_certificate,
    trusted_root_certificate,
)
from certificates.x509.problems import ProblemError
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NAME, NOW, certs, intermediate, leaf, root

PASSWORD = "secret12"
KEYS: tuple[KeySpec, ...] = ("rsa2048", "rsa3072", "ec", "ec384", "ed25519")
PROTECTIONS = {
    "modern": (),
    "modern with SHA-512": ("-macalg", "sha512"),
    "AES-128": ("-certpbe", "AES-128-CBC", "-keypbe", "AES-128-CBC"),
    "legacy": ("-legacy",),
    "legacy, all TripleDES": ("-legacy", "-descert"),
    "RC2 with 40 bits": ("-legacy", "-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-RC2-40"),
}


def pfx_of(issued: Issued, *options: str) -> bytes:
    certificate = makers.put("of.crt", to_pem(issued.certificate))
    chain = makers.put("of-chain.crt", to_pem(*issued.chain))
    return makers.openssl(
        "pkcs12", "-export", "-in", certificate, "-inkey", makers.put("of.key", key_pem(issued)),
        "-certfile", chain, "-name", "a friendly name", "-passout", f"pass:{PASSWORD}", *options,
    )  # fmt: skip


@pytest.fixture(scope="module", params=KEYS)
def issued(request: pytest.FixtureRequest) -> Issued:
    return make_leaf(intermediate(), NAME, now=NOW, dns_names=[NAME], key=request.param)


@pytest.mark.parametrize("options", PROTECTIONS.values(), ids=PROTECTIONS)
def test_a_pfx_with_any_key_opens_however_it_is_protected(
    issued: Issued, options: tuple[str, ...]
) -> None:
    data = pfx_of(issued, *options)
    opened = open_pfx(data, PASSWORD)
    assert opened.certificate == issued.certificate
    assert set(opened.others) == set(issued.chain)
    public = makers.openssl("pkey", "-pubout", stdin=opened.key_pem)
    assert public == makers.openssl("pkey", "-pubout", stdin=key_pem(issued))
    upload = listener_certificate(data, PASSWORD, size_limit=16_384, now=NOW)
    ids = [problem.id for problem in upload.problems]
    # A listener's cipher suites know no Ed25519; that is said of the key, not of the file.
    edwards = issued.certificate.key.algorithm == "Ed25519"
    assert ids == (["listener-key-unsupported"] if edwards else [])


def test_the_friendly_names_in_a_pfx_are_read() -> None:
    issued = make_leaf(intermediate(), NAME, now=NOW)
    opened = open_pfx(pfx_of(issued, "-caname", "the issuing one"), PASSWORD)
    names = {one.label: name for one, name in opened.names.items()}
    assert names[NAME] == "a friendly name"
    assert len(names) == 2
    assert "the issuing one" in names.values()
    assert look_into_pfx(pfx_of(issued), PASSWORD).names == {issued.certificate: "a friendly name"}
    assert look(pfx_of(issued), PASSWORD).headline.endswith(
        "Its friendly name is “a friendly name”."
    )


@pytest.mark.parametrize(
    ("spelt", "read"),
    [
        (b"\x00W\x00X\x00Y\x00Z", "WXYZ"),
        (b"\x00\n\x20\x2e\x00<\x00\x00", "\\u202e<"),
        (b"\x00A\x00\n\x00B\x00C", "A\\u000aBC"),
        (b"\x00\xe9\x00\xef\x04\x10\x00\x00", "éïА"),
        (b"\x00 \x00 \x00 \x00\x00", None),
        (b"\xd8\x00\x00A\x00B\x00C", None),
    ],
)
def test_a_friendly_name_is_one_line_of_text_whatever_is_in_the_file(
    spelt: bytes, read: str | None
) -> None:
    plain = ("-certpbe", "NONE", "-keypbe", "NONE", "-nomac", "-name", "WXYZ")
    data = pfx_of(leaf(), *plain).replace("WXYZ".encode("utf-16-be"), spelt)
    assert open_pfx(data, PASSWORD).names.get(leaf().certificate) == read


def test_a_very_long_friendly_name_is_cut() -> None:
    data = pfx_of(leaf(), "-name", "x" * 3000)
    assert open_pfx(data, PASSWORD).names[leaf().certificate] == "x" * 79 + "…"


# What ``openssl`` makes of it: key options, what a listener is told of the certificate.
ODD_KEYS = {
    "DSA": (("-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024"), "DSA 1024"),
    "Ed448": (("-algorithm", "ED448"), "Ed448"),
    "a curve of bitcoin": (("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"), "EC"),
    "a curve of few": (("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp160k1"), None),
}


def odd_pfx(options: tuple[str, ...]) -> bytes:
    if "DSA" in options:
        parameters = makers.openssl("genpkey", "-genparam", *options)
        options = ("-paramfile", makers.put("dsa.parameters", parameters))
    key = makers.put("odd.key", makers.openssl("genpkey", *options))
    certificate = makers.openssl(
        "req", "-x509", "-new", "-key", key, "-subj", f"/CN={NAME}", "-days", "30"
    )
    return makers.openssl(
        "pkcs12", "-export", "-inkey", key, "-in", makers.put("odd.crt", certificate),
        "-passout", f"pass:{PASSWORD}",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ODD_KEYS)
def test_a_pfx_with_a_key_that_no_listener_takes_is_told_so(kind: str) -> None:
    options, label = ODD_KEYS[kind]
    data = odd_pfx(options)
    (error,) = [
        problem
        for problem in listener_certificate(data, PASSWORD, size_limit=16_384, now=NOW).problems
        if problem.is_error and not problem.id.startswith("certificate-not-yet")
    ]
    assert error.id == "listener-key-unsupported"
    assert "a listener takes RSA, or EC on the curves P-256, P-384 and P-521" in error.message
    if label is None:
        assert "opens, but its private key is of no kind that is known here" in error.message
        assert "no kind that is known" in look(data, PASSWORD).headline
    else:
        assert f"has a key of the kind {label}" in error.message
        assert f"“{NAME}”" in look(data, PASSWORD).headline
    assert "pfx-password-wrong" in [
        problem.id
        for problem in listener_certificate(data, "wrong", size_limit=16_384, now=NOW).problems
    ]


def test_the_reader_tells_a_key_of_no_known_kind_from_damage() -> None:
    options, _ = ODD_KEYS["a curve of few"]
    assert pfx_child.unpack(odd_pfx(options), PASSWORD.encode()) == {"result": "key"}


def test_a_key_that_cannot_sign_has_no_certificate() -> None:
    key = makers.put("x.key", makers.openssl("genpkey", "-algorithm", "X25519"))
    data = makers.openssl(
        "pkcs12", "-export", "-nocerts", "-inkey", key, "-passout", f"pass:{PASSWORD}"
    )
    (problem,) = listener_certificate(data, PASSWORD, size_limit=16_384, now=NOW).problems
    assert problem.id == "pfx-no-certificate"
    answer = pfx_child.unpack(data, PASSWORD.encode())
    assert (answer["result"], answer["certificate"], answer["others"]) == ("ok", None, [])


def refusal(data: bytes, password: str = PASSWORD) -> str:
    with pytest.raises(ProblemError) as caught:
        look_into_pfx(data, password)
    assert caught.value.problem.id == "pfx-password-wrong"
    return caught.value.problem.message


@pytest.mark.parametrize(
    ("cipher", "name"),
    [
        ("PBE-SHA1-RC2-40", "RC2 with 40 bits"),
        ("PBE-SHA1-RC2-128", "RC2,"),
        ("PBE-SHA1-RC4-128", "RC4"),
        ("des-cbc", "DES"),
        ("camellia-256-cbc", "1.2.392.200011.61.1.1.1.4"),
    ],
)
def test_a_file_in_an_old_cipher_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, cipher: str, name: str
) -> None:
    data = pfx_of(leaf(), "-legacy", "-certpbe", cipher, "-keypbe", cipher)
    assert name in refusal(data, "wrong")
    assert "AES-256" in refusal(data, "wrong")
    assert look_into_pfx(data, PASSWORD).certificate == leaf().certificate
    # Where OpenSSL comes without its old ciphers, the right password does not open it either.
    monkeypatch.setenv("CRYPTOGRAPHY_OPENSSL_NO_LEGACY", "1")
    monkeypatch.setattr(
        pfx, "_KEPT_VARIABLES", (*pfx._KEPT_VARIABLES, "CRYPTOGRAPHY_OPENSSL_NO_LEGACY")
    )
    if not cipher.startswith("camellia"):
        assert "export the file again with AES-256" in refusal(data)


@pytest.mark.parametrize("options", [(), ("-legacy",), ("-certpbe", "NONE", "-keypbe", "NONE")])
def test_a_wrong_password_for_a_usual_file_is_only_that(options: tuple[str, ...]) -> None:
    data = pfx_of(leaf(), *options)
    # OpenSSL's old default protects the certificates with RC2.
    assert ("RC2" in refusal(data, "wrong")) is ("-legacy" in options)


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"\x30\x03\x02\x01\x03", to_pem(root().certificate)]
)
def test_what_is_no_pfx_has_no_protection(data: bytes) -> None:
    assert unusual_protection(data) is None


@pytest.mark.parametrize("form", ["DER", "PEM"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_p7b_is_read_in_both_forms(form: str, count: int) -> None:
    chain = certs(leaf(), intermediate(), root())[:count]
    path = makers.put("p7.pem", to_pem(*chain))
    data = makers.openssl("crl2pkcs7", "-nocrl", "-certfile", path, "-outform", form)
    reading = read_certificates(data)
    assert reading.certificates == tuple(chain)
    assert reading.encoding == "pkcs7"
    assert reading.ok


def test_a_signed_message_gives_its_certificates() -> None:
    signer = makers.put("cms.crt", to_pem(leaf().certificate))
    key = makers.put("cms.key", key_pem(leaf()))
    data = makers.openssl("cms", "-sign", "-signer", signer, "-inkey", key, "-outform", "DER",
                          stdin=b"text")  # fmt: skip
    assert read_certificates(data).certificates == (leaf().certificate,)


def test_the_printed_certificate_is_read_with_a_warning() -> None:
    text = makers.openssl("x509", "-text", stdin=to_pem(root().certificate))
    assert b"Signature Algorithm" in text
    upload = trusted_root_certificate(text, now=NOW, base64_only=True)
    assert upload.certificates == (root().certificate,)
    assert [problem.id for problem in upload.problems] == ["cer-text-around"]


@pytest.mark.parametrize("trust", [("-addtrust", "serverAuth"), ("-setalias", "my root")])
def test_a_trusted_certificate_is_read(trust: tuple[str, ...]) -> None:
    text = makers.openssl("x509", "-trustout", *trust, stdin=to_pem(root().certificate))
    assert b"BEGIN TRUSTED CERTIFICATE" in text
    upload = trusted_root_certificate(text, now=NOW, base64_only=True)
    assert upload.certificates == (root().certificate,)
    assert upload.problems == ()


def test_a_chain_with_headings_is_read_in_its_order() -> None:
    text = makers.openssl("pkcs12", "-nokeys", "-passin", f"pass:{PASSWORD}",
                          stdin=pfx_of(leaf()))  # fmt: skip
    assert b"Bag Attributes" in text
    assert b"subject=" in text
    assert set(read_certificates(text).certificates) == set(certs(leaf(), intermediate(), root()))
    authorities = makers.openssl("pkcs12", "-nokeys", "-cacerts", "-passin", f"pass:{PASSWORD}",
                                 stdin=pfx_of(leaf()))  # fmt: skip
    upload = client_ca_certificate(authorities, now=NOW)
    assert set(upload.certificates) == set(certs(intermediate(), root()))
    assert [problem.id for problem in upload.problems] == ["cer-text-around"]


@pytest.mark.parametrize("options", [("-nodes",), ("-passout", "pass:another")])
def test_key_and_certificates_in_one_text_are_refused_for_the_key(options: tuple[str, ...]) -> None:
    text = makers.openssl("pkcs12", "-passin", f"pass:{PASSWORD}", *options, stdin=pfx_of(leaf()))
    reading = read_certificates(text)
    assert reading.has_private_key
    assert len(reading.certificates) == 3
    assert not trusted_root_certificate(text, now=NOW, base64_only=True).certificates
    as_listener = listener_certificate(text, PASSWORD, size_limit=16_384, now=NOW)
    assert [problem.id for problem in as_listener.problems] == ["pfx-is-pem"]
