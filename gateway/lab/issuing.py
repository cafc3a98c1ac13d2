"""The certificates that lab servers present: right, or wrong in exactly one way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from certificates.x509.issuing.issue import (
    Issued,
    key_pem,
    make_intermediate,
    make_leaf,
    make_root,
    make_self_signed,
)
from gateway.lab.scenarios import APP_SERVICE_ZONE, OTHER_HOST, Presents, Scenario
from gateway.lab.supplies import LEAF_DAYS, ROOT_DAYS, Issuers, Supply, common_name

# So far ahead that no lab server lives to see it.
FUTURE = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Order:
    """Who is to get a certificate: by which authorities, for which name and address, and when."""

    issuers: Issuers
    fqdn: str
    address: str
    now: datetime

    def leaf(self, issuer: Issued, name: str = "", **options: Any) -> Issued:
        """A leaf for ``name`` (the server's own by default) as :func:`make_leaf` makes it."""
        name = name or self.fqdn
        options = {"days": LEAF_DAYS, "dns_names": [name], **options}
        return make_leaf(issuer, common_name(name), now=self.now, **options)


def issue_all(issuers: Issuers, scenarios: Iterable[Scenario], now: datetime) -> dict[str, Supply]:
    """A supply for each scenario, by its id."""
    return {one.id: issue(issuers, one.presents, one.fqdn, one.address, now) for one in scenarios}


def issue(issuers: Issuers, presents: Presents, fqdn: str, address: str, now: datetime) -> Supply:
    """Certificate and key of one server; ``now`` is when it is set up.

    Raises ``ValueError`` for a name that no certificate can hold.
    """
    return _MAKERS[presents](Order(issuers, fqdn, address, now))


def _chain(leaf: Issued, *, sent: slice = slice(None), **extra: Any) -> Supply:
    """The leaf and of its issuers those that are ``sent``; trust is in the topmost."""
    presented = (leaf.certificate, *leaf.chain[sent])
    return Supply(presented, key_pem(leaf), leaf.chain[-1], **extra)


def _nothing(order: Order) -> Supply:
    return Supply()


def _full_chain(order: Order) -> Supply:
    return _chain(order.leaf(order.issuers.private))


def _leaf_only(order: Order) -> Supply:
    return _chain(order.leaf(order.issuers.private), sent=slice(0))


def _no_root(order: Order) -> Supply:
    return _chain(order.leaf(order.issuers.private), sent=slice(-1))


def _leaf_and_root(order: Order) -> Supply:
    return _chain(order.leaf(order.issuers.private), sent=slice(-1, None))


def _web_authority(order: Order, **options: Any) -> Issued:
    """An authority of the server's own below the lab root, whose key may leave the vault."""
    options = {"days": LEAF_DAYS, **options}
    name = common_name(f"Web CA of {order.fqdn}")
    return make_intermediate(order.issuers.root, name, now=order.now, **options)


def _authority_first(order: Order) -> Supply:
    # A server proves the key of the certificate that it sends first.
    authority = _web_authority(order)
    leaf = order.leaf(authority)
    presented = (authority.certificate, leaf.certificate, *authority.chain)
    return Supply(presented, key_pem(authority), authority.chain[-1])


def _authorities_only(order: Order) -> Supply:
    return _chain(_web_authority(order))


def _self_signed(order: Order, *, ca: bool = False) -> Supply:
    own = make_self_signed(
        common_name(order.fqdn), now=order.now, ca=ca, days=LEAF_DAYS, dns_names=[order.fqdn]
    )
    return Supply((own.certificate,), key_pem(own), own.certificate)


def _self_signed_ca(order: Order) -> Supply:
    return _self_signed(order, ca=True)


def _wrong_name(order: Order) -> Supply:
    return _chain(order.leaf(order.issuers.private, OTHER_HOST))


def _name_in_subject(order: Order) -> Supply:
    return _chain(order.leaf(order.issuers.private, dns_names=[]))


def _wildcard(order: Order) -> Supply:
    _, _, parent = order.fqdn.partition(".")
    return _chain(order.leaf(order.issuers.private, f"*.{parent or order.fqdn}"))


def _address(order: Order) -> Supply:
    leaf = order.leaf(
        order.issuers.private, order.address, dns_names=[], ip_addresses=[order.address]
    )
    return _chain(leaf)


def _other_site_first(order: Order) -> Supply:
    leaf = order.leaf(order.issuers.private)
    other = order.leaf(order.issuers.private, OTHER_HOST, key=leaf.key)
    return _chain(leaf, without_sni=(other.certificate, *other.chain))


def _expired(order: Order) -> Supply:
    start, end = order.now - timedelta(days=91), order.now - timedelta(days=1)
    return _chain(order.leaf(order.issuers.private, not_before=start, not_after=end))


def _not_yet_valid(order: Order) -> Supply:
    return _chain(order.leaf(order.issuers.private, not_before=order.now + FUTURE))


def _expired_intermediate(order: Order) -> Supply:
    start, end = order.now - timedelta(days=91), order.now - timedelta(days=1)
    return _chain(order.leaf(_web_authority(order, not_before=start, not_after=end)))


def _renewed_root(order: Order) -> Supply:
    known = order.issuers.private.certificate, order.issuers.root.certificate
    issuing, root = (common_name(one.common_name or one.subject) for one in known)
    renewed = make_root(root, now=order.now, days=ROOT_DAYS)
    return _chain(order.leaf(make_intermediate(renewed, issuing, now=order.now, days=ROOT_DAYS)))


def _weak_key(order: Order) -> Supply:
    return _chain(order.leaf(order.issuers.private, key="rsa1024"))


def _sha1(order: Order) -> Supply:
    return _chain(order.leaf(order.issuers.private, digest="sha1"))


def _public(order: Order, name: str = "") -> Supply:
    # As on the real network: the root is in everybody's store, and nobody sends it.
    return _chain(order.leaf(order.issuers.public, name), sent=slice(-1))


def _app_service(order: Order) -> Supply:
    return _public(order, f"*.{APP_SERVICE_ZONE}")


_MAKERS: dict[Presents, Callable[[Order], Supply]] = {
    "nothing": _nothing,
    "full-chain": _full_chain,
    "leaf-only": _leaf_only,
    "no-root": _no_root,
    "leaf-and-root": _leaf_and_root,
    "authority-first": _authority_first,
    "authorities-only": _authorities_only,
    "self-signed-ca": _self_signed_ca,
    "self-signed": _self_signed,
    "wrong-name": _wrong_name,
    "name-in-subject": _name_in_subject,
    "wildcard": _wildcard,
    "address": _address,
    "other-site-first": _other_site_first,
    "expired": _expired,
    "not-yet-valid": _not_yet_valid,
    "expired-intermediate": _expired_intermediate,
    "renewed-root": _renewed_root,
    "weak-key": _weak_key,
    "sha1": _sha1,
    "public": _public,
    "app-service": _app_service,
}
