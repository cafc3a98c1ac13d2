"""What people trip over with a file like the one at hand, explained when it applies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePath

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certificates.x509.facts.certificate import Certificate
from certificates.x509.files.contents import Content
from certificates.x509.kinds import listeners
from certificates.x509.places.derived import Material
from certificates.x509.places.uses import is_root, issuer_name, serves


@dataclass(frozen=True, slots=True)
class Lesson:
    title: str
    text: str


def lessons_of(content: Content, material: Material, file_name: str) -> tuple[Lesson, ...]:
    """The explanations that fit the file; ``file_name`` may be empty."""
    found = content.certificates
    lessons = [
        *_of_forms(content, file_name),
        *_of_pfx(content),
        *_of_sets(content),
        *_of_issuers(found),
        *_of_names(material),
    ]
    return tuple(lessons)


def _of_forms(content: Content, file_name: str) -> list[Lesson]:
    lessons = []
    ending = PurePath(file_name).suffix.lower()
    if content.form == "der":
        text = (
            "Windows writes the binary form and the Base-64 text under the same ending, .cer. The "
            "portal's boxes take the text only; the API takes both. Open the file in an editor: "
            "text begins with BEGIN CERTIFICATE."
        )
        lessons.append(Lesson("Two forms, one ending", text))
    elif content.form == "base64" and ending and ending != ".cer":
        text = (
            f"The name ends with {ending}, and inside is the Base-64 text that .cer files have. "
            "Only the content counts; where a box offers .cer files only, rename it."
        )
        lessons.append(Lesson("The ending says nothing about the content", text))
    if content.has_private_key and content.form not in {"pfx", "pfx-text"}:
        text = (
            "Nobody who checks a certificate needs the private key. It belongs on its server, and "
            "in a PFX with a password on the way there. If this one travelled by mail or chat, "
            "replace it. Nothing of it was kept here."
        )
        lessons.append(Lesson("The private key stays where it was made", text))
    return lessons


def _of_pfx(content: Content) -> list[Lesson]:
    lessons = []
    if content.form == "pfx-text":
        text = (
            "Key vaults and pipelines hand a PFX out as text. Decode it before you upload it, for "
            "example with base64 -d or certutil -decode."
        )
        lessons.append(Lesson("A PFX is binary", text))
    if any(problem.kind is listeners.PASSWORD_WRONG for problem in content.problems):
        text = (
            "Files with AES encryption, which current tools make, were reported by the cloud as a "
            "wrong password for a long time; Gatewright opens both kinds. If the password is right "
            "here and wrong there, export the file again with TripleDES-SHA1. Blanks that were "
            "copied along count, and so do capital letters."
        )
        lessons.append(Lesson("A wrong password is not always a wrong password", text))
    return lessons


def _of_sets(content: Content) -> list[Lesson]:
    found = content.certificates
    lessons = []
    if len(found) > 1 and content.form not in {"pfx", "pfx-text"}:
        text = (
            "Trust is given certificate by certificate: a v1 or v2 entry takes exactly one, in a "
            "file of its own. Only a client CA file holds several, one root and its intermediates."
        )
        lessons.append(Lesson("One entry, one certificate", text))
        leaf = next((one for one in found if serves(one) and not one.self_signed), None)
        if leaf is not None and found[0] != leaf:
            text = (
                f"“{leaf.label}” stands after other certificates. A server must present its own "
                "first, then each issuer; else the backend is unhealthy because its leaf is not "
                "first in the chain."
            )
            lessons.append(Lesson("The order of a chain", text))
    return lessons


def _of_issuers(found: tuple[Certificate, ...]) -> list[Lesson]:
    lessons = []
    middle = next((one for one in found if one.is_ca and not is_root(one)), None)
    if middle is not None:
        text = (
            f"“{middle.label}” stands between the root and the server. The server sends it along "
            "with its own certificate; the gateway holds the root only. An intermediate uploaded "
            "as a root is refused, although browsers may be content with one."
        )
        lessons.append(Lesson("An intermediate is not a root", text))
    leaf = next((one for one in found if serves(one) and not one.self_signed), None)
    if leaf is not None:
        text = (
            f"A v1 gateway knows its backends by their own certificate: upload “{leaf.label}”. A "
            f"v2 gateway trusts the top of the chain, above “{issuer_name(leaf)}”: upload the root."
        )
        lessons.append(Lesson("v1 wants the leaf, v2 wants the root", text))
    alone = next((one for one in found if one.role == "self-signed" and one.version > 1), None)
    if alone is not None:
        text = (
            f"“{alone.label}” signed itself but does not say CA:TRUE. A v1 gateway compares it and "
            "is content. A v2 gateway finds no authority and reports a missing intermediate."
        )
        lessons.append(Lesson("Self-signed is not yet a root", text))
    return lessons


def _of_names(material: Material) -> list[Lesson]:
    """Authorities of one name that are not the same certificate."""
    known = dict.fromkeys(
        (
            *material.certificates,
            *material.candidates,
            *(
                anchor.certificate
                for one in material.certificates
                for anchor in material.anchors.with_subject(one.subject_key)
            ),
        )
    )
    named: dict[bytes, list[Certificate]] = defaultdict(list)
    for one in known:
        if one.is_ca:
            named[one.subject_key].append(one)
    lessons = []
    here = {one.subject_key for one in material.certificates}
    for name, same in named.items():
        if name not in here or len(same) < 2:
            continue
        ends = ", ".join(
            f"{one.thumbprint[:8]}… until {one.not_after:%Y-%m-%d}" for one in same[:4]
        )
        keys = {_public_key(one) for one in same}
        text = f"{len(same)} certificates are called “{same[0].label}”: {ends}. " + (
            "They have the same key, so each of them vouches for what that key signed, as long as "
            "it is valid."
            if len(keys) == 1
            else "They have different keys: only the one whose key signed the chain helps. Compare "
            "thumbprints, and upload both while backends change over."
        )
        lessons.append(Lesson("Same name, another certificate", text))
    return lessons[:2]


def _public_key(certificate: Certificate) -> bytes:
    try:
        return certificate.x509.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
    except Exception:
        # A key of an unknown kind, or one that is malformed: it equals itself only.
        return certificate.der
