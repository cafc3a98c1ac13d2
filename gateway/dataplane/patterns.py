"""Patterns of rewrite conditions, turned into the engine's kind of regular expression.

The cloud takes Perl's expressions; the engine has RE2, which knows neither look-around nor
back-references, and refuses a whole listener over one expression that it cannot read. So a pattern
is parsed here and written anew from its parts, and what has no counterpart is told.
"""

from __future__ import annotations

import re
import warnings
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

# RE2 takes no counted repetition above this, nested ones multiplied.
MOST_REPEATS = 1000
LONGEST = 1000

_CLASSES = {
    sre.CATEGORY_DIGIT: "0-9",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_WORD: "A-Za-z0-9_",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_NOT_WORD: r"\W",
}
_PLACES = {
    sre.AT_BEGINNING: "^",
    sre.AT_BEGINNING_STRING: r"\A",
    sre.AT_END: "$",
    sre.AT_END_STRING: r"\z",
    sre.AT_BOUNDARY: r"\b",
    sre.AT_NON_BOUNDARY: r"\B",
}


class PatternError(Exception):
    """The pattern has no counterpart in the engine; the text says why, as the end of a sentence."""


def to_re2(pattern: str, *, ignore_case: bool = False) -> str:
    """``pattern`` as an RE2 expression that finds the same; raises :class:`PatternError`."""
    if len(pattern) > LONGEST:
        raise PatternError(f"it is longer than {LONGEST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            parsed = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError, Warning) as error:
        raise PatternError("it cannot be read") from error
    flags = parsed.state.flags
    written = _written(parsed, 1)
    letters = "i" if ignore_case or flags & re.IGNORECASE else ""
    letters += "s" if flags & re.DOTALL else ""
    letters += "m" if flags & re.MULTILINE else ""
    return f"(?{letters}){written}" if letters else written


def groups_of(pattern: str) -> int:
    """How many groups a pattern captures; 0 if it cannot be read."""
    try:
        return re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError):
        return 0


def _written(parsed: Any, repeats: int) -> str:
    return "".join(_one(code, argument, repeats) for code, argument in parsed)


def _one(code: Any, argument: Any, repeats: int) -> str:
    if code is sre.LITERAL:
        return _literal(argument)
    if code is sre.NOT_LITERAL:
        return f"[^{_literal(argument)}]"
    if code is sre.ANY:
        return "."
    if code is sre.AT and argument in _PLACES:
        return _PLACES[argument]
    if code is sre.IN:
        return _class(argument)
    if code is sre.BRANCH:
        return "(?:" + "|".join(_written(one, repeats) for one in argument[1]) + ")"
    if code is sre.SUBPATTERN:
        return _group(argument, repeats)
    if code in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return _repeated(code, argument, repeats)
    raise PatternError("it looks around or back at what was found before, which RE2 cannot")


def _group(argument: Any, repeats: int) -> str:
    number, added, removed, inner = argument
    written = _written(inner, repeats)
    if number is not None:
        return f"({written})"
    letters = "".join(
        letter
        for flag, letter in ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"))
        if added & flag
    )
    off = "".join(
        letter
        for flag, letter in ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"))
        if removed & flag
    )
    return f"(?{letters}{'-' + off if off else ''}:{written})"


def _repeated(code: Any, argument: Any, repeats: int) -> str:
    least, most, inner = argument
    endless = most is sre.MAXREPEAT
    count = repeats * max(least if endless else most, 1)
    if count > MOST_REPEATS:
        raise PatternError(f"it repeats something more than {MOST_REPEATS} times")
    written = f"(?:{_written(inner, count)})"
    lazy = "?" if code is sre.MIN_REPEAT else ""
    if endless and least in (0, 1):
        return written + ("*" if least == 0 else "+") + lazy
    if (least, most) == (0, 1):
        return f"{written}?{lazy}"
    return f"{written}{{{least},{'' if endless else most}}}{lazy}"


def _class(argument: Any) -> str:
    negated, parts = "", []
    for code, value in argument:
        if code is sre.NEGATE:
            negated = "^"
        elif code is sre.LITERAL:
            parts.append(_literal(value))
        elif code is sre.RANGE:
            parts.append(f"{_literal(value[0])}-{_literal(value[1])}")
        else:
            parts.append(_CLASSES[value])
    return f"[{negated}{''.join(parts)}]"


def _literal(code: int) -> str:
    character = chr(code)
    if character.isascii() and (character.isalnum() or character in "/_ "):
        return character
    return rf"\x{{{code:x}}}"
