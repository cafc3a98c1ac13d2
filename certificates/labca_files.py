"""Files of lab certificates: each form that a tool may ask for, and what a server needs, zipped."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from certificates.models import Authority, ChainForm, StoredCertificate, StoredKey
from certificates.stores import circle_of
from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue
from certificates.x509.issuing.issue import ordered_chain, to_pem
from certificates.x509.places.export import MEDIA_TYPES, export
from certificates.x509.trust.lineage import lineage

PUBLIC_FILES = ("cer", "der", "pem", "p7b")
"""The files without a private key, by the name that addresses and the command give them."""

_SINGLE: dict[str, Literal["base64", "der"]] = {"cer": "base64", "der": "der"}
_FORMS: dict[ChainForm, issue.ChainForm] = {
    ChainForm.COMPLETE: "complete",
    ChainForm.WITH_ROOT: "with-root",
    ChainForm.LEAF_ONLY: "leaf-only",
    ChainForm.REVERSED: "reversed",
}

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_SECRET = 0o600
_PUBLIC = 0o644
_PROGRAM = 0o755


@dataclass(frozen=True, slots=True)
class File:
    """A file with its name (ASCII letters, digits, ``.``, ``-``, ``_``) and media type."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Subject:
    """A certificate with all that its files are made from; ``issuers`` run upward from its own."""

    title: str
    certificate: Certificate
    issuers: tuple[Certificate, ...]
    chain_form: ChainForm = ChainForm.COMPLETE

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """What the chain file holds, in its order."""
        return ordered_chain(self.certificate, self.issuers, _FORMS[self.chain_form])

    @property
    def stem(self) -> str:
        """What the names of its files begin with."""
        stem = _UNFIT.sub("-", self.title.replace("*", "wildcard")).strip(".-")
        return stem[:60] or "certificate"


def of_entry(entry: StoredCertificate, now: datetime) -> Subject:
    """A made certificate of a user's store, with the issuers that the user has."""
    certificate = entry.certificate.parsed
    return Subject(
        entry.friendly_name or certificate.label,
        certificate,
        _issuers(entry.owner_id, certificate, now),
        ChainForm(entry.chain_form),
    )


def of_authority(authority: Authority, owner_id: int, now: datetime) -> Subject:
    """An authority of a user, with those above it."""
    certificate = authority.certificate.parsed
    return Subject(certificate.label, certificate, _issuers(owner_id, certificate, now))


def _issuers(owner_id: int, certificate: Certificate, now: datetime) -> tuple[Certificate, ...]:
    """The certificates above, nearest first: from the user's stores and authorities."""
    circle = circle_of(owner_id)
    authorities = Authority.objects.filter(owner_id=owner_id).select_related("certificate")
    known = (*circle.certificates, *(one.certificate.parsed for one in authorities))
    nodes = lineage(certificate, known, circle.anchors, now)
    found = [node.certificate for node in reversed(nodes) if node.certificate is not None]
    return tuple(found[1:])


def public_file(subject: Subject, kind: str) -> File:
    """One of :data:`PUBLIC_FILES`; raises ``KeyError`` for another kind."""
    stem = subject.stem
    if kind == "pem":
        return File(f"{stem}-chain.pem", "application/x-pem-file", to_pem(*subject.chain))
    if kind == "p7b":
        made = export(subject.certificate, "p7b", chain=subject.issuers)
        return File(f"{stem}.p7b", made.media_type, made.content)
    format, name = _SINGLE[kind], f"{stem}-der.cer" if kind == "der" else f"{stem}.cer"
    return File(name, MEDIA_TYPES[format], export(subject.certificate, format).content)


def pfx(subject: Subject, key_pem: bytes, password: str, *, legacy: bool) -> File:
    """Key, certificate and issuers, protected by ``password``.

    Raises :class:`certificates.x509.places.export.ExportError`, a sentence about the password.
    """
    made = export(
        subject.certificate,
        "pfx",
        chain=subject.issuers,
        key_pem=key_pem,
        password=password,
        name=subject.title,
        legacy=legacy,
    )
    return File(f"{subject.stem}.pfx", made.media_type, made.content)


def key_of_entry(entry: StoredCertificate) -> bytes | None:
    """The private key of a made certificate as PKCS #8 text; ``None`` where it has none, or where
    it was imported again as one that must not be exported.

    Raises ``certificates.secrets.KeyMissingError``.
    """
    found = StoredKey.objects.filter(entry=entry, entry__made_here=True, exportable=True).first()
    return bytes(found.pem) if found else None


