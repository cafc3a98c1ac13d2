"""Named certificates and SSL profiles."""

from __future__ import annotations

from gateway.document.certificates import (
    client_certificate_pem,
    client_issuer_name,
    public_certificates,
)
from gateway.document.shapes import (
    Kind,
    Member,
    Shape,
    choice,
    computed,
    flag,
    group,
    kept,
    references,
    text,
)
from gateway.document.tables.policies import ssl_policy
from gateway.models import (
    AuthenticationCertificate,
    SslCertificate,
    SslProfile,
    TrustedClientCertificate,
    TrustedRootCertificate,
)

FILE = Member("data", Kind.FILE, "data")

SSL_CERTIFICATES = Shape(
    SslCertificate.collection,
    (
        Member("data", Kind.SECRET_FILE, "data"),
        Member("password", Kind.SECRET, "password"),
        computed("publicCertData", public_certificates),
        text("keyVaultSecretId", "key_vault_secret_id"),
        *kept("hsm"),
    ),
    SslCertificate,
    noun=SslCertificate.noun,
)
AUTHENTICATION_CERTIFICATES = Shape(
    AuthenticationCertificate.collection,
    (FILE,),
    AuthenticationCertificate,
    generation="v1",
    noun=AuthenticationCertificate.noun,
)
TRUSTED_ROOT_CERTIFICATES = Shape(
    TrustedRootCertificate.collection,
    (FILE, text("keyVaultSecretId", "key_vault_secret_id")),
    TrustedRootCertificate,
    generation="v2",
    noun=TrustedRootCertificate.noun,
)
TRUSTED_CLIENT_CERTIFICATES = Shape(
    TrustedClientCertificate.collection,
    (
        FILE,
        computed("validatedCertData", client_certificate_pem),
        computed("clientCertIssuerDN", client_issuer_name),
    ),
    TrustedClientCertificate,
    generation="v2",
    noun=TrustedClientCertificate.noun,
)
SSL_PROFILES = Shape(
    SslProfile.collection,
    (
        references(
            "trustedClientCertificates",
            "client_certificate_links",
            TrustedClientCertificate.collection,
        ),
        ssl_policy(),
        group(
            "clientAuthConfiguration",
            flag("verifyClientCertIssuerDN", "verify_client_cert_issuer_dn"),
            choice("verifyClientRevocation", "verify_client_revocation", SslProfile.Revocation),
            choice("verifyClientAuthMode", "verify_client_auth_mode", SslProfile.Mode),
            presence="has_client_auth",
        ),
    ),
    SslProfile,
    generation="v2",
    noun=SslProfile.noun,
)
