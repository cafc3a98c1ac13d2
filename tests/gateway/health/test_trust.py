"""Trust over real handshakes: every cell of the table of presented chains and trusted roots."""

import ssl
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue
from certificates.x509.trust.anchors import AnchorStore
from gateway.health.trust import examine
from gateway.models import Probe
from tests import servers
from tests.factories import NOW
from tests.gateway.health.scenes import (
    ADDRESS,
    NAME,
    PUBLIC_ROOT,
    WELL_KNOWN,
    judge,
    plan_for,
    trusting,
    zone_for,
)

ROOT = issue.make_root("Contoso Root", now=NOW)
OTHER_ROOT = issue.make_root("Fabrikam Root", now=NOW)
ISSUER = issue.make_intermediate(ROOT, "Contoso Issuing CA", now=NOW)
LEAF = issue.make_leaf(ISSUER, NAME, now=NOW, dns_names=[NAME])
DIRECT = issue.make_leaf(ROOT, NAME, now=NOW, dns_names=[NAME])
PUBLIC_ISSUER = issue.make_intermediate(PUBLIC_ROOT, "Public Issuing CA", now=NOW)
PUBLIC_LEAF = issue.make_leaf(PUBLIC_ISSUER, NAME, now=NOW, dns_names=[NAME])
SELF_CA = issue.make_self_signed(NAME, now=NOW, ca=True, dns_names=[NAME])
SELF = issue.make_self_signed(NAME, now=NOW, ca=False, dns_names=[NAME])

FULL = [LEAF.certificate, ISSUER.certificate, ROOT.certificate]
PUBLIC_FULL = [PUBLIC_LEAF.certificate, PUBLIC_ISSUER.certificate, PUBLIC_ROOT.certificate]

# What is presented by whom → (well-known, the right root, a wrong root).
CELLS: dict[str, tuple[issue.Issued, list[Certificate], Certificate, tuple[str, str, str]]] = {
    "public, full chain": (
        PUBLIC_LEAF,
        PUBLIC_FULL,
        PUBLIC_ROOT.certificate,
        ("", "", "E-ROOT-MISMATCH"),
    ),
    "public, leaf and intermediate": (
        PUBLIC_LEAF,
        PUBLIC_FULL[:2],
        PUBLIC_ROOT.certificate,
        ("", "", "E-ROOT-MISMATCH-NOROOT"),
    ),
    "public, leaf only": (
        PUBLIC_LEAF,
        PUBLIC_FULL[:1],
        PUBLIC_ROOT.certificate,
        ("E-INT-MISSING", "E-INT-MISSING", "E-INT-MISSING"),
    ),
    "private, full chain": (
        LEAF,
        FULL,
        ROOT.certificate,
        ("E-NOT-PUBLIC", "", "E-ROOT-MISMATCH"),
    ),
    "private, leaf and intermediate": (
        LEAF,
        FULL[:2],
        ROOT.certificate,
        ("E-INT-NOT-PUBLIC", "", "E-ROOT-MISMATCH-NOROOT"),
    ),
    "private, directly under the root, leaf only": (
        DIRECT,
        [DIRECT.certificate],
        ROOT.certificate,
        ("E-INT-MISSING", "", "E-INT-MISSING"),
    ),
    "self-signed authority": (
        SELF_CA,
        [SELF_CA.certificate],
        SELF_CA.certificate,
        ("E-NOT-PUBLIC", "", "E-ROOT-MISMATCH"),
    ),
    "self-signed, no authority": (
        SELF,
        [SELF.certificate],
        SELF.certificate,
        ("E-INT-MISSING", "E-INT-MISSING", "E-INT-MISSING"),
    ),
}


@pytest.mark.parametrize(("issued", "chain", "root", "expected"), CELLS.values(), ids=CELLS.keys())
def test_v2_judges_a_presented_chain_by_what_the_setting_trusts(
    issued: issue.Issued,
    chain: list[Certificate],
    root: Certificate,
    expected: tuple[str, str, str],
) -> None:
    trusts = (
        trusting("well-known"),
        trusting("roots", root),
        trusting("roots", OTHER_ROOT.certificate),
    )
    with servers.tls_server(issued, chain) as server:
        found = tuple(
            judge(plan_for(trust=trust), zone_for(server.port)).error_id for trust in trusts
        )
    assert found == expected


