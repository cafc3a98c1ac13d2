"""The journey of one request as the client saw it, leg by leg, in words.

What the gateway did with it is told by :mod:`gateway.portal.onward`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from certificates.x509.facts.certificate import ROLE_WORDS, Certificate
from certificates.x509.facts.names import match_name
from gateway.dataplane.exchange import Exchange, Session


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value; ``url`` makes the value a link."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of the journey; ``state`` is how it is drawn (``ok``, ``failed``, ``unknown`` …).

    ``help`` is the id of a problem with a help page, ``url`` a page of more, called ``url_label``.
    """

    title: str
    icon: str
    state: str
    word: str
    text: str = ""
    remedy: str = ""
    help: str = ""
    url: str = ""
    url_label: str = ""
    ms: float | None = None
    facts: tuple[Fact, ...] = ()
    certificate: Certificate | None = None

    @property
    def what(self) -> str:
        """What the certificate is, in words."""
        return ROLE_WORDS[self.certificate.role] if self.certificate else ""


def client_legs(seen: Exchange, now: datetime) -> tuple[Leg, ...]:
    """The legs up to the answer, as far as the exchange came."""
    return tuple(_client_legs(seen, now))


def _client_legs(seen: Exchange, now: datetime) -> Iterator[Leg]:
    ask, trouble = seen.ask, seen.trouble
    stage = trouble.stage if trouble else ""
    words = trouble.words if trouble else ""
    facts = [Fact("Asked for", f"{ask.method} {ask.url}"), Fact("Address", _published(seen))]
    if seen.own:
        facts.append(Fact("From", f"{seen.own[0]}:{seen.own[1]}"))
    failed = stage == "connect"
    yield Leg(
        "To the gateway",
        "user",
        "failed" if failed else "ok",
        "No connection" if failed else "Connected",
        text=words if failed else "",
        remedy="See on the Overview whether the listener is live." if failed else "",
        ms=seen.times.get("connect"),
        facts=tuple(facts),
    )
    if failed or ask.scheme == "http":
        return
    failed = stage == "handshake"
    good = "ok" if _is_for_clients(seen.session, ask.host, now) else "warning"
    yield Leg(
        "TLS with the listener",
        "lock",
        "failed" if failed else good,
        "No handshake" if failed else seen.session.version if seen.session else "",
        text=words if failed else _about_session(seen.session, ask.host, now),
        ms=seen.times.get("handshake"),
        facts=tuple(_session_facts(seen)),
        certificate=seen.session.chain[0] if seen.session and seen.session.chain else None,
    )


def _published(seen: Exchange) -> str:
    ask = seen.ask
    where = f"{ask.address}:{ask.number}"
    return where if ask.number == ask.port else f"{where} (published for port {ask.port})"


def _session_facts(seen: Exchange) -> Iterator[Fact]:
    yield Fact("Server name sent", seen.ask.server_name or "none, as the host is an address")
    if seen.ask.identity is not None:
        yield Fact("Client certificate", "offered")
    if seen.session:
        yield Fact("Protocol", seen.session.version)
        yield Fact("Cipher suite", seen.session.cipher)
        yield Fact("Certificates sent", str(len(seen.session.chain)))


def _is_for_clients(session: Session | None, host: str, now: datetime) -> bool:
    """Whether the name and the dates of the listener's certificate would suit a client."""
    if session is None or not session.chain:
        return True
    leaf = session.chain[0]
    return match_name(leaf, host).ok and leaf.not_before <= now <= leaf.not_after


def _about_session(session: Session | None, host: str, now: datetime) -> str:
    """What a client would say of the certificate that the listener showed."""
    if session is None or not session.chain:
        return ""
    leaf = session.chain[0]
    told = [match_name(leaf, host).detail]
    if not leaf.not_before <= now <= leaf.not_after:
        told.append("It is not valid today, so clients refuse it.")
    elif leaf.self_signed:
        told.append("It is self-signed: clients accept it only if they were told to trust it.")
    return " ".join(told)


def answer_leg(seen: Exchange) -> Leg:
    """The answer as the client got it."""
    reply = seen.reply
    if reply is None:
        return Leg(
            "Answer",
            "send",
            "failed",
            "None",
            text=seen.trouble.words if seen.trouble and seen.trouble.stage == "answer" else "",
        )
    facts = [
        Fact("Status", f"{reply.status} {reply.reason}".strip()),
        Fact("Body", _size(len(reply.body), complete=reply.complete)),
    ]
    return Leg(
        "Answer",
        "send",
        "failed" if reply.status >= 500 else "warning" if reply.status >= 400 else "ok",
        str(reply.status),
        ms=seen.times.get("answer"),
        facts=tuple(facts),
    )


def _size(count: int, *, complete: bool) -> str:
    return f"{count:,} bytes" if complete else f"more than the {count:,} bytes that are read"
