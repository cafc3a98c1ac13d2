"""Whether a certificate is for the name that was asked for (RFC 6125, backend health article)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from certificates.x509.certificate import Certificate, printable

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class NameVerdict:
    """``candidates`` are the names that counted, ``used`` where in the certificate they are."""

    ok: bool
    wanted: str
    used: Literal["san", "cn", "none"]
    candidates: tuple[str, ...]
    detail: str


def match_name(certificate: Certificate, wanted: str) -> NameVerdict:
    """Match ``wanted`` (a DNS name or an IP address); never raises.

    If the certificate has DNS names or addresses as subject alternative names, only those count,
    else its common name. A wildcard stands for exactly one leftmost label. An address matches
    addresses only, never a common name. Case, a trailing dot and the spelling of international
    names do not matter.
    """
    shown = printable(wanted)
    used: Literal["san", "cn", "none"]
    if certificate.dns_names or certificate.ip_addresses:
        used, candidates = "san", (*certificate.dns_names, *certificate.ip_addresses)
    elif certificate.common_name:
        used, candidates = "cn", (certificate.common_name,)
    else:
        used, candidates = "none", ()
    address = _address(wanted)
    if address is not None:
        ok = address in {_address(candidate) for candidate in certificate.ip_addresses}
    else:
        patterns = certificate.dns_names if used == "san" else candidates
        ok = any(_matches(pattern, wanted) for pattern in patterns)
    return NameVerdict(
        ok, wanted, used, candidates, _detail(certificate, ok, shown, used, candidates)
    )


def _detail(
    certificate: Certificate,
    ok: bool,
    shown: str,
    used: Literal["san", "cn", "none"],
    candidates: tuple[str, ...],
) -> str:
    if used == "none":
        return f"“{certificate.label}” has neither a subject alternative name nor a common name."
    where = "subject alternative names" if used == "san" else "common name"
    if ok:
        return f"“{shown}” is among the certificate's {where}."
    names = ", ".join(candidates[:_SHOWN])
    if len(candidates) > _SHOWN:
        names += f" and {len(candidates) - _SHOWN} more"
    return f"“{shown}” is not among the certificate's {where}: {names}."


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return None


def _matches(pattern: str, wanted: str) -> bool:
    pattern_labels, wanted_labels = _labels(pattern), _labels(wanted)
    if not pattern_labels or "" in wanted_labels or len(pattern_labels) != len(wanted_labels):
        return False
    if pattern_labels[0] == "*":
        # “*.com” would stand for everybody's names; no client accepts it.
        return len(pattern_labels) > 2 and pattern_labels[1:] == wanted_labels[1:]
    return pattern_labels == wanted_labels


def _labels(name: str) -> list[str]:
    """The labels of a DNS name in the form that goes over the wire: lower case, A-labels."""
    name = name.strip().removesuffix(".").lower()
    return [_a_label(label) for label in name.split(".")] if name else []


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError:
        return label
