"""The command ``labca``: the same certificates as the page makes, and files of them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from certificates.models import Authority, StoredCertificate
from certificates.x509.facts.certificate import Certificate
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing.issue import load_issued
from gateway.accounts.models import User
from gateway.lab.supplies import ensure_lab_authority
from gateway.management.serving import tls
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def owner() -> User:
    return make_user("owner")


def labca(*arguments: str | Path) -> str:
    said = io.StringIO()
    call_command("labca", *map(str, arguments), stdout=said)
    return said.getvalue()


def refused(*arguments: str | Path) -> str:
    with pytest.raises(CommandError) as caught:
        labca(*arguments)
    assert caught.value.returncode == 1
    return str(caught.value)


def newest() -> Certificate:
    return StoredCertificate.objects.latest("pk").certificate.parsed


def a_chain() -> None:
    labca("root", "My Root")
    labca("intermediate", "My Issuing CA", "--issuer", "my root")


def test_a_hierarchy_is_made_and_listed() -> None:
    a_chain()
    labca("server", "backend.contoso.test", "--issuer", "My Issuing CA")
    labca("client", "Anna", "--issuer", "My Root", "--key", "ed25519")

    lines = labca("list").splitlines()
    assert [line.partition("  (")[0] for line in lines] == [
        "My Issuing CA",
        "My Root",
        "backend.contoso.test",
        "Anna",
    ]
    assert "below My Root" in lines[0]
    assert "issued by My Issuing CA, EC P-256, until " in lines[2]


def test_options_are_what_the_certificate_says() -> None:
    a_chain()
    labca(
        "server", "shop.contoso.test", "--issuer", "My Issuing CA", "--san", "a.test",
        "--san", "bücher.test", "--ip", "10.0.1.4", "--from", "2020-01-01",
        "--to", "2021-01-01T12:30", "--key", "rsa1024", "--purpose", "none", "--sha1",
        "--chain", "leaf-only", "--friendly-name", "Shop",
    )  # fmt: skip
    made, entry = newest(), StoredCertificate.objects.latest("pk")

    assert made.names == ("a.test", "xn--bcher-kva.test", "10.0.1.4")
    assert made.not_before == datetime(2020, 1, 1, tzinfo=UTC)
    assert made.not_after == datetime(2021, 1, 1, 12, 30, tzinfo=UTC)
    assert (made.key.label, made.may_serve, made.has_weak_signature) == ("RSA 1024", False, True)
    assert (entry.chain_form, entry.friendly_name, entry.made_here) == ("leaf-only", "Shop", True)


def test_self_signed_certificates_may_be_authorities_and_have_a_common_name_alone() -> None:
    labca("self-signed", "a.test")
    assert newest().role == "self-signed"
    labca("self-signed", "a.test", "--ca", "--cn-only")
    assert (newest().role, newest().names) == ("root", ())


def test_dates_may_be_given_in_days() -> None:
    labca("self-signed", "a.test", "--from", "2031-05-01T00:00+02:00", "--days", "10")
    assert newest().not_before == datetime(2031, 4, 30, 22, tzinfo=UTC)
    assert newest().not_after == newest().not_before + timedelta(days=10)
    labca("self-signed", "b.test", "--from", "2031-05-01")
    assert newest().not_after > datetime(2032, 4, 29, tzinfo=UTC)
    labca("root", "Limited", "--path-length", "0")
    assert newest().path_length == 0


def test_the_authorities_of_the_sandbox_issue_too(owner: User) -> None:
    ensure_lab_authority(owner, timezone.now())
    labca("server", "a.test", "--issuer", "lab-issuing")
    assert newest().issuer_common_name == "Lab Issuing CA of owner"
    labca("server", "b.test", "--issuer", "Lab Issuing CA of owner")
    assert newest().issuer_common_name == "Lab Issuing CA of owner"


def test_it_works_for_any_user() -> None:
    anna = make_user("anna")
    labca("root", "Hers", "--user", "ANNA")
    assert Authority.objects.get().owner == anna
    assert "Hers" not in labca("list")


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_files_are_written_and_those_with_keys_are_the_owners_alone(tmp_path: Path) -> None:
    a_chain()
    password, out = tmp_path / "password", tmp_path / "new" / "certs"
    password.write_text("Passw0rd\nsecond line\n")
    said = labca(
        "server", "*.contoso.test", "--issuer", "My Issuing CA", "--chain", "with-root",
        "--out", out, "--pfx-password-file", password, "--legacy",
    )  # fmt: skip

    stem = "wildcard.contoso.test"
    modes = {path.name: path.stat().st_mode & 0o777 for path in out.iterdir()}
    assert modes == {
        f"{stem}.cer": 0o644,
        f"{stem}-der.cer": 0o644,
        f"{stem}-chain.pem": 0o644,
        f"{stem}.p7b": 0o644,
        f"{stem}.pfx": 0o600,
        f"{stem}-server.zip": 0o600,
    }
    for name in modes:
        assert str(out / name) in said
    assert "Passw0rd" not in said
    assert len(read_certificates((out / f"{stem}-chain.pem").read_bytes()).certificates) == 3
    loaded = pkcs12.load_pkcs12((out / f"{stem}.pfx").read_bytes(), b"Passw0rd")
    assert loaded.cert is not None
    with zipfile.ZipFile(out / f"{stem}-server.zip") as archive:
        key = archive.read(f"{stem}/{stem}.key")
    assert load_issued(newest(), key)


def test_the_key_of_an_authority_leaves_in_a_pfx_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Passw0rd\n"))
    labca("root", "My Root", "--out", tmp_path, "--pfx-password-file", "-")

    assert {path.suffix for path in tmp_path.iterdir()} == {".cer", ".pem", ".p7b", ".pfx"}
    pfx = (tmp_path / "My-Root.pfx").read_bytes()
    assert pkcs12.load_pkcs12(pfx, b"Passw0rd").key is not None


def test_files_of_an_earlier_run_are_replaced_with_their_modes(tmp_path: Path) -> None:
    old = tmp_path / "a.test-server.zip"
    old.write_bytes(b"old")
    old.chmod(0o644)
    labca("self-signed", "a.test", "--out", tmp_path)
    assert old.stat().st_mode & 0o777 == 0o600
    assert old.read_bytes() != b"old"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["server", "a.test"], "Say who signs it with --issuer. Authorities: “My Root”"),
        (["server", "a.test", "--issuer", "Other"], "no authority “Other”"),
        (["root", "My Root"], "You have an authority called “My Root”"),
        (["root"], "Enter a name"),
        (["root", "a\udcff"], "cannot be seen"),
        (["root", "a", "--user", "b\udcff"], "no user “b?”"),
        (["self-signed", "a.test", "--friendly-name", "\udcff"], "on one line"),
        (["server", "a.test", "--issuer", "\udcff"], "no authority"),
        (["root", "a", "--user", "nobody"], "no user “nobody”"),
        (["root", "a", "--from", "tomorrow"], "--from wants a date such as"),
        (["root", "a", "--to", "0001-01-01T00:00+23:59"], "--to wants a date such as"),
        (["root", "a", "--to", "2030-01-01", "--days", "3"], "not both"),
        (["root", "a", "--days", "-1"], "after the first"),
        (["root", "a", "--days", "99999999999"], "outside the calendar"),
        (["root", "a", "--days", "-99999999999"], "outside the calendar"),
        (["root", "a", "--from", "9999-01-01"], "outside the calendar"),
        (["self-signed", "My server"], "no host name"),
        (["self-signed", "a.test", "--san", "x y"], "“x y” is neither"),
        (["self-signed", "a.test", "--key", "ed25519", "--sha1"], "Ed25519"),
        (["root", "a", "--legacy"], "needs --pfx-password-file"),
        (["root", "a", "--pfx-password-file", "x"], "--out is missing"),
        (["root", "a", "--out", "{}/d", "--pfx-password-file", "{}/none"], "No such file"),
        (["root", "a", "--out", "{}/d", "--pfx-password-file", "{}/binary"], "no UTF-8 text"),
        (["root", "a", "--out", "{}/d", "--pfx-password-file", "{}/empty"], "needs a password"),
        (["root", "a", "--out", "{}/empty"], "cannot be made"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_made(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    labca("root", "My Root")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "empty").write_bytes(b"")
    assert words in refused(*(one.format(tmp_path) for one in arguments))
    assert StoredCertificate.objects.count() == 1


def test_without_authorities_the_issuer_is_to_be_made_first() -> None:
    assert "make a root first" in refused("server", "a.test")


def test_a_pfx_password_that_readers_disagree_on_is_refused(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("\U0001f511")
    said = refused("root", "a", "--out", tmp_path / "d", "--pfx-password-file", password)
    assert "files were not written" in said


def test_a_directory_that_takes_no_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.cer").mkdir()
    assert "a.cer cannot be written" in refused("root", "a", "--out", tmp_path)


def test_the_help_explains_itself() -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "manage.py", "labca", "--help"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert '  labca intermediate "My Issuing CA" --issuer "My Root"\n' in done.stdout
    for option in ("--san", "--pfx-password-file", "--legacy", "--cn-only"):
        assert option in done.stdout


def test_the_installations_own_authority_is_not_offered(tmp_path: Path) -> None:
    """It signs the portal's certificate from a file; nothing here can be signed with it."""
    portal = tls.ensure(tmp_path, [], installation="0123abcd", now=timezone.now())
    (authority,) = read_certificates(portal.authority.read_bytes()).certificates
    labca("root", "My Root")

    assert authority.label not in labca("list")
    assert "no authority" in refused("server", "a.test", "--issuer", authority.label)
    own = {one.certificate.parsed for one in Authority.objects.select_related("certificate")}
    assert authority not in own
