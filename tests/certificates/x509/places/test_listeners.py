"""A listener's certificate: the PFX file, its password, and what is in it."""

from __future__ import annotations

import base64
import io
import json
import resource
import runpy
import signal
import subprocess
import sys
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from certificates.x509.encoding import asn1
from certificates.x509.files import pfx, pfx_child
from certificates.x509.issuing.issue import (
    Issued,
    key_pem,
    load_key,
    make_key,
    make_leaf,
    make_root,
    make_self_signed,
    to_pem,
    to_pfx,
)
from certificates.x509.places.uploads import LISTENER_PFX_LIMITS, listener_certificate
from certificates.x509.problems import ProblemError
from certificates.x509.trust import paths
from tests.certificates.x509 import hostile, makers
from tests.certificates.x509.makers import (
    LONG_AGO,
    NAME,
    NOW,
    TOMORROW,
    YESTERDAY,
    asn1_value,
    certs,
    direct_leaf,
    intermediate,
    leaf,
    other_root,
    root,
    self_signed,
)

PASSWORD = "secret12"
LIMIT = LISTENER_PFX_LIMITS["v2"]
CHAIN = certs(intermediate(), root())


def judge(data, password=PASSWORD, *, size_limit=LIMIT, now=NOW):
    return listener_certificate(data, password, size_limit=size_limit, now=now)


def ids(upload):
    return [problem.id for problem in upload.problems]


def good_pfx(**options):
    return to_pfx(leaf(), PASSWORD, chain=CHAIN, **options)


def openssl_pfx(issued: Issued, *options: str, password: str = PASSWORD) -> bytes:
    certificate = makers.put("pfx.crt", to_pem(issued.certificate))
    key = makers.put("pfx.key", key_pem(issued))
    return makers.openssl("pkcs12", "-export", "-in", certificate, "-inkey", key, "-passout",
                          f"pass:{password}", *options)  # fmt: skip


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pfx_gives_its_chain_and_its_key(legacy):
    upload = judge(good_pfx(legacy=legacy, name="listener"))
    assert upload.ok
    assert upload.problems == ()
    assert upload.certificates == tuple(certs(leaf(), intermediate(), root()))
    assert upload.key_pem is not None
    assert load_key(upload.key_pem).public_key() == leaf().key.public_key()
    assert b"BEGIN PRIVATE KEY" in upload.key_pem
    assert "PRIVATE KEY" not in repr(upload)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-certpbe", "AES-256-CBC", "-keypbe", "AES-256-CBC", "-macalg", "sha256"),
        ("-legacy",),
        ("-legacy", "-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-3DES"),
        ("-certpbe", "NONE", "-keypbe", "NONE"),
        ("-certpbe", "NONE", "-keypbe", "NONE", "-nomac"),
    ],
    ids=["modern", "aes", "legacy", "rc2-40", "unencrypted", "unprotected"],
)
def test_every_protection_that_openssl_knows_is_opened(options):
    upload = judge(openssl_pfx(self_signed(ca=False), *options))
    assert upload.ok
    assert ids(upload) == ["listener-self-signed"]


@pytest.mark.parametrize("key", ["rsa2048", "ec", "ec384"])
def test_rsa_and_ec_keys_are_good(key):
    issued = make_leaf(root(), NAME, now=NOW, key=key)
    assert judge(to_pfx(issued, PASSWORD, chain=certs(root()))).problems == ()


@pytest.mark.parametrize("password", ["", None])
@pytest.mark.parametrize("make", [openssl_pfx, None])
def test_a_file_without_password_opens_with_none_and_an_empty_one(password, make):
    data = make(leaf(), password="") if make else to_pfx(leaf(), "")
    upload = judge(data, password)
    assert upload.ok
    assert "pfx-password-form" in ids(upload)


def test_a_wrong_password_and_a_missing_one_are_told_apart():
    assert ids(judge(good_pfx(), "Secret12")) == ["pfx-password-wrong"]
    assert ids(judge(good_pfx(), "")) == ["pfx-password-missing"]
    assert ids(judge(good_pfx(), None)) == ["pfx-password-missing"]
    assert ids(judge(good_pfx(legacy=True), "Secret12")) == ["pfx-password-wrong"]


@pytest.mark.parametrize("password", ["\ud800", "a\0b", "x" * 5000, "пароль", "🔑"])
def test_strange_passwords_are_only_wrong(password):
    assert ids(judge(good_pfx(), password)) == ["pfx-password-wrong"]


