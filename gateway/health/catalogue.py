"""Every cause of a backend's bad health: by id, by finding, by tier and by place.

The kinds themselves are declared in :mod:`gateway.health.unhealthy` (``E-``) and
:mod:`gateway.health.unknown` (``U-``).
"""

from __future__ import annotations

from typing import Literal

from certificates.x509.trust.chains import Finding
from gateway.health.unhealthy import (
    E_AUTHCERT,
    E_BODY,
    E_CN,
    E_DATES,
    E_DNS,
    E_INT_MISSING,
    E_INT_NOT_PUBLIC,
    E_INVALID_CA,
    E_LEAF_MISSING,
    E_LEAF_ORDER,
    E_NOT_PUBLIC,
    E_PROXY,
    E_ROOT_MISMATCH,
    E_ROOT_MISMATCH_NOROOT,
    E_STATUS,
    E_TCP,
    E_TIMEOUT,
    E_VERIFY,
)
from gateway.health.unknown import (
    U_BGP,
    U_CDNS,
    U_CRL,
    U_DNS,
    U_FW,
    U_GW,
    U_NEW,
    U_NOT_ALLOWED,
    U_NSG,
    U_NVA,
    U_PROBER,
    U_UDR,
)
from gateway.problems import Kind

Block = Literal["connection", "gateway", "server"]

# What a finding about a presented chain is called in a health report.
OF_FINDING: dict[Finding, Kind] = {
    "no-certificate": E_LEAF_MISSING,
    "leaf-missing": E_LEAF_MISSING,
    "leaf-not-first": E_LEAF_ORDER,
    "intermediate-missing": E_INT_MISSING,
    "not-public": E_NOT_PUBLIC,
    "intermediate-not-public": E_INT_NOT_PUBLIC,
    "root-mismatch": E_ROOT_MISMATCH,
    "root-mismatch-no-root": E_ROOT_MISMATCH_NOROOT,
    "dates": E_DATES,
    "verify": E_VERIFY,
}

# Which part of the picture client – gateway – server is at fault ("View the backend health of
# your Application Gateway"): the way between gateway and server unless it is listed here.
_BLOCKS: dict[str, Block] = {
    "E-CN": "gateway",
    "E-NOT-PUBLIC": "gateway",
    "E-INT-NOT-PUBLIC": "gateway",
    "E-ROOT-MISMATCH": "gateway",
    "E-ROOT-MISMATCH-NOROOT": "gateway",
    "E-AUTHCERT": "gateway",
    "E-DNS": "gateway",
    "E-INVALID-CA": "gateway",
    "U-DNS": "gateway",
    "U-CDNS": "gateway",
    "U-NSG": "gateway",
    "U-UDR": "gateway",
    "U-BGP": "gateway",
    "U-CRL": "gateway",
    "U-GW": "gateway",
    "U-NOT-ALLOWED": "gateway",
    "U-PROBER": "gateway",
    "E-DATES": "server",
    "E-INT-MISSING": "server",
    "E-LEAF-MISSING": "server",
    "E-LEAF-ORDER": "server",
    "E-VERIFY": "server",
    "E-STATUS": "server",
    "E-BODY": "server",
}

HEALTH_KINDS: dict[str, Kind] = {
    kind.id: kind
    for kind in (
        E_DNS,
        E_TCP,
        E_TIMEOUT,
        E_STATUS,
        E_BODY,
        E_CN,
        E_DATES,
        E_INT_MISSING,
        E_LEAF_MISSING,
        E_LEAF_ORDER,
        E_NOT_PUBLIC,
        E_INT_NOT_PUBLIC,
        E_ROOT_MISMATCH,
        E_ROOT_MISMATCH_NOROOT,
        E_VERIFY,
        E_AUTHCERT,
        E_INVALID_CA,
        E_PROXY,
        U_NEW,
        U_DNS,
        U_CDNS,
        U_NSG,
        U_UDR,
        U_BGP,
        U_FW,
        U_NVA,
        U_CRL,
        U_GW,
        U_NOT_ALLOWED,
        U_PROBER,
    )
}

# Reports of old, or of settings that are not acted on, know these; no probe here finds them.
HELP_ONLY = frozenset({E_INVALID_CA.id, E_PROXY.id})

# What a switch of the gateway's subnet has the prober report. With the first ones no probe gets
# through; with the others the server is probed all the same and what was seen is shown.
SIMULATED_SILENCE = frozenset({U_NSG.id, U_UDR.id, U_BGP.id, U_FW.id, U_GW.id})
SIMULATED_DOUBT = frozenset({U_NVA.id, U_CRL.id})
SIMULATED = SIMULATED_SILENCE | SIMULATED_DOUBT


def block_of(kind: Kind) -> Block:
    """Where to look: the ``connection``, the ``gateway``'s own settings or the ``server``."""
    return _BLOCKS.get(kind.id, "connection")
