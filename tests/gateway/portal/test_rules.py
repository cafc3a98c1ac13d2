"""The blade Rules."""

from __future__ import annotations

import pytest
from django.test import Client

from gateway.accounts.models import Role
from gateway.models import (
    ApplicationGateway,
    BackendAddressPool,
    BackendHttpSettings,
    HttpListener,
    RequestRoutingRule,
)
from gateway.portal.rules import next_priority
from tests import factories
from tests.gateway.portal.visits import address, drawn, queries_of, said, send, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway() -> ApplicationGateway:
    return factories.v2_gateway()


def rule_form(
    gateway: ApplicationGateway, listener: HttpListener, **changed: str
) -> dict[str, str]:
    pool = factories.find(gateway, BackendAddressPool, factories.POOL)
    settings = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    return {
        "name": "myRule",
        "http_listener": str(listener.pk),
        "backend_address_pool": str(pool.pk),
        "backend_http_settings": str(settings.pk),
        "priority": "110",
        **changed,
    }


def the_rule(gateway: ApplicationGateway, name: str = "myRule") -> RequestRoutingRule:
    return factories.find(gateway, RequestRoutingRule, name)


@pytest.mark.parametrize(
    ("taken", "priority"),
    [
        ([], 100),
        ([100], 110),
        ([7], 17),
        ([100, 19990], 20000),
        ([19995, 20000], 19999),
        ([20000, 19999], 19998),
        (range(1, 20001), None),
    ],
)
def test_the_next_priority_leaves_room_behind_the_last(
    taken: list[int], priority: int | None
) -> None:
    assert next_priority(taken) == priority


def test_a_rule_is_added_with_the_next_priority_preset(gateway: ApplicationGateway) -> None:
    listener = factories.add_listener(gateway, "second", port=8080)
    client = visitor(gateway)
    url = address(gateway, "rules-add")
    page = said(client.get(url))
    for label in ("Add basic rule", "Name", "Listener", "Backend pool", "HTTP setting", "Priority"):
        assert f">{label}<" in page
    data = drawn(client, url)
    assert data["priority"] == "110"
    response = send(client, url, {**rule_form(gateway, listener), "priority": data["priority"]})
    assert response.status_code == 302
    assert response.headers["Location"] == address(gateway, "rules")
    rule = the_rule(gateway)
    assert (rule.rule_type, rule.priority, rule.http_listener_id) == ("Basic", 110, listener.pk)
    assert rule.backend_address_pool is not None
    assert rule.backend_http_settings is not None


def test_a_v1_gateway_has_no_priorities() -> None:
    gateway = factories.v1_gateway()
    listener = factories.add_listener(gateway, "second", port=8080)
    client = visitor(gateway)
    url = address(gateway, "rules-add")
    assert "priority" not in drawn(client, url)
    assert send(client, url, rule_form(gateway, listener)).status_code == 302
    assert the_rule(gateway).priority is None
    assert "Priority" not in said(client.get(address(gateway, "rules")))


def test_only_listeners_without_a_rule_are_offered(gateway: ApplicationGateway) -> None:
    free = factories.add_listener(gateway, "free", port=8080)
    taken = factories.find(gateway, HttpListener, factories.LISTENER)
    other = factories.v2_gateway(group=gateway.group, name="otherGateway")
    foreign = factories.add_listener(other, "foreign", port=8080)
    client = visitor(gateway)
    url = address(gateway, "rules-add")
    page = said(client.get(url))
    assert f'<option value="{free.pk}">free</option>' in page
    assert f">{factories.LISTENER}</option>" not in page
    for listener in (taken, foreign):
        response = send(client, url, rule_form(gateway, listener))
        assert response.status_code == 422
        assert 'id="id_http_listener_error"' in said(response)
    own = said(client.get(address(gateway, "rules-edit", factories.RULE)))
    assert f'<option value="{taken.pk}" selected>' in own


def test_without_a_free_listener_the_form_says_what_to_do(gateway: ApplicationGateway) -> None:
    page = said(visitor(gateway).get(address(gateway, "rules-add")))
    assert "Every listener has its rule already" in page
    assert f'href="{address(gateway, "listeners")}">Listeners</a>' in page


