"""Bringing the database to this version's tables, and refusing one that cannot be brought there.

Until the first release migrations may be rewritten, so a name alone does not tell whether what was
applied is what is here: the data directory keeps a fingerprint of each migration that was applied.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

OUR_APPS = ("accounts", "certificates", "gateway")


class DatabaseUnusableError(Exception):
    """The database cannot be served; the text says why and what to do."""


def is_current(data: Path) -> bool:
    """Whether nothing has to be migrated.

    Raises :class:`DatabaseUnusableError` for a database of another version; an SQLite file is
    backed up in ``data`` before.
    """
    try:
        executor = MigrationExecutor(connection)
        executor.loader.check_consistent_history(connection)
        applied = MigrationRecorder(connection).applied_migrations()
    except InconsistentMigrationHistory:
        raise _other_version(data) from None
    except DatabaseError as error:
        raise DatabaseUnusableError(f"The database cannot be opened: {error}") from error
    known = executor.loader.disk_migrations
    if any(key[0] in OUR_APPS and key not in known for key in applied):
        raise _other_version(data)
    recorded, present = _recorded(data), _fingerprints(executor)
    for app, name in applied:
        label = f"{app}.{name}"
        if label in recorded and label in present and recorded[label] != present[label]:
            raise _other_version(data)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def migrate(data: Path) -> None:
    """Apply what is missing and remember what was applied.

    Raises :class:`DatabaseUnusableError`, after a backup, when it cannot be applied.
    """
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        raise _other_version(data, str(error)) from error
    remember(data)


def remember(data: Path) -> None:
    """Write down the fingerprints of the migrations that are applied."""
    content = json.dumps(_fingerprints(MigrationExecutor(connection)), indent=1)
    path = data / "migrations.json"
    draft = path.with_suffix(".new")
    draft.write_text(content, encoding="utf-8")
    draft.replace(path)


def _recorded(data: Path) -> dict[str, str]:
    try:
        found = json.loads((data / "migrations.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _fingerprints(executor: MigrationExecutor) -> dict[str, str]:
    """SHA-256 of the source of each of our migrations, by ``app.name``."""
    found = {}
    for (app, name), migration in executor.loader.disk_migrations.items():
        if app in OUR_APPS:
            source = inspect.getsource(sys.modules[migration.__module__])
            # The generated header carries the date, which says nothing about the tables.
            body = "\n".join(line for line in source.splitlines() if not line.startswith("#"))
            found[f"{app}.{name}"] = hashlib.sha256(body.encode()).hexdigest()
    return found


def _other_version(data: Path, reason: str = "") -> DatabaseUnusableError:
    kept = back_up(data)
    where = (
        f"A copy of it was made: {kept}."
        if kept
        else "Make a copy of it with pg_dump before you change it."
    )
    detail = f" ({reason})" if reason else ""
    return DatabaseUnusableError(
        f"The database belongs to another version of Gatewright and cannot be carried over{detail}."
        f" {where}\nStart with a fresh data directory, for example: ./run --data .data-new"
    )


def back_up(data: Path) -> Path | None:
    """Copy the SQLite database beside itself, once for each state of it; ``None`` elsewhere."""
    if connection.vendor != "sqlite":
        return None
    source = Path(str(connection.settings_dict["NAME"]))
    connection.close()
    changed = datetime.fromtimestamp(source.stat().st_mtime, tz=UTC)
    target = data / f"older-database-{changed:%Y%m%d-%H%M%S}.sqlite3"
    if not target.exists():
        draft = target.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        # SQLite's own copy also takes what still waits in the write-ahead log.
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(draft)) as new:
            old.backup(new)
        draft.replace(target)
    return target
