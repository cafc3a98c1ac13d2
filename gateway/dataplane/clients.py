"""What a listener asks of clients: their certificate, its chain, its issuer.

Source: "Overview of mutual authentication with Application Gateway". The handshake is completed
with any certificate, and the request is refused with 400, as the cloud does: so the engine's socket
accepts everybody, and a filter in front of all others decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from certificates.x509.facts.certificate import Certificate
from certificates.x509.facts.signatures import is_signed_by
from certificates.x509.problems import ProblemError
from gateway.dataplane.access import CLIENT_STATS, RBAC
from gateway.dataplane.envoy import Config, Files, extension
from gateway.models import LoadedGateway, SslProfile, TrustedClientCertificate

Mode = Literal["strict", "passthrough"]


@dataclass(frozen=True, slots=True)
class ClientCheck:
    """What a profile asks. ``authorities`` is PEM of what a client's chain may end in.

    With ``direct`` these must have issued the client's certificate themselves.
    """

    profile: int
    mode: Mode
    authorities: bytes
    direct: bool = False
    revocation: bool = False


def client_check(loaded: LoadedGateway, profile: SslProfile | None) -> ClientCheck | None:
    """What ``profile`` asks of clients; ``None`` if nothing."""
    if profile is None:
        return None
    if profile.verify_client_auth_mode == SslProfile.Mode.PASSTHROUGH:
        return ClientCheck(profile.pk, "passthrough", b"")
    files = [_read(loaded, one) for one in loaded.client_certificates_of(profile)]
    asks = (
        files
        or profile.verify_client_cert_issuer_dn
        or profile.verify_client_auth_mode == SslProfile.Mode.STRICT
    )
    if not asks:
        return None
    trusted: list[Certificate] = []
    for certificates in files:
        chain = authorities_of(certificates)
        trusted += [issuer_of(chain)] if profile.verify_client_cert_issuer_dn and chain else chain
    return ClientCheck(
        profile.pk,
        "strict",
        "".join(dict.fromkeys(one.pem for one in trusted)).encode(),
        direct=profile.verify_client_cert_issuer_dn,
        revocation=profile.verify_client_revocation == SslProfile.Revocation.OCSP,
    )


def _read(loaded: LoadedGateway, file: TrustedClientCertificate) -> tuple[Certificate, ...]:
    parts = loaded.client_certificate_parts(file)
    found = (_parsed(bytes(part.certificate.der)) for part in parts)
    return tuple(one for one in found if one is not None)


@lru_cache(maxsize=1024)
def _parsed(der: bytes) -> Certificate | None:
    try:
        return Certificate.from_der(der)
    except ProblemError:
        return None


def authorities_of(certificates: Iterable[Certificate]) -> list[Certificate]:
    """The roots of a client CA file, then the intermediates that lead to them.

    A leaf in the file is ignored, as the article says: the engine would believe it. So is an
    intermediate of somebody else's, which it would believe, too.
    """
    left = [one for one in certificates if one.is_ca]
    trusted = [one for one in left if one.self_signed]
    left = [one for one in left if not one.self_signed]
    while True:
        found = [
            one
            for one in left
            if any(
                one.issuer_key == above.subject_key and is_signed_by(one.x509, above.x509)
                for above in trusted
            )
        ]
        if not found:
            return trusted
        trusted += found
        left = [one for one in left if one not in found]


def issuer_of(chain: list[Certificate]) -> Certificate:
    """The authority whose name a client's issuer must have: the last of the longest chain.

    The article's table: of chains of equal length the first one's intermediate counts, else that
    of the longer one; without an intermediate it is the root.
    """
    depth: dict[str, int] = {}
    for one in chain:
        above = [other for other in chain if other != one and other.subject_key == one.issuer_key]
        depth[one.sha256] = 1 + max((depth.get(other.sha256, 0) for other in above), default=0)
    return max(chain, key=lambda one: depth[one.sha256])


def validation(client: ClientCheck, files: Files) -> Config:
    """The validation context of a chain that asks clients for certificates.

    Without an authority nothing is ever found valid, which is what Passthrough forwards.
    """
    context: Config = {"trust_chain_verification": "ACCEPT_UNTRUSTED"}
    if client.authorities:
        context["trusted_ca"] = files.add(client.authorities, "pem")
    if client.direct:
        context["max_verify_depth"] = 0
    return context


def client_filters(client: ClientCheck | None) -> list[Config]:
    """The first filter of a chain: in strict mode only a validated certificate comes past it."""
    if client is None:
        return []
    rules = {"action": "ALLOW", "policies": {"validated": _VALIDATED}}
    fields: Config = {"shadow_rules": rules, "shadow_rules_stat_prefix": CLIENT_STATS}
    if client.mode == "strict":
        fields["rules"] = rules
    return [extension(RBAC, "extensions.filters.http.rbac.v3.RBAC", **fields)]


_VALIDATED: Config = {
    "permissions": [{"any": True}],
    "principals": [
        {
            "custom": extension(
                "envoy.rbac.principals.mtls_authenticated",
                "extensions.rbac.principals.mtls_authenticated.v3.Config",
                any_validated_client_certificate=True,
            )
        }
    ],
}
