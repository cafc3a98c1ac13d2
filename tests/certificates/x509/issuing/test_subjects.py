"""Names as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.x509.facts.names import match_name
from certificates.x509.issuing.issue import make_leaf
from certificates.x509.issuing.subjects import Names, read_names, shortened
from tests.certificates.x509.makers import NOW, root


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("Backend.Contoso.test.", "backend.contoso.test"),
        ("*.contoso.test", "*.contoso.test"),
        ("bücher.test", "xn--bcher-kva.test"),
        ("*.bücher.test", "*.xn--bcher-kva.test"),
        ("straße.test", "xn--strae-oqa.test"),
        ("STRAẞE.test", "xn--strae-oqa.test"),
        ("bücher。test", "xn--bcher-kva.test"),
        ("con\u00adtoso.test", "contoso.test"),
        ("a\u200db.test", "xn--ab-m1t.test"),
        ("😀.test", "xn--e28h.test"),
        ("my_server", "my_server"),
        ("a" * 63 + ".test", "a" * 63 + ".test"),
    ],
)
def test_host_names_are_spelt_as_a_certificate_does(typed, host):
    assert read_names([typed]) == Names(hosts=(host,))


@pytest.mark.parametrize(
    ("typed", "address"),
    [("10.0.1.4", "10.0.1.4"), ("2001:DB8:0::1", "2001:db8::1"), ("[::1]", "::1")],
)
def test_addresses_are_told_from_hosts(typed, address):
    assert read_names([typed]) == Names(addresses=(address,))


@pytest.mark.parametrize(
    "typed",
    ["", "a b", "http://x.test", "a..b", "-a.test", "a*.test", "*", "*.*.test", "300.1.1.1/8",
     "fe80::1%eth0", "ü" * 80, "ü." * 120, "a" * 64, "a." * 130 + "a", "\ud800.test", "a\0b",
     "a\u0378.test", "xn--99999999.ü"],
)  # fmt: skip
def test_what_is_neither_is_said(typed):
    (sentence,) = read_names([typed]).wrong
    assert "neither a host name nor an IP address" in sentence


def test_each_name_is_kept_once_and_in_order():
    names = read_names(["b.test", "::1", "B.test.", "a.test", "0::1", "?", "?"])
    assert (names.hosts, names.addresses) == (("b.test", "a.test"), ("::1",))
    assert len(names) == 4


def test_long_texts_are_cut_in_messages():
    assert shortened("a" * 60) == "a" * 60
    assert len(shortened("a" * 100_000)) == 60


@given(st.lists(st.text(max_size=80), max_size=5))
def test_whatever_is_taken_fits_into_a_certificate(typed):
    names = read_names(typed)
    made = make_leaf(
        root(), "a", now=NOW, dns_names=names.hosts, ip_addresses=names.addresses
    ).certificate
    assert (made.dns_names, made.ip_addresses) == (names.hosts, names.addresses)


@given(st.text(alphabet=st.characters(min_codepoint=128), min_size=1, max_size=20))
def test_a_name_that_is_taken_is_the_one_that_the_judge_looks_for(typed):
    for host in read_names([typed]).hosts:
        made = make_leaf(root(), "a", now=NOW, dns_names=[host]).certificate
        # A wildcard is a pattern, and one label alone may be a name of its own.
        assert match_name(made, typed).ok
