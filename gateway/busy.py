"""Telling a database that is busy or away from a fault of ours."""

from __future__ import annotations

import sqlite3

from django.db import InterfaceError, OperationalError, connection

RETRY_SECONDS = 5

# SQLite calls its own faults (no such table, disk full) operational, too: only these pass by.
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}


def is_busy(error: BaseException | None) -> bool:
    """Whether ``error``, or what it was raised over, says that the database may soon answer again.

    On SQLite: another process kept its lock for longer than we wait. On PostgreSQL: a lock or a
    connection was waited for too long, two changes waited for each other, or the server went away.
    """
    while error is not None:
        if _says_so(error):
            return True
        error = error.__context__
    return False


def _says_so(error: BaseException) -> bool:
    if connection.vendor != "sqlite":
        return isinstance(error, OperationalError | InterfaceError)
    # Extended codes carry the plain one in their last byte.
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.OperationalError) and (code or 0) & 0xFF in _PASSING
