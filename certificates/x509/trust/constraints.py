"""Name constraints: which names an authority may certify (RFC 5280 4.2.1.10 and 6.1).

``cryptography`` judges them too, but knows fewer forms than private authorities use (a DNS name
with a leading dot, directory names), does not look at a common name, and does not say which
certificate it means. Judged are host names, addresses and directory names; a server is known by no
other kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

from cryptography import x509

from certificates.x509.facts.certificate import Certificate

MAX_COMPARISONS = 100_000
"""Names times constraints in one path. Honest paths take tens; OpenSSL gives up at a million."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Directory = tuple[frozenset[tuple[str, str]], ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """``name`` of ``certificate`` is outside of what ``issuer`` may certify: none of the
    ``permitted`` names covers it, or one of the ``excluded`` does."""

    certificate: Certificate
    issuer: Certificate
    name: str
    why: Literal["permitted", "excluded"]


def violation(path: Sequence[Certificate]) -> Violation | None:
    """The first name of a path (leaf first) that an authority above it may not certify, looked for
    from the top downward. All certificates must be readable (``faults`` empty).

    Certificates that an authority issued to itself are passed over unless they are the leaf.
    """
    for depth in range(len(path) - 1, 0, -1):
        issuer = path[depth]
        if issuer.name_constraints is None:
            continue
        permitted = _subtrees(issuer.name_constraints.permitted_subtrees)
        excluded = _subtrees(issuer.name_constraints.excluded_subtrees)
        for below in range(depth - 1, -1, -1):
            certificate = path[below]
            if below > 0 and certificate.self_issued:
                continue
            name = _outside(certificate, permitted, is_leaf=below == 0)
            if name is not None:
                return Violation(certificate, issuer, name, "permitted")
            name = _inside(certificate, excluded, is_leaf=below == 0)
            if name is not None:
                return Violation(certificate, issuer, name, "excluded")
    return None


def comparisons(path: Sequence[Certificate]) -> int:
    """How many names a plain verifier compares with how many constraints on this path."""
    total = 0
    names = _count_names(path[0])
    for issuer in path[1:]:
        if (limits := issuer.name_constraints) is not None:
            subtrees = (*(limits.permitted_subtrees or ()), *(limits.excluded_subtrees or ()))
            total += len(subtrees) * names
        names += _count_names(issuer)
    return total


def _count_names(certificate: Certificate) -> int:
    for extension in certificate.x509.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            return len(list(extension.value)) + 1
    return 1


@dataclass(slots=True)
class _Subtrees:
    """Constraints by kind, each so that a name is looked up in steps of its own length: a hostile
    authority may list thousands, and its servers thousands of names."""

    hosts: set[str] = field(default_factory=set)
    networks: dict[tuple[int, int], set[int]] = field(default_factory=dict)
    directories: set[Directory] = field(default_factory=set)

    def has_host(self, host: str) -> bool:
        """A constraint covers the name itself and all below it; with a leading dot only those."""
        host = host.lower().removesuffix(".")
        if "" in self.hosts or host in self.hosts:
            return True
        labels = host.split(".")[:128]
        below = (".".join(labels[start:]) for start in range(1, len(labels)))
        return any(name in self.hosts or f".{name}" in self.hosts for name in below)

    def has_address(self, address: Address) -> bool:
        number, bits = int(address), address.max_prefixlen
        return any(
            version == address.version and number >> (bits - prefix) in networks
            for (version, prefix), networks in self.networks.items()
        )

    def has_directory(self, name: x509.Name) -> bool:
        directory = _directory(name)
        lengths = {len(subtree) for subtree in self.directories}
        return any(directory[:length] in self.directories for length in lengths)


def _subtrees(names: Iterable[x509.GeneralName] | None) -> _Subtrees:
    found = _Subtrees()
    for name in names or ():
        if isinstance(name, x509.DNSName):
            found.hosts.add(name.value.lower().removesuffix("."))
        elif isinstance(name, x509.DirectoryName):
            found.directories.add(_directory(name.value))
        elif isinstance(name, x509.IPAddress) and isinstance(name.value, Network):
            network = name.value
            shift = network.max_prefixlen - network.prefixlen
            key = (network.version, network.prefixlen)
            found.networks.setdefault(key, set()).add(int(network.network_address) >> shift)
    return found


def _directory(name: x509.Name) -> Directory:
    """A distinguished name so that two which mean the same are equal (RFC 5280 7.1)."""
    return tuple(
        frozenset((one.oid.dotted_string, " ".join(str(one.value).lower().split())) for one in rdn)
        for rdn in name.rdns
    )


def _outside(certificate: Certificate, permitted: _Subtrees, *, is_leaf: bool) -> str | None:
    """A name of a kind that is limited, which nothing permits."""
    if permitted.hosts:
        for host in _hosts(certificate, is_leaf=is_leaf):
            if not permitted.has_host(host):
                return host
    if permitted.networks:
        for address in certificate.ip_addresses:
            if not permitted.has_address(ip_address(address)):
                return address
    subject = certificate.x509.subject
    if permitted.directories and subject.rdns and not permitted.has_directory(subject):
        return certificate.subject
    return None


def _inside(certificate: Certificate, excluded: _Subtrees, *, is_leaf: bool) -> str | None:
    for host in _hosts(certificate, is_leaf=is_leaf):
        if excluded.has_host(host):
            return host
    for address in certificate.ip_addresses:
        if excluded.has_address(ip_address(address)):
            return address
    if excluded.has_directory(certificate.x509.subject):
        return certificate.subject
    return None


def _hosts(certificate: Certificate, *, is_leaf: bool) -> Iterator[str]:
    """The host names of a certificate: of a leaf without any, a common name that looks like one
    (as OpenSSL has it), for that is what its server will be known by."""
    yield from certificate.dns_names
    common_name = certificate.common_name
    if is_leaf and not certificate.names and common_name and _looks_like_host(common_name):
        yield common_name


def _looks_like_host(text: str) -> bool:
    labels = text.split(".")
    return (
        len(text) <= 253
        and len(labels) > 1
        and all(
            label.replace("-", "").replace("_", "").isalnum() or label == "*" for label in labels
        )
    )
