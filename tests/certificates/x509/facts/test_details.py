"""Every field and extension as text, whatever is in it."""

from __future__ import annotations

import contextlib
import ipaddress
import random
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID, ObjectIdentifier

from certificates.x509.encoding.texts import (
    MAX_DUMP,
    MAX_LINE,
    MAX_LINES,
    hex_dump,
    limited,
    shortened,
)
from certificates.x509.facts import details as module
from certificates.x509.facts.certificate import Certificate
from certificates.x509.facts.details import SUMMARY_LENGTH, Detail, details, purposes
from certificates.x509.facts.extensions import extension_lines, extension_name, general_name
from certificates.x509.issuing.issue import make_key, make_leaf
from certificates.x509.problems import ProblemError
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NOW

DIRECTORY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "directory")])
MOST = MAX_LINES * (MAX_LINE + 1) + 100


def by_name(certificate: Certificate) -> dict[str, Detail]:
    return {one.name: one for one in details(certificate)}


def test_the_fields_are_listed_in_their_order() -> None:
    names = [one.name for one in details(makers.leaf().certificate) if one.group == "field"]
    assert names == [
        "Version",
        "Serial number",
        "Signature algorithm",
        "Signature hash algorithm",
        "Issuer",
        "Valid from",
        "Valid to",
        "Subject",
        "Public key",
    ]


def test_fields_say_what_openssl_says() -> None:
    certificate = makers.leaf().certificate
    found = by_name(certificate)
    put = makers.put("details.pem", certificate.pem.encode())

    def asked(*what: str) -> str:
        return makers.openssl("x509", "-in", put, "-noout", *what).decode().strip()

    assert asked("-serial") == f"serial={found['Serial number'].full}"
    assert asked("-fingerprint", "-sha1").replace(":", "").endswith(found["Thumbprint"].full)
    digest = asked("-fingerprint", "-sha256").replace(":", "")
    assert digest.endswith(found["Thumbprint (SHA-256)"].full)
    assert found["Version"].full == "V3"
    assert found["Signature hash algorithm"].full == "sha256"
    assert found["Issuer"].summary == certificate.issuer
    assert found["Subject"].full == f"CN = {makers.NAME}"
    assert found["Valid from"].full == f"{certificate.not_before:%Y-%m-%d %H:%M:%S} UTC"


def test_a_name_of_several_parts_has_a_line_for_each() -> None:
    subject = "/C=DE/O=Contoso/CN=several.contoso.test"
    made = makers.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                          "-nodes", "-keyout", "{dir}/several.key", "-subj", subject)  # fmt: skip
    found = by_name(makers.one(made))["Subject"]
    assert found.full == "CN = several.contoso.test\nO = Contoso\nC = DE"
    assert found.summary == "CN=several.contoso.test, O=Contoso, C=DE"


def test_a_certificate_without_subject_says_so() -> None:
    certificate = makers.leaf().certificate.x509
    key = make_key()
    nameless = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(certificate.issuer)
        .public_key(key.public_key())
        .serial_number(0xABC)
        .not_valid_before(NOW)
        .not_valid_after(makers.TOMORROW)
        .sign(makers.root().key, hashes.SHA256())
    )
    found = by_name(Certificate.from_der(nameless.public_bytes(serialization.Encoding.DER)))
    assert found["Subject"].full == "(no name)"
    assert found["Serial number"].full == "0ABC"


def test_a_certificate_of_version_1_has_no_extensions() -> None:
    leaf, _ = makers.version_1_pair()
    found = details(leaf)
    assert found[0].full == "V1"
    assert not [one for one in found if one.group == "extension"]
    assert purposes(leaf) == ("<All>",)


def test_an_edwards_key_has_no_digest_of_its_own() -> None:
    made = makers.openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout",
                          "{dir}/edwards.key", "-subj", "/CN=edwards")  # fmt: skip
    found = by_name(makers.one(made))
    assert found["Signature hash algorithm"].full == "none of its own"
    assert found["Public key"].summary == "Ed25519 (256 Bits)"


