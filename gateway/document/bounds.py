"""Whether a JSON value is small and plain enough to be read at all."""

from __future__ import annotations

import math
from typing import Any

from gateway.document.kinds import TEXT_UNSTORABLE, TOO_LARGE
from gateway.problems import Problem, at

MAX_DEPTH = 24
MAX_VALUES = 100_000
MAX_LIST = 2_000
MAX_TEXT = 200_000  # characters; the largest file taken is 25 KB
# Integers beyond this are no setting of anything and do not fit a database column.
MAX_NUMBER = 2**53


def join(path: str, name: str) -> str:
    """The path of a member; no name makes it longer than a message can bear."""
    short = name if len(name) <= 80 else f"{name[:80]}…"
    return f"{path}.{short}" if path else short


def bounds_problem(body: dict[str, Any]) -> Problem | None:
    """The first reason not to read ``body``, or ``None``. Works level by level, never recursing."""
    level: list[tuple[str, Any]] = [("", body)]
    seen = 0
    for _ in range(MAX_DEPTH):
        following: list[tuple[str, Any]] = []
        for path, value in level:
            seen += 1
            problem = _value_problem(path, value)
            if problem:
                return problem
            if isinstance(value, dict):
                for name, item in value.items():
                    problem = _text_problem(path, name)
                    if problem:
                        return problem
                    following.append((join(path, name), item))
            elif isinstance(value, list):
                following += [(f"{path}[{number}]", item) for number, item in enumerate(value)]
            if seen + len(following) > MAX_VALUES:
                return at(TOO_LARGE, f"The document has more than {MAX_VALUES} values.")
        if not following:
            return None
        level = following
    return at(
        TOO_LARGE, f"The document nests deeper than {MAX_DEPTH} levels at {level[0][0][:200]}."
    )


def _value_problem(path: str, value: Any) -> Problem | None:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            return at(TOO_LARGE, f"The text at {path} is longer than {MAX_TEXT} characters.")
        return _text_problem(path, value)
    if isinstance(value, list) and len(value) > MAX_LIST:
        return at(TOO_LARGE, f"The list at {path} has {len(value)} items; at most {MAX_LIST}.")
    if value is not None and not isinstance(value, str | int | float | list | dict):
        return at(TEXT_UNSTORABLE, f"The value at {path} is no JSON.")
    if isinstance(value, float) and not math.isfinite(value):
        return at(TEXT_UNSTORABLE, f"The number at {path} is not finite.")
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        return at(TEXT_UNSTORABLE, f"The number at {path} is too large.")
    return None


def _text_problem(path: str, text: Any) -> Problem | None:
    if not isinstance(text, str) or "\x00" in text:
        return at(TEXT_UNSTORABLE, f"{path or 'The document'} has a text with a null character.")
    if not text.isascii() and any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        return at(TEXT_UNSTORABLE, f"{path or 'The document'} has half of a character pair.")
    return None
