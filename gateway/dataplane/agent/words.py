"""Why Envoy refuses something, in our words.

Envoy's own text is shown where it is a new one: without it nobody could help.
"""

from __future__ import annotations

import re

WHOLE = (
    "Envoy could not make sense of the configuration as a whole, so nothing of it was taken: a "
    "fault of Gatewright, not of yours."
)
_LONGEST = 300

_KNOWN: tuple[tuple[str, str], ...] = (
    (
        r"cannot bind '([^']+)':.*already in use",
        "Another program listens on {0} already. It is tried again every few seconds.",
    ),
    (
        r"cannot bind '([^']+)':.*Cannot assign",
        "{0} is no address of the agent's machine.",
    ),
    (
        r"cannot bind '([^']+)':.*Permission denied",
        "The agent's machine does not allow it to listen on {0}: ports this low need the "
        "capability CAP_NET_BIND_SERVICE.",
    ),
    (
        r"KEY_VALUES_MISMATCH",
        "The listener's private key does not belong to its certificate.",
    ),
    (
        r"only RSA certificates with 2048-bit or larger keys",
        "The listener's RSA key is shorter than 2048 bits, which Envoy does not serve.",
    ),
    (
        r"Failed to load (?:certificate chain|private key)",
        "The listener's certificate or private key cannot be read.",
    ),
    (
        r"Failed to load trusted CA certificates",
        "A trusted certificate cannot be read.",
    ),
    (
        r"Duplicate entry of domain (\S+)",
        "Two sites of one port answer to the host name {0}.",
    ),
    (
        r"has the same matching rules defined as",
        "Two listeners of one port answer to the same host names.",
    ),
    (
        r"partial wildcards are not supported",
        "A host name has a wildcard in a place where Envoy knows none.",
    ),
    (
        r"following ciphers were rejected when tried individually: ([A-Z0-9-]+)",
        "Envoy does not know the cipher suite {0}.",
    ),
    (
        r"Failed to initialize cipher suites",
        "Envoy knows none of the policy's cipher suites.",
    ),
)


def in_our_words(details: str) -> str:
    """A sentence for what Envoy said; its own text, shortened, where it is an unknown one."""
    for pattern, sentence in _KNOWN:
        found = re.search(pattern, details, re.IGNORECASE | re.DOTALL)
        if found:
            return sentence.format(*found.groups())
    text = " ".join(details.split())
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return f"Envoy refused it: {short}" if short else "Envoy refused it without a reason."


def is_passing(reason: str) -> bool:
    """Whether trying the same again later may help."""
    return reason.endswith("tried again every few seconds.")
