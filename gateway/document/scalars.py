"""Reading single values and files. What cannot be read becomes a problem, never an exception."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from gateway.document import kinds
from gateway.document.draft import ChildDraft
from gateway.document.reader import Place, Reader, default, default_of, wrong
from gateway.document.shapes import Member

WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,15}\Z", re.ASCII)


def text(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    model = place.spot.shape.model
    if not isinstance(value, str):
        wrong(reader, member, place, "a text")
    elif value == "" and model is not None:
        draft.values[member.field] = default_of(model, member.field)
        return
    draft.values[member.field] = value if isinstance(value, str) else ""


def whole_number(value: Any) -> int | None:
    """A whole number, also when it was written as text or with a zero fraction."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and WHOLE_NUMBER.match(value.strip()):
        return int(value)
    return None


def number(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    read = whole_number(value)
    if read is None or read < 0:
        wrong(reader, member, place, "a whole number, not below 0")
        default(member, draft, place.spot.shape.model)
        return
    draft.values[member.field] = read


def flag(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        value = value.strip().lower() == "true"
    if not isinstance(value, bool):
        wrong(reader, member, place, "true or false")
        value = False
    draft.values[member.field] = value


def _canonical(value: str, choices: tuple[str, ...]) -> str | None:
    lowered = value.strip().lower()
    return next((one for one in choices if one.lower() == lowered), None)


def choice(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    if not isinstance(value, str):
        wrong(reader, member, place, "a text")
        default(member, draft, place.spot.shape.model)
        return
    if value == "" and not member.required:
        default(member, draft, place.spot.shape.model)
        return
    found = _canonical(value, member.choices)
    if found is None and member.closed:
        accepted = ", ".join(member.choices)
        reader.say(
            kinds.VALUE_UNKNOWN,
            f"{place.path} is “{value[:60]}”; it can be {accepted}.",
            place.spot.field(member.field),
        )
        default(member, draft, place.spot.shape.model)
        return
    draft.values[member.field] = value if found is None else found


def texts(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        wrong(reader, member, place, "a list of texts")
        value = []
    draft.values[member.field] = [_canonical(one, member.choices) or one for one in value]


def file(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    if not isinstance(value, str):
        wrong(reader, member, place, "a text: the file in Base-64")
        return
    try:
        draft.upload.data = base64.b64decode("".join(value.split()), validate=True) or None
    except (binascii.Error, ValueError):
        hint = (
            " It looks like the text of the file itself, which has to be encoded once more."
            if "-----BEGIN" in value
            else ""
        )
        reader.say(
            kinds.DATA_UNREADABLE,
            f"{place.path} is not the Base-64 form of a file.{hint}",
            place.spot.field(member.field),
        )


def secret(reader: Reader, member: Member, value: Any, draft: ChildDraft, place: Place) -> None:
    if isinstance(value, str):
        draft.upload.password = value
    else:
        wrong(reader, member, place, "a text")
