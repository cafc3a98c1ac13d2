"""Custom error pages are fetched once for each saved state of a gateway, and kept.

"Create Application Gateway custom error pages": the page stands at a public address and is taken
over when the gateway is saved. Until it has been fetched the default page is answered; if fetching
fails later, the page of the time before stays.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from certificates.publicroot import well_known
from certificates.x509.trust.anchors import AnchorStore
from gateway.models import (
    CustomError,
    ErrorPage,
    GatewayIPConfiguration,
    LoadedGateway,
)
from gateway.network import Zone, dial_address, load_zone, resolve
from gateway.network.dial import LabNotReadyError, NoHostError, NotAllowedError
from gateway.network.wire import Deadline, Incoming, TooLongError, response_of
from gateway.waking import wake

logger = logging.getLogger(__name__)

MOST_BYTES = 1024 * 1024
MOST_SECONDS = 10.0
POLL_SECONDS = 2.0
# After a failure it is tried again.
RETRY = timedelta(minutes=1)
_PORTS = {"http": 80, "https": 443}


class FetchError(Exception):
    """The page could not be fetched; the text says why, as the end of a sentence."""


def address_key(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def pages_of(loaded: LoadedGateway) -> dict[tuple[str, int], str]:
    """The pages that were fetched: (name of a listener or "", status) → HTML (1 query)."""
    if not loaded.custom_errors:
        return {}
    html = dict(
        ErrorPage.objects.filter(gateway=loaded.gateway)
        .exclude(html="")
        .values_list("url_sha256", "html")
    )
    return {
        place: html[address_key(one.page_url)]
        for one, place in _places(loaded)
        if address_key(one.page_url) in html
    }


def missing(loaded: LoadedGateway, known: Iterable[tuple[str, int]]) -> list[CustomError]:
    """The custom errors of a gateway whose page is not among the ``known`` ones."""
    have = set(known)
    return [one for one, place in _places(loaded) if place not in have]


def _places(loaded: LoadedGateway) -> Iterator[tuple[CustomError, tuple[str, int]]]:
    """Every custom error with the listener's name (or "") and the status that it is for."""
    names = {listener.pk: listener.name for listener in loaded.listeners}
    for one in loaded.custom_errors:
        status = status_of(one)
        if status:
            yield one, (names[one.listener_id] if one.listener_id else "", status)


def status_of(error: CustomError) -> int:
    """The number in ``HttpStatus502``; 0 if it is none."""
    digits = error.status_code.removeprefix("HttpStatus")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 3 else 0


def refresh(now: datetime) -> int:
    """Fetch every page that is due; how many were tried."""
    kept = {
        (row.gateway_id, row.url_sha256): row for row in ErrorPage.objects.defer("html").iterator()
    }
    wanted = {
        (gateway, address_key(url)): (generation, url)
        for gateway, generation, url in CustomError.objects.values_list(
            "gateway_id", "gateway__generation", "page_url"
        )
    }
    ErrorPage.objects.filter(pk__in=[kept[key].pk for key in kept.keys() - wanted.keys()]).delete()
    tried = 0
    for key, (generation, url) in wanted.items():
        row = kept.get(key)
        if row is None or _is_due(row, generation, now):
            _try(key, generation, url, now)
            tried += 1
    return tried


def _is_due(row: ErrorPage, generation: int, now: datetime) -> bool:
    if row.generation != generation:
        return True
    return bool(row.fault) and row.tried_at <= now - RETRY


def _try(key: tuple[int, str], generation: int, url: str, now: datetime) -> None:
    gateway, digest = key
    found: dict[str, object] = {"generation": generation, "tried_at": now, "fault": ""}
    try:
        found["html"] = fetch(_zone(gateway), url, well_known())
    except FetchError as error:
        found["fault"] = str(error)[:400]
    ErrorPage.objects.update_or_create(gateway_id=gateway, url_sha256=digest, defaults=found)
    wake()


def _zone(gateway: int) -> Zone:
    stands = (
        GatewayIPConfiguration.objects.filter(gateway=gateway, subnet__isnull=False)
        .select_related("subnet__virtual_network")
        .first()
    )
    subnet = stands.subnet if stands else None
    return load_zone(subnet.virtual_network if subnet else None)


def fetch(zone: Zone, url: str, store: AnchorStore, *, seconds: float = MOST_SECONDS) -> str:
    """The page at ``url`` as seen from ``zone``; redirects are not followed.

    Raises :class:`FetchError`.
    """
    parts = urlsplit(url)
    deadline = Deadline(seconds)
    try:
        with _connected(zone, parts, deadline) as plain:
            if parts.scheme != "https":
                return _read(plain, parts, deadline)
            context = ssl.create_default_context(cadata=_pem(store))
            with context.wrap_socket(plain, server_hostname=parts.hostname) as secured:
                return _read(secured, parts, deadline)
    except TimeoutError as error:
        raise FetchError("its server took too long") from error
    except ssl.SSLCertVerificationError as error:
        raise FetchError(f"its certificate is not trusted ({error.verify_message})") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchError("the connection to its server broke") from error


def _pem(store: AnchorStore) -> str:
    return "".join(anchor.certificate.pem for anchor in store)


def _connected(zone: Zone, parts: SplitResult, deadline: Deadline) -> socket.socket:
    name = parts.hostname or ""
    found = resolve(zone, name, timeout=deadline.left())
    if not found.addresses:
        raise FetchError(f"“{name}” has no address")
    port = parts.port or _PORTS[parts.scheme]
    try:
        dial = dial_address(zone, found.addresses[0], port)
    except NotAllowedError as error:
        raise FetchError(f"{found.addresses[0]} is not connected to: {error}") from error
    except (NoHostError, LabNotReadyError) as error:
        raise FetchError(f"no server answers at {found.addresses[0]}") from error
    return socket.create_connection((dial.host, dial.port), timeout=deadline.left())


def _read(connected: socket.socket, parts: SplitResult, deadline: Deadline) -> str:
    host = parts.netloc.rpartition("@")[2]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: text/html\r\n\r\n"
    connected.settimeout(deadline.left())
    connected.sendall(head.encode("ascii"))
    response = response_of(Incoming(connected, deadline, MOST_BYTES + 64 * 1024))
    response.begin()
    if response.status != 200:
        raise FetchError(f"its server answered {response.status}")
    try:
        body = response.read(MOST_BYTES + 1)
    except TooLongError:
        raise FetchError("it is larger than 1 MB") from None
    if len(body) > MOST_BYTES:
        raise FetchError("it is larger than 1 MB")
    # A database keeps no NUL in a text.
    return _decoded(body, response.headers.get_content_charset()).replace("\0", "")


def _decoded(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")


def run(stop: threading.Event, *, clock: Callable[[], datetime] = timezone.now) -> None:
    """Fetch what is due every few seconds, until ``stop`` is set."""
    while not stop.wait(POLL_SECONDS):
        try:
            refresh(clock())
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Error pages were not fetched (%s).", type(error).__name__)
        except Exception:
            logger.exception("Error pages were not fetched; it is tried again.")
        finally:
            connection.close()
