"""The portal's own certificate, judged by a client's TLS library."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gateway.management.serving import tls

NOW = datetime.now(UTC).replace(microsecond=0)


def made(directory: Path, *names: str, now: datetime = NOW) -> tls.PortalCertificate:
    return tls.ensure(directory, names, installation="0123abcd", now=now)


def connect(pair: tls.PortalCertificate, name: str, authority: Path | None = None) -> str | None:
    """Shake hands with a server that holds the pair; what the client finds wrong, else None."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.certificate, pair.key)
    client = ssl.create_default_context(cafile=str(authority or pair.authority))
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with ours:
            try:
                server.wrap_socket(ours, server_side=True).close()
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with theirs:
            client.wrap_socket(theirs, server_hostname=name).close()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    finally:
        thread.join()
    return None


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_the_loopback_is_always_covered(tmp_path, name):
    assert connect(made(tmp_path), name) is None


@pytest.mark.parametrize("name", ["portal.example.test", "192.0.2.7", "2001:db8::7"])
def test_names_that_were_asked_for_are_covered_and_others_are_not(tmp_path, name):
    assert connect(made(tmp_path, name), name) is None
    assert connect(made(tmp_path, name), "elsewhere.example.test") is not None


def test_files_are_for_their_owner_alone(tmp_path):
    made(tmp_path / "tls")
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    assert {path.name for path in (tmp_path / "tls").iterdir()} == {
        "ca.pem", "ca.key", "portal.pem", "portal.key",
    }  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "tls").iterdir()} == {0o600}


def test_what_stands_is_kept(tmp_path):
    first = made(tmp_path)
    before = first.certificate.read_bytes()
    again = made(tmp_path, now=NOW + timedelta(days=300))
    assert (first.new_authority, again.new_authority) == (True, False)
    assert again.certificate.read_bytes() == before


def test_the_certificate_is_renewed_in_time_under_the_same_authority(tmp_path):
    authority = made(tmp_path).authority.read_bytes()
    later = NOW + tls.SERVER_LIFE - timedelta(days=20)
    renewed = made(tmp_path, now=later)
    assert renewed.authority.read_bytes() == authority
    certificate = x509.load_pem_x509_certificate(renewed.certificate.read_bytes())
    assert certificate.not_valid_after_utc == later + tls.SERVER_LIFE


def test_an_authority_that_runs_out_is_replaced(tmp_path):
    authority = made(tmp_path).authority.read_bytes()
    replaced = made(tmp_path, now=NOW + tls.AUTHORITY_LIFE - timedelta(days=1))
    assert replaced.new_authority
    assert replaced.authority.read_bytes() != authority


def test_a_new_name_needs_a_new_authority_and_a_name_less_does_not(tmp_path):
    made(tmp_path, "portal.example.test")
    assert not made(tmp_path).new_authority
    widened = made(tmp_path, "other.example.test")
    assert widened.new_authority
    assert connect(widened, "other.example.test") is None


@pytest.mark.parametrize("name", ["ca.key", "ca.pem", "portal.key", "portal.pem"])
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN NONSENSE-----"])
def test_a_lost_or_damaged_file_is_made_again(tmp_path, name, content):
    made(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert connect(made(tmp_path), "localhost") is None


def test_the_authority_vouches_for_no_name_but_its_own(tmp_path):
    """Whoever trusts it must not have to trust it for the rest of the world."""
    pair = made(tmp_path)
    loaded = tls._load(tmp_path / "ca.pem", tmp_path / "ca.key")
    assert loaded is not None
    certificate, key = tls._make_server(loaded, ["bank.example.test"], NOW)
    stolen = tmp_path / "stolen.pem"
    stolen_key = tmp_path / "stolen.key"
    stolen.write_bytes(certificate.public_bytes(tls.serialization.Encoding.PEM))
    stolen_key.write_bytes(tls._key_pem(key))
    forged = tls.PortalCertificate(pair.authority, stolen, stolen_key, False)
    assert connect(forged, "bank.example.test") == "permitted subtree violation"


def test_another_installation_is_not_trusted(tmp_path):
    other = made(tmp_path / "other")
    assert connect(made(tmp_path / "own"), "localhost", other.authority) is not None
