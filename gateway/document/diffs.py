"""Field-by-field differences of two snapshots."""

from __future__ import annotations

import hashlib
from typing import Any

# A longer text tells a reader nothing and would fill the activity log.
LONGEST = 300


def diff(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """The changes as ``{"path", "before", "after"}``, in document order.

    Items are compared by name, so a path reads ``httpListeners/web/protocol``; ``None`` stands for
    what was not there. A new order of the same items is one change of the list.
    """
    changes: list[dict[str, Any]] = []
    _compare("", before, after, changes)
    return changes


def _compare(path: str, before: Any, after: Any, changes: list[dict[str, Any]]) -> None:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in _both(before, after):
            _compare(_join(path, name), before.get(name), after.get(name), changes)
        return
    if _are_items(before) and _are_items(after) and (before or after):
        _compare_items(path, before, after, changes)
        return
    changes.append({"path": path, "before": _shown(before), "after": _shown(after)})


def _compare_items(
    path: str, before: list[Any], after: list[Any], changes: list[dict[str, Any]]
) -> None:
    old = {item["name"].lower(): item for item in before}
    new = {item["name"].lower(): item for item in after}
    for key in _both(old, new):
        name = (new.get(key) or old[key])["name"]
        _compare(_join(path, name), old.get(key), new.get(key), changes)
    kept_before = [key for key in old if key in new]
    kept_after = [key for key in new if key in old]
    if kept_before != kept_after:
        changes.append(
            {
                "path": _join(path, "(order)"),
                "before": [old[key]["name"] for key in kept_before],
                "after": [new[key]["name"] for key in kept_after],
            }
        )


def _both(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [*before, *(name for name in after if name not in before)]


def _are_items(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("name"), str) for item in value
    )


def _join(path: str, name: str) -> str:
    # The wrapping of the document says nothing to a reader.
    if name == "properties":
        return path
    return f"{path}/{name}" if path else name


def _shown(value: Any) -> Any:
    """The value, with long texts cut to a length and a digest."""
    if isinstance(value, str) and len(value) > LONGEST:
        digest = hashlib.sha256(value.encode()).hexdigest()[:12]
        return f"{value[:60]}… ({len(value)} characters, SHA-256 {digest})"
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items()}
    return value
