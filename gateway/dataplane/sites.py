"""Which listener of a port takes which host name.

Listeners are asked in the order of their rules, v2 by priority ("Application Gateway listener
configuration", order of processing): an earlier wildcard takes names away from later listeners,
and a basic listener takes all that is left.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway.models import HttpListener, LoadedGateway, Protocol, RequestRoutingRule
from gateway.rules.hosts import is_wildcard
from gateway.rules.words import texts


@dataclass(frozen=True, slots=True)
class Site:
    """A listener with its rule and the names (lower case) that it is really asked for.

    ``exact`` are names, ``suffixes`` patterns of the form ``*.rest``, ``patterns`` those that the
    engine's tables of names cannot hold.
    """

    listener: HttpListener
    rule: RequestRoutingRule
    exact: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @property
    def is_basic(self) -> bool:
        return self.listener.is_basic

    @property
    def wildcards(self) -> tuple[str, ...]:
        return (*self.suffixes, *self.patterns)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.exact, *self.suffixes, *self.patterns)


@dataclass(frozen=True, slots=True)
class Place:
    """One address and port of a gateway with its listeners in the order of their rules.

    ``frontend`` is the frontend's primary key, ``port`` the port asked for. With ``by_pattern``
    wildcards are matched one after the other, because tables of names cannot hold them all.
    """

    frontend: int
    port: int
    protocol: str
    sites: tuple[Site, ...]
    by_pattern: bool = False

    @property
    def basic(self) -> Site | None:
        """The basic listener, which is asked last."""
        return self.sites[-1] if self.sites and self.sites[-1].is_basic else None


def places_of(loaded: LoadedGateway) -> list[Place]:
    """Every address and port that listeners with a rule share; the others answer nothing."""
    together: dict[tuple[int, int, str], list[tuple[HttpListener, RequestRoutingRule]]]
    together = defaultdict(list)
    seen = set()
    for rule in ordered_rules(loaded):
        listener = rule.http_listener
        if listener is None or listener.pk in seen:
            continue
        seen.add(listener.pk)
        if listener.frontend_ip_configuration is None or listener.frontend_port is None:
            continue
        place = (
            listener.frontend_ip_configuration.pk,
            listener.frontend_port.port,
            str(listener.protocol),
        )
        together[place].append((listener, rule))
    found = []
    for place, listeners in together.items():
        sites = tuple(_sites(listeners))
        found.append(Place(*place, sites, by_pattern=any(site.patterns for site in sites)))
    return found


def ordered_rules(loaded: LoadedGateway) -> list[RequestRoutingRule]:
    """Rules in the order in which they are asked: v1 as listed, v2 by priority."""
    if loaded.is_v1:
        return list(loaded.rules)
    return sorted(loaded.rules, key=lambda rule: rule.priority or 0)


def is_https(place: Place) -> bool:
    return place.protocol == Protocol.HTTPS


def _sites(found: Sequence[tuple[HttpListener, RequestRoutingRule]]) -> Iterator[Site]:
    taken: set[str] = set()
    wide: list[str] = []
    for listener, rule in found:
        hosts = [host.lower() for host in texts(listener.hosts)]
        if not hosts:
            yield Site(listener, rule)
            # Whatever comes later is never asked.
            return
        mine = [
            host
            for host in dict.fromkeys(hosts)
            if host not in taken and not any(covers(pattern, host) for pattern in wide)
        ]
        taken.update(mine)
        wide += [host for host in mine if is_wildcard(host)]
        if mine:
            yield Site(
                listener,
                rule,
                tuple(host for host in mine if not is_wildcard(host)),
                tuple(host for host in mine if is_wildcard(host) and is_suffix(host)),
                tuple(host for host in mine if is_wildcard(host) and not is_suffix(host)),
            )


def is_suffix(pattern: str) -> bool:
    """Whether a pattern is ``*.rest`` with no other wildcard."""
    return pattern.startswith("*.") and not is_wildcard(pattern[2:])


def covers(pattern: str, host: str) -> bool:
    """Whether ``pattern`` takes every request for ``host``, itself a name or a pattern."""
    if is_suffix(pattern):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return not is_wildcard(host) and _compiled(pattern).fullmatch(host) is not None


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(regex_of(pattern), re.IGNORECASE)


def regex_of(pattern: str) -> str:
    """A pattern of ``*`` (any characters) and ``?`` (one) as a regular expression."""
    pieces = {"*": ".*", "?": "."}
    return "".join(pieces.get(one) or re.escape(one) for one in pattern)
