"""TLS policies."""

from __future__ import annotations

from typing import Any

from gateway.models import ApplicationGateway
from gateway.rules.policies import REQUIRED_ON_V1
from tests.factories import add_profile, v1_gateway, v2_gateway
from tests.gateway.rules.tables import raises

TYPE = "ApplicationGatewaySslPolicyPropertyPolicyTypeRequired"
PROPERTY = "ApplicationGatewaySslPolicyPropertyNotSupportedForPolicyType"
RETIRED = "ApplicationGatewayDeprecatedTlsVersionUsedInSslPolicy"
GOOD = [REQUIRED_ON_V1]


def custom(kind: str = "Custom", **fields: Any) -> dict[str, Any]:
    values = {"min_protocol_version": "TLSv1_2", "cipher_suites": GOOD, **fields}
    return {"ssl_policy_type": kind} | {f"ssl_{key}": value for key, value in values.items()}


def predefined(name: str = "AppGwSslPolicy20220101", **fields: Any) -> dict[str, Any]:
    return {"ssl_policy_type": "Predefined", "ssl_policy_name": name, **fields}


@raises("policy-type-missing", "", "", "ssl_policy_type", code=TYPE)
def a_policy_without_a_type() -> ApplicationGateway:
    return v2_gateway(ssl_min_protocol_version="TLSv1_2")


@raises("policy-type-missing", "sslProfiles", "p", "ssl_policy_type", code=TYPE)
def a_profile_policy_without_a_type() -> ApplicationGateway:
    gateway = v2_gateway()
    add_profile(gateway, "p", ssl_policy_name="AppGwSslPolicy20220101")
    return gateway


@raises("policy-property-unexpected", "", "", "ssl_min_protocol_version", code=PROPERTY)
def a_predefined_policy_with_a_version() -> ApplicationGateway:
    return v2_gateway(**predefined(ssl_min_protocol_version="TLSv1_2"))


@raises("policy-property-unexpected", "", "", "ssl_cipher_suites", code=PROPERTY)
def a_predefined_policy_with_suites() -> ApplicationGateway:
    return v2_gateway(**predefined(ssl_cipher_suites=GOOD))


@raises("policy-property-unexpected", "", "", "ssl_policy_name", code=PROPERTY)
def a_custom_policy_with_a_name() -> ApplicationGateway:
    return v2_gateway(**custom(policy_name="AppGwSslPolicy20220101"))


@raises("policy-property-unexpected", "", "", "ssl_disabled_protocols", code=PROPERTY)
def a_policy_with_disabled_protocols() -> ApplicationGateway:
    return v2_gateway(**predefined(ssl_disabled_protocols=["TLSv1_0"]))


@raises("policy-name-unknown", "", "", "ssl_policy_name", says=("AppGwSslPolicy20220101S",))
def a_policy_that_does_not_exist() -> ApplicationGateway:
    return v2_gateway(**predefined("AppGwSslPolicy2030"))


@raises("policy-name-unknown", "", "", "ssl_policy_name", says=("names no",))
def a_predefined_policy_without_a_name() -> ApplicationGateway:
    return v2_gateway(**predefined(""))


@raises("policy-version-unknown", "", "", "ssl_min_protocol_version", says=("no least",))
def a_custom_policy_without_a_version() -> ApplicationGateway:
    return v2_gateway(**custom(min_protocol_version=""))


@raises("policy-version-unknown", "", "", "ssl_min_protocol_version", says=("CustomV2",))
def tls13_in_an_old_custom_policy() -> ApplicationGateway:
    return v2_gateway(**custom(min_protocol_version="TLSv1_3"))


@raises("policy-version-unknown", "", "", "ssl_disabled_protocols", says=("SSLv3",))
def a_disabled_protocol_that_does_not_exist() -> ApplicationGateway:
    return v2_gateway(ssl_disabled_protocols=["SSLv3"])


@raises("policy-version-unknown", "", "", "ssl_disabled_protocols", says=("TLS 1.2",))
def tls12_disabled() -> ApplicationGateway:
    return v2_gateway(ssl_disabled_protocols=["TLSv1_0", "TLSv1_1", "TLSv1_2"])


