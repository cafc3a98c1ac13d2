from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An installation of its own, tables made."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "DJANGO_SETTINGS_MODULE": "gateway.settings",
        "GATEWRIGHT_DATA": str(tmp_path),
        "GATEWRIGHT_KEYS": Fernet.generate_key().decode(),
    }
    subprocess.run([*MANAGE, "migrate", "-v0"], env=environment, check=True)
    make = (
        "from gateway.accounts.people import ensure_owner;"
        "from gateway.lab.sandbox import ensure_sandbox;ensure_sandbox(ensure_owner())"
    )
    subprocess.run([*MANAGE, "shell", "-v0", "-c", make], env=environment, check=True)
    return environment


@pytest.fixture
def process(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """``manage.py labservers``, ready."""
    started = subprocess.Popen(
        [*MANAGE, "labservers"], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert started.stderr is not None
    for line in started.stderr:
        if "The lab serves 30 servers" in line:
            break
    yield started
    started.kill()
    started.communicate()


def endpoints(environment: dict[str, str]) -> int:
    count = "from gateway.models import LabEndpoint;print(LabEndpoint.objects.count())"
    done = subprocess.run(
        [*MANAGE, "shell", "-v0", "-c", count],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout)


def test_one_process_serves_until_it_is_told_to_stop(
    environment: dict[str, str], process: subprocess.Popen[str]
) -> None:
    second = subprocess.run(
        [*MANAGE, "labservers"], env=environment, capture_output=True, text=True, timeout=30
    )
    assert second.returncode != 0
    assert "running already" in second.stderr

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=10) == 0
    assert endpoints(environment) == 0


def test_after_a_crash_the_next_process_takes_over(
    environment: dict[str, str], process: subprocess.Popen[str]
) -> None:
    process.kill()
    process.wait(timeout=10)

    with subprocess.Popen(
        [*MANAGE, "labservers"], env=environment, stderr=subprocess.PIPE, text=True
    ) as next_one:
        assert next_one.stderr is not None
        assert any("The lab serves 30 servers" in line for line in next_one.stderr)
        next_one.send_signal(signal.SIGINT)
        assert next_one.wait(timeout=10) == 0
