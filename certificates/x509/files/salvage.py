"""Mending a text that was meant to be a certificate, where only one reading makes sense of it.

Nothing is guessed: characters that cannot belong to the Base-64 text are taken out, none is put in
or changed, and what remains must decode to a whole certificate, to the last byte that its own
length names.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from certificates.x509.encoding import asn1
from certificates.x509.encoding.armour import MAX_BLOCKS
from certificates.x509.encoding.asn1 import Asn1Error
from certificates.x509.encoding.shapes import certificates_of_pkcs7, shape_of
from certificates.x509.facts.certificate import Certificate
from certificates.x509.problems import ProblemError

_DASH = "[-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"
_LABEL = r"(?:[A-Z0-9]{1,12}+ ){0,3}(?:CERTIFICATE|REQUEST|KEY|CRL|PARAMETERS|CMS|PKCS ?#?7)"
# Each run of dashes is looked at once, so that megabytes of them take no time.
_MARKER = re.compile(
    rf"(?<!{_DASH}){_DASH}*+ {{0,3}}\b(BEGIN|END) {{1,3}}({_LABEL}) {{0,3}}{_DASH}{{0,12}}", re.I
)
_WIDE = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_LINES = re.compile("[\u2028\u2029]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_QUOTED = re.compile(r"^[ \t]{0,8}(?:[>|][ \t]?){1,20}", re.M)
_TAG = re.compile(r"<[^<>]{1,500}>")
_RTF_BREAK = re.compile(r"\\(?:par|line)\b")
_RTF_WORD = re.compile(r"\\'[0-9a-fA-F]{2}|\\[a-zA-Z]{1,32}-?\d{0,10} ?|[{}\\]")
_BARE = re.compile(r"MI[A-Za-z0-9+/\s]{150,}={0,2}")
_FOREIGN = re.compile(r"[^A-Za-z0-9+/=\s]")
_CERTIFICATES = ("CERTIFICATE", "CMS", "7")


@dataclass(frozen=True, slots=True)
class Salvaged:
    """The certificates that came out, in file order, and what was done to get them, in words."""

    certificates: tuple[Certificate, ...] = ()
    repairs: tuple[str, ...] = ()


def salvage(data: bytes) -> Salvaged:
    """Certificates in a spoilt text (at most 1 MB of it should be given); never raises."""
    text, repairs = plain_text(data)
    certificates: list[Certificate] = []
    for body in _bodies(text, repairs):
        certificates.extend(_certificates(body, repairs))
    if not certificates:
        return Salvaged()
    return Salvaged(tuple(certificates), tuple(dict.fromkeys(repairs)))


def plain_text(data: bytes) -> tuple[str, list[str]]:
    """``data`` as the text that its author saw, and what had to be undone for it; never raises."""
    repairs: list[str] = []
    text = _decoded(data, repairs)

    def then(mended: str, repair: str) -> None:
        nonlocal text
        if mended != text:
            text = mended
            repairs.append(repair)

    then(_unwrapped(text), "It was Base-64 encoded twice; the outer layer was taken off.")
    if text.lstrip().startswith("{\\rtf"):
        then(
            _RTF_WORD.sub("", _RTF_BREAK.sub("\n", text)),
            "The formatting of the document was taken off.",
        )
    then(_without_markup(text), "The markup of the web page was taken off.")
    lines = text.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\\r", "\n")
    then(lines, "Line breaks that were written out as \\n became real ones.")
    visible = _INVISIBLE.sub("", _LINES.sub("\n", _WIDE.sub(" ", text)))
    then(visible, "Invisible characters were taken out.")
    then(_QUOTED.sub("", text), "The marks of a quoted mail were taken out.")
    text = text.replace("----------BEGIN", "-----\n-----BEGIN")  # lines that were joined
    then(_MARKER.sub(_marker, text), "The BEGIN and END lines were written properly.")
    return text, repairs


def _decoded(data: bytes, repairs: list[str]) -> str:
    encoding = ""
    if data.startswith(b"\xff\xfe") or data[1:32:2].count(0) > 12:
        encoding = "utf-16-le"
    elif data.startswith(b"\xfe\xff") or data[0:32:2].count(0) > 12:
        encoding = "utf-16-be"
    if encoding:
        repairs.append("The UTF-16 text was written as plain text.")
        return data.decode(encoding, errors="replace").removeprefix("\ufeff")
    if data.startswith(b"\xef\xbb\xbf"):
        repairs.append("The byte order mark was taken off.")
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _unwrapped(text: str) -> str:
    """The inside of a text that was Base-64 encoded although it was Base-64 text already."""
    compact = "".join(text.split())
    # "-----BEGIN" and "MII", which nearly every certificate begins with, after one more encoding.
    if not compact.startswith(("LS0tLS1CRUdJTi", "TUlJ")) or _FOREIGN.search(compact):
        return text
    return _decode(compact.split("=", 1)[0]).decode("latin-1")


def _without_markup(text: str) -> str:
    if not re.search(r"<(?:!doctype|html|body|div|span|pre|br|p|td|code)\b", text, re.I):
        return text
    return html.unescape(_TAG.sub("\n", text))


def _marker(match: re.Match[str]) -> str:
    written = f"-----{match[1].upper()} {match[2].upper()}-----"
    return match[0] if match[0] == written else f"\n{written}\n"


def _bodies(text: str, repairs: list[str]) -> Iterator[str]:
    """What stands between the markers of certificates, or the whole text without markers."""
    markers = list(_MARKER.finditer(text))[: 2 * MAX_BLOCKS]
    if not any(marker[1].upper() == "BEGIN" for marker in markers):
        found = _BARE.search(text, 0, markers[0].start() if markers else len(text))
        if found:
            repairs.append("The BEGIN and END lines were put in.")
            yield found[0]
        return
    for position, marker in enumerate(markers):
        if marker[1].upper() != "BEGIN" or not marker[2].upper().endswith(_CERTIFICATES):
            continue
        closing = markers[position + 1] if position + 1 < len(markers) else None
        if closing is None or closing[1].upper() == "BEGIN":
            repairs.append("The missing END line was put in.")
        yield text[marker.end() : closing.start() if closing else len(text)]


def _certificates(body: str, repairs: list[str]) -> list[Certificate]:
    written = "".join(_standard(body).split())
    content = _FOREIGN.sub("", written)
    whole, _, rest = content.partition("=")
    data = _decode(whole)
    try:
        raw = asn1.read(data).raw
        shape = shape_of(raw)
        found = certificates_of_pkcs7(raw) if shape == "pkcs7" else [raw]
        certificates = [Certificate.from_der(der) for der in found[:MAX_BLOCKS]]
    except (Asn1Error, ProblemError):
        return []
    if content != written:
        repairs.append("Characters that are no Base-64 were taken out.")
    if len(raw) < len(data) or rest.strip("="):
        repairs.append("What followed the certificate was left out.")
    return certificates


def _standard(body: str) -> str:
    """The alphabet for addresses (- and _) written in the usual one (+ and /)."""
    if "_" in body and not re.search("[+/]", body):
        return body.replace("-", "+").replace("_", "/")
    return body


def _decode(whole: str) -> bytes:
    """Base-64 without blanks and padding; a last character that is alone is lost."""
    if len(whole) % 4 == 1:
        whole = whole[:-1]
    return base64.b64decode(whole + "=" * (-len(whole) % 4))
