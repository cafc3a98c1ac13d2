"""One server for one data directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InUseError(Exception):
    """Another server holds the data directory; the text says which."""


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold the data directory; the system lets go of it however this process ends.

    Raises :class:`InUseError` when another process holds it.
    """
    with (data / "lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(20).strip()
            process = f" (process {holder})" if holder else ""
            raise InUseError(
                f"Another Gatewright{process} already serves the data directory {data}. "
                "Stop it, or give this one a directory of its own with --data DIR."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
