"""Text of bounded length, whatever a certificate holds."""

from __future__ import annotations

from collections.abc import Sequence

MAX_LINES = 100
MAX_LINE = 400
MAX_DUMP = 2048


def shortened(text: str, length: int) -> str:
    """``text`` with at most ``length`` characters, an ellipsis in place of what is cut off."""
    return text if len(text) <= length else text[: length - 1] + "…"


def limited(lines: Sequence[str]) -> str:
    """The lines joined, at most :data:`MAX_LINES` of :data:`MAX_LINE` characters, and how many
    were left out."""
    shown = [shortened(line, MAX_LINE) for line in lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        shown.append(f"… and {len(lines) - MAX_LINES:,} more")
    return "\n".join(shown)


def hex_dump(data: bytes) -> str:
    """Sixteen bytes a line, at most :data:`MAX_DUMP` bytes."""
    shown = data[:MAX_DUMP]
    lines = [shown[at : at + 16].hex(" ") for at in range(0, len(shown), 16)]
    if len(data) > MAX_DUMP:
        lines.append(f"… and {len(data) - MAX_DUMP:,} bytes more")
    return "\n".join(lines) or "(no bytes)"
