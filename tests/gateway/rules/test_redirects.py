"""Addresses that browsers can be sent to."""

from __future__ import annotations

import pytest

from gateway.rules.redirects import is_web_address


@pytest.mark.parametrize(
    "url",
    [
        "https://www.contoso.com",
        "http://www.contoso.com:8080/path?query=1#part",
        "HTTPS://www.contoso.com/",
        "https://[2001:db8::1]/",
    ],
)
def test_full_addresses_are_accepted(url: str):
    assert is_web_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "www.contoso.com",
        "//www.contoso.com",
        "/path",
        "https://",
        "https:///path",
        "ftp://www.contoso.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://www.contoso.com:port/",
        "https://www.contoso.com:99999/",
        "https://www.contoso.com:0/",
        "https://[::1/",
        "https://a b.com/",
        "https://contoso.com\\@evil.test/",
        "https://contoso.com/\r\nSet-Cookie: a=b",
    ],
)
def test_everything_else_is_refused(url: str):
    assert not is_web_address(url)
