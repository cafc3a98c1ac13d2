"""One request to a published listener, sent and watched as a client would: for *Test request*.

Nothing is verified on the way, everything is kept: the certificate that was shown, what was agreed,
the answer. Time and size are bounded, and no redirect is followed here.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import socket
import ssl
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from certificates.x509.facts.certificate import Certificate, printable
from certificates.x509.problems import ProblemError
from gateway.network.wire import Deadline, Incoming, TooLongError, presented_chain, response_of

LONGEST = 10.0
"""Seconds for the whole exchange."""

MAX_HEAD = 64 * 1024
MAX_BODY = 1024 * 1024

Version = Literal["", "TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"]
_VERSIONS: dict[str, ssl.TLSVersion] = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1_1": ssl.TLSVersion.TLSv1_1,
    "TLSv1_2": ssl.TLSVersion.TLSv1_2,
    "TLSv1_3": ssl.TLSVersion.TLSv1_3,
}
_DEFAULT_PORTS = {"http": 80, "https": 443}
# What a path may hold beside letters and digits (RFC 3986 3.3, 3.4); the rest is percent-encoded.
_PATH_MARKS = "/?:@!$&'()*+,;=-._~%[]"


@dataclass(frozen=True, slots=True)
class Identity:
    """A client certificate: PEM text of the certificates, own first, and of the key."""

    chain_pem: bytes
    key_pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of whom.

    ``address`` and ``number`` are where the listener is published, ``port`` is the one that clients
    name; ``host`` comes without port. With ``version`` only that version of TLS is offered.
    """

    scheme: Literal["http", "https"]
    address: str
    number: int
    port: int
    host: str
    path: str = "/"
    method: str = "GET"
    request_id: str = ""
    version: Version = ""
    identity: Identity | None = None

    @property
    def host_header(self) -> str:
        """The host as a client writes it: with the port unless that is the scheme's own."""
        bare = f"[{self.host}]" if ":" in self.host else self.host
        return bare if self.port == _DEFAULT_PORTS[self.scheme] else f"{bare}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}{self.target}"

    @property
    def target(self) -> str:
        """The path as it is sent."""
        return quote(self.path, safe=_PATH_MARKS)

    @property
    def server_name(self) -> str | None:
        """The server name of the handshake; an address is never sent (RFC 6066 3)."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return self.host.rstrip(".")
        return None


@dataclass(frozen=True, slots=True)
class Session:
    """What client and listener agreed on; ``chain`` as the listener sent it."""

    version: str
    cipher: str
    sni: str | None
    chain: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; ``complete`` is false if it went on after :data:`MAX_BODY` bytes."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool = True

    def header(self, name: str) -> str:
        """The first header of that name; empty if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