def everything() -> Certificate:
    """A certificate with every extension that has words, and one that has none."""
    names = [
        x509.DNSName("one.contoso.test"),
        x509.IPAddress(ipaddress.ip_address("10.0.0.4")),
        x509.RFC822Name("somebody@contoso.test"),
        x509.UniformResourceIdentifier("https://contoso.test/"),
        x509.DirectoryName(DIRECTORY),
        x509.RegisteredID(ObjectIdentifier("1.2.3.4")),
        x509.OtherName(ObjectIdentifier("1.2.3.5"), b"\x05\x00"),
    ]
    relative = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "relative")])
    uri = x509.UniformResourceIdentifier
    points = [
        x509.DistributionPoint([uri("http://crl.test/a")], None, None, None),
        x509.DistributionPoint(
            None,
            relative,
            frozenset([x509.ReasonFlags.key_compromise]),
            [x509.DirectoryName(DIRECTORY)],
        ),
    ]
    notice = x509.UserNotice(None, "Read this")
    reference = x509.UserNotice(x509.NoticeReference("Contoso", [1]), None)
    policies = [
        x509.PolicyInformation(ObjectIdentifier("2.5.29.32.0"), None),
        x509.PolicyInformation(
            ObjectIdentifier("1.2.3.6"), ["https://cps.test/", notice, reference]
        ),
    ]
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri("http://ocsp.test/")),
        x509.AccessDescription(ObjectIdentifier("1.2.3.7"), uri("http://other.test/")),
    ]
    serial = 0xCAFE
    return makers.crafted(
        (x509.SubjectAlternativeName(names), False),
        (x509.IssuerAlternativeName([x509.DNSName("issuer.test")]), False),
        (x509.BasicConstraints(ca=True, path_length=2), True),
        (x509.KeyUsage(True, False, False, False, True, False, False, True, False), True),
        (
            x509.ExtendedKeyUsage(
                [x509.ExtendedKeyUsageOID.SERVER_AUTH, ObjectIdentifier("1.2.3.8")]
            ),
            False,
        ),
        (x509.SubjectKeyIdentifier(b"\xaa" * 20), False),
        (x509.AuthorityKeyIdentifier(b"\xbb" * 20, [x509.DNSName("a.test")], serial), False),
        (x509.AuthorityInformationAccess(access), False),
        (x509.CRLDistributionPoints(points), False),
        (x509.FreshestCRL(points[:1]), False),
        (x509.NameConstraints([x509.DNSName("contoso.test")], None), True),
        (x509.CertificatePolicies(policies), False),
        (x509.TLSFeature([x509.TLSFeatureType.status_request]), False),
        (x509.InhibitAnyPolicy(1), True),
        (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.9"), b"\x0c\x05hello"), False),
    ).certificate


EXPECTED = {
    "Subject Alternative Name": "DNS Name=one.contoso.test\nIP Address=10.0.0.4\n"
    "RFC822 Name=somebody@contoso.test\nURL=https://contoso.test/\n"
    "Directory Address=CN=directory\nRegistered ID=1.2.3.4\nOther Name=1.2.3.5: 05 00",
    "Issuer Alternative Name": "DNS Name=issuer.test",
    "Basic Constraints": "Subject Type=CA\nPath Length Constraint=2",
    "Key Usage": "Digital Signature\nKey Agreement\nEncipher Only",
    "Enhanced Key Usage": "Server Authentication (1.3.6.1.5.5.7.3.1)\nUnknown purpose (1.2.3.8)",
    "Subject Key Identifier": "aa" * 20,
    "Authority Key Identifier": f"KeyID={'bb' * 20}\nIssuer: DNS Name=a.test\nSerial number=cafe",
    "Authority Information Access": "Method=On-line Certificate Status Protocol\n"
    "  URL=http://ocsp.test/\nMethod=1.2.3.7\n  URL=http://other.test/",
    "CRL Distribution Points": "[1] CRL Distribution Point\n  URL=http://crl.test/a\n"
    "[2] CRL Distribution Point\n  Relative Name=CN=relative\n"
    "  CRL Issuer: Directory Address=CN=directory\n  Reasons=keyCompromise",
    "Freshest CRL": "[1] CRL Distribution Point\n  URL=http://crl.test/a",
    "Name Constraints": "Permitted\n  DNS Name=contoso.test",
    "Certificate Policies": "[1] Policy Identifier=2.5.29.32.0\n"
    "[2] Policy Identifier=1.2.3.6\n  CPS=https://cps.test/\n  Notice=Read this\n"
    "  Notice=(reference only)",
    "TLS Feature": "status_request (5)",
    "Inhibit Any Policy": "02 01 01",
    "1.2.3.9": "0c 05 68 65 6c 6c 6f",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_extension_is_put_into_words(name: str) -> None:
    assert by_name(everything())[name].full == EXPECTED[name]


def test_extensions_keep_their_order_and_tell_which_are_critical() -> None:
    found = [one for one in details(everything()) if one.group == "extension"]
    assert [one.name for one in found] == list(EXPECTED)
    critical = {one.name for one in found if one.critical}
    assert critical == {"Basic Constraints", "Key Usage", "Name Constraints", "Inhibit Any Policy"}
    assert found[2].summary == "Subject Type=CA, Path Length Constraint=2"


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (x509.BasicConstraints(False, None), ["Subject Type=End Entity"]),
        (x509.BasicConstraints(True, None), ["Subject Type=CA", "Path Length Constraint=None"]),
        (x509.KeyUsage(*[False] * 9), ["(none)"]),
        (x509.AuthorityKeyIdentifier(None, None, None), ["(empty)"]),
        (
            x509.NameConstraints(None, [x509.DNSName("fabrikam.test")]),
            ["Excluded", "  DNS Name=fabrikam.test"],
        ),
        (
            x509.SubjectAlternativeName([x509.DNSName("two\nlines")]),
            ["DNS Name=two\\u000alines"],
        ),
    ],
)
def test_words_of_rarer_contents(value: x509.ExtensionType, lines: list[str]) -> None:
    assert extension_lines(value) == lines


