"""Host names of multi-site listeners: what may be written, and what a wildcard covers."""

from __future__ import annotations

import re

LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z", re.ASCII)
PATTERN_LABEL = re.compile(r"[A-Za-z0-9*?-]{1,63}\Z", re.ASCII)
_STARS_TOGETHER = re.compile(r"\*[*?]|\?\*")

MOST_STARS = 2
MOST_WILDCARDS = 4


def is_wildcard(host: str) -> bool:
    return "*" in host or "?" in host


def host_fault(host: str) -> str:
    """Why ``host`` cannot be the name of a site, for “… because {fault}”; empty if it can."""
    if not host:
        return "it is empty"
    if len(host) > 253:
        return "it is longer than 253 characters"
    if not host.isascii():
        return "it has letters beyond a to z; use the name's xn-- form"
    pattern = PATTERN_LABEL if is_wildcard(host) else LABEL
    for label in host.split("."):
        if not pattern.match(label):
            return f"“{label}” between its periods is not a name" if label else "a label is empty"
    return ""


def wildcard_fault(host: str) -> str:
    """Why a pattern of ``*`` and ``?`` is not accepted; empty if it is.

    Multiple site hosting article: one ``*`` in each label, two in the name, four wildcard
    characters in all, and ``*`` never beside another wildcard in one label.
    """
    if _STARS_TOGETHER.search(host):
        return "“*” stands beside another wildcard character"
    if any(label.count("*") > 1 for label in host.split(".")):
        return "a label has more than one “*”"
    if host.count("*") > MOST_STARS:
        return f"it has more than {MOST_STARS} “*”"
    if host.count("*") + host.count("?") > MOST_WILDCARDS:
        return f"it has more than {MOST_WILDCARDS} wildcard characters"
    return ""


def suffixes(host: str) -> list[str]:
    """The patterns of the form ``*.rest`` that cover ``host``, at any depth."""
    labels = host.lower().split(".")
    return ["*." + ".".join(labels[start:]) for start in range(1, len(labels))]
