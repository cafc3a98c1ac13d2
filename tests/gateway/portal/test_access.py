"""Who gets in, and what somebody else's gateway looks like: nothing."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from gateway.accounts.models import Role
from gateway.models import ApplicationGateway
from tests import factories

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def address(gateway: ApplicationGateway, blade: str = "") -> str:
    group = gateway.group
    return f"/portal/gateways/{group.subscription_id}/{group.name}/{gateway.name}/{blade}"


BLADES = [
    "",
    "activity/",
    "properties/",
    "json/",
    "frontends/",
    "http-settings/",
    "http-settings/add/",
    f"http-settings/{factories.SETTINGS}/edit/",
    f"http-settings/{factories.SETTINGS}/delete/",
    "listeners/",
    "listeners/add/basic/",
    "listeners/add/multi-site/",
    f"listeners/{factories.LISTENER}/edit/",
    f"listeners/{factories.LISTENER}/delete/",
    "pools/",
    "pools/add/",
    f"pools/{factories.POOL}/edit/",
    "probes/",
    "probes/add/",
    "rules/",
    "rules/add/",
    f"rules/{factories.RULE}/edit/",
    "health/",
]


@pytest.mark.parametrize("blade", BLADES)
def test_nobody_sees_a_blade_without_signing_in(blade: str) -> None:
    answer = Client().get(address(factories.v2_gateway(), blade))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(settings.LOGIN_URL)


@pytest.mark.parametrize("blade", BLADES)
def test_somebody_elses_gateway_answers_as_if_it_did_not_exist(blade: str) -> None:
    gateway = factories.v2_gateway()
    client = signed_in(factories.make_user())
    assert client.get(address(gateway, blade)).status_code == 404
    assert client.post(address(gateway, blade)).status_code == 404


@pytest.mark.parametrize("blade", BLADES)
def test_every_blade_answers_its_owner(blade: str) -> None:
    for gateway in (factories.v1_gateway(), factories.v2_gateway()):
        answer = signed_in(factories.owner_of(gateway)).get(address(gateway, blade))
        assert answer.status_code == 200


def test_a_reader_sees_everything_and_saves_nothing() -> None:
    gateway = factories.v2_gateway()
    reader = factories.make_user()
    factories.grant(gateway.group.subscription, reader, Role.READER)
    client = signed_in(reader)
    page = client.get(address(gateway, f"http-settings/{factories.SETTINGS}/edit/"))
    assert "your role is Reader" in page.content.decode()
    answer = client.post(
        address(gateway, f"http-settings/{factories.SETTINGS}/edit/"),
        {
            "protocol": "Http",
            "port": 81,
            "request_timeout": 30,
            "cookie_based_affinity": "Disabled",
        },
    )
    assert answer.status_code == 422
    assert client.post(address(gateway, f"pools/{factories.POOL}/delete/")).status_code == 422


def test_every_page_without_arguments_answers_the_owner() -> None:
    client = signed_in(factories.owner_of(factories.v2_gateway()))
    for name in ("home", "all-resources", "search", "notifications", "help-index", "lab"):
        assert client.get(reverse(f"portal:{name}")).status_code == 200, name


def test_sign_in_is_locked_after_five_failures_even_for_the_right_password() -> None:
    factories.make_user("anna", "correct horse")
    client = Client()
    for _ in range(5):
        client.post(settings.LOGIN_URL, {"username": "anna", "password": "wrong"})
    answer = client.post(settings.LOGIN_URL, {"username": "anna", "password": "correct horse"})
    assert answer.status_code == 429
    assert "_auth_user_id" not in client.session


def test_a_learner_gets_a_sandbox_at_the_first_sign_in() -> None:
    user = factories.make_user("anna", "correct horse")
    client = Client()
    client.post(settings.LOGIN_URL, {"username": "anna", "password": "correct horse"})
    gateways = ApplicationGateway.objects.filter(group__subscription__sandbox_of=user)
    assert sorted(one.group.name for one in gateways) == [
        "myResourceGroupAG",
        "myResourceGroupAG-v1",
    ]
    page = client.get(reverse("portal:all-resources")).content.decode()
    assert page.count("myAppGateway</a>") == 2


def test_the_theme_is_kept_and_the_way_back_stays_on_the_site() -> None:
    user = factories.make_user()
    client = signed_in(user)
    answer = client.post("/account/theme/", {"theme": "dark", "next": "https://evil.test/"})
    assert answer.headers["Location"] == reverse("portal:home")
    assert 'data-theme="dark"' in client.get(reverse("portal:all-resources")).content.decode()


def test_no_answer_leaves_the_content_policy_out() -> None:
    client = signed_in(factories.make_user())
    for path in ("/portal/", "/portal/nothing/", settings.LOGIN_URL):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
