"""Mutual authentication: what an SSL profile that asks clients for certificates needs.

Source: overview of mutual authentication article. What a file with client authorities must hold
is judged at its upload.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.models import LoadedGateway, SslProfile
from gateway.problems import Problem, declare
from gateway.rules.words import about, called, listed

_MUTUAL = "Overview of mutual authentication with Application Gateway article"

AUTHORITY_MISSING = declare(
    "client-authority-missing",
    title="The profile checks clients, but knows no authority",
    why="A client's certificate is believed when it comes from an authority that was uploaded to "
    "the profile. It is the authority's chain with its root, never the client's own certificate.",
    remedy="Upload the authority's chain, choose Passthrough, or switch the checks off.",
    source=_MUTUAL,
)
CHECKS_UNUSED = declare(
    "client-checks-unused",
    severity="warning",
    title="Passthrough ends no connection",
    why="With Passthrough a client's certificate is asked for and handed on, but its absence or "
    "faults never end the connection; the backend has to judge.",
    remedy="Choose Strict to let the gateway judge, or remove the checks.",
    source=_MUTUAL,
)


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    for profile in loaded.ssl_profiles:
        checks = _checks(profile)
        authorities = loaded.client_certificates_of(profile)
        passes = profile.verify_client_auth_mode == SslProfile.Mode.PASSTHROUGH
        if passes:
            unused = [*checks, *(["client certificate authorities"] if authorities else [])]
            if unused:
                message = f"{called(profile)} passes every client and has {listed(unused)}."
                yield about(CHECKS_UNUSED, profile, message, "verify_client_auth_mode")
            continue
        if profile.verify_client_auth_mode == SslProfile.Mode.STRICT:
            checks.insert(0, "strict client authentication")
        if checks and not authorities:
            message = (
                f"{called(profile)} has {listed(checks)}, but no client certificate authority."
            )
            yield about(AUTHORITY_MISSING, profile, message, "client_certificate_links")


def _checks(profile: SslProfile) -> list[str]:
    checks = []
    if profile.verify_client_cert_issuer_dn:
        checks.append("the check of the issuer's name")
    if profile.verify_client_revocation == SslProfile.Revocation.OCSP:
        checks.append("the check for revocation")
    return checks
