"""Orders to a user's lab CA: what is asked for, why it cannot be made, and making it.

The page and the command ``labca`` both end here, so both make the same things and refuse alike.
Only authorities of the user issue: the installation's own one, which signs the portal's
certificate, is no row of any table, and the lab's public one belongs to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict

from django.db import transaction
from django.db.models import QuerySet

from certificates import stores
from certificates.authorities import issuer_of, keep_authority
from certificates.models import Authority, ChainForm, Folder, Store, StoredCertificate
from certificates.secrets import KeyMissingError
from certificates.x509.issuing import issue
from certificates.x509.issuing.issue import Digest, Issued, KeySpec, Purpose
from certificates.x509.issuing.subjects import Names, read_names, shortened

Kind = Literal["root", "intermediate", "server", "client", "self-signed-ca", "self-signed"]
AUTHORITIES: frozenset[Kind] = frozenset({"root", "intermediate"})
ISSUED: frozenset[Kind] = frozenset({"intermediate", "server", "client"})
"""What an authority of the user has to sign; the others sign themselves."""

SANDBOX_ROOT = "lab-root"
SANDBOX_ISSUING = "lab-issuing"
SANDBOX_NAMES = frozenset({SANDBOX_ROOT, SANDBOX_ISSUING})
"""The two authorities that the servers of a user's sandbox have their certificates from."""

MAX_AUTHORITIES = 50
MAX_CERTIFICATES = 200
MAX_NAMES = 100
MAX_PATH_LENGTH = 9
COMMON_NAME_BYTES = 64
FRIENDLY_NAME_LENGTH = 80

FIRST_DAY = datetime(1950, 1, 1, tzinfo=UTC)
"""Before it a certificate cannot begin (RFC 5280 4.1.2.5)."""
LAST_DAY = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A certificate that is wanted.

    ``issuer_id`` is that of the user's authority that signs (for the kinds in :data:`ISSUED`).
    ``names`` are host names and addresses as typed; a server without any gets ``name`` as its
    only one, unless it shall have a common name alone (``cn_only``). Dates are aware.
    """

    kind: Kind
    name: str
    valid_from: datetime
    valid_to: datetime
    issuer_id: int | None = None
    names: Sequence[str] = ()
    cn_only: bool = False
    key: KeySpec = "ec"
    purposes: Sequence[Purpose] = ("server",)
    digest: Digest = "sha256"
    path_length: int | None = None
    chain_form: ChainForm = ChainForm.COMPLETE
    friendly_name: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an order cannot be filled: a sentence, and the field of :class:`Order` that it is about
    (empty: the order as a whole)."""

    field: str
    message: str


class OrderRefusedError(ValueError):
    """An order cannot be filled; ``faults`` say why."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(" ".join(fault.message for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Made:
    """What came of an order: its row in the user's store, and the authority if it is one."""

    entry: StoredCertificate
    authority: Authority | None


def make(owner_id: int, order: Order, *, now: datetime) -> Made:
    """Make what is ordered and put it into the user's Current User store, key and all.

    Raises :class:`OrderRefusedError`. Keys are made before the transaction; call it outside one.
    """
    faults = list(_faults(order))
    if not any(fault.field in {"name", "friendly_name"} for fault in faults):
        # Names that cannot be seen are no question to ask a database.
        faults += _taken(owner_id, order)
    issuer = None
    if order.kind in ISSUED:
        authority = find_issuer(owner_id, order.issuer_id)
        if authority is None:
            faults.append(Fault("issuer_id", "Choose one of your authorities as the issuer."))
        else:
            issuer = _open(authority)
    if order.digest == "sha1" and _signs_with_ed25519(order, issuer):
        faults.append(Fault("digest", "An Ed25519 key has one way to sign, and it is not SHA-1."))
    if faults:
        raise OrderRefusedError(*faults)
    issued = _issue(order, issuer, now)
    with transaction.atomic():
        stores.lock_owner(owner_id)
        # Somebody may have ordered the same while the key was being made.
        again = _taken(owner_id, order)
        if again:
            raise OrderRefusedError(*again)
        if order.kind in AUTHORITIES:
            return _keep_authority(owner_id, order, issued)
        return Made(_keep_certificate(owner_id, order, issued), None)


