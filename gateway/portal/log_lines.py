"""A line of a gateway's access log as people read it.

The names of the fields are those of the cloud's log of version 2 ("Diagnostic logs for Application
Gateway", access log), with a few of our own behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certificates.x509.facts.certificate import printable
from gateway.models import AccessLogLine
from gateway.portal.reasons import NO_ERROR, error_info

# (field, label); what is not listed here is not shown.
FIELDS: tuple[tuple[str, str], ...] = (
    ("clientIP", "Client address"),
    ("clientPort", "Client port"),
    ("httpMethod", "Method"),
    ("originalRequestUriWithArgs", "Path that the client asked for"),
    ("requestUri", "Path sent to the server"),
    ("httpVersion", "HTTP version"),
    ("userAgent", "User agent"),
    ("originalHost", "Host that the client asked for"),
    ("sni", "Server name that the client sent"),
    ("sslEnabled", "TLS with the client"),
    ("sslProtocol", "TLS version"),
    ("sslCipher", "Cipher suite"),
    ("sslClientVerify", "Client certificate"),
    ("sslClientCertificateFingerprint", "Fingerprint of the client certificate"),
    ("sslClientCertificateIssuerName", "Issuer of the client certificate"),
    ("listenerName", "Listener"),
    ("ruleName", "Rule"),
    ("routeName", "Route"),
    ("backendPoolName", "Backend pool"),
    ("backendSettingName", "HTTP setting"),
    ("host", "Host sent to the server"),
    ("serverName", "Server"),
    ("serverRouted", "Server, as it was dialed"),
    ("serverStatus", "Status of the server"),
    ("serverResponseLatency", "Latency of the server (ms)"),
    ("serverTlsProtocol", "TLS version with the server"),
    ("serverTlsCipher", "Cipher suite with the server"),
    ("serverCertificate", "Certificate of the server"),
    ("httpStatus", "Status"),
    ("error_info", "Error"),
    ("flags", "Flags of the engine"),
    ("details", "Details of the engine"),
    ("reason", "Failure of the connection to the server"),
    ("timeTaken", "Time taken (ms)"),
    ("receivedBytes", "Bytes received"),
    ("sentBytes", "Bytes sent"),
    ("transactionId", "Transaction"),
    ("requestId", "Request id that the client sent"),
)
# The engine's word for an answer that a server gave.
_BY_SERVER = "via_upstream"
_LONGEST = 2000
_NOTHING = {"", "-", "null"}


@dataclass(frozen=True, slots=True)
class LogLine:
    """``fields`` hold text by the names of :data:`FIELDS`; what is missing is not in them."""

    pk: int
    at: datetime
    fields: Mapping[str, str]

    def get(self, name: str) -> str:
        """The text of a field; empty if the line has none."""
        return self.fields.get(name, "")

    @property
    def status(self) -> int:
        """The status of the answer; 0 if the client went away before there was one."""
        return _number(self.get("httpStatus"))

    @property
    def state(self) -> str:
        """How a status is drawn."""
        if self.status >= 500 or self.status == 0:
            return "failed"
        return "warning" if self.status >= 400 else "ok"

    @property
    def request(self) -> str:
        path = self.get("originalRequestUriWithArgs") or self.get("requestUri")
        return f"{self.get('httpMethod')} {path}".strip()

    @property
    def tls(self) -> str:
        return " ".join(self.get(name) for name in ("sslProtocol", "sslCipher")).strip()

    @property
    def is_from_server(self) -> bool:
        """Whether a backend server gave the answer, and not the gateway itself."""
        return self.get("details") == _BY_SERVER

    @property
    def error(self) -> str:
        found = self.get("error_info")
        return "" if found == NO_ERROR else found

    @property
    def server(self) -> str:
        """The server as pool and zone name it, else as it was dialed; empty without one."""
        return self.get("serverName") or self.get("serverRouted")

    @property
    def error_parts(self) -> list[str]:
        """``error`` in parts between which a line may end: a name of one word would be cut."""
        return [f"{part}_" for part in self.error.split("_")[:-1]] + self.error.split("_")[-1:]

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """(name, label, text) of every field that the line has."""
        return [(name, label, self.fields[name]) for name, label in FIELDS if name in self.fields]

    def as_text(self) -> str:
        """The line as one line of text: time, then name=value, blanks quoted."""
        told = [self.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")]
        for name, _, text in self.shown:
            plain = text.replace("\\", "\\\\").replace('"', '\\"')
            told.append(f'{name}="{plain}"' if " " in plain or '"' in plain else f"{name}={plain}")
        return " ".join(told)


def line_of(row: AccessLogLine) -> LogLine:
    """Read a stored line. Whatever clients put into it, no control character comes out."""
    line = row.line if isinstance(row.line, dict) else {}
    found = ((name, _text(line.get(name))) for name, _ in FIELDS)
    fields = {name: text for name, text in found if text}
    if fields.get("details") == _BY_SERVER and "httpStatus" in fields:
        fields["serverStatus"] = fields["httpStatus"]
    fields["error_info"] = error_info(fields)
    return LogLine(row.pk, row.at, fields)


def _text(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    text = printable(str(value))[:_LONGEST]
    return "" if text in _NOTHING else text


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
