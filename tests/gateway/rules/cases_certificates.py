"""Stored certificates and mutual authentication."""

from __future__ import annotations

from datetime import timedelta

from certificates.x509.issuing import issue
from gateway.models import (
    ApplicationGateway,
    SslCertificate,
    TrustedClientCertificate,
    TrustedRootCertificate,
)
from tests import factories as make
from tests.factories import NOW, v1_gateway, v2_gateway
from tests.gateway.rules.tables import raises

DATA = "ApplicationGatewayCertificateDataOrKeyVaultSecretIdMustBeSpecified"
VAULT = "https://vault.vault.azure.net/secrets/site"


@raises("certificate-empty", "sslCertificates", "c", "data", code=DATA)
def a_listener_certificate_without_a_file() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add(gateway, SslCertificate, "c")
    return gateway


@raises("certificate-empty", "trustedRootCertificates", "c", "data", code=DATA)
def a_root_without_a_file() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add(gateway, TrustedRootCertificate, "c")
    return gateway


@raises(
    "certificate-empty",
    "trustedClientCertificates",
    "c",
    "data",
    code="ApplicationGatewayTrustedClientCertificateMustSpecifyData",
)
def client_authorities_without_a_file() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add(gateway, TrustedClientCertificate, "c", data=b"nothing")
    return gateway


@raises("root-duplicate", "trustedRootCertificates", "b", "data", says=("“a”",))
def one_root_under_two_names() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_root(gateway, "a")
    make.add_root(gateway, "b")
    return gateway


@raises("key-vault-unread", "sslCertificates", "c", "key_vault_secret_id")
def a_certificate_in_a_key_vault() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add(gateway, SslCertificate, "c", key_vault_secret_id=VAULT)
    return gateway


@raises("certificate-expired", "authenticationCertificates", "c", "data", says=("2026-03-01",))
def an_expired_authentication_certificate() -> ApplicationGateway:
    gateway = v1_gateway()
    old = issue.make_self_signed(
        "old.contoso.com",
        now=NOW,
        ca=False,
        not_before=NOW - timedelta(days=9),
        not_after=NOW - timedelta(days=1),
    )
    make.add_authentication_certificate(gateway, "c", old.certificate)
    return gateway


@raises("certificate-expired", "trustedClientCertificates", "c", "data", says=("Old Clients",))
def an_expired_client_authority() -> ApplicationGateway:
    gateway = v2_gateway()
    old = issue.make_root(
        "Old Clients",
        now=NOW,
        not_before=NOW - timedelta(days=9),
        not_after=NOW - timedelta(days=1),
    )
    make.add_client_authority(gateway, "c", old.certificate)
    return gateway


@raises(
    "client-authority-missing", "sslProfiles", "p", "client_certificate_links", says=("strict",)
)
def strict_clients_without_an_authority() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_profile(gateway, "p", has_client_auth=True, verify_client_auth_mode="Strict")
    return gateway


@raises(
    "client-authority-missing",
    "sslProfiles",
    "p",
    "client_certificate_links",
    says=("issuer's name and the check for revocation",),
)
def checks_of_clients_without_an_authority() -> ApplicationGateway:
    gateway = v2_gateway()
    make.add_profile(
        gateway,
        "p",
        has_client_auth=True,
        verify_client_cert_issuer_dn=True,
        verify_client_revocation="OCSP",
    )
    return gateway


@raises(
    "client-checks-unused", "sslProfiles", "p", "verify_client_auth_mode", says=("authorities",)
)
def passthrough_with_an_authority() -> ApplicationGateway:
    gateway = v2_gateway()
    authority = make.add_client_authority(gateway, "c")
    make.add_profile(gateway, "p", authority, verify_client_auth_mode="Passthrough")
    return gateway
