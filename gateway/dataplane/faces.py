"""TLS towards backends: what one server must show, as the engine enforces it.

A :class:`Face` is the whole of it for one member: the server name sent, the roots, the pins. Names
and trust come from :mod:`gateway.rules.names`, so that probe and traffic ask for the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from certificates.x509.facts.certificate import Certificate
from certificates.x509.facts.names import match_name
from certificates.x509.trust.anchors import Anchor
from gateway.dataplane.envoy import Config, Files, extension, seconds, typed
from gateway.dataplane.inputs import Inputs, Member
from gateway.models import BackendAddress, BackendHttpSettings
from gateway.rules.hosts import is_wildcard
from gateway.rules.names import Leg, Trust, live_leg

# Servers often close a connection that has been idle for five seconds. It is given up before, so
# that a request seldom meets its end.
MOST_IDLE_SECONDS = 4
# Of an answer, as the prober takes it: a server is not healthy whose answers users do not get.
MOST_HEADERS, MOST_HEAD_KIB = 99, 64
# No certificate has this hash: a context that accepts nobody.
NOBODY = "0" * 64


@dataclass(frozen=True, slots=True)
class Face:
    """What the engine sends to and accepts from one server.

    ``sni``: the server name, ``None`` for none; with ``client_name`` it is the name that the
    client asked for. ``authorities``: PEM of the certificates that a chain may end in. ``pins``:
    lower-case SHA-256 of the certificates of which the server must show one. ``checks_name``: the
    certificate's subject alternative names must hold the name that was sent; ``ignores_dates``:
    it may have expired.
    """

    sni: str | None = None
    client_name: bool = False
    authorities: bytes = b""
    pins: tuple[str, ...] = ()
    checks_name: bool = False
    ignores_dates: bool = False
    is_v1: bool = False

    @property
    def key(self) -> str:
        """A short name that two faces share only if they are equal."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


def nobody(sni: str | None = None, *, is_v1: bool) -> Face:
    """A face that no server has."""
    return Face(sni, pins=(NOBODY,), is_v1=is_v1)


def face_of(
    inputs: Inputs,
    settings: BackendHttpSettings,
    trust: Trust,
    address: BackendAddress,
    member: Member,
    hosts: Iterable[str],
) -> Face:
    """What ``member`` must show. ``hosts`` are the names that clients may have asked for.

    Where the engine cannot judge by itself (a common name alone, the chain unchecked), the
    certificate that the prober accepted is pinned; without one nothing is accepted.
    """
    wanted = list(dict.fromkeys(host.lower() for host in hosts))
    # Where only one host leads here, it is known beforehand what clients ask for.
    only = wanted[0] if len(wanted) == 1 and not is_wildcard(wanted[0]) else CLIENT_HOST
    leg = live_leg(settings, address, only, is_v1=inputs.loaded.is_v1)
    if inputs.loaded.is_v1:
        return _v1(inputs, trust, leg, member.leaf)
    if leg.name_is_address and trust.validate_name:
        return nobody(is_v1=False)
    face = Face(
        sni=None if leg.sni == CLIENT_HOST else leg.sni,
        client_name=leg.sni == CLIENT_HOST,
        checks_name=trust.validate_name,
    )
    if not trust.validate_chain:
        return _unchained(face, member.leaf, leg.checked_name)
    authorities = _authorities(inputs, trust)
    if not authorities:
        return nobody(face.sni, is_v1=False)
    face = replace(face, authorities=authorities)
    if face.checks_name and is_common_name_only(member.leaf):
        return _pinned_by_name(face, member.leaf, leg.checked_name)
    return face


# Stands for the client's host name where a name is worked out; no host can be called so.
CLIENT_HOST = "client.invalid"


def is_common_name_only(leaf: Certificate | None) -> bool:
    """Whether a certificate has no subject alternative name, which is all that the engine reads."""
    return leaf is not None and not leaf.names


def _pinned_by_name(face: Face, leaf: Certificate | None, name: str | None) -> Face:
    """The chain to be checked, and the common name compared here, once for this certificate.

    A name that the client chooses cannot be: then the engine's own check refuses it.
    """
    if leaf is None or face.client_name or not name or not match_name(leaf, name).ok:
        return face
    return replace(face, pins=(leaf.sha256.lower(),), checks_name=False)


