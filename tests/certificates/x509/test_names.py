"""Whether a certificate is for a name."""

from __future__ import annotations

import pytest
from cryptography import x509

from certificates.x509.issue import make_leaf
from certificates.x509.names import match_name
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NOW, root


def certificate(common_name="cn.contoso.test", dns=(), ips=()):
    return make_leaf(root(), common_name, now=NOW, dns_names=dns, ip_addresses=ips).certificate


@pytest.mark.parametrize(
    ("dns", "wanted", "ok"),
    [
        ("www.contoso.test", "www.contoso.test", True),
        ("www.contoso.test", "WWW.Contoso.TEST", True),
        ("www.contoso.test", "www.contoso.test.", True),
        ("WWW.contoso.test", "www.contoso.test", True),
        ("www.contoso.test", "contoso.test", False),
        ("www.contoso.test", "www.contoso.test.evil.test", False),
        ("*.contoso.test", "www.contoso.test", True),
        ("*.contoso.test", "contoso.test", False),
        ("*.contoso.test", "a.b.contoso.test", False),
        ("*.contoso.test", ".contoso.test", False),
        ("*.contoso.test", "*.contoso.test", True),
        ("w*.contoso.test", "www.contoso.test", False),
        ("www.*.test", "www.contoso.test", False),
        ("*.test", "contoso.test", False),
        ("*", "localhost", False),
        ("localhost", "localhost", True),
        ("xn--bcher-kva.test", "bücher.test", True),
        ("xn--bcher-kva.test", "BÜCHER.test", True),
        ("*.xn--bcher-kva.test", "www.bücher.test", True),
        ("www.contoso.test", "", False),
        ("www.contoso.test", "www..test", False),
        ("www.contoso.test", "\u2024\u2024" * 40 + ".test", False),
    ],
)
def test_a_dns_name_matches_whole_labels_and_one_wildcard(dns, wanted, ok):
    verdict = match_name(certificate(dns=[dns]), wanted)
    assert verdict.ok is ok
    assert verdict.used == "san"
    assert verdict.candidates == (dns,)


def test_alternative_names_make_the_common_name_count_for_nothing():
    verdict = match_name(certificate(dns=["other.contoso.test"]), "cn.contoso.test")
    assert not verdict.ok
    assert "other.contoso.test" in verdict.detail


def test_the_common_name_counts_without_alternative_names():
    verdict = match_name(certificate(), "cn.contoso.test")
    assert (verdict.ok, verdict.used) == (True, "cn")
    assert verdict.candidates == ("cn.contoso.test",)
    assert match_name(certificate("*.contoso.test"), "www.contoso.test").ok
    assert match_name(certificate("bücher.test"), "xn--bcher-kva.test").ok
    assert not match_name(certificate("Contoso Web Server"), "www.contoso.test").ok


def test_only_mail_addresses_as_alternative_names_leave_the_common_name():
    mail = x509.SubjectAlternativeName([x509.RFC822Name("a@contoso.test")])
    made = makers.crafted((mail, False), subject="cn.contoso.test").certificate
    assert match_name(made, "cn.contoso.test").used == "cn"


@pytest.mark.parametrize(
    ("ips", "wanted", "ok"),
    [
        (["10.0.0.4"], "10.0.0.4", True),
        (["10.0.0.4"], "10.0.0.5", False),
        (["2001:db8::1"], "2001:DB8:0::1", True),
        (["2001:db8::1"], "[2001:db8::1]", True),
        (["10.0.0.4"], "www.contoso.test", False),
        ([], "10.0.0.4", False),
    ],
)
def test_addresses_match_addresses_only(ips, wanted, ok):
    assert match_name(certificate(ips=ips), wanted).ok is ok


def test_an_address_matches_neither_a_dns_name_nor_a_common_name():
    assert not match_name(certificate("10.0.0.4"), "10.0.0.4").ok
    assert not match_name(certificate(dns=["10.0.0.4"]), "10.0.0.4").ok


def test_a_certificate_without_any_name_says_so():
    pem = makers.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                         "-nodes", "-keyout", "{dir}/nn.key", "-subj", "/O=Contoso")  # fmt: skip
    verdict = match_name(makers.one(pem), "www.contoso.test")
    assert (verdict.ok, verdict.used, verdict.candidates) == (False, "none", ())
    assert "neither" in verdict.detail


def test_long_lists_of_names_are_cut_in_the_explanation():
    verdict = match_name(certificate(dns=[f"n{number}.test" for number in range(30)]), "x.test")
    assert "and 22 more" in verdict.detail
    assert len(verdict.candidates) == 30


def test_the_wanted_name_cannot_disturb_a_line_of_output():
    assert "\n" not in match_name(certificate(), "a\nb").detail
