"""Names that somebody typed for a certificate's subject alternative name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from certificates.x509.facts.names import MAX_NAME, a_name

_SHOWN = 60
# They join letters of some scripts, and are parts of names there (RFC 5892, appendix A).
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
# Underscores are no part of host names, but of names that people give to servers.
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


@dataclass(frozen=True, slots=True)
class Names:
    """Host names (A-labels, lower case) and addresses; ``wrong`` are sentences on the others."""

    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.hosts) + len(self.addresses) + len(self.wrong)


def read_names(typed: Sequence[str]) -> Names:
    """Sort ``typed`` into host names and addresses, each once; never raises.

    International names become A-labels; the first label of a host may be ``*``.
    """
    hosts: dict[str, None] = {}
    addresses: dict[str, None] = {}
    wrong: dict[str, None] = {}
    for text in typed:
        address = _address(text)
        host = "" if address else _host(text)
        if address:
            addresses[address] = None
        elif host:
            hosts[host] = None
        else:
            wrong[f"“{shortened(text)}” is neither a host name nor an IP address."] = None
    return Names(tuple(hosts), tuple(addresses), tuple(wrong))


def shortened(text: str) -> str:
    """``text`` as a message can hold it."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _address(text: str) -> str:
    # The name of an interface, behind a “%”, has no place in a certificate.
    if "%" in text:
        return ""
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        return ""


def _host(text: str) -> str:
    name = a_name(text)
    labels = name.removeprefix("*.").split(".")
    good = len(name) <= MAX_NAME and all(map(_LABEL.fullmatch, labels))
    if good and not text.isascii():
        good = all(map(_is_legible, labels))
    return name if good else ""


def _is_legible(label: str) -> bool:
    """Whether a label, if it is an A-label, stands for letters that exist and can be seen."""
    if not label.startswith("xn--"):
        return True
    try:
        letters = label.removeprefix("xn--").encode("ascii").decode("punycode")
    except UnicodeError:
        return False
    return letters.translate(_JOINERS).isprintable()
