"""Kinds of problems of a certificate file as such: what it is, before what it says."""

from __future__ import annotations

from certificates.x509.problems import declare

_EXPORT = "Certificates required to allow backend servers article"
_REEXPORT = (
    "Export the certificate again and choose “Base-64 encoded X.509 (.CER)”, then upload that file "
    "without opening and saving it in between."
)

EMPTY = declare(
    "cer-empty",
    title="The file is empty",
    why="No bytes arrived, or nothing but blanks. An interrupted export leaves such a file.",
    remedy=_REEXPORT,
    source=_EXPORT,
)
TOO_LARGE = declare(
    "cer-too-large",
    title="The file is too large to be a certificate",
    why="A certificate takes one to three kilobytes. A much larger file is something else, "
    "often a whole store or a document.",
    remedy="Export the one certificate that is needed and upload that file.",
)
TOO_MANY = declare(
    "cer-too-many",
    title="The file holds too many certificates",
    why="Files with a great many certificates are bundles of trust stores, not one server's chain.",
    remedy="Take the certificates that are needed out of the bundle and upload only those.",
)
NOT_CERTIFICATE = declare(
    "cer-not-certificate",
    title="This is not a certificate",
    why="The content is neither a certificate nor anything that usually gets mistaken for one. "
    "A changed file extension does not change what is inside.",
    remedy="Open the file in Notepad: a Base-64 certificate begins with a BEGIN CERTIFICATE line. "
    + _REEXPORT,
    source=_EXPORT,
)
UTF16 = declare(
    "cer-utf16",
    title="The text is saved as UTF-16",
    why="Each character takes two bytes in this encoding, which editors call “Unicode”. "
    "It looks the same on the screen, but readers of certificates expect one byte each.",
    remedy="Save the file as ANSI or UTF-8 without a byte order mark, or export it again.",
    source=_EXPORT,
)
BOM = declare(
    "cer-bom",
    severity="warning",
    title="The text begins with a byte order mark",
    why="An editor put three invisible bytes in front of the text. Gatewright skips them; "
    "other readers may refuse the file.",
    remedy="Save the file as ANSI, or as UTF-8 without a byte order mark.",
    source=_EXPORT,
)
RICH_TEXT = declare(
    "cer-rich-text",
    title="This is a document, not a plain text file",
    why="A word processor or a browser wrapped the certificate in formatting that does not show.",
    remedy=_REEXPORT,
    source=_EXPORT,
)
SMART_DASHES = declare(
    "cer-smart-dashes",
    title="The hyphens were turned into dashes",
    why="A program with automatic correction replaced the five hyphens around BEGIN or END by "
    "typographic dashes, which look alike but are other characters.",
    remedy="Replace them by five plain hyphens on each side, or export the certificate again.",
    source=_EXPORT,
)
MARKER = declare(
    "cer-marker-damaged",
    title="A BEGIN or END line is damaged",
    why="The line must have exactly five hyphens, the word, the label and five hyphens, and the "
    "label of BEGIN and END must be the same.",
    remedy="Write the line as -----BEGIN CERTIFICATE----- or -----END CERTIFICATE-----, "
    "or export the certificate again.",
    source=_EXPORT,
)
HIDDEN = declare(
    "cer-hidden-characters",
    title="Invisible characters are in the text",
    why="Copying from a web page or a chat brings no-break spaces and zero-width characters along. "
    "They do not show, but they are no Base-64.",
    remedy=_REEXPORT,
    source=_EXPORT,
)
CUT_OFF = declare(
    "cer-cut-off",
    title="The certificate is cut off",
    why="The text has a BEGIN line but ends before its END line, or the bytes end before the "
    "certificate does. A copy that missed the last lines does this.",
    remedy=_REEXPORT,
    source=_EXPORT,
)
BLOCK_EMPTY = declare(
    "cer-block-empty",
    title="Nothing is between BEGIN and END",
    why="The markers are there, the certificate between them is not.",
    remedy=_REEXPORT,
    source="Mutual authentication troubleshooting article",
)
DAMAGED = declare(
    "cer-damaged",
    title="The Base-64 text is damaged",
    why="Between BEGIN and END only letters, digits, + / and = may stand. "
    "One lost or foreign character spoils the whole certificate.",
    remedy=_REEXPORT,
    source=_EXPORT,
)
MARKERS_MISSING = declare(
    "cer-markers-missing",
    severity="warning",
    title="The BEGIN and END lines are missing",
    why="The text is the Base-64 form of a certificate without the two lines around it. "
    "Gatewright takes it; other readers may not.",
    remedy="Put -----BEGIN CERTIFICATE----- before and -----END CERTIFICATE----- after the text.",
    source=_EXPORT,
)
TEXT_AROUND = declare(
    "cer-text-around",
    severity="warning",
    title="Other text stands around the certificate",
    why="Some tools write names and attributes next to the certificate. They are skipped here; "
    "other readers may stumble over them.",
    remedy="Keep only the lines from BEGIN to END.",
    source=_EXPORT,
)
TRAILING = declare(
    "cer-trailing-data",
    title="Something follows the certificate",
    why="The binary certificate is complete, but more bytes come after it.",
    remedy=_REEXPORT,
)
PRIVATE_KEY = declare(
    "cer-private-key",
    title="A private key is in the file",
    why="Trust is given to public certificates. A private key must never leave the server that it "
    "belongs to; nothing of this file was kept.",
    remedy="Export again with “No, do not export the private key”. If the key travelled by mail or "
    "chat, replace it.",
    source=_EXPORT,
)
IS_PFX = declare(
    "cer-is-pfx",
    title="This is a PFX file",
    why="A PFX holds a certificate together with its private key. It belongs to a listener; "
    "here only the public certificate is wanted.",
    remedy="Export the certificate with “No, do not export the private key” as Base-64 encoded "
    "X.509 (.CER).",
    source=_EXPORT,
)
IS_REQUEST = declare(
    "cer-is-request",
    title="This is a certificate request",
    why="A request (CSR) is what is sent to an authority; the certificate is what comes back.",
    remedy="Upload the certificate that the authority issued for this request.",
)
IS_PUBLIC_KEY = declare(
    "cer-is-public-key",
    title="This is a bare public key",
    why="A public key without a name, dates and a signature cannot be trusted or matched.",
    remedy="Upload the certificate that contains this key.",
)
IS_CRL = declare(
    "cer-is-crl",
    title="This is a revocation list",
    why="A revocation list (CRL) names certificates that are no longer valid; it is none itself.",
    remedy="Upload the certificate of the authority, not its list.",
)
