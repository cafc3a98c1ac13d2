"""One probe over real sockets: resolve → connect → handshake → certificate → request.

No database, no settings but those of the network policy; everything comes in with the plan. The
stages after the look-up have the time-out of the probe together.
"""

from __future__ import annotations

import errno
import http.client
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Literal
from urllib.parse import quote

from certificates.x509.facts.certificate import Certificate
from certificates.x509.trust.anchors import AnchorStore
from gateway.health.answers import Answer, read_answer
from gateway.health.catalogue import SIMULATED_SILENCE
from gateway.health.handshake import (
    BrokenHandshakeError,
    Handshake,
    Trouble,
    shake_hands,
    trouble_of,
)
from gateway.health.plans import ProbePlan
from gateway.health.trust import Examination, examine, read_presented
from gateway.network import (
    Dial,
    LabNotReadyError,
    NoHostError,
    NotAllowedError,
    Resolution,
    Zone,
    dial_address,
    resolve,
)
from gateway.network.dns import PORT as DNS_PORT
from gateway.network.resolve import Lookup
from gateway.network.wire import Deadline, TooLongError

# However long a probe may wait: patience without end would hold the prober's threads for ever.
LONGEST_WAIT = 120
# A resolver that has not answered by then is silent; the time-out of the probe is not spent on it.
LONGEST_LOOKUP = 3.0

FailureKind = Literal[
    "simulated",
    "dns",
    "dns-silent",
    "dns-refused",
    "dns-not-ready",
    "not-allowed",
    "lab-not-ready",
    "connect",
    "broken",
    "timeout",
    "certificate",
    "status",
    "body",
]
StageName = Literal["resolve", "connect", "handshake", "certificate", "request"]

# Faults of this machine, not of the server.
_OWN_ERRORS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that was entered; ``ms`` in milliseconds, ``detail`` for people."""

    name: StageName
    ok: bool
    ms: float
    detail: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the probe ended early; ``detail`` is a sentence or two for people.

    ``trouble`` is what broke a connection that had been made.
    """

    kind: FailureKind
    detail: str
    trouble: Trouble | None = None


@dataclass(slots=True)
class Observation:
    """All that one probe saw.

    ``dialed`` is the address and port as users know them, ``remembered`` the address of an earlier
    answer that was used because nobody answered.
    """

    stages: list[Stage] = field(default_factory=list)
    failure: Failure | None = None
    resolution: Resolution | None = None
    remembered: str = ""
    dialed: str = ""
    handshake: Handshake | None = None
    presented: tuple[Certificate, ...] = ()
    examination: Examination | None = None
    request: str = ""
    answer: Answer | None = None

    @property
    def milliseconds(self) -> float:
        return round(sum(stage.ms for stage in self.stages), 1)

    @property
    def resolved(self) -> str:
        """The address that a name has by an answer of this probe, to be remembered; or empty."""
        found = self.resolution
        if found is None or found.source == "literal" or not found.addresses:
            return ""
        return found.addresses[0]


class _StoppedError(Exception):
    """Ends the probe at the stage that raises it."""

    def __init__(self, kind: FailureKind, detail: str, trouble: Trouble | None = None) -> None:
        super().__init__(detail)
        self.failure = Failure(kind, detail, trouble)


def run(
    plan: ProbePlan,
    *,
    zone: Zone,
    well_known: AnchorStore,
    now: datetime,
    remembered: str = "",
    lookup: Lookup | None = None,
) -> Observation:
    """Probe one server through one HTTP setting and tell everything that was seen.

    ``now`` (aware) is the time by which certificates are judged; ``remembered`` the address that
    the target's name had last, used while its DNS servers give no answer; ``lookup`` answers for
    names outside the zone (the system's resolver by default). Never raises for what a server does;
    ``OSError`` only for faults of this machine, such as no file descriptor being left.
    """
    seen = Observation()
    if plan.simulated in SIMULATED_SILENCE:
        seen.failure = Failure("simulated", "No probe was sent.")
        return seen
    try:
        address = _resolve(plan, zone, remembered, lookup, seen)
        deadline = Deadline(min(plan.leg.timeout, LONGEST_WAIT))
        with _connect(plan, zone, address, deadline, seen) as plain:
            if plan.leg.scheme == "http":
                _request(plan, plain, deadline, seen)
            else:
                with _shake_hands(plan, plain, deadline, seen) as secured:
                    _examine(plan, well_known, now, seen)
                    _request(plan, secured, deadline, seen)
    except _StoppedError as stopped:
        seen.failure = stopped.failure
    return seen


