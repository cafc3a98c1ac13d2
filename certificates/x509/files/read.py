"""Reading a certificate file: whatever the bytes are, say what they are and what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Literal

from certificates.x509.encoding import asn1
from certificates.x509.encoding.armour import MAX_BLOCKS, Block, read_armour
from certificates.x509.encoding.asn1 import Asn1Error, Asn1TooMany
from certificates.x509.encoding.shapes import certificates_of_pkcs7, shape_of
from certificates.x509.facts.certificate import Certificate
from certificates.x509.kinds import files
from certificates.x509.problems import Kind, Problem, ProblemError

Encoding = Literal["base64", "der", "pkcs7", "unknown"]

MAX_READ_BYTES = 1024 * 1024
MAX_CERTIFICATES = MAX_BLOCKS
MAX_PROBLEMS = 20

_DOCUMENTS = (
    (b"{\\rtf", "a rich text document (RTF)"),
    (b"PK\x03\x04", "a ZIP archive, such as a Word document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"%PDF", "a PDF document"),
)
_KEY_STORE = b"\xfe\xed\xfe\xed"
_UTF8_BOM = b"\xef\xbb\xbf"
_WRONG_SHAPES: dict[str, tuple[Kind, str]] = {
    "pfx": (files.IS_PFX, "The file is a PFX, which holds a private key."),
    "request": (files.IS_REQUEST, "The file is a certificate request (CSR)."),
    "crl": (files.IS_CRL, "The file is a revocation list (CRL)."),
    "public-key": (files.IS_PUBLIC_KEY, "The file is a bare public key."),
    "private-key": (files.PRIVATE_KEY, "The file is a private key."),
    "cut-off": (files.CUT_OFF, "The certificate ends before it is complete."),
    "other": (files.NOT_CERTIFICATE, "The file holds no certificate."),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds: its certificates in file order (possibly repeated), how they were encoded,
    and everything that is wrong with it. A private key is reported, never kept."""

    certificates: tuple[Certificate, ...] = ()
    encoding: Encoding = "unknown"
    problems: tuple[Problem, ...] = ()
    has_private_key: bool = False

    @property
    def ok(self) -> bool:
        return bool(self.certificates) and not any(problem.is_error for problem in self.problems)


class _Findings:
    """Certificates and problems gathered while a file is read; equal problems count once.

    ``tried`` counts what was taken for a certificate, whether it could be read or not.
    """

    def __init__(self) -> None:
        self.certificates: list[Certificate] = []
        self.problems: list[Problem] = []
        self.tried = 0

    def add(self, kind: Kind, message: str) -> None:
        self.extend((Problem(kind=kind, message=message),))

    def extend(self, problems: tuple[Problem, ...]) -> None:
        for problem in problems:
            if problem not in self.problems and len(self.problems) < MAX_PROBLEMS:
                self.problems.append(problem)

    def reading(self, encoding: Encoding) -> Reading:
        has_key = any(problem.kind is files.PRIVATE_KEY for problem in self.problems)
        if not self.certificates and not any(problem.is_error for problem in self.problems):
            self.add(files.NOT_CERTIFICATE, "The file holds no certificate.")
        if not self.certificates:
            encoding = "unknown"
        return Reading(tuple(self.certificates), encoding, tuple(self.problems), has_key)


def read_certificates(data: bytes, *, limit: int = MAX_READ_BYTES) -> Reading:
    """Read the certificates in ``data`` (PEM, DER or P7B), at most ``limit`` bytes; never raises.

    Errors in ``problems`` mean that the file is not what it should be, even where certificates
    could be read; warnings tell what was put up with.
    """
    findings = _Findings()
    if len(data) > limit:
        findings.add(
            files.TOO_LARGE,
            f"The file has {len(data):,} bytes; {limit:,} are the most that is read.",
        )
        return findings.reading("unknown")
    if data.startswith(_UTF8_BOM):
        data = data.removeprefix(_UTF8_BOM)
        findings.add(files.BOM, "Three invisible bytes (a byte order mark) precede the text.")
    if not data.strip(b" \t\r\n\x00"):
        findings.add(files.EMPTY, "The file is empty.")
        return findings.reading("unknown")
    for magic, description in _DOCUMENTS:
        if data.lstrip().startswith(magic):
            findings.add(files.RICH_TEXT, f"The file is {description}.")
            return findings.reading("unknown")
    if data.startswith(_KEY_STORE):
        findings.add(files.NOT_CERTIFICATE, "The file is a Java key store.")
        return findings.reading("unknown")
    if _is_utf16(data):
        findings.add(files.UTF16, "The file is UTF-16 text: two bytes for each character.")
        return findings.reading("unknown")
    # Every certificate is longer than 127 bytes, so its second byte announces a long length;
    # in a text that begins with the digit 0, it cannot.
    if data[:1] == b"0" and data[1:2] >= b"\x80":
        return _read_binary(data, findings)
    return _read_text(data, findings)


