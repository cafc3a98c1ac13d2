"""One server for one data directory, and where it answers."""

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
            holder = file.readline(20).strip()
            process = f" (process {holder})" if holder else ""
            raise InUseError(
                f"Another Gatewright{process} already serves the data directory {data}. "
                "Stop it, or give this one a directory of its own with --data DIR."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def tell_address(data: Path, address: str) -> None:
    """Leave word for other commands where the server answers; call it while holding ``data``."""
    with (data / "lock").open("a", encoding="ascii") as file:
        file.write(f"{address}\n")


def address_of(data: Path) -> str:
    """The address of the server that holds ``data``; empty where none does or none was told."""
    try:
        process, address = (data / "lock").read_text(encoding="ascii").split()
        # A server that was killed has left its word behind.
        os.kill(int(process), 0)
    except (OSError, ValueError, OverflowError):
        return ""
    return address
