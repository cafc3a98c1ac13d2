"""Server variables and headers of rewrite rules, in the engine's formats.

Source: "Rewrite HTTP headers and URL with Application Gateway", server variables.
"""

from __future__ import annotations

import re

from gateway.dataplane.access import CLIENT_VERIFY, RBAC
from gateway.dataplane.pages import escaped

CLIENT_CERTIFICATE = "client_certificate"
_VERIFIED = (
    f"'{RBAC}' in metadata.filter_metadata"
    f" && metadata.filter_metadata['{RBAC}']['{CLIENT_VERIFY}'] == 'allowed'"
)
_CERTIFICATE = {
    CLIENT_CERTIFICATE: "%DOWNSTREAM_PEER_CERT%",
    "client_certificate_end_date": "%DOWNSTREAM_PEER_CERT_V_END%",
    "client_certificate_fingerprint": "%DOWNSTREAM_PEER_FINGERPRINT_1%",
    "client_certificate_issuer": "%DOWNSTREAM_PEER_ISSUER%",
    "client_certificate_serial": "%DOWNSTREAM_PEER_SERIAL%",
    "client_certificate_start_date": "%DOWNSTREAM_PEER_CERT_V_START%",
    "client_certificate_subject": "%DOWNSTREAM_PEER_SUBJECT%",
    "client_certificate_verification": f"%CEL({_VERIFIED} ? 'SUCCESS' : connection.mtls ? "
    "'FAILED' : 'NONE')%",
}
_HAS_FORWARDED = "'x-forwarded-for' in request.headers"
_FORMATS = {
    **_CERTIFICATE,
    "add_x_forwarded_for_proxy": "%REQ(X-FORWARDED-FOR)%"
    f"%CEL({_HAS_FORWARDED} ? ', ' : '')%%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "ciphers_used": "%DOWNSTREAM_TLS_CIPHER%",
    "client_ip": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "client_port": "%DOWNSTREAM_REMOTE_PORT%",
    "host": "%CEL(re.extract(request.host, '^([^:]*)', '\\\\1'))%",
    "http_method": "%REQ(:METHOD)%",
    "http_status": "%RESPONSE_CODE%",
    "http_version": "%PROTOCOL%",
    "query_string": "%CEL(request.query)%",
    "received_bytes": "%BYTES_RECEIVED%",
    "request_query": "%CEL(request.query)%",
    "request_scheme": "%REQ(:SCHEME)%",
    "request_uri": "%REQ(X-ORIGINAL-URL)%",
    "sent_bytes": "%BYTES_SENT%",
    "server_port": "%DOWNSTREAM_LOCAL_PORT%",
    "ssl_connection_protocol": "%DOWNSTREAM_TLS_VERSION%",
    "ssl_enabled": "%CEL(connection.requested_server_name != '' || request.scheme == 'https'"
    " ? 'On' : '')%",
    "uri_path": "%CEL(request.url_path)%",
}
_HEADER = re.compile(r"http_(req|resp)_([A-Za-z0-9!#$&'*+.^_`|~-]+)\Z", re.ASCII)
_COOKIE = re.compile(r"cookie_([A-Za-z0-9_.-]+)\Z", re.ASCII)


def from_certificate(variable: str) -> bool:
    """Whether a variable (without ``var_``) is taken from the client's certificate."""
    return variable in _CERTIFICATE


def header_of(reference: str) -> tuple[str, str] | None:
    """("request" or "response", name) for ``http_req_Name`` and ``http_resp_Name``."""
    found = _HEADER.match(reference)
    if found is None:
        return None
    return ("request" if found[1] == "req" else "response"), found[2].lower()


def format_of(reference: str, side: str) -> str | None:
    """The engine's format for a reference as it stands between braces; ``None`` if it is unknown.

    ``side`` is ``request`` or ``response``: response headers are empty while a request is changed.
    """
    header = header_of(reference)
    if header is not None:
        kind, name = header
        if kind == "response":
            return f"%RESP({name})%" if side == "response" else ""
        return f"%REQ({name})%"
    if not reference.startswith("var_"):
        return None
    variable = reference.removeprefix("var_").lower()
    cookie = _COOKIE.match(variable) and _COOKIE.match(reference.removeprefix("var_"))
    if cookie:
        return _cookie(cookie[1])
    return _FORMATS.get(variable)


def _cookie(name: str) -> str:
    pattern = cel_text(rf"(?:^|;[ ]*){re.escape(name)}=([^;]*)")
    value = looked_up("request", "cookie")
    return f"%CEL({value}.matches({pattern}) ? re.extract({value}, {pattern}, '\\\\1') : '')%"


def looked_up(kind: str, name: str) -> str:
    """A header in the language of conditions; empty where there is none."""
    key = cel_text(name)
    return f"({key} in {kind}.headers ? {kind}.headers[{key}] : '')"


def cel_text(text: str) -> str:
    """Text as a literal of the language of conditions: nothing in it means anything.

    All but letters and digits is written as its number, so no quote ends it and no sign of the
    formats around it is seen in it.
    """
    return "'" + "".join(_character(one) for one in text) + "'"


def _character(one: str) -> str:
    if one.isascii() and one.isalnum():
        return one
    return f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}"


def literal(text: str) -> str:
    """Text as a piece of a format."""
    return escaped(text)
