"""Waking this machine's data-plane agent the moment something changes.

The agent reads a named pipe in the data directory; one byte in it means "look now". Agents on other
machines, and this one where nobody reads, notice by asking again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from django.conf import settings

PIPE = "wake"


def directory() -> Path:
    """Where this machine's agent keeps all that is its own."""
    return Path(settings.GATEWRIGHT_DATA) / "dataplane"


def wake() -> None:
    """Tell the agent to look; never waits and never fails."""
    # Without a reader there is nobody to wake (ENXIO); a full pipe says "look" already (EAGAIN).
    with suppress(OSError):
        pipe = os.open(directory() / PIPE, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, b"!")
        finally:
            os.close(pipe)