def test_timestamps_of_logs_are_told_with_their_time() -> None:
    class Stamp:
        log_id = b"\x01\x02"
        timestamp = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    words = module_words(x509.PrecertificateSignedCertificateTimestamps)
    assert words([Stamp()]) == ["Log=0102", "  Time=2026-01-02 03:04:05 UTC"]


def module_words(kind: type[x509.ExtensionType]):  # type: ignore[no-untyped-def]
    from certificates.x509.facts import extensions

    return extensions._WORDS[kind]


def test_a_kind_of_name_that_is_not_known_is_called_by_its_kind() -> None:
    class Curious(x509.GeneralName):
        value = None

    assert general_name(Curious()) == "Curious"


def test_an_extension_without_a_name_is_called_by_its_number() -> None:
    assert extension_name("1.2.3") == "1.2.3"
    assert extension_name("2.5.29.17") == "Subject Alternative Name"


@pytest.mark.parametrize("make", [makers.spoilt_extension, makers.doubled_extension])
def test_extensions_that_cannot_be_read_are_shown_as_bytes(make) -> None:  # type: ignore[no-untyped-def]
    certificate = make()
    found = [one for one in details(certificate) if one.group == "extension"]
    assert {one.summary for one in found} == {"(unreadable)"}
    assert purposes(certificate) == ("(unreadable)",)


def test_bytes_of_an_unreadable_extension_are_its_own_and_critical_is_kept() -> None:
    (found,) = (one for one in details(makers.spoilt_extension()) if one.group == "extension")
    assert (found.name, found.full, found.critical) == ("Basic Constraints", "01 02 03", True)
    other = [one for one in details(makers.doubled_extension()) if one.group == "extension"]
    assert [(one.name, one.critical) for one in other] == [("1.2.3.4.5", False)] * 2


