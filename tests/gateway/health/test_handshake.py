"""The words for a broken handshake, and the chain as it was sent."""

import errno
import ssl
from typing import Any

import pytest

from gateway.health.handshake import trouble_of
from tests import servers
from tests.gateway.health.scenes import judge, plan_for, private, root_of, trusting, zone_for


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "told by the library")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (tls_error("WRONG_VERSION_NUMBER"), "plain HTTP"),
        (tls_error("TLSV1_ALERT_PROTOCOL_VERSION"), "no TLS version in common"),
        (tls_error("SSLV3_ALERT_HANDSHAKE_FAILURE"), "nothing acceptable"),
        (tls_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "client certificate"),
        (tls_error("TLSV1_UNRECOGNIZED_NAME"), "does not know the server name"),
        (tls_error("EXCESSIVE_MESSAGE_SIZE"), "more certificates than are read"),
        (tls_error("TLSV1_ALERT_INTERNAL_ERROR"), "“tlsv1 alert internal error”"),
        (tls_error(""), "TLS failed"),
        (ssl.SSLEOFError(8, "EOF"), "closed the connection"),
        (ConnectionResetError(), "closed the connection"),
        (OSError(5, "input/output error"), "was lost"),
    ],
)
def test_each_failure_has_its_words(error: OSError, words: str) -> None:
    assert words in trouble_of(error).words


@pytest.mark.parametrize(
    ("error", "alert", "reason"),
    [
        (
            tls_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            "certificate required",
            "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        ),
        (tls_error("TLSV1_UNRECOGNIZED_NAME"), "unrecognized name", "TLSV1_UNRECOGNIZED_NAME"),
        (tls_error("WRONG_VERSION_NUMBER"), "", "WRONG_VERSION_NUMBER"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "", "ECONNRESET"),
        (ssl.SSLEOFError(8, "EOF"), "", ""),
        (OSError("no number"), "", ""),
    ],
)
def test_the_alert_of_the_server_is_told_from_a_fault_that_the_gateway_found(
    error: OSError, alert: str, reason: str
) -> None:
    trouble = trouble_of(error)
    assert (trouble.alert, trouble.reason) == (alert, reason)


def test_a_server_without_a_common_cipher_is_told() -> None:
    leaf = private(key="rsa2048")
    with pytest.MonkeyPatch.context() as patch:
        load = ssl.SSLContext.load_cert_chain

        def peculiar(self: ssl.SSLContext, *args: Any) -> None:
            load(self, *args)
            self.maximum_version = ssl.TLSVersion.TLSv1_2
            self.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")

        patch.setattr(ssl.SSLContext, "load_cert_chain", peculiar)
        server = servers.tls_server(leaf)
        with server as running:
            plan = plan_for(trust=trusting("roots", root_of(leaf)))
            judged = judge(plan, zone_for(running.port))
    assert judged.error_id == "E-TCP"
    assert "no cipher in common" in judged.message
    assert judged.evidence["broken"]["alert"] == "handshake failure"
