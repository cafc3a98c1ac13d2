"""The right file for each place of a gateway, made out of a wrong one where that can be done.

Every file that is offered was judged as an upload first, by
:mod:`certificates.x509.places.uploads`: one that a gateway would refuse is never offered. Only
public certificates are written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from certificates.x509.facts.certificate import Certificate, printable
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing.issue import to_pem
from certificates.x509.places import uploads
from certificates.x509.places.uses import PlaceKey, dated, is_root, issuer_name, serves
from certificates.x509.trust.anchors import Anchor, AnchorStore
from certificates.x509.trust.lineage import lineage

MAX_PATHS = 6
"""Certificates of one file whose paths upward are followed."""

MAX_FILES = 5
"""Files that are offered for one place."""

_NO_NAME = re.compile(r"[^A-Za-z0-9.]+")
_MAX_ADDRESS = 200

_GET_LEAF = (
    "No server certificate is in this file. Export it on the backend server (Manage user "
    "certificates or Manage computer certificates, Personal, All Tasks, Export, without the "
    "private key), or save what the server sends: openssl s_client -connect HOST:443 -servername "
    "HOST -showcerts"
)
_GET_ROOT = (
    "On a computer that trusts it, open the certificate, go to Certification Path, choose the "
    "topmost, then View Certificate, Details, Copy to File… and Base-64 encoded X.509 (.CER)."
)
_GET_CLIENT_CA = (
    "Put the root of the authority that issued your clients' certificates and the intermediates "
    "below it into one Base-64 text file."
)
_GET_KEY = (
    "A listener needs the private key, which is on the machine that asked for the certificate. "
    "Export it there with “Yes, export the private key” as Personal Information Exchange (.PFX)."
)


@dataclass(frozen=True, slots=True)
class Made:
    """A text file made from what was given: ``name``, ``text`` and what it is good for."""

    name: str
    text: str
    use: str


@dataclass(frozen=True, slots=True)
class Way:
    """How to come to the right file for a place: it is at hand (``ready``), or one of ``files``;
    where there is neither, ``advice`` says where to get it."""

    place: PlaceKey
    ready: bool
    files: tuple[Made, ...] = ()
    advice: str = ""


@dataclass(frozen=True)
class Material:
    """What files are made from: the certificates of the file (each once, in file order) and what
    is known besides. ``candidates`` may be part of a path, ``anchors`` are trusted; ``now`` is
    aware."""

    certificates: tuple[Certificate, ...]
    candidates: tuple[Certificate, ...]
    anchors: AnchorStore
    now: datetime

    @cached_property
    def paths(self) -> tuple[tuple[Certificate, ...], ...]:
        """The way up from each certificate that issued no other of the file; a valid one first."""
        issuers = {one.issuer_key for one in self.certificates if not one.self_issued}
        lowest = [one for one in self.certificates if one.subject_key not in issuers]
        # The file's own roots end a path here, trusted or not: what matters is what they are.
        own = [Anchor(one) for one in self.certificates if is_root(one)]
        anchors = AnchorStore([*self.anchors, *own])
        known = (*self.certificates, *self.candidates)
        return tuple(
            tuple(
                node.certificate
                for node in reversed(lineage(one, known, anchors, self.now))
                if node.certificate is not None
            )
            for one in (lowest or self.certificates)[:MAX_PATHS]
        )

    def origin(self, certificate: Certificate) -> str:
        """Where a certificate that is offered comes from, as a sentence."""
        if certificate in self.certificates:
            return "It is in this file."
        anchor = self.anchors.find(certificate)
        if anchor is not None and anchor.origin == "well-known":
            return "It is not in this file, but among the well-known authorities."
        if anchor is not None and anchor.origin == "lab-public":
            return "It is not in this file, but the lab counts it as well known."
        return "It is not in this file, but in your certificate stores."


def authentication_way(material: Material, *, ready: bool) -> Way:
    """The backend's own certificate, for a v1 gateway."""
    files = []
    for leaf in [one for one in material.certificates if serves(one)][:MAX_FILES]:
        text = leaf.pem
        upload = uploads.authentication_certificate(
            text.encode(), now=material.now, base64_only=True
        )
        if upload.ok:
            use = f"The certificate of “{leaf.label}”, for a v1 gateway's HTTP setting."
            files.append(
                Made(_name(leaf, ".cer"), text, _sentences(use, dated(leaf, material.now)))
            )
    if ready or files:
        return Way("authentication", ready, () if ready else tuple(files))
    return Way("authentication", False, advice=_GET_LEAF)


def root_way(material: Material, *, ready: bool) -> Way:
    """The top of the chain, for a v2 gateway."""
    if ready:
        return Way("root", True)
    files = []
    for root in _tops(material):
        upload = uploads.trusted_root_certificate(
            root.pem.encode(), now=material.now, base64_only=True
        )
        if upload.ok:
            use = _sentences(
                f"The root “{root.label}”, for a v2 gateway's HTTP setting.",
                material.origin(root),
                dated(root, material.now),
            )
            files.append(Made(_name(root, "-root.cer"), root.pem, use))
    if files:
        return Way("root", False, tuple(files[:MAX_FILES]))
    return Way("root", False, advice=_missing_root(material))


