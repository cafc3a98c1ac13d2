"""Opening a PFX (PKCS #12) file in a process of its own, with limits on time and memory."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from certificates.x509.encoding import asn1
from certificates.x509.encoding.asn1 import Asn1Error, Asn1TooMany, Node
from certificates.x509.encoding.texts import shortened
from certificates.x509.facts.certificate import Certificate, printable
from certificates.x509.files.pfx_child import NO_PASSWORD
from certificates.x509.kinds import listeners
from certificates.x509.problems import Kind, Problem, ProblemError

CPU_SECONDS = 0.9
"""Processor time of the process that opens a file. Its start takes 0.07 s on a machine of 2024 and
the costliest file that :data:`MAX_ROUNDS` lets through 0.4 s more."""

MEMORY_BYTES = 60 * 1024 * 1024
"""Data that this process may hold. An ordinary file takes 12 MB; the rest is room to grow."""

WALL_SECONDS = 30
MAX_BYTES = 1024 * 1024

MAX_ROUNDS = 3_200_000
"""Rounds of password hashing in the whole file, which hashes three times: for the key, for the
certificates and for the checksum. OpenSSL asks for 2,048 each, cautious people for 600,000 and a
few tools for 1,000,000."""

MAX_SCRYPT_BYTES = 32 * 1024 * 1024
"""Memory for one hashing with scrypt; OpenSSL's own limit."""

LONGEST_NAME = 80
"""Characters of a friendly name that are kept."""

Names = Mapping[Certificate, str]
"""The friendly names of the certificates that have one in their file."""

