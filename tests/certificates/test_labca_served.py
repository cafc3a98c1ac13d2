"""The zip for a server, served by openssl as its own script says, and judged as gateways do."""

from __future__ import annotations

import io
import socket
import ssl
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from certificates import labca, labca_files
from certificates.labca import Made, Order, make
from certificates.models import ChainForm
from certificates.x509.facts.certificate import Certificate
from certificates.x509.facts.names import match_name
from certificates.x509.files.read import read_certificates
from certificates.x509.trust.anchors import AnchorStore
from certificates.x509.trust.chains import judge_chain, judge_leaf_pin
from gateway.accounts.models import User
from gateway.health.handshake import shake_hands
from tests.factories import make_user
from tests.free_ports import free_ports

pytestmark = pytest.mark.django_db

NAME = "backend.contoso.test"


@pytest.fixture
def user() -> User:
    return make_user("alice")


def ordered(user: User, kind: labca.Kind, name: str, preset: str = "valid", **more: Any) -> Made:
    now = timezone.now()
    begin, end = labca.validity(preset, now)
    return make(
        user.pk,
        Order(kind=kind, name=name, valid_from=begin, valid_to=end, **more),
        now=now,
    )


def issuing(user: User, **root_options: Any) -> int:
    """The intermediate below a new root."""
    top = ordered(user, "root", "My Root", **root_options).authority
    assert top is not None
    below = ordered(user, "intermediate", "My Issuing CA", issuer_id=top.pk).authority
    assert below is not None
    return below.pk


@dataclass(frozen=True)
class Unpacked:
    """The archive on disk, and what is in it."""

    folder: Path
    stem: str

    def certificates(self, suffix: str) -> list[Certificate]:
        data = (self.folder / f"{self.stem}{suffix}").read_bytes()
        return list(read_certificates(data).certificates)


def unpacked(made: Made, folder: Path) -> Unpacked:
    now = timezone.now()
    subject = labca_files.of_entry(made.entry, now)
    key = labca_files.key_of_entry(made.entry)
    assert key is not None
    packed = labca_files.server_zip(subject, key, now)
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        archive.extractall(folder)
    return Unpacked(folder / subject.stem, subject.stem)


@contextmanager
def served(files: Unpacked) -> Iterator[int]:
    """Run the archive's own script; yields the port when it answers."""
    (port,) = free_ports(1)
    script = files.folder / "s_server.sh"
    with subprocess.Popen(
        ["sh", str(script), f"127.0.0.1:{port}"],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            deadline = time.monotonic() + 15
            while not _answers(port):
                assert process.poll() is None, process.communicate()[0].decode()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=10)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def presented(port: int) -> list[Certificate]:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    secured, handshake = shake_hands(connection, NAME, is_v1=False)
    with closing(secured):
        return [Certificate.from_der(der) for der in handshake.chain]


def shown(made: Made, folder: Path) -> tuple[list[Certificate], Unpacked]:
    files = unpacked(made, folder)
    with served(files) as port:
        return presented(port), files


SOUND: dict[str, Any] = {}
DEFECTS = [
    # what is ordered, what a v2 gateway with the root finds, what a v1 gateway with the leaf finds
    (SOUND, "ok", "ok"),
    ({"chain_form": ChainForm.WITH_ROOT}, "ok", "ok"),
    ({"chain_form": ChainForm.LEAF_ONLY}, "intermediate-missing", "ok"),
    ({"preset": "expired"}, "dates", "dates"),
    ({"preset": "future"}, "dates", "dates"),
    ({"cn_only": True}, "ok", "ok"),
    ({"purposes": ("client",)}, "verify", "ok"),
    ({"purposes": ("code-signing",)}, "verify", "ok"),
    ({"purposes": ()}, "ok", "ok"),
    ({"key": "rsa1024"}, "verify", "ok"),
    ({"key": "ed25519"}, "ok", "ok"),
    ({"digest": "sha1"}, "verify", "ok"),
]


@pytest.mark.parametrize(("changes", "v2", "v1"), DEFECTS)
def test_each_defect_is_judged_as_its_note_says(
    user: User, tmp_path: Path, changes: dict[str, Any], v2: str, v1: str
) -> None:
    made = ordered(user, "server", NAME, issuer_id=issuing(user), **changes)
    chain, files = shown(made, tmp_path)
    (root,) = files.certificates("-root.cer")
    (leaf,) = files.certificates(".cer")
    anchors = AnchorStore.from_certificates([root])

    assert chain == files.certificates("-chain.pem")
    now = timezone.now()
    assert judge_chain(chain, anchors, well_known=False, now=now).finding == v2
    assert judge_leaf_pin(chain, [leaf], now=now).finding == v1
    assert match_name(chain[0], NAME).used == ("cn" if changes.get("cn_only") else "san")


