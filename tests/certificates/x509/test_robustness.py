"""No input raises anything, whatever it is, and nothing takes long."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates.x509 import pfx
from certificates.x509.anchors import AnchorStore
from certificates.x509.certificate import Certificate
from certificates.x509.chains import judge_chain, judge_leaf_pin
from certificates.x509.issue import key_pem, to_pem, to_pfx
from certificates.x509.names import match_name
from certificates.x509.problems import KINDS, ProblemError
from certificates.x509.read import read_certificates
from certificates.x509.shapes import shape_of
from certificates.x509.uploads import (
    authentication_certificate,
    client_ca_certificate,
    trusted_root_certificate,
)
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NOW, certs, intermediate, leaf, root, self_signed, store

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
SEEDS = {
    "pem": to_pem(*certs(leaf(), intermediate(), root())),
    "der": root().certificate.der,
    "pfx": to_pfx(leaf(), "x", chain=leaf().chain),
    "key": key_pem(leaf()),
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
    for certificate in reading.certificates:
        exercise(certificate)


def exercise(certificate: Certificate) -> None:
    assert certificate.describes()
    assert certificate.pem
    presented = [certificate, *certs(intermediate(), root())]
    for chain in ([certificate], presented, presented[::-1]):
        for anchors in (store(root()), AnchorStore.from_certificates([certificate])):
            verdict = judge_chain(chain, anchors, well_known=False, now=NOW)
            assert verdict.detail
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


@QUICK
@given(st.text(max_size=80))
def test_random_names_raise_nothing(text):
    for certificate in certs(leaf(), self_signed(ca=True)):
        assert isinstance(match_name(certificate, text).ok, bool)


@pytest.mark.parametrize("seed", SEEDS)
def test_spoilt_files_raise_nothing(seed):
    random_numbers = random.Random(4711)
    for _ in range(150):
        judge_everything(spoil(SEEDS[seed], random_numbers))


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
    judge_everything(SEEDS["pem"][:length])


def test_odd_certificates_can_be_judged():
    for certificate in (makers.spoilt_extension(), makers.doubled_extension()):
        exercise(certificate)