def verdict_on(
    issued: issue.Issued, chain: Sequence[Certificate] | None = None, **plan: Any
) -> Any:
    with servers.tls_server(issued, chain) as server:
        return judge(plan_for(**plan), zone_for(server.port))


def test_the_lab_s_public_root_is_marked_in_the_evidence() -> None:
    judged = verdict_on(PUBLIC_LEAF, trust=trusting("well-known"))
    assert judged.evidence["anchor"]["origin"] == "lab-public"


def test_only_authorities_is_a_missing_leaf() -> None:
    judged = verdict_on(
        ISSUER, [ISSUER.certificate, ROOT.certificate], trust=trusting("roots", ROOT.certificate)
    )
    assert judged.error_id == "E-LEAF-MISSING"


def test_an_authority_before_the_leaf_is_a_wrong_order() -> None:
    judged = verdict_on(
        ISSUER,
        [ISSUER.certificate, LEAF.certificate, ROOT.certificate],
        trust=trusting("roots", ROOT.certificate),
    )
    assert judged.error_id == "E-LEAF-ORDER"
    assert judged.evidence["at_fault"] == 0


@pytest.mark.parametrize("days", [(-30, -1), (1, 30)])
def test_a_leaf_out_of_date_is_named(days: tuple[int, int]) -> None:
    first, last = (NOW + timedelta(days=count) for count in days)
    leaf = issue.make_leaf(
        ISSUER, NAME, now=NOW, dns_names=[NAME], not_before=first, not_after=last
    )
    judged = verdict_on(leaf, trust=trusting("roots", ROOT.certificate))
    assert judged.error_id == "E-DATES"
    assert NAME in judged.message
    assert judged.evidence["at_fault"] == 0
    assert judged.evidence["block"] == "server"


def test_an_intermediate_out_of_date_is_named_and_not_the_leaf() -> None:
    old = issue.make_intermediate(
        ROOT, "Old CA", now=NOW, not_before=NOW - timedelta(9), not_after=NOW - timedelta(1)
    )
    leaf = issue.make_leaf(old, NAME, now=NOW, dns_names=[NAME])
    judged = verdict_on(leaf, trust=trusting("roots", ROOT.certificate))
    assert judged.error_id == "E-DATES"
    assert "Old CA" in judged.message
    assert judged.evidence["at_fault"] == 1


def test_dates_come_before_the_name() -> None:
    leaf = issue.make_leaf(
        ISSUER,
        "other",
        now=NOW,
        dns_names=["other.contoso.test"],
        not_before=NOW - timedelta(9),
        not_after=NOW - timedelta(1),
    )
    judged = verdict_on(leaf, trust=trusting("roots", ROOT.certificate))
    assert judged.error_id == "E-DATES"


def test_the_trust_anchor_comes_before_dates_and_name() -> None:
    leaf = issue.make_leaf(
        ISSUER, "other", now=NOW, not_before=NOW - timedelta(9), not_after=NOW - timedelta(1)
    )
    judged = verdict_on(leaf, trust=trusting("roots", OTHER_ROOT.certificate))
    assert judged.error_id == "E-ROOT-MISMATCH-NOROOT"


def test_the_name_comes_before_anything_generic() -> None:
    weak = issue.make_leaf(ISSUER, NAME, now=NOW, dns_names=[NAME], purposes=["client"])
    trust = trusting("roots", ROOT.certificate)
    judged = verdict_on(weak, trust=trust)
    assert judged.error_id == "E-VERIFY"
    judged = verdict_on(weak, trust=trust, host_name="elsewhere.contoso.test")
    assert judged.error_id == "E-CN"


