from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

from gateway.lab.scenarios import SCENARIOS

# Every scenario, in both networks of a sandbox.
SERVERS = 2 * len(SCENARIOS)
COMMAND = [sys.executable, str(settings.BASE_DIR / "manage.py"), "labservers"]
PREPARE = """
import django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
from gateway.accounts.people import ensure_owner
from gateway.lab.sandbox import ensure_sandbox
ensure_sandbox(ensure_owner())
"""


@pytest.fixture
def installation(tmp_path: Path) -> dict[str, str]:
    """The environment of an installation with one sandbox, in a directory of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "DJANGO_SETTINGS_MODULE": "gateway.settings",
        "GATEWRIGHT_DATA": str(tmp_path),
        "GATEWRIGHT_KEYS": Fernet.generate_key().decode(),
    }
    subprocess.run(
        [sys.executable, "-c", PREPARE], env=environment, cwd=settings.BASE_DIR, check=True
    )
    return environment


@contextmanager
def labservers(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """``manage.py labservers``, serving."""
    with subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any(f"The lab serves {SERVERS} servers" in line for line in process.stderr)
            yield process
        finally:
            process.kill()


def endpoints(environment: dict[str, str]) -> int:
    database = Path(environment["GATEWRIGHT_DATA"]) / "gatewright.sqlite3"
    with sqlite3.connect(database) as connection:
        (count,) = connection.execute("select count(*) from gateway_labendpoint").fetchone()
    return int(count)


def test_one_process_serves_survives_a_crash_of_its_forerunner_and_stops_cleanly(
    installation: dict[str, str],
) -> None:
    with labservers(installation) as first:
        first.kill()
        first.wait(timeout=10)

    with labservers(installation) as second:
        another = subprocess.run(
            COMMAND, env=installation, capture_output=True, text=True, timeout=60
        )
        second.send_signal(signal.SIGTERM)
        assert second.wait(timeout=20) == 0

    assert another.returncode != 0
    assert "running already" in another.stderr
    assert endpoints(installation) == 0
