"""TLS towards clients: the certificate shown, the policy spoken."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import lru_cache

from certificates.x509.facts.certificate import Certificate
from certificates.x509.problems import ProblemError
from gateway.dataplane.envoy import Config, Files, extension
from gateway.dataplane.inputs import Inputs
from gateway.models import HttpListener
from gateway.models.policies import TLS13_SUITES, Policy

# The engine's names of the suites that it has. Its library refuses a whole listener over one name
# that it does not know, so the others are left out: DHE, CBC with SHA-384, and RSA with CBC and
# SHA-256. 3DES loads, but no client that could use it is left.
SUITES = {
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": "ECDHE-ECDSA-AES128-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
}
_CURVES = {"EC P-256", "EC P-384", "EC P-521"}
_LEAST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is left of a policy in the engine: versions, suites, and the suites that it lacks."""

    lowest: str
    highest: str
    suites: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def usable(self) -> bool:
        return self.lowest == "TLSv1_3" or bool(self.suites)


def spoken(policy: Policy) -> Spoken:
    """The engine's share of ``policy``.

    The suites of TLS 1.3 are the engine's own choice. Without any suite below it a policy that
    knows TLS 1.3 speaks only that.
    """
    below = [suite for suite in policy.suites if suite not in TLS13_SUITES]
    suites = tuple(SUITES[suite] for suite in below if suite in SUITES)
    missing = tuple(suite for suite in below if suite not in SUITES)
    if not policy.versions:
        return Spoken("", "", (), missing)
    lowest, highest = policy.versions[0], policy.versions[-1]
    if not suites and highest == "TLSv1_3":
        lowest = highest
    return Spoken(lowest, highest, suites, missing)


def tls_params(found: Spoken) -> Config:
    params: Config = {
        "tls_minimum_protocol_version": found.lowest,
        "tls_maximum_protocol_version": found.highest,
    }
    if found.suites and found.lowest != "TLSv1_3":
        params["cipher_suites"] = list(found.suites)
    return params


def certificate_files(inputs: Inputs, files: Files, listener: HttpListener) -> Config:
    """The chain (leaf first) and the key of the certificate of a listener that can be served."""
    certificate = listener.ssl_certificate
    if certificate is None:
        raise ValueError(listener.name)
    parts = inputs.loaded.ssl_certificate_parts(certificate)
    chain = "".join(_pem(bytes(part.certificate.der)) for part in parts)
    return {
        "certificate_chain": files.add(chain.encode(), "crt"),
        "private_key": files.add(inputs.keys[certificate.pk], "key"),
    }


@lru_cache(maxsize=4096)
def _pem(der: bytes) -> str:
    return ssl.DER_cert_to_PEM_cert(der)


def can_serve(inputs: Inputs, listener: HttpListener) -> bool:
    """Whether the engine takes the listener's certificate and key."""
    certificate = listener.ssl_certificate
    if certificate is None or certificate.pk not in inputs.keys:
        return False
    parts = inputs.loaded.ssl_certificate_parts(certificate)
    return bool(parts) and _is_served(bytes(parts[0].certificate.der))


@lru_cache(maxsize=4096)
def _is_served(der: bytes) -> bool:
    try:
        key = Certificate.from_der(der).key
    except ProblemError:
        return False
    if key.algorithm == "RSA":
        return key.bits >= _LEAST_RSA_BITS
    return key.label in _CURVES


def context(
    found: Spoken, certificate: Config, *, http2: bool, validation: Config | None = None
) -> Config:
    """The transport socket of a filter chain; ``validation`` asks clients for certificates."""
    common: Config = {
        "alpn_protocols": ["h2", "http/1.1"] if http2 else ["http/1.1"],
        "tls_params": tls_params(found),
        "tls_certificates": [certificate],
    }
    if validation is not None:
        common["validation_context"] = validation
    return extension(
        "tls",
        "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context=common,
    )
