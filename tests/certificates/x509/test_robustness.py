"""No input raises anything but the documented problems, whatever it is."""

from __future__ import annotations

import contextlib
import json
import random
from functools import cache
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates.x509.encoding import asn1
from certificates.x509.encoding.asn1 import Asn1Error
from certificates.x509.encoding.shapes import certificates_of_pkcs7, shape_of
from certificates.x509.facts.certificate import Certificate, printable
from certificates.x509.facts.names import a_name, match_name
from certificates.x509.facts.signatures import is_signed_by
from certificates.x509.files import pfx, pfx_child
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing.issue import key_pem, to_pem, to_pfx
from certificates.x509.places.uploads import (
    authentication_certificate,
    client_ca_certificate,
    listener_certificate,
    trusted_root_certificate,
)
from certificates.x509.problems import KINDS, ProblemError
from certificates.x509.trust.anchors import AnchorStore
from certificates.x509.trust.chains import judge_chain, judge_leaf_pin
from certificates.x509.trust.constraints import comparisons, violation
from certificates.x509.trust.lineage import lineage
from certificates.x509.trust.paths import walks
from tests.certificates.x509 import hostile, makers
from tests.certificates.x509.makers import (
    NAME,
    NOW,
    certs,
    intermediate,
    leaf,
    root,
    self_signed,
    store,
)

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
CHAIN = certs(leaf(), intermediate(), root())


@cache
def decorated() -> Certificate:
    """A certificate with an extension of every kind that is looked at."""
    hosts = [x509.DNSName(NAME), x509.IPAddress(ip_address("10.0.0.1"))]
    limits = [x509.DNSName("test"), x509.IPAddress(ip_network("10.0.0.0/8")), DIRECTORY]
    return makers.crafted(
        (x509.BasicConstraints(ca=True, path_length=3), True),
        (x509.KeyUsage(True, *[False] * 4, True, *[False] * 3), True),
        (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(hosts), False),
        (x509.NameConstraints(limits, [x509.DNSName("fabrikam.test")]), True),
        (x509.SubjectKeyIdentifier(b"k" * 20), False),
        (x509.AuthorityKeyIdentifier(b"k" * 20, None, None), False),
        (x509.CertificatePolicies([x509.PolicyInformation(ANY_POLICY, None)]), False),
        (x509.PolicyConstraints(0, None), True),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), False),
        subject=NAME,
    ).certificate


ANY_POLICY = x509.ObjectIdentifier("2.5.29.32.0")
DIRECTORY = x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Contoso")]))
SEEDS = {
    "pem": lambda: to_pem(*CHAIN),
    "der": lambda: root().certificate.der,
    "decorated": lambda: decorated().der,
    "pfx": lambda: to_pfx(leaf(), "x", chain=leaf().chain),
    "legacy pfx": lambda: to_pfx(leaf(), "x", chain=leaf().chain, legacy=True),
    "open pfx": lambda: to_pfx(leaf(), "", chain=leaf().chain),
    "key": lambda: key_pem(leaf()),
    "p7b": lambda: hostile.pkcs7(*(one.der for one in CHAIN)),
    "p7b text": lambda: makers.openssl(
        "crl2pkcs7", "-nocrl", "-certfile", makers.put("fuzz.pem", to_pem(*CHAIN))
    ),
    "trusted": lambda: makers.openssl(
        "x509", "-trustout", "-addtrust", "serverAuth", stdin=to_pem(root().certificate)
    ),
    "printed": lambda: makers.openssl("x509", "-text", stdin=to_pem(root().certificate)),
    "version 1": lambda: to_pem(makers.version_1_pair()[1]),
    "utf-16": lambda: to_pem(root().certificate).decode().encode("utf-16"),
}


