"""Home and All resources for somebody who sees many subscriptions."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from gateway.accounts.models import Role, User
from tests import factories
from tests.gateway.portal.visits import said

pytestmark = pytest.mark.django_db

ALL, HOME = "portal:all-resources", "portal:home"


@pytest.fixture
def trainer() -> User:
    """Sees two learners' sandboxes and has one of the own, made last."""
    user = factories.make_user("trainer")
    for name in ("Sandbox of ada", "Sandbox of ben"):
        group = factories.make_group(factories.make_subscription(user, Role.READER, name))
        factories.v2_gateway(group)
    own = factories.make_subscription(user, name="Sandbox of trainer")
    own.sandbox_of = user
    own.save()
    factories.v1_gateway(factories.make_group(own, "myResourceGroupAG-v1"))
    return user


@pytest.fixture
def client(trainer: User) -> Client:
    client = Client()
    client.force_login(trainer, backend="django.contrib.auth.backends.ModelBackend")
    return client


def listed(page: str) -> list[tuple[str, str]]:
    """Subscription and tier of each row."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    found = []
    for row in rows:
        tier = re.search(r'data-label="Tier">([^<]*)<', row)
        subscription = re.search(r'data-label="Subscription">([^<]*?)\s*<', row)
        if tier and subscription:
            found.append((subscription[1], tier[1]))
    return found


def test_the_own_sandbox_comes_first_and_tiers_are_told(client: Client) -> None:
    assert listed(said(client.get(reverse(HOME)))) == [
        ("Sandbox of trainer", "Standard"),
        ("Sandbox of ada", "Standard V2"),
        ("Sandbox of ben", "Standard V2"),
    ]
    rows = listed(said(client.get(reverse(ALL))))
    assert rows[0][0] == "Sandbox of trainer"
    assert len(rows) == 9
    assert ("Sandbox of ada", "-") in rows


@pytest.mark.parametrize("view", [ALL, HOME])
def test_the_address_narrows_the_list_to_a_subscription(
    client: Client, trainer: User, view: str
) -> None:
    ben = trainer.role_assignments.get(subscription__name="Sandbox of ben").subscription
    page = said(client.get(reverse(view), {"subscription": str(ben.pk)}))
    assert {subscription for subscription, _ in listed(page)} == {"Sandbox of ben"}
    assert f'<option value="{ben.pk}" selected>' in page
    assert "Show all" in page


def test_the_address_narrows_the_list_to_a_type(client: Client) -> None:
    page = said(client.get(reverse(ALL), {"type": "Virtual network"}))
    assert len(listed(page)) == 3
    assert "Public IP address</td>" not in page


def test_what_nobody_can_choose_narrows_nothing(client: Client) -> None:
    page = said(client.get(reverse(ALL), {"subscription": "o'hara", "type": "Moon"}))
    assert len(listed(page)) == 9


def test_one_subscription_is_no_choice() -> None:
    gateway = factories.v2_gateway()
    client = Client()
    client.force_login(
        factories.owner_of(gateway), backend="django.contrib.auth.backends.ModelBackend"
    )
    page = said(client.get(reverse(ALL)))
    assert 'id="filter-type"' in page
    assert 'id="filter-subscription"' not in page
    assert 'id="filter-' not in said(client.get(reverse(HOME)))
