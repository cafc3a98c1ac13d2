"""Settings from outside: what is taken, and what a wrong value is answered with."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from gateway import environment

NAMES = ("DATABASE_URL", "GATEWRIGHT_DATA", "GATEWRIGHT_KEYS", "GATEWRIGHT_SECRET_KEY", "THING")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def test_a_value_may_stand_in_a_file(monkeypatch, tmp_path):
    (tmp_path / "value").write_text("from a file\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "value"))
    assert environment.secret("THING") == "from a file"


def test_a_value_and_a_file_at_once_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("THING", "hush")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "value"))
    with pytest.raises(ImproperlyConfigured, match="not both") as caught:
        environment.secret("THING")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(monkeypatch, tmp_path, content):
    if content is not None:
        (tmp_path / "value").write_bytes(content)
    monkeypatch.setenv("THING_FILE", str(tmp_path / "value"))
    with pytest.raises(ImproperlyConfigured, match=str(tmp_path / "value")):
        environment.secret("THING")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)]
)
def test_a_flag_takes_plain_words(monkeypatch, text, value):
    monkeypatch.setenv("THING", text)
    assert environment.flag("THING", not value) is value


def test_a_flag_names_the_words_it_takes(monkeypatch):
    assert environment.flag("THING", True) is True
    monkeypatch.setenv("THING", "perhaps")
    with pytest.raises(ImproperlyConfigured, match=r"'perhaps'.*false.*true"):
        environment.flag("THING", True)


@pytest.mark.parametrize("text", ["0", "11", "-1", "ten", "²", "9" * 5000])
def test_a_number_names_its_range(monkeypatch, text):
    monkeypatch.setenv("THING", text)
    with pytest.raises(ImproperlyConfigured, match="from 1 to 10"):
        environment.whole_number("THING", 5, least=1, most=10)


def test_a_number_in_its_range_is_taken(monkeypatch):
    assert environment.whole_number("THING", 5, least=1, most=10) == 5
    monkeypatch.setenv("THING", "7")
    assert environment.whole_number("THING", 5, least=1, most=10) == 7


def test_a_choice_names_what_it_takes(monkeypatch):
    monkeypatch.setenv("THING", "ftp")
    with pytest.raises(ImproperlyConfigured, match="http, https"):
        environment.choice("THING", "http", {"http", "https"})


def test_networks_are_separated_by_commas_or_spaces(monkeypatch):
    monkeypatch.setenv("THING", "10.0.0.0/8, 192.0.2.7\nfd00::/8")
    assert environment.networks("THING") == [
        ipaddress.ip_network(text) for text in ("10.0.0.0/8", "192.0.2.7/32", "fd00::/8")
    ]


@pytest.mark.parametrize("text", ["10.0.0.1/8", "everything", "10.0.0.0/33"])
def test_a_network_that_is_none_is_named(monkeypatch, text):
    monkeypatch.setenv("THING", f"192.0.2.0/24,{text}")
    with pytest.raises(ImproperlyConfigured, match=f"THING holds '{text}'"):
        environment.networks("THING")


def test_the_data_directory_is_for_its_owner_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("GATEWRIGHT_DATA", str(tmp_path / "a" / "b"))
    path = environment.data_directory(tmp_path)
    assert path == tmp_path / "a" / "b"
    assert path.stat().st_mode & 0o777 == 0o700


def test_a_data_directory_that_cannot_be_made_names_the_way_out(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GATEWRIGHT_DATA", str(tmp_path / "file" / "below"))
    with pytest.raises(ImproperlyConfigured, match="--data"):
        environment.data_directory(tmp_path)


def test_a_file_is_no_data_directory(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GATEWRIGHT_DATA", str(tmp_path / "file"))
    with pytest.raises(ImproperlyConfigured, match=r"is a file.*--data"):
        environment.data_directory(tmp_path)


def test_a_data_directory_of_somebody_else_names_the_way_out(monkeypatch, tmp_path):
    monkeypatch.setenv("GATEWRIGHT_DATA", str(tmp_path))
    # The superuser, who may run this, may write everywhere.
    monkeypatch.setattr(environment.os, "access", lambda path, mode: False)
    with pytest.raises(ImproperlyConfigured, match=r"cannot be written by this user.*--data"):
        environment.data_directory(tmp_path)


def test_a_place_where_nothing_can_be_written_is_named():
    with pytest.raises(ImproperlyConfigured, match=r"/proc/gatewright-id cannot be written: "):
        environment.kept(Path("/proc/gatewright-id"), lambda: "x")


def test_a_secret_that_is_made_is_kept_for_its_owner_alone(tmp_path):
    first = environment.secret_key(tmp_path)
    assert len(first) >= 50
    assert environment.secret_key(tmp_path) == first
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_of_two_that_make_a_secret_at_once_both_get_the_same(tmp_path):
    def slow() -> str:
        (tmp_path / "thing").write_text("the other's")
        return "mine"

    assert environment.kept(tmp_path / "thing", slow) == "the other's"


def test_an_empty_secret_file_is_not_taken_for_a_secret(tmp_path):
    (tmp_path / "secret-key").write_text("\n")
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        environment.secret_key(tmp_path)


def test_a_short_secret_key_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("GATEWRIGHT_SECRET_KEY", "short")
    with pytest.raises(ImproperlyConfigured, match="at least 50 characters"):
        environment.secret_key(tmp_path)


def test_encryption_keys_come_newest_first_and_a_bad_one_is_not_shown(monkeypatch, tmp_path):
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    monkeypatch.setenv("GATEWRIGHT_KEYS", ", ".join(keys))
    assert environment.encryption_keys(tmp_path) == keys
    monkeypatch.setenv("GATEWRIGHT_KEYS", f"{keys[0]} not-a-key-at-all")
    with pytest.raises(ImproperlyConfigured, match="Key 2 of GATEWRIGHT_KEYS") as caught:
        environment.encryption_keys(tmp_path)
    assert "not-a-key-at-all" not in str(caught.value)


def test_encryption_keys_are_made_once(tmp_path):
    first = environment.encryption_keys(tmp_path)
    assert environment.encryption_keys(tmp_path) == first
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600


def test_without_an_address_the_database_is_a_file_that_many_may_write(tmp_path):
    found = environment.database(tmp_path)
    assert found["NAME"] == str(tmp_path / "gatewright.sqlite3")
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "WAL" in found["OPTIONS"]["init_command"]


def test_an_sqlite_address_names_its_file(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "sqlite:////var/lib/some%20where.sqlite3")
    assert environment.database(tmp_path)["NAME"] == "/var/lib/some where.sqlite3"
    monkeypatch.setenv("DATABASE_URL", "sqlite:///beside.sqlite3")
    assert environment.database(tmp_path)["NAME"] == str(Path.cwd() / "beside.sqlite3")


def test_a_postgresql_address_gives_a_pool(monkeypatch, tmp_path):
    monkeypatch.setenv(
        "DATABASE_URL", "postgresql://me:p%40ss@db.example:5433/portal?sslmode=require&pool=1"
    )
    assert environment.database(tmp_path) == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "portal",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "sslmode": "require",
            "options": "-c lock_timeout=20s",
            "pool": {"min_size": 1, "max_size": 1, "timeout": 20},
        },
    }


def test_a_postgresql_address_may_name_the_directory_of_a_socket(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", f"postgresql://postgres@/postgres?host={tmp_path}")
    found = environment.database(tmp_path)
    assert (found["HOST"], found["PORT"]) == (str(tmp_path), "")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me:hush@db/x", "sqlite:///path or postgresql://"),
        ("postgresql://me:hush@db:port/x", "cannot be read"),
        ("postgresql://me:hush@[db/x", "cannot be read"),
        ("postgresql://me:hush@db/x?pool=none", "from 1 to 1000"),
        ("postgresql://me:hush@db/x?colour=blue", "asks for colour"),
        ("hush", "begins with ''"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(monkeypatch, tmp_path, url, said):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match=said) as caught:
        environment.database(tmp_path)
    assert "hush" not in str(caught.value)


def test_the_loopback_range_is_drawn_once_and_judged_when_read(tmp_path):
    drawn = environment.loopback_range(tmp_path)
    assert drawn.is_loopback
    assert environment.loopback_range(tmp_path) == drawn
    (tmp_path / "loopback-range").write_text("10.0.0.0/8")
    with pytest.raises(ImproperlyConfigured, match=r"127\.83\.16\.0/20"):
        environment.loopback_range(tmp_path)
