"""A request and the redirects that it meets, as long as they stay with the gateway."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from django.core.exceptions import ValidationError

from gateway.dataplane.exchange import LONGEST, Ask, Exchange, exchange
from gateway.models.fields import validate_host_name
from gateway.portal.request_form import Door

MOST_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_DEFAULT_PORTS = {"http": 80, "https": 443}


def travel(ask: Ask, doors: Sequence[Door], *, follow: bool) -> Iterator[tuple[Exchange, str]]:
    """The exchange, and those that its redirects lead to, with why it went no further."""
    deadline = time.monotonic() + LONGEST
    for number in range(MOST_REDIRECTS + 1):
        seen = exchange(ask, seconds=max(0.1, deadline - time.monotonic()))
        target = _location(seen)
        if not follow or not target:
            yield seen, ""
            return
        onward = _follow(ask, target, doors)
        if onward is None:
            yield seen, f"The redirect to {target} leads away from this gateway: not followed."
            return
        if number == MOST_REDIRECTS:
            yield seen, f"After {MOST_REDIRECTS} redirects no more are followed."
            return
        yield seen, ""
        ask = onward


def _location(seen: Exchange) -> str:
    """Where a redirect leads to, as a whole address; empty for any other answer."""
    reply = seen.reply
    if reply is None or reply.status not in _REDIRECTS or not reply.header("location"):
        return ""
    try:
        return urljoin(seen.ask.url, reply.header("location"))
    except ValueError:
        return ""


def _follow(ask: Ask, target: str, doors: Sequence[Door]) -> Ask | None:
    """The request that a redirect leads to; ``None`` if no listener of the gateway takes it."""
    try:
        parts = urlsplit(target)
        host, port = (parts.hostname or "").lower(), parts.port
        validate_host_name(host)
    except (ValueError, ValidationError):
        return None
    if parts.scheme not in ("http", "https"):
        return None
    port = port or _DEFAULT_PORTS[parts.scheme]
    for door in doors:
        # A redirect may name the port that is configured, or the one that is bound.
        if door.scheme != parts.scheme or port not in (door.port, door.number):
            continue
        if host in (ask.host.lower(), door.address) or any(
            _takes(pattern, host) for pattern in door.hosts
        ):
            path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            return replace(
                ask,
                scheme=door.scheme,
                address=door.address,
                number=door.number,
                port=door.port,
                host=host,
                path=path,
                method=ask.method if ask.method in ("GET", "HEAD") else "GET",
                request_id=secrets.token_hex(16),
                identity=ask.identity if door.scheme == "https" else None,
            )
    return None


def _takes(pattern: str, host: str) -> bool:
    pieces = {"*": ".*", "?": "."}
    regex = "".join(pieces.get(one) or re.escape(one) for one in pattern.lower())
    return re.fullmatch(regex, host) is not None
