"""Why the gateway answered a request itself, in words.

What the engine noted (flags, details, the failure of the connection to the server) becomes the
cloud's ``error_info`` ("HTTP response codes in Application Gateway", access log) and a sentence
with what helps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

Fields = Mapping[str, str]

NO_ERROR = "ERRORINFO_NO_ERROR"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a request got the gateway's own answer; ``help`` is the id of a health problem."""

    text: str
    remedy: str = ""
    help: str = ""


_TIMED_OUT = {"UT", "SI"}
_BROKEN_OFF = {"UF", "UC", "UR", "LR", "UPE", "URX", "LH"}
_NO_SERVER = {"UH", "NC", "UO"}
# Routes of the data plane that belong to no rule.
_TRACE, _MALFORMED = "/trace", "/malformed"
# What the engine closes or denies for the sake of the client's certificate.
_CLIENT_DENIED = "rbac_access_denied"
_GUARDED = "rbac_access_denied_matched_policy[forbidden"

# The engine compares with a matcher, or with a list where the client's own host is expected.
_UNLIKE_NAMES = re.compile(r"SAN (?:matcher|list)")
_NAMES = re.compile(r"certificate SANs(?: are|:) \[(.*?)\]")


def flags_of(fields: Fields) -> set[str]:
    """The engine's flags, which come with commas between."""
    return {flag for flag in fields.get("flags", "").split(",") if flag not in {"", "-"}}


def _is_clients_delay(fields: Fields) -> bool:
    """Whether the client did not finish its request in time; servers are late with 502 or 504."""
    return fields.get("httpStatus") == "408" and fields.get("details") != "via_upstream"


def error_info(fields: Fields) -> str:
    """What the cloud's log would call the outcome."""
    flags, status = flags_of(fields), fields.get("httpStatus", "")
    details = fields.get("details", "")
    if fields.get("routeName") == _TRACE:
        return "ERRORINFO_INVALID_METHOD_TRACE"
    if fields.get("routeName") == _MALFORMED:
        return "ERRORINFO_INVALID_HOST"
    if _is_clients_delay(fields):
        return "ERRORINFO_INVALID_REQUEST"
    if flags & _TIMED_OUT:
        return "ERRORINFO_UPSTREAM_TIMED_OUT"
    if flags & _NO_SERVER:
        return "ERRORINFO_UPSTREAM_NO_LIVE"
    if flags & _BROKEN_OFF or details.startswith(_GUARDED):
        return "ERRORINFO_UPSTREAM_CLOSED_CONNECTION"
    if details.startswith(_CLIENT_DENIED):
        return "ERRORINFO_HTTPS_NO_CERT"
    if "DC" in flags or status == "0":
        return "ERRORINFO_CLIENT_CLOSED_REQUEST"
    if details == "direct_response" and not fields.get("ruleName"):
        if status == "404":
            return "ERRORINFO_INVALID_HOST"
        if status == "400":
            return "ERRORINFO_HTTP_TO_HTTPS_PORT"
    if details == "direct_response" and status == "502":
        return "ERRORINFO_UPSTREAM_NO_LIVE"
    if status in {"400", "501"} and details != "via_upstream":
        return "ERRORINFO_INVALID_REQUEST"
    return NO_ERROR


def reason_of(fields: Fields, name: str = "") -> Reason | None:
    """Why the gateway answered by itself; ``None`` for a server's answer or a redirect.

    ``name`` is the one that the server's certificate had to carry, where it is known.
    """
    details = fields.get("details", "")
    flags = flags_of(fields)
    if details == "via_upstream" and not flags:
        return None
    if details.startswith(_GUARDED):
        return Reason(
            "The guard of the data plane closed the way: the server's address may not be "
            "connected to.",
            "Point the pool at a server of the lab or of a network that is allowed.",
            "U-NOT-ALLOWED",
        )
    if details.startswith(_CLIENT_DENIED):
        return _client_denied(fields)
    if flags & _NO_SERVER:
        return Reason(
            "No server of the pool is healthy, so there was nobody to ask.",
            "Backend health names the cause for each server.",
        )
    if _is_clients_delay(fields):
        return Reason(
            "The client began a request and did not send the rest of it in time.",
            "Send the whole request, or raise the request time-out for slow clients.",
        )
    if flags & _TIMED_OUT:
        return Reason(
            "The server took the request and did not answer within the request time-out of the "
            "HTTP setting.",
            "Make the server faster, or raise the request time-out.",
            "E-TIMEOUT",
        )
    if flags & _BROKEN_OFF:
        return _broken(fields, name)
    if details == "direct_response" or fields.get("httpStatus") in {"301", "302", "303", "307"}:
        return _own_answer(fields)
    if fields.get("httpStatus") == "400":
        return Reason(
            "The gateway could not make sense of the request.",
            "Check the method, the Host header and the headers that the client sends.",
        )
    if fields.get("httpStatus") == "501":
        return Reason(
            "The client sends the body of its request in a coding that the gateway does not know.",
            "Send it with a Content-Length, or with Transfer-Encoding: chunked alone.",
        )
    if "DC" in flags:
        return Reason("The client closed the connection before the answer was complete.")
    return None