def test_a_weak_key_gets_as_far_as_the_judgement() -> None:
    weak = issue.make_leaf(ISSUER, NAME, now=NOW, dns_names=[NAME], key="rsa1024")
    with pytest.MonkeyPatch.context() as patch:
        # Python's own server refuses to use such a key unless it is told to.
        original = ssl.SSLContext.load_cert_chain

        def lenient(self: ssl.SSLContext, *args: Any) -> None:
            self.set_ciphers("DEFAULT:@SECLEVEL=0")
            original(self, *args)

        patch.setattr(ssl.SSLContext, "load_cert_chain", lenient)
        judged = verdict_on(weak, trust=trusting("roots", ROOT.certificate))
    assert judged.error_id == "E-VERIFY"


@pytest.mark.parametrize(
    ("names", "wanted", "error"),
    [
        (["*.contoso.test"], NAME, ""),
        (["*.contoso.test"], "a.b.contoso.test", "E-CN"),
        (["other.contoso.test"], NAME, "E-CN"),
        ([NAME.upper()], NAME, ""),
    ],
)
def test_v2_matches_subject_alternative_names(names: list[str], wanted: str, error: str) -> None:
    leaf = issue.make_leaf(ISSUER, NAME, now=NOW, dns_names=names)
    judged = verdict_on(leaf, trust=trusting("roots", ROOT.certificate), host_name=wanted)
    assert judged.error_id == error


def test_the_common_name_counts_without_alternative_names_only() -> None:
    trust = trusting("roots", ROOT.certificate)
    bare = issue.make_leaf(ISSUER, NAME, now=NOW)
    assert verdict_on(bare, trust=trust).error_id == ""
    both = issue.make_leaf(ISSUER, NAME, now=NOW, dns_names=["other.contoso.test"])
    judged = verdict_on(both, trust=trust)
    assert judged.error_id == "E-CN"
    assert "other.contoso.test" in judged.message
    assert judged.evidence["checked_name"] == NAME
    assert judged.evidence["block"] == "gateway"


def test_v2_with_an_address_and_no_name_fails_on_the_name() -> None:
    leaf = issue.make_leaf(ISSUER, NAME, now=NOW, ip_addresses=[ADDRESS, "127.0.0.1"])
    trust = trusting("roots", ROOT.certificate)
    judged = verdict_on(leaf, target=ADDRESS, trust=trust)
    assert judged.error_id == "E-CN"
    assert "127.0.0.1" in judged.message
    assert judged.evidence["host_header"] == "127.0.0.1"
    lax = trusting("roots", ROOT.certificate, validate_name=False)
    assert verdict_on(leaf, target=ADDRESS, trust=lax, validate_sni=False).error_id == ""


def test_an_sni_name_cures_an_address() -> None:
    judged = verdict_on(
        LEAF, target=ADDRESS, trust=trusting("roots", ROOT.certificate), sni_name=NAME
    )
    assert judged.error_id == ""
    assert judged.evidence["sni"] == NAME


def test_without_chain_validation_chain_and_dates_are_passed_over_and_the_name_is_not() -> None:
    expired = issue.make_self_signed(
        NAME,
        now=NOW,
        ca=False,
        dns_names=[NAME],
        not_before=NOW - timedelta(9),
        not_after=NOW - timedelta(1),
    )
    lax = trusting("roots", OTHER_ROOT.certificate, validate_chain=False)
    judged = verdict_on(expired, trust=lax)
    assert judged.error_id == ""
    assert not judged.evidence["trust"]["chain"]
    assert verdict_on(expired, trust=lax, host_name="else.contoso.test").error_id == "E-CN"


def test_v1_accepts_the_pinned_leaf_whoever_issued_it() -> None:
    judged = verdict_on(
        LEAF, [LEAF.certificate], trust=trusting("pinned", LEAF.certificate), is_v1=True
    )
    assert judged.error_id == ""


@pytest.mark.parametrize("uploaded", [ROOT, ISSUER, None])
def test_v1_refuses_what_was_not_uploaded(uploaded: issue.Issued | None) -> None:
    trust = trusting("pinned", *([uploaded.certificate] if uploaded else []))
    judged = verdict_on(LEAF, trust=trust, is_v1=True)
    assert judged.error_id == "E-AUTHCERT"
    assert LEAF.certificate.thumbprint in judged.message