def test_pools_and_settings_of_another_gateway_are_refused(gateway: ApplicationGateway) -> None:
    listener = factories.add_listener(gateway, "second", port=8080)
    other = factories.v2_gateway(group=gateway.group, name="otherGateway")
    pool = factories.find(other, BackendAddressPool, factories.POOL)
    settings = factories.find(other, BackendHttpSettings, factories.SETTINGS)
    data = rule_form(
        gateway,
        listener,
        backend_address_pool=str(pool.pk),
        backend_http_settings=str(settings.pk),
    )
    page = said(send(visitor(gateway), address(gateway, "rules-add"), data))
    assert 'id="id_backend_address_pool_error"' in page
    assert 'id="id_backend_http_settings_error"' in page


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": factories.RULE.upper()}, "name"),
        ({"http_listener": ""}, "http_listener"),
        ({"http_listener": "x"}, "http_listener"),
        ({"http_listener": "9" * 30}, "http_listener"),
        ({"backend_address_pool": ""}, "backend_address_pool"),
        ({"backend_address_pool": "1\x00"}, "backend_address_pool"),
        ({"backend_http_settings": ""}, "backend_http_settings"),
        ({"priority": ""}, "priority"),
        ({"priority": "0"}, "priority"),
        ({"priority": "20001"}, "priority"),
        ({"priority": "100"}, "priority"),
        ({"priority": "first"}, "priority"),
    ],
)
def test_each_wrong_value_is_told_beside_its_field(
    gateway: ApplicationGateway, changed: dict[str, str], field: str
) -> None:
    listener = factories.add_listener(gateway, "second", port=8080)
    data = rule_form(gateway, listener, **changed)
    response = send(visitor(gateway), address(gateway, "rules-add"), data, htmx=True)
    assert response.status_code == 422
    page = said(response)
    assert "<html" not in page
    assert f'id="id_{field}_error"' in page
    assert RequestRoutingRule.objects.filter(gateway=gateway).count() == 1


def test_a_refusal_without_htmx_is_a_whole_page(gateway: ApplicationGateway) -> None:
    response = send(visitor(gateway), address(gateway, "rules-add"), {})
    assert response.status_code == 422
    assert "<html" in said(response)


def test_an_edit_moves_a_rule_to_another_pool_and_keeps_the_rest(
    gateway: ApplicationGateway,
) -> None:
    images = factories.add_pool(gateway, "images", "10.0.1.4")
    rewrite = factories.add_rewrite_set(gateway, "headers")
    factories.change(the_rule(gateway, factories.RULE), rewrite_rule_set=rewrite)
    client = visitor(gateway)
    url = address(gateway, "rules-edit", factories.RULE)
    data = {**drawn(client, url), "backend_address_pool": str(images.pk)}
    assert send(client, url, data).status_code == 302
    rule = the_rule(gateway, factories.RULE)
    assert (rule.backend_address_pool, rule.rewrite_rule_set) == (images, rewrite)
    assert rule.priority == 100


def test_an_unchanged_form_changes_nothing(gateway: ApplicationGateway) -> None:
    client = visitor(gateway)
    url = address(gateway, "rules-edit", factories.RULE)
    assert send(client, url, drawn(client, url)).status_code == 302
    assert ApplicationGateway.objects.get(pk=gateway.pk).etag == gateway.etag


def with_other_rules(gateway: ApplicationGateway) -> None:
    """Add the rules ``by-path`` and ``away``, which only a document can make."""
    path_map = factories.add_path_map(gateway, "paths", {"images": ["/images/*", "/img/*"]})
    first = factories.add_listener(gateway, "first", port=8081)
    factories.add_rule(gateway, "by-path", first, url_path_map=path_map)
    second = factories.add_listener(gateway, "second", port=8082)
    goal = factories.add_redirect(gateway, "to-contoso")
    factories.add_rule(gateway, "away", second, redirect_configuration=goal)


