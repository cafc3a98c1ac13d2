"""The stores of a user: what goes in, once, with its key; and who may have issued what."""

from __future__ import annotations

import pytest

from certificates import stores
from certificates.models import Folder, Store, StoredCertificate, StoredKey
from certificates.x509.issuing.issue import key_pem
from gateway.accounts.models import User
from tests.certificates.x509 import makers

HERE = (Store.CURRENT_USER, Folder.PERSONAL)


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("anna")


def test_a_certificate_is_in_a_folder_once_and_gets_the_key_that_comes_later(user: User) -> None:
    leaf = makers.leaf()
    first = stores.add(user.pk, *HERE, leaf.certificate)
    again = stores.add(
        user.pk, *HERE, leaf.certificate, key_pem=key_pem(leaf), friendly_name="web" * 50
    )
    assert first.pk == again.pk
    entry = StoredCertificate.objects.get()
    assert (entry.friendly_name, str(entry)) == (("web" * 50)[:80], ("web" * 50)[:80])
    assert bytes(entry.key.pem) == key_pem(leaf)
    assert entry.key.exportable
    assert str(entry.key) == f"key of {entry.pk}"


def test_what_comes_without_name_and_key_takes_neither_away(user: User) -> None:
    leaf = makers.leaf()
    stores.add(user.pk, *HERE, leaf.certificate, key_pem=key_pem(leaf), friendly_name="web")
    stores.add(user.pk, *HERE, leaf.certificate)
    entry = StoredCertificate.objects.get()
    assert entry.friendly_name == "web"
    assert StoredKey.objects.filter(entry=entry).exists()


def test_the_same_certificate_may_lie_in_other_folders_stores_and_with_other_users(
    user: User,
) -> None:
    root = makers.root().certificate
    for place in (HERE, (Store.CURRENT_USER, Folder.ROOTS), (Store.LOCAL_COMPUTER, Folder.ROOTS)):
        stores.add(user.pk, *place, root)
    stores.add(User.objects.create_user("ben").pk, *HERE, root)
    assert StoredCertificate.objects.count() == 4
    assert len({entry.certificate_id for entry in StoredCertificate.objects.all()}) == 1


def test_a_key_is_stored_encrypted(user: User) -> None:
    from django.db import connection

    leaf = makers.leaf()
    stores.add(user.pk, *HERE, leaf.certificate, key_pem=key_pem(leaf))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pem FROM certificates_storedkey")
        stored = bytes(cursor.fetchone()[0])
    assert b"PRIVATE KEY" not in stored
    assert key_pem(leaf).splitlines()[1] not in stored


@pytest.mark.parametrize(
    ("issued", "has_key", "folder"),
    [
        (makers.leaf, False, Folder.PERSONAL),
        (makers.leaf, True, Folder.PERSONAL),
        (makers.intermediate, False, Folder.INTERMEDIATES),
        (makers.intermediate, True, Folder.PERSONAL),
        (makers.root, False, Folder.ROOTS),
        (makers.root, True, Folder.PERSONAL),
        (lambda: makers.self_signed(ca=False), False, Folder.PERSONAL),
    ],
)
def test_each_type_has_its_folder(issued: object, has_key: bool, folder: Folder) -> None:
    certificate = issued().certificate  # type: ignore[operator]
    assert stores.folder_for(certificate, has_key=has_key) is folder


def test_the_circle_of_a_user_holds_both_stores_and_trusts_the_roots_alone(user: User) -> None:
    root, intermediate = makers.root().certificate, makers.intermediate().certificate
    stores.add(user.pk, Store.LOCAL_COMPUTER, Folder.ROOTS, root)
    stores.add(user.pk, Store.CURRENT_USER, Folder.INTERMEDIATES, intermediate)
    stores.add(user.pk, *HERE, makers.other_root().certificate)
    stores.add(User.objects.create_user("ben").pk, *HERE, makers.leaf().certificate)
    circle = stores.circle_of(user.pk)
    assert set(circle.certificates) == {root, intermediate, makers.other_root().certificate}
    assert circle.anchors.find(root) is not None
    assert circle.anchors.find(intermediate) is None
    assert circle.anchors.find(makers.other_root().certificate) is None
    assert sum(1 for _ in circle.anchors) > 50, "the well-known roots belong to it"
