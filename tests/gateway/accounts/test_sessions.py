"""Sessions: what ends them, what does not, and what a second use of anything gets."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from gateway.accounts import links
from gateway.accounts.models import User
from tests import factories

pytestmark = pytest.mark.django_db

PASSWORD, OTHER = "correct horse", "battery staple 77"


@pytest.fixture
def user() -> User:
    return factories.make_user("anna", PASSWORD)


def signed_in(password: str = PASSWORD) -> Client:
    client = Client()
    answer = client.post(settings.LOGIN_URL, {"username": "anna", "password": password})
    assert answer.status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/portal/").status_code == 200


def test_signing_out_ends_the_session_and_no_other(user: User) -> None:
    here, there = signed_in(), signed_in()
    key = here.session.session_key
    assert here.post("/account/sign-out/").status_code == 302
    assert not is_in(here)
    assert not Session.objects.filter(session_key=key).exists()
    assert is_in(there)
    # Whoever kept the cookie has nothing.
    here.cookies[settings.SESSION_COOKIE_NAME] = key or ""
    assert not is_in(here)


def test_signing_out_takes_a_form(user: User) -> None:
    client = signed_in()
    assert client.get("/account/sign-out/").status_code == 405
    assert is_in(client)


def test_a_new_password_ends_every_other_session_and_keeps_this_one(user: User) -> None:
    here, there = signed_in(), signed_in()
    key = here.session.session_key
    answer = here.post("/account/password/", {"new_password1": OTHER, "new_password2": OTHER})
    assert answer.status_code == 302
    assert is_in(here)
    assert here.session.session_key != key, "a key that somebody knows is worth nothing now"
    assert not is_in(there)
    refused = Client().post(settings.LOGIN_URL, {"username": "anna", "password": PASSWORD})
    assert refused.status_code == 200
    assert is_in(signed_in(OTHER))


def test_a_new_password_makes_sign_in_links_void(user: User) -> None:
    token = links.issue(user, now=timezone.now())
    signed_in().post("/account/password/", {"new_password1": OTHER, "new_password2": OTHER})
    assert Client().post(f"/account/link/{token}/").status_code == 410


def test_signing_in_gives_the_session_a_new_key(user: User) -> None:
    client = Client()
    client.get(settings.LOGIN_URL)
    session = client.session
    session["planted"] = "yes"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    client.post(settings.LOGIN_URL, {"username": "anna", "password": PASSWORD})
    assert client.session.session_key != session.session_key
    assert is_in(client)


def test_whoever_is_shut_out_is_out_at_once(user: User) -> None:
    client = signed_in()
    user.is_active = False
    user.save()
    assert not is_in(client)


def test_the_lock_opens_by_itself_and_a_right_password_forgets_the_wrong_ones(user: User) -> None:
    wrong, right = ({"username": "anna", "password": one} for one in ("wrong", PASSWORD))
    client = Client()
    answers = [client.post(settings.LOGIN_URL, wrong).status_code for _ in range(5)]
    assert answers[-1] == 429
    assert client.post(settings.LOGIN_URL, right).status_code == 429
    # Trying on while it is closed does not keep it closed.
    past = timezone.now() - settings.AXES_COOLOFF_TIME - timedelta(seconds=1)
    AccessAttempt.objects.update(attempt_time=past)
    assert client.post(settings.LOGIN_URL, right).status_code == 302
    assert not AccessAttempt.objects.exists()


def test_a_link_opens_where_the_password_is_locked(user: User) -> None:
    client = Client()
    for _ in range(6):
        client.post(settings.LOGIN_URL, {"username": "anna", "password": "wrong"})
    token = links.issue(user, now=timezone.now())
    assert client.post(f"/account/link/{token}/").status_code == 302
    assert is_in(client)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_redeem_a_link_at_once_one_gets_in() -> None:
    token = links.issue(factories.make_user("anna"), now=timezone.now())
    start = threading.Barrier(2)
    statuses: list[int] = []

    def redeem() -> None:
        try:
            client = Client()
            start.wait(60)
            statuses.append(client.post(f"/account/link/{token}/").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=redeem) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(statuses) == [302, 410]


def test_the_cookies_are_out_of_reach_of_scripts_and_other_sites(user: User) -> None:
    client = signed_in()
    client.get("/portal/")
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"
