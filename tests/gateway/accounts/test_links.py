"""One-time sign-in links."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from gateway.accounts import links
from gateway.accounts.models import SignInLink
from gateway.accounts.people import create_user, ensure_owner
from tests import factories

NOW = factories.NOW


@pytest.mark.django_db
def test_a_link_signs_in_once() -> None:
    user = create_user("anna")
    token = links.issue(user, now=NOW)
    assert links.holder(token, now=NOW) == user
    assert links.redeem(token, now=NOW) == user
    assert links.redeem(token, now=NOW) is None


@pytest.mark.django_db
def test_a_link_runs_out_after_a_quarter_of_an_hour() -> None:
    token = links.issue(create_user("anna"), now=NOW)
    assert links.redeem(token, now=NOW + timedelta(minutes=15, seconds=1)) is None


@pytest.mark.django_db
def test_the_database_does_not_know_the_token() -> None:
    token = links.issue(create_user("anna"), now=NOW)
    assert token not in str(list(SignInLink.objects.values()))


@pytest.mark.django_db
def test_a_link_of_somebody_shut_out_is_void() -> None:
    user = create_user("anna")
    token = links.issue(user, now=NOW)
    user.is_active = False
    user.save()
    assert links.redeem(token, now=NOW) is None


@pytest.mark.django_db(transaction=True)
def test_only_one_of_two_simultaneous_uses_wins() -> None:
    token = links.issue(create_user("anna"), now=NOW)
    won: list[object] = []
    start = threading.Barrier(2)

    def use() -> None:
        start.wait()
        won.append(links.redeem(token, now=NOW))
        connection.close()

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(user is not None for user in won) == 1


@pytest.mark.django_db
def test_opening_the_link_does_not_use_it_up_and_posting_does(client: Client) -> None:
    token = links.issue(ensure_owner(), now=timezone.now())
    page = client.get(f"/account/link/{token}/")
    assert page.status_code == 200
    assert "_auth_user_id" not in client.session
    assert client.post(f"/account/link/{token}/").status_code == 302
    assert "_auth_user_id" in client.session
    assert Client().get(f"/account/link/{token}/").status_code == 410


@pytest.mark.django_db
def test_the_first_owner_is_made_once_and_has_no_password() -> None:
    owner = ensure_owner()
    assert ensure_owner() == owner
    assert not owner.has_usable_password()
