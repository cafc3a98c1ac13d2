"""Whether a certificate is for the name that was asked for (RFC 6125, backend health article)."""

from __future__ import annotations

import ipaddress
import unicodedata
from dataclasses import dataclass
from typing import Literal

from certificates.x509.facts.certificate import Certificate, printable

MAX_NAME = 253
"""Characters of a DNS name (RFC 1035 3.1, written with dots); nothing longer can be one."""

LONGEST_LABEL = 63
"""Characters between two dots (RFC 1035 2.3.4)."""

_SHOWN = 8
# Letters that IDNA 2003 replaces or drops and that are letters of their own since IDNA 2008
# (RFC 5894 7.2): names with them are other names than those without.
_DEVIATIONS = frozenset("ß\u03c2\u200c\u200d")
_DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))


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
        ok = any(_address(candidate) == address for candidate in certificate.ip_addresses)
    else:
        patterns = certificate.dns_names if used == "san" else candidates
        ok = _any_matches(patterns, a_name(wanted))
    return NameVerdict(
        ok, wanted, used, candidates, _detail(certificate, ok, shown, used, candidates)
    )


def a_name(name: str) -> str:
    """``name`` as it goes over the wire: lower case, international labels as A-labels, no final
    dot; empty if it cannot be a DNS name. Never raises.

    A letter of its own since IDNA 2008, such as ß, stays one (as in browsers); a label that neither
    standard allows is encoded as it is, so that it is equal to itself only.
    """
    name = name.strip()
    if len(name) > MAX_NAME:
        return ""
    if not name.isascii():
        name = ".".join(_a_label(label) for label in name.translate(_DOTS).split("."))
    return name.lower().removesuffix(".")


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
        return f"“{shown}” is covered by the certificate's {where}."
    names = ", ".join(candidates[:_SHOWN])
    if len(candidates) > _SHOWN:
        names += f" and {len(candidates) - _SHOWN} more"
    return f"“{shown}” is not covered by the certificate's {where}: {names}."


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return None


def _any_matches(patterns: tuple[str, ...], wanted: str) -> bool:
    """Whether one of the patterns covers ``wanted``, which is in the form of :func:`a_name`."""
    first, _, parent = wanted.partition(".")
    if not first or ".." in wanted:
        return False
    # “*.com” would stand for everybody's names; no client accepts it.
    accepted = {wanted, f"*.{parent}" if "." in parent else wanted}
    return any(a_name(pattern) in accepted for pattern in patterns)


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    # Letter by letter, as a Greek sigma at the end would otherwise become the other one.
    lower = "".join(map(str.lower, unicodedata.normalize("NFKC", label)))
    mapped = unicodedata.normalize("NFKC", lower)
    if _DEVIATIONS.isdisjoint(mapped):
        try:
            return label.encode("idna").decode("ascii")
        except UnicodeError:
            pass  # a letter that is younger than that standard, or a mixture of directions
    return f"xn--{mapped.encode('punycode', 'replace').decode('ascii')}"
