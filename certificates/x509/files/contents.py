"""What is in a file: its certificates and what it is, said in one sentence."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography import x509

from certificates.x509.encoding.armour import read_armour
from certificates.x509.encoding.shapes import shape_of
from certificates.x509.facts.certificate import Certificate, Role, printable
from certificates.x509.files.pfx import Inside, look_into_pfx
from certificates.x509.files.read import MAX_READ_BYTES, Reading, read_certificates
from certificates.x509.files.salvage import plain_text, salvage
from certificates.x509.files.secrecy import MASK, mask_keys
from certificates.x509.kinds import files, listeners
from certificates.x509.problems import Problem, ProblemError

Form = Literal["base64", "der", "pkcs7", "pfx", "pfx-text", "other"]

NAMED = 3
"""Certificates that the sentence on the file names."""

_ROLE_NOUNS: dict[Role, str] = {
    "root": "the root",
    "intermediate": "the intermediate",
    "leaf": "the server certificate",
    "self-signed": "the self-signed certificate",
}
_KEY_WORDS = re.compile(r"private\W{0,3}(?:key|lines)", re.I)
_MAX_BARE = 128 * 1024  # where a key without its lines is looked for
_SSH = re.compile(r"(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d{3}) AAAA")
_FORMS = {"base64": "Base-64 text", "der": "A binary file (DER)", "pkcs7": "A P7B collection"}


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: ``certificates`` each once, in file order (the one of the key first in a
    PFX). ``key_owner`` is the certificate whose private key is in the PFX, too. ``problems`` are
    those of the file as such, ``repairs`` what had to be mended before anything could be read;
    ``inside`` is what an opened PFX has."""

    form: Form
    headline: str
    certificates: tuple[Certificate, ...] = ()
    problems: tuple[Problem, ...] = ()
    repairs: tuple[str, ...] = ()
    key_owner: Certificate | None = None
    needs_password: bool = False
    has_private_key: bool = False
    inside: Inside | None = None

    @property
    def is_spoilt(self) -> bool:
        """Whether something is wrong with the file itself, not with what is in it."""
        return bool(self.problems or self.repairs)


def look(data: bytes, password: str) -> Content:
    """What ``data`` is and holds; never raises. ``password`` opens a PFX."""
    if shape_of(data) == "pfx":
        return _pfx(data, password, "pfx")
    reading = read_certificates(data)
    kinds = {problem.kind for problem in reading.problems}
    if files.IS_PFX in kinds and (inner := _pfx_in_text(data)):
        return _pfx(inner, password, "pfx-text")
    certificates = tuple(dict.fromkeys(reading.certificates))
    if files.TOO_LARGE in kinds:
        return Content("other", reading.problems[0].message, problems=reading.problems)
    has_key = reading.has_private_key or holds_key(data)
    if any(problem.is_error for problem in reading.problems):
        mended = salvage(data)
        found = tuple(dict.fromkeys(mended.certificates))
        if len(found) > len(certificates):
            return Content(
                form="other",
                headline=f"{_fault(reading)}; inside is {_list(found)}, and it can be mended.",
                certificates=found,
                problems=reading.problems,
                repairs=mended.repairs,
                has_private_key=has_key,
            )
    return Content(
        form="other" if reading.encoding == "unknown" else reading.encoding,
        headline=_headline(data, reading, certificates, has_key=has_key),
        certificates=certificates,
        problems=reading.problems,
        has_private_key=has_key,
    )


def holds_key(data: bytes) -> bool:
    """Whether there is a private key in ``data``, or what looks so much like one that the text must
    not be shown; never raises."""
    if shape_of(data) in {"private-key", "pfx"}:
        return True
    text, _ = plain_text(data[:MAX_READ_BYTES])
    if _KEY_WORDS.search(text) or MASK in mask_keys(text[:_MAX_BARE]):
        return True
    return shape_of(_bare(text)) in {"private-key", "pfx"}


