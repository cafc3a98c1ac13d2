"""Kinds of problems of a readable certificate that is not what the place asks for."""

from __future__ import annotations

from certificates.x509.problems import declare

_EXPORT = "Certificates required to allow backend servers article"
_HEALTH = "Application Gateway backend health article"
_MTLS = "Mutual authentication overview article"
_MTLS_TROUBLE = "Mutual authentication troubleshooting article"

IS_DER = declare(
    "cer-is-der",
    title="The certificate is in binary form (DER)",
    why="The export wizard offers two forms under the same .cer extension. This one is binary; "
    "opened in Notepad it shows unreadable signs. Asked for is the Base-64 text.",
    remedy="Let the upload box convert it with one click, or export it again as “Base-64 encoded "
    "X.509 (.CER)”.",
    source=_EXPORT,
)
IS_P7B = declare(
    "cer-is-p7b",
    title="This is a P7B collection",
    why="A P7B file carries a set of certificates. Here one certificate file (.CER) is wanted.",
    remedy="Open the P7B, choose the certificate that is needed and export it as Base-64 encoded "
    "X.509 (.CER).",
    source=_EXPORT,
)
SEVERAL = declare(
    "cer-several",
    title="The file holds more than one certificate",
    why="Each entry takes exactly one certificate, so that it is clear what is trusted.",
    remedy="Upload each certificate as an entry of its own, and bind the ones you need.",
    source=_EXPORT,
)
MALFORMED = declare(
    "certificate-malformed",
    title="Parts of the certificate cannot be read",
    why="The outside of the certificate is fine, but a name, its key or an extension is encoded "
    "wrongly or twice. Servers and clients will not agree on what it means.",
    remedy="Have the certificate issued again with a current tool.",
    source="RFC 5280",
)
EXPIRED = declare(
    "certificate-expired",
    severity="warning",
    title="The certificate has expired",
    why="Its last day has passed. It can be saved, but the check of dates will fail.",
    remedy="Renew the certificate and upload the new one.",
    source=_HEALTH,
)
NOT_YET_VALID = declare(
    "certificate-not-yet-valid",
    severity="warning",
    title="The certificate is not valid yet",
    why="Its first day is still to come. Until then the check of dates fails.",
    remedy="Wait for that day, check the clock of the machine that made it, or use another one.",
    source=_HEALTH,
)
WEAK_KEY = declare(
    "certificate-weak-key",
    severity="warning",
    title="The key is too short",
    why="RSA keys under 2048 bits can be broken with enough effort; a verification refuses them.",
    remedy="Issue the certificate with an RSA key of 2048 bits or more, or with an EC P-256 key.",
    source="CA/Browser Forum Baseline Requirements 6.1.5",
)
KEY_TOO_LARGE = declare(
    "certificate-key-too-large",
    title="The key is larger than any in use",
    why="The work of checking a signature grows with the square of the key, and with the exponent. "
    "Keys above 8192 bits, or with an exponent above 33 bits, only serve to keep others busy: TLS "
    "programs refuse them, and their signatures are not checked here.",
    remedy="Issue the certificate with an RSA key of 2048 to 4096 bits and the usual exponent "
    "65537, or with an EC P-256 key.",
    source="Release notes of Go 1.20.7, crypto/tls",
)
WEAK_SIGNATURE = declare(
    "certificate-weak-signature",
    severity="warning",
    title="The signature uses an outdated digest",
    why="SHA-1 and MD5 signatures can be forged. On a root it does no harm, as its own signature "
    "proves nothing; below a root a verification refuses it.",
    remedy="Issue the certificate again with SHA-256.",
    source="CA/Browser Forum Baseline Requirements 7.1.3",
)
AUTH_IS_CA = declare(
    "auth-is-ca",
    severity="warning",
    title="This is the certificate of an authority",
    why="A v1 gateway compares the server's own certificate with this one, byte for byte. It does "
    "not build a path to an authority, so a root or an intermediate never matches.",
    remedy="Upload the certificate that the backend server itself presents.",
    source=_EXPORT,
)
ROOT_IS_LEAF = declare(
    "root-is-leaf",
    title="This is a server certificate, not a root",
    why="A v2 gateway trusts the root at the top of the chain. A server certificate that somebody "
    "else signed proves nothing about its issuer.",
    remedy="Open the certificate, go to “Certification Path”, choose the topmost and export that.",
    source=_EXPORT,
)
ROOT_IS_INTERMEDIATE = declare(
    "root-is-intermediate",
    title="This is an intermediate certificate, not the root",
    why="Another authority signed it. Intermediates belong on the backend server, which sends them "
    "with its own certificate; the gateway holds the root only.",
    remedy="Upload the root that signed it, and install the intermediate on the server.",
    source=_EXPORT,
)
ROOT_NOT_CA = declare(
    "root-not-ca",
    severity="warning",
    title="This self-signed certificate is not an authority",
    why="It does not say CA:TRUE. It can be saved, but a gateway takes it for a server certificate "
    "whose issuer is missing, so the backend will be unhealthy.",
    remedy="Make the self-signed certificate with CA:TRUE, or make a root of your own and sign the "
    "server certificate with it.",
    source=_HEALTH,
)
ROOT_VERSION_1 = declare(
    "root-version-1",
    severity="warning",
    title="This root is an X.509 version 1 certificate",
    why="Version 1 has no place to say “I am an authority”. OpenSSL makes such roots when it signs "
    "a request without extensions; it trusts them as roots, but stricter programs refuse.",
    remedy="Nothing, if it works for you; better, make the root again with CA:TRUE.",
    source="Self-signed certificate with a custom root article",
)
ROOT_SIGNATURE = declare(
    "root-signature-broken",
    title="The root's own signature does not fit",
    why="Issuer and subject are the same name, but the certificate was not signed by its own key: "
    "it was altered, or another authority of the same name signed it.",
    remedy="Fetch the root again from the authority and compare the thumbprint.",
    source="RFC 5280",
)
CLIENT_CA_TOO_LARGE = declare(
    "client-ca-too-large",
    title="The client CA file is too large",
    why="A file of client CA certificates may have 25 KB, root and intermediates together.",
    remedy="Keep one chain per file: its root and its intermediates.",
    source="Application Gateway limits",
)
CLIENT_CA_NONE = declare(
    "client-ca-none",
    title="No CA certificate is in the file",
    why="Clients are accepted when their certificate leads to an authority in this file. Only "
    "certificates with CA:TRUE count, self-signed ones included.",
    remedy="Put the root that signed the clients' certificates into the file, with its "
    "intermediates.",
    source=_MTLS_TROUBLE,
)
CLIENT_CA_ROOTS = declare(
    "client-ca-roots",
    title="The file must hold exactly one root",
    why="One file stands for one chain: a single self-signed root and the intermediates below it.",
    remedy="Add the missing root, or put each further root into a file of its own.",
    source=_MTLS_TROUBLE,
)
CLIENT_CA_LEAF = declare(
    "client-ca-leaf",
    severity="warning",
    title="A client's own certificate is in the file",
    why="Only the authorities are used; a certificate without CA:TRUE is left out.",
    remedy="Keep the root and the intermediates only.",
    source=_MTLS,
)
CLIENT_CA_CHAIN = declare(
    "client-ca-chain-broken",
    severity="warning",
    title="An intermediate does not lead to the root in the file",
    why="Its issuer is not in the file, so no client can be verified through it.",
    remedy="Add the authority in between, or take the unrelated certificate out.",
    source=_MTLS,
)
