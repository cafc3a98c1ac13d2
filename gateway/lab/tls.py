"""TLS contexts from keys that never touch a disk."""

from __future__ import annotations

import os
import ssl
import warnings

from gateway.lab.scenario import Speaks

# What OpenSSL has to be asked for, because nobody should use it (SSL_CTX_set_security_level).
OUTDATED = "DEFAULT:@SECLEVEL=0"


def server_context(
    presented: str, key: bytes, *, speaks: Speaks = "modern", weak: bool = False
) -> ssl.SSLContext:
    """A context that sends ``presented`` (PEM) as it stands; ``key`` is that of its first one.

    ``weak`` lets keys and digests pass that OpenSSL would not load otherwise. With
    ``client-certificate`` clients need a certificate by one of the authorities that are presented.
    Raises ``ssl.SSLError`` when certificate and key do not belong together. The standard library
    reads them from a path only, so they go through a file that exists in memory alone.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _set_versions(context, speaks)
    if weak or speaks == "tls-1.0":
        context.set_ciphers(OUTDATED)
    # Probes and tests open connections to look at them; nobody comes back with a ticket.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    context.set_alpn_protocols(["http/1.1"])
    if speaks == "client-certificate":
        context.load_verify_locations(cadata=presented)
        context.verify_mode = ssl.CERT_REQUIRED
    descriptor = os.memfd_create("lab-server", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(key + presented.encode("ascii"))
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    return context


def _set_versions(context: ssl.SSLContext, speaks: Speaks) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if speaks == "tls-1.3":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    elif speaks == "tls-1.0":
        with warnings.catch_warnings():
            # It is outdated on purpose.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1


def choose_by_name(default: ssl.SSLContext, name: str, named: ssl.SSLContext) -> ssl.SSLContext:
    """``default``, made to hand clients that ask for ``name`` over to ``named``."""

    def asked(
        connection: ssl.SSLObject | ssl.SSLSocket, wanted: str | None, _: ssl.SSLContext
    ) -> None:
        if wanted is not None and wanted.lower() == name.lower():
            connection.context = named

    default.sni_callback = asked
    return default
