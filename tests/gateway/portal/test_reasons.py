"""From the engine's words to the cloud's, and to sentences."""

from __future__ import annotations

import pytest

from gateway.health.catalogue import HEALTH_KINDS
from gateway.portal.reasons import error_info, reason_of

# Observed at the engine; each verification failure begins so.
VERIFY = (
    "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:"
    "verify_cert_failed:"
)
DEPTH = f"{VERIFY}_X509_verify_cert:_certificate_verification_error_at_depth_0:"


@pytest.mark.parametrize(
    ("fields", "words", "help"),
    [
        ({"flags": "UF", "reason": f"{DEPTH}_certificate_has_expired"}, "has expired", "E-DATES"),
        (
            {"flags": "UF", "reason": f"{DEPTH}_certificate_is_not_yet_valid"},
            "not valid yet",
            "E-DATES",
        ),
        (
            {"flags": "UF", "reason": f"{DEPTH}_unable_to_get_local_issuer_certificate"},
            "does not lead to a root",
            "E-ROOT-MISMATCH",
        ),
        (
            {"flags": "UF", "reason": f"{DEPTH}_self_signed_certificate"},
            "self-signed",
            "E-ROOT-MISMATCH",
        ),
        (
            {"flags": "UF", "reason": f"{DEPTH}_unsupported_certificate_purpose"},
            "server authentication",
            "E-VERIFY",
        ),
        (
            {
                "flags": "UF",
                "reason": f"{VERIFY}_SAN_matcher,_certificate_SANs_are_[other.internal]",
            },
            "not for the name that was asked for: it carries other.internal",
            "E-CN",
        ),
        (
            {
                "flags": "UF",
                "reason": f"{VERIFY}_verify_SAN_list,_expected_SANs:_[127.76.0.16],"
                "_certificate_SANs:_[other.internal]",
            },
            "not for the name that was asked for: it carries other.internal",
            "E-CN",
        ),
        (
            {"flags": "UF", "reason": f"{VERIFY}_SAN_matcher,_certificate_SANs_are_[]"},
            "the name that was asked for: it carries",
            "E-CN",
        ),
        (
            {"flags": "UF", "reason": f"{VERIFY}_cert_hash_and_spki"},
            "another certificate",
            "E-AUTHCERT",
        ),
        (
            {
                "flags": "UF",
                "reason": "TLS_error:|268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER",
            },
            "does not speak TLS",
            "E-TCP",
        ),
        (
            {"flags": "UF", "reason": "delayed_connect_error:_Connection_refused"},
            "nothing listens",
            "E-TCP",
        ),
        ({"flags": "UF", "details": "upstream_reset{connection_timeout}"}, "in time", "E-TCP"),
        ({"flags": "UPE", "details": "protocol_error"}, "not HTTP", "E-TCP"),
        ({"flags": "UC", "details": "connection_termination"}, "closed the connection", "E-TCP"),
        ({"flags": "UF", "details": "remote_connection_failure"}, "failed, or TLS on it", "E-TCP"),
        ({"flags": "UH", "details": "no_healthy_upstream"}, "No server of the pool", ""),
        ({"flags": "UT", "details": "response_timeout"}, "request time-out", "E-TIMEOUT"),
        ({"flags": "SI", "details": "stream_idle_timeout"}, "request time-out", "E-TIMEOUT"),
        ({"details": "rbac_access_denied_matched_policy[forbidden]"}, "guard", "U-NOT-ALLOWED"),
        ({"details": "rbac_access_denied_matched_policy[none]"}, "none was sent", ""),
        (
            {
                "details": "rbac_access_denied_matched_policy[none]",
                "sslClientCertificateFingerprint": "ab",
            },
            "was not accepted",
            "",
        ),
        ({"details": "direct_response", "httpStatus": "404"}, "No listener", ""),
        ({"details": "direct_response", "httpStatus": "421"}, "names another listener", ""),
        ({"details": "direct_response", "httpStatus": "400"}, "Plain HTTP", ""),
        (
            {"details": "direct_response", "httpStatus": "400", "routeName": "/malformed"},
            "not the name of a host",
            "",
        ),
        ({"details": "direct_response", "httpStatus": "400", "routeName": "/trace"}, "TRACE", ""),
        ({"details": "stream_idle_timeout", "flags": "SI", "httpStatus": "408"}, "client", ""),
        ({"details": "direct_response", "httpStatus": "502", "ruleName": "r"}, "no backend", ""),
        ({"details": "http1.codec_error", "httpStatus": "400"}, "make sense", ""),
        ({"details": "http1.invalid_transfer_encoding", "httpStatus": "501"}, "a coding", ""),
        ({"flags": "DC", "details": "downstream_remote_disconnect"}, "The client closed", ""),
    ],
)
def test_every_failure_has_its_sentence(fields: dict[str, str], words: str, help: str) -> None:
    reason = reason_of(fields)
    assert reason is not None
    assert words in reason.text
    assert reason.help == help
    assert help in {"", *HEALTH_KINDS}
    assert reason.remedy or "client closed" in reason.text