def _bare(text: str) -> bytes:
    """The data of a text that is Base-64 and nothing else; empty for any other."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _pfx_in_text(data: bytes) -> bytes:
    """The PFX that is written as Base-64 text in ``data``, as key vaults hand it out."""
    armour = read_armour(data.decode("utf-8-sig", errors="replace"))
    parts = (armour.bare, *(block.data for block in armour.blocks))
    return next((part for part in parts if part is not None and shape_of(part) == "pfx"), b"")


def _pfx(data: bytes, password: str, form: Form) -> Content:
    what = "A PFX file" if form == "pfx" else "A PFX file written as Base-64 text"
    try:
        inside = look_into_pfx(data, password)
    except ProblemError as error:
        problem = error.problem
        if problem.kind is listeners.PASSWORD_MISSING:
            headline = f"{what}, locked with a password. Enter the password to see what is in it."
        else:
            headline = f"{what} that stays closed: {problem.message}"
        return Content(
            form=form,
            headline=headline,
            problems=(problem,),
            needs_password=problem.kind in {listeners.PASSWORD_MISSING, listeners.PASSWORD_WRONG},
            has_private_key=True,
        )
    owner = inside.certificate
    found = tuple(dict.fromkeys((*((owner,) if owner else ()), *inside.others)))
    if owner is not None and inside.has_key:
        more = f" and {_count(len(found) - 1, 'further certificate')}" if len(found) > 1 else ""
        headline = f"{what} with the private key of {_noun(owner)} “{owner.label}”{more}."
    elif inside.has_key:
        headline = f"{what} with a private key that belongs to no certificate in it."
    else:
        headline = f"{what} without any private key: {_list(found)}."
    if owner is not None and owner in inside.names:
        headline += f" Its friendly name is “{inside.names[owner]}”."
    return Content(
        form=form,
        headline=headline,
        certificates=found,
        key_owner=owner if inside.has_key else None,
        has_private_key=inside.has_key,
        inside=inside,
    )


def _headline(
    data: bytes, reading: Reading, certificates: Sequence[Certificate], *, has_key: bool
) -> str:
    if certificates:
        beside = ", and a private key that should not be there" if has_key else ""
        return f"{_FORMS[reading.encoding]} with {_list(certificates)}{beside}."
    first = reading.problems[0]
    if has_key:
        return "A private key."
    if first.kind is files.IS_REQUEST:
        return f"A certificate request (CSR){_request_name(data)}."
    if first.kind is files.NOT_CERTIFICATE and _SSH.match(data.decode("latin-1").lstrip()):
        return "A public key for SSH, which has nothing to do with TLS certificates."
    if first.kind is files.NOT_CERTIFICATE and b"\x00" not in data:
        return "No certificate, nor anything that usually gets mistaken for one."
    return first.message


def _fault(reading: Reading) -> str:
    """What is wrong with a spoilt file, as the beginning of a sentence."""
    kind = next(problem.kind for problem in reading.problems if problem.is_error)
    return "No proper certificate file" if kind is files.NOT_CERTIFICATE else kind.title


def _request_name(data: bytes) -> str:
    """“ for “name””, from the request's subject; empty where it cannot be read."""
    try:
        if shape_of(data) == "request":
            request = x509.load_der_x509_csr(data)
        else:
            request = x509.load_pem_x509_csr(data)
        return f" for “{printable(request.subject.rfc4514_string())[:200]}”"
    except Exception:
        # Requests can be broken in as many ways as certificates; the name is an extra.
        return ""


def _list(certificates: Sequence[Certificate]) -> str:
    """“the root “A””, or “3 certificates: the leaf “A”, …”."""
    named = [f"{_noun(one)} “{one.label}”" for one in certificates[:NAMED]]
    if len(certificates) == 1:
        return named[0]
    dots = ", …" if len(certificates) > NAMED else ""
    return f"{len(certificates)} certificates: {', '.join(named)}{dots}"


def _noun(certificate: Certificate) -> str:
    if certificate.role == "leaf" and not certificate.may_serve:
        return "the client certificate"
    return _ROLE_NOUNS[certificate.role]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