def test_the_list_tells_basic_path_based_and_redirecting_rules_apart(
    gateway: ApplicationGateway,
) -> None:
    with_other_rules(gateway)
    page = said(visitor(gateway).get(address(gateway, "rules")))
    for text in ("Basic", "Path-based", "Basic (redirect)", factories.LISTENER, "Search rules"):
        assert text in page
    assert f'href="{address(gateway, "rules-add")}"' in page


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("by-path", ["Path-based", "/images/*, /img/*", factories.POOL, "paths"]),
        ("away", ["to-contoso", "Permanent (301)"]),
    ],
)
def test_rules_that_no_form_can_edit_are_shown(
    gateway: ApplicationGateway, name: str, words: list[str]
) -> None:
    with_other_rules(gateway)
    page = said(visitor(gateway).get(address(gateway, "rules-edit", name)))
    assert "child-form" not in page
    assert f'href="{address(gateway, "json")}">JSON View</a>' in page
    for word in words:
        assert word in page


@pytest.mark.parametrize("name", ["by-path", "away"])
@pytest.mark.parametrize("htmx", [True, False])
def test_a_save_never_breaks_a_rule_that_is_not_basic_any_more(
    gateway: ApplicationGateway, name: str, htmx: bool
) -> None:
    with_other_rules(gateway)
    client = visitor(gateway)
    before = RequestRoutingRule.objects.filter(name=name).values().get()
    url = address(gateway, "rules-edit", name)
    response = send(client, url, drawn(client, address(gateway, "rules-edit", "rule1")), htmx=htmx)
    assert response.headers["HX-Redirect" if htmx else "Location"] == url
    assert "not a basic rule any more" in said(client.get(url))
    assert RequestRoutingRule.objects.filter(name=name).values().get() == before


def test_list_and_forms_take_at_most_ten_queries_however_many_rules(
    gateway: ApplicationGateway,
) -> None:
    with_other_rules(gateway)
    client = visitor(gateway)
    urls = [
        address(gateway, "rules"),
        address(gateway, "rules-add"),
        address(gateway, "rules-edit", factories.RULE),
        address(gateway, "rules-edit", "by-path"),
        address(gateway, "rules-edit", "away"),
    ]
    before = [queries_of(client, url) for url in urls]
    factories.many_sites(gateway, 5)
    factories.add_listener(gateway, "free", port=8090)
    assert [queries_of(client, url) for url in urls] == before
    assert max(before) <= 10


def test_a_rule_is_deleted_but_not_the_last_one(gateway: ApplicationGateway) -> None:
    listener = factories.add_listener(gateway, "second", port=8080)
    factories.add_rule(gateway, "myRule", listener)
    client = visitor(gateway)
    assert send(client, address(gateway, "rules-delete", "myRule"), {}).status_code == 302
    assert send(client, address(gateway, "rules-delete", factories.RULE), {}).status_code == 422
    names = [one.name for one in RequestRoutingRule.objects.filter(gateway=gateway)]
    assert names == [factories.RULE]


def test_a_reader_looks_but_does_not_change(gateway: ApplicationGateway) -> None:
    with_other_rules(gateway)
    client = visitor(gateway, Role.READER)
    assert address(gateway, "rules-add") not in said(client.get(address(gateway, "rules")))
    url = address(gateway, "rules-edit", factories.RULE)
    assert drawn(client, url).keys() <= {"csrfmiddlewaretoken", "etag"}
    assert "rules-delete" not in said(client.get(address(gateway, "rules-edit", "by-path")))
    before = list(RequestRoutingRule.objects.filter(gateway=gateway).values())
    listener = factories.find(gateway, HttpListener, factories.LISTENER)
    assert send(client, url, rule_form(gateway, listener, priority="7")).status_code == 422
    assert list(RequestRoutingRule.objects.filter(gateway=gateway).values()) == before


@pytest.mark.parametrize("view", ["rules", "rules-add"])
def test_a_gateway_of_somebody_else_does_not_exist(gateway: ApplicationGateway, view: str) -> None:
    stranger = Client()
    stranger.force_login(factories.make_user())
    assert stranger.get(address(gateway, view)).status_code == 404


def test_an_unknown_rule_does_not_exist(gateway: ApplicationGateway) -> None:
    client = visitor(gateway)
    assert client.get(address(gateway, "rules-edit", "nobody")).status_code == 404
    assert client.get(address(gateway, "rules-delete", "nobody")).status_code == 404
