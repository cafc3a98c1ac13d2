"""The blade Health probes."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from gateway.accounts.models import Role
from gateway.models import ApplicationGateway, BackendHttpSettings, Probe
from gateway.portal.probes import split_codes
from tests import factories
from tests.gateway.portal.visits import address, drawn, queries_of, said, send, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway() -> ApplicationGateway:
    return factories.v2_gateway()


def the_probe(gateway: ApplicationGateway, name: str = "myProbe") -> Probe:
    return factories.find(gateway, Probe, name)


def probe_form(**changed: str) -> dict[str, str]:
    """What a browser sends for a new probe that only gets a name and a host."""
    return {
        "name": "myProbe",
        "protocol": "Http",
        "host": "www.contoso.com",
        "pick_port_from_settings": "on",
        "path": "/",
        "interval": "30",
        "timeout": "30",
        "unhealthy_threshold": "3",
        "min_servers": "0",
        **changed,
    }


def test_the_form_begins_with_the_classic_values(gateway: ApplicationGateway) -> None:
    data = drawn(visitor(gateway), address(gateway, "probes-add"))
    expected = probe_form(name="", host="") | {"status_codes": "200-399", "match_body": ""}
    assert {name: data[name] for name in expected} == expected
    assert "use_match" not in data
    assert "pick_host_name_from_settings" not in data


def test_the_labels_are_those_of_the_classic_pane(gateway: ApplicationGateway) -> None:
    page = said(visitor(gateway).get(address(gateway, "probes-add")))
    for label in (
        "Add health probe",
        "Protocol",
        "Host",
        "Pick host name from backend HTTP settings",
        "Pick port from backend HTTP settings",
        "Path",
        "Interval (seconds)",
        "Timeout (seconds)",
        "Unhealthy threshold",
        "Minimum healthy servers",
        "Use probe matching conditions",
        "HTTP response status code match",
        "HTTP response body match",
    ):
        assert f">{label}<" in page


def test_a_v1_gateway_has_no_probe_port() -> None:
    gateway = factories.v1_gateway()
    client = visitor(gateway)
    url = address(gateway, "probes-add")
    assert "pick_port_from_settings" not in drawn(client, url)
    assert send(client, url, probe_form(port="99")).status_code == 302
    assert the_probe(gateway).port is None


def test_a_probe_is_added(gateway: ApplicationGateway) -> None:
    response = send(
        visitor(gateway),
        address(gateway, "probes-add"),
        probe_form(protocol="Https", path="/health?full=1", interval="10", timeout="5"),
    )
    assert response.status_code == 302
    assert response.headers["Location"] == address(gateway, "probes")
    probe = the_probe(gateway)
    assert (probe.protocol, probe.host, probe.path) == (
        "Https",
        "www.contoso.com",
        "/health?full=1",
    )
    assert (probe.interval, probe.timeout, probe.port) == (10, 5, None)
    assert (probe.match_status_codes, probe.match_body) == ([], "")


def test_a_port_of_its_own_is_kept(gateway: ApplicationGateway) -> None:
    data = probe_form(port="8080")
    del data["pick_port_from_settings"]
    client = visitor(gateway)
    assert send(client, address(gateway, "probes-add"), data).status_code == 302
    assert the_probe(gateway).port == 8080
    url = address(gateway, "probes-edit", "myProbe")
    again = drawn(client, url)
    assert again["port"] == "8080"
    assert "pick_port_from_settings" not in again
    assert send(client, url, {**again, "pick_port_from_settings": "on"}).status_code == 302
    assert the_probe(gateway).port is None


def test_a_host_name_from_the_setting_clears_the_own_one(gateway: ApplicationGateway) -> None:
    factories.change(
        factories.find(gateway, BackendHttpSettings, factories.SETTINGS), host_name="a.contoso.com"
    )
    factories.add_probe(gateway, "myProbe", host="b.contoso.com")
    client = visitor(gateway)
    url = address(gateway, "probes-edit", "myProbe")
    data = {**drawn(client, url), "pick_host_name_from_settings": "on"}
    assert send(client, url, data).status_code == 302
    probe = the_probe(gateway)
    assert (probe.pick_host_name_from_settings, probe.host) == (True, "")
    assert "from HTTP settings" in said(client.get(address(gateway, "probes")))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("200-399", ["200-399"]),
        (" 200 - 399 ,401,, ", ["200-399", "401"]),
        ("", []),
        (",", []),
    ],
)
def test_codes_are_split_at_commas(text: str, codes: list[str]) -> None:
    assert split_codes(text) == codes


def test_matching_conditions_are_kept_and_shown_again(gateway: ApplicationGateway) -> None:
    client = visitor(gateway)
    data = probe_form(use_match="on", status_codes="200-299, 401", match_body="all is well")
    assert send(client, address(gateway, "probes-add"), data).status_code == 302
    probe = the_probe(gateway)
    assert (probe.match_status_codes, probe.match_body) == (["200-299", "401"], "all is well")
    url = address(gateway, "probes-edit", "myProbe")
    again = drawn(client, url)
    assert again["use_match"] == "on"
    assert again["status_codes"] == "200-299, 401"
    del again["use_match"]
    assert send(client, url, again).status_code == 302
    probe = the_probe(gateway)
    assert (probe.match_status_codes, probe.match_body) == ([], "")


def test_a_text_alone_is_a_condition(gateway: ApplicationGateway) -> None:
    data = probe_form(use_match="on", status_codes="", match_body="all is well")
    assert send(visitor(gateway), address(gateway, "probes-add"), data).status_code == 302
    probe = the_probe(gateway)
    assert (probe.match_status_codes, probe.match_body) == ([], "all is well")


def test_conditions_that_say_nothing_are_refused(gateway: ApplicationGateway) -> None:
    data = probe_form(use_match="on", status_codes=" , ", match_body="")
    response = send(visitor(gateway), address(gateway, "probes-add"), data)
    assert response.status_code == 422
    assert 'id="id_status_codes_error"' in said(response)


@pytest.mark.parametrize("codes", ["ok", "200-", "399-200", "99", "200;399", "2000"])
def test_wrong_codes_are_told_beside_their_field(gateway: ApplicationGateway, codes: str) -> None:
    data = probe_form(use_match="on", status_codes=codes)
    response = send(visitor(gateway), address(gateway, "probes-add"), data, htmx=True)
    assert response.status_code == 422
    page = said(response)
    assert "<html" not in page
    assert 'id="id_status_codes_error"' in page


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"protocol": "Ftp"}, "protocol"),
        ({"host": ""}, "host"),
        ({"host": "not a host"}, "host"),
        ({"path": "health"}, "path"),
        ({"path": "/a b"}, "path"),
        ({"interval": "0"}, "interval"),
        ({"interval": "86401"}, "interval"),
        ({"interval": "9" * 5000}, "interval"),
        ({"timeout": "soon"}, "timeout"),
        ({"unhealthy_threshold": "21"}, "unhealthy_threshold"),
        ({"min_servers": "-1"}, "min_servers"),
        ({"min_servers": "9" * 30}, "min_servers"),
        ({"pick_port_from_settings": "", "port": ""}, "port"),
        ({"pick_port_from_settings": "", "port": "65536"}, "port"),
        ({"use_match": "on", "status_codes": "200", "match_body": "x" * 4091}, "match_body"),
        ({"host": "a\x00b"}, "host"),
    ],
)
def test_each_wrong_value_is_told_beside_its_field(
    gateway: ApplicationGateway, changed: dict[str, str], field: str
) -> None:
    data = probe_form(**changed)
    if not data["pick_port_from_settings"]:
        del data["pick_port_from_settings"]
    response = send(visitor(gateway), address(gateway, "probes-add"), data)
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in said(response)
    assert not Probe.objects.filter(gateway=gateway).exists()


def test_a_taken_name_is_told_beside_the_name(gateway: ApplicationGateway) -> None:
    factories.add_probe(gateway, "MYPROBE")
    response = send(visitor(gateway), address(gateway, "probes-add"), probe_form())
    assert response.status_code == 422
    assert 'id="id_name_error"' in said(response)


def test_members_that_the_form_does_not_show_survive_a_save(gateway: ApplicationGateway) -> None:
    opaque = {"pickHostNameFromBackendSettings": False}
    factories.add_probe(gateway, "myProbe", opaque=opaque)
    client = visitor(gateway)
    url = address(gateway, "probes-edit", "myProbe")
    assert send(client, url, {**drawn(client, url), "path": "/new"}).status_code == 302
    probe = the_probe(gateway)
    assert (probe.path, probe.opaque) == ("/new", opaque)


def test_an_unchanged_form_changes_nothing(gateway: ApplicationGateway) -> None:
    factories.add_probe(gateway, "myProbe", port=81, match_status_codes=["200-299"])
    client = visitor(gateway)
    url = address(gateway, "probes-edit", "myProbe")
    assert send(client, url, drawn(client, url)).status_code == 302
    assert ApplicationGateway.objects.get(pk=gateway.pk).etag == gateway.etag


def test_the_list_shows_what_is_asked(gateway: ApplicationGateway) -> None:
    factories.add_probe(gateway, "myProbe", host="b.contoso.com", path="/up", timeout=17)
    page = said(visitor(gateway).get(address(gateway, "probes")))
    for text in ("myProbe", "HTTP", "b.contoso.com", "/up", "17", "Search health probes"):
        assert text in page


def test_a_gateway_without_probes_says_so(gateway: ApplicationGateway) -> None:
    assert "No health probes" in said(visitor(gateway).get(address(gateway, "probes")))
    reader = said(visitor(gateway, Role.READER).get(address(gateway, "probes")))
    assert address(gateway, "probes-add") not in reader


def test_the_form_gives_the_probe_to_http_settings_and_takes_it_away(
    gateway: ApplicationGateway,
) -> None:
    factories.add_settings(gateway, "tls", protocol="Https")
    other = factories.add_probe(gateway, "other")
    factories.add_settings(gateway, "busy", probe=other)
    client = visitor(gateway)
    form = {**probe_form(), "used_by": [factories.SETTINGS]}
    assert "busy (" not in said(client.get(address(gateway, "probes-add")))
    assert send(client, address(gateway, "probes-add"), form).status_code == 302
    settings = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    assert settings.probe == the_probe(gateway)
    url = address(gateway, "probes-edit", "myProbe")
    assert drawn(client, url)["used_by"] == factories.SETTINGS
    assert send(client, url, {**drawn(client, url), "used_by": []}).status_code == 302
    settings.refresh_from_db()
    assert settings.probe is None


def test_a_setting_of_another_protocol_is_refused_beside_the_box(
    gateway: ApplicationGateway,
) -> None:
    factories.add_settings(gateway, "tls", protocol="Https")
    form = {**probe_form(), "used_by": ["tls"]}
    answer = send(visitor(gateway), address(gateway, "probes-add"), form)
    assert answer.status_code == 422
    assert "“tls” speaks HTTPS" in said(answer)
    assert not Probe.objects.filter(gateway=gateway, name="myProbe").exists()


def test_a_probe_is_tried_before_it_is_added_and_nothing_is_stored(
    gateway: ApplicationGateway,
) -> None:
    form = {**probe_form(), "used_by": [factories.SETTINGS], "test": "1"}
    answer = send(visitor(gateway), address(gateway, "probes-add"), form)
    assert answer.status_code == 200
    assert "Test results" in said(answer)
    # No lab runs here, so the server of the pool is not there.
    assert "The probe can be saved all the same" in said(answer)
    assert 'value="myProbe"' in said(answer)
    assert not Probe.objects.filter(gateway=gateway).exists()


def test_a_test_without_a_setting_says_what_to_choose(gateway: ApplicationGateway) -> None:
    answer = send(visitor(gateway), address(gateway, "probes-add"), {**probe_form(), "test": "1"})
    assert "No server was asked" in said(answer)


def test_a_form_with_mistakes_is_not_tried(gateway: ApplicationGateway) -> None:
    form = {**probe_form(path=""), "used_by": [factories.SETTINGS], "test": "1"}
    answer = send(visitor(gateway), address(gateway, "probes-add"), form)
    assert answer.status_code == 422
    assert "Test results" not in said(answer)


def test_probes_of_v1_gateways_are_saved_without_a_test() -> None:
    gateway = factories.v1_gateway()
    client = visitor(gateway)
    assert 'name="test"' not in said(client.get(address(gateway, "probes-add")))
    form = {**probe_form(), "test": "1"}
    assert send(client, address(gateway, "probes-add"), form).status_code == 302


def test_list_and_form_take_at_most_ten_queries_however_many_probes(
    gateway: ApplicationGateway,
) -> None:
    factories.add_probe(gateway, "myProbe")
    client = visitor(gateway)
    urls = [address(gateway, "probes"), address(gateway, "probes-edit", "myProbe")]
    before = [queries_of(client, url) for url in urls]
    for number in range(5):
        factories.add_probe(gateway, f"probe{number}")
    assert [queries_of(client, url) for url in urls] == before
    assert max(before) <= 10


def test_an_unused_probe_is_deleted_and_a_used_one_is_not(gateway: ApplicationGateway) -> None:
    used = factories.add_probe(gateway, "used")
    factories.add_probe(gateway, "idle")
    settings = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(settings, probe=used)
    client = visitor(gateway)
    assert send(client, address(gateway, "probes-delete", "idle"), {}).status_code == 302
    refused = send(client, address(gateway, "probes-delete", "used"), {})
    assert refused.status_code == 422
    assert factories.SETTINGS in said(refused)
    assert [one.name for one in Probe.objects.filter(gateway=gateway)] == ["used"]


def test_a_reader_looks_but_does_not_change(gateway: ApplicationGateway) -> None:
    factories.add_probe(gateway, "myProbe")
    client = visitor(gateway, Role.READER)
    url = address(gateway, "probes-edit", "myProbe")
    assert drawn(client, url).keys() <= {"csrfmiddlewaretoken", "etag"}
    assert send(client, url, probe_form(path="/mine")).status_code == 422
    assert send(client, address(gateway, "probes-add"), probe_form(name="x")).status_code == 422
    assert [one.path for one in Probe.objects.filter(gateway=gateway)] == ["/"]


@pytest.mark.parametrize("view", ["probes", "probes-add"])
def test_a_gateway_of_somebody_else_does_not_exist(gateway: ApplicationGateway, view: str) -> None:
    stranger = Client()
    stranger.force_login(factories.make_user())
    assert stranger.get(address(gateway, view)).status_code == 404


def test_an_unknown_probe_does_not_exist(gateway: ApplicationGateway) -> None:
    client = visitor(gateway)
    assert client.get(address(gateway, "probes-edit", "nobody")).status_code == 404
    assert client.get(address(gateway, "probes-delete", "nobody")).status_code == 404


def test_a_refused_form_names_the_empty_field_and_keeps_the_marks_of_what_was_changed(
    gateway: ApplicationGateway,
) -> None:
    form = probe_form(name="", interval="40")
    page = said(send(visitor(gateway), address(gateway, "probes-add"), form))
    assert page.count("“Name” is required.") == 2
    assert "This field is required" not in page
    marked = set(re.findall(r'id="(id_\w+)_field" data-edited', page))
    assert marked == {"id_host", "id_interval"}
