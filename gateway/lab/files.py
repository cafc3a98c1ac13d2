"""Files of the lab to download: what servers present, and PFX files for listeners."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from certificates.authorities import issuer_of
from certificates.models import Certificate
from certificates.x509.issuing.issue import make_leaf, make_self_signed, to_pfx
from gateway.accounts.models import User
from gateway.lab.supplies import LEAF_DAYS, common_name, ensure_lab_authority
from gateway.models import LabServer
from gateway.models.fields import validate_domain_name

CER_TYPE = "application/pkix-cert"
PEM_TYPE = "application/x-pem-file"
PFX_TYPE = "application/x-pkcs12"

_GENERATION = re.compile(r"-v[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class File:
    """A file with its name and media type."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


def leaf_cer(server: LabServer) -> File | None:
    """The leaf as Base-64 .cer, what v1 wants; ``None`` where the server has no certificate."""
    return _base64(f"{_stem(server)}-leaf.cer", server.leaf)


def leaf_der(server: LabServer) -> File | None:
    """The leaf in binary form, which the portal's upload boxes refuse and explain."""
    if server.leaf is None:
        return None
    return File(f"{_stem(server)}-leaf-der.cer", CER_TYPE, bytes(server.leaf.der))


def root_cer(server: LabServer) -> File | None:
    """The root above the leaf as Base-64 .cer, what v2 wants; ``None`` without a certificate.

    A self-signed certificate is its own root. The lab's public root needs no upload, but may be
    looked at.
    """
    return _base64(f"{_stem(server)}-root.cer", server.root)


def chain_pem(server: LabServer) -> File | None:
    """Everything that the server presents, in its order; ``None`` without a certificate."""
    if not server.presented:
        return None
    return File(f"{_stem(server)}-chain.pem", PEM_TYPE, server.presented.encode("ascii"))


def _stem(server: LabServer) -> str:
    """What the server's files are called: two groups of a sandbox have servers of the same name.

    The group of the v1 gateway ends in ``-v1``, and so do its servers' files: the two authorities
    differ, and what suits the one is refused by the other.
    """
    generation = _GENERATION.search(server.virtual_network.group.name)
    return f"{server.name}{generation[0]}" if generation else server.name


def _base64(name: str, certificate: Certificate | None) -> File | None:
    if certificate is None:
        return None
    return File(name, CER_TYPE, certificate.parsed.pem.encode("ascii"))


def listener_pfx(
    user: User,
    host_name: str,
    password: str,
    *,
    self_signed: bool = False,
    now: datetime | None = None,
) -> File:
    """A PFX for a listener: key, certificate for ``host_name`` and, from the lab CA, its chain.

    ``host_name`` may begin with ``*.``. Nothing of the file or the password is kept. Raises
    ``ValidationError`` if it is not a host name.
    """
    now = now or timezone.now()
    name = host_name.strip().rstrip(".").lower()
    validate_domain_name(name.removeprefix("*."))
    # The alternative name is what counts, so a long one may be cut short here.
    subject = common_name(name)
    if self_signed:
        issued = make_self_signed(
            subject, now=now, ca=False, days=LEAF_DAYS, dns_names=[name], key="rsa2048"
        )
    else:
        issuer = issuer_of(ensure_lab_authority(user, now))
        issued = make_leaf(
            issuer, subject, now=now, days=LEAF_DAYS, dns_names=[name], key="rsa2048"
        )
    content = to_pfx(issued, password, name=name, chain=issued.chain)
    return File(f"{name.replace('*', 'wildcard')}.pfx", PFX_TYPE, content)