@raises("policy-suites-invalid", "", "", "ssl_cipher_suites", says=("TLS_NULL",))
def a_cipher_suite_that_does_not_exist() -> ApplicationGateway:
    return v2_gateway(**custom(cipher_suites=[*GOOD, "TLS_NULL"]))


@raises("policy-suites-invalid", "", "", "ssl_cipher_suites", says=("TLS_AES_128",))
def a_suite_of_tls13_in_an_old_custom_policy() -> ApplicationGateway:
    return v2_gateway(**custom(cipher_suites=[*GOOD, "TLS_AES_128_GCM_SHA256"]))


@raises("policy-suites-invalid", "", "", "ssl_cipher_suites", says=("twice",))
def a_cipher_suite_twice() -> ApplicationGateway:
    return v2_gateway(**custom(cipher_suites=GOOD * 2))


@raises("policy-suites-invalid", "", "", "ssl_cipher_suites", says=("without",))
def a_custom_policy_without_suites() -> ApplicationGateway:
    return v2_gateway(**custom("CustomV2", cipher_suites=[]))


@raises("policy-suite-required", "", "", "ssl_cipher_suites", says=(REQUIRED_ON_V1,))
def a_v1_policy_without_the_needed_suite() -> ApplicationGateway:
    return v1_gateway(**custom(cipher_suites=["TLS_RSA_WITH_AES_128_GCM_SHA256"]))


@raises("policy-suite-advised", "", "", "ssl_cipher_suites")
def a_policy_with_a_single_rare_suite() -> ApplicationGateway:
    return v2_gateway(**custom(cipher_suites=["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]))


@raises("policy-suites-unused", "", "", "ssl_cipher_suites", says=("TLS_DHE_RSA",))
def a_suite_that_v2_does_not_offer() -> ApplicationGateway:
    suites = [*GOOD, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"]
    return v2_gateway(**custom("CustomV2", cipher_suites=suites))


@raises("policy-retired", "", "", "ssl_policy_name", says=("TLS 1.0",), code=RETIRED)
def the_first_predefined_policy() -> ApplicationGateway:
    return v1_gateway(**predefined("AppGwSslPolicy20150501"))


@raises("policy-retired", "", "", "ssl_policy_name", says=("TLS 1.1",), code=RETIRED)
def the_second_predefined_policy() -> ApplicationGateway:
    return v2_gateway(**predefined("AppGwSslPolicy20170401"))


@raises("policy-retired", "", "", "ssl_min_protocol_version", says=("TLS 1.1",), code=RETIRED)
def a_custom_policy_from_tls11_on() -> ApplicationGateway:
    return v2_gateway(**custom(min_protocol_version="TLSv1_1"))


@raises("policy-retired", "", "", "ssl_cipher_suites", says=("3DES",), code=RETIRED)
def a_custom_policy_with_a_retired_suite() -> ApplicationGateway:
    return v2_gateway(**custom(cipher_suites=[*GOOD, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"]))


@raises("policy-retired", "", "", "ssl_disabled_protocols", says=("TLS 1.1",), code=RETIRED)
def only_tls10_disabled() -> ApplicationGateway:
    return v1_gateway(ssl_disabled_protocols=["TLSv1_0"])


@raises(
    "policy-families-mixed",
    "sslProfiles",
    "p",
    "ssl_policy_type",
    says=("“p” has an old", "a new"),
    code="ApplicationGatewaySslPolicyMisMatch",
)
def an_old_profile_policy_on_a_gateway_without_one() -> ApplicationGateway:
    gateway = v2_gateway()
    add_profile(gateway, "p", **predefined("AppGwSslPolicy20170401S"))
    return gateway


@raises(
    "policy-families-mixed",
    "sslProfiles",
    "p",
    "ssl_policy_type",
    says=("“p” has a new", "an old"),
    code="ApplicationGatewaySslPolicyMisMatch",
)
def a_new_profile_policy_on_an_old_gateway() -> ApplicationGateway:
    gateway = v2_gateway(**custom())
    add_profile(gateway, "p", **custom("CustomV2"))
    return gateway
