"""The line to the portal: HTTPS under the pinned authority, one connection kept open."""

from __future__ import annotations

import gc
import http.client
import json
import ssl
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.dataplane.agent.home import put

PATIENCE = 10.0  # seconds that the portal gets for one answer
PARTS = "gateways"  # what we can put together, as the portal calls it
_LARGEST = 256 * 1024 * 1024


class PortalError(Exception):
    """The portal cannot be reached or does not take part; the text says why, without secrets."""


class NotEnrolledError(PortalError):
    """The portal does not know this agent (any more)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the portal is and how it knows us. ``authority`` is PEM; the credential is secret."""

    url: str
    authority: str = field(repr=False)
    credential: str = field(default="", repr=False)


def load(path: Path) -> Credentials:
    """Read what was handed over or kept; raises :class:`NotEnrolledError`."""
    try:
        found = json.loads(path.read_bytes())
        return Credentials(str(found["url"]), str(found["authority"]), str(found["credential"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotEnrolledError(f"{path.name} does not tell where the portal is.") from error


def save(path: Path, credentials: Credentials) -> None:
    """Keep it in a file of mode 0600."""
    content = {
        "url": credentials.url,
        "authority": credentials.authority,
        "credential": credentials.credential,
    }
    put(path, json.dumps(content).encode())


@dataclass(slots=True)
class Portal:
    """Requests to one portal; may be used by several threads, one connection each."""

    credentials: Credentials
    _local: threading.local = field(default_factory=threading.local)
    # The last configuration by its tag, of which the portal then need not send all again.
    _last: tuple[str, dict[str, Any]] = field(default=("", {}), repr=False)

    def enrol(self, token: str) -> str:
        """Trade a token for a credential; raises :class:`PortalError`."""
        status, _, body = self._send("POST", "/agents/v1/enrol", {"token": token})
        if status != 201:
            raise PortalError(_told(status, body))
        return str(_json(body).get("credential", ""))

    def bundle(self, etag: str) -> tuple[str, dict[str, Any]] | None:
        """The tag and the configuration, ``None`` if it is still the one with ``etag``.

        To be asked by one thread only.
        """
        headers = {"If-None-Match": etag} if etag else {}
        known, before = self._last
        if known and known == etag:
            headers["A-IM"] = PARTS
        status, answer, body = self._send("GET", "/agents/v1/bundle", headers=headers)
        if status == 304:
            return None
        if status not in (200, 226):
            raise PortalError(_told(status, body))
        found = _json(body)
        if status == 226:
            try:
                found = together(before, found)
            except (KeyError, TypeError, AttributeError):
                # The next answer is a whole one.
                self._last = "", {}
                raise PortalError("The portal's answer does not fit what it said before.") from None
        self._last = answer.get("ETag", ""), found
        return self._last

    def report(self, content: dict[str, Any]) -> None:
        status, _, body = self._send("POST", "/agents/v1/report", content)
        if status != 204:
            raise PortalError(_told(status, body))

    def _send(
        self,
        method: str,
        path: str,
        content: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        sent = {"Accept": "application/json", **(headers or {})}
        if self.credentials.credential:
            sent["Authorization"] = f"Bearer {self.credentials.credential}"
        body = None
        if content is not None:
            body = json.dumps(content, ensure_ascii=False).encode()
            sent["Content-Type"] = "application/json"
        for fresh in (False, True):
            # A kept connection may have been closed meanwhile: tried once more on a new one.
            connection = self._connection(fresh)
            kept = connection.sock is not None
            try:
                connection.request(method, path, body, sent)
                answer = connection.getresponse()
                received = answer.read(_LARGEST)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if kept:
                    continue
                raise PortalError(f"The portal cannot be reached: {_words(error)}.") from None
            if answer.status in (401, 403):
                raise NotEnrolledError(_told(answer.status, received))
            return answer.status, answer.headers, received
        raise PortalError("The portal closes every connection.")

    def _connection(self, fresh: bool) -> http.client.HTTPSConnection:
        connection: http.client.HTTPSConnection | None = getattr(self._local, "line", None)
        if connection is None or fresh:
            try:
                parts = urlsplit(self.credentials.url)
                host, port = parts.hostname, parts.port or 443
            except ValueError:
                raise PortalError("The portal's address cannot be read.") from None
            if parts.scheme != "https" or not host:
                raise PortalError("The portal's address must begin with https://.")
            # This authority and no other: public ones have no say here.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            try:
                context.load_verify_locations(cadata=self.credentials.authority)
            except (ssl.SSLError, ValueError):
                raise PortalError(
                    "The certificate of the portal's authority cannot be read as PEM."
                ) from None
            connection = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=context)
            self._local.line = connection
        return connection


def together(before: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """A whole configuration from the one before and the documents that differ from it.

    What did not change is the very same object again. Raises :class:`KeyError` if something that
    belongs to it is in neither.
    """
    heads = part["gateways"]
    return {
        **part,
        "lds": _documents(before, part, "lds", (one["listeners"] for one in heads)),
        "cds": _documents(before, part, "cds", (one["clusters"] for one in heads)),
        "files": _named(
            {**before["files"], **part["files"]}, (name for one in heads for name in one["files"])
        ),
    }


def _documents(
    before: dict[str, Any], part: dict[str, Any], kind: str, names: Iterable[Iterable[str]]
) -> dict[str, Any]:
    known = {one["name"]: one for whole in (before, part) for one in whole[kind]["resources"]}
    found = _named(known, (name for some in names for name in some))
    return {**part[kind], "resources": list(found.values())}


def _named(known: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: known[name] for name in names}


def _json(body: bytes) -> dict[str, Any]:
    # Of megabytes come a million objects, all of them alive: looking for dead ones meanwhile
    # takes longer than all the rest.
    collects = gc.isenabled()
    gc.disable()
    try:
        found = json.loads(body)
    except ValueError as error:
        raise PortalError("The portal's answer is no JSON.") from error
    finally:
        if collects:
            gc.enable()
    if not isinstance(found, dict):
        raise PortalError("The portal's answer is no JSON object.")
    return found


def _told(status: int, body: bytes) -> str:
    """What the portal said about a request that it did not answer."""
    try:
        message = str(json.loads(body)["error"])[:200]
    except (ValueError, KeyError, TypeError):
        message = ""
    return f"The portal answers {status}{': ' + message if message else ''}"


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not the expected one ({error.verify_message})"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
