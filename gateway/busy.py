"""Telling a database that is busy or away, and a disk that is full, from a fault of ours."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError, connection

RETRY_SECONDS = 5

# SQLite calls its own faults (no such table) operational, too: only these pass by.
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
# The second: its shared memory, a file beside the database, cannot grow.
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
_DISK_FULL_STATE = "53100"  # PostgreSQL's
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def is_busy(error: BaseException | None) -> bool:
    """Whether ``error``, or what it was raised over, says that the database may soon answer again.

    On SQLite: another process kept its lock for longer than we wait. On PostgreSQL: a lock or a
    connection was waited for too long, two changes waited for each other, or the server went away.
    """
    return not is_full(error) and any(map(_says_busy, _with_reasons(error)))


def is_full(error: BaseException | None) -> bool:
    """Whether ``error``, or what it was raised over, says that there is no room on the disk.

    For the database, or for a file that one of us writes.
    """
    return any(map(_says_full, _with_reasons(error)))


def _with_reasons(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__context__


def _says_busy(error: BaseException) -> bool:
    if connection.vendor != "sqlite":
        return isinstance(error, OperationalError | InterfaceError)
    # Extended codes carry the plain one in their last byte.
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.OperationalError) and (code or 0) & 0xFF in _PASSING


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if isinstance(error, sqlite3.OperationalError):
        return getattr(error, "sqlite_errorcode", None) in _FULL
    return getattr(error, "sqlstate", None) == _DISK_FULL_STATE
