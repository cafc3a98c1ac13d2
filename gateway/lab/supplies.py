"""The certificates of a sandbox's lab servers, and the lab CA that belongs to its user."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from certificates.authorities import find_authority, issuer_of, keep_authority
from certificates.models import Authority
from certificates.x509.certificate import Certificate
from certificates.x509.issue import (
    Issued,
    key_pem,
    make_intermediate,
    make_leaf,
    make_root,
    make_self_signed,
    to_pem,
)
from gateway.accounts.models import User
from gateway.lab.publicca import ensure_public_authority
from gateway.lab.scenarios import APP_SERVICE_ZONE, OTHER_HOST, Presents, Scenario

ROOT_NAME = "lab-root"
ISSUING_NAME = "lab-issuing"
ROOT_DAYS = 7300
LEAF_DAYS = 730
COMMON_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Supply:
    """What a server presents, leaf first, with the leaf's key (PKCS#8 PEM).

    ``root`` is what a gateway would have to trust; ``None`` where there is nothing to upload.
    """

    presented: tuple[Certificate, ...] = ()
    key: bytes = field(default=b"", repr=False)
    root: Certificate | None = None

    @property
    def leaf(self) -> Certificate | None:
        return self.presented[0] if self.presented else None

    @property
    def pem(self) -> str:
        return to_pem(*self.presented).decode("ascii")


def ensure_lab_authority(user: User, now: datetime) -> Authority:
    """The authority that issues below the user's own lab root; both are made at the first call.

    They belong to the user, so that downloaded files stay right when the sandbox is reset.
    """
    issuing = find_authority(user.pk, ISSUING_NAME)
    if issuing is not None:
        return issuing
    root = find_authority(user.pk, ROOT_NAME) or keep_authority(
        user.pk,
        ROOT_NAME,
        make_root(_subject("Lab Root CA", user), now=now, days=ROOT_DAYS),
    )
    issued = make_intermediate(
        issuer_of(root),
        _subject("Lab Issuing CA", user),
        now=now,
        not_after=now + timedelta(days=ROOT_DAYS - 1),
    )
    return keep_authority(user.pk, ISSUING_NAME, issued, parent=root)


def _subject(what: str, user: User) -> str:
    return common_name(f"{what} of {user.username}")


def common_name(text: str) -> str:
    """``text``, cut to what a common name can hold: 64 bytes (RFC 5280, appendix A)."""
    return text.encode()[:COMMON_NAME_LENGTH].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class Issuers:
    """The two authorities that lab servers get their certificates from, keys opened."""

    private: Issued
    public: Issued


def issuers_of(user: User, now: datetime) -> Issuers:
    """Both authorities, made if they are missing."""
    return Issuers(
        issuer_of(ensure_lab_authority(user, now)), issuer_of(ensure_public_authority(now))
    )


def issue_all(issuers: Issuers, scenarios: Iterable[Scenario], now: datetime) -> dict[str, Supply]:
    """A supply for each scenario, by its id."""
    return {one.id: issue(issuers, one.presents, one.fqdn, now) for one in scenarios}


def issue(issuers: Issuers, presents: Presents, fqdn: str, now: datetime) -> Supply:
    """Certificate and key of one server; ``now`` is when it is set up."""
    if presents == "nothing":
        return Supply()
    if presents in ("self-signed-ca", "self-signed"):
        own = make_self_signed(
            common_name(fqdn),
            now=now,
            ca=presents == "self-signed-ca",
            days=LEAF_DAYS,
            dns_names=[fqdn],
        )
        return Supply((own.certificate,), key_pem(own), own.certificate)
    if presents in ("public", "app-service"):
        name = f"*.{APP_SERVICE_ZONE}" if presents == "app-service" else fqdn
        leaf = make_leaf(
            issuers.public, common_name(name), now=now, days=LEAF_DAYS, dns_names=[name]
        )
        # As on the real network: the root is in everybody's store, and nobody sends it.
        return Supply((leaf.certificate, *leaf.chain[:-1]), key_pem(leaf), leaf.chain[-1])
    name = OTHER_HOST if presents == "wrong-name" else fqdn
    expired = presents == "expired"
    leaf = make_leaf(
        issuers.private,
        common_name(name),
        now=now,
        days=LEAF_DAYS,
        dns_names=[name],
        not_before=now - timedelta(days=91) if expired else None,
        not_after=now - timedelta(days=1) if expired else None,
    )
    chain = () if presents == "leaf-only" else leaf.chain
    return Supply((leaf.certificate, *chain), key_pem(leaf), leaf.chain[-1])
