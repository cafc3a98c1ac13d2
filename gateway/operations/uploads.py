"""The files of a document: opened and judged before any transaction begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from certificates.x509.kinds import contents, files, listeners
from certificates.x509.places import uploads as judge
from certificates.x509.places.uploads import LISTENER_PFX_LIMITS
from gateway.document import ChildDraft, Draft
from gateway.models import (
    AuthenticationCertificate,
    Child,
    SslCertificate,
    TrustedClientCertificate,
    TrustedRootCertificate,
)
from gateway.models.gateways import V1_TIERS
from gateway.problems import Kind, Problem, Target, evidenced

MODELS: tuple[type[Child], ...] = (
    SslCertificate,
    AuthenticationCertificate,
    TrustedRootCertificate,
    TrustedClientCertificate,
)

# Why a file is refused: the errors that the certificate rooms declare.
_FILE_KINDS = [
    kind
    for module in (contents, files, listeners)
    for kind in vars(module).values()
    if isinstance(kind, Kind) and kind.severity == "error"
]
_SSL = "ApplicationGatewaySslCertificate"
_CLIENT = "ApplicationGatewayTrustedClientCertificate"
# The cloud's codes by collection: what any unusable file gets, and the finer ones (forum reports
# for listeners and roots; the mutual authentication troubleshooting article).
_GENERAL_CODES = {
    SslCertificate.collection: f"{_SSL}InvalidData",
    TrustedRootCertificate.collection: "ApplicationGatewayTrustedRootCertificateInvalidData",
    TrustedClientCertificate.collection: f"{_CLIENT}InvalidData",
}
_FINE_CODES = {
    "pfx-password-wrong": f"{_SSL}PasswordIncorrect",
    "pfx-password-missing": f"{_SSL}PasswordIncorrect",
    "pfx-too-large": f"{_SSL}DataTooBig",
    "cer-empty": f"{_CLIENT}MustSpecifyData",
    "cer-private-key": f"{_CLIENT}MustNotHavePrivateKey",
    "client-ca-none": f"{_CLIENT}DoesNotContainAnyCACertificate",
    "client-ca-roots": "ApplicationGatewayOnlyOneRootCAAllowedInTrustedClientCertificate",
}
for _collection, _code in _GENERAL_CODES.items():
    for _kind in _FILE_KINDS:
        evidenced(_kind.id, _code, collection=_collection)
for _id, _code in _FINE_CODES.items():
    evidenced(
        _id,
        _code,
        collection=SslCertificate.collection
        if _code.startswith(_SSL)
        else TrustedClientCertificate.collection,
    )


@dataclass(slots=True)
class Opened:
    """What the files hold, by (collection, lower-case name), and what is wrong with them."""

    files: dict[tuple[str, str], judge.Upload] = field(default_factory=dict, repr=False)
    problems: list[Problem] = field(default_factory=list)

    def of(self, child: ChildDraft) -> judge.Upload | None:
        return self.files.get((child.collection, child.name.lower()))


def open_uploads(draft: Draft, now: datetime) -> Opened:
    """Open every file that the draft brings; PFX files are decrypted in a process of their own."""
    opened = Opened()
    is_v1 = draft.gateway.values.get("sku_tier") in V1_TIERS
    for model in MODELS:
        for child in draft.collections[model.collection]:
            if child.upload.data is None:
                continue
            upload = _open(child, child.upload.data, is_v1, now)
            opened.files[child.collection, child.name.lower()] = upload
            opened.problems += [
                Problem(
                    kind=problem.kind,
                    message=f"{model.noun.capitalize()} “{child.name}”: {problem.message}",
                    target=Target(child.collection, child.name, "data"),
                )
                for problem in upload.problems
            ]
    return opened


def _open(child: ChildDraft, data: bytes, is_v1: bool, now: datetime) -> judge.Upload:
    if child.collection == SslCertificate.collection:
        limit = LISTENER_PFX_LIMITS["v1" if is_v1 else "v2"]
        return judge.listener_certificate(data, child.upload.password, size_limit=limit, now=now)
    if child.collection == AuthenticationCertificate.collection:
        return judge.authentication_certificate(data, now=now, base64_only=False)
    if child.collection == TrustedRootCertificate.collection:
        return judge.trusted_root_certificate(data, now=now, base64_only=False)
    return judge.client_ca_certificate(data, now=now)