Stage = Literal["connect", "handshake", "answer"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Where an exchange ended early; ``words`` are for people."""

    stage: Stage
    words: str


@dataclass(slots=True)
class Exchange:
    """All that was seen; ``own`` is the client's address and port, times are in milliseconds."""

    ask: Ask
    own: tuple[str, int] | None = None
    session: Session | None = None
    reply: Reply | None = None
    trouble: Trouble | None = None
    times: dict[Stage, float] = field(default_factory=dict)


class _StoppedError(Exception):
    def __init__(self, stage: Stage, words: str) -> None:
        super().__init__(words)
        self.trouble = Trouble(stage, words)


def exchange(ask: Ask, *, seconds: float = LONGEST) -> Exchange:
    """Send ``ask`` and watch. Never raises for what the other side does."""
    seen = Exchange(ask)
    deadline = Deadline(seconds)
    try:
        with _connected(ask, deadline, seen) as plain:
            if ask.scheme == "http":
                _converse(plain, deadline, seen)
            else:
                with _secured(plain, deadline, seen) as secured:
                    _converse(secured, deadline, seen)
    except _StoppedError as stopped:
        seen.trouble = stopped.trouble
    return seen


@contextmanager
def _timed(seen: Exchange, stage: Stage) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        seen.times[stage] = round((time.monotonic() - started) * 1000, 1)


@contextmanager
def _connected(ask: Ask, deadline: Deadline, seen: Exchange) -> Iterator[socket.socket]:
    where = f"{ask.address}:{ask.number}"
    with _timed(seen, "connect"):
        try:
            connection = socket.create_connection(
                (ask.address, ask.number), timeout=deadline.left()
            )
        except ConnectionRefusedError:
            raise _StoppedError(
                "connect", f"{where} refused the connection: no data plane listens there now."
            ) from None
        except TimeoutError:
            raise _StoppedError("connect", f"{where} did not answer in time.") from None
        except OSError as error:
            raise _StoppedError(
                "connect", f"{where} could not be reached: {error.strerror or error}."
            ) from None
    with connection:
        host, port = connection.getsockname()[:2]
        seen.own = (str(host), int(port))
        yield connection


@contextmanager
def _secured(
    connection: socket.socket, deadline: Deadline, seen: Exchange
) -> Iterator[ssl.SSLSocket]:
    ask = seen.ask
    with _timed(seen, "handshake"):
        try:
            context = _context(ask)
        except (OSError, ValueError):
            raise _StoppedError(
                "handshake", "The client certificate and its key cannot be used together."
            ) from None
        try:
            connection.settimeout(deadline.left())
            secured = context.wrap_socket(connection, server_hostname=ask.server_name)
        except TimeoutError:
            raise _StoppedError("handshake", "The handshake did not end in time.") from None
        except OSError as error:
            raise _StoppedError("handshake", broken(error)) from None
        except ValueError:
            raise _StoppedError("handshake", "The host cannot be sent as server name.") from None
    with secured:
        cipher = secured.cipher()
        seen.session = Session(
            version=secured.version() or "",
            cipher=cipher[0] if cipher else "",
            sni=ask.server_name,
            chain=tuple(_certificates(secured)),
        )
        yield secured


def _certificates(secured: ssl.SSLSocket) -> Iterator[Certificate]:
    for der in presented_chain(secured):
        with suppress(ProblemError):
            yield Certificate.from_der(der)


def _context(ask: Ask) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The page shows what the listener presents and says what is wrong with it.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Old versions are offered when they are asked for: that they are refused is what is tested.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.set_alpn_protocols(["http/1.1"])
    if ask.version:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = _VERSIONS[ask.version]
    else:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    if ask.identity:
        with _as_file(ask.identity.chain_pem + b"\n" + ask.identity.key_pem) as path:
            # Without the function a protected key would be asked for on the terminal.
            context.load_cert_chain(path, password=lambda: b"")
    return context


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """A path under which the TLS library reads ``content``: in memory where the system can."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
        with os.fdopen(number, "wb") as memory:
            memory.write(content)
            memory.flush()
            yield f"/proc/self/fd/{number}"
        return
    with tempfile.NamedTemporaryFile() as file:  # mode 0600, gone with the block
        file.write(content)
        file.flush()
        yield file.name


def broken(error: OSError) -> str:
    """Why there was no TLS session, or why it ended, seen from the client."""
    reason = str(getattr(error, "reason", "") or "")
    if reason in {"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"}:
        return (
            "The listener's TLS policy allows none of the TLS versions that were offered, so the "
            "handshake ended with an alert and there is no HTTP answer."
        )
    if reason in {"SSLV3_ALERT_HANDSHAKE_FAILURE", "NO_CIPHERS_AVAILABLE"}:
        return (
            "Client and listener have no cipher suite in common: the listener's TLS policy "
            "decides which it takes."
        )
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        return "What answered does not speak TLS."
    if "CERTIFICATE_REQUIRED" in reason:
        return "The listener asks for a client certificate and got none."
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return "The listener refused the client certificate."
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError):
        return "The listener closed the connection."
    if reason:
        return f"TLS failed: the library says “{printable(reason).replace('_', ' ').lower()}”."
    return "The connection was lost."


def _converse(connection: socket.socket, deadline: Deadline, seen: Exchange) -> None:
    with _timed(seen, "answer"):
        try:
            connection.settimeout(deadline.left())
            connection.sendall(_head(seen.ask))
            seen.reply = _read(connection, deadline, seen.ask.method)
        except TimeoutError:
            raise _StoppedError(
                "answer", f"No complete answer came within {deadline.seconds:g} seconds."
            ) from None
        except OSError as error:
            raise _StoppedError("answer", broken(error)) from None
        except TooLongError:
            raise _StoppedError("answer", "The head of the answer is too long.") from None
        except http.client.HTTPException:
            raise _StoppedError("answer", "What came back is no HTTP answer.") from None


def _head(ask: Ask) -> bytes:
    lines = [
        f"{ask.method} {ask.target} HTTP/1.1",
        f"Host: {ask.host_header}",
        "User-Agent: Gatewright-Test-Request",
        "Accept: */*",
        "Connection: close",
    ]
    if ask.request_id:
        lines.append(f"X-Request-Id: {ask.request_id}")
    if ask.method in {"POST", "PUT", "PATCH"}:
        lines.append("Content-Length: 0")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _read(connection: socket.socket, deadline: Deadline, method: str) -> Reply:
    incoming = Incoming(connection, deadline, MAX_HEAD)
    response = response_of(incoming, method)
    response.begin()
    incoming.left = MAX_BODY + 1
    body, complete = b"", True
    try:
        while piece := response.read1(64 * 1024):
            body += piece
        # What the head announced and nobody sent; without a length the end is the end.
        complete = not response.length
    except TooLongError:
        complete = False
    except http.client.IncompleteRead as error:
        body, complete = body + error.partial, False
    return Reply(
        status=response.status,
        reason=printable(response.reason or ""),
        headers=tuple((printable(key), printable(value)) for key, value in response.getheaders()),
        body=body[:MAX_BODY],
        complete=complete and len(body) <= MAX_BODY,
    )