def _own_answer(fields: Fields) -> Reason | None:
    status = fields.get("httpStatus", "")
    if fields.get("ruleName"):
        if status == "502":
            return Reason(
                "The rule leads to no backend, or the gateway is stopped.",
                "Give the rule a pool and an HTTP setting, or start the gateway.",
            )
        return None
    if fields.get("routeName") == _TRACE:
        return Reason("The gateway does not take the method TRACE.", "Use another method.")
    if fields.get("routeName") == _MALFORMED:
        return Reason(
            "The Host header is not the name of a host: it is empty, holds several names, or a "
            "colon too many.",
            "Send one Host header with a name or an address, and at most one port.",
        )
    known = {
        "400": Reason(
            "Plain HTTP was spoken to a port that expects HTTPS.", "Ask with https:// instead."
        ),
        "404": Reason(
            "No listener on this port takes the host that was asked for, and there is no basic "
            "listener.",
            "Ask for a host name of a listener, or add a listener for this one.",
        ),
        "421": Reason(
            "The Host header names another listener than the server name of the TLS handshake.",
            "Use the same name in both; a client does so by itself when it asks for the name.",
        ),
    }
    return known.get(status)


def _client_denied(fields: Fields) -> Reason:
    if fields.get("sslClientCertificateFingerprint"):
        return Reason(
            "The client certificate was not accepted: its chain, its dates, its purpose or its "
            "issuer is not what the listener's SSL profile asks for.",
            "Use a certificate of an authority that the profile lists, for client authentication.",
        )
    return Reason(
        "The listener asks for a client certificate, and none was sent.",
        "Choose a client certificate.",
    )


# A part of what the engine says about a TLS connection → the sentence, the remedy, the problem.
_TLS: tuple[tuple[str, Reason], ...] = (
    (
        "certificate has expired",
        Reason(
            "The server's certificate has expired.", "Renew the server's certificate.", "E-DATES"
        ),
    ),
    (
        "certificate is not yet valid",
        Reason(
            "The server's certificate is not valid yet.",
            "Wait, or install one that is valid now.",
            "E-DATES",
        ),
    ),
    (
        "unsupported certificate purpose",
        Reason(
            "The server's certificate is not made for servers: its extended key usage lacks server "
            "authentication.",
            "Install a certificate with that usage.",
            "E-VERIFY",
        ),
    ),
    (
        "self signed certificate",
        Reason(
            "The server's certificate, or the root that it sends, is self-signed and not trusted "
            "by the HTTP setting.",
            "Upload the root of the server's certificate to the HTTP setting.",
            "E-ROOT-MISMATCH",
        ),
    ),
    (
        "unable to get local issuer certificate",
        Reason(
            "The chain of the server's certificate does not lead to a root that the HTTP setting "
            "trusts: another root is missing there, or the server does not send its intermediates.",
            "Upload the server's root, or have the server send the whole chain.",
            "E-ROOT-MISMATCH",
        ),
    ),
    (
        "cert hash and spki",
        Reason(
            "The server showed another certificate than the one that is accepted from it.",
            "On v1, upload the server's own certificate. On v2 the certificate was pinned when the "
            "prober accepted it, and the next probe accepts a renewed one.",
            "E-AUTHCERT",
        ),
    ),
    (
        "WRONG VERSION NUMBER",
        Reason(
            "The server does not speak TLS on this port.",
            "Set the protocol of the HTTP setting to HTTP, or choose the server's HTTPS port.",
            "E-TCP",
        ),
    ),
    (
        "Connection refused",
        Reason(
            "The server refused the connection: nothing listens on the port.",
            "Check the port of the HTTP setting and that the server runs.",
            "E-TCP",
        ),
    ),
)


def _broken(fields: Fields, name: str) -> Reason:
    told = _plain(fields.get("reason", ""))
    names = _NAMES.search(told)
    if _UNLIKE_NAMES.search(told):
        carried = f"carries {names[1]}" if names and names[1] else "carries no alternative name"
        wanted = f"“{name}”" if name else "the name that was asked for"
        return Reason(
            f"The server's certificate is not for {wanted}: it {carried}.",
            "Override the host name in the HTTP setting with one that the certificate is for, or "
            "install a certificate for the name.",
            "E-CN",
        )
    for part, reason in _TLS:
        if part.lower() in told.lower():
            return reason
    return _unsaid(fields)


def _unsaid(fields: Fields) -> Reason:
    """The engine gave no reason of its own, so its flags and details have to do."""
    flags, details = flags_of(fields), fields.get("details", "")
    if "connection_timeout" in details:
        return Reason(
            "The connection to the server, TLS included, was not made in time.",
            "Check that the server answers on the port, and that it speaks TLS if the HTTP setting "
            "says HTTPS.",
            "E-TCP",
        )
    if "UPE" in flags or "protocol_error" in details:
        return Reason(
            "What the server answered is not HTTP.", "Check the port of the HTTP setting.", "E-TCP"
        )
    if "UC" in flags or "UR" in flags:
        return Reason(
            "The server closed the connection before it answered.",
            "Check whether the server expects HTTPS on this port, and its own log.",
            "E-TCP",
        )
    return Reason(
        "The connection to the server failed, or TLS on it.",
        "Backend health shows what the prober sees at this server.",
        "E-TCP",
    )


def _plain(text: str) -> str:
    """The engine writes blanks as underscores."""
    return text.replace("_", " ")