@contextmanager
def _stage(seen: Observation, name: StageName) -> Iterator[list[str]]:
    """Times a stage and records its end; the body puts its detail into the list it gets."""
    started = time.monotonic()
    told: list[str] = []
    try:
        yield told
    except _StoppedError as stopped:
        ms = round((time.monotonic() - started) * 1000, 1)
        seen.stages.append(Stage(name, False, ms, stopped.failure.detail))
        raise
    ms = round((time.monotonic() - started) * 1000, 1)
    seen.stages.append(Stage(name, True, ms, " ".join(told)))


def _resolve(
    plan: ProbePlan, zone: Zone, remembered: str, lookup: Lookup | None, seen: Observation
) -> str:
    with _stage(seen, "resolve") as told:
        patience = min(plan.leg.timeout, LONGEST_LOOKUP)
        found = resolve(zone, plan.target, timeout=patience, lookup=lookup)
        seen.resolution = found
        if found.error is None:
            address = found.addresses[0]
            if found.source == "literal":
                told.append(f"{address} is an address already.")
            else:
                told.append(f"“{plan.target}” is {address}.")
            return address
        if found.error == "not-found":
            where = _WHERE.get(found.source, "in DNS")
            raise _StoppedError("dns", f"The name “{plan.target}” does not exist {where}.")
        why = _unresolved(plan, found)
        if not remembered:
            kind: FailureKind = "dns-refused" if found.error == "refused" else "dns-silent"
            if kind == "dns-silent" and any(_is_starting(zone, one) for one in found.asked):
                kind = "dns-not-ready"
            raise _StoppedError(
                kind, f"{why} No address is remembered since the gateway was changed last."
            )
        seen.remembered = remembered
        told.append(f"{why} The address that it had last is used: {remembered}.")
        return remembered


def _is_starting(zone: Zone, server: str) -> bool:
    """Whether a DNS server is one of the lab that has not reported where it listens."""
    try:
        dial_address(zone, server, DNS_PORT)
    except LabNotReadyError:
        return True
    except (NotAllowedError, NoHostError):
        return False
    return False


_WHERE = {
    "zone": "in the zone of the virtual network",
    "custom": "for the DNS servers of the virtual network",
}


def _unresolved(plan: ProbePlan, found: Resolution) -> str:
    if found.error == "refused":
        why = f"The DNS servers of the virtual network do not answer for “{plan.target}”."
    else:
        why = f"The DNS servers gave no usable answer for “{plan.target}”."
    return f"{why} {found.detail}".rstrip()


@contextmanager
def _connect(
    plan: ProbePlan, zone: Zone, address: str, deadline: Deadline, seen: Observation
) -> Iterator[socket.socket]:
    port = plan.leg.port
    seen.dialed = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    with _stage(seen, "connect") as told:
        dial = _dial(zone, address, port)
        family = socket.AF_INET6 if ":" in dial.host else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(deadline.left())
            connection.connect((dial.host, dial.port))
        except OSError as error:
            connection.close()
            raise _StoppedError("connect", _no_connection(error, seen.dialed)) from error
        told.append(f"Connected to {seen.dialed}.")
    with connection:
        yield connection


def _dial(zone: Zone, address: str, port: int) -> Dial:
    try:
        return dial_address(zone, address, port)
    except NotAllowedError as refused:
        raise _StoppedError(
            "not-allowed", f"{address} port {port} is not connected to: {refused}."
        ) from refused
    except NoHostError as missing:
        raise _StoppedError(
            "connect", f"No server of the virtual network has the address {address}."
        ) from missing
    except LabNotReadyError as missing:
        raise _StoppedError(
            "lab-not-ready", f"The lab server at {address} has not been started."
        ) from missing


def _no_connection(error: OSError, dialed: str) -> str:
    """The words for a failed connection; a fault of this machine is raised as it is."""
    if isinstance(error, ConnectionRefusedError):
        return f"{dialed} refused the connection: nothing listens on that port."
    if isinstance(error, TimeoutError):
        return f"{dialed} did not accept the connection in time; a firewall may drop it."
    if error.errno in _OWN_ERRORS:
        raise error
    return f"{dialed} cannot be reached."


