"""Every kind of problem of a certificate file is told by something, and is fit to be read."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable

import pytest

from certificates.x509 import kinds
from certificates.x509.files import pfx
from certificates.x509.issuing.issue import (
    key_pem,
    make_intermediate,
    make_leaf,
    make_root,
    make_self_signed,
    to_pem,
    to_pfx,
)
from certificates.x509.places.uploads import (
    authentication_certificate,
    client_ca_certificate,
    listener_certificate,
    trusted_root_certificate,
)
from certificates.x509.problems import KINDS, Kind, declare
from tests.certificates.x509 import hostile, makers
from tests.certificates.x509.files.test_read import request
from tests.certificates.x509.makers import (
    LONG_AGO,
    NAME,
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
from tests.certificates.x509.places.test_listeners import (
    PASSWORD,
    good_pfx,
    mismatched_pfx,
    with_mac_rounds,
)

PEM = to_pem(root().certificate)
DER = root().certificate.der
LATE = {"not_before": LONG_AGO, "not_after": YESTERDAY}

ROOTS: dict[str, Callable[[], bytes]] = {
    "cer-empty": lambda: b"",
    "cer-too-large": lambda: b" " * 100_000,
    "cer-too-many": lambda: b"-----BEGIN CERTIFICATE-----" * 1000,
    "cer-not-certificate": lambda: b"hello",
    "cer-utf16": lambda: PEM.decode().encode("utf-16"),
    "cer-bom": lambda: b"\xef\xbb\xbf" + PEM,
    "cer-rich-text": lambda: b"{\\rtf1 " + PEM,
    "cer-smart-dashes": lambda: PEM.replace(b"-----BEGIN", "—–BEGIN".encode()),
    "cer-marker-damaged": lambda: PEM.replace(b"-----END", b"---END"),
    "cer-hidden-characters": lambda: PEM.replace(b"\n", b"\xc2\xa0\n", 3),
    "cer-cut-off": lambda: PEM[:200],
    "cer-block-empty": lambda: b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
    "cer-damaged": lambda: PEM.replace(b"\nMI", b"\n!I"),
    "cer-markers-missing": lambda: base64.b64encode(DER),
    "cer-text-around": lambda: b"subject=CN = Contoso\n" + PEM,
    "cer-trailing-data": lambda: DER + b"rest",
    "cer-private-key": lambda: key_pem(root()),
    "cer-is-pfx": lambda: to_pfx(root(), "x"),
    "cer-is-request": lambda: request("PEM"),
    "cer-is-public-key": lambda: makers.openssl("pkey", "-pubout", stdin=key_pem(root())),
    "cer-is-crl": lambda: makers.revocation_list(),
    "cer-is-der": lambda: DER,
    "cer-is-p7b": lambda: makers.openssl(
        "crl2pkcs7", "-nocrl", "-certfile", makers.put("kind.pem", PEM)
    ),
    "cer-several": lambda: PEM + to_pem(other_root().certificate),
    "certificate-malformed": lambda: to_pem(makers.spoilt_extension()),
    "certificate-expired": lambda: to_pem(make_root("late", now=NOW, **LATE).certificate),
    "certificate-not-yet-valid": lambda: to_pem(
        make_root("early", now=NOW, not_before=TOMORROW).certificate
    ),
    "certificate-weak-key": lambda: to_pem(make_root("w", now=NOW, key="rsa1024").certificate),
    "certificate-key-too-large": lambda: hostile.pem(
        hostile.certificate(key=hostile.rsa_key(16384), extensions=[hostile.AUTHORITY])
    ),
    "certificate-weak-signature": lambda: to_pem(makers.weak_digest("sha1")),
    "root-is-leaf": lambda: to_pem(leaf().certificate),
    "root-is-intermediate": lambda: to_pem(intermediate().certificate),
    "root-not-ca": lambda: to_pem(self_signed(ca=False).certificate),
    "root-version-1": lambda: to_pem(makers.version_1_pair()[1]),
    "root-signature-broken": lambda: to_pem(makers.resigned(root().certificate)),
}

AUTHENTICATION: dict[str, Callable[[], bytes]] = {"auth-is-ca": lambda: PEM}

CLIENT_CAS: dict[str, Callable[[], bytes]] = {
    "client-ca-too-large": lambda: PEM + b"\n" * 30_000,
    "client-ca-none": lambda: to_pem(leaf().certificate),
    "client-ca-roots": lambda: PEM + to_pem(other_root().certificate),
    "client-ca-leaf": lambda: PEM + to_pem(leaf().certificate),
    "client-ca-chain-broken": lambda: (
        PEM + to_pem(make_intermediate(other_root(), "Stray", now=NOW).certificate)
    ),
}

LISTENERS: dict[str, Callable[[], bytes]] = {
    "pfx-empty": lambda: b"",
    "pfx-too-large": lambda: good_pfx() + b"\0" * 20_000,
    "pfx-not-pfx": lambda: b"hello",
    "pfx-cut-off": lambda: good_pfx()[:300],
    "pfx-is-certificate": lambda: to_pem(leaf().certificate),
    "pfx-is-pem": lambda: key_pem(leaf()),
    "pfx-password-wrong": lambda: to_pfx(leaf(), "another"),
    "pfx-too-expensive": lambda: with_mac_rounds(good_pfx(), 10**12),
    "pfx-no-key": lambda: makers.openssl(
        "pkcs12", "-export", "-nokeys", "-in", makers.put("k.pem", PEM), "-passout",
        f"pass:{PASSWORD}",
    ),
    "pfx-no-certificate": lambda: makers.openssl(
        "pkcs12", "-export", "-nocerts", "-inkey", makers.put("k.key", key_pem(root())), "-passout",
        f"pass:{PASSWORD}",
    ),
    "pfx-key-mismatch": mismatched_pfx,
    "pfx-extra-certificates": lambda: to_pfx(
        leaf(), PASSWORD, chain=[*leaf().chain, other_root().certificate]
    ),
    "pfx-chain-incomplete": lambda: to_pfx(leaf(), PASSWORD),
    "listener-key-unsupported": lambda: to_pfx(
        make_self_signed(NAME, now=NOW, ca=False, key="ed25519"), PASSWORD
    ),
    "listener-key-weak": lambda: to_pfx(
        make_self_signed(NAME, now=NOW, ca=False, key="rsa1024"), PASSWORD
    ),
    "listener-self-signed": lambda: to_pfx(self_signed(ca=False), PASSWORD),
    "listener-purpose": lambda: to_pfx(
        make_leaf(root(), NAME, now=NOW, purposes=("client",)), PASSWORD, chain=certs(root())
    ),
}  # fmt: skip

PASSWORDS: dict[str, str] = {"pfx-password-missing": "", "pfx-password-form": "P@ssw0rd"}
ELSEWHERE = {"pfx-reader-failed"}


def declared() -> dict[str, Kind]:
    found = {}
    for module in (kinds.files, kinds.contents, kinds.listeners):
        found.update({kind.id: kind for kind in vars(module).values() if isinstance(kind, Kind)})
    return found


def check(kind_id, upload):
    told = {problem.id: problem for problem in upload.problems}
    assert kind_id in told
    assert upload.ok is all(kind.severity == "warning" for kind in told.values())
    assert told[kind_id].message
    assert told[kind_id].remedy == KINDS[kind_id].remedy
    assert told[kind_id].source == KINDS[kind_id].source
    assert told[kind_id].is_error is (KINDS[kind_id].severity == "error")


@pytest.mark.parametrize("kind_id", ROOTS)
def test_a_root_upload_tells_the_kind(kind_id):
    check(kind_id, trusted_root_certificate(ROOTS[kind_id](), now=NOW, base64_only=True))


@pytest.mark.parametrize("kind_id", AUTHENTICATION)
def test_an_authentication_certificate_tells_the_kind(kind_id):
    data = AUTHENTICATION[kind_id]()
    check(kind_id, authentication_certificate(data, now=NOW, base64_only=True))


@pytest.mark.parametrize("kind_id", CLIENT_CAS)
def test_a_client_ca_upload_tells_the_kind(kind_id):
    check(kind_id, client_ca_certificate(CLIENT_CAS[kind_id](), now=NOW))


@pytest.mark.parametrize("kind_id", LISTENERS)
def test_a_listener_upload_tells_the_kind(kind_id):
    data = LISTENERS[kind_id]()
    check(kind_id, listener_certificate(data, PASSWORD, size_limit=16_384, now=NOW))


@pytest.mark.parametrize("kind_id", PASSWORDS)
def test_a_password_tells_the_kind(kind_id):
    data = good_pfx() if kind_id == "pfx-password-missing" else to_pfx(leaf(), PASSWORDS[kind_id])
    check(kind_id, listener_certificate(data, PASSWORDS[kind_id], size_limit=16_384, now=NOW))


def test_a_machine_without_the_reader_tells_the_kind(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    assert pfx.requested_rounds(good_pfx()) < pfx.MAX_ROUNDS
    check(
        "pfx-reader-failed", listener_certificate(good_pfx(), PASSWORD, size_limit=16_384, now=NOW)
    )


def test_no_kind_is_without_a_test():
    tested = {*ROOTS, *AUTHENTICATION, *CLIENT_CAS, *LISTENERS, *PASSWORDS, *ELSEWHERE}
    assert tested == set(declared())


@pytest.mark.parametrize("kind", declared().values(), ids=declared())
def test_every_kind_is_written_for_people(kind):
    assert KINDS[kind.id] is kind
    assert kind.title
    assert not kind.title.endswith(".")
    assert kind.why.endswith(".")
    assert kind.remedy
    assert kind.id == kind.id.lower()
    assert kind.severity in {"error", "warning"}


def test_a_kind_is_declared_once():
    with pytest.raises(ValueError, match="twice"):
        declare("cer-empty", title="x", why="x", remedy="x")
