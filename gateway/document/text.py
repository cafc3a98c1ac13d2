"""A document as text, as people read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from json.encoder import encode_basestring as quoted
from typing import Any

_STEP = "  "


def indented(document: Any) -> str:
    """What ``json.dumps(document, indent=2, ensure_ascii=False)`` gives, in a third of its time.

    The standard library indents by generators nested as deep as the document, and the document of
    a large gateway is a megabyte. Keys are text. Raises ``TypeError`` for what JSON cannot hold.
    """
    parts: list[str] = []
    _write(document, "\n", parts.append)
    return "".join(parts)


def _write(value: Any, line: str, put: Callable[[str], None]) -> None:
    """Write a value; ``line`` is a line break with the indentation that holds here."""
    kind = type(value)
    if kind is dict and value:
        inner = line + _STEP
        before = f"{{{inner}"
        for name, item in value.items():
            # Most members are text, and most of the time goes into calls.
            if type(item) is str:
                put(f"{before}{quoted(name)}: {quoted(item)}")
            else:
                put(f"{before}{quoted(name)}: ")
                _write(item, inner, put)
            before = f",{inner}"
        put(f"{line}}}")
    elif kind is list and value:
        inner = line + _STEP
        before = f"[{inner}"
        for item in value:
            put(before)
            _write(item, inner, put)
            before = f",{inner}"
        put(f"{line}]")
    elif kind is str:
        put(quoted(value))
    elif kind is int:
        put(str(value))
    elif kind is bool:
        put("true" if value else "false")
    else:
        put(json.dumps(value, ensure_ascii=False))
