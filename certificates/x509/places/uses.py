"""What one certificate is for, at each place of a gateway that takes certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from certificates.x509.facts.certificate import Certificate
from certificates.x509.trust.anchors import Anchor

PlaceKey = Literal["authentication", "root", "client-ca", "listener"]

PLACES: Mapping[PlaceKey, str] = {
    "authentication": "Backend authentication certificate (v1)",
    "root": "Trusted root certificate (v2)",
    "client-ca": "Client CA certificate (mutual TLS)",
    "listener": "Listener certificate (PFX)",
}
WANTED: Mapping[PlaceKey, str] = {
    "authentication": "The backend server's own certificate, alone, as Base-64 text.",
    "root": "The root at the top of the backend's chain, alone, as Base-64 text.",
    "client-ca": "One root and its intermediates, as Base-64 text in one file.",
    "listener": "A PFX file with private key, certificate and intermediates.",
}


@dataclass(frozen=True, slots=True)
class Use:
    """Whether a certificate is of use at a place, and the reason as a sentence or two."""

    place: PlaceKey
    fits: bool
    reason: str


def serves(certificate: Certificate) -> bool:
    """Whether a server presents it as its own: a leaf, or a self-signed one that has host names."""
    if not certificate.may_serve:
        return False
    return not certificate.is_ca or (certificate.self_signed and bool(certificate.names))


def is_root(certificate: Certificate) -> bool:
    """Whether a v2 gateway trusts it: a self-signed authority, or a root of X.509 version 1, which
    cannot say that it is one (self-signed certificate with a custom root article)."""
    return certificate.self_signed and (certificate.is_ca or certificate.version == 1)


def state_of(certificate: Certificate, now: datetime) -> Literal["", "expired", "not yet valid"]:
    """What a list says of its dates at ``now`` (aware); nothing where they include it."""
    if now > certificate.not_after:
        return "expired"
    return "not yet valid" if now < certificate.not_before else ""


def dated(certificate: Certificate, now: datetime) -> str:
    """A sentence on its dates if they do not include ``now`` (aware), else nothing."""
    if now > certificate.not_after:
        return f"It expired on {certificate.not_after:%Y-%m-%d}."
    if now < certificate.not_before:
        return f"It is not valid before {certificate.not_before:%Y-%m-%d}."
    return ""


def uses_of(
    certificate: Certificate, *, has_key: bool, anchor: Anchor | None, now: datetime
) -> tuple[Use, ...]:
    """The use of ``certificate`` at each place, in the order of :data:`PLACES`.

    ``has_key``: its private key came in the same PFX. ``anchor``: the trusted certificate that it
    is, if any. Rules: the article on certificates required to allow backend servers, the SSL
    overview article and the mutual authentication overview article.
    """
    found = (
        _authentication(certificate),
        _root(certificate, anchor),
        _client_ca(certificate),
        _listener(certificate, has_key=has_key),
    )
    remark = dated(certificate, now)
    if not remark:
        return found
    return tuple(
        Use(use.place, use.fits, f"{use.reason} {remark}") if use.fits else use for use in found
    )


def issuer_name(certificate: Certificate) -> str:
    """The shortest name of the issuer that a person would use."""
    return certificate.issuer_common_name or certificate.issuer


def _authentication(certificate: Certificate) -> Use:
    if serves(certificate):
        reason = (
            "A v1 gateway compares it with what the backend presents, byte for byte: right if the "
            "backend presents this one."
        )
        return Use("authentication", True, reason)
    if certificate.is_ca:
        reason = "It is an authority; a v1 gateway builds no path, it compares the server's own."
    else:
        reason = "It is meant for clients; no server presents it."
    return Use("authentication", False, reason)


def _root(certificate: Certificate, anchor: Anchor | None) -> Use:
    issuer = issuer_name(certificate)
    if is_root(certificate):
        reason = "It is the top of a chain: backends whose chain ends in it are trusted."
        if anchor is not None and anchor.origin != "uploaded":
            reason += (
                " It is well known, too, so no upload is needed: tick “Use Well Known CA "
                "Certificate”."
            )
        return Use("root", True, reason)
    if certificate.self_signed:
        reason = (
            "It is self-signed but does not say CA:TRUE. It can be saved, but the backend then "
            "counts as one whose intermediate is missing."
        )
    elif certificate.self_issued and certificate.is_ca:
        reason = "It names itself as its issuer, but its own key did not make its signature."
    elif certificate.is_ca:
        reason = (
            f"It is an intermediate: “{issuer}” signed it. It belongs on the backend server; the "
            "gateway gets the root."
        )
    else:
        reason = f"It is no authority: “{issuer}” signed it. The root is the topmost of its path."
    return Use("root", False, reason)


def _client_ca(certificate: Certificate) -> Use:
    if not certificate.is_ca:
        reason = "It is no authority (CA:TRUE is missing), so no client can be verified with it."
        return Use("client-ca", False, reason)
    if certificate.self_signed:
        return Use("client-ca", True, "Clients whose certificate leads to this root are let in.")
    return Use("client-ca", True, "Only in one file with its root; alone it is refused.")


def _listener(certificate: Certificate, *, has_key: bool) -> Use:
    if certificate.is_ca and not serves(certificate):
        return Use("listener", False, "It is an authority; a listener shows a server's own.")
    if not certificate.may_serve:
        reason = "Its purpose leaves server authentication out; browsers refuse such a server."
        return Use("listener", False, reason)
    if certificate.key.is_weak or certificate.key.algorithm not in {"RSA", "EC"}:
        return Use(
            "listener", False, f"A listener cannot use a key of the kind {certificate.key.label}."
        )
    if has_key:
        return Use("listener", True, "Its private key is in the file.")
    return Use("listener", True, "Only in a PFX with its private key, which is not in this file.")