def find_issuer(owner_id: int, authority_id: int | None) -> Authority | None:
    """The user's authority with this primary key."""
    if authority_id is None:
        return None
    return authorities_of(owner_id).filter(pk=authority_id).first()


def authorities_of(owner_id: int) -> QuerySet[Authority]:
    """The user's authorities, without their keys."""
    return (
        Authority.objects.filter(owner_id=owner_id)
        .select_related("certificate", "parent__certificate")
        .order_by("name")
    )


def _subject_names(order: Order) -> Names:
    if order.cn_only:
        return Names()
    if not order.names and order.kind not in {"client", *AUTHORITIES}:
        return read_names([order.name])
    return read_names(order.names)


def _faults(order: Order) -> Iterator[Fault]:
    """What is wrong with an order by itself."""
    size = len(order.name.encode(errors="replace"))
    if not order.name.strip():
        yield Fault("name", "Enter a name.")
    elif not order.name.isprintable():
        yield Fault("name", "The name holds a character that cannot be seen.")
    elif size > COMMON_NAME_BYTES:
        yield Fault(
            "name", f"A common name has room for {COMMON_NAME_BYTES} bytes; this one takes {size}."
        )
    else:
        yield from _name_faults(order)
    if len(order.friendly_name) > FRIENDLY_NAME_LENGTH or not order.friendly_name.isprintable():
        yield Fault("friendly_name", f"Use up to {FRIENDLY_NAME_LENGTH} characters on one line.")
    if order.valid_from < FIRST_DAY:
        yield Fault("valid_from", "A certificate cannot begin before the year 1950.")
    if order.valid_to > LAST_DAY:
        yield Fault("valid_to", "A certificate cannot last longer than the year 9999.")
    if order.valid_to <= order.valid_from:
        yield Fault("valid_to", "The last day must come after the first.")
    if order.path_length is not None and not 0 <= order.path_length <= MAX_PATH_LENGTH:
        yield Fault("path_length", f"Use a number from 0 to {MAX_PATH_LENGTH}.")


def _name_faults(order: Order) -> Iterator[Fault]:
    names = _subject_names(order)
    if len(names) > MAX_NAMES:
        yield Fault("names", f"{MAX_NAMES} names are the most; these are {len(names)}.")
    elif names.wrong and not order.names:
        yield Fault(
            "names",
            f"“{order.name}” is no host name: enter the names of the server here, or leave the "
            "subject alternative name out.",
        )
    else:
        for sentence in names.wrong:
            yield Fault("names", sentence)


def _taken(owner_id: int, order: Order) -> list[Fault]:
    """Names that are in use, and quotas that are used up."""
    faults = []
    made = StoredCertificate.objects.filter(owner_id=owner_id, made_here=True)
    if order.kind in AUTHORITIES:
        mine = Authority.objects.filter(owner_id=owner_id)
        if order.name.lower() in SANDBOX_NAMES:
            words = f"“{order.name}” is the name of an authority of your sandbox; take another one."
            faults.append(Fault("name", words))
        elif mine.filter(name__iexact=order.name).exists():
            words = f"You have an authority called “{shortened(order.name)}”; take another name."
            faults.append(Fault("name", words))
        if mine.count() >= MAX_AUTHORITIES:
            words = f"You have {MAX_AUTHORITIES} authorities, the most there can be: delete one."
            faults.append(Fault("", words))
    else:
        if order.friendly_name and made.filter(friendly_name__iexact=order.friendly_name).exists():
            words = f"One of your certificates is called “{order.friendly_name}”."
            faults.append(Fault("friendly_name", words))
        if made.count() >= MAX_CERTIFICATES:
            words = f"You have made {MAX_CERTIFICATES} certificates, the most there can be: "
            faults.append(Fault("", words + "delete one."))
    if StoredCertificate.objects.filter(owner_id=owner_id).count() >= stores.MAX_STORED:
        faults.append(Fault("", f"Your stores are full with {stores.MAX_STORED} certificates."))
    return faults


