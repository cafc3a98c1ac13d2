"""When a field is shown: one small language, read by the browser and by the server.

``protocol=Https`` · ``a=x|y`` · ``a!=x`` · ``ticked`` · ``!ticked``, joined by ``&``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def holds(condition: str, value: Callable[[str], Any]) -> bool:
    """Whether ``condition`` holds; ``value`` gives what a field of that name holds."""
    return all(_term(term.strip(), value) for term in condition.split("&") if term.strip())


def _term(term: str, value: Callable[[str], Any]) -> bool:
    if "=" not in term:
        name = term.removeprefix("!")
        return bool(value(name)) != term.startswith("!")
    name, _, wanted = term.partition("=")
    negated = name.endswith("!")
    found = str(value(name.removesuffix("!")))
    return (found in wanted.split("|")) != negated
