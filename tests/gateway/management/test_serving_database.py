"""A database of another version is refused, after a copy was made."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from gateway.management.serving import database

pytestmark = pytest.mark.django_db


def test_a_database_of_this_version_needs_nothing(tmp_path):
    database.remember(tmp_path)
    assert database.is_current(tmp_path)


def test_a_database_without_fingerprints_is_judged_by_names(tmp_path):
    (tmp_path / "migrations.json").write_text("damaged")
    assert database.is_current(tmp_path)


def test_a_migration_that_is_missing_is_noticed(tmp_path):
    last = MigrationRecorder.Migration.objects.filter(app="gateway").latest("id")
    MigrationRecorder(connection).record_unapplied("gateway", last.name)
    assert not database.is_current(tmp_path)


def test_a_migration_that_this_version_does_not_know_is_refused(tmp_path):
    MigrationRecorder(connection).record_applied("gateway", "0099_from_the_future")
    with pytest.raises(database.DatabaseUnusableError, match="another version") as caught:
        database.is_current(tmp_path)
    assert "--data" in str(caught.value)


def test_migrations_applied_out_of_order_are_refused(tmp_path):
    first = MigrationRecorder.Migration.objects.filter(app="accounts").earliest("id")
    MigrationRecorder(connection).record_unapplied("accounts", first.name)
    with pytest.raises(database.DatabaseUnusableError, match="another version"):
        database.is_current(tmp_path)


def test_a_migration_that_was_rewritten_is_refused(tmp_path):
    database.remember(tmp_path)
    path = tmp_path / "migrations.json"
    recorded = json.loads(path.read_text())
    applied = MigrationRecorder.Migration.objects.filter(app="gateway").earliest("id")
    assert len(recorded[f"gateway.{applied.name}"]) == 64
    recorded[f"gateway.{applied.name}"] = "0" * 64
    path.write_text(json.dumps(recorded))
    with pytest.raises(database.DatabaseUnusableError, match="another version"):
        database.is_current(tmp_path)


def test_the_copy_holds_what_still_waits_in_the_log_and_is_made_once(tmp_path, monkeypatch):
    if connection.vendor != "sqlite":
        assert database.back_up(tmp_path) is None
        return
    source = tmp_path / "old.sqlite3"
    open_elsewhere = sqlite3.connect(source)
    open_elsewhere.execute("PRAGMA journal_mode=WAL")
    open_elsewhere.execute("CREATE TABLE kept (word TEXT)")
    open_elsewhere.execute("INSERT INTO kept VALUES ('still here')")
    open_elsewhere.commit()
    monkeypatch.setitem(connection.settings_dict, "NAME", str(source))
    monkeypatch.setattr(connection, "close", lambda: None)

    copy = database.back_up(tmp_path)
    assert copy is not None
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sqlite3.connect(copy).execute("SELECT word FROM kept").fetchall() == [("still here",)]
    assert database.back_up(tmp_path) == copy
    assert [path.name for path in Path(tmp_path).glob("older-database-*.sqlite3")] == [copy.name]
    open_elsewhere.close()
