"""What each kind of upload must be: the one place that both the portal and the API ask.

Every function takes the bytes as they came, judges dates at ``now`` (aware) and never raises: what
is wrong is in the problems of the :class:`Upload`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from certificates.x509.encoding.shapes import shape_of
from certificates.x509.facts.certificate import Certificate
from certificates.x509.files.pfx import Inside, Opened, open_pfx, owner_of_key
from certificates.x509.files.read import Reading, read_certificates
from certificates.x509.kinds import contents, files, listeners
from certificates.x509.problems import Kind, Problem, ProblemError
from certificates.x509.trust.anchors import AnchorStore
from certificates.x509.trust.paths import TooMuchWork, walk

MAX_CER_BYTES = 64 * 1024
"""The cloud documents no figure for a single certificate; the largest real ones have a few KB."""

CLIENT_CA_MAX_BYTES = 25 * 1024
"""Application Gateway limits: 25 KB per file of client CA certificates."""

LISTENER_PFX_LIMITS = {"v1": 10 * 1024, "v2": 16 * 1024}
"""Application Gateway limits: the size of a listener's certificate, by generation."""

_CLOUD_PASSWORD = re.compile(r"[A-Za-z0-9]{4,12}")
_LISTENER_KEYS = {"EC P-256", "EC P-384", "EC P-521"}


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was judged. ``certificates`` are empty if there is an error.

    ``base64_text`` is the Base-64 form of a file that came in binary (also when that is the error),
    ``key_pem`` the unencrypted PKCS #8 key of a listener's certificate, whose ``certificates`` are
    the leaf and its issuers upward.
    """

    certificates: tuple[Certificate, ...] = ()
    problems: tuple[Problem, ...] = ()
    base64_text: str | None = None
    key_pem: bytes | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        return not any(problem.is_error for problem in self.problems)


def authentication_certificate(data: bytes, *, now: datetime, base64_only: bool) -> Upload:
    """A v1 authentication certificate: exactly one public certificate, the backend's own.

    ``base64_only`` refuses the binary form (the portal's boxes). Rules: the article on certificates
    required to allow backend servers.
    """
    problems, certificate, text = _single(data, base64_only=base64_only)
    if certificate is not None:
        if certificate.is_ca:
            message = f"“{certificate.label}” is an authority; a v1 gateway compares the leaf."
            problems.append(Problem(kind=contents.AUTH_IS_CA, message=message))
        problems.extend(_quality(certificate, now))
    return _upload(problems, certificate, text)


def trusted_root_certificate(data: bytes, *, now: datetime, base64_only: bool) -> Upload:
    """A v2 trusted root certificate: exactly one self-signed certificate.

    One without CA:TRUE passes with a warning, as it can be saved but will not be trusted. Rules:
    the article on certificates required to allow backend servers, and the backend health article.
    """
    problems, certificate, text = _single(data, base64_only=base64_only)
    if certificate is not None:
        problems.extend(_root_problems(certificate))
        problems.extend(_quality(certificate, now))
    return _upload(problems, certificate, text)


def client_ca_certificate(data: bytes, *, now: datetime) -> Upload:
    """A client CA file: Base-64 text with exactly one root and its intermediates, 25 KB at most.

    Certificates of clients in it are left out with a warning. Rules: the overview and the
    troubleshooting article on mutual authentication.
    """
    if len(data) > CLIENT_CA_MAX_BYTES:
        message = f"The file has {len(data):,} bytes; {CLIENT_CA_MAX_BYTES:,} are allowed."
        return Upload(problems=(Problem(kind=contents.CLIENT_CA_TOO_LARGE, message=message),))
    reading = read_certificates(data)
    found = tuple(dict.fromkeys(reading.certificates))
    problems = [*reading.problems, *_encoding_problems(reading, base64_only=True)]
    authorities = tuple(certificate for certificate in found if certificate.is_ca)
    if found:
        problems.extend(_client_ca_problems(found, authorities))
        for certificate in authorities:
            problems.extend(_quality(certificate, now))
    return _upload(problems, authorities, _base64_text(reading, found))


def listener_certificate(
    data: bytes,
    password: str | None,
    *,
    size_limit: int,
    now: datetime,
    inside: Inside | None = None,
) -> Upload:
    """A listener's certificate: a PFX with private key, certificate and chain.

    ``size_limit`` in bytes, see :data:`LISTENER_PFX_LIMITS`. The file is opened in a process of its
    own, unless ``inside`` says already what is in it; then the upload comes without its key. Rules:
    the SSL overview article; limits as documented for Application Gateway.
    """
    try:
        _must_be_pfx(data, size_limit)
        opened = open_pfx(data, password) if inside is None else _looked_into(inside)
    except ProblemError as error:
        return Upload(problems=(error.problem,))
    chain = _issuers_upward(opened, now)
    problems = _listener_problems(opened, chain, now)
    if not _CLOUD_PASSWORD.fullmatch(password or ""):
        message = "The password is not 4 to 12 letters and digits, which the cloud asks for."
        problems.append(Problem(kind=listeners.PASSWORD_FORM, message=message))
    upload = _upload(problems, chain, None)
    key = opened.key_pem if upload.ok and inside is None else None
    return Upload(upload.certificates, upload.problems, None, key)


def _looked_into(inside: Inside) -> Opened:
    """What was found inside a PFX, without the key that was dropped; raises as ``open_pfx``."""
    return Opened(key_pem=b"", certificate=owner_of_key(inside), others=inside.others)


def listener_contents(
    certificate: Certificate, others: Sequence[Certificate], *, now: datetime
) -> tuple[Problem, ...]:
    """What is wrong with a PFX for a listener that holds the key of ``certificate``, it and
    ``others``, apart from its size and its password. ``now`` is aware; never raises."""
    opened = Opened(key_pem=b"", certificate=certificate, others=tuple(others))
    return tuple(_listener_problems(opened, _issuers_upward(opened, now), now))


def _single(
    data: bytes, *, base64_only: bool
) -> tuple[list[Problem], Certificate | None, str | None]:
    """(problems, the one certificate of the file, its Base-64 form if it came in binary)."""
    reading = read_certificates(data, limit=MAX_CER_BYTES)
    found = tuple(dict.fromkeys(reading.certificates))
    problems = [*reading.problems, *_encoding_problems(reading, base64_only=base64_only)]
    text = _base64_text(reading, found)
    if len(found) > 1:
        names = ", ".join(f"“{certificate.label}”" for certificate in found[:4])
        message = f"The file holds {len(found)} certificates: {names}{' …' * (len(found) > 4)}."
        problems.append(Problem(kind=contents.SEVERAL, message=message))
        return problems, None, text
    return problems, found[0] if found else None, text


def _encoding_problems(reading: Reading, *, base64_only: bool) -> list[Problem]:
    if reading.encoding == "pkcs7":
        message = "The file is a P7B collection, not a single certificate."
        return [Problem(kind=contents.IS_P7B, message=message)]
    if reading.encoding == "der" and base64_only:
        message = "The file is the binary form (DER) of a certificate, not the Base-64 text."
        return [Problem(kind=contents.IS_DER, message=message)]
    return []


def _base64_text(reading: Reading, found: Sequence[Certificate]) -> str | None:
    if reading.encoding != "der" or not reading.ok:
        return None
    return "".join(certificate.pem for certificate in found)


def _upload(
    problems: Sequence[Problem],
    found: Certificate | tuple[Certificate, ...] | None,
    base64_text: str | None,
) -> Upload:
    certificates = (found,) if isinstance(found, Certificate) else found or ()
    if any(problem.is_error for problem in problems):
        certificates = ()
    return Upload(certificates, tuple(problems), base64_text)


def _quality(certificate: Certificate, now: datetime) -> Iterable[Problem]:
    """What may be wrong with any certificate, wherever it is used."""
    label = f"“{certificate.label}”"
    if certificate.faults:
        message = f"Of {label} cannot be read: {', '.join(certificate.faults)}."
        yield Problem(kind=contents.MALFORMED, message=message)
    yield from _date_problems(certificate, now)
    if certificate.key.is_weak:
        message = f"{label} has a key of the kind {certificate.key.label}."
        yield Problem(kind=contents.WEAK_KEY, message=message)
    if certificate.key.is_unreasonable:
        message = f"{label} has a key of the kind {certificate.key.label}."
        yield Problem(kind=contents.KEY_TOO_LARGE, message=message)
    if certificate.has_weak_signature:
        message = f"{label} is signed with {certificate.signature_algorithm}."
        yield Problem(kind=contents.WEAK_SIGNATURE, message=message)


def _date_problems(certificate: Certificate, now: datetime) -> Iterable[Problem]:
    label = f"“{certificate.label}”"
    if now > certificate.not_after:
        message = f"{label} expired on {certificate.not_after:%Y-%m-%d}."
        yield Problem(kind=contents.EXPIRED, message=message)
    elif now < certificate.not_before:
        message = f"{label} is not valid before {certificate.not_before:%Y-%m-%d}."
        yield Problem(kind=contents.NOT_YET_VALID, message=message)


def _root_problems(certificate: Certificate) -> Iterable[Problem]:
    label, issuer = f"“{certificate.label}”", certificate.issuer_common_name or certificate.issuer
    if _is_unchecked_root(certificate):
        return  # the size of its key is told
    if certificate.self_signed:
        if not certificate.is_ca and certificate.version == 1:
            message = f"{label} is of X.509 version 1 and cannot say that it is an authority."
            yield Problem(kind=contents.ROOT_VERSION_1, message=message)
        elif not certificate.is_ca:
            message = f"{label} is self-signed, but CA:TRUE is missing."
            yield Problem(kind=contents.ROOT_NOT_CA, message=message)
    elif certificate.self_issued and certificate.is_ca:
        message = f"{label} names itself as its issuer, but its signature does not fit its key."
        yield Problem(kind=contents.ROOT_SIGNATURE, message=message)
    elif certificate.is_ca:
        message = f"{label} is an intermediate; it was issued by “{issuer}”."
        yield Problem(kind=contents.ROOT_IS_INTERMEDIATE, message=message)
    else:
        message = f"{label} is a server certificate; it was issued by “{issuer}”."
        yield Problem(kind=contents.ROOT_IS_LEAF, message=message)


def _is_unchecked_root(certificate: Certificate) -> bool:
    """Whether its signature upon itself was not checked, its key being too large."""
    return certificate.self_issued and certificate.key.is_unreasonable


def _client_ca_problems(
    found: Sequence[Certificate], authorities: Sequence[Certificate]
) -> Iterable[Problem]:
    if not authorities:
        message = f"“{found[0].label}” is no authority (CA:TRUE is missing)."
        yield Problem(kind=contents.CLIENT_CA_NONE, message=message)
        return
    for certificate in found:
        if not certificate.is_ca:
            message = f"“{certificate.label}” is no authority and was left out."
            yield Problem(kind=contents.CLIENT_CA_LEAF, message=message)
    roots = [one for one in authorities if one.self_signed or _is_unchecked_root(one)]
    if len(roots) != 1:
        names = ", ".join(f"“{root.label}”" for root in roots[:4]) or "none"
        message = f"The file has {len(roots)} self-signed roots ({names}) instead of one."
        yield Problem(kind=contents.CLIENT_CA_ROOTS, message=message)
    names_present = {certificate.subject_key for certificate in authorities}
    for certificate in authorities:
        if certificate.issuer_key not in names_present:
            issuer = certificate.issuer_common_name or certificate.issuer
            message = f"The issuer “{issuer}” of “{certificate.label}” is not in the file."
            yield Problem(kind=contents.CLIENT_CA_CHAIN, message=message)


def _must_be_pfx(data: bytes, size_limit: int) -> None:
    """Raises :class:`ProblemError` unless ``data`` has the outer form of a PFX of that size."""
    if not data.strip():
        raise _refused(listeners.EMPTY, "The file is empty.")
    shape = shape_of(data)
    if shape != "pfx" and shape != "cut-off":
        raise _not_a_pfx(data)
    if len(data) > size_limit:
        message = f"The PFX has {len(data):,} bytes; this gateway takes {size_limit:,}."
        raise _refused(listeners.TOO_LARGE, message)
    if shape == "cut-off":
        raise _refused(listeners.CUT_OFF, "The file begins like a PFX and ends too early.")


def _not_a_pfx(data: bytes) -> ProblemError:
    reading = read_certificates(data)
    if reading.has_private_key:
        return _refused(listeners.IS_PEM, "The file is a private key in another form than PFX.")
    if reading.certificates:
        label = reading.certificates[0].label
        return _refused(listeners.IS_CERTIFICATE, f"The file is the certificate “{label}” alone.")
    if any(problem.kind is files.IS_PFX for problem in reading.problems):
        return _refused(listeners.NOT_PFX, "The file is a PFX written as text; it must be binary.")
    return _refused(listeners.NOT_PFX, reading.problems[0].message)


def _issuers_upward(opened: Opened, now: datetime) -> tuple[Certificate, ...]:
    """The listener's certificate and its issuers among the others of the file."""
    try:
        return walk(opened.certificate, opened.others, AnchorStore(), now).path
    except TooMuchWork:
        return (opened.certificate,)


def _listener_problems(
    opened: Opened, chain: Sequence[Certificate], now: datetime
) -> list[Problem]:
    leaf = opened.certificate
    label = f"“{leaf.label}”"
    problems = [problem for one in chain for problem in _date_problems(one, now)]

    def add(kind: Kind, message: str) -> None:
        problems.append(Problem(kind=kind, message=message))

    if leaf.faults:
        add(contents.MALFORMED, f"Of {label} cannot be read: {', '.join(leaf.faults)}.")
    elif leaf.key.algorithm != "RSA" and leaf.key.label not in _LISTENER_KEYS:
        add(
            listeners.KEY_UNSUPPORTED,
            f"{label} has a key of the kind {leaf.key.label}; {listeners.TAKEN_KEYS}.",
        )
    elif leaf.key.is_unreasonable:
        add(contents.KEY_TOO_LARGE, f"{label} has a key of the kind {leaf.key.label}.")
    elif leaf.key.is_weak:
        add(listeners.KEY_WEAK, f"{label} has a key of the kind {leaf.key.label}.")
    if leaf.self_signed:
        add(listeners.SELF_SIGNED, f"{label} is self-signed.")
    elif len(chain) == 1:
        issuer = leaf.issuer_common_name or leaf.issuer
        add(listeners.CHAIN_INCOMPLETE, f"“{issuer}”, which issued {label}, is not in the file.")
    if not leaf.may_serve:
        add(listeners.PURPOSE, f"{label} is not meant for server authentication.")
    extra = [other for other in opened.others if other not in chain]
    if extra:
        names = ", ".join(f"“{other.label}”" for other in extra[:4])
        add(listeners.EXTRA, f"Not part of the chain of {label}: {names}.")
    return problems


def _refused(kind: Kind, message: str) -> ProblemError:
    return ProblemError(Problem(kind=kind, message=message))