def _unchained(face: Face, leaf: Certificate | None, name: str | None) -> Face:
    """The chain is not to be checked: the very certificate that the prober accepted, or none.

    The name is a fact of that certificate, so it is compared here; one that the client chooses is
    compared by the engine, in the alternative names.
    """
    if leaf is None or (face.checks_name and face.client_name and is_common_name_only(leaf)):
        return nobody(face.sni, is_v1=False)
    face = replace(face, pins=(leaf.sha256.lower(),))
    if face.checks_name and face.client_name:
        # The engine compares names only where it has authorities; the leaf is its own.
        return replace(face, authorities=leaf.pem.encode(), ignores_dates=True)
    if face.checks_name and not (name and match_name(leaf, name).ok):
        return nobody(face.sni, is_v1=False)
    return replace(face, checks_name=False)


def _v1(inputs: Inputs, trust: Trust, leg: Leg, leaf: Certificate | None) -> Face:
    """v1: one of the uploaded certificates that is for the pool's name; no chain is asked for.

    ``leaf`` is the one that the prober accepted.
    """
    if trust.kind == "app-service":
        authorities = _authorities(inputs, trust)
        if leg.sni is None or not authorities:
            return nobody(leg.sni, is_v1=True)
        return Face(leg.sni, authorities=authorities, checks_name=True, is_v1=True)
    allowed = [
        one.certificate
        for one in trust.certificates
        if leg.checked_name is None or match_name(one.certificate, leg.checked_name).ok
    ]
    if not allowed:
        return nobody(leg.sni, is_v1=True)
    # A listed certificate is its own anchor, with which the engine checks the dates, too. It would
    # also mind the dates of other certificates that the server sends along, and the extended key
    # usage, and v1 does neither: so where the prober accepted the server, it watches the dates.
    is_alone = all(one.self_signed for one in allowed)
    can_be_dated = all(one.may_serve for one in allowed) and (is_alone or leaf not in allowed)
    pem = "".join(one.pem for one in allowed) if can_be_dated else ""
    pins = tuple(sorted(one.sha256.lower() for one in allowed))
    return Face(leg.sni, authorities=pem.encode(), pins=pins, is_v1=True)


def _authorities(inputs: Inputs, trust: Trust) -> bytes:
    """PEM of the roots. The engine ends chains in anything it is given, the cloud in roots only."""
    if trust.kind in ("well-known", "app-service"):
        return inputs.well_known_pem
    roots = [one.certificate for one in trust.certificates if Anchor(one.certificate).is_usable]
    return "".join(one.pem for one in roots).encode()


def socket_of(face: Face, files: Files) -> Config:
    """The transport socket that enforces ``face``.

    Sessions are not resumed: a resumed session would not be judged again.
    """
    validation: Config = {}
    if face.authorities:
        validation["trusted_ca"] = files.add(face.authorities, "pem")
    if face.pins:
        validation["verify_certificate_hash"] = list(face.pins)
    if face.ignores_dates:
        validation["allow_expired_certificate"] = True
    if not validation:
        validation["verify_certificate_hash"] = [NOBODY]
    highest = "TLSv1_2" if face.is_v1 else "TLSv1_3"
    fields: Config = {
        "max_session_keys": 0,
        "common_tls_context": {
            "tls_params": {
                "tls_minimum_protocol_version": "TLSv1_2",
                "tls_maximum_protocol_version": highest,
            },
            "validation_context": validation,
        },
    }
    if face.sni is not None and not face.client_name:
        fields["sni"] = face.sni
    if face.checks_name:
        fields["auto_sni_san_validation"] = True
    return extension("tls", "extensions.transport_sockets.tls.v3.UpstreamTlsContext", **fields)


def protocol_options(faces: Iterable[Face], filters: list[Config]) -> Config:
    """HTTP/1.1 towards backends ("Application Gateway listener configuration", HTTP/2).

    The name that a client asked for is sent and checked by the router: a socket alone would check
    nothing where that name is an address, because then no server name is sent.
    """
    options = typed(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config={"http_protocol_options": {}},
        common_http_protocol_options={
            "idle_timeout": seconds(MOST_IDLE_SECONDS),
            "max_headers_count": MOST_HEADERS,
            "max_response_headers_kb": MOST_HEAD_KIB,
        },
        http_filters=filters,
    )
    asked = [face for face in faces if face.client_name]
    if asked:
        options["upstream_http_protocol_options"] = {
            "auto_sni": True,
            "auto_san_validation": any(face.checks_name for face in asked),
        }
    return {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options}
