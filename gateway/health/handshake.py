"""The TLS handshake of a probe: nothing is verified here, everything presented is kept."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from dataclasses import dataclass
from functools import cache

from certificates.x509.facts.certificate import printable
from gateway.network.wire import presented_chain

# What OpenSSL calls an answer that is no TLS record at all.
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
_WRONG_VERSION = {
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
    "VERSION_TOO_LOW",
    "VERSION_TOO_HIGH",
}
_NO_COMMON_CIPHER = {"SSLV3_ALERT_HANDSHAKE_FAILURE", "NO_CIPHERS_AVAILABLE", "NO_SHARED_CIPHER"}
_WANTS_CLIENT = {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_CERTIFICATE_REQUIRED"}
_UNKNOWN_NAME = {"TLSV1_UNRECOGNIZED_NAME", "TLSV1_ALERT_UNRECOGNIZED_NAME"}
# The library reads so many bytes of certificates and no more (100 KB).
_TOO_MUCH = {"EXCESSIVE_MESSAGE_SIZE", "BAD_LENGTH", "LENGTH_TOO_LONG", "LENGTH_MISMATCH"}
_ALERT = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?(.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Handshake:
    """``chain`` holds the DER certificates in the order in which the server sent them."""

    chain: tuple[bytes, ...]
    version: str
    cipher: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a connection broke: ``words`` as the end of a sentence.

    ``alert`` is the TLS alert that the server sent (``certificate required``), ``reason`` what the
    library or the system calls the fault; both may be empty.
    """

    words: str
    alert: str = ""
    reason: str = ""


class BrokenHandshakeError(Exception):
    """There was no TLS session; ``trouble`` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.words)
        self.trouble = trouble


def shake_hands(
    connection: socket.socket, server_name: str | None, *, is_v1: bool
) -> tuple[ssl.SSLSocket, Handshake]:
    """Open TLS on ``connection`` within its socket time-out, sending ``server_name`` if given.

    v2 offers TLS 1.2 and 1.3, v1 only 1.2 ("TLS 1.0 and 1.1 retirement" article). Raises
    :class:`BrokenHandshakeError` and ``TimeoutError``. On success the new socket owns the
    connection.
    """
    try:
        secured = _context(is_v1).wrap_socket(connection, server_hostname=server_name)
    except TimeoutError:
        raise
    except OSError as error:
        raise BrokenHandshakeError(trouble_of(error)) from error
    except ValueError as error:
        # UnicodeError included: a label that no DNS name can have.
        raise BrokenHandshakeError(Trouble("the server name cannot be sent")) from error
    cipher = secured.cipher()
    return secured, Handshake(
        chain=tuple(presented_chain(secured)),
        version=secured.version() or "",
        cipher=cipher[0] if cipher else "",
    )


def trouble_of(error: OSError) -> Trouble:
    """What broke a TLS or plain connection."""
    if not isinstance(error, ssl.SSLError):
        return Trouble(_words(error, ""), reason=errno.errorcode.get(error.errno or 0, ""))
    # Not every error of the library has one.
    reason = str(getattr(error, "reason", "") or "")
    alert = _ALERT.match(reason)
    return Trouble(
        _words(error, reason),
        alert=alert[1].replace("_", " ").lower() if alert else "",
        reason=printable(reason),
    )


def _words(error: OSError, reason: str) -> str:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError):
        return "the server closed the connection"
    if not isinstance(error, ssl.SSLError):
        return "the connection was lost"
    if reason in _NOT_TLS:
        return "what the server sent is not TLS; it may serve plain HTTP on this port"
    if reason in _WRONG_VERSION:
        return "gateway and server have no TLS version in common"
    if reason in _NO_COMMON_CIPHER:
        return (
            "the server found nothing acceptable in the gateway's offer: no cipher in common, for "
            "example, or it demands a client certificate, and a gateway has none"
        )
    if reason in _WANTS_CLIENT:
        return "the server asks for a client certificate, and a gateway has none"
    if reason in _UNKNOWN_NAME:
        return "the server does not know the server name that was sent"
    if reason in _TOO_MUCH:
        return "the server sends more certificates than are read (100 KB)"
    told = printable(reason).replace("_", " ").lower()
    return f"the TLS library says “{told}”" if told else "TLS failed"


@cache
def _context(is_v1: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The judgement is our own: a refusal by the library would not name the certificate at fault.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2 if is_v1 else ssl.TLSVersion.TLSv1_3
    # Weak keys get as far as the judgement too, so that they are told and not just refused.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    # Many servers end a session without saying so.
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    # A server could ask for a new handshake over and over.
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context
