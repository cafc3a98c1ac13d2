"""TLS policy members, shared by gateways and SSL profiles, and the spelling of their values.

Whether a policy is allowed is for the rules to say; here unknown values pass as they came.
"""

from __future__ import annotations

from gateway.document.shapes import Member, choice, group, texts
from gateway.models import SslPolicyType
from gateway.models.policies import CIPHER_SUITES, PREDEFINED, TLS13_SUITES, VERSIONS


def ssl_policy() -> Member:
    return group(
        "sslPolicy",
        choice("policyType", "ssl_policy_type", SslPolicyType),
        choice("policyName", "ssl_policy_name", tuple(PREDEFINED), closed=False),
        texts("cipherSuites", "ssl_cipher_suites", (*CIPHER_SUITES, *TLS13_SUITES)),
        choice("minProtocolVersion", "ssl_min_protocol_version", VERSIONS, closed=False),
        texts("disabledSslProtocols", "ssl_disabled_protocols", VERSIONS),
    )
