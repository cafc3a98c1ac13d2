"""Stored certificates: that there is one behind each name, its dates, and double roots.

What an uploaded file must be is judged at the upload, by :mod:`certificates.x509.places.uploads`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from certificates.models import Certificate
from certificates.x509.kinds.contents import EXPIRED
from gateway.models import (
    AuthenticationCertificate,
    Child,
    LoadedGateway,
    SslCertificate,
    TrustedClientCertificate,
    TrustedRootCertificate,
)
from gateway.problems import Problem, declare, evidenced
from gateway.rules.words import about, called, named

FILE_MISSING = declare(
    "certificate-empty",
    title="There is no certificate behind the name",
    why="A named certificate of a gateway holds an uploaded file, or the id of a Key Vault secret.",
    remedy="Upload the file again, or remove the entry.",
    source="Application gateways REST API reference",
)
for _model in (SslCertificate, TrustedRootCertificate):
    evidenced(
        FILE_MISSING.id,
        "ApplicationGatewayCertificateDataOrKeyVaultSecretIdMustBeSpecified",
        collection=_model.collection,
    )
evidenced(
    FILE_MISSING.id,
    "ApplicationGatewayTrustedClientCertificateMustSpecifyData",
    collection=TrustedClientCertificate.collection,
)
ROOT_DUPLICATE = declare(
    "root-duplicate",
    title="The root certificate is there under another name",
    why="A gateway stores each trusted root once; every HTTP setting can use it.",
    remedy="Choose the stored root in the HTTP setting instead of uploading it again.",
    source="Troubleshoot Application Gateway deployment failures article",
)
VAULT_UNREAD = declare(
    "key-vault-unread",
    severity="warning",
    title="Certificates in a Key Vault are not fetched",
    why="The reference is kept and given back, but there is no vault to read from, so that "
    "listeners and settings with this certificate do not work.",
    remedy="Upload the certificate as a file.",
    source="TLS termination with Key Vault certificates article",
)


def check(loaded: LoadedGateway, now: datetime) -> Iterator[Problem]:
    for row in loaded.ssl_certificates:
        parts = loaded.ssl_certificate_parts(row)
        yield from _file(row, [part.certificate for part in parts[:1]], now)
    for authentication in loaded.authentication_certificates:
        yield from _file(authentication, [authentication.certificate], now)
    owners: dict[str, TrustedRootCertificate] = {}
    for root in loaded.trusted_root_certificates:
        yield from _file(root, [root.certificate] if root.certificate else [], now)
        if root.certificate is not None:
            owner = owners.setdefault(root.certificate.sha256, root)
            if owner is not root:
                message = f"{called(root)} is the same certificate as {named(owner)}."
                yield about(ROOT_DUPLICATE, root, message, "data")
    for authority in loaded.trusted_client_certificates:
        client_parts = loaded.client_certificate_parts(authority)
        yield from _file(authority, [part.certificate for part in client_parts], now)


def _file(
    row: SslCertificate
    | AuthenticationCertificate
    | TrustedRootCertificate
    | TrustedClientCertificate,
    certificates: list[Certificate],
    now: datetime,
) -> Iterator[Problem]:
    vault = getattr(row, "key_vault_secret_id", "")
    if not certificates and vault:
        message = f"{called(row)} points into a Key Vault, which is not read."
        yield about(VAULT_UNREAD, row, message, "key_vault_secret_id")
    elif not certificates:
        yield about(FILE_MISSING, row, f"{called(row)} has no certificate.", "data")
    for certificate in certificates:
        if certificate.not_after < now:
            yield _expired(row, certificate)


def _expired(row: Child, certificate: Certificate) -> Problem:
    message = (
        f"{called(row)} holds “{certificate.subject[:80]}”, which expired on "
        f"{certificate.not_after:%Y-%m-%d}."
    )
    return about(EXPIRED, row, message, "data")
