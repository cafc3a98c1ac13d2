"""Lines of the access log as the engine writes them, with all their names again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.dataplane.access import access_log, read_line, route_name

WORDS = "127.0.0.1:4711 HTTP/1.1 10 20 30 127.9.0.1:443 25 TLSv1.3 TLS_AES_128_GCM_SHA256"
TLS = "TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256"


def read(**fields: Any) -> dict[str, Any]:
    found = read_line(json.dumps(fields).encode())
    assert found is not None
    return found


def test_words_that_stand_together_get_their_names() -> None:
    line = read(sslEnabled="on", together=f"{WORDS} {TLS} - via_upstream", gateway="7")
    assert line == {
        "sslEnabled": "on", "gateway": "7", "clientIP": "127.0.0.1", "clientPort": 4711,
        "httpVersion": "HTTP/1.1", "receivedBytes": 10, "sentBytes": 20, "timeTaken": 30,
        "serverRouted": "127.9.0.1:443", "serverResponseLatency": 25,
        "serverTlsProtocol": "TLSv1.3", "serverTlsCipher": "TLS_AES_128_GCM_SHA256",
        "sslProtocol": "TLSv1.2", "sslCipher": "ECDHE-RSA-AES128-GCM-SHA256",
        "flags": "-", "details": "via_upstream",
    }  # fmt: skip


def test_without_tls_there_are_no_words_of_tls_and_what_is_not_there_is_none() -> None:
    line = read(sslEnabled="off", together="[::1]:80 HTTP/1.0 0 0 0 - - - - NR,DC no_route x y")
    assert (line["clientIP"], line["clientPort"]) == ("::1", 80)
    assert line["serverRouted"] is line["serverResponseLatency"] is line["serverTlsCipher"] is None
    assert (line["flags"], line["details"]) == ("NR,DC", "no_route x y")
    assert "sslProtocol" not in line


def test_a_routes_name_tells_whose_it_is() -> None:
    name = route_name("rule/path", "listener", "rule", "pool", "settings")
    assert read(route=name) == {
        "routeName": "rule/path", "listenerName": "listener", "ruleName": "rule",
        "backendPoolName": "pool", "backendSettingName": "settings",
    }  # fmt: skip
    redirect = read(route=route_name("rule", "listener", "rule"))
    assert redirect["backendPoolName"] is redirect["backendSettingName"] is None


@pytest.mark.parametrize("route", [None, "", "/trace", "a|b|c|d|e|f|g", 7, ["x"]])
def test_a_route_of_nobody_leaves_every_name_there(route: Any) -> None:
    assert len(read(route=route)) == 5


@pytest.mark.parametrize("text", [b"", b"[]", b"7", b"{", b"\xff", b'{"a":'])
def test_what_is_no_line_is_none(text: bytes) -> None:
    assert read_line(text) is None


@pytest.mark.parametrize("words", ["", " ", "x", ":", "a b c d e f g h i j k l m n o p", 7, None])
def test_words_that_were_damaged_are_read_as_far_as_they_go(words: Any) -> None:
    assert read(together=words, sslEnabled="on")["sslEnabled"] == "on"


def test_what_may_hold_spaces_stands_alone() -> None:
    [log] = access_log(7, is_v1=False, has_tls=True, asks_client=True)
    fields = log["typed_config"]["log_format"]["json_format"]
    operators = fields["together"].split(" ")
    assert not [one for one in operators if "REQ" in one or "SUBJECT" in one or "REASON" in one]
    assert all(one.startswith("%") and one.endswith("%") for one in operators)
