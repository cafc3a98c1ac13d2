"""What a TLS policy of a gateway or a profile must be (TLS policy overview article)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.models import (
    ApplicationGateway,
    LoadedGateway,
    SslPolicyType,
    SslProfile,
)
from gateway.models.policies import (
    CIPHER_SUITES,
    NEWER_POLICIES,
    PREDEFINED,
    RETIRED_POLICIES,
    TLS13_SUITES,
    VERSION_LABELS,
    VERSIONS,
)
from gateway.problems import Problem, declare
from gateway.rules.words import about, called, quoted, texts

_POLICIES = "Application Gateway TLS policy overview article"
_RETIREMENT = "Application Gateway TLS 1.0 and 1.1 retirement article"

TYPE_MISSING = declare(
    "policy-type-missing",
    title="The TLS policy does not say which kind it is",
    why="A policy is predefined, custom, or custom for TLS 1.3 (CustomV2); name, version and "
    "suites are read accordingly.",
    remedy="Choose Predefined, Custom or CustomV2, or clear the other fields.",
    source=_POLICIES,
    arm_code="ApplicationGatewaySslPolicyPropertyPolicyTypeRequired",
)
PROPERTY_UNEXPECTED = declare(
    "policy-property-unexpected",
    title="This kind of TLS policy has no such field",
    why="A predefined policy is its name and nothing else; a custom policy is a least version "
    "with cipher suites. Disabled protocols belong to neither.",
    remedy="Remove the field that the message names, or change the kind of the policy.",
    source=_POLICIES,
    arm_code="ApplicationGatewaySslPolicyPropertyNotSupportedForPolicyType",
)
NAME_UNKNOWN = declare(
    "policy-name-unknown",
    title="There is no such predefined TLS policy",
    why="A predefined policy is chosen by its name.",
    remedy="Choose one of the names that the message lists.",
    source=_POLICIES,
)
VERSION_UNKNOWN = declare(
    "policy-version-unknown",
    title="The least TLS version is missing or unknown",
    why="A custom policy says from which version on connections are accepted: TLS 1.2, or with "
    "CustomV2 also TLS 1.3.",
    remedy="Choose TLSv1_2, or TLSv1_3 in a CustomV2 policy.",
    source=_POLICIES,
)
SUITES_INVALID = declare(
    "policy-suites-invalid",
    title="The cipher suites of the TLS policy do not fit",
    why="A custom policy lists at least one suite out of 28, each once. The suites of TLS 1.3 are "
    "not chosen, they come with CustomV2.",
    remedy="Choose the suites from the list.",
    source=_POLICIES,
)
SUITE_REQUIRED = declare(
    "policy-suite-required",
    title="On v1 one cipher suite cannot be left out",
    why="A v1 gateway needs TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 for its own connections, "
    "because there the policy's suites also reach the backend.",
    remedy="Add TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 to the policy.",
    source=_POLICIES,
)
SUITE_ADVISED = declare(
    "policy-suite-advised",
    severity="warning",
    title="Some clients may find no common cipher suite",
    why="A custom policy should keep one of the suites that practically every client knows.",
    remedy="Add TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or TLS_RSA_WITH_AES_128_GCM_SHA256.",
    source="Frequently asked questions about Application Gateway",
)
SUITES_UNUSED = declare(
    "policy-suites-unused",
    severity="warning",
    title="v2 never uses some of the cipher suites",
    why="A v2 gateway accepts suites with DHE in a policy, but does not offer them.",
    remedy="Remove them, or leave them as a reminder.",
    source=_POLICIES,
)
RETIRED = declare(
    "policy-retired",
    title="TLS 1.0 and 1.1 are retired",
    why="Since 31 August 2025 no policy may allow versions below TLS 1.2, and custom policies may "
    "not hold the cipher suites that went with them.",
    remedy="Choose AppGwSslPolicy20220101, on v1 AppGwSslPolicy20170401S, or a custom policy from "
    "TLS 1.2 on without the suites that the message names.",
    source=_RETIREMENT,
    arm_code="ApplicationGatewayDeprecatedTlsVersionUsedInSslPolicy",
)
FAMILIES_MIXED = declare(
    "policy-families-mixed",
    title="Old and new TLS policies cannot be mixed",
    why="On one gateway either all policies know TLS 1.3 (the 2022 ones and CustomV2) or none "
    "does. A v2 gateway without a policy of its own has the 2022 default.",
    remedy="Choose policies of one family for the gateway and all its SSL profiles.",
    source=_POLICIES,
    arm_code="ApplicationGatewaySslPolicyMisMatch",
)

REQUIRED_ON_V1 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
_ADVISED = frozenset(
    {
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA256",
        "TLS_RSA_WITH_AES_128_CBC_SHA256",
    }
)
# In policies of the kind Custom; CustomV2 and the 2022 policies keep the two with ECDHE_RSA.
RETIRED_SUITES = frozenset(
    suite
    for suite in CIPHER_SUITES
    if suite.startswith(("TLS_DHE_RSA", "TLS_DHE_DSS"))
    or "3DES" in suite
    or suite in ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256")
)
_KNOWN = frozenset(CIPHER_SUITES)
_OLD = frozenset(VERSIONS[:2])

Holder = ApplicationGateway | SslProfile


def check(loaded: LoadedGateway) -> Iterator[Problem]:
    v1 = loaded.is_v1
    holders: list[Holder] = [loaded.gateway, *loaded.ssl_profiles]
    for holder in holders:
        yield from _policy(holder, v1=v1)
    if not v1:
        yield from _families(loaded)


def _policy(holder: Holder, *, v1: bool) -> Iterator[Problem]:
    kind = holder.ssl_policy_type
    if not kind:
        yield from _without_type(holder)
        return
    if kind == SslPolicyType.PREDEFINED:
        yield from _predefined(holder)
    else:
        yield from _custom(holder, v1=v1)
    if texts(holder.ssl_disabled_protocols):
        message = f"{called(holder)} has a {kind} TLS policy and a list of disabled protocols."
        yield about(PROPERTY_UNEXPECTED, holder, message, "ssl_disabled_protocols")


def _without_type(holder: Holder) -> Iterator[Problem]:
    """Only disabled protocols may stand alone; they are how the oldest clients say it."""
    suites = texts(holder.ssl_cipher_suites)
    if holder.ssl_policy_name or holder.ssl_min_protocol_version or suites:
        message = f"{called(holder)} has parts of a TLS policy, but no policy type."
        yield about(TYPE_MISSING, holder, message, "ssl_policy_type")
        return
    disabled = texts(holder.ssl_disabled_protocols)
    unknown = [version for version in disabled if version not in VERSIONS]
    if unknown:
        message = f"{called(holder)} disables {quoted(unknown)}, which is no version of TLS."
        yield about(VERSION_UNKNOWN, holder, message, "ssl_disabled_protocols")
    elif disabled:
        left = _OLD.difference(disabled)
        if left:
            names = " and ".join(VERSION_LABELS[version] for version in sorted(left))
            message = f"{called(holder)} still allows {names}."
            yield about(RETIRED, holder, message, "ssl_disabled_protocols")
        if "TLSv1_2" in disabled:
            message = f"{called(holder)} disables TLS 1.2, which most clients need."
            yield about(VERSION_UNKNOWN, holder, message, "ssl_disabled_protocols")


def _predefined(holder: Holder) -> Iterator[Problem]:
    name = holder.ssl_policy_name
    if name not in PREDEFINED:
        what = f"has the unknown TLS policy “{name}”" if name else "names no TLS policy"
        known = ", ".join(known for known in PREDEFINED if known not in RETIRED_POLICIES)
        message = f"{called(holder)} {what}. There are {known}."
        yield about(NAME_UNKNOWN, holder, message, "ssl_policy_name")
    elif name in RETIRED_POLICIES:
        oldest = VERSION_LABELS[PREDEFINED[name].minimum]
        message = f"{called(holder)} has the TLS policy {name}, which allows {oldest}."
        yield about(RETIRED, holder, message, "ssl_policy_name")
    if holder.ssl_min_protocol_version:
        message = f"{called(holder)} has a predefined TLS policy and a least version beside it."
        yield about(PROPERTY_UNEXPECTED, holder, message, "ssl_min_protocol_version")
    if texts(holder.ssl_cipher_suites):
        message = f"{called(holder)} has a predefined TLS policy and cipher suites beside it."
        yield about(PROPERTY_UNEXPECTED, holder, message, "ssl_cipher_suites")


def _custom(holder: Holder, *, v1: bool) -> Iterator[Problem]:
    if holder.ssl_policy_name:
        message = f"{called(holder)} has a custom TLS policy and a policy name beside it."
        yield about(PROPERTY_UNEXPECTED, holder, message, "ssl_policy_name")
    minimum = holder.ssl_min_protocol_version
    newer = holder.ssl_policy_type == SslPolicyType.CUSTOM_V2
    if minimum in _OLD:
        message = f"{called(holder)} has a TLS policy that allows {VERSION_LABELS[minimum]}."
        yield about(RETIRED, holder, message, "ssl_min_protocol_version")
    elif minimum not in VERSIONS:
        what = f"“{minimum}” as its least version" if minimum else "no least version"
        message = f"{called(holder)} has a custom TLS policy with {what}."
        yield about(VERSION_UNKNOWN, holder, message, "ssl_min_protocol_version")
    elif minimum == "TLSv1_3" and not newer:
        message = f"{called(holder)} asks for TLS 1.3 in a Custom policy; that needs CustomV2."
        yield about(VERSION_UNKNOWN, holder, message, "ssl_min_protocol_version")
    suites = texts(holder.ssl_cipher_suites)
    if not (newer and minimum == "TLSv1_3"):
        yield from _suites(holder, suites, newer=newer, v1=v1)


def _suites(holder: Holder, suites: list[str], *, newer: bool, v1: bool) -> Iterator[Problem]:
    field = "ssl_cipher_suites"
    known = _KNOWN.union(TLS13_SUITES) if newer else _KNOWN
    unknown = [suite[:60] for suite in suites if suite not in known]
    if unknown:
        message = f"{called(holder)} names {quoted(unknown, 3)}, which cannot be chosen."
        yield about(SUITES_INVALID, holder, message, field)
    if len(set(suites)) < len(suites):
        message = f"{called(holder)} names a cipher suite twice."
        yield about(SUITES_INVALID, holder, message, field)
    if not suites:
        message = f"{called(holder)} has a custom TLS policy without cipher suites."
        yield about(SUITES_INVALID, holder, message, field)
        return
    retired = [suite for suite in suites if suite in RETIRED_SUITES]
    if retired and not newer:
        message = f"{called(holder)} has the retired cipher suites {quoted(retired, 3)}."
        yield about(RETIRED, holder, message, field)
    dhe = [suite for suite in suites if suite.startswith("TLS_DHE")]
    if dhe and newer and not v1:
        message = f"{called(holder)} names {quoted(dhe, 3)}, which v2 does not offer."
        yield about(SUITES_UNUSED, holder, message, field)
    if not newer and v1 and REQUIRED_ON_V1 not in suites:
        message = f"{called(holder)} has a custom TLS policy without {REQUIRED_ON_V1}."
        yield about(SUITE_REQUIRED, holder, message, field)
    elif not newer and not _ADVISED.intersection(suites):
        message = f"{called(holder)} has only cipher suites that not every client knows."
        yield about(SUITE_ADVISED, holder, message, field)


def _is_newer(holder: Holder) -> bool:
    kind = holder.ssl_policy_type
    if kind == SslPolicyType.PREDEFINED:
        return holder.ssl_policy_name in NEWER_POLICIES
    # Unset counts as the default of the API.
    return kind == SslPolicyType.CUSTOM_V2 or not kind


def _families(loaded: LoadedGateway) -> Iterator[Problem]:
    gateway = loaded.gateway
    for profile in loaded.ssl_profiles:
        if not profile.ssl_policy_type:
            continue
        if _is_newer(profile) != _is_newer(gateway):
            ages = ("a new", "an old") if _is_newer(profile) else ("an old", "a new")
            message = (
                f"{called(profile)} has {ages[0]} TLS policy, gateway “{gateway.name}” has "
                f"{ages[1]} one."
            )
            yield about(FAMILIES_MIXED, profile, message, "ssl_policy_type")