def _read_binary(data: bytes, findings: _Findings) -> Reading:
    shape = shape_of(data)
    if shape == "pkcs7":
        _take_pkcs7(data, findings)
        return findings.reading("pkcs7")
    if shape != "certificate":
        findings.add(*_WRONG_SHAPES[shape])
        return findings.reading("unknown")
    _take_sequence(data.rstrip(b"\r\n\x00 \t") if _ends_loosely(data) else data, findings)
    return findings.reading("der")


def _ends_loosely(data: bytes) -> bool:
    """Whether blanks follow the last element, as some transfers append them."""
    try:
        for _ in islice(asn1.read_all(data), MAX_CERTIFICATES + 1):
            pass
    except Asn1Error:
        return True
    return False


def _take_sequence(data: bytes, findings: _Findings) -> None:
    """Certificates in binary form, one after the other."""
    try:
        for node in islice(asn1.read_all(data), MAX_CERTIFICATES + 1):
            _take_certificate(node.raw, findings)
    except Asn1Error:
        findings.add(files.TRAILING, "Bytes that are no certificate follow the certificate.")


def _take_certificate(der: bytes, findings: _Findings, where: str = "") -> None:
    findings.tried += 1
    if findings.tried > MAX_CERTIFICATES:
        message = f"The file has more than {MAX_CERTIFICATES} certificates."
        findings.add(files.TOO_MANY, message)
        return
    try:
        findings.certificates.append(Certificate.from_der(der))
    except ProblemError as error:
        message = f"{where}: {error.problem.message}" if where else error.problem.message
        findings.add(error.problem.kind, message)


def _take_pkcs7(data: bytes, findings: _Findings) -> None:
    try:
        found = certificates_of_pkcs7(data)
    except Asn1TooMany:
        findings.add(files.TOO_MANY, f"The P7B has more than {MAX_CERTIFICATES} certificates.")
        return
    except Asn1Error:
        findings.add(files.CUT_OFF, "The P7B collection is cut off or damaged.")
        return
    for der in found[: MAX_CERTIFICATES + 1]:
        _take_certificate(der, findings)


def _read_text(data: bytes, findings: _Findings) -> Reading:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        # What Windows programs write when they say ANSI; undefined bytes do not matter here.
        text = data.decode("cp1252", errors="replace")
    if "PRIVATE KEY" in text:
        findings.add(files.PRIVATE_KEY, "The file holds a private key.")
    armour = read_armour(text)
    findings.extend(armour.problems)
    if armour.bare is not None:
        return _read_bare(armour.bare, findings)
    encoding: Encoding = "base64"
    for block in armour.blocks:
        findings.extend(block.problems)
        if block.data is not None:
            if shape_of(block.data) == "pkcs7":
                encoding = "pkcs7"
            _take_block(block, block.data, findings)
    return findings.reading(encoding)


def _read_bare(data: bytes, findings: _Findings) -> Reading:
    reading = _read_binary(data, findings)
    if not reading.certificates:
        return reading
    findings.add(files.MARKERS_MISSING, "The text has no BEGIN and no END line.")
    return findings.reading("base64" if reading.encoding == "der" else reading.encoding)


def _take_block(block: Block, data: bytes, findings: _Findings) -> None:
    if block.label.endswith("PARAMETERS"):
        return  # openssl writes the curve of a key as a block of its own
    shape = shape_of(data)
    where = f"The block that begins in line {block.line}"
    if shape == "pkcs7":
        _take_pkcs7(data, findings)
    elif shape == "certificate":
        certificate = asn1.read(data).raw
        _take_certificate(certificate, findings, where)
        # OpenSSL's TRUSTED CERTIFICATE has its trust settings after the certificate.
        if len(certificate) < len(data) and not block.label.startswith("TRUSTED"):
            findings.add(files.TRAILING, f"{where} goes on after the certificate.")
    else:
        kind, message = _WRONG_SHAPES[shape]
        findings.add(kind, message.replace("The file", where).replace("The certificate", where))


def _is_utf16(data: bytes) -> bool:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    sample = data[:64]
    for zeros, letters in ((sample[1::2], sample[0::2]), (sample[0::2], sample[1::2])):
        if (
            len(zeros) >= 8
            and not any(zeros)
            and all(32 <= letter < 127 or letter in b"\r\n\t" for letter in letters)
        ):
            return True
    return False