def _open(authority: Authority) -> Issued:
    try:
        return issuer_of(authority)
    except KeyMissingError as error:
        raise OrderRefusedError(Fault("issuer_id", str(error))) from error


def _signs_with_ed25519(order: Order, issuer: Issued | None) -> bool:
    if issuer is not None:
        return issuer.certificate.key.algorithm == "Ed25519"
    return order.key == "ed25519"


class _Terms(TypedDict):
    """What an order says of every kind of certificate."""

    now: datetime
    key: KeySpec
    not_before: datetime
    not_after: datetime
    digest: Digest


class _EndTerms(_Terms):
    """What it says of those that issue nothing, beside the terms of all."""

    dns_names: Sequence[str]
    ip_addresses: Sequence[str]
    purposes: Sequence[Purpose]


def _issue(order: Order, issuer: Issued | None, now: datetime) -> Issued:
    terms: _Terms = {
        "now": now,
        "key": order.key,
        "not_before": order.valid_from,
        "not_after": order.valid_to,
        "digest": order.digest,
    }
    if order.kind in AUTHORITIES:
        if issuer is None:
            return issue.make_root(order.name, path_length=order.path_length, **terms)
        return issue.make_intermediate(issuer, order.name, path_length=order.path_length, **terms)
    names = _subject_names(order)
    ends: _EndTerms = {
        **terms,
        "dns_names": names.hosts,
        "ip_addresses": names.addresses,
        "purposes": order.purposes,
    }
    if issuer is None:
        return issue.make_self_signed(order.name, ca=order.kind == "self-signed-ca", **ends)
    return issue.make_leaf(issuer, order.name, **ends)


def _keep_authority(owner_id: int, order: Order, issued: Issued) -> Made:
    parent = find_issuer(owner_id, order.issuer_id) if order.kind == "intermediate" else None
    if order.kind == "intermediate" and parent is None:
        raise OrderRefusedError(Fault("issuer_id", "The issuer was deleted meanwhile."))
    authority = keep_authority(owner_id, order.name, issued, parent=parent)
    folder = Folder.ROOTS if order.kind == "root" else Folder.INTERMEDIATES
    entry = stores.add(
        owner_id,
        Store.CURRENT_USER,
        folder,
        issued.certificate,
        friendly_name=order.friendly_name,
    )
    return Made(entry, authority)


def _keep_certificate(owner_id: int, order: Order, issued: Issued) -> StoredCertificate:
    return stores.add(
        owner_id,
        Store.CURRENT_USER,
        Folder.PERSONAL,
        issued.certificate,
        key_pem=issue.key_pem(issued),
        friendly_name=order.friendly_name or _free_name(owner_id, order.name),
        made_here=True,
        chain_form=order.chain_form,
    )


def _free_name(owner_id: int, name: str) -> str:
    """``name``, or the first of “name (2)”, “name (3)”, … that no made certificate has."""
    made = StoredCertificate.objects.filter(owner_id=owner_id, made_here=True)
    used = {one.lower() for one in made.values_list("friendly_name", flat=True)}
    free, number = name, 2
    while free.lower() in used:
        free = f"{name} ({number})"
        number += 1
    return free


def validity(preset: str, now: datetime, *, authority: bool = False) -> tuple[datetime, datetime]:
    """First and last moment of ``now``'s preset: ``valid``, ``expired`` (yesterday) or ``future``
    (from tomorrow). An authority lasts ten years, anything else one."""
    lasting = timedelta(days=3650 if authority else 365)
    day = timedelta(days=1)
    if preset == "expired":
        return now - 91 * day, now - day
    if preset == "future":
        return now + day, now + day + lasting
    return now - timedelta(hours=1), now + lasting
