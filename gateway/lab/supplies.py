"""The certificates of a sandbox's lab servers, and the lab CA that belongs to its user."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from certificates.authorities import find_authority, issuer_of, keep_authority
from certificates.labca import SANDBOX_ISSUING, SANDBOX_ROOT
from certificates.models import Authority
from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing.issue import Issued, make_intermediate, make_root, to_pem
from gateway.accounts.models import User
from gateway.lab.publicca import ensure_public_authority

ROOT_DAYS = 7300
LEAF_DAYS = 730
COMMON_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Supply:
    """What a server presents, in order, with the key of the first certificate (PKCS#8 PEM).

    ``without_sni`` is presented to clients that name no server, or another one, where that
    differs; it has the same key. ``root`` is what a gateway would have to trust; ``None`` where
    there is nothing to upload.
    """

    presented: tuple[Certificate, ...] = ()
    key: bytes = field(default=b"", repr=False)
    root: Certificate | None = None
    without_sni: tuple[Certificate, ...] = ()

    @property
    def leaf(self) -> Certificate | None:
        """The server's own certificate; where it presents authorities only, the first of them."""
        own = (one for one in self.presented if not one.is_ca)
        return next(own, self.presented[0] if self.presented else None)

    @property
    def pem(self) -> str:
        return _pem(self.presented)

    @property
    def pem_without_sni(self) -> str:
        return _pem(self.without_sni)


def _pem(certificates: tuple[Certificate, ...]) -> str:
    return to_pem(*certificates).decode("ascii")


def ensure_lab_authority(user: User, now: datetime) -> Authority:
    """The authority that issues below the user's own lab root; both are made at the first call.

    They belong to the user, so that downloaded files stay right when the sandbox is reset.
    """
    issuing = find_authority(user.pk, SANDBOX_ISSUING)
    if issuing is not None:
        return issuing
    root = find_authority(user.pk, SANDBOX_ROOT) or keep_authority(
        user.pk,
        SANDBOX_ROOT,
        make_root(_subject("Lab Root CA", user), now=now, days=ROOT_DAYS),
    )
    issued = make_intermediate(
        issuer_of(root),
        _subject("Lab Issuing CA", user),
        now=now,
        not_after=now + timedelta(days=ROOT_DAYS - 1),
    )
    return keep_authority(user.pk, SANDBOX_ISSUING, issued, parent=root)


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

    @property
    def root(self) -> Issued:
        """The root above the private one."""
        return self.private.issuer or self.private


def issuers_of(user: User, now: datetime) -> Issuers:
    """Both authorities, made if they are missing."""
    return Issuers(
        issuer_of(ensure_lab_authority(user, now)), issuer_of(ensure_public_authority(now))
    )
