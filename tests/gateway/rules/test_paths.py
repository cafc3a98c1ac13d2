"""The path patterns of the URL path-based routing article."""

from __future__ import annotations

import pytest

from gateway.rules.paths import path_fault


@pytest.mark.parametrize("path", ["/images/*", "/images/", "/images", "/*", "/a/b/c.html"])
def test_patterns_of_both_generations_are_accepted(path: str):
    assert not path_fault(path, v1=True)
    assert not path_fault(path, v1=False)


def test_a_star_after_a_word_is_for_v2_only():
    assert path_fault("/images*", v1=True)
    assert not path_fault("/images*", v1=False)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "images/*",
        "/*.jpg",
        "/images/*.jpg",
        "/a/*/b/*",
        "/**",
        "/a?b=c",
        "/a#b",
        "/a b",
        "/a\n",
    ],
)
def test_other_patterns_are_refused(path: str):
    assert path_fault(path, v1=False)
