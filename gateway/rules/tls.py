"""Which TLS policy is in force.

Source: TLS policy overview article.
"""

from __future__ import annotations

from gateway.models import HttpListener, LoadedGateway, SslPolicyType, WithSslPolicy
from gateway.models.policies import (
    DEFAULT_ON_V1,
    DEFAULT_ON_V2,
    PREDEFINED,
    TLS13_SUITES,
    VERSIONS,
    Policy,
)
from gateway.rules.words import texts


def default_policy(*, v1: bool) -> Policy:
    return PREDEFINED[DEFAULT_ON_V1 if v1 else DEFAULT_ON_V2]


def own_policy(holder: WithSslPolicy) -> Policy | None:
    """The policy that a gateway or a profile sets itself; ``None`` if it sets none."""
    kind = holder.ssl_policy_type
    if kind == SslPolicyType.PREDEFINED:
        return PREDEFINED.get(holder.ssl_policy_name)
    if kind not in (SslPolicyType.CUSTOM, SslPolicyType.CUSTOM_V2):
        return None
    minimum = holder.ssl_min_protocol_version
    if minimum not in VERSIONS:
        return None
    newest = VERSIONS if kind == SslPolicyType.CUSTOM_V2 else VERSIONS[:3]
    versions = newest[VERSIONS.index(minimum) :]
    suites = tuple(texts(holder.ssl_cipher_suites))
    if "TLSv1_3" in versions:
        suites = tuple(dict.fromkeys((*TLS13_SUITES, *suites)))
    return Policy(str(SslPolicyType(kind).label), minimum, versions, suites)


def policy_of(loaded: LoadedGateway, listener: HttpListener | None = None) -> Policy:
    """The policy in force at a listener: its profile's, else the gateway's, else the default."""
    if listener is not None and listener.ssl_profile is not None:
        policy = own_policy(listener.ssl_profile)
        if policy is not None:
            return policy
    return own_policy(loaded.gateway) or default_policy(v1=loaded.is_v1)
