"""Settings that come from outside: variables, files of secrets, the data directory.

Every function takes the name of a variable and fails with the accepted values when what it finds
does not fit. ``<NAME>_FILE`` may name a file that holds the value instead.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})

# Words of a connection address that PostgreSQL's own library understands and that make sense here.
POSTGRESQL_OPTIONS = frozenset(
    {"sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name"}
)
POOL_SIZE = 10
# Under saturation SQLite's writers wait unfairly long for each other, so five seconds lose writes.
# Nobody waits longer for a lock or a connection of PostgreSQL either, whose own limit is never.
PATIENCE_SECONDS = 20
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"


def secret(name: str, default: str | None = None) -> str | None:
    """The value of ``name``, or the content of the file that ``<name>_FILE`` names.

    Raises ``ImproperlyConfigured`` when both are set or the file cannot be read.
    """
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value and path:
        raise ImproperlyConfigured(f"Set either {name} or {name}_FILE, not both.")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise ImproperlyConfigured(
                f"{name}_FILE names {path}, which cannot be read: {reason}."
            ) from error
    return value or default


def flag(name: str, default: bool) -> bool:
    """``name`` as a truth value; raises ``ImproperlyConfigured`` for any other word."""
    value = secret(name)
    if value is None:
        return default
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    accepted = ", ".join(sorted(TRUE | FALSE))
    raise ImproperlyConfigured(f"{name} is {value!r}; it takes one of {accepted}.")


def whole_number(name: str, default: int, *, least: int, most: int) -> int:
    """``name`` as a number from ``least`` to ``most``; raises ``ImproperlyConfigured`` else."""
    value = secret(name)
    if value is None:
        return default
    if value.isascii() and value.isdigit() and least <= int(value[:12]) <= most:
        return int(value)
    raise ImproperlyConfigured(f"{name} is {value!r}; it takes a number from {least} to {most}.")


def choice(name: str, default: str, accepted: Collection[str]) -> str:
    """``name`` as one of ``accepted``; raises ``ImproperlyConfigured`` for anything else."""
    value = secret(name) or default
    if value not in accepted:
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it takes one of {', '.join(sorted(accepted))}."
        )
    return value


def items(name: str) -> list[str]:
    """``name`` as a list; commas, spaces and line ends separate."""
    return (secret(name) or "").replace(",", " ").split()


def networks(name: str) -> list[Network]:
    """``name`` as a list of networks; raises ``ImproperlyConfigured`` naming the one at fault."""
    found = []
    for item in items(name):
        try:
            found.append(ipaddress.ip_network(item))
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} holds {item!r}; it takes networks such as 10.1.0.0/16 or 192.0.2.7/32, "
                "separated by commas."
            ) from error
    return found


def data_directory(base: Path) -> Path:
    """The directory that holds all of this installation; made, for its owner alone, if missing."""
    path = Path(secret("GATEWRIGHT_DATA") or base / ".data").expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise ImproperlyConfigured(
            f"{path} is a file and cannot be the data directory. "
            "Name another one with --data or GATEWRIGHT_DATA."
        ) from error
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data directory {path} cannot be made: {error.strerror}. "
            "Name another one with --data or GATEWRIGHT_DATA."
        ) from error
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"The data directory {path} cannot be written by this user. Change its owner, or name "
            "another one with --data or GATEWRIGHT_DATA."
        )
    return path


def kept(path: Path, make: Callable[[], str]) -> str:
    """The text of a file that only its owner may read, made once and atomically if missing."""
    for _ in range(2):
        try:
            value = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            try:
                _create(path, make())
            except OSError as problem:
                raise ImproperlyConfigured(
                    f"{path} cannot be written: {problem.strerror}. Make room or give this user "
                    "the right, or name another data directory with --data or GATEWRIGHT_DATA."
                ) from problem
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{path} cannot be read: {error}.") from error
        if value:
            return value
        break
    raise ImproperlyConfigured(f"{path} is empty. Restore it, or delete it to get a new one.")


def _create(path: Path, value: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the file exists, so of two processes one wins and both read it.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def installation(data: Path) -> str:
    """A short id of the data directory: eight hexadecimal digits, kept in it."""
    return kept(data / "id", lambda: secrets.token_hex(4))


def loopback_range(data: Path) -> Network:
    """The loopback addresses that belong to the data directory: a /20 of 127.0.0.0/8.

    Drawn once and kept in the directory, so that installations on one machine do not meet;
    127.0.0.0/16, where everybody else listens, is left out. Raises ``ImproperlyConfigured`` if
    the kept text is no such network.
    """
    drawn = kept(
        data / "loopback-range",
        lambda: f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(16) * 16}.0/20",
    )
    network: Network | None = None
    with contextlib.suppress(ValueError):
        network = ipaddress.ip_network(drawn)
    if network is None or not network.is_loopback or network.num_addresses < 256:
        raise ImproperlyConfigured(
            f"{data / 'loopback-range'} takes a loopback network such as 127.83.16.0/20."
        )
    return network


def secret_key(data: Path) -> str:
    """Django's signing key: ``GATEWRIGHT_SECRET_KEY``, else a file in the data directory."""
    given = secret("GATEWRIGHT_SECRET_KEY")
    if given is not None and len(given) < 50:
        raise ImproperlyConfigured("GATEWRIGHT_SECRET_KEY takes at least 50 characters.")
    return given or kept(data / "secret-key", lambda: secrets.token_urlsafe(50))