@pytest.mark.parametrize("password", ["abc", "thirteenchars", "P@ssw0rd", "with blank", "ümlaut"])
def test_passwords_that_the_cloud_may_not_take_are_warned_of(password):
    upload = judge(to_pfx(leaf(), password, chain=CHAIN), password)
    assert ids(upload) == ["pfx-password-form"]
    assert upload.ok
    assert password not in upload.problems[0].message


@pytest.mark.parametrize("data", [b"", b" \n"])
def test_an_empty_file_is_told_so(data):
    assert ids(judge(data)) == ["pfx-empty"]


def test_the_size_is_limited_by_generation():
    size = len(good_pfx())
    assert judge(good_pfx(), size_limit=size + 50).ok
    assert ids(judge(good_pfx(), size_limit=size - 50)) == ["pfx-too-large"]
    assert LISTENER_PFX_LIMITS == {"v1": 10_240, "v2": 16_384}


def test_a_certificate_instead_of_a_pfx_is_recognised():
    path = makers.put("l.pem", to_pem(leaf().certificate))
    p7b = makers.openssl("crl2pkcs7", "-nocrl", "-certfile", path, "-outform", "DER")
    for data in (to_pem(leaf().certificate), leaf().certificate.der, p7b):
        upload = judge(data)
        assert ids(upload) == ["pfx-is-certificate"]
        assert NAME in upload.problems[0].message


def test_a_pem_file_with_a_key_is_recognised():
    upload = judge(to_pem(leaf().certificate) + key_pem(leaf()))
    assert ids(upload) == ["pfx-is-pem"]
    assert upload.key_pem is None


@pytest.mark.parametrize(
    "data", [b"hello", b"x" * 40_000, b"PK\x03\x04zip", b"\x30\x03\x02\x01\x03", b"\xff" * 300]
)
def test_anything_else_is_no_pfx(data):
    upload = judge(data)
    assert ids(upload) == ["pfx-not-pfx"]
    assert "written as text" not in upload.problems[0].message


def test_a_pfx_as_text_is_told_so():
    upload = judge(base64.b64encode(good_pfx()))
    assert ids(upload) == ["pfx-not-pfx"]
    assert "text" in upload.problems[0].message


def test_a_cut_off_or_damaged_pfx_is_told_so():
    assert ids(judge(good_pfx()[:-20])) == ["pfx-cut-off"]
    hollow = asn1_value(0x30, b"\2\1\3", asn1_value(0x30, asn1_value(6, b"\x2a\x03"), b"\4\0"))
    assert ids(judge(hollow)) == ["pfx-cut-off"]


def test_a_pfx_without_key_is_refused():
    certificate = makers.put("nokey.crt", to_pem(leaf().certificate))
    data = makers.openssl("pkcs12", "-export", "-nokeys", "-in", certificate, "-passout",
                          f"pass:{PASSWORD}")  # fmt: skip
    assert ids(judge(data)) == ["pfx-no-key"]


def test_a_pfx_without_certificate_is_refused():
    key = makers.put("nocert.key", key_pem(leaf()))
    data = makers.openssl("pkcs12", "-export", "-nocerts", "-inkey", key, "-passout",
                          f"pass:{PASSWORD}")  # fmt: skip
    assert ids(judge(data)) == ["pfx-no-certificate"]


def mismatched_pfx() -> bytes:
    encryption = serialization.BestAvailableEncryption(PASSWORD.encode())
    return pkcs12.serialize_key_and_certificates(
        None, make_key(), None, [leaf().certificate.x509], encryption
    )


def test_a_key_that_fits_no_certificate_is_refused():
    assert ids(judge(mismatched_pfx())) == ["pfx-key-mismatch"]


def test_certificates_that_do_not_belong_to_the_chain_are_left_out():
    upload = judge(to_pfx(leaf(), PASSWORD, chain=[*CHAIN, other_root().certificate]))
    assert ids(upload) == ["pfx-extra-certificates"]
    assert upload.certificates == tuple(certs(leaf(), intermediate(), root()))


def test_the_chain_comes_in_order_whatever_the_file_has():
    upload = judge(to_pfx(leaf(), PASSWORD, chain=CHAIN[::-1]))
    assert upload.certificates == tuple(certs(leaf(), intermediate(), root()))


