"""Causes of an unhealthy backend (``E-``), one kind each, with what helps.

The causes are those of the article "Troubleshoot backend health issues in Application Gateway".
Where v1 and v2 differ the text says both; :mod:`gateway.health.advice` has the words for one tier.
"""

from __future__ import annotations

from gateway.problems import declare

_HEALTH = "Troubleshoot backend health issues in Application Gateway"
_REPORT = "View the backend health of your Application Gateway"
_TLS = "Overview of TLS termination and end to end TLS with Application Gateway"

E_DNS = declare(
    "E-DNS",
    title="The name of the server cannot be resolved",
    why="The pool holds a name for which no address was found, so no probe could be made. Either "
    "the name is misspelt, or the DNS servers of the virtual network do not know it.",
    remedy="Correct the FQDN in the backend pool, or add the name to the zone of the virtual "
    "network.",
    source=_HEALTH,
)
E_TCP = declare(
    "E-TCP",
    title="No connection to the server, or no handshake",
    why="The gateway could not open a connection on the probe's port, or the connection broke "
    "before anything was answered. Common causes: a wrong port in the HTTP setting, a server that "
    "does not listen, a firewall, or HTTPS spoken to a port that serves plain HTTP.",
    remedy="Check port and protocol of the HTTP setting and of the custom probe, then whether the "
    "server listens there and lets the gateway in.",
    source=_HEALTH,
)
E_TIMEOUT = declare(
    "E-TIMEOUT",
    title="The server did not answer in time",
    why="The connection was made, but a complete answer did not arrive within the time-out of the "
    "probe.",
    remedy="Find out why the application is slow. If it needs the time, raise the time-out; that "
    "takes a custom probe.",
    source=_HEALTH,
)
E_STATUS = declare(
    "E-STATUS",
    title="The status code is not an accepted one",
    why="The server answered, but with a status code outside the accepted ranges (200 to 399 "
    "unless a custom probe says otherwise). A probe carries no credentials, so a 401 or 403 may "
    "only mean that the path is protected.",
    remedy="Repair what the server reports, or let a custom probe ask for another path or host, "
    "or accept this code.",
    source=_HEALTH,
)
E_BODY = declare(
    "E-BODY",
    title="The answer does not contain the expected text",
    why="The custom probe looks for a text in the answer and did not find it. The status code was "
    "fine.",
    remedy="Correct the text in the probe (it is compared letter by letter), or the page.",
    source=_HEALTH,
)
E_CN = declare(
    "E-CN",
    title="The certificate is for another name",
    why="The server's certificate does not carry the name that the gateway expects. v2 expects "
    "the host of the custom probe, else the host name of the HTTP setting, else the FQDN in the "
    "pool; v1 always expects the FQDN in the pool. If the certificate has subject alternative "
    "names, only those count. An IP address is never sent as server name and never fits.",
    remedy="v2: name the host that the certificate is for, in the custom probe or in the HTTP "
    "setting. v1: put that name into the backend pool. Or install a certificate for the name that "
    "is expected.",
    source=_HEALTH,
)
E_DATES = declare(
    "E-DATES",
    title="A certificate of the chain is out of date",
    why="Today lies before the first or after the last day of one of the certificates that the "
    "server's identity rests on. The gateway tells both cases alike.",
    remedy="Renew the certificate that is named. v1: upload the renewed one to the HTTP setting "
    "too. v2: upload a root again only if the root itself was renewed.",
    source=_HEALTH,
)
E_INT_MISSING = declare(
    "E-INT-MISSING",
    title="An intermediate certificate is missing",
    why="The server sends its own certificate without the one of its issuer, so no chain to a "
    "root can be built. Browsers fetch what is missing, the gateway does not. A self-signed "
    "certificate that is no authority (CA:TRUE is missing) ends up here as well.",
    remedy="Install the complete chain on the server: its own certificate first, then the "
    "intermediates, then the root. Make self-signed certificates with CA:TRUE, or sign them with "
    "a root of your own.",
    source=_HEALTH,
)
E_LEAF_MISSING = declare(
    "E-LEAF-MISSING",
    title="The server's own certificate is missing",
    why="All that the server sends are certificates of authorities; the one that was issued to "
    "the server itself is not among them.",
    remedy="Install the server's certificate with its key, followed by the chain.",
    source=_HEALTH,
)
E_LEAF_ORDER = declare(
    "E-LEAF-ORDER",
    title="The server's own certificate does not come first",
    why="The server sends its certificate, but behind one of an authority. It has to be the "
    "topmost.",
    remedy="Put the chain into order on the server: its own certificate, the intermediates, the "
    "root.",
    source=_HEALTH,
)
E_NOT_PUBLIC = declare(
    "E-NOT-PUBLIC",
    title="The server's root is not a well-known CA",
    why="The HTTP setting uses well-known CA certificates, and the root that the server's chain "
    "ends in is not one of them.",
    remedy="Clear “Use Well Known CA Certificate” in the HTTP setting and upload the root of the "
    "server's chain as CER file.",
    source=_HEALTH,
)
E_INT_NOT_PUBLIC = declare(
    "E-INT-NOT-PUBLIC",
    title="The intermediate is not signed by a well-known CA",
    why="The HTTP setting uses well-known CA certificates. The server sends an intermediate whose "
    "issuer is not one of them.",
    remedy="Clear “Use Well Known CA Certificate” in the HTTP setting and upload the root that "
    "issued the intermediate. Installing the whole chain on the server is recommended as well.",
    source=_HEALTH,
)
E_ROOT_MISMATCH = declare(
    "E-ROOT-MISMATCH",
    title="The uploaded root is not the server's root",
    why="The server sends its whole chain, and the root in it is none of the trusted root "
    "certificates of the HTTP setting.",
    remedy="Export the root that the server uses as Base-64 CER file, upload it to the HTTP "
    "setting, and compare the thumbprints.",
    source=_HEALTH,
)
E_ROOT_MISMATCH_NOROOT = declare(
    "E-ROOT-MISMATCH-NOROOT",
    title="No uploaded root signed the server's intermediate",
    why="The server sends its certificate and an intermediate, and none of the trusted root "
    "certificates of the HTTP setting has signed that intermediate.",
    remedy="Upload the root that issued the intermediate to the HTTP setting.",
    source=_HEALTH,
)
E_VERIFY = declare(
    "E-VERIFY",
    title="The verification of the certificate failed",
    why="The chain leads to a trusted root, yet one of its certificates is not acceptable: a bad "
    "signature, a weak key or digest, a purpose that does not fit, or data that cannot be read.",
    remedy="Have the named certificate issued again and install it.",
    source=_HEALTH,
)
E_AUTHCERT = declare(
    "E-AUTHCERT",
    title="The server's certificate is not allow-listed",
    why="A v1 gateway accepts exactly the certificates that were uploaded as authentication "
    "certificates, and the server presents another one. Often the root was uploaded instead of "
    "the server's own certificate, or the server's was renewed, or the pool holds an IP address, "
    "so that no server name is sent and the server hands out the certificate of its default site. "
    "With “Use for App service” the certificate must come from a well-known CA and carry the "
    "FQDN in the pool.",
    remedy="Export the certificate that the server presents (not its root) as Base-64 CER file "
    "and add it to the HTTP setting; use an FQDN rather than an IP address in the pool.",
    source=_TLS,
)
E_INVALID_CA = declare(
    "E-INVALID-CA",
    title="The authority of the server's certificate is not valid",
    why="The older name of the error that says that the server's root is unknown to the gateway; "
    "reports before 2023 use it. Today the cause is told more exactly: the root is not a "
    "well-known one, or it is not the uploaded one. This portal never reports it.",
    remedy="Read it as “The server's root is not a well-known CA”: upload the root of the "
    "server's chain to the HTTP setting.",
    source=_HEALTH,
)
E_PROXY = declare(
    "E-PROXY",
    title="The server does not understand the PROXY header",
    why="A backend setting of the layer-4 kind (protocol TLS) can keep the client's address by "
    "sending a PROXY header before the handshake. A server that does not expect it takes it for "
    "garbage. Layer-4 settings are kept and not acted on here, so this portal never reports it.",
    remedy="Have the server read the PROXY header, or switch the preservation of the client's "
    "address off.",
    source=_HEALTH,
)
