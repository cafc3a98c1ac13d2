"""Kinds of problems of a listener's certificate: the PFX file and what is in it."""

from __future__ import annotations

from certificates.x509.problems import declare

_SSL = "SSL overview article"
_PORTAL = "TLS termination in the portal article"
_EXPORT_PFX = (
    "Export the certificate with “Yes, export the private key” as Personal Information Exchange "
    "(.PFX) and upload that file."
)

EMPTY = declare(
    "pfx-empty",
    title="The file is empty",
    why="No bytes arrived.",
    remedy=_EXPORT_PFX,
    source=_SSL,
)
TOO_LARGE = declare(
    "pfx-too-large",
    title="The PFX file is too large",
    why="A listener's certificate may have 16 KB on a v2 gateway and 10 KB on a v1 gateway. "
    "Files grow beyond that when a whole store is exported.",
    remedy="Export again with one certificate and its chain only, without extended properties.",
    source="Application Gateway limits",
)
NOT_PFX = declare(
    "pfx-not-pfx",
    title="This is not a PFX file",
    why="The content has not the structure of a PFX (PKCS #12) file. A changed file extension does "
    "not change what is inside.",
    remedy=_EXPORT_PFX,
    source=_SSL,
)
CUT_OFF = declare(
    "pfx-cut-off",
    title="The PFX file is cut off or damaged",
    why="It begins like a PFX, but its inner structure is broken or ends too early.",
    remedy="Copy or export the file again.",
    source=_SSL,
)
IS_CERTIFICATE = declare(
    "pfx-is-certificate",
    title="This is a certificate without its private key",
    why="A listener proves who it is, for which it needs the private key. A .cer, .crt or .p7b "
    "file has only the public half.",
    remedy=_EXPORT_PFX,
    source=_SSL,
)
IS_PEM = declare(
    "pfx-is-pem",
    title="This is a PEM file",
    why="It has the private key as text. A listener takes a PFX file, which protects the key with "
    "a password; nothing of this file was kept.",
    remedy="Convert it: openssl pkcs12 -export -inkey key.pem -in chain.pem -out listener.pfx",
    source=_SSL,
)
PASSWORD_MISSING = declare(
    "pfx-password-missing",
    title="The PFX file needs its password",
    why="The file is protected, and no password was given.",
    remedy="Enter the password that was chosen at the export.",
    source=_PORTAL,
)
PASSWORD_WRONG = declare(
    "pfx-password-wrong",
    title="The password does not open the PFX file",
    why="The password is not the one that was chosen at the export; upper and lower case matter. "
    "A file that was damaged on its way gives the same answer.",
    remedy="Enter the password of the export, or export again with a new one.",
    source=_PORTAL,
)
PASSWORD_FORM = declare(
    "pfx-password-form",
    severity="warning",
    title="The cloud may not take this password",
    why="The cloud's documents ask for 4 to 12 letters and digits. Gatewright takes any password.",
    remedy="To use the file there too, export it with a password of 4 to 12 letters and digits.",
    source=_PORTAL,
)
ABOUT_PASSWORD = frozenset({PASSWORD_MISSING, PASSWORD_WRONG, PASSWORD_FORM})
"""What is wrong with the password that was typed, not with the file."""

TOO_EXPENSIVE = declare(
    "pfx-too-expensive",
    title="Opening the PFX file would take too much work",
    why="The file asks for so many rounds of password hashing, or so much memory, that opening it "
    "would hold up the portal. No usual tool makes such files.",
    remedy="Export again with the tool's usual settings.",
)
READER_FAILED = declare(
    "pfx-reader-failed",
    title="The PFX file could not be opened just now",
    why="The separate process that opens PFX files could not be started on this machine.",
    remedy="Try again; if it stays so, the machine may be out of memory or processes.",
)
NO_KEY = declare(
    "pfx-no-key",
    title="The PFX file has no private key",
    why="It opens, but holds certificates only. The export wizard leaves the key out when it is "
    "marked as not exportable.",
    remedy=_EXPORT_PFX,
    source=_SSL,
)
NO_CERTIFICATE = declare(
    "pfx-no-certificate",
    title="The PFX file has no certificate",
    why="It opens, but holds a private key only.",
    remedy="Export the certificate together with its private key.",
    source=_SSL,
)
KEY_MISMATCH = declare(
    "pfx-key-mismatch",
    title="Key and certificate do not belong together",
    why="No certificate in the file has the public half of the private key in it.",
    remedy="Put the certificate that was issued for this key into the PFX.",
    source=_SSL,
)
EXTRA = declare(
    "pfx-extra-certificates",
    severity="warning",
    title="The PFX file has certificates that do not belong to the chain",
    why="They issued neither the listener's certificate nor one of its issuers: left out.",
    remedy="Export with “Include all certificates in the certification path if possible” only.",
    source=_SSL,
)
CHAIN_INCOMPLETE = declare(
    "pfx-chain-incomplete",
    severity="warning",
    title="The issuer's certificate is missing in the PFX",
    why="Clients need the intermediates from the server. Browsers often hide the gap by fetching "
    "them; other clients fail.",
    remedy="Export with “Include all certificates in the certification path if possible”.",
    source=_SSL,
)
KEY_UNSUPPORTED = declare(
    "listener-key-unsupported",
    title="The key's kind cannot be used by a listener",
    why="The cipher suites of the TLS policies know RSA and ECDSA certificates, the latter with "
    "the curves P-256, P-384 and P-521.",
    remedy="Issue the certificate with an RSA key of 2048 bits or more, or with an EC P-256 key.",
    source="TLS policy overview article",
)
TAKEN_KEYS = "a listener takes RSA, or EC on the curves P-256, P-384 and P-521"
KEY_WEAK = declare(
    "listener-key-weak",
    title="The listener's key is too short",
    why="TLS programs no longer serve with RSA keys under 2048 bits.",
    remedy="Issue the certificate with an RSA key of 2048 bits or more, or with an EC P-256 key.",
    source="CA/Browser Forum Baseline Requirements 6.1.5",
)
SELF_SIGNED = declare(
    "listener-self-signed",
    severity="warning",
    title="The listener's certificate is self-signed",
    why="Clients do not trust it unless they are told to. It is meant for tests.",
    remedy="Use a certificate of an authority that your clients trust.",
    source=_SSL,
)
PURPOSE = declare(
    "listener-purpose",
    severity="warning",
    title="The certificate is not meant for servers",
    why="Its extended key usage does not include server authentication; most clients refuse it.",
    remedy="Issue the certificate with the purpose “Server Authentication”.",
    source="RFC 5280",
)
