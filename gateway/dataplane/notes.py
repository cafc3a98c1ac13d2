"""What the compiler announces: where the engine differs from what was configured, and why."""

from __future__ import annotations

from gateway.problems import declare

_TLS = "Application Gateway TLS policy overview article"
_BACKEND = "Overview of TLS termination and end to end TLS with Application Gateway"

SUITES_MISSING = declare(
    "engine-suites-missing",
    severity="info",
    title="The engine does not offer some cipher suites",
    why="The engine that carries the traffic knows no suites with DHE, and of those with CBC and "
    "SHA-256 or SHA-384 only some. Clients that know any of the others are served.",
    remedy="Nothing needs to be done; a policy of 2022 names suites that practically every client "
    "knows.",
    source=_TLS,
)
POLICY_UNUSABLE = declare(
    "engine-policy-unusable",
    title="The engine offers none of the policy's cipher suites",
    why="With no cipher suite in common there is no handshake, so the listener cannot be opened.",
    remedy="Add TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 to the policy, or choose a predefined one.",
    source=_TLS,
)
KEY_UNUSABLE = declare(
    "engine-key-unusable",
    title="The engine cannot serve this certificate",
    why="The engine serves RSA keys of at least 2048 bits and EC keys on the curves P-256, P-384 "
    "and P-521, and it needs the private key.",
    remedy="Renew the listener's certificate with an RSA key of 2048 bits or more.",
    source="TLS termination with Application Gateway article",
)
PORT_UNPUBLISHED = declare(
    "engine-port-unpublished",
    severity="warning",
    title="The port is not published",
    why="A listener is reached at an address and port of this machine, which are set aside when "
    "the gateway is saved.",
    remedy="Save the gateway once more; if that does not help, the range of addresses is used up.",
    source="Application Gateway listener configuration article",
)
PINNED = declare(
    "engine-certificate-pinned",
    severity="warning",
    title="Traffic goes only to the very certificate that the prober accepted",
    why="The engine checks host names in subject alternative names only, and has no check of the "
    "name without one of the chain. Where a server's certificate has a common name alone, or the "
    "HTTP setting switches off the check of the chain, the prober judges the certificate, and the "
    "engine accepts exactly that one.",
    remedy="Nothing, until the server's certificate is renewed: from then on requests fail until "
    "the next probe. A certificate with subject alternative names, or the check of the chain "
    "switched on, avoids that.",
    source=_BACKEND,
)
NAME_UNPINNED = declare(
    "engine-common-name-unusable",
    severity="warning",
    title="The common name cannot be compared with every client's host name",
    why="The certificate has no subject alternative name, and requests carry the client's host "
    "name on. The engine cannot compare that with the common name, so these requests end in 502.",
    remedy="Override the host name in the HTTP setting, or give the server a certificate with "
    "subject alternative names.",
    source=_BACKEND,
)
ADDRESS_FORBIDDEN = declare(
    "engine-address-forbidden",
    severity="warning",
    title="A server is left out, because its address may not be connected to",
    why="Backends stand in the lab, or in networks that the administrator has opened.",
    remedy="Point the pool at a server of the lab, or ask the administrator to open the network.",
    source="Application Gateway backend pool configuration article",
)
REWRITE_UNUSABLE = declare(
    "engine-rewrite-unusable",
    severity="warning",
    title="The engine cannot carry out a rewrite rule",
    why="The engine's regular expressions (RE2) know neither look-around nor references back to "
    "what was found before, and not every server variable has a counterpart. The rule is left "
    "out, the others of the set are carried out.",
    remedy="Write the pattern without look-around and back-references, or use another variable.",
    source="Rewrite HTTP headers and URL with Application Gateway article",
)
REVOCATION_UNCHECKED = declare(
    "engine-revocation-unchecked",
    severity="warning",
    title="Revocation of client certificates is not checked",
    why="The engine asks no responder (OCSP) about client certificates. Everything else about "
    "them is checked.",
    remedy="Do not rely on it here: a client whose certificate was revoked is still let in.",
    source="Overview of mutual authentication with Application Gateway article",
)
PAGE_MISSING = declare(
    "engine-error-page-missing",
    severity="warning",
    title="A custom error page has not been fetched",
    why="The page is fetched from its address when the gateway is saved, and again each minute "
    "until that succeeds. Until then the gateway answers with its default page.",
    remedy="Let the address answer with status 200 and at most 1 MB, from a server of the lab or a "
    "network that the administrator has opened.",
    source="Create Application Gateway custom error pages article",
)
DRAINING_UNTIMED = declare(
    "engine-draining-untimed",
    severity="info",
    title="Connection draining has no time-out here",
    why="A server that leaves its pool, or is found unhealthy, gets no new request, and the "
    "requests that it has got are finished however long they take. The drain time-out cuts none "
    "of them off, and no affinity cookie leads to a server that has left.",
    remedy="Nothing needs to be done. Where a time-out is to be seen at work, use the request "
    "time-out of the HTTP setting.",
    source="Application Gateway HTTP settings configuration article",
)
