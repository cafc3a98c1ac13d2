"""Looking at any file: what it is, what is in it, what a gateway would answer, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from certificates.x509.encoding.shapes import shape_of
from certificates.x509.facts.certificate import Certificate
from certificates.x509.files.contents import Content, look
from certificates.x509.kinds import contents
from certificates.x509.places import uploads
from certificates.x509.places.derived import (
    Made,
    Material,
    Way,
    authentication_way,
    client_ca_way,
    further_files,
    listener_way,
    root_way,
)
from certificates.x509.places.lessons import Lesson, lessons_of
from certificates.x509.places.uploads import Upload
from certificates.x509.places.uses import PlaceKey, Use, is_root, serves, uses_of
from certificates.x509.problems import Problem
from certificates.x509.trust.anchors import AnchorStore

MAX_SHOWN = 20
"""Certificates of one file whose use is explained."""

_INCOMPLETE = {contents.CLIENT_CA_LEAF.id, contents.CLIENT_CA_CHAIN.id}


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate of the file and its use at each place; ``number`` counts from 1."""

    number: int
    certificate: Certificate
    uses: tuple[Use, ...]

    @property
    def fits(self) -> tuple[Use, ...]:
        return tuple(use for use in self.uses if use.fits)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway answers to the file as it stands. ``where``: the doors or generations that
    answer so, in words."""

    place: PlaceKey
    where: str
    accepted: bool
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Exam:
    """What was found out about a file; holds no private key and no password.

    ``headline`` is a sentence on what it is. ``repairs`` were needed to read ``found`` at all
    (``more`` certificates are not shown). ``needs_password``: a PFX that stays closed without the
    right one. ``has_stray_key``: the private key is not in a PFX, where it may be.
    """

    headline: str
    found: tuple[Found, ...]
    more: int
    repairs: tuple[str, ...]
    answers: tuple[Answer, ...]
    ways: tuple[Way, ...]
    further: tuple[Made, ...]
    lessons: tuple[Lesson, ...]
    needs_password: bool
    has_private_key: bool
    has_stray_key: bool


def examine(
    data: bytes,
    password: str,
    *,
    anchors: AnchorStore,
    candidates: Sequence[Certificate],
    now: datetime,
    file_name: str = "",
) -> Exam:
    """Examine ``data``, whatever it is, at ``now`` (aware); never raises.

    ``password`` opens a PFX. Roots that the file lacks are looked for in ``candidates`` (a user's
    certificates) and ``anchors``. ``file_name`` only serves to explain its ending.
    """
    content = look(data, password)
    answers = _answers(data, password, content, now)
    material = Material(content.certificates, tuple(candidates), anchors, now)
    ways = _ways(material, content, answers)
    made = [file for way in ways for file in way.files]
    whole = content.is_spoilt or content.form in {"der", "pkcs7"}
    found = tuple(
        Found(
            number,
            one,
            uses_of(one, has_key=one == content.key_owner, anchor=anchors.find(one), now=now),
        )
        for number, one in enumerate(content.certificates[:MAX_SHOWN], start=1)
    )
    return Exam(
        headline=content.headline,
        found=found,
        more=len(content.certificates) - len(found),
        repairs=content.repairs,
        answers=answers,
        ways=ways,
        further=further_files(material, whole=whole, taken=made),
        lessons=lessons_of(content, material, file_name),
        needs_password=content.needs_password,
        has_private_key=content.has_private_key,
        has_stray_key=content.has_private_key and content.form not in {"pfx", "pfx-text"},
    )


def _answers(data: bytes, password: str, content: Content, now: datetime) -> tuple[Answer, ...]:
    """One answer where all doors agree, else one for each."""
    authentication = uploads.authentication_certificate(data, now=now, base64_only=True)
    root = uploads.trusted_root_certificate(data, now=now, base64_only=True)
    client_ca = uploads.client_ca_certificate(data, now=now)
    limits = uploads.LISTENER_PFX_LIMITS

    def listener(size_limit: int) -> Upload:
        if content.form == "pfx" and content.problems and len(data) <= size_limit:
            # It could not be opened, and trying again would take as long.
            return Upload(problems=content.problems)
        # Opened once already: a PFX may ask for as much work as opening is allowed to take.
        inside = content.inside if content.form == "pfx" else None
        return uploads.listener_certificate(
            data, password, size_limit=size_limit, now=now, inside=inside
        )

    v2 = listener(limits["v2"])
    # Only a PFX above the smaller limit makes a difference; no file is opened twice for nothing.
    differs = len(data) > limits["v1"] and shape_of(data) in {"pfx", "cut-off"}
    v1 = listener(limits["v1"]) if differs else v2
    answers = []
    if content.form == "der":
        api = uploads.authentication_certificate(data, now=now, base64_only=False)
        answers += _pair("authentication", ("in the portal", authentication), ("by the API", api))
        api = uploads.trusted_root_certificate(data, now=now, base64_only=False)
        answers += _pair("root", ("in the portal", root), ("by the API", api))
    else:
        answers += [_answer("authentication", "", authentication), _answer("root", "", root)]
    answers.append(_answer("client-ca", "", client_ca))
    answers += _pair("listener", ("on a v2 gateway", v2), ("on a v1 gateway", v1))
    return tuple(answers)


def _pair(place: PlaceKey, first: tuple[str, Upload], second: tuple[str, Upload]) -> list[Answer]:
    if first[1].problems == second[1].problems:
        return [_answer(place, "", first[1])]
    return [_answer(place, where, upload) for where, upload in (first, second)]


def _answer(place: PlaceKey, where: str, upload: Upload) -> Answer:
    return Answer(place, where, upload.ok, upload.problems)


def _ways(material: Material, content: Content, answers: Sequence[Answer]) -> tuple[Way, ...]:
    def accepted(place: PlaceKey) -> bool:
        first = next(answer for answer in answers if answer.place == place)
        return first.accepted and not content.is_spoilt

    only = content.certificates[0] if len(content.certificates) == 1 else None
    # Accepted is not yet right: some mistakes can be saved, with a warning.
    ids = {
        problem.id
        for answer in answers
        if answer.place == "client-ca"
        for problem in answer.problems
    }
    listener = listener_way(
        ready=any(answer.accepted for answer in answers if answer.place == "listener"),
        is_pfx=content.form == "pfx",
        locked=content.needs_password,
        has_key=content.has_private_key,
    )
    if not content.certificates:
        return (listener,) if content.has_private_key else ()
    return (
        authentication_way(
            material, ready=accepted("authentication") and only is not None and serves(only)
        ),
        root_way(material, ready=accepted("root") and only is not None and is_root(only)),
        client_ca_way(material, ready=accepted("client-ca") and not ids & _INCOMPLETE),
        listener,
    )