@contextmanager
def _shake_hands(
    plan: ProbePlan, connection: socket.socket, deadline: Deadline, seen: Observation
) -> Iterator[socket.socket]:
    with _stage(seen, "handshake") as told:
        try:
            connection.settimeout(deadline.left())
            secured, handshake = shake_hands(connection, plan.leg.sni, is_v1=plan.is_v1)
        except TimeoutError as error:
            raise _StoppedError("timeout", _silence(plan, "the TLS handshake")) from error
        except BrokenHandshakeError as error:
            detail = f"The TLS handshake with {seen.dialed} failed: {error.trouble.words}."
            raise _StoppedError("broken", detail, error.trouble) from error
        seen.handshake = handshake
        seen.presented, _ = read_presented(handshake.chain)
        sent = f"the server name “{plan.leg.sni}”" if plan.leg.sni else "no server name"
        told.append(f"{handshake.version} with {sent}.")
    with secured:
        yield secured


def _examine(plan: ProbePlan, well_known: AnchorStore, now: datetime, seen: Observation) -> None:
    with _stage(seen, "certificate") as told:
        chain = seen.handshake.chain if seen.handshake else ()
        seen.examination = examine(plan, chain, well_known=well_known, now=now)
        if seen.examination.kind is not None:
            raise _StoppedError("certificate", seen.examination.detail)
        told.append(seen.examination.detail)


def _request(
    plan: ProbePlan, connection: socket.socket, deadline: Deadline, seen: Observation
) -> None:
    leg = plan.leg
    path = quote(leg.path, safe="/?#[]@!$&'()*+,;=:%-._~")
    seen.request = f"GET {path} with Host: {leg.host_header}"
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {leg.host_header}\r\n"
        "User-Agent: Gatewright-Probe\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
        "Connection: close\r\n\r\n"
    )
    wanted = partial(accepts, leg.status_codes)
    with _stage(seen, "request") as told:
        try:
            connection.settimeout(deadline.left())
            _send(connection, head.encode("ascii", "replace"))
            answer = read_answer(connection, deadline, accepts=wanted, text=leg.body)
        except TimeoutError as error:
            raise _StoppedError("timeout", _silence(plan, "an answer")) from error
        except TooLongError as error:
            detail = f"{seen.dialed} answers with more than 64 KB of headers."
            raise _StoppedError("broken", detail) from error
        except (ConnectionError, http.client.RemoteDisconnected) as error:
            detail = f"{seen.dialed} closed the connection without a complete answer."
            raise _StoppedError("broken", detail, trouble_of(error)) from error
        except http.client.IncompleteRead as error:
            detail = f"The answer of {seen.dialed} broke off before its end."
            raise _StoppedError("broken", detail) from error
        except http.client.HTTPException as error:
            raise _StoppedError("broken", f"{seen.dialed} does not answer in HTTP.") from error
        except OSError as error:
            trouble = trouble_of(error)
            detail = f"The connection to {seen.dialed} broke: {trouble.words}."
            raise _StoppedError("broken", detail, trouble) from error
        seen.answer = answer
        _judge_answer(plan, answer)
        told.append(f"Answered {answer.status_code}.")


def _send(connection: socket.socket, head: bytes) -> None:
    """Send the request; a server that hung up meanwhile may have said why, so go on to read."""
    try:
        connection.sendall(head)
    except TimeoutError:
        raise
    except OSError:
        return


def _judge_answer(plan: ProbePlan, answer: Answer) -> None:
    if not accepts(plan.leg.status_codes, answer.status_code):
        accepted = ", ".join(plan.leg.status_codes)
        raise _StoppedError(
            "status", f"The server answered {answer.status_code}; accepted is {accepted}."
        )
    if answer.found is False:
        raise _StoppedError(
            "body",
            f"The server answered {answer.status_code}, but “{_short(plan.leg.body)}” is not in "
            "the answer.",
        )


def accepts(ranges: Sequence[str], code: int) -> bool:
    """Whether a status code lies in one of the ``ranges`` (``200`` or ``200-399``)."""
    for text in ranges:
        low, _, high = (part.strip() for part in text.partition("-"))
        high = high or low
        if low.isdecimal() and high.isdecimal() and int(low) <= code <= int(high):
            return True
    return False


def _silence(plan: ProbePlan, what: str) -> str:
    seconds = plan.leg.timeout
    told = f"The connection was made, but {what} did not come within {seconds} seconds."
    if seconds > LONGEST_WAIT:
        told = (
            f"The connection was made, but {what} did not come within {LONGEST_WAIT} seconds, the "
            f"longest that this portal waits (the time-out is {seconds})."
        )
    return told


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