def encryption_keys(data: Path) -> list[str]:
    """The keys that stored private keys are encrypted with, newest first.

    From ``GATEWRIGHT_KEYS``, else from a file in the data directory, one key a line. Raises
    ``ImproperlyConfigured`` (without showing the key) when one is no Fernet key.
    """
    given = items("GATEWRIGHT_KEYS")
    place = "GATEWRIGHT_KEYS" if given else str(data / "keys")
    keys = given or kept(data / "keys", lambda: Fernet.generate_key().decode()).split()
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"Key {position} of {place} is no key: it takes 32 random bytes as URL-safe "
                "Base-64, 44 characters."
            ) from error
    return keys


def database(data: Path) -> dict[str, Any]:
    """Django's description of the database that ``DATABASE_URL`` names.

    Without it, SQLite in the data directory. ``sqlite:///relative/or//absolute/path`` and
    ``postgresql://user:password@host:port/name`` are understood; a ``host`` in the query names a
    directory with PostgreSQL's socket, ``pool`` the most connections that one process holds.
    Raises ``ImproperlyConfigured`` for anything else, never repeating the password.
    """
    url = secret("DATABASE_URL")
    if url is None:
        return _sqlite(data / "gatewright.sqlite3")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured("DATABASE_URL cannot be read as an address.") from error
    if parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path)[1:]).absolute())
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(
            f"DATABASE_URL begins with {parts.scheme!r}; it takes sqlite:///path or "
            "postgresql://user:password@host:port/name."
        )
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", unquote(parts.hostname or ""))
    pool = query.pop("pool", str(POOL_SIZE))
    if not (pool.isascii() and pool.isdigit() and 1 <= int(pool[:6]) <= 1000):
        raise ImproperlyConfigured(f"pool={pool} in DATABASE_URL takes a number from 1 to 1000.")
    if unknown := query.keys() - POSTGRESQL_OPTIONS:
        accepted = ", ".join(sorted(POSTGRESQL_OPTIONS | {"host", "pool"}))
        raise ImproperlyConfigured(
            f"DATABASE_URL asks for {', '.join(sorted(unknown))}; it takes {accepted}."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path)[1:],
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        # A pool lends connections and takes them back, which Django allows at no age but zero.
        "CONN_MAX_AGE": 0,
        # A restart of the server would else be felt once for each connection that it cut.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **query,
            "options": f"-c lock_timeout={PATIENCE_SECONDS}s",
            "pool": {
                "min_size": min(2, int(pool)),
                "max_size": int(pool),
                "timeout": PATIENCE_SECONDS,
            },
        },
    }


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # A transaction that first reads and then writes would otherwise fail at the write.
            "transaction_mode": "IMMEDIATE",
            "timeout": PATIENCE_SECONDS,
            "init_command": SQLITE_PRAGMAS,
        },
    }