def test_a_missing_issuer_is_a_warning():
    upload = judge(to_pfx(leaf(), PASSWORD))
    assert ids(upload) == ["pfx-chain-incomplete"]
    assert "Contoso Issuing CA" in upload.problems[0].message
    assert judge(to_pfx(leaf(), PASSWORD, chain=CHAIN[:1])).problems == ()


def test_a_chain_that_takes_too_much_work_is_taken_for_incomplete(monkeypatch):
    monkeypatch.setattr(paths, "MAX_CHECKS", 0)
    assert "pfx-chain-incomplete" in ids(judge(good_pfx()))


def test_a_self_signed_certificate_is_for_tests():
    assert ids(judge(to_pfx(self_signed(ca=False), PASSWORD))) == ["listener-self-signed"]


def test_dates_are_warnings_for_the_whole_chain():
    late_root = make_root("late", now=NOW, not_before=LONG_AGO, not_after=YESTERDAY)
    issued = make_leaf(late_root, NAME, now=NOW, not_before=TOMORROW)
    upload = judge(to_pfx(issued, PASSWORD, chain=certs(late_root)))
    assert sorted(ids(upload)) == ["certificate-expired", "certificate-not-yet-valid"]
    assert upload.ok


def test_a_certificate_for_clients_is_warned_of():
    issued = make_leaf(root(), NAME, now=NOW, purposes=("client",))
    assert ids(judge(to_pfx(issued, PASSWORD, chain=certs(root())))) == ["listener-purpose"]


def test_keys_that_no_listener_can_use_are_refused():
    ed25519 = make_self_signed(NAME, now=NOW, ca=False, key="ed25519")
    assert "listener-key-unsupported" in ids(judge(to_pfx(ed25519, PASSWORD)))
    weak = make_self_signed(NAME, now=NOW, ca=False, key="rsa1024")
    upload = judge(to_pfx(weak, PASSWORD))
    assert "listener-key-weak" in ids(upload)
    assert (upload.certificates, upload.key_pem) == ((), None)


def test_a_key_that_only_keeps_others_busy_is_refused():
    upload = judge(to_pfx(makers.large_exponent(), PASSWORD))
    assert "certificate-key-too-large" in ids(upload)
    assert "exponent of 41 bits" in upload.problems[0].message
    assert upload.key_pem is None


def test_a_certificate_that_cannot_be_read_completely_is_refused():
    assert "certificate-malformed" in ids(judge(to_pfx(makers.spoilt(), PASSWORD)))


# What a hostile file may ask for.


