"""A sandbox puts certificates into its user's stores, and a reset puts new ones in their place."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from certificates import stores
from certificates.models import Folder, Store, StoredCertificate, StoredKey
from certificates.x509.issuing.issue import load_issued, make_root
from gateway.accounts.models import User
from gateway.lab.holdings import HOLDINGS, put_into_stores, renew_in_stores
from gateway.lab.renewal import renew_due
from gateway.lab.sandbox import ensure_sandbox, reset_sandbox
from gateway.lab.supplies import Supply, issuers_of
from tests.factories import NOW, make_user
from tests.gateway.lab.conftest import server_of


def held(user: User, store: Store, folder: Folder) -> dict[str, StoredCertificate]:
    rows = StoredCertificate.objects.filter(owner=user, store=store, folder=folder)
    return {row.certificate.parsed.label: row for row in rows.select_related("certificate")}


def personal(user: User) -> dict[str, StoredCertificate]:
    return held(user, Store.CURRENT_USER, Folder.PERSONAL)


def test_a_new_sandbox_fills_its_users_stores(user: User) -> None:
    sandbox = ensure_sandbox(user, NOW)

    found = personal(user)
    assert {name: row.friendly_name for name, row in found.items()} == {
        "full-chain.contoso.test": "Backend certificate",
        "self-signed.contoso.test": "Self-signed certificate",
        "expired.contoso.test": "Expired certificate",
    }
    assert found["full-chain.contoso.test"].certificate == server_of(sandbox, "full-chain").leaf
    assert set(held(user, Store.CURRENT_USER, Folder.ROOTS)) == {"Lab Root CA of alice"}
    assert set(held(user, Store.CURRENT_USER, Folder.INTERMEDIATES)) == {"Lab Issuing CA of alice"}


def test_the_machines_store_holds_the_certificate_of_another_server(user: User) -> None:
    ensure_sandbox(user, NOW)

    found = held(user, Store.LOCAL_COMPUTER, Folder.PERSONAL)
    assert set(found) == {"myvm2.contoso.test"}
    assert StoredKey.objects.filter(entry=found["myvm2.contoso.test"]).exists()
    assert StoredCertificate.objects.filter(store=Store.LOCAL_COMPUTER).count() == 1


def test_keys_belong_to_their_certificates_and_may_be_exported(user: User) -> None:
    ensure_sandbox(user, NOW)

    keys = StoredKey.objects.filter(entry__owner=user).select_related("entry__certificate")
    assert {key.entry.certificate.parsed.label for key in keys} == {
        "full-chain.contoso.test",
        "self-signed.contoso.test",
        "myvm2.contoso.test",
    }
    for key in keys:
        assert key.exportable
        assert load_issued(key.entry.certificate.parsed, bytes(key.pem))


def test_paths_can_be_built_from_the_stores(user: User) -> None:
    sandbox = ensure_sandbox(user, NOW)
    root = server_of(sandbox, "full-chain").root
    assert root is not None

    anchor = stores.circle_of(user.pk).anchors.find(root.parsed)

    assert anchor is not None
    assert anchor.origin == "uploaded"


def test_a_reset_puts_the_new_servers_certificates_in_place_of_the_old(user: User) -> None:
    ensure_sandbox(user, NOW)
    before = {row.certificate_id for row in personal(user).values()}
    own = make_root("Mine", now=NOW).certificate
    stores.add(user.pk, Store.CURRENT_USER, Folder.ROOTS, own)

    sandbox = reset_sandbox(user, NOW)

    found = personal(user)
    assert len(found) == 3
    assert not before & {row.certificate_id for row in found.values()}
    assert found["full-chain.contoso.test"].certificate == server_of(sandbox, "full-chain").leaf
    assert set(held(user, Store.CURRENT_USER, Folder.ROOTS)) == {"Lab Root CA of alice", "Mine"}


def test_a_reset_gives_back_what_was_removed_and_leaves_other_users_alone(user: User) -> None:
    other = make_user("bob")
    ensure_sandbox(other, NOW)
    theirs = set(StoredCertificate.objects.filter(owner=other).values_list("pk", flat=True))
    ensure_sandbox(user, NOW)
    StoredCertificate.objects.filter(owner=user).delete()

    reset_sandbox(user, NOW)

    assert StoredCertificate.objects.filter(owner=user).count() == 6
    assert set(StoredCertificate.objects.filter(owner=other).values_list("pk", flat=True)) == theirs


def test_a_sandbox_that_is_found_puts_nothing_back(user: User) -> None:
    ensure_sandbox(user, NOW)
    StoredCertificate.objects.filter(owner=user).delete()

    with CaptureQueriesContext(connection) as queries:
        ensure_sandbox(user, NOW)

    assert len(queries) == 1
    assert not StoredCertificate.objects.filter(owner=user).exists()


def test_a_renewed_server_certificate_is_renewed_in_the_stores_too(user: User) -> None:
    sandbox = ensure_sandbox(user, NOW)
    StoredKey.objects.filter(entry=personal(user)["self-signed.contoso.test"]).delete()

    renew_due(NOW + timedelta(days=710))

    found = personal(user)
    assert len(found) == 3
    backend = found["full-chain.contoso.test"]
    assert backend.friendly_name == "Backend certificate"
    assert backend.certificate == server_of(sandbox, "full-chain").leaf
    assert load_issued(backend.certificate.parsed, bytes(backend.key.pem))
    assert not StoredKey.objects.filter(entry=found["self-signed.contoso.test"]).exists()


def test_a_server_without_a_certificate_puts_none_into_the_stores(user: User) -> None:
    nothing = {holding.scenario: Supply() for holding in HOLDINGS}
    put_into_stores(user.pk, nothing, issuers_of(user, NOW))
    assert not personal(user)

    server = server_of(ensure_sandbox(user, NOW), "full-chain")
    before = set(StoredCertificate.objects.values_list("pk", flat=True))
    renew_in_stores(user.pk, server, Supply())
    assert set(StoredCertificate.objects.values_list("pk", flat=True)) == before
