"""TLS policies: the predefined ones, their versions and cipher suites.

Source: TLS policy overview article. The order of suites in the older policies is that of the
REST reference's list of predefined policies; in the 2022 ones that of the article's table.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSIONS = ("TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3")
VERSION_LABELS = {
    "TLSv1_0": "TLS 1.0",
    "TLSv1_1": "TLS 1.1",
    "TLSv1_2": "TLS 1.2",
    "TLSv1_3": "TLS 1.3",
}
# Their suites cannot be left out where TLS 1.3 is spoken.
TLS13_SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384")


@dataclass(frozen=True, slots=True)
class Policy:
    """``minimum`` is a member of :data:`VERSIONS`; ``suites`` are in order of preference."""

    name: str
    minimum: str
    versions: tuple[str, ...]
    suites: tuple[str, ...]

    @property
    def speaks_tls13(self) -> bool:
        return "TLSv1_3" in self.versions


def _suites(text: str) -> tuple[str, ...]:
    return tuple(f"TLS_{suite}" for suite in text.split())


_2015 = _suites(
    "ECDHE_RSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_AES_128_GCM_SHA256 "
    "ECDHE_RSA_WITH_AES_256_CBC_SHA384 ECDHE_RSA_WITH_AES_128_CBC_SHA256 "
    "ECDHE_RSA_WITH_AES_256_CBC_SHA ECDHE_RSA_WITH_AES_128_CBC_SHA "
    "DHE_RSA_WITH_AES_256_GCM_SHA384 DHE_RSA_WITH_AES_128_GCM_SHA256 "
    "DHE_RSA_WITH_AES_256_CBC_SHA DHE_RSA_WITH_AES_128_CBC_SHA "
    "RSA_WITH_AES_256_GCM_SHA384 RSA_WITH_AES_128_GCM_SHA256 "
    "RSA_WITH_AES_256_CBC_SHA256 RSA_WITH_AES_128_CBC_SHA256 "
    "RSA_WITH_AES_256_CBC_SHA RSA_WITH_AES_128_CBC_SHA "
    "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 "
    "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 "
    "ECDHE_ECDSA_WITH_AES_256_CBC_SHA ECDHE_ECDSA_WITH_AES_128_CBC_SHA "
    "DHE_DSS_WITH_AES_256_CBC_SHA256 DHE_DSS_WITH_AES_128_CBC_SHA256 "
    "DHE_DSS_WITH_AES_256_CBC_SHA DHE_DSS_WITH_AES_128_CBC_SHA "
    "RSA_WITH_3DES_EDE_CBC_SHA DHE_DSS_WITH_3DES_EDE_CBC_SHA"
)
_2017 = _suites(
    "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 "
    "ECDHE_ECDSA_WITH_AES_128_CBC_SHA ECDHE_ECDSA_WITH_AES_256_CBC_SHA "
    "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 "
    "ECDHE_RSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_AES_128_GCM_SHA256 "
    "ECDHE_RSA_WITH_AES_128_CBC_SHA ECDHE_RSA_WITH_AES_256_CBC_SHA "
    "RSA_WITH_AES_256_GCM_SHA384 RSA_WITH_AES_128_GCM_SHA256 "
    "RSA_WITH_AES_256_CBC_SHA256 RSA_WITH_AES_128_CBC_SHA256 "
    "RSA_WITH_AES_256_CBC_SHA RSA_WITH_AES_128_CBC_SHA"
)
_2022 = (
    *TLS13_SUITES,
    *_suites(
        "ECDHE_RSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_AES_128_GCM_SHA256 "
        "ECDHE_RSA_WITH_AES_256_CBC_SHA384 ECDHE_RSA_WITH_AES_128_CBC_SHA256 "
        "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 "
        "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
    ),
)

PREDEFINED: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy("AppGwSslPolicy20150501", "TLSv1_0", VERSIONS[:3], _2015),
        Policy("AppGwSslPolicy20170401", "TLSv1_1", VERSIONS[1:3], _2017),
        Policy("AppGwSslPolicy20170401S", "TLSv1_2", VERSIONS[2:3], _2017),
        Policy("AppGwSslPolicy20220101", "TLSv1_2", VERSIONS[2:], _2022),
        Policy(
            "AppGwSslPolicy20220101S",
            "TLSv1_2",
            VERSIONS[2:],
            tuple(suite for suite in _2022 if "CBC" not in suite),
        ),
    )
}
# The suites of custom policies; those of TLS 1.3 come by themselves.
CIPHER_SUITES = _2015
# Policies that allow TLS 1.0 or 1.1 cannot be chosen since 31 August 2025.
RETIRED_POLICIES = frozenset({"AppGwSslPolicy20150501", "AppGwSslPolicy20170401"})
NEWER_POLICIES = frozenset({"AppGwSslPolicy20220101", "AppGwSslPolicy20220101S"})
# A v2 gateway without a policy has the default of the API since version 2023-02-01; on v1 one
# predefined policy is left.
DEFAULT_ON_V2 = "AppGwSslPolicy20220101"
DEFAULT_ON_V1 = "AppGwSslPolicy20170401S"