def spoil(data: bytes, random_numbers: random.Random) -> bytes:
    """The data with a few bytes changed, lost, doubled or swapped."""
    result = bytearray(data)
    for _ in range(random_numbers.randint(1, 4)):
        at = random_numbers.randrange(len(result) or 1)
        choice = random_numbers.randrange(4)
        if choice == 0 and result:
            result[at] = random_numbers.randrange(256)
        elif choice == 1:
            del result[at : at + random_numbers.randint(1, 30)]
        elif choice == 2:
            result[at:at] = result[at : at + random_numbers.randint(1, 30)]
        elif result:
            result[at] ^= 1 << random_numbers.randrange(8)
    return bytes(result)


def judge_everything(data: bytes) -> None:
    reading = read_certificates(data)
    assert reading.certificates or reading.problems
    for problem in reading.problems:
        assert problem.id in KINDS
        assert problem.message
    for upload in (
        authentication_certificate(data, now=NOW, base64_only=False),
        trusted_root_certificate(data, now=NOW, base64_only=True),
        client_ca_certificate(data, now=NOW),
    ):
        assert upload.ok == bool(upload.certificates)
    shape_of(data)
    assert pfx.requested_rounds(data) >= 0
    assert pfx.unusual_protection(data) != ""
    look_inside(data)
    for certificate in reading.certificates:
        exercise(certificate)
    if reading.certificates:
        presented = reading.certificates
        assert judge_chain(presented, store(root()), well_known=False, now=NOW).rule
        assert lineage(presented[0], presented, store(root()), NOW)


def look_inside(data: bytes) -> None:
    """What the processes for PFX files do, here; they are kept from endless work as there."""
    for read in (asn1.read, certificates_of_pkcs7):
        with contextlib.suppress(Asn1Error):
            read(data)
    if pfx.requested_rounds(data) < 100_000:
        for password in (None, b"x"):
            answer = pfx_child.unpack(data, password)
            assert answer["result"] in {"ok", "password", "damaged", "key"}
            json.dumps(answer)


def exercise(certificate: Certificate) -> None:
    assert certificate.describes()
    assert certificate.pem
    presented = [certificate, *certs(intermediate(), root())]
    for chain in ([certificate], presented, presented[::-1]):
        for anchors in (store(root()), AnchorStore.from_certificates([certificate])):
            verdict = judge_chain(chain, anchors, well_known=False, now=NOW)
            assert verdict.detail
    found = walks(certificate, presented, store(root()), NOW)
    assert all(way.path[0] == certificate for way in found)
    if not certificate.faults:
        violation([certificate, decorated()])
        violation([leaf().certificate, certificate])
        assert comparisons([certificate, decorated(), certificate]) >= 0
    assert is_signed_by(certificate.x509, certificate.x509) is certificate.self_signed
    assert certificate.label
    assert isinstance(certificate.names, tuple)
    assert judge_leaf_pin([certificate], [], now=NOW).finding == "not-allow-listed"
    assert match_name(certificate, "backend.contoso.test").detail


@QUICK
@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing(data):
    judge_everything(data)
    judge_everything(b"\x30\x82" + data)


@QUICK
@given(st.text(max_size=300))
def test_random_text_raises_nothing(text):
    judge_everything(text.encode("utf-8", "surrogatepass"))
    judge_everything(f"-----BEGIN CERTIFICATE-----{text}-----END CERTIFICATE-----".encode(
        "utf-8", "surrogatepass"))  # fmt: skip


# Letters that the standards of international names treat in a way of their own are drawn often.
HOSTS = st.text(
    st.sampled_from("aZ9-_.*ß\u03c2\u200c\u200d\u0130ſ\u3002\u00ad\ud800é語١") | st.characters()
)


@QUICK
@given(HOSTS)
def test_random_names_raise_nothing(text):
    for certificate in certs(leaf(), self_signed(ca=True)):
        assert isinstance(match_name(certificate, text).ok, bool)
    name = a_name(text)
    assert name.isascii()
    assert a_name(name) == name.removesuffix(".").strip()
    assert printable(text).isprintable()


