from __future__ import annotations

from ipaddress import ip_network

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from certificates.authorities import find_authority, issuer_of, keep_authority
from certificates.models import Authority
from certificates.publicroot import NAME, public_root, well_known
from certificates.secrets import KeyMissingError
from certificates.x509.issuing.issue import make_root
from gateway.accounts.models import User
from gateway.lab.publicca import ensure_public_authority
from gateway.lab.supplies import ensure_lab_authority
from gateway.models import PublicIPAddress
from gateway.operations import Caller, change_resource
from gateway.operations.addresses import lab_host, store_with_address
from tests.factories import NOW, make_group, make_subscription, make_user

pytestmark = pytest.mark.django_db


def test_the_public_authority_is_made_once() -> None:
    first = ensure_public_authority(NOW)

    assert ensure_public_authority(NOW) == first
    assert Authority.objects.count() == 2


def test_before_the_lab_has_a_public_root_only_real_ones_are_well_known() -> None:
    assert public_root() is None
    assert {anchor.origin for anchor in well_known()} == {"well-known"}


def test_the_labs_public_root_is_well_known_and_marked() -> None:
    ensure_public_authority(NOW)
    root = public_root()

    assert root is not None
    found = well_known().find(root)
    assert found is not None
    assert found.origin == "lab-public"
    assert root.role == "root"


def test_the_well_known_store_costs_one_query_and_is_built_once() -> None:
    ensure_public_authority(NOW)
    with CaptureQueriesContext(connection) as queries:
        first, second = well_known(), well_known()

    assert len(queries) == 2
    assert first is second


def test_an_authority_of_a_user_named_like_the_public_one_is_not_well_known(user: User) -> None:
    keep_authority(user.pk, NAME, make_root("Mine", now=NOW))

    assert public_root() is None


def test_a_lab_authority_belongs_to_its_user(user: User) -> None:
    mine, theirs = ensure_lab_authority(user, NOW), ensure_lab_authority(make_user(), NOW)

    assert ensure_lab_authority(user, NOW) == mine
    assert mine != theirs
    assert mine.owner == user
    assert "alice" in issuer_of(mine).certificate.subject


def test_a_very_long_user_name_fits_into_the_authority() -> None:
    authority = ensure_lab_authority(make_user("ü" * 150), NOW)

    assert len((issuer_of(authority).certificate.common_name or "").encode()) in (63, 64)


def test_an_authority_that_was_stored_first_is_kept(user: User) -> None:
    first = keep_authority(user.pk, "one", make_root("First", now=NOW))

    assert keep_authority(user.pk, "one", make_root("Second", now=NOW)) == first


def test_the_key_of_an_authority_is_encrypted_at_rest(user: User) -> None:
    ensure_lab_authority(user, NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pem FROM certificates_authoritykey")
        stored = [bytes(row[0]) for row in cursor.fetchall()]

    assert len(stored) == 2
    assert not any(b"PRIVATE" in pem for pem in stored)


def test_a_lost_encryption_key_is_told_as_such(user: User, settings: Settings) -> None:
    name = ensure_lab_authority(user, NOW).name
    settings.GATEWRIGHT_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(KeyMissingError, match="key file"):
        find_authority(user.pk, name)


def test_running_out_of_addresses_is_a_problem(user: User, settings: Settings) -> None:
    settings.GATEWRIGHT_LOOPBACK_RANGE = ip_network("127.9.0.0/27")
    subscription = make_subscription(user)
    group = make_group(subscription)
    rows = [PublicIPAddress(group=group, name=f"address{number}") for number in range(16)]

    def write(take: int) -> list[str]:
        chosen = rows[:take]

        def work() -> None:
            for row in chosen:
                row.pk = None
                store_with_address(row)

        outcome = change_resource(
            Caller(user),
            subscription,
            resource_id=group.arm_id,
            resource_name=group.name,
            operation="Create public IP address",
            write=work,
            now=NOW,
        )
        return [problem.id for problem in outcome.errors]

    assert write(16) == ["public-address-exhausted"]
    assert not PublicIPAddress.objects.exists()
    assert write(15) == []
    assert lab_host() == "127.9.0.1"
    assert {row.address for row in rows[:15]} == {f"127.9.0.{last}" for last in range(16, 31)}
