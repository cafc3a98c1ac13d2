"""Orders to the lab CA: what is made of them, and why some are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from cryptography.x509 import ExtendedKeyUsage
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from certificates import labca, stores
from certificates.labca import Made, Order, OrderRefusedError, make, validity
from certificates.models import (
    Authority,
    Certificate,
    ChainForm,
    Folder,
    Store,
    StoredCertificate,
    StoredKey,
    keep,
)
from certificates.x509.facts import certificate as x509
from certificates.x509.issuing.issue import load_issued, make_root
from gateway.accounts.models import User
from gateway.lab.publicca import ensure_public_authority
from gateway.lab.supplies import ensure_lab_authority
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db

BEGIN, END = validity("valid", NOW)


@pytest.fixture
def user() -> User:
    return make_user("alice")


def order(kind: labca.Kind, name: str, **changes: Any) -> Order:
    return Order(kind=kind, name=name, valid_from=BEGIN, valid_to=END, **changes)


def root(user: User, name: str = "My Root", **changes: Any) -> Authority:
    made = make(user.pk, order("root", name, **changes), now=NOW)
    assert made.authority is not None
    return made.authority


def intermediate(user: User, parent: Authority, name: str = "My Issuing CA") -> Authority:
    made = make(user.pk, order("intermediate", name, issuer_id=parent.pk), now=NOW)
    assert made.authority is not None
    return made.authority


def server(user: User, issuer: Authority, name: str = "backend.contoso.test", **more: Any) -> Made:
    return make(user.pk, order("server", name, issuer_id=issuer.pk, **more), now=NOW)


def parsed(made: Made) -> x509.Certificate:
    return made.entry.certificate.parsed


def refusal(user: User, wrong: Order) -> dict[str, str]:
    """Why an order is refused: messages by field. Nothing may have been stored."""
    before = StoredCertificate.objects.count(), Authority.objects.count(), StoredKey.objects.count()
    with pytest.raises(OrderRefusedError) as caught:
        make(user.pk, wrong, now=NOW)
    after = StoredCertificate.objects.count(), Authority.objects.count(), StoredKey.objects.count()
    assert after == before
    return {fault.field: fault.message for fault in caught.value.faults}


# -- what is made ------------------------------------------------------------------------------


def test_a_root_is_an_authority_and_a_trusted_root(user: User) -> None:
    authority = root(user, key="rsa2048", path_length=1)

    made = authority.certificate.parsed
    assert (made.role, made.label, made.key.label, made.path_length) == (
        "root", "My Root", "RSA 2048", 1,
    )  # fmt: skip
    entry = StoredCertificate.objects.get(owner=user)
    assert (entry.store, entry.folder) == (Store.CURRENT_USER, Folder.ROOTS)
    assert entry.certificate == authority.certificate
    assert not entry.made_here
    assert not StoredKey.objects.exists()
    assert stores.circle_of(user.pk).anchors.find(made) is not None


def test_an_intermediate_stands_below_its_issuer(user: User) -> None:
    top = root(user)
    below = intermediate(user, top)

    assert below.parent == top
    assert below.certificate.parsed.role == "intermediate"
    entry = StoredCertificate.objects.get(owner=user, certificate=below.certificate)
    assert entry.folder == Folder.INTERMEDIATES


def test_a_server_certificate_lies_in_personal_with_its_key(user: User) -> None:
    made = server(
        user,
        intermediate(user, root(user)),
        names=["shop.contoso.test", "10.0.1.4", "bücher.test"],
        chain_form=ChainForm.LEAF_ONLY,
        friendly_name="Shop",
    )

    entry, certificate = made.entry, parsed(made)
    assert made.authority is None
    assert (entry.store, entry.folder) == (Store.CURRENT_USER, Folder.PERSONAL)
    assert (entry.made_here, entry.chain_form, entry.friendly_name) == (True, "leaf-only", "Shop")
    assert certificate.names == ("shop.contoso.test", "xn--bcher-kva.test", "10.0.1.4")
    assert certificate.common_name == "backend.contoso.test"
    assert (certificate.not_before, certificate.not_after) == (BEGIN, END)
    assert load_issued(certificate, bytes(StoredKey.objects.get(entry=entry).pem))


def test_a_server_without_further_names_gets_its_own(user: User) -> None:
    top = root(user)
    assert parsed(server(user, top)).dns_names == ("backend.contoso.test",)
    assert parsed(server(user, top, name="10.0.1.9")).ip_addresses == ("10.0.1.9",)
    assert parsed(server(user, top, cn_only=True, names=["a.test"])).names == ()


@pytest.mark.parametrize(
    ("kind", "role"), [("self-signed-ca", "root"), ("self-signed", "self-signed")]
)
def test_a_self_signed_certificate_may_be_an_authority_or_not(
    user: User, kind: labca.Kind, role: str
) -> None:
    made = make(user.pk, order(kind, "backend.contoso.test"), now=NOW)

    assert parsed(made).role == role
    assert parsed(made).dns_names == ("backend.contoso.test",)
    assert made.entry.folder == Folder.PERSONAL
    assert not Authority.objects.exists()


def test_a_client_certificate_needs_no_host_name(user: User) -> None:
    issuer = root(user)
    wanted = order("client", "Anna Müller", issuer_id=issuer.pk, purposes=("client",))
    certificate = parsed(make(user.pk, wanted, now=NOW))

    assert certificate.names == ()
    assert not certificate.may_serve
    usage = certificate.x509.extensions.get_extension_for_class(ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


@pytest.mark.parametrize(
    ("key", "label"),
    [("ec", "EC P-256"), ("ec384", "EC P-384"), ("rsa1024", "RSA 1024"), ("rsa2048", "RSA 2048"),
     ("ed25519", "Ed25519")],
)  # fmt: skip
def test_every_kind_of_key_is_made_and_kept(user: User, key: Any, label: str) -> None:
    authority = root(user, key=key)
    made = server(user, authority, key=key)

    assert parsed(made).key.label == label
    assert load_issued(parsed(made), bytes(StoredKey.objects.get(entry=made.entry).pem))


def test_the_defects_are_in_the_certificate(user: User) -> None:
    top = root(user)
    begin, end = validity("expired", NOW)
    expired = server(user, top, friendly_name="old")
    expired = make(
        user.pk,
        replace(order("server", "a.test", issuer_id=top.pk), valid_from=begin, valid_to=end),
        now=NOW,
    )
    assert parsed(expired).not_after == NOW - timedelta(days=1)
    assert parsed(server(user, top, digest="sha1")).has_weak_signature
    assert not parsed(server(user, top, purposes=("code-signing",))).may_serve
    assert parsed(server(user, top, purposes=())).may_serve
    assert parsed(server(user, top, key="rsa1024")).key.is_weak


def test_presets_are_around_now() -> None:
    day = timedelta(days=1)
    assert validity("valid", NOW)[0] < NOW < validity("valid", NOW)[1]
    assert validity("expired", NOW) == (NOW - 91 * day, NOW - day)
    assert validity("future", NOW) == (NOW + day, NOW + 366 * day)
    assert validity("valid", NOW, authority=True)[1] == NOW + 3650 * day


def test_certificates_without_a_friendly_name_are_numbered(user: User) -> None:
    top = root(user)
    names = [server(user, top).entry.friendly_name for _ in range(3)]
    assert names == ["backend.contoso.test", "backend.contoso.test (2)", "backend.contoso.test (3)"]


def test_what_somebody_else_made_is_in_nobodys_way(user: User) -> None:
    other = make_user("bob")
    server(other, root(other), friendly_name="Shop")
    assert server(user, root(user), friendly_name="Shop").entry.friendly_name == "Shop"


def test_keys_are_encrypted_at_rest(user: User) -> None:
    server(user, root(user))
    for table in ("certificates_storedkey", "certificates_authoritykey"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pem FROM {table}")
            stored = [bytes(row[0]) for row in cursor.fetchall()]
        assert stored
        assert not any(b"PRIVATE" in pem for pem in stored)


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": " "}, "name", "Enter a name"),
        ({"name": "ü" * 33}, "name", "takes 66"),
        ({"name": "a\tb"}, "name", "cannot be seen"),
        ({"name": "a\ud800"}, "name", "cannot be seen"),
        ({"name": "My server"}, "names", "no host name"),
        ({"names": ["a.test", "http://b.test"]}, "names", "“http://b.test” is neither"),
        ({"names": [f"h{n}.test" for n in range(101)]}, "names", "100 names are the most"),
        ({"friendly_name": "x" * 81}, "friendly_name", "80 characters"),
        ({"friendly_name": "a\nb"}, "friendly_name", "one line"),
        ({"valid_from": datetime(1949, 12, 31, tzinfo=UTC)}, "valid_from", "1950"),
        ({"valid_to": datetime.max.replace(tzinfo=UTC)}, "valid_to", "9999"),
        ({"valid_to": BEGIN}, "valid_to", "after the first"),
        ({"path_length": -1}, "path_length", "0 to 9"),
        ({"path_length": 10}, "path_length", "0 to 9"),
        ({"issuer_id": None}, "issuer_id", "Choose one of your authorities"),
        ({"issuer_id": 0}, "issuer_id", "Choose one of your authorities"),
    ],
)
def test_an_order_that_cannot_be_filled_is_refused_at_its_field(
    user: User, changes: dict[str, Any], field: str, words: str
) -> None:
    good = order("server", "backend.contoso.test", issuer_id=root(user).pk)
    assert words in refusal(user, replace(good, **changes))[field]


def test_every_fault_is_told_at_once(user: User) -> None:
    wrong = replace(order("server", ""), valid_to=BEGIN, friendly_name="x" * 99)
    assert set(refusal(user, wrong)) == {"name", "valid_to", "friendly_name", "issuer_id"}


def test_names_are_unique_among_ones_own(user: User) -> None:
    top = root(user, "My Root")
    server(user, top, friendly_name="Shop")

    assert "My root" in refusal(user, order("root", "My root"))["name"]
    again = order("server", "a.test", issuer_id=top.pk, friendly_name="shop")
    assert "shop" in refusal(user, again)["friendly_name"]


@pytest.mark.parametrize("name", ["lab-root", "Lab-Issuing"])
def test_the_names_of_the_sandboxs_authorities_are_taken(user: User, name: str) -> None:
    assert "sandbox" in refusal(user, order("root", name))["name"]


def test_an_ed25519_key_signs_nothing_with_sha_1(user: User) -> None:
    top = root(user, key="ed25519")
    below = order("server", "a.test", issuer_id=top.pk, digest="sha1")
    own = order("self-signed", "a.test", key="ed25519", digest="sha1")
    assert "Ed25519" in refusal(user, below)["digest"]
    assert "Ed25519" in refusal(user, own)["digest"]


def test_authorities_and_certificates_have_a_quota(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = root(user)
    server(user, top)
    monkeypatch.setattr(labca, "MAX_AUTHORITIES", 1)
    monkeypatch.setattr(labca, "MAX_CERTIFICATES", 1)
    assert "delete one" in refusal(user, order("root", "Second"))[""]
    assert "delete one" in refusal(user, order("self-signed", "a.test"))[""]


def test_full_stores_take_nothing_more(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    root(user)
    monkeypatch.setattr(stores, "MAX_STORED", 1)
    assert "full" in refusal(user, order("self-signed", "a.test"))[""]


def test_what_was_taken_while_the_key_was_made_is_refused(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = labca.stores.lock_owner

    def somebody_is_faster(owner_id: int) -> None:
        monkeypatch.setattr(labca.stores, "lock_owner", original)
        root(user, "Wanted")
        original(owner_id)

    monkeypatch.setattr(labca.stores, "lock_owner", somebody_is_faster)
    with pytest.raises(OrderRefusedError, match="Wanted"):
        root(user, "Wanted")


def test_an_issuer_that_was_deleted_meanwhile_gets_no_intermediate(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = root(user)
    original = labca.stores.lock_owner

    def deleting(owner_id: int) -> None:
        Authority.objects.filter(pk=top.pk).delete()
        original(owner_id)

    monkeypatch.setattr(labca.stores, "lock_owner", deleting)
    with pytest.raises(OrderRefusedError, match="deleted meanwhile"):
        intermediate(user, top)


def test_a_lost_encryption_key_is_said_at_the_issuer(user: User, settings: Settings) -> None:
    wanted = order("server", "a.test", issuer_id=root(user).pk)
    settings.GATEWRIGHT_KEYS = [Fernet.generate_key().decode()]
    assert "key file" in refusal(user, wanted)["issuer_id"]


# -- whose authorities issue ----------------------------------------------------------------------


def test_only_ones_own_authorities_issue(user: User) -> None:
    theirs, public = root(make_user("bob")), ensure_public_authority(NOW)
    mine = ensure_lab_authority(user, NOW)

    assert {one.name for one in labca.authorities_of(user.pk)} == {"lab-root", "lab-issuing"}
    for foreign in (theirs, public):
        wanted = order("server", "a.test", issuer_id=foreign.pk)
        assert "Choose one" in refusal(user, wanted)["issuer_id"]
    assert server(user, mine)


def test_a_stored_certificate_of_an_authority_issues_nothing(user: User) -> None:
    """Not even the installation's own, if somebody imports it: its key is in no table."""
    own = make_root("Gatewright installation", now=NOW).certificate
    stores.add(user.pk, Store.CURRENT_USER, Folder.ROOTS, own)
    (row,) = keep([own])

    assert isinstance(row, Certificate)
    assert not labca.authorities_of(user.pk).exists()
    assert "Choose one" in refusal(user, order("server", "a.test", issuer_id=row.pk))["issuer_id"]


def test_whatever_is_ordered_is_made_or_refused(user: User) -> None:
    @given(
        name=st.text(max_size=80),
        names=st.lists(st.text(max_size=70), max_size=4),
        friendly_name=st.text(max_size=90),
        begin=st.datetimes(timezones=st.just(UTC)),
        end=st.datetimes(timezones=st.just(UTC)),
        path_length=st.none() | st.integers(),
        kind=st.sampled_from(["root", "client", "self-signed", "self-signed-ca"]),
    )
    def ordering(begin: datetime, end: datetime, **wanted: Any) -> None:
        try:
            made = make(user.pk, Order(valid_from=begin, valid_to=end, **wanted), now=NOW)
        except OrderRefusedError as error:
            faults = error.faults
        else:
            faults = ()
            assert parsed(made).common_name == wanted["name"]
        assert all(fault.message for fault in faults)

    ordering()