@QUICK
@given(HOSTS)
def test_a_random_common_name_is_for_itself_where_it_can_be_a_name(text):
    named = Certificate.from_der(
        hostile.certificate(subject=hostile.name(text.encode("utf-8", "replace").decode()))
    )
    if named.common_name is None:
        return
    verdict = match_name(named, named.common_name)
    labels = a_name(named.common_name).split(".")
    if all(labels) and not is_address(named.common_name):
        assert verdict.ok, verdict
    assert not match_name(named, "www.contoso.test").ok
    limited = makers.crafted((x509.NameConstraints([x509.DNSName("test")], None), True))
    violation([named, limited.certificate])


def is_address(text: str) -> bool:
    try:
        return bool(ip_address(text.strip().strip("[]")))
    except ValueError:
        return False


@pytest.mark.parametrize("seed", SEEDS)
def test_spoilt_files_raise_nothing(seed):
    random_numbers = random.Random(4711)
    data = SEEDS[seed]()
    for _ in range(120):
        judge_everything(spoil(data, random_numbers))


def rearranged(data: bytes, random_numbers: random.Random, depth: int = 0) -> bytes:
    """DER with one part changed in its place, lengths put right: whole outside, odd inside."""
    try:
        parts = asn1.read(data).children()
    except Asn1Error:
        parts = []
    constructed = data[:1] and data[0] & 0x20
    if not parts or not constructed or (depth and random_numbers.random() < 0.25):
        return random_numbers.choice(ODD_PARTS)(data, random_numbers)
    at = random_numbers.randrange(len(parts))
    inside = [part.raw for part in parts]
    choice = random_numbers.randrange(8)
    if choice == 0:
        del inside[at]
    elif choice == 1:
        inside.insert(at, inside[at])
    elif choice == 2:
        random_numbers.shuffle(inside)
    else:
        inside[at] = rearranged(inside[at], random_numbers, depth + 1)
    return makers.asn1_value(data[0], *inside)


ODD_PARTS = (
    lambda data, numbers: makers.asn1_value(data[0], b""),
    lambda data, numbers: makers.asn1_value(data[0], numbers.randbytes(numbers.randrange(40))),
    lambda data, numbers: makers.asn1_value(numbers.choice((2, 3, 4, 5, 6, 12, 19, 48, 49)), b"\1"),
    lambda data, numbers: makers.asn1_value(data[0], asn1.read(data).content * 3),
    lambda data, numbers: b"\5\0",
)


@pytest.mark.parametrize("seed", ["der", "decorated", "p7b", "pfx", "open pfx"])
def test_files_with_an_odd_part_raise_nothing(seed):
    random_numbers = random.Random(4712)
    data = SEEDS[seed]()
    for _ in range(200):
        judge_everything(rearranged(data, random_numbers))


@pytest.mark.parametrize("seed", ["pfx", "open pfx", "pem", "p7b text"])
def test_spoilt_files_are_refused_by_a_listener_with_a_problem(seed):
    random_numbers = random.Random(4713)
    for _ in range(6):
        data = spoil(SEEDS[seed](), random_numbers)
        for password in ("x", None):
            upload = listener_certificate(data, password, size_limit=16_384, now=NOW)
            assert upload.ok == bool(upload.certificates)
            assert all(problem.id in KINDS for problem in upload.problems)


@pytest.mark.parametrize("make", [leaf, intermediate, root])
def test_every_single_byte_of_a_certificate_may_be_wrong(make):
    der = make().certificate.der
    loaded = 0
    for at in range(len(der)):
        spoilt = bytearray(der)
        spoilt[at] ^= 0x55
        with contextlib.suppress(ProblemError):
            certificate = Certificate.from_der(bytes(spoilt))
            loaded += 1
            if at % 4 == 0:
                exercise(certificate)
    assert loaded > 50


@pytest.mark.parametrize("length", [0, 1, 2, 5, 40, 200])
def test_a_certificate_may_end_anywhere(length):
    judge_everything(root().certificate.der[:length])
    judge_everything(SEEDS["pem"]()[:length])


def test_odd_certificates_can_be_judged():
    for certificate in (makers.spoilt_extension(), makers.doubled_extension()):
        exercise(certificate)