_CHILD = Path(__file__).with_name("pfx_child.py")
# The program needs to find its libraries; it must not see the settings and secrets of the server.
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "HOME", "LANG")
_MAX_NODES = 5_000
_MAX_DEPTH = 32
_PBKDF2 = "1.2.840.113549.1.5.12"
_SCRYPT = "1.3.6.1.4.1.11591.4.11"
_PBES1 = "1.2.840.113549.1.5."
_PKCS12_PBE = "1.2.840.113549.1.12.1."
_PBES2 = "1.2.840.113549.1.5.13"
_USUAL_CIPHERS = {
    "2.16.840.1.101.3.4.1.2",  # AES-128
    "2.16.840.1.101.3.4.1.22",  # AES-192
    "2.16.840.1.101.3.4.1.42",  # AES-256
    "1.2.840.113549.3.7",  # TripleDES
    f"{_PKCS12_PBE}3",  # TripleDES, as old Windows does it
}
_OLD_CIPHERS = {
    f"{_PKCS12_PBE}1": "RC4",
    f"{_PKCS12_PBE}2": "RC4",
    f"{_PKCS12_PBE}4": "TripleDES with two keys",
    f"{_PKCS12_PBE}5": "RC2",
    f"{_PKCS12_PBE}6": "RC2 with 40 bits",
    "1.2.840.113549.3.2": "RC2",
    "1.3.14.3.2.7": "DES",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """What a PFX holds: the private key (unencrypted PKCS #8 PEM), its certificate, the others."""

    key_pem: bytes = field(repr=False)
    certificate: Certificate
    others: tuple[Certificate, ...]
    names: Names = field(default_factory=dict)


def open_pfx(data: bytes, password: str | None) -> Opened:
    """Open ``data`` with ``password`` (``None`` or empty: the file is unprotected).

    Raises :class:`ProblemError` with a kind of :mod:`certificates.x509.kinds.listeners`.
    """
    answer = _answer(data, password)
    inside = _inside(answer)
    certificate = owner_of_key(inside)
    return Opened(answer["key"].encode("ascii"), certificate, inside.others, inside.names)


@dataclass(frozen=True, slots=True)
class Inside:
    """The certificates of a PFX without its key: the one that belongs to the key, the others."""

    has_key: bool
    certificate: Certificate | None
    others: tuple[Certificate, ...]
    names: Names = field(default_factory=dict)


def look_into_pfx(data: bytes, password: str | None) -> Inside:
    """What is in a PFX, complete or not, for people to see; the private key is dropped at once.

    Raises :class:`ProblemError` when the file cannot be opened, as :func:`open_pfx`.
    """
    return _inside(_answer(data, password))


def owner_of_key(inside: Inside) -> Certificate:
    """The certificate that the key of a PFX belongs to.

    Raises :class:`ProblemError` where the key, its certificate or both are missing.
    """
    if not inside.has_key:
        raise _error(listeners.NO_KEY, "The PFX file has certificates, but no private key.")
    if inside.certificate is not None:
        return inside.certificate
    if inside.others:
        raise _error(listeners.KEY_MISMATCH, "The private key fits no certificate in the PFX.")
    raise _error(listeners.NO_CERTIFICATE, "The PFX file has a private key, but no certificate.")


def _inside(answer: dict[str, Any]) -> Inside:
    leaf = answer["certificate"]
    own = None if leaf is None else _certificate(leaf[0])
    others = tuple(_certificate(der) for der, _ in answer["others"])
    named = [(own, leaf[1])] if own is not None else []
    named += [(one, name) for one, (_, name) in zip(others, answer["others"], strict=True)]
    return Inside(
        has_key=answer["key"] is not None,
        certificate=own,
        others=others,
        names={one: name for one, given in named if (name := _name(given))},
    )


def _name(given: str) -> str:
    """A friendly name as one line of text, whatever is in the file."""
    return shortened(printable(given.removesuffix("\0").strip()), LONGEST_NAME)


def _answer(data: bytes, password: str | None) -> dict[str, Any]:
    """What the child process found; raises :class:`ProblemError` unless it opened the file."""
    if len(data) > MAX_BYTES:
        message = f"The PFX has {len(data):,} bytes; {MAX_BYTES:,} are the most that is read."
        raise _error(listeners.TOO_LARGE, message)
    if requested_rounds(data) > MAX_ROUNDS:
        raise _error(listeners.TOO_EXPENSIVE, "The PFX asks for too many rounds of hashing.")
    answer = _run(data, password)
    result = answer.get("result")
    if result == "memory":
        raise _error(listeners.TOO_EXPENSIVE, "The PFX asks for too much memory.")
    if result == "password":
        if password:
            raise _error(listeners.PASSWORD_WRONG, _not_opened(data))
        raise _error(listeners.PASSWORD_MISSING, "The PFX file needs its password.")
    if result == "key":
        message = (
            "The PFX file opens, but its private key is of no kind that is known here; "
            f"{listeners.TAKEN_KEYS}."
        )
        raise _error(listeners.KEY_UNSUPPORTED, message)
    if result != "ok":
        raise _error(listeners.CUT_OFF, "The PFX file cannot be read: it is cut off or damaged.")
    return answer


def _not_opened(data: bytes) -> str:
    message = "The password does not open the PFX file."
    if (cipher := unusual_protection(data)) is not None:
        # The library gives the same answer to a wrong password and to a cipher that it lacks.
        message += (
            f" It is protected with {cipher}, which not every program can undo: if the password is "
            "right, export the file again with AES-256 or TripleDES."
        )
    return message


def requested_rounds(data: bytes) -> int:
    """The rounds of hashing that the readable part of a PFX asks for, without doing any of them.

    Memory-hungry requests and structures of countless parts or levels count as endless. What is
    encrypted cannot be seen: the limits of the process that opens the file see to that. Never
    raises.
    """
    total = 0
    try:
        parts = asn1.read(data).first(3)
        if len(parts) > 2:
            total += _last_integer(parts[2].first(3))  # MacData: the rounds of the checksum
        return total + sum(_rounds(inside) for inside in _insides(data))
    except Asn1TooMany:
        return MAX_ROUNDS + 1
    except Asn1Error:
        return total


def unusual_protection(data: bytes) -> str | None:
    """The name or number of a cipher in the readable part of a PFX that not every program knows;
    ``None`` if there are only the usual ones, AES and TripleDES. Never raises."""
    try:
        ciphers = [cipher for inside in _insides(data) if (cipher := _cipher(inside))]
    except Asn1Error:
        return None
    for cipher in ciphers:
        if cipher not in _USUAL_CIPHERS:
            return _OLD_CIPHERS.get(cipher, cipher)
    return None


def _insides(data: bytes) -> Iterator[list[Node]]:
    """What is in each container of a PFX, all levels of it; raises :class:`Asn1Error` where it is
    none and :class:`Asn1TooMany` where there are countless parts or levels."""
    pending = [(asn1.read(data), 0)]
    for _ in range(_MAX_NODES):
        if not pending:
            return
        node, depth = pending.pop()
        children = _children(node)
        if depth == _MAX_DEPTH and children:
            break
        yield children
        pending.extend((child, depth + 1) for child in children)
    raise Asn1TooMany("The structure has too many parts.")


def _cipher(parts: list[Node]) -> str | None:
    """The cipher of an AlgorithmIdentifier for encryption with a password (RFC 8018 A.4, RFC 7292
    C): for PBES2 the scheme in its parameters, else the algorithm itself."""
    try:
        if len(parts) != 2 or parts[1].tag != asn1.SEQUENCE:
            return None
        name = asn1.oid(parts[0])
        if name == _PBES2:
            return asn1.oid(parts[1].first(2)[-1].first(1)[0])
    except (Asn1Error, IndexError):
        return None
    return name if name.startswith(_PKCS12_PBE) else None


def _children(node: Node) -> list[Node]:
    """The elements inside a container, or inside an OCTET STRING that wraps a structure; raises
    :class:`Asn1TooMany`, and takes what is no structure for empty."""
    try:
        if node.tag == asn1.OCTET_STRING and node.content[:1] != b"\x30":
            return []
        if node.tag & ~0x20 == asn1.OCTET_STRING:
            return [asn1.read(node.octets())]
        return node.children() if node.is_constructed else []
    except Asn1TooMany:
        raise
    except Asn1Error:
        return []


def _rounds(parts: list[Node]) -> int:
    """The rounds that an AlgorithmIdentifier asks for (RFC 8018 A, RFC 7292 C, RFC 7914)."""
    try:
        if len(parts) != 2 or parts[1].tag != asn1.SEQUENCE:
            return 0
        name, parameters = asn1.oid(parts[0]), parts[1].children()
        if name == _SCRYPT:
            cost, block_size, parallel = (asn1.integer(number) for number in parameters[1:4])
            if 128 * cost * block_size > MAX_SCRYPT_BYTES or parallel > 16:
                return MAX_ROUNDS + 1
            return 0
        if name == _PBKDF2 or name.startswith((_PBES1, _PKCS12_PBE)):
            return _last_integer(parameters[:2])
    except (Asn1Error, ValueError):
        return 0
    return 0


def _last_integer(parts: list[Node]) -> int:
    if not parts or parts[-1].tag != asn1.INTEGER:
        return 0
    return max(0, asn1.integer(parts[-1]))


def _run(data: bytes, password: str | None) -> dict[str, Any]:
    """Let the child process open the file; raises :class:`ProblemError` if it came to no answer."""
    secret = b"" if password is None else password.encode("utf-8", "replace")
    length = NO_PASSWORD if password is None else len(secret)
    command = [sys.executable, "-I", str(_CHILD), str(CPU_SECONDS), str(MEMORY_BYTES)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and nothing of the user on its line
            command,
            input=length.to_bytes(4, "big") + secret + data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=WALL_SECONDS,
            check=False,
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
        )
    except subprocess.TimeoutExpired:
        raise _error(listeners.TOO_EXPENSIVE, "Opening the PFX took too long.") from None
    except OSError:
        raise _error(listeners.READER_FAILED, "The PFX could not be opened just now.") from None
    if done.returncode < 0:
        # A signal: the kernel enforced a limit, or the allocator gave up at it.
        raise _error(listeners.TOO_EXPENSIVE, "Opening the PFX takes too much work.")
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise _error(listeners.READER_FAILED, "The PFX could not be opened just now.") from None
    return answer if isinstance(answer, dict) else {}


def _certificate(text: str) -> Certificate:
    try:
        return Certificate.from_der(base64.b64decode(text))
    except ProblemError as error:
        message = "A certificate in the PFX file cannot be read."
        raise _error(listeners.CUT_OFF, message) from error


def _error(kind: Kind, message: str) -> ProblemError:
    return ProblemError(Problem(kind=kind, message=message))
