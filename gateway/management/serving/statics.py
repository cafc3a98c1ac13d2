"""Static files, collected under hashed names when they have changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def fingerprint() -> str:
    """SHA-256 over name, size and time of change of every static file there is."""
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            facts = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_current() -> bool:
    """Whether the last collection still stands."""
    stamp = _stamp()
    return stamp.exists() and stamp.read_text(encoding="utf-8") == fingerprint()


def collect() -> None:
    """Collect every file anew; whatever an older version left goes."""
    present = fingerprint()
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    _stamp().write_text(present, encoding="utf-8")


def _stamp() -> Path:
    return Path(settings.STATIC_ROOT) / ".collected"
