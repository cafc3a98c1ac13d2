"""The blade Backend pools."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from gateway.accounts.models import Role
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    LabServer,
    PathRule,
    RequestRoutingRule,
    TargetKind,
    VirtualNetwork,
)
from gateway.portal.pool_targets import read_target
from tests import factories
from tests.gateway.portal.visits import address, drawn, queries_of, said, send, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway() -> ApplicationGateway:
    return factories.v2_gateway()


def pool_form(*targets: tuple[str, str], initial: int = 0, **more: str) -> dict[str, str]:
    """What a browser sends for (type, target) rows."""
    data = {
        "targets-TOTAL_FORMS": str(len(targets)),
        "targets-INITIAL_FORMS": str(initial),
        **more,
    }
    for number, (kind, target) in enumerate(targets):
        data[f"targets-{number}-kind"] = kind
        data[f"targets-{number}-{'target' if kind == 'address' else kind}"] = target
    return data


def targets_of(gateway: ApplicationGateway, name: str) -> list[tuple[str, str]]:
    pool = factories.find(gateway, BackendAddressPool, name)
    return [(one.kind, one.target) for one in BackendAddress.objects.filter(pool=pool)]


def add_server(
    gateway: ApplicationGateway, name: str, kind: TargetKind, **fields: Any
) -> LabServer:
    network = VirtualNetwork.objects.get(group=gateway.group)
    number = LabServer.objects.count() + 4
    values = {"address": f"10.0.1.{number}", "fqdn": f"{name}.contoso.test", **fields}
    return factories.add_row(
        LabServer, virtual_network=network, name=name, scenario="full-chain", kind=kind, **values
    )


def add_pool_url(gateway: ApplicationGateway) -> str:
    return address(gateway, "pools-add")


def test_the_list_counts_targets_and_the_rules_that_use_a_pool(
    gateway: ApplicationGateway,
) -> None:
    factories.add_pool(gateway, "images", "10.0.1.4", "10.0.1.5", "10.0.1.6")
    images = factories.find(gateway, BackendAddressPool, "images")
    path_map = factories.add_path_map(gateway, "paths", {"one": ["/a/*"], "two": ["/b/*"]})
    for path_rule in PathRule.objects.filter(path_map=path_map):
        factories.change(path_rule, backend_address_pool=images)
    listener = factories.add_listener(gateway, "second", port=8080)
    factories.add_rule(gateway, "by-path", listener, url_path_map=path_map)
    response = visitor(gateway).get(address(gateway, "pools"))
    counts = {
        row.name: tuple(int(text) for _, text in row.cells) for row in response.context["rows"]
    }
    assert counts == {factories.POOL: (2, 1), "images": (1, 3)}
    for words in ("Rules associated", "Targets", "Search backend pools", "Add"):
        assert words in said(response)


def test_list_and_form_take_at_most_ten_queries_however_many_pools(
    gateway: ApplicationGateway,
) -> None:
    client = visitor(gateway)
    urls = [address(gateway, "pools"), address(gateway, "pools-edit", factories.POOL)]
    before = [queries_of(client, url) for url in urls]
    factories.many_sites(gateway, 5)
    pool = factories.find(gateway, BackendAddressPool, factories.POOL)
    for number in range(6):
        factories.add_row(BackendAddress, pool=pool, ip_address=f"10.0.2.{number}", position=number)
        add_server(gateway, f"vm{number}", TargetKind.VIRTUAL_MACHINE)
    assert [queries_of(client, url) for url in urls] == before
    assert max(before) <= 10


def test_a_pool_is_added_with_addresses_and_names_in_order(gateway: ApplicationGateway) -> None:
    rows = [("address", "www.contoso.com"), ("address", " 10.0.1.9 "), ("address", "")]
    response = send(visitor(gateway), add_pool_url(gateway), pool_form(*rows, name="images"))
    assert response.status_code == 302
    assert response.headers["Location"] == address(gateway, "pools")
    assert targets_of(gateway, "images") == [
        ("address", "www.contoso.com"),
        ("address", "10.0.1.9"),
    ]
    stored = BackendAddress.objects.filter(pool__name="images")
    assert [(one.fqdn, one.ip_address) for one in stored] == [
        ("www.contoso.com", None),
        ("", "10.0.1.9"),
    ]


def test_a_save_by_htmx_leads_to_the_list(gateway: ApplicationGateway) -> None:
    client = visitor(gateway)
    data = pool_form(("address", "10.0.1.9"), name="images")
    response = send(client, add_pool_url(gateway), data, htmx=True)
    assert response.headers["HX-Redirect"] == address(gateway, "pools")
    assert "was added" in said(client.get(address(gateway, "pools")))


def test_a_pool_is_added_without_targets(gateway: ApplicationGateway) -> None:
    data = {"name": "empty", "without_targets": "on"}
    assert send(visitor(gateway), add_pool_url(gateway), data).status_code == 302
    assert targets_of(gateway, "empty") == []


def test_a_pool_takes_as_many_targets_as_a_gateway_allows(gateway: ApplicationGateway) -> None:
    rows = [("address", f"10.0.{number // 250}.{number % 250 + 1}") for number in range(1200)]
    data = pool_form(*rows, name="large")
    assert send(visitor(gateway), add_pool_url(gateway), data).status_code == 302
    assert targets_of(gateway, "large") == rows


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("https://www.contoso.com/", "scheme"),
        ("www.contoso.com/path", "scheme"),
        ("www.contoso.com:8443", "HTTP setting"),
        ("10.0.0.4:443", "HTTP setting"),
        ("10.0.0.300", "not an IP address"),
        ("10.0.0", "not an IP address"),
        ("*.contoso.com", "not a host name"),
        ("fe80::1%eth0", "not a host name"),
        ("a b", "not a host name"),
        (".", "not a host name"),
        ("-x.contoso.com", "not a host name"),
        ("ü.contoso.com", "not a host name"),
    ],
)
def test_what_is_no_target_is_refused_with_a_reason(typed: str, word: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_target(typed)
    assert word in caught.value.messages[0]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("10.0.0.4", "10.0.0.4"),
        ("2001:0DB8::0001", "2001:db8::1"),
        ("backend.contoso.test", "backend.contoso.test"),
        ("WWW.Contoso.com", "WWW.Contoso.com"),
        ("localhost", "localhost"),
        ("1.pool.contoso.com", "1.pool.contoso.com"),
    ],
)
def test_addresses_and_names_are_targets(typed: str, kept: str) -> None:
    assert read_target(typed) == kept


def test_an_error_stands_beside_its_row_and_in_the_summary(gateway: ApplicationGateway) -> None:
    client = visitor(gateway)
    rows = [("address", "10.0.1.4"), ("address", "10.0.0.300")]
    data = pool_form(*rows, name="images")
    response = send(client, add_pool_url(gateway), data, htmx=True)
    assert response.status_code == 422
    page = said(response)
    assert "<html" not in page
    assert 'id="id_targets-1-target_error"' in page
    assert 'id="id_targets-0-target_error"' not in page
    assert '<a href="#id_targets-1-target">Target 2: “10.0.0.300” is not an IP address.</a>' in page
    assert 'value="10.0.1.4"' in page
    whole = send(client, add_pool_url(gateway), data)
    assert whole.status_code == 422
    assert "<html" in said(whole)
    assert not BackendAddressPool.objects.filter(name="images").exists()


def test_name_and_rows_are_judged_together(gateway: ApplicationGateway) -> None:
    data = pool_form(("address", "10.0.0.300"), name="no/slash")
    page = said(send(visitor(gateway), add_pool_url(gateway), data))
    assert 'id="id_name_error"' in page
    assert 'id="id_targets-0-target_error"' in page


def test_a_taken_name_is_told_beside_the_name(gateway: ApplicationGateway) -> None:
    data = pool_form(("address", "10.0.1.4"), name=factories.POOL.upper())
    response = send(visitor(gateway), add_pool_url(gateway), data)
    assert response.status_code == 422
    assert 'id="id_name_error"' in said(response)


def test_the_same_target_twice_is_refused_at_the_later_row(gateway: ApplicationGateway) -> None:
    add_server(gateway, "vm1", TargetKind.VIRTUAL_MACHINE, address="10.0.1.4")
    rows = [("address", "10.0.1.4"), ("virtual_machine", "10.0.1.4")]
    page = said(send(visitor(gateway), add_pool_url(gateway), pool_form(*rows, name="twice")))
    assert 'id="id_targets-1-virtual_machine_error"' in page
    assert "already in this pool" in page


def test_an_edit_keeps_the_rows_of_known_targets(gateway: ApplicationGateway) -> None:
    pool = factories.add_pool(gateway, "images", "10.0.1.4", "www.contoso.com", "10.0.1.6")
    before = {one.target: one.pk for one in BackendAddress.objects.filter(pool=pool)}
    client = visitor(gateway)
    url = address(gateway, "pools-edit", "images")
    data = drawn(client, url)
    data["targets-0-target"] = "10.0.1.9"
    data["targets-1-target"] = "WWW.contoso.com"
    data["targets-2-DELETE"] = "on"
    data["targets-3-target"] = "10.0.1.4"
    assert send(client, url, data).status_code == 302
    after = list(BackendAddress.objects.filter(pool=pool))
    assert [one.target for one in after] == ["10.0.1.9", "WWW.contoso.com", "10.0.1.4"]
    assert after[1].pk == before["www.contoso.com"]
    assert after[2].pk == before["10.0.1.4"]
    assert after[0].pk not in before.values()


def test_an_unchanged_form_changes_nothing(gateway: ApplicationGateway) -> None:
    add_server(gateway, "vm1", TargetKind.VIRTUAL_MACHINE)
    client = visitor(gateway)
    url = address(gateway, "pools-edit", factories.POOL)
    data = drawn(client, url)
    assert send(client, url, data).status_code == 302
    stored = ApplicationGateway.objects.get(pk=gateway.pk)
    assert (stored.etag, stored.generation) == (gateway.etag, gateway.generation)


def test_all_targets_are_removed_by_one_tick(gateway: ApplicationGateway) -> None:
    client = visitor(gateway)
    url = address(gateway, "pools-edit", factories.POOL)
    assert "Remove all targets from backend pool" in said(client.get(url))
    data = {**drawn(client, url), "without_targets": "on", "targets-0-target": "not judged/"}
    assert send(client, url, data).status_code == 302
    assert targets_of(gateway, factories.POOL) == []


def test_a_cleared_target_is_not_dropped_silently(gateway: ApplicationGateway) -> None:
    client = visitor(gateway)
    url = address(gateway, "pools-edit", factories.POOL)
    response = send(client, url, {**drawn(client, url), "targets-0-target": ""})
    assert response.status_code == 422
    assert "Enter a target, or delete the row." in said(response)


def test_servers_of_the_lab_are_offered_by_kind_and_marked(gateway: ApplicationGateway) -> None:
    add_server(gateway, "vm1", TargetKind.VIRTUAL_MACHINE, address="10.0.1.40")
    add_server(gateway, "vm1-tls", TargetKind.VIRTUAL_MACHINE, address="10.0.1.40", port=8443)
    add_server(gateway, "set1", TargetKind.SCALE_SET, address="10.0.1.50")
    add_server(gateway, "app1", TargetKind.APP_SERVICE, fqdn="app1.azurewebsites.test")
    add_server(gateway, "plain", TargetKind.ADDRESS, fqdn="plain.contoso.test")
    elsewhere = factories.make_network(gateway.group, "other")
    factories.add_row(
        LabServer,
        virtual_network=elsewhere,
        name="stranger",
        scenario="full-chain",
        kind=TargetKind.VIRTUAL_MACHINE,
        address="10.0.1.60",
        fqdn="stranger.test",
    )
    page = said(visitor(gateway).get(add_pool_url(gateway)))
    assert "vm1, vm1-tls – 10.0.1.40 (simulated)" in page
    assert "set1 – 10.0.1.50 (simulated)" in page
    assert "app1 – app1.azurewebsites.test (simulated)" in page
    assert '<option value="plain.contoso.test">' in page
    assert "stranger" not in page
    assert 'data-show-when="targets-__prefix__-kind=virtual_machine"' in page


def test_simulated_targets_are_stored_by_address_or_name(gateway: ApplicationGateway) -> None:
    add_server(gateway, "vm1", TargetKind.VIRTUAL_MACHINE, address="10.0.1.40")
    add_server(gateway, "app1", TargetKind.APP_SERVICE, fqdn="app1.azurewebsites.test")
    rows = [("virtual_machine", "10.0.1.40"), ("app_service", "app1.azurewebsites.test")]
    send(visitor(gateway), add_pool_url(gateway), pool_form(*rows, name="lab"))
    stored = BackendAddress.objects.filter(pool__name="lab")
    assert [(one.kind, one.ip_address, one.fqdn) for one in stored] == [
        ("virtual_machine", "10.0.1.40", ""),
        ("app_service", None, "app1.azurewebsites.test"),
    ]


def test_a_target_whose_server_is_gone_stays_until_it_is_deleted(
    gateway: ApplicationGateway,
) -> None:
    server = add_server(gateway, "vm1", TargetKind.VIRTUAL_MACHINE, address="10.0.1.40")
    client = visitor(gateway)
    rows = pool_form(("virtual_machine", "10.0.1.40"), name="lab")
    send(client, add_pool_url(gateway), rows)
    factories.delete(server)
    url = address(gateway, "pools-edit", "lab")
    assert "10.0.1.40 (not in the lab)" in said(client.get(url))
    assert send(client, url, drawn(client, url)).status_code == 302
    assert targets_of(gateway, "lab") == [("virtual_machine", "10.0.1.40")]
    assert send(client, add_pool_url(gateway), {**rows, "name": "other"}).status_code == 422


def test_the_kind_of_a_target_changes_without_losing_its_row(gateway: ApplicationGateway) -> None:
    pool = factories.add_pool(gateway, "images", "10.0.1.40")
    before = BackendAddress.objects.get(pool=pool)
    add_server(gateway, "vm1", TargetKind.VIRTUAL_MACHINE, address="10.0.1.40")
    client = visitor(gateway)
    url = address(gateway, "pools-edit", "images")
    data = drawn(client, url)
    data |= {"targets-0-kind": "virtual_machine", "targets-0-virtual_machine": "10.0.1.40"}
    assert send(client, url, data).status_code == 302
    after = BackendAddress.objects.get(pool=pool)
    assert (after.pk, after.kind) == (before.pk, "virtual_machine")


def test_the_edit_page_names_the_rules_that_use_the_pool(gateway: ApplicationGateway) -> None:
    page = said(visitor(gateway).get(address(gateway, "pools-edit", factories.POOL)))
    assert (
        f'<a href="{address(gateway, "rules-edit", factories.RULE)}">{factories.RULE}</a>' in page
    )


@pytest.mark.parametrize(
    "damage",
    [
        {"targets-TOTAL_FORMS": "x"},
        {"targets-TOTAL_FORMS": ""},
        {"targets-0-kind": "mainframe"},
        {"targets-0-kind": ""},
        {"targets-0-target": "a\x00b"},
        {"targets-0-target": "x" * 300},
        {"targets-0-kind": "virtual_machine", "targets-0-virtual_machine": "10.9.9.9"},
        {"name": ""},
        {"name": "x" * 200},
        {"name": "a\x00b"},
    ],
)
def test_damaged_input_is_refused_and_told(
    gateway: ApplicationGateway, damage: dict[str, str]
) -> None:
    data = {**pool_form(("address", "10.0.1.4"), name="images"), **damage}
    response = send(visitor(gateway), add_pool_url(gateway), data)
    assert response.status_code == 422
    assert "error-summary" in said(response)
    assert not BackendAddressPool.objects.filter(name="images").exists()


@pytest.mark.parametrize("total", ["-1", "0", "2", "999999999"])
def test_rows_that_did_not_arrive_whole_are_refused(
    gateway: ApplicationGateway, total: str
) -> None:
    data = {**pool_form(("address", "10.0.1.4"), name="images"), "targets-TOTAL_FORMS": total}
    response = send(visitor(gateway), add_pool_url(gateway), data)
    assert response.status_code == 422
    assert "The targets did not arrive whole" in said(response)
    assert len(response.content) < 60_000


@pytest.mark.parametrize(
    "damage",
    [
        {"targets-INITIAL_FORMS": "99999999999999999999"},
        {"targets-INITIAL_FORMS": "-5"},
        {"etag": "a\x00b"},
    ],
)
def test_wrong_counts_never_break_a_page(
    gateway: ApplicationGateway, damage: dict[str, str]
) -> None:
    data = {**pool_form(("address", "10.0.1.4"), name="images"), **damage}
    assert send(visitor(gateway), add_pool_url(gateway), data).status_code in {302, 422}


def test_nothing_sent_at_all_is_refused(gateway: ApplicationGateway) -> None:
    assert send(visitor(gateway), add_pool_url(gateway), {}).status_code == 422


def test_somebody_else_saving_first_is_told_and_the_next_save_goes_through(
    gateway: ApplicationGateway,
) -> None:
    client, other = visitor(gateway), visitor(gateway)
    url = address(gateway, "pools-edit", factories.POOL)
    mine, theirs = drawn(client, url), drawn(other, url)
    assert send(other, url, {**theirs, "targets-1-target": "10.0.1.7"}).status_code == 302
    response = send(client, url, {**mine, "targets-1-target": "10.0.1.8"})
    assert response.status_code == 422
    assert 'value="10.0.1.8"' in said(response)
    stored = ApplicationGateway.objects.get(pk=gateway.pk)
    again = {**mine, "etag": stored.etag, "targets-1-target": "10.0.1.8"}
    assert stored.etag in said(response)
    assert send(client, url, again).status_code == 302


def test_an_unused_pool_is_deleted(gateway: ApplicationGateway) -> None:
    factories.add_pool(gateway, "images", "10.0.1.4")
    client = visitor(gateway)
    url = address(gateway, "pools-delete", "images")
    assert "Delete the backend pool “images”?" in said(client.get(url))
    assert send(client, url, {}).status_code == 302
    assert not BackendAddressPool.objects.filter(name="images").exists()


def test_a_pool_in_use_is_not_deleted(gateway: ApplicationGateway) -> None:
    response = send(visitor(gateway), address(gateway, "pools-delete", factories.POOL), {})
    assert response.status_code == 422
    assert factories.RULE in said(response)
    assert BackendAddressPool.objects.filter(name=factories.POOL).exists()


def test_a_reader_looks_but_does_not_change(gateway: ApplicationGateway) -> None:
    client = visitor(gateway, Role.READER)
    assert add_pool_url(gateway) not in said(client.get(address(gateway, "pools")))
    url = address(gateway, "pools-edit", factories.POOL)
    page = said(client.get(url))
    assert "data-row-delete" not in page
    assert drawn(client, url).keys() <= {
        "csrfmiddlewaretoken",
        "etag",
        *(f"targets-{part}_FORMS" for part in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")),
    }
    data = pool_form(("address", "10.0.1.4"), initial=1)
    assert send(client, url, data).status_code == 422
    assert send(client, add_pool_url(gateway), {**data, "name": "mine"}).status_code == 422
    assert targets_of(gateway, factories.POOL) == [("address", "full-chain.contoso.test")]


@pytest.mark.parametrize("view", ["pools", "pools-add"])
def test_a_gateway_of_somebody_else_does_not_exist(gateway: ApplicationGateway, view: str) -> None:
    stranger = Client()
    stranger.force_login(factories.make_user())
    assert stranger.get(address(gateway, view)).status_code == 404


def test_an_unknown_pool_does_not_exist(gateway: ApplicationGateway) -> None:
    client = visitor(gateway)
    assert client.get(address(gateway, "pools-edit", "nobody")).status_code == 404
    assert client.get(address(gateway, "pools-delete", "nobody")).status_code == 404


def test_a_gateway_without_pools_says_so(gateway: ApplicationGateway) -> None:
    pool = factories.find(gateway, BackendAddressPool, factories.POOL)
    factories.delete(factories.find(gateway, RequestRoutingRule, factories.RULE))
    factories.delete(pool)
    assert "No backend pools" in said(visitor(gateway).get(address(gateway, "pools")))