def server_zip(subject: Subject, key_pem: bytes, made_at: datetime) -> File:
    """What a backend server needs: its private key, its chain file, its root, and how to use them.

    ``made_at`` is the time that the archive's members bear. Only for keys of the lab CA.
    """
    stem = subject.stem
    issuers = [one for one in subject.chain if one != subject.certificate]
    members = {
        "READ-ME.txt": (_read_me(subject), _PUBLIC),
        f"{stem}.key": (key_pem, _SECRET),
        f"{stem}-chain.pem": (to_pem(*subject.chain), _PUBLIC),
        f"{stem}.cer": (export(subject.certificate, "base64").content, _PUBLIC),
        "nginx.conf": (_nginx(subject), _PUBLIC),
        "s_server.sh": (_s_server(subject, has_issuers=bool(issuers)), _PROGRAM),
    }
    if issuers:
        members[f"{stem}-issuers.pem"] = (to_pem(*issuers), _PUBLIC)
    root = _root(subject)
    if root is not None:
        members[f"{stem}-root.cer"] = (export(root, "base64").content, _PUBLIC)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, (content, mode) in members.items():
            member = zipfile.ZipInfo(f"{stem}/{name}", made_at.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = mode << 16
            archive.writestr(member, content)
    return File(f"{stem}-server.zip", "application/zip", packed.getvalue())


def _root(subject: Subject) -> Certificate | None:
    top = subject.issuers[-1] if subject.issuers else subject.certificate
    return top if top.self_signed else None


def _is_weak(subject: Subject) -> bool:
    """Whether OpenSSL declines to show the chain at its usual level of security."""
    return any(one.key.is_weak or one.has_weak_signature for one in subject.chain)


def _read_me(subject: Subject) -> bytes:
    stem, certificate = subject.stem, subject.certificate
    names = ", ".join(certificate.names) or f"none, only the common name {certificate.common_name}"
    lines = [
        subject.title,
        "",
        "THIS ARCHIVE HOLDS THE PRIVATE KEY of the certificate. Keep it to yourself, and use it",
        "for practice only.",
        "",
        f"Names  {names}",
        f"Valid  {_moment(certificate.not_before)} to {_moment(certificate.not_after)} UTC",
        f"Key    {certificate.key.label}",
        f"Chain  {subject.chain_form.label}",
        "",
        f"{stem}.key        the private key, not encrypted",
        f"{stem}-chain.pem  what the server shows, in this order",
        f"{stem}.cer        the certificate alone, which a v1 gateway wants uploaded",
    ]
    if _root(subject) is not None:
        lines.append(f"{stem}-root.cer   the root, which a v2 gateway wants uploaded")
    lines += ["nginx.conf  a server for nginx", "s_server.sh  a server with openssl alone"]
    if subject.chain_form is ChainForm.REVERSED:
        lines += [
            "",
            "The chain file begins with the root. nginx and most other servers do not start with",
            "it, as the first certificate and the key do not belong together; openssl shows its",
            "own certificate first whatever comes behind.",
        ]
    if _is_weak(subject):
        lines += [
            "",
            "A key or a signature is weak: both servers are told to show it nevertheless.",
        ]
    return _text(*lines)


def _nginx(subject: Subject) -> bytes:
    stem = subject.stem
    name = next(iter(subject.certificate.dns_names), "_")
    weak = ["    ssl_ciphers DEFAULT@SECLEVEL=0;"] if _is_weak(subject) else []
    return _text(
        "# Belongs inside the http block; write the paths in full.",
        "server {",
        "    listen 443 ssl;",
        f"    server_name {name};",
        f"    ssl_certificate {stem}-chain.pem;",
        f"    ssl_certificate_key {stem}.key;",
        *weak,
        "}",
    )


def _s_server(subject: Subject, *, has_issuers: bool) -> bytes:
    stem = subject.stem
    chain = f" -cert_chain {stem}-issuers.pem" if has_issuers else ""
    weak = " -cipher DEFAULT@SECLEVEL=0" if _is_weak(subject) else ""
    return _text(
        "#!/bin/sh",
        "# Shows the certificate and what comes with it; the port may be given.",
        'cd "$(dirname "$0")" || exit',
        f'exec openssl s_server -accept "${{1:-8443}}" -www -cert {stem}.cer -key {stem}.key'
        f"{chain}{weak}",
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
