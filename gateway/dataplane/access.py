"""The access log: one JSON object for each request ("Diagnostic logs for Application Gateway").

The names are those of the cloud's log where it has one; ``flags``, ``details`` and ``reason`` are
the engine's own words, from which the portal makes sentences.
"""

from __future__ import annotations

from gateway.dataplane.envoy import ACCESS_LOG, METADATA, Config, extension

REQUEST_ID = "x-request-id"
TRACE_ID = "x-appgw-trace-id"
# Where the filter that only watches tells what it found out about the client's certificate:
# ``allowed`` or ``denied``.
RBAC = "envoy.filters.http.rbac"
CLIENT_STATS = "client_"
CLIENT_VERIFY = f"{CLIENT_STATS}shadow_engine_result"


def access_log(gateway: int, *, has_tls: bool, asks_client: bool) -> list[Config]:
    """The access log of a connection manager."""
    fields = {
        "gateway": str(gateway),
        "timeStamp": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
        "listenerName": _route("listener"),
        "ruleName": _route("rule"),
        "routeName": "%ROUTE_NAME%",
        "backendPoolName": _route("pool"),
        "backendSettingName": _route("settings"),
        "clientIP": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "clientPort": "%DOWNSTREAM_REMOTE_PORT%",
        "httpMethod": "%REQ(:METHOD)%",
        "originalRequestUriWithArgs": "%REQ(X-ORIGINAL-URL)%",
        "requestUri": "%REQ(:PATH)%",
        "userAgent": "%REQ(USER-AGENT)%",
        "httpStatus": "%RESPONSE_CODE%",
        "httpVersion": "%PROTOCOL%",
        "receivedBytes": "%BYTES_RECEIVED%",
        "sentBytes": "%BYTES_SENT%",
        "timeTaken": "%DURATION%",
        "serverRouted": "%UPSTREAM_HOST%",
        "serverResponseLatency": "%RESPONSE_DURATION%",
        "originalHost": "%REQ(X-ORIGINAL-HOST)%",
        "host": "%REQ(:AUTHORITY)%",
        "transactionId": f"%REQ({TRACE_ID})%",
        "requestId": f"%REQ({REQUEST_ID})%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
        "serverTlsProtocol": "%UPSTREAM_TLS_VERSION%",
        "serverTlsCipher": "%UPSTREAM_TLS_CIPHER%",
        "serverCertificate": "%UPSTREAM_PEER_SUBJECT%",
        "sslEnabled": "on" if has_tls else "off",
    }
    if has_tls:
        fields |= {
            "sslCipher": "%DOWNSTREAM_TLS_CIPHER%",
            "sslProtocol": "%DOWNSTREAM_TLS_VERSION%",
            "sni": "%REQUESTED_SERVER_NAME%",
        }
    if asks_client:
        fields |= {
            "sslClientVerify": f"%DYNAMIC_METADATA({RBAC}:{CLIENT_VERIFY})%",
            "sslClientCertificateFingerprint": "%DOWNSTREAM_PEER_FINGERPRINT_1%",
            "sslClientCertificateIssuerName": "%DOWNSTREAM_PEER_ISSUER%",
        }
    return [
        extension(
            "file",
            "extensions.access_loggers.file.v3.FileAccessLog",
            path=ACCESS_LOG,
            log_format={"json_format": fields},
        )
    ]


def _route(key: str) -> str:
    return f"%METADATA(ROUTE:{METADATA}:{key})%"