@pytest.mark.parametrize(
    ("kind", "v2"), [("self-signed-ca", "ok"), ("self-signed", "intermediate-missing")]
)
def test_self_signed_servers_are_judged_as_their_notes_say(
    user: User, tmp_path: Path, kind: labca.Kind, v2: str
) -> None:
    chain, files = shown(ordered(user, kind, NAME), tmp_path)
    anchors = AnchorStore.from_certificates(files.certificates("-root.cer"))
    now = timezone.now()
    assert judge_chain(chain, anchors, well_known=False, now=now).finding == v2
    assert judge_leaf_pin(chain, files.certificates(".cer"), now=now).ok


@pytest.mark.parametrize("authority", [{"key": "ed25519"}, {"path_length": 0}, {"key": "rsa1024"}])
def test_a_defect_of_the_authority_is_found(
    user: User, tmp_path: Path, authority: dict[str, Any]
) -> None:
    made = ordered(user, "server", NAME, issuer_id=issuing(user, **authority))
    chain, files = shown(made, tmp_path)
    anchors = AnchorStore.from_certificates(files.certificates("-root.cer"))
    verdict = judge_chain(chain, anchors, well_known=False, now=timezone.now())
    assert verdict.finding == "verify"
    assert verdict.at_fault is not None
    assert verdict.at_fault.is_ca


def test_a_sha_1_signature_on_a_root_does_no_harm(user: User, tmp_path: Path) -> None:
    made = ordered(user, "server", NAME, issuer_id=issuing(user, digest="sha1"))
    chain, files = shown(made, tmp_path)
    anchors = AnchorStore.from_certificates(files.certificates("-root.cer"))
    assert judge_chain(chain, anchors, well_known=False, now=timezone.now()).ok


def test_a_chain_file_in_wrong_order_is_judged_so_and_taken_by_no_common_server(
    user: User, tmp_path: Path
) -> None:
    made = ordered(user, "server", NAME, issuer_id=issuing(user), chain_form=ChainForm.REVERSED)
    files = unpacked(made, tmp_path)
    chain = files.certificates("-chain.pem")
    anchors = AnchorStore.from_certificates(files.certificates("-root.cer"))
    now = timezone.now()
    assert judge_chain(chain, anchors, well_known=False, now=now).finding == "leaf-not-first"
    assert not judge_leaf_pin(chain, files.certificates(".cer"), now=now).ok
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        context.load_cert_chain(
            files.folder / f"{files.stem}-chain.pem", files.folder / f"{files.stem}.key"
        )
    assert "begins with the root" in (files.folder / "READ-ME.txt").read_text()
    # openssl sends its own first; what comes behind is in the order of the file.
    with served(files) as port:
        assert presented(port) == [chain[2], chain[0], chain[1]]


def test_openssl_reads_every_file(user: User, tmp_path: Path) -> None:
    made = ordered(user, "server", NAME, issuer_id=issuing(user))
    subject = labca_files.of_entry(made.entry, timezone.now())
    key = labca_files.key_of_entry(made.entry)
    assert key is not None

    def openssl(*arguments: str, data: bytes) -> str:
        done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True)
        return done.stdout.decode()

    def content(kind: str) -> bytes:
        return labca_files.public_file(subject, kind).content

    digest = subject.certificate.sha256
    for kind, form in (("cer", "PEM"), ("der", "DER"), ("pem", "PEM")):
        told = openssl(
            "x509", "-inform", form, "-noout", "-fingerprint", "-sha256", data=content(kind)
        )
        assert told.strip().rpartition("=")[2].replace(":", "") == digest
    bundle = openssl("pkcs7", "-inform", "DER", "-print_certs", data=content("p7b"))
    assert bundle.count("BEGIN CERTIFICATE") == 3
    for legacy in (False, True):
        made_pfx = labca_files.pfx(subject, key, "Passw0rd", legacy=legacy)
        extra = ["-legacy"] if legacy else []
        text = openssl(
            "pkcs12", *extra, "-nodes", "-passin", "pass:Passw0rd", data=made_pfx.content
        )
        assert text.count("BEGIN CERTIFICATE") == 3
        assert f"friendlyName: {NAME}" in text
    (tmp_path / "root.pem").write_text(subject.issuers[-1].pem)
    (tmp_path / "chain.pem").write_bytes(content("pem"))
    told = openssl(
        "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", NAME,
        "-CAfile", str(tmp_path / "root.pem"), "-untrusted", str(tmp_path / "chain.pem"),
        data=content("cer"),
    )  # fmt: skip
    assert "OK" in told


@pytest.mark.parametrize(
    ("title", "stem"),
    [("*.contoso.test", "wildcard.contoso.test"), ("../../etc/passwd", "etc-passwd"),
     ("Müller & Söhne", "M-ller-S-hne"), ("…", "certificate"), ("a" * 200, "a" * 60)],
)  # fmt: skip
def test_names_of_files_are_plain(user: User, title: str, stem: str) -> None:
    certificate = ordered(user, "self-signed", NAME).entry.certificate.parsed
    assert labca_files.Subject(title, certificate, ()).stem == stem
