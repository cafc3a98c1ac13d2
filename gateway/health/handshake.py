"""The TLS handshake of a probe: nothing is verified here, everything presented is kept."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any

from certificates.x509.certificate import printable

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


@dataclass(frozen=True, slots=True)
class Handshake:
    """``chain`` holds the DER certificates in the order in which the server sent them."""

    chain: tuple[bytes, ...]
    version: str
    cipher: str


class BrokenHandshakeError(Exception):
    """There was no TLS session; the text says why, as the end of a sentence."""


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
        raise BrokenHandshakeError(words_of(error)) from error
    except ValueError as error:
        # UnicodeError included: a label that no DNS name can have.
        raise BrokenHandshakeError("the server name cannot be sent") from error
    cipher = secured.cipher()
    return secured, Handshake(
        chain=tuple(_chain(secured)),
        version=secured.version() or "",
        cipher=cipher[0] if cipher else "",
    )


def words_of(error: OSError) -> str:
    """An error of a TLS or plain connection as the end of a sentence."""
    if isinstance(error, ssl.SSLEOFError | ConnectionError):
        return "the server closed the connection"
    if not isinstance(error, ssl.SSLError):
        return "the connection was lost"
    reason = error.reason or ""
    if reason in _NOT_TLS:
        return "what the server sent is not TLS; it may serve plain HTTP on this port"
    if reason in _WRONG_VERSION:
        return "gateway and server have no TLS version in common"
    if reason in _NO_COMMON_CIPHER:
        return "the server found nothing acceptable in the gateway's offer (ciphers, for example)"
    if reason in _WANTS_CLIENT:
        return "the server asks for a client certificate, and a gateway has none"
    if reason in _UNKNOWN_NAME:
        return "the server does not know the server name that was sent"
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
    return context


def _chain(secured: ssl.SSLSocket) -> list[bytes]:
    """The presented chain: public from Python 3.13 on, on the inner object before."""
    public: Any = getattr(secured, "get_unverified_chain", None)
    if public is not None:
        return [bytes(der) for der in public()]
    inner: Any = secured._sslobj  # type: ignore[attr-defined]
    return [
        ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in inner.get_unverified_chain() or ()
    ]
