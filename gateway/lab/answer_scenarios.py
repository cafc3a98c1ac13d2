"""Lab servers that differ in how they speak and what they answer, and the DNS servers."""

from __future__ import annotations

from gateway.lab.scenario import DNS_PORT, Scenario, in_zone

ANSWERS: tuple[Scenario, ...] = (
    in_zone(
        35,
        "client-certificate",
        "Demands a client certificate",
        "Wants to know who connects. A gateway has no certificate of its own to show, so the "
        "server hangs up.",
        speaks="client-certificate",
    ),
    in_zone(
        36,
        "tls-1-0",
        "TLS 1.0 only",
        "Speaks nothing newer than TLS 1.0; gateways speak 1.2 and newer to backends.",
        speaks="tls-1.0",
    ),
    in_zone(
        37,
        "tls-1-3",
        "TLS 1.3 only",
        "Speaks nothing older than TLS 1.3: fine with v2, too new for v1.",
        speaks="tls-1.3",
    ),
    in_zone(
        18,
        "plain-http",
        "Plain HTTP",
        "Speaks no TLS: port 80 answers, port 443 refuses.",
        port=80,
        presents="nothing",
    ),
    in_zone(
        38,
        "http-on-443",
        "Plain HTTP on port 443",
        "Answers a TLS handshake with an HTTP error: the port is right and the protocol is not.",
        presents="nothing",
    ),
    in_zone(
        39,
        "reset",
        "Resets the connection",
        "Takes the connection and resets it at the first words of the handshake, as some "
        "firewalls do.",
        presents="nothing",
        answers="reset",
    ),
    in_zone(
        20,
        "silent",
        "Never answers",
        "Takes the connection and says nothing until the probe runs out of time.",
        plain_port=80,
        presents="nothing",
        answers="silence",
    ),
    in_zone(
        40,
        "slow",
        "Answers late",
        "Takes 35 seconds for each answer, longer than the default probe waits. A custom probe "
        "with a longer time-out finds it healthy.",
        plain_port=80,
        delay=35,
    ),
    in_zone(
        21,
        "closed",
        "Closed port",
        "Nothing listens: each connection is refused at once.",
        presents="nothing",
        answers="refusal",
    ),
    in_zone(
        41,
        "answers-401",
        "Answers 401",
        "Asks for a password at every path. A probe has none, so only a custom probe that accepts "
        "401 finds it healthy.",
        plain_port=80,
        status=401,
    ),
    in_zone(
        42,
        "answers-404",
        "Answers 404",
        "Works, but has nothing at any path that a probe asks for.",
        plain_port=80,
        status=404,
    ),
    in_zone(
        19,
        "answers-500",
        "Answers 500",
        "The connection is fine and the application is not: every answer has status 500.",
        plain_port=80,
        status=500,
    ),
    in_zone(
        43,
        "maintenance",
        "Wrong page",
        "Answers 200 with a page about maintenance; a probe that looks for “Hello from” does not "
        "find it.",
        plain_port=80,
        answers="maintenance",
    ),
)

DNS_SERVERS: tuple[Scenario, ...] = (
    in_zone(
        53,
        "dns-private",
        "DNS server of the zone only",
        "As DNS server of the network it knows the names of the zone and refuses all others.",
        port=DNS_PORT,
        presents="nothing",
        answers="dns-private",
    ),
    in_zone(
        54,
        "dns-silent",
        "DNS server that never answers",
        "As DNS server of the network it leaves every name without an answer.",
        port=DNS_PORT,
        presents="nothing",
        answers="dns-silence",
    ),
)