def test_v1_with_an_address_gets_the_default_site_s_certificate() -> None:
    default = issue.make_leaf(ISSUER, "default", now=NOW)
    trust = trusting("pinned", LEAF.certificate)
    with servers.tls_server(default, by_name={NAME: LEAF}) as server:
        named = judge(plan_for(trust=trust, is_v1=True), zone_for(server.port))
        bare = judge(plan_for(target=ADDRESS, trust=trust, is_v1=True), zone_for(server.port))
    assert named.error_id == ""
    assert bare.error_id == "E-AUTHCERT"
    assert "No server name was sent" in bare.message


def test_v1_checks_the_pool_s_name_and_no_name_for_addresses() -> None:
    other = issue.make_leaf(ISSUER, "other.contoso.test", now=NOW)
    trust = trusting("pinned", other.certificate)
    judged = verdict_on(other, trust=trust, is_v1=True)
    assert judged.error_id == "E-CN"
    assert "v1" in judged.message
    assert verdict_on(other, target=ADDRESS, trust=trust, is_v1=True).error_id == ""


def test_v1_does_not_care_for_the_probe_s_host() -> None:
    probe = Probe(name="p", host="probe.example.com", timeout=2)
    trust = trusting("pinned", LEAF.certificate)
    assert verdict_on(LEAF, trust=trust, is_v1=True, probe=probe).error_id == ""


def test_v1_checks_the_dates_of_the_pinned_leaf() -> None:
    leaf = issue.make_leaf(
        ISSUER, NAME, now=NOW, not_before=NOW - timedelta(9), not_after=NOW - timedelta(1)
    )
    judged = verdict_on(leaf, trust=trusting("pinned", leaf.certificate), is_v1=True)
    assert judged.error_id == "E-DATES"


def test_use_for_app_service_wants_a_public_chain_and_the_name() -> None:
    trust = trusting("app-service")
    picking = {"is_v1": True, "trust": trust, "pick_host_name_from_backend_address": True}
    assert verdict_on(PUBLIC_LEAF, **picking).error_id == ""
    assert verdict_on(LEAF, **picking).error_id == "E-AUTHCERT"
    other = issue.make_leaf(PUBLIC_ISSUER, "else", now=NOW, dns_names=["else.contoso.test"])
    assert verdict_on(other, **picking).error_id == "E-AUTHCERT"
    judged = verdict_on(PUBLIC_LEAF, target=ADDRESS, **picking)
    assert judged.error_id == "E-AUTHCERT"
    assert ADDRESS in judged.message
    old = issue.make_leaf(
        PUBLIC_ISSUER, NAME, now=NOW, not_before=NOW - timedelta(9), not_after=NOW - timedelta(1)
    )
    assert verdict_on(old, **picking).error_id == "E-DATES"


def test_a_presented_certificate_that_cannot_be_read_is_told() -> None:
    found = examine(
        plan_for(trust=trusting("well-known")),
        [LEAF.certificate.der, b"\x30\x03garbage"],
        well_known=WELL_KNOWN,
        now=NOW,
    )
    assert found.kind is not None
    assert found.kind.id == "E-VERIFY"
    assert "Certificate 2" in found.detail


@pytest.mark.parametrize(("kind", "is_v1"), [("roots", False), ("pinned", True)])
def test_a_server_without_any_certificate_is_not_trusted(kind: str, is_v1: bool) -> None:
    plan = plan_for(trust=trusting(kind), is_v1=is_v1)
    found = examine(plan, [], well_known=AnchorStore(), now=NOW)
    assert found.kind is not None
    assert found.kind.id == ("E-AUTHCERT" if is_v1 else "E-LEAF-MISSING")
    assert examine(
        plan_for(trust=trusting("app-service"), is_v1=True), [], well_known=WELL_KNOWN, now=NOW
    ).kind