def test_the_name_that_was_asked_for_is_told_where_it_is_known() -> None:
    fields = {"flags": "UF", "reason": f"{VERIFY}_SAN_matcher,_certificate_SANs_are_[b.test]"}
    reason = reason_of(fields, "a.test")
    assert reason is not None
    assert "not for “a.test”: it carries b.test" in reason.text


@pytest.mark.parametrize(
    "fields",
    [
        {"details": "via_upstream", "httpStatus": "503"},
        {"details": "direct_response", "httpStatus": "301", "ruleName": "r"},
        {"details": "something_new", "httpStatus": "200"},
        {"details": "direct_response", "httpStatus": "418"},
    ],
)
def test_a_server_s_answer_and_a_redirect_need_no_reason(fields: dict[str, str]) -> None:
    assert reason_of(fields) is None


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"flags": "UT"}, "UPSTREAM_TIMED_OUT"),
        ({"flags": "UH"}, "UPSTREAM_NO_LIVE"),
        ({"flags": "UF,URX"}, "UPSTREAM_CLOSED_CONNECTION"),
        ({"details": "rbac_access_denied_matched_policy[forbidden]"}, "UPSTREAM_CLOSED_CONNECTION"),
        ({"details": "rbac_access_denied_matched_policy[none]"}, "HTTPS_NO_CERT"),
        ({"flags": "DC"}, "CLIENT_CLOSED_REQUEST"),
        ({"flags": "-", "httpStatus": "0"}, "CLIENT_CLOSED_REQUEST"),
        ({"details": "direct_response", "httpStatus": "404"}, "INVALID_HOST"),
        ({"details": "direct_response", "httpStatus": "400"}, "HTTP_TO_HTTPS_PORT"),
        ({"httpStatus": "400", "routeName": "/malformed"}, "INVALID_HOST"),
        ({"httpStatus": "400", "routeName": "/trace"}, "INVALID_METHOD_TRACE"),
        ({"flags": "SI", "httpStatus": "408"}, "INVALID_REQUEST"),
        ({"details": "direct_response", "httpStatus": "502", "ruleName": "r"}, "UPSTREAM_NO_LIVE"),
        ({"details": "http1.codec_error", "httpStatus": "400"}, "INVALID_REQUEST"),
        ({"details": "via_upstream", "httpStatus": "400"}, "NO_ERROR"),
        ({"details": "direct_response", "httpStatus": "301", "ruleName": "r"}, "NO_ERROR"),
        ({"details": "via_upstream", "httpStatus": "200"}, "NO_ERROR"),
    ],
)
def test_the_cloud_s_word_for_the_outcome(fields: dict[str, str], word: str) -> None:
    assert error_info(fields) == f"ERRORINFO_{word}"
