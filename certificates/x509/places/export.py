"""Certificates as files, in the formats of the Certificate Export Wizard, and what a gateway would
say to such a file wherever one could upload it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs7, pkcs12

from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue
from certificates.x509.places import uploads
from certificates.x509.problems import Problem

Format = Literal["der", "base64", "p7b", "pfx"]
FORMATS: tuple[Format, ...] = ("der", "base64", "p7b", "pfx")

EXTENSIONS: dict[Format, str] = {"der": ".cer", "base64": ".cer", "p7b": ".p7b", "pfx": ".pfx"}
"""What the name of a file ends with: the two forms of a single certificate share their ending."""

MEDIA_TYPES: dict[Format, str] = {
    "der": "application/pkix-cert",
    "base64": "application/pkix-cert",
    "p7b": "application/x-pkcs7-certificates",
    "pfx": "application/x-pkcs12",
}

Place = Literal["authentication", "root", "listener"]
PLACES: Mapping[Place, str] = {
    "authentication": "v1 authentication certificate",
    "root": "v2 trusted root certificate",
    "listener": "Listener certificate",
}
"""Where one can upload such a file, in words."""


class ExportError(ValueError):
    """A certificate cannot be exported as asked; ``str()`` is a sentence for people."""


class KeyUnusableError(ExportError):
    """A PFX needs the private key of its certificate, and there is none that can be written."""


class PasswordRefusedError(ExportError):
    """A file with a private key is protected by a password that every reader understands."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file to hand out: its bytes, the ending of its name (``.cer``) and its media type."""

    content: bytes = field(repr=False)
    extension: str
    media_type: str


def export(
    certificate: Certificate,
    format: Format,
    *,
    chain: Sequence[Certificate] = (),
    key_pem: bytes | None = None,
    password: str = "",
    name: str = "",
    legacy: bool = False,
) -> Exported:
    """``certificate`` as a file.

    ``chain`` (its issuers upward) goes into a P7B or a PFX. A PFX needs ``key_pem`` (unencrypted
    PKCS #8 text) and a ``password``; ``name`` is its friendly name, ``legacy`` the protection of
    old Windows (TripleDES-SHA1). Raises :class:`KeyUnusableError` if the key is missing, of an
    unsupported kind or another certificate's, and :class:`PasswordRefusedError`.
    """
    if format == "der":
        content = certificate.der
    elif format == "base64":
        content = base64_text(certificate)
    elif format == "p7b":
        together = [one.x509 for one in dict.fromkeys((certificate, *chain))]
        content = pkcs7.serialize_certificates(together, Encoding.DER)
    else:
        content = _pfx(certificate, chain, key_pem, password, name, legacy=legacy)
    return Exported(content, EXTENSIONS[format], MEDIA_TYPES[format])


def base64_text(certificate: Certificate) -> bytes:
    """The Base-64 text with BEGIN and END lines as Windows writes it: 64 columns, CR and LF."""
    return certificate.pem.replace("\n", "\r\n").encode("ascii")


def _pfx(
    certificate: Certificate,
    chain: Sequence[Certificate],
    key_pem: bytes | None,
    password: str,
    name: str,
    *,
    legacy: bool,
) -> bytes:
    if key_pem is None:
        raise KeyUnusableError("There is no private key that could go into a PFX file.")
    if not password:
        raise PasswordRefusedError("A file with a private key needs a password.")
    if not all(map(_has_16_bits, password)):
        raise PasswordRefusedError("The password has a character that PFX readers do not agree on.")
    try:
        issued = issue.load_issued(certificate, key_pem)
    except (ValueError, TypeError) as error:
        message = "The private key is of a kind that is not exported, or another certificate's."
        raise KeyUnusableError(message) from error
    plain = "".join(filter(_has_16_bits, name))
    others = [one for one in dict.fromkeys(chain) if one != certificate]
    return issue.to_pfx(issued, password, name=plain, chain=others, legacy=legacy)


def _has_16_bits(character: str) -> bool:
    """A PFX spells passwords and names in 16 bits a character; readers differ on what is beyond."""
    return "\0" < character < "\ud800" or "\ue000" <= character <= "\uffff"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway says to a file at one place of upload: ``accepted``, and every problem."""

    place: Place
    accepted: bool
    problems: tuple[Problem, ...]

    @property
    def reason(self) -> Problem | None:
        """The first error, else the first warning, if there is any."""
        ordered = sorted(self.problems, key=lambda problem: not problem.is_error)
        return ordered[0] if ordered else None


def answers(
    format: Format, certificate: Certificate, chain: Sequence[Certificate], now: datetime
) -> tuple[Answer, ...]:
    """What a gateway would say to ``certificate`` in this ``format``, for each of :data:`PLACES`.

    Judged on the bytes of the file itself by :mod:`certificates.x509.places.uploads` as the
    portal's boxes do (Base-64 only), dates at ``now`` (aware). A PFX is judged for a listener by
    what it would hold, with its key taken to fit and its password to be right; the boxes for
    certificates are asked with a PFX without a key, which has the same outer form.
    """
    if format == "pfx":
        data = pkcs12.serialize_key_and_certificates(
            None, None, None, [certificate.x509], NoEncryption()
        )
        listener = uploads.listener_contents(certificate, chain, now=now)
    else:
        data = export(certificate, format, chain=chain).content
        limit = uploads.LISTENER_PFX_LIMITS["v2"]
        listener = uploads.listener_certificate(data, None, size_limit=limit, now=now).problems
    authentication = uploads.authentication_certificate(data, now=now, base64_only=True)
    root = uploads.trusted_root_certificate(data, now=now, base64_only=True)
    return (
        _answer("authentication", authentication.problems),
        _answer("root", root.problems),
        _answer("listener", listener),
    )


def _answer(place: Place, problems: Sequence[Problem]) -> Answer:
    return Answer(place, not any(problem.is_error for problem in problems), tuple(problems))
