"""Odd addresses and queries: nothing there, or a kind word, never a server error."""

import uuid

import pytest
from django.test import Client

from tests import factories
from tests.gateway.portal import visits

pytestmark = pytest.mark.django_db

ODD = [
    "%00",
    "a%00b",
    "%2F",
    "..",
    "%2e%2e",
    "%ED%A0%80",
    "%FF%FE",
    "x" * 5000,
    "%F0%9F%92%A5",
    "{{7}}",
    "%25",
    "a%0D%0Ab",
    "_",
    "%5C",
]
NUMBERS = ["0", "9" * 19, "9" * 40, "9" * 5000, "-1", "%D9%A3"]


@pytest.mark.parametrize("odd", ODD)
def test_odd_names_lead_nowhere(odd: str) -> None:
    gateway = factories.v2_gateway()
    client = visits.visitor(gateway)
    group, subscription = gateway.group.name, gateway.group.subscription_id
    here = f"/portal/gateways/{subscription}/{group}/{gateway.name}/"
    for url in (
        f"/portal/gateways/{subscription}/{odd}/{gateway.name}/",
        f"/portal/gateways/{subscription}/{group}/{odd}/",
        f"{here}pools/{odd}/edit/",
        f"{here}pools/{odd}/delete/",
        f"{here}listeners/{odd}/edit/",
        f"{here}http-settings/{odd}/edit/",
        f"{here}probes/{odd}/edit/",
        f"{here}rules/{odd}/edit/",
        f"/portal/help/{odd}/",
        f"/portal/lab/1/{odd}",
        f"/certificates/preview/{odd}/",
    ):
        assert client.get(url).status_code in (404, 405), url
        assert client.post(url, {"name": "x"}).status_code == 404, url
    assert Client().get(f"/account/link/{odd}/").status_code in (404, 410)


@pytest.mark.parametrize("number", NUMBERS)
def test_odd_numbers_lead_nowhere(number: str) -> None:
    gateway = factories.v2_gateway()
    client = visits.visitor(gateway)
    here = visits.address(gateway, "overview")
    assert client.get(f"{here}health/{number}/").status_code == 404
    assert client.get(f"{here}health/{number}/chain/").status_code == 404
    assert client.get(f"/portal/lab/{number}/leaf.cer").status_code == 404


@pytest.mark.parametrize("odd", [*ODD, *NUMBERS, "", "1e9", "&page=&status="])
def test_odd_queries_get_an_answer(odd: str) -> None:
    gateway = factories.v2_gateway()
    client = visits.visitor(gateway)
    for view in ("activity", "health", "pools"):
        answer = client.get(f"{visits.address(gateway, view)}?page={odd}&status={odd}")
        assert answer.status_code in (200, 400), view
    assert client.get(f"/portal/search/?q={odd}").status_code in (200, 400)


@pytest.mark.parametrize(
    "back",
    ["nowhere", "portal:nowhere", "a.b", "//", "/\n/x", "\x00", "/%00", "http://[", "x" * 9000],
)
def test_a_forged_way_back_leads_home_or_stays_on_the_site(back: str) -> None:
    client = visits.visitor(factories.v2_gateway())
    answer = client.post("/account/theme/", {"theme": "dark", "next": back})
    assert answer.status_code in (302, 400)
    if answer.status_code == 302:
        assert answer.headers["Location"].startswith("/")
        assert not answer.headers["Location"].startswith("//")


@pytest.mark.parametrize("field", ["username", "password", "next"])
@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "x" * 5000,
        "\U0001f600",
        "//evil.test",
    ],
)
def test_forged_sign_ins_are_refused(field: str, text: str) -> None:
    form = {"username": "nobody", "password": "nothing", "next": "/portal/", field: text}
    assert Client().post("/account/sign-in/", form).status_code in (200, 422)


def test_an_unknown_subscription_leads_nowhere() -> None:
    client = visits.visitor(factories.v2_gateway())
    assert client.get(f"/portal/gateways/{uuid.uuid4()}/a/b/").status_code == 404


def test_a_name_with_a_nul_is_nowhere_and_such_a_query_unreadable() -> None:
    client = visits.visitor(factories.v2_gateway())
    assert client.get("/portal/help/a%00b/").status_code == 404
    assert client.get("/portal/search/?q=a%00b").status_code == 400
    assert client.get("/portal/search/?q=100%2500").status_code == 200


def test_a_name_too_long_for_anybody_signs_nobody_in() -> None:
    form = {"username": "x" * 300, "password": "nothing"}
    answer = Client().post("/account/sign-in/", form)
    assert "Please enter a correct username and password" in visits.said(answer)
