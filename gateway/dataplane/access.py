"""The access log: one JSON object for each request ("Diagnostic logs for Application Gateway").

The names are those of the cloud's log where it has one; ``flags``, ``details`` and ``reason`` are
the engine's own words, from which the portal makes sentences.

The engine writes a shorter form, which :func:`read_line` undoes: a value of its own costs it more
than a word among others, and looking up what a route is tagged with six times as much. So words
without spaces stand together in one value, and a route's name tells all that is told of a route.
What a client or a server can put spaces into has a value of its own, and all of it is JSON: nobody
can make one request look like two.
"""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any

from gateway.dataplane.envoy import ACCESS_LOG, Config, extension

REQUEST_ID = "x-request-id"
TRACE_ID = "x-appgw-trace-id"
ORIGINAL_HOST = "x-original-host"
ORIGINAL_URL = "x-original-url"
# Where the filter that only watches tells what it found out about the client's certificate:
# ``allowed`` or ``denied``.
RBAC = "envoy.filters.http.rbac"
CLIENT_STATS = "client_"
CLIENT_VERIFY = f"{CLIENT_STATS}shadow_engine_result"

# Each value that stands alone, by its name.
_ALONE = {
    "timeStamp": "%START_TIME%",
    "httpStatus": "%RESPONSE_CODE%",
    "httpMethod": "%REQ(:METHOD)%",
    # Who gets no further than a listener's own answer has the path and the host that came in.
    "originalRequestUriWithArgs": f"%REQ({ORIGINAL_URL}?:PATH)%",
    "requestUri": "%REQ(:PATH)%",
    "userAgent": "%REQ(USER-AGENT)%",
    "originalHost": f"%REQ({ORIGINAL_HOST}?:AUTHORITY)%",
    "host": "%REQ(:AUTHORITY)%",
    "transactionId": f"%REQ({TRACE_ID})%",
    "requestId": f"%REQ({REQUEST_ID})%",
    "reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "serverCertificate": "%UPSTREAM_PEER_SUBJECT%",
}
_ALONE_WITH_TLS = {"sni": "%REQUESTED_SERVER_NAME%"}
_ALONE_WITH_CLIENT = {
    "sslClientVerify": f"%DYNAMIC_METADATA({RBAC}:{CLIENT_VERIFY})%",
    "sslClientCertificateFingerprint": "%DOWNSTREAM_PEER_FINGERPRINT_1%",
    "sslClientCertificateIssuerName": "%DOWNSTREAM_PEER_ISSUER%",
}
# Words that stand together, in this order; the last may be none.
_TOGETHER = "together"
_WORDS = {
    "client": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "httpVersion": "%PROTOCOL%",
    "receivedBytes": "%BYTES_RECEIVED%",
    "sentBytes": "%BYTES_SENT%",
    "timeTaken": "%DURATION%",
    "serverRouted": "%UPSTREAM_HOST%",
    "serverResponseLatency": "%RESPONSE_DURATION%",
    "serverTlsProtocol": "%UPSTREAM_TLS_VERSION%",
    "serverTlsCipher": "%UPSTREAM_TLS_CIPHER%",
    "sslProtocol": "%DOWNSTREAM_TLS_VERSION%",
    "sslCipher": "%DOWNSTREAM_TLS_CIPHER%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
}
_WITH_TLS = {"sslProtocol", "sslCipher"}
_NUMBERS = {"receivedBytes", "sentBytes", "timeTaken", "serverResponseLatency"}
# The parts of a route's name, of which the first is the name that people read.
_ROUTE = "route"
_PARTS = ("routeName", "listenerName", "ruleName", "backendPoolName", "backendSettingName")
_BETWEEN = "|"  # no name of a resource holds it
_NOTHING = "-"
# What stands in the place of a status where the client left before it got one ("HTTP response codes
# in Application Gateway", 499).
UNANSWERED = "unanswered"


def route_name(name: str, listener: str, rule: str, pool: str = "", settings: str = "") -> str:
    """The engine's name of a route, from which the log knows whose it is."""
    return _BETWEEN.join((name, listener, rule, pool, settings))


def access_log(gateway: int, *, is_v1: bool, has_tls: bool, asks_client: bool) -> list[Config]:
    """The access log of a connection manager."""
    words = [word for name, word in _WORDS.items() if has_tls or name not in _WITH_TLS]
    fields = {
        "gateway": str(gateway),
        UNANSWERED: "0" if is_v1 else "499",
        **_ALONE,
        _ROUTE: "%ROUTE_NAME%",
        _TOGETHER: " ".join(words),
        "sslEnabled": "on" if has_tls else "off",
    }
    if has_tls:
        fields |= _ALONE_WITH_TLS
    if asks_client:
        fields |= _ALONE_WITH_CLIENT
    return [
        extension(
            "file",
            "extensions.access_loggers.file.v3.FileAccessLog",
            path=ACCESS_LOG,
            log_format={"json_format": fields},
        )
    ]


def read_line(text: bytes) -> dict[str, Any] | None:
    """A line of the engine's with all its names; ``None`` if it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    unanswered = found.pop(UNANSWERED, "0")
    if found.get("httpStatus") == 0:
        found["httpStatus"] = _number(str(unanswered))
    words = found.pop(_TOGETHER, None)
    if isinstance(words, str):
        _tell_apart(words, found)
    if _ROUTE in found:
        # A request that no route took has none.
        parts = str(found.pop(_ROUTE) or "").split(_BETWEEN)
        found |= {name: part or None for name, part in zip_longest(_PARTS, parts[: len(_PARTS)])}
    return found


def _tell_apart(words: str, found: dict[str, Any]) -> None:
    has_tls = found.get("sslEnabled") == "on"
    names = [name for name in _WORDS if has_tls or name not in _WITH_TLS]
    for name, word in zip(names, words.split(" ", len(names) - 1), strict=False):
        if name == "client":
            host, _, port = word.rpartition(":")
            found["clientIP"], found["clientPort"] = host.strip("[]"), _number(port)
        elif name in _NUMBERS:
            found[name] = _number(word)
        else:
            found[name] = word if word != _NOTHING or name == "flags" else None


def _number(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 18 else None