def client_ca_way(material: Material, *, ready: bool) -> Way:
    """A root with the intermediates below it in one file, for mutual TLS."""
    if ready:
        return Way("client-ca", True)
    files = []
    for root in [one for one in _tops(material) if one.is_ca]:
        below = dict.fromkeys(
            one for path in material.paths if path[-1] == root for one in path[:-1] if one.is_ca
        )
        text = to_pem(*below, root).decode()
        if uploads.client_ca_certificate(text.encode(), now=material.now).ok:
            count = len(below)
            inside = f"with {count} intermediate{'s' * (count != 1)}" if count else "alone"
            use = _sentences(
                f"The root “{root.label}” {inside}, for clients below it.",
                material.origin(root),
                dated(root, material.now),
            )
            files.append(Made(_name(root, "-client-ca.cer"), text, use))
    if files:
        return Way("client-ca", False, tuple(files[:MAX_FILES]))
    return Way("client-ca", False, advice=_GET_CLIENT_CA)


def listener_way(*, ready: bool, is_pfx: bool, locked: bool, has_key: bool) -> Way:
    """A PFX; none is made here, as a private key leaves only by a PFX export of its owner."""
    if ready:
        return Way("listener", True)
    if locked:
        advice = "Enter the password above: what the file is good for is known once it is open."
    elif is_pfx:
        advice = "Put right what the answer above names, then export the PFX again."
    elif has_key:
        advice = (
            "Key and certificate belong into a PFX. Make it where the key is: openssl pkcs12 "
            "-export -inkey key.pem -in chain.pem -out listener.pfx"
        )
    else:
        advice = _GET_KEY
    return Way("listener", False, advice=advice)


def further_files(material: Material, *, whole: bool, taken: Sequence[Made]) -> tuple[Made, ...]:
    """Files that no gateway asks for, but a backend server or a person does.

    The chain as a server presents it, for every server certificate with intermediates; and, with
    ``whole``, all certificates of the file as clean text. A text among ``taken`` is left out.
    """
    files: list[Made] = []
    for path in material.paths:
        sent = path[:-1] if is_root(path[-1]) else path
        if len(sent) > 1 and serves(path[0]):
            use = (
                f"What the server “{path[0].label}” should present: its certificate, then the "
                "intermediates. For the backend server, not for the gateway."
            )
            files.append(Made(_name(path[0], "-chain.pem"), to_pem(*sent).decode(), use))
    if whole and material.certificates:
        count = len(material.certificates)
        use = (
            "The certificate as clean Base-64 text."
            if count == 1
            else f"All {count} certificates of the file as clean Base-64 text, in file order."
        )
        ending = ".cer" if count == 1 else "-all.pem"
        name = _name(material.certificates[0], ending)
        files.append(Made(name, to_pem(*material.certificates).decode(), use))
    known = {file.text for file in taken}
    found = []
    for file in files:
        reading = read_certificates(file.text.encode())
        if file.text not in known and reading.ok and not reading.problems:
            known.add(file.text)
            found.append(file)
    return tuple(found[:MAX_FILES])


def _tops(material: Material) -> list[Certificate]:
    """The roots at the end of the paths, and every other root of the file, each once."""
    tops = [path[-1] for path in material.paths]
    return [one for one in dict.fromkeys((*tops, *material.certificates)) if is_root(one)]


def _missing_root(material: Material) -> str:
    top = max((path[-1] for path in material.paths), key=lambda one: not one.self_signed)
    if top.self_signed:
        return (
            f"“{top.label}” is self-signed but no authority (CA:TRUE is missing): there is no root "
            "above it. Make it again with CA:TRUE, or sign it with a root of your own."
        )
    advice = f"The root is not in this file: “{issuer_name(top)}” issued “{top.label}”."
    address = _issuer_address(top)
    if address:
        advice += f" The certificate says that its issuer's is at {address}."
    return f"{advice} {_GET_ROOT}"


def _issuer_address(certificate: Certificate) -> str:
    """Where the issuer's certificate can be fetched, by the certificate's own word (RFC 5280
    4.2.2.1); empty if it does not say."""
    try:
        found = certificate.x509.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
        for description in found.value:
            location = description.access_location
            if description.access_method == AuthorityInformationAccessOID.CA_ISSUERS and isinstance(
                location, x509.UniformResourceIdentifier
            ):
                return printable(location.value)[:_MAX_ADDRESS]
    except Exception:
        # A missing extension and all the ways in which one can be malformed: nothing is said.
        return ""
    return ""


def _name(certificate: Certificate, ending: str) -> str:
    label = certificate.label.replace("*", "wildcard")
    stem = _NO_NAME.sub("-", label)[:60].strip("-.").lower() or "certificate"
    if ending == "-root.cer" and "root" in stem:
        ending = ".cer"  # the name says it already
    return stem + ending


def _sentences(*sentences: str) -> str:
    return " ".join(filter(None, sentences))