def with_mac_rounds(data: bytes, rounds: int) -> bytes:
    """The PFX with another number of rounds for its checksum."""
    version, content, mac = asn1.read(data).children()
    digest, salt, _ = mac.children()
    number = asn1_value(2, rounds.to_bytes(rounds.bit_length() // 8 + 1, "big"))
    mac_data = asn1_value(0x30, digest.raw, salt.raw, number)
    return asn1_value(0x30, version.raw, content.raw, mac_data)


def test_the_rounds_of_usual_files_are_far_below_the_limit():
    for data in (good_pfx(), good_pfx(legacy=True), openssl_pfx(leaf())):
        assert 0 < pfx.requested_rounds(data) < pfx.MAX_ROUNDS / 10
    assert pfx.requested_rounds(openssl_pfx(leaf(), "-iter", "9000")) == 3 * 9000


@pytest.mark.parametrize("rounds", [2_000_000_000, 10**18])
def test_endless_rounds_are_refused_before_any_of_them(rounds):
    started = time.monotonic()
    upload = judge(with_mac_rounds(good_pfx(), rounds))
    assert ids(upload) == ["pfx-too-expensive"]
    assert time.monotonic() - started < 20


def algorithm(oid: bytes, *parameters: bytes) -> bytes:
    return asn1_value(0x30, asn1_value(6, oid), asn1_value(0x30, *parameters))


SCRYPT = bytes.fromhex("2b06010401da47040b")
PBKDF2 = bytes.fromhex("2a864886f70d01050c")


def pfx_with(inside: bytes) -> bytes:
    data = asn1_value(6, bytes.fromhex("2a864886f70d010701"))
    content = asn1_value(0x30, data, asn1_value(0xA0, asn1_value(4, inside)))
    return asn1_value(0x30, b"\2\1\3", content)


def test_the_work_inside_of_a_file_is_counted_without_opening_it():
    number = asn1_value(2, (7_000_000).to_bytes(3, "big"))
    salt = asn1_value(4, b"salt")
    assert pfx.requested_rounds(pfx_with(algorithm(PBKDF2, salt, number))) == 7_000_000
    assert ids(judge(pfx_with(algorithm(PBKDF2, salt, number)))) == ["pfx-too-expensive"]
    huge = [salt, asn1_value(2, b"\x10\0\0\0"), asn1_value(2, b"\x08"), asn1_value(2, b"\1")]
    assert pfx.requested_rounds(pfx_with(algorithm(SCRYPT, *huge))) > pfx.MAX_ROUNDS
    small = [salt, asn1_value(2, b"\x40\0"), asn1_value(2, b"\x08"), asn1_value(2, b"\1")]
    assert pfx.requested_rounds(pfx_with(algorithm(SCRYPT, *small))) == 0


@pytest.mark.parametrize(
    "inside",
    [
        algorithm(SCRYPT, asn1_value(4, b"salt")),
        algorithm(PBKDF2),
        algorithm(PBKDF2, asn1_value(4, b"x"), asn1_value(4, b"x")),
        algorithm(PBKDF2, asn1_value(4, b"x"), asn1_value(2, b"\xff")),
        asn1_value(0x30, asn1_value(6, b"\x80"), b"\x30\0"),
        asn1_value(0x30, asn1_value(4, b"no name"), b"\x30\0"),
        asn1_value(0x30, asn1_value(6, b"\x2a\x03"), b"\x30\0"),
        asn1_value(4, b"\x30\x05short"),
    ],
)
def test_structures_that_ask_for_nothing_count_nothing(inside):
    assert pfx.requested_rounds(pfx_with(inside)) == 0


@pytest.mark.parametrize(
    "inside",
    [
        b"\x30\0" * 30_000,
        asn1_value(0x30, b"\x30\0" * 900) * 10,
        hostile.nested(0x30, 300),
    ],
    ids=["side by side", "in heaps", "one in another"],
)
def test_a_file_of_countless_pieces_is_refused(inside):
    assert pfx.requested_rounds(pfx_with(asn1_value(0x30, inside))) > pfx.MAX_ROUNDS


def test_a_file_beyond_any_size_is_not_looked_at():
    with pytest.raises(ProblemError) as caught:
        pfx.open_pfx(good_pfx() + bytes(pfx.MAX_BYTES), PASSWORD)
    assert caught.value.problem.id == "pfx-too-large"


def test_junk_asks_for_nothing():
    assert pfx.requested_rounds(b"junk") == 0
    assert pfx.requested_rounds(b"\x30\x03\2\1\3") == 0


def test_the_kernel_stops_what_could_not_be_seen_before(monkeypatch):
    monkeypatch.setattr(pfx, "MAX_ROUNDS", 10**12)
    monkeypatch.setattr(pfx, "CPU_SECONDS", 0.2)
    upload = judge(with_mac_rounds(good_pfx(), 2_000_000_000))
    assert ids(upload) == ["pfx-too-expensive"]


def test_the_wall_clock_stops_it_too(monkeypatch):
    monkeypatch.setattr(pfx, "MAX_ROUNDS", 10**12)
    monkeypatch.setattr(pfx, "WALL_SECONDS", 0.3)
    upload = judge(with_mac_rounds(good_pfx(), 2_000_000_000))
    assert ids(upload) == ["pfx-too-expensive"]


def test_memory_is_limited(monkeypatch):
    monkeypatch.setattr(pfx, "MEMORY_BYTES", 8 * 1024 * 1024)
    assert ids(judge(good_pfx())) in (["pfx-too-expensive"], ["pfx-reader-failed"])


def test_a_reader_that_cannot_start_is_told_so(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert ids(judge(good_pfx())) == ["pfx-reader-failed"]


def test_a_reader_that_answers_nothing_is_told_so(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/true")
    assert ids(judge(good_pfx())) == ["pfx-reader-failed"]


def test_secrets_are_on_no_command_line_and_in_no_environment(monkeypatch):
    seen = {}

    def record(command, **options):
        seen.update(options, command=command)
        return subprocess.CompletedProcess(command, 0, stdout=b'{"result": "damaged"}')

    monkeypatch.setenv("GATEWRIGHT_SECRET_KEY", "very secret")
    monkeypatch.setattr(subprocess, "run", record)
    judge(good_pfx())
    assert PASSWORD not in " ".join(seen["command"])
    assert "GATEWRIGHT_SECRET_KEY" not in seen["env"]
    assert PASSWORD.encode() in seen["input"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"result": "memory"}, "pfx-too-expensive"),
        ({"result": "damaged"}, "pfx-cut-off"),
        ({"result": "key"}, "listener-key-unsupported"),
        ([], "pfx-cut-off"),
        (
            {"result": "ok", "key": "k", "certificate": ["AAAA", ""], "others": []},
            "pfx-cut-off",
        ),
    ],
)
def test_every_answer_of_the_reader_has_its_problem(monkeypatch, answer, kind):
    def reply(command, **options):
        return subprocess.CompletedProcess(command, 0, stdout=json.dumps(answer).encode())

    monkeypatch.setattr(subprocess, "run", reply)
    assert ids(judge(good_pfx())) == [kind]


# The program that opens the file, called in this process.


def test_the_reader_gives_key_certificate_and_the_others():
    answer = pfx_child.unpack(good_pfx(), PASSWORD.encode())
    assert answer["result"] == "ok"
    assert load_key(answer["key"].encode()).public_key() == leaf().key.public_key()
    assert base64.b64decode(answer["certificate"][0]) == leaf().certificate.der
    assert {base64.b64decode(der) for der, _ in answer["others"]} == {one.der for one in CHAIN}


def test_the_reader_tells_a_wrong_password_from_a_broken_file():
    assert pfx_child.unpack(good_pfx(), b"no") == {"result": "password"}
    assert pfx_child.unpack(good_pfx(), None) == {"result": "password"}
    assert pfx_child.unpack(good_pfx(), b"a\0b") == {"result": "password"}
    assert pfx_child.unpack(b"junk", None) == {"result": "damaged"}
    assert pfx_child.unpack(to_pfx(direct_leaf(), ""), None)["result"] == "ok"
    assert pfx_child.unpack(mismatched_pfx(), PASSWORD.encode())["certificate"] is None


def test_the_reader_says_when_memory_ran_out(monkeypatch):
    def exhausted(data, password):
        raise MemoryError

    monkeypatch.setattr(pkcs12, "load_pkcs12", exhausted)
    assert pfx_child.unpack(b"", None) == {"result": "memory"}


@pytest.fixture
def limits(monkeypatch):
    """What the program would limit itself to; in this process, nothing is limited."""
    seen = {}
    monkeypatch.setattr(resource, "setrlimit", lambda what, pair: seen.update({what: pair}))
    monkeypatch.setattr(signal, "setitimer", lambda what, seconds: seen.update({"timer": seconds}))
    return seen


class Streams:
    """Standard input and output of the program."""

    def __init__(self, data):
        self.buffer = io.BytesIO(data)
        self.written = io.StringIO()
        self.write = self.written.write


@pytest.mark.parametrize("password", [PASSWORD, "", None])
def test_the_program_limits_itself_reads_its_input_and_answers(monkeypatch, limits, password):
    data = good_pfx() if password else to_pfx(leaf(), "", chain=CHAIN)
    secret = b"" if password is None else password.encode()
    length = pfx_child.NO_PASSWORD if password is None else len(secret)
    streams = Streams(length.to_bytes(4, "big") + secret + data)
    monkeypatch.setattr(sys, "stdin", streams)
    monkeypatch.setattr(sys, "stdout", streams)
    monkeypatch.setattr(sys, "argv", ["pfx_child.py", "1.5", "1000000"])
    runpy.run_path(pfx_child.__file__, run_name="__main__")
    answer = json.loads(streams.written.getvalue())
    assert answer["result"] == "ok"
    assert base64.b64decode(answer["certificate"][0]) == leaf().certificate.der
    assert limits == {
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CPU: (2, 3),
        resource.RLIMIT_DATA: (1_000_000, 1_000_000),
        "timer": 1.5,
    }


def test_a_reader_without_key_gives_no_key():
    certificate = makers.put("nk.crt", to_pem(leaf().certificate))
    data = makers.openssl("pkcs12", "-export", "-nokeys", "-in", certificate, "-passout", "pass:x")
    assert pfx_child.unpack(data, b"x")["key"] is None
