from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from django.core.exceptions import ValidationError
from django.utils import timezone

from certificates.x509.facts.names import match_name
from certificates.x509.places import uploads
from gateway.accounts.models import Subscription, User
from gateway.lab.files import File, chain_pem, leaf_cer, leaf_der, listener_pfx, root_cer
from gateway.lab.sandbox import ensure_sandbox
from gateway.models import LabServer
from tests.gateway.lab.conftest import server_of


@pytest.fixture
def sandbox(user: User) -> Subscription:
    return ensure_sandbox(user)


def openssl(*arguments: str, data: bytes) -> str:
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True)
    return done.stdout.decode()


def content(file: File | None) -> bytes:
    assert file is not None
    return file.content


def test_the_leaf_is_base_64_that_openssl_reads(sandbox: Subscription) -> None:
    file = leaf_cer(server_of(sandbox, "full-chain"))

    assert file is not None
    assert file.name == "full-chain-leaf.cer"
    text = openssl("x509", "-noout", "-ext", "subjectAltName", data=file.content)
    assert "DNS:full-chain.contoso.test" in text


def test_no_two_files_of_a_sandbox_have_the_same_name(sandbox: Subscription) -> None:
    servers = LabServer.objects.filter(virtual_network__group__subscription=sandbox)
    found = [
        (file.name, file.content)
        for server in servers.select_related("leaf", "root", "virtual_network__group")
        for make in (leaf_cer, leaf_der, root_cer, chain_pem)
        if (file := make(server)) is not None
    ]

    names = [name for name, _ in found]
    assert len(set(names)) == len(names)
    assert {"full-chain-leaf.cer", "full-chain-v1-leaf.cer"} < set(names)


def test_the_binary_leaf_is_the_same_certificate(sandbox: Subscription) -> None:
    server = server_of(sandbox, "full-chain")

    binary = openssl("x509", "-inform", "DER", "-outform", "PEM", data=content(leaf_der(server)))

    assert binary.encode() == content(leaf_cer(server))


def test_openssl_accepts_the_chain_under_the_root(sandbox: Subscription, tmp_path: Path) -> None:
    server = server_of(sandbox, "full-chain")
    root, chain = tmp_path / "root.cer", tmp_path / "chain.pem"
    root.write_bytes(content(root_cer(server)))
    chain.write_bytes(content(chain_pem(server)))

    done = openssl(
        "verify",
        "-x509_strict",
        "-CAfile",
        str(root),
        "-untrusted",
        str(chain),
        data=chain.read_bytes(),
    )

    assert "OK" in done


def test_the_files_are_what_the_uploads_want(sandbox: Subscription) -> None:
    server, now = server_of(sandbox, "full-chain"), timezone.now()

    v2 = uploads.trusted_root_certificate(content(root_cer(server)), now=now, base64_only=True)
    v1 = uploads.authentication_certificate(content(leaf_cer(server)), now=now, base64_only=True)
    binary = uploads.authentication_certificate(
        content(leaf_der(server)), now=now, base64_only=True
    )

    assert v2.ok
    assert v1.ok
    assert (v2.problems, v1.problems) == ((), ())
    assert not binary.ok


def test_a_self_signed_server_is_its_own_root(sandbox: Subscription) -> None:
    server = server_of(sandbox, "self-signed-ca")

    assert content(root_cer(server)) == content(leaf_cer(server))


@pytest.mark.parametrize("scenario", ["plain-http", "silent", "closed"])
def test_a_server_without_tls_has_no_files(sandbox: Subscription, scenario: str) -> None:
    server = server_of(sandbox, scenario)

    assert [leaf_cer(server), leaf_der(server), root_cer(server), chain_pem(server)] == [None] * 4


@pytest.mark.parametrize("self_signed", [False, True])
@pytest.mark.parametrize("password", ["Passw0rd", ""])
def test_a_listener_gets_a_pfx_with_the_password_of_the_user(
    user: User, password: str, self_signed: bool
) -> None:
    file = listener_pfx(user, "www.contoso.com", password, self_signed=self_signed)

    loaded = pkcs12.load_pkcs12(file.content, password.encode() or None)
    assert loaded.key is not None
    assert len(loaded.additional_certs) == (0 if self_signed else 2)
    assert file.name == "www.contoso.com.pfx"
    read = openssl(
        "pkcs12", "-in", "/dev/stdin", "-nokeys", "-passin", f"pass:{password}", data=file.content
    )
    assert "CN = www.contoso.com" in read


def test_a_pfx_of_the_lab_is_taken_by_both_generations(user: User) -> None:
    file = listener_pfx(user, "*.Contoso.com.", "Passw0rd")

    for limit in uploads.LISTENER_PFX_LIMITS.values():
        upload = uploads.listener_certificate(
            file.content, "Passw0rd", size_limit=limit, now=timezone.now()
        )
        assert upload.problems == ()
    assert file.name == "wildcard.contoso.com.pfx"
    assert match_name(upload.certificates[0], "shop.contoso.com").ok
    assert upload.certificates[0].is_valid_at(timezone.now() + timedelta(days=365))


@pytest.mark.parametrize("host", ["", "a b", "http://x", "*", "*.*.x", "ü.de", "-" * 300, "a\0b"])
def test_a_pfx_needs_a_host_name(user: User, host: str) -> None:
    with pytest.raises(ValidationError):
        listener_pfx(user, host, "Passw0rd")


def test_a_long_host_name_fits_into_a_pfx(user: User) -> None:
    host = ".".join(["a" * 60] * 3) + ".test"

    loaded = pkcs12.load_pkcs12(listener_pfx(user, host, "x").content, b"x")

    assert loaded.cert is not None


def test_neither_key_nor_password_shows_in_a_representation(user: User) -> None:
    shown = repr(listener_pfx(user, "www.contoso.com", "Passw0rd"))

    assert "Passw0rd" not in shown
    assert "content=" not in shown
