"""The host names and patterns of the multiple site hosting article."""

from __future__ import annotations

import pytest

from gateway.rules.hosts import host_fault, is_wildcard, suffixes, wildcard_fault


@pytest.mark.parametrize(
    "host",
    ["www.contoso.com", "contoso", "a-b.contoso.com", "xn--bcher-kva.example", "1.2.contoso.com"],
)
def test_plain_names_are_accepted(host: str):
    assert not is_wildcard(host)
    assert not host_fault(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "www..contoso.com",
        "www.contoso.com.",
        "-a.contoso.com",
        "a-.contoso.com",
        "www.contoso.com:443",
        "https://www.contoso.com",
        "www.contoso.com/path",
        "under_score.contoso.com",
        "bücher.example",
        "www.contoso.com\n",
        f"{'a' * 64}.com",
        ".".join(["a" * 60] * 5),
        "a b.com",
    ],
)
def test_what_is_no_name_is_refused(host: str):
    assert host_fault(host)


@pytest.mark.parametrize(
    "pattern", ["*.contoso.*", "*.contoso-*.com", "????.contoso.com", "w??.contoso*.edu.*"]
)
def test_the_patterns_that_the_article_allows_are_accepted(pattern: str):
    assert is_wildcard(pattern)
    assert not host_fault(pattern)
    assert not wildcard_fault(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "*.contoso.*.*.com",
        "????.contoso.*",
        "*?.contoso.com",
        "?*.contoso.com",
        "**.contoso.com",
        "*a*.contoso.com",
    ],
)
def test_the_patterns_that_the_article_refuses_are_refused(pattern: str):
    assert wildcard_fault(pattern)


def test_a_name_is_covered_at_every_depth():
    assert suffixes("A.b.contoso.com") == ["*.b.contoso.com", "*.contoso.com", "*.com"]
