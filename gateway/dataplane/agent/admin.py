"""Questions to Envoy's admin interface, which listens on a Unix socket and nowhere else."""

from __future__ import annotations

import http.client
import json
import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

PATIENCE = 5.0  # seconds that an answer may take
_LONGEST = 100  # characters of a socket's path that every system takes


class AdminError(Exception):
    """Envoy does not answer, or answers with an error."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("envoy", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        if len(str(self._path)) <= _LONGEST:
            self.sock.connect(str(self._path))
            return
        directory = os.open(self._path.parent, os.O_PATH)
        try:
            self.sock.connect(f"/proc/self/fd/{directory}/{self._path.name}")
        finally:
            os.close(directory)


def ask(admin: Path, target: str, *, method: str = "GET", timeout: float = PATIENCE) -> bytes:
    """The answer to one question; raises :class:`AdminError`."""
    connection = _Connection(admin, timeout)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise AdminError(f"Envoy does not answer: {error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise AdminError(f"Envoy answers {answer.status} to {target.partition('?')[0]}.")
    return body


def ask_json(admin: Path, target: str) -> Any:
    try:
        return json.loads(ask(admin, target))
    except ValueError as error:
        raise AdminError("Envoy's answer is no JSON.") from error


def stats(admin: Path, pattern: str, kind: str = "All") -> dict[str, str]:
    """Figures whose names match ``pattern`` (a regular expression), by name.

    ``kind`` is one of Counters, Gauges, TextReadouts: asking for few is quicker by much.
    """
    target = f"/stats?type={kind}&filter={quote(pattern)}"
    found = {}
    for line in ask(admin, target).decode(errors="replace").splitlines():
        name, separator, value = line.partition(": ")
        if separator:
            found[name] = value.strip('"')
    return found