def test_a_name_that_cannot_be_read_is_shown_as_bytes() -> None:
    # A UTF8String that is none: 0xff begins no character.
    der = makers.root("Contoso Root 9").certificate.der
    broken = Certificate.from_der(der.replace(b"Contoso Root 9", b"Contoso Root \xff"))
    found = by_name(broken)
    assert found["Subject"].summary == "(unreadable)"
    assert "0c 0e 43 6f 6e\n74 6f 73 6f" in found["Subject"].full


def test_a_digest_that_is_not_known_is_told() -> None:
    # sha256WithRSAEncryption and ecdsa-with-SHA256, one number changed in both places.
    der = makers.leaf().certificate.der
    odd = der.replace(bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d04037f"))
    odd = odd.replace(bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d01017f"))
    assert odd != der
    assert by_name(Certificate.from_der(odd))["Signature hash algorithm"].full == "unknown"


def test_purposes_are_words() -> None:
    usage = x509.ExtendedKeyUsage(
        [
            x509.ExtendedKeyUsageOID.SERVER_AUTH,
            x509.ExtendedKeyUsageOID.CLIENT_AUTH,
            ObjectIdentifier("1.2.3.4"),
        ]
    )
    assert purposes(makers.crafted((usage, False)).certificate) == (
        "Server Authentication",
        "Client Authentication",
        "1.2.3.4",
    )
    assert purposes(makers.root().certificate) == ("<All>",)
    every = x509.ExtendedKeyUsage(
        [x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]
    )
    assert purposes(makers.crafted((every, False)).certificate) == ("<All>",)


def test_ten_thousand_names_are_counted_and_a_hundred_shown() -> None:
    names = [f"host-{number}.contoso.test" for number in range(10_000)]
    many = make_leaf(makers.root(), names[0], now=NOW, dns_names=names).certificate
    found = by_name(many)["Subject Alternative Name"]
    lines = found.full.splitlines()
    assert lines[99] == "DNS Name=host-99.contoso.test"
    assert lines[100:] == ["… and 9,900 more"]
    assert len(found.summary) <= SUMMARY_LENGTH


def test_texts_are_bounded() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"
    assert limited(["a", "b"]) == "a\nb"
    assert len(limited(["x" * 9000] * 9000)) < MOST
    assert hex_dump(b"") == "(no bytes)"
    assert hex_dump(bytes(17)) == " ".join(["00"] * 16) + "\n00"
    assert hex_dump(bytes(MAX_DUMP + 5)).endswith("… and 5 bytes more")


def test_every_single_byte_of_a_certificate_may_be_wrong() -> None:
    der = everything().der
    seen = 0
    for at in range(len(der)):
        spoilt = bytearray(der)
        spoilt[at] ^= 0x55
        with contextlib.suppress(ProblemError):
            check(Certificate.from_der(bytes(spoilt)))
            seen += 1
    assert seen > 100


def test_spoilt_certificates_raise_nothing() -> None:
    random_numbers = random.Random(4711)
    der = everything().der
    for _ in range(400):
        spoilt = bytearray(der)
        for _ in range(random_numbers.randint(1, 5)):
            spoilt[random_numbers.randrange(len(spoilt))] = random_numbers.randrange(256)
        with contextlib.suppress(ProblemError):
            check(Certificate.from_der(bytes(spoilt)))


def check(certificate: Certificate) -> None:
    found = details(certificate)
    assert all(one.name and one.summary and one.full for one in found)
    assert all(len(one.summary) <= SUMMARY_LENGTH and len(one.full) < MOST for one in found)
    assert purposes(certificate)


def test_a_public_key_is_the_bits_of_the_key() -> None:
    certificate = makers.leaf().certificate
    bits = module._public_key(certificate)
    assert (
        certificate.x509.public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        .endswith(bits)
    )
