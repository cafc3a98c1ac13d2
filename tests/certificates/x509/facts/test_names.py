"""Whether a certificate is for a name."""

from __future__ import annotations

import subprocess

import pytest
from cryptography import x509

from certificates.x509.facts.names import a_name, match_name
from certificates.x509.issuing.issue import make_leaf
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
        ("*.contoso.test", "xn--bcher-kva.contoso.test", True),
        ("*.contoso.test", "bücher.contoso.test", True),
        ("xn--*.contoso.test", "xn--bcher-kva.contoso.test", False),
        ("*.xn--bcher-kva.test", "a.b.bücher.test", False),
        ("*.xn--bcher-kva.test", "bücher.test", False),
        ("xn--bcher-kva.test", "bücher。test", True),
        # Letters that only IDNA 2008 knows as such.
        ("xn--strae-oqa.test", "straße.test", True),
        ("strasse.test", "straße.test", False),
        ("xn--strae-oqa.test", "STRAẞE.test", True),
        ("xn--nxasmm1c.test", "βόλος.test", True),
        ("xn--nxasmq6b.test", "ΒΌΛΟΣ.test", True),
        ("s.test", "ſ.test", True),
        ("xn--ab-m1t.test", "a\u200db.test", True),
        ("ab.test", "a\u200db.test", False),
        ("xn--e28h.test", "😀.test", True),
        ("xn--mod.test", "ბ.test", True),
        ("www.contoso.test", "\ud800.test", False),
        ("www.contoso.test", "\u00ad.test", False),
        ("www.contoso.test", "ü" * 300 + ".test", False),
        ("www.contoso.test", "x" * 300, False),
        ("www.contoso.test", "", False),
        ("www.contoso.test", ".", False),
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
    assert match_name(certificate("straße.test"), "xn--strae-oqa.test").ok
    assert match_name(certificate("xn--bcher-kva.test"), "bücher.test").ok
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
        (["10.0.0.4"], "10.0.0.4.", False),
        (["10.0.0.4"], " 10.0.0.4 ", True),
        (["10.0.0.4", "2001:db8::1"], "2001:db8::1", True),
        (["::ffff:10.0.0.4"], "10.0.0.4", False),
        ([], "10.0.0.4", False),
    ],
)
def test_addresses_match_addresses_only(ips, wanted, ok):
    assert match_name(certificate(ips=ips), wanted).ok is ok


def test_addresses_as_alternative_names_make_the_common_name_count_for_nothing():
    verdict = match_name(certificate(ips=["10.0.0.4"]), "cn.contoso.test")
    assert (verdict.ok, verdict.used, verdict.candidates) == (False, "san", ("10.0.0.4",))


def test_a_name_longer_than_any_is_not_even_encoded():
    assert a_name("ü" * 254) == ""
    assert a_name("x" * 253) == "x" * 253


HOSTS = [
    "www.contoso.test", "contoso.test", "a.b.contoso.test", "xn--bcher-kva.contoso.test",
    "10.0.0.4", "WWW.CONTOSO.TEST", "test", "www.contoso.test.evil.test",
]  # fmt: skip


@pytest.mark.parametrize(
    ("common_name", "names"),
    [
        (None, ["www.contoso.test"]),
        (None, ["*.contoso.test"]),
        (None, ["*.test"]),
        (None, ["*.*.test"]),
        (None, ["www.contoso.test", "*.b.contoso.test"]),
        (None, ["contoso.test"]),
        ("*.contoso.test", []),
        ("www.contoso.test", []),
        ("www.contoso.test", ["other.test"]),
    ],
)
def test_openssl_agrees_on_host_names(common_name, names):
    issued = certificate(common_name or "Contoso Web", names)
    trusted = makers.put("names-root.pem", root().certificate.pem.encode())
    leaf = makers.put("names-leaf.pem", issued.pem.encode())
    for host in HOSTS:
        done = subprocess.run(
            ["openssl", "verify", "-attime", str(int(NOW.timestamp())), "-CAfile", trusted,
             "-verify_hostname", host, leaf],
            capture_output=True,
        )  # fmt: skip
        assert match_name(issued, host).ok is (done.returncode == 0), host


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


def test_the_explanation_says_where_the_names_stand():
    assert match_name(certificate(dns=["a.b"]), "a.b").detail == (
        "“a.b” is covered by the certificate's subject alternative names."
    )
    assert match_name(certificate("a.b"), "a.b").detail == (
        "“a.b” is covered by the certificate's common name."
    )
    assert match_name(certificate("a.b"), "c.d").detail == (
        "“c.d” is not covered by the certificate's common name: a.b."
    )
    eight = [f"n{number}.test" for number in range(8)]
    assert match_name(certificate(dns=eight), "x.test").detail.endswith(", n7.test.")


def test_a_plain_label_beside_an_international_one_stays_as_it_is():
    assert a_name("X" * 70 + ".ü") == "x" * 70 + ".xn--tda"


def test_the_wanted_name_cannot_disturb_a_line_of_output():
    assert "\n" not in match_name(certificate(), "a\nb").detail
