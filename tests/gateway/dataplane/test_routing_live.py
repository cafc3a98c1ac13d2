"""Rules, path maps, redirects and rewrite sets through a real Envoy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.models import (
    BackendHttpSettings,
    HttpListener,
    PathRule,
    RequestRoutingRule,
    RewriteRule,
)
from tests import factories as make
from tests.free_ports import free_ports
from tests.gateway.dataplane.engine import running
from tests.gateway.dataplane.sites import Traffic, ask, leaf
from tests.servers import answer, http_server

pytestmark = pytest.mark.django_db


def first_line(request: str) -> str:
    return request.splitlines()[0].removesuffix(" HTTP/1.1")


def rule_of(gateway: Any) -> RequestRoutingRule:
    return make.find(gateway, RequestRoutingRule, make.RULE)


def settings_of(gateway: Any) -> BackendHttpSettings:
    return make.find(gateway, BackendHttpSettings, make.SETTINGS)


def test_paths_of_a_map_are_matched_in_order_whatever_their_case():
    gateway = make.v2_gateway()
    named = {"images": ["/images/*"], "exact": ["/exact"], "wide": ["/wide*"]}
    path_map = make.add_path_map(gateway, "map", named)
    make.change(rule_of(gateway), rule_type="PathBasedRouting", url_path_map=path_map)
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()) as engine:
            port = traffic.port(80)
            asked = ("/IMAGES/a", "/images", "/imagesx", "/Exact", "/exact/b", "/wider", "/x")
            for path in asked:
                assert ask(port, path=path).status == 200
            lines = engine.lines(len(asked))
    names = [line["routeName"] for line in lines]
    rest = make.RULE
    assert names == [f"{rest}/images", rest, rest, f"{rest}/exact", rest, f"{rest}/wide", rest]


@pytest.mark.parametrize(
    ("paths", "override", "asked", "forwarded"),
    [
        ([], "/override/", "/home/", "/override/home/"),
        ([], "/override", "/home/?a=1", "/override/home/?a=1"),
        (["/pathrule*"], "/override/", "/pathrule/home/", "/override/home/"),
        (["/pathrule*"], "/override/", "/PathRule/home/second/", "/override/home/second/"),
        (["/pathrule*"], "/override/", "/home/", "/override/home/"),
        (["/pathrule/home*"], "/override/", "/pathrule/home/second/", "/override/second/"),
        (["/pathrule/home*"], "/override/", "/pathrule/home/", "/override/"),
        (["/pathrule/"], "/override/", "/pathrule/", "/override/"),
        (["/a.b/*"], "/o\\1/", "/a.b/c", "/o\\1/c"),
    ],
)
def test_the_backend_path_is_overridden(
    paths: list[str], override: str, asked: str, forwarded: str
):
    gateway = make.v2_gateway()
    make.change(settings_of(gateway), path=override)
    if paths:
        path_map = make.add_path_map(gateway, "map", {"one": paths})
        make.change(rule_of(gateway), rule_type="PathBasedRouting", url_path_map=path_map)
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            assert ask(traffic.port(80), path=asked).status == 200
    assert first_line(backend.requests[0]) == f"GET {forwarded}"


def test_redirects_lead_to_listeners_and_to_urls():
    gateway = make.v2_gateway()
    stored = make.add_ssl_certificate(gateway, "cert", leaf("www.contoso.com"))
    https = make.add_listener(gateway, "https", port=443, protocol="Https", ssl_certificate=stored)
    named = make.add_listener(
        gateway,
        "named",
        port=444,
        protocol="Https",
        ssl_certificate=stored,
        host_name="named.contoso.com",
    )
    make.add_rule(gateway, "https", https)
    make.add_rule(gateway, "named", named)
    redirects = {
        "all": {"target_listener": https, "include_path": True, "include_query_string": True},
        "none": {"target_listener": named, "redirect_type": "Found"},
        "url": {
            "target_url": "https://www.bing.com/search",
            "redirect_type": "SeeOther",
            "include_query_string": True,
        },
        "ported": {"target_url": "http://example.com:8080", "redirect_type": "Temporary"},
    }
    path_map = make.add_path_map(gateway, "map", {name: [f"/{name}*"] for name in redirects})
    for name, fields in redirects.items():
        redirect = make.add_redirect(gateway, name, **fields)
        row = PathRule.objects.get(path_map=path_map, name=name)
        make.change(
            row,
            redirect_configuration=redirect,
            backend_address_pool=None,
            backend_http_settings=None,
        )
    make.change(rule_of(gateway), rule_type="PathBasedRouting", url_path_map=path_map)
    traffic = Traffic(gateway)
    with running(traffic.compile()):
        port = traffic.port(80)
        found = [ask(port, path=f"/{name}/a%20b?x=1&y=2") for name in redirects]
    assert [(one.status, one.headers["location"]) for one in found] == [
        (301, f"https://www.contoso.com:{traffic.port(443)}/all/a%20b?x=1&y=2"),
        (302, f"https://named.contoso.com:{traffic.port(444)}/"),
        (303, "https://www.bing.com/search?x=1&y=2"),
        (307, "http://example.com:8080/"),
    ]


@pytest.mark.parametrize(
    ("host", "came_by", "leads_to", "location"),
    [
        ("", 80, 443, "https://www.contoso.com/a"),
        ("", 80, 8443, "https://www.contoso.com:8443/a"),
        ("", 8080, 443, "https://www.contoso.com:443/a"),
        ("named.contoso.com", 8080, 443, "https://named.contoso.com/a"),
    ],
)
def test_redirects_leave_out_the_usual_ports(host: str, came_by: int, leads_to: int, location: str):
    gateway = make.v2_gateway()
    stored = make.add_ssl_certificate(gateway, "cert", leaf("www.contoso.com"))
    https = make.add_listener(
        gateway, "https", port=443, protocol="Https", ssl_certificate=stored, host_name=host
    )
    make.add_rule(gateway, "https", https)
    redirect = make.add_redirect(gateway, "r", target_listener=https, include_path=True)
    make.change(rule_of(gateway), redirect_configuration=redirect, backend_address_pool=None)
    traffic = Traffic(gateway)
    frontend = https.frontend_ip_configuration_id
    traffic.ports = {
        (frontend, 443): ("127.0.0.9", leads_to),
        (frontend, 80): ("127.0.0.9", came_by),
    }
    compiled = traffic.compile()
    # Whether such ports may be bound is the machine's affair: the listener gets one that may.
    (listener,) = (one for one in compiled.listeners if one["name"].endswith("/80"))
    real = free_ports(1)[0]
    listener["address"] = {"socket_address": {"address": "127.0.0.1", "port_value": real}}
    with running(replace(compiled, listeners=(listener,))):
        came = "www.contoso.com" if came_by == 80 else f"www.contoso.com:{came_by}"
        found = ask(real, came, "/a?b")
    assert found.headers["location"] == location


@pytest.mark.parametrize(
    ("url", "location", "with_query"),
    [
        ("https://a.example/x?y=1", "https://a.example/x?y=1", "https://a.example/x?y=1&o=2"),
        ("https://a.example/#/app", "https://a.example/#/app", "https://a.example/?o=2#/app"),
        (
            "http://[2001:db8::1]:8080",
            "http://[2001:db8::1]:8080/",
            "http://[2001:db8::1]:8080/?o=2",
        ),
        ("http://A.example:81?é=%41#%", "http://a.example:81/?%C3%A9=%41#%", None),
        ("https://a.example/é", "https://a.example/%C3%A9", "https://a.example/%C3%A9?o=2"),
    ],
)
def test_redirects_to_urls_keep_all_of_them(url: str, location: str, with_query: str | None):
    gateway = make.v2_gateway()
    redirect = make.add_redirect(gateway, "r", target_url=url, redirect_type="SeeOther")
    make.change(rule_of(gateway), redirect_configuration=redirect, backend_address_pool=None)
    traffic = Traffic(gateway)
    with running(traffic.compile()) as engine:
        found = [ask(traffic.port(80), path="/p?o=2")]
        make.change(redirect, include_query_string=True)
        engine.write(traffic.compile())
        engine.wait_until_live()
        found += [ask(traffic.port(80), path=path) for path in ("/p", "/p?o=2")]
    assert [(one.status, one.body) for one in found] == [(303, "")] * 3
    assert [one.headers["location"] for one in found[:2]] == [location] * 2
    if with_query is not None:
        assert found[2].headers["location"] == with_query


def rewrite(gateway: Any, *rules: dict[str, Any]) -> None:
    """A rewrite set at the default rule; each rule has conditions and ARM's actions."""
    rule_set = make.add_rewrite_set(gateway, "set", *[one["actions"] for one in rules])
    for row, one in zip(RewriteRule.objects.filter(rule_set=rule_set), rules, strict=True):
        make.change(row, conditions=one.get("conditions", []))
    make.change(rule_of(gateway), rewrite_rule_set=rule_set)


def on_request(**headers: str) -> dict[str, Any]:
    return {"requestHeaderConfigurations": _headers(headers)}


def on_response(**headers: str) -> dict[str, Any]:
    return {"responseHeaderConfigurations": _headers(headers)}


def _headers(headers: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"headerName": name.replace("_", "-"), "headerValue": value}
        for name, value in headers.items()
    ]


def condition(variable: str, pattern: str, **more: bool) -> dict[str, Any]:
    return {"variable": variable, "pattern": pattern, **more}


def heads(request: str) -> dict[str, str]:
    lines = request.splitlines()[1:]
    return {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }


def test_headers_are_rewritten_with_conditions_captures_and_variables():
    gateway = make.v2_gateway()
    rewrite(
        gateway,
        {
            "actions": {
                **on_request(
                    X_Fixed="100% 'sure' \"%)% {not} é",
                    X_Client="{var_client_ip}:{var_client_port}",
                    X_Uri="{var_http_method} {var_uri_path} {var_query_string} {var_request_uri}",
                    X_Forwarded_For="{var_add_x_forwarded_for_proxy}",
                    X_Cookie="{var_cookie_flavour}",
                    X_Copy="<{http_req_X-Src}>",
                    X_Gone="",
                ),
                **on_response(
                    X_Powered_By="", X_Status="{var_http_status}", X_Back="{http_req_X-Src}"
                ),
            }
        },
        {
            "conditions": [
                condition("http_req_X-Src", "^(.)(B)", ignoreCase=True),
                condition("var_uri_path", "^/a/(\\w+)"),
                condition("http_req_X-Nope", ".+", negate=True),
            ],
            "actions": on_request(
                X_Captured="{http_req_X-Src_2}{http_req_X-Src_1}/{var_uri_path_1}{var_uri_path_7}",
                X_Taken="",
            ),
        },
        {
            "conditions": [condition("http_req_X-Src", "^z")],
            "actions": {**on_request(X_Untouched="changed", X_Kept=""), **on_response(X_Stays="")},
        },
        {
            "conditions": [
                condition("http_resp_Location", "^https?://[^/]*azurewebsites[.]net(.*)$")
            ],
            "actions": on_response(Location="https://www.contoso.com{http_resp_Location_1}"),
        },
    )
    location = "Location: https://app.azurewebsites.net/signin?a=b\r\n"
    extra = f"{location}X-Powered-By: PHP\r\nX-Stays: yes\r\n"
    with http_server(answer(extra=extra)) as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        compiled = traffic.compile()
        with running(compiled):
            found = ask(
                traffic.port(80),
                path="/a/word?q=1&r=2",
                headers={
                    "X-Src": "aB!",
                    "X-Gone": "x",
                    "X-Taken": "x",
                    "X-Kept": "kept",
                    "X-Untouched": "same",
                    "X-Forwarded-For": "9.9.9.9",
                    "Cookie": "a=b; flavour=vanilla; c=d",
                    "X-Gatewright-Path": "/forged",
                    "X-Gatewright-Value-0": "forged",
                    "X-Gatewright-If-2": "yes",
                    "X-Gatewright-2-0": "z",
                },
            )
    assert not compiled.notes
    seen = heads(backend.requests[0])
    assert seen["x-fixed"].startswith("100% 'sure' \"%)% {not} ")
    assert seen["x-client"].startswith("127.0.0.1:")
    assert seen["x-uri"] == "GET /a/word q=1&r=2 /a/word?q=1&r=2"
    assert seen["x-forwarded-for"] == "9.9.9.9, 127.0.0.1"
    assert seen["x-cookie"] == "vanilla"
    assert seen["x-copy"] == "<aB!>"
    assert seen["x-captured"] == "Ba/word"
    assert (seen["x-untouched"], seen["x-kept"]) == ("same", "kept")
    assert not {"x-gone", "x-taken"} & seen.keys()
    # These are not used by this set, so they are a client's like any other.
    own = {name for name in seen if name.startswith("x-gatewright-")}
    assert own == {"x-gatewright-path", "x-gatewright-2-0"}
    assert found.headers["location"] == "https://www.contoso.com/signin?a=b"
    assert (found.headers["x-status"], found.headers["x-back"]) == ("200", "aB!")
    assert found.headers["x-stays"] == "yes"
    assert "x-powered-by" not in found.headers
    assert not [name for name in found.headers if name.startswith("x-gatewright")]


def url(**fields: Any) -> dict[str, Any]:
    return {"urlConfiguration": fields}


@pytest.mark.parametrize(
    ("conditions", "actions", "asked", "forwarded"),
    [
        ([], url(modifiedPath="/new"), "/old?a=b", "/new?a=b"),
        ([], url(modifiedQueryString="c=d"), "/old?a=b", "/old?c=d"),
        ([], url(modifiedQueryString=""), "/old?a=b", "/old"),
        ([], url(modifiedPath="new", modifiedQueryString="c=d"), "/old", "/new?c=d"),
        (
            [condition("var_uri_path", "^/article/(.*)/(.*)")],
            url(
                modifiedPath="/article.aspx",
                modifiedQueryString="id={var_uri_path_1}&t={var_uri_path_2}",
            ),
            "/article/123/fabrikam",
            "/article.aspx?id=123&t=fabrikam",
        ),
        ([condition("var_uri_path", "^/no")], url(modifiedPath="/new"), "/old?a=b", "/old?a=b"),
        ([], on_request(Host="other.contoso.com"), "/old", "/old"),
    ],
)
def test_addresses_are_rewritten(
    conditions: list[Any], actions: dict[str, Any], asked: str, forwarded: str
):
    gateway = make.v2_gateway()
    rewrite(gateway, {"conditions": conditions, "actions": actions})
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            forged = {"X-Gatewright-Path": "=/forged", "X-Gatewright-Host": "=forged"}
            assert ask(traffic.port(80), path=asked, headers=forged).status == 200
    assert first_line(backend.requests[0]) == f"GET {forwarded}"
    seen = heads(backend.requests[0])
    wanted = "other.contoso.com" if "urlConfiguration" not in actions else "www.contoso.com"
    assert seen["host"] == wanted
    assert not [name for name in seen if name.startswith("x-gatewright")]


def test_a_rewritten_path_can_be_routed_anew():
    gateway = make.v2_gateway()
    path_map = make.add_path_map(gateway, "map", {"new": ["/new/*"]})
    rule_set = make.add_rewrite_set(gateway, "set", url(modifiedPath="/new/x", reroute=True))
    make.change(path_map, rewrite_rule_set=rule_set)
    make.change(rule_of(gateway), rule_type="PathBasedRouting", url_path_map=path_map)
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()) as engine:
            assert ask(traffic.port(80), path="/old").status == 200
            line = engine.lines(1)[0]
    assert first_line(backend.requests[0]) == "GET /new/x"
    assert line["routeName"] == f"{make.RULE}/new"


def test_a_path_is_routed_anew_within_its_rule_whatever_becomes_of_the_host():
    gateway = make.v2_gateway()
    make.change(make.find(gateway, HttpListener, make.LISTENER), host_name="www.contoso.com")
    other = make.add_listener(gateway, "other", port=80, host_name="other.contoso.com")
    make.add_rule(gateway, "other", other)
    path_map = make.add_path_map(gateway, "map", {"new": ["/new/*"]})
    moved = {**url(modifiedPath="/new/x", reroute=True), **on_request(Host="other.contoso.com")}
    make.change(path_map, rewrite_rule_set=make.add_rewrite_set(gateway, "set", moved))
    make.change(rule_of(gateway), rule_type="PathBasedRouting", url_path_map=path_map)
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()) as engine:
            assert ask(traffic.port(80), path="/old").status == 200
            line = engine.lines(1)[0]
    assert backend.requests[0].startswith("GET /new/x HTTP/1.1\r\nhost: other.contoso.com\r\n")
    assert line["routeName"] == f"{make.RULE}/new"


def test_a_rewrite_without_reroute_stays_at_its_rule():
    gateway = make.v2_gateway()
    make.change(make.find(gateway, HttpListener, make.LISTENER), host_name="www.contoso.com")
    path_map = make.add_path_map(gateway, "map", {"new": ["/new/*"]})
    moved = {**url(modifiedPath="/new/x"), **on_request(Host="inner.test")}
    make.change(path_map, rewrite_rule_set=make.add_rewrite_set(gateway, "set", moved))
    make.change(rule_of(gateway), rule_type="PathBasedRouting", url_path_map=path_map)
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()) as engine:
            assert ask(traffic.port(80), path="/old").status == 200
            line = engine.lines(1)[0]
    assert backend.requests[0].startswith("GET /new/x HTTP/1.1\r\nhost: inner.test\r\n")
    assert line["routeName"] == make.RULE


def test_the_clients_address_is_told_unless_a_rule_decided_about_it():
    gateway = make.v2_gateway()
    rewrite(
        gateway,
        {
            "conditions": [condition("http_req_X-Src", "^set")],
            "actions": on_request(X_Forwarded_For="{var_client_ip}"),
        },
        {
            "conditions": [condition("http_req_X-Src", "^remove")],
            "actions": on_request(X_Forwarded_For=""),
        },
    )
    brought = {"X-Forwarded-For": "9.9.9.9", "X-Gatewright-Forwarded": "yes"}
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        with running(traffic.compile()):
            for headers in ({}, brought, {"X-Src": "set", **brought}, {"X-Src": "remove"}):
                assert ask(traffic.port(80), headers=headers).status == 200
    seen = [heads(request) for request in backend.requests]
    plain, appended, was_set, removed = (one.get("x-forwarded-for", "") for one in seen)
    assert plain.startswith("127.0.0.1:")
    assert appended.startswith("9.9.9.9,127.0.0.1:")
    assert (was_set, removed) == ("127.0.0.1", "")
    assert not [name for one in seen for name in one if name.startswith("x-gatewright")]


def test_what_the_engine_cannot_rewrite_is_left_out_and_told():
    gateway = make.v2_gateway()
    rewrite(
        gateway,
        {"conditions": [condition("var_uri_path", "(?=x)")], "actions": on_request(X_A="1")},
        {"conditions": [condition("var_unheard_of", "x")], "actions": on_request(X_B="1")},
        {"actions": on_request(X_C="1")},
    )
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        compiled = traffic.compile()
        with running(compiled):
            assert ask(traffic.port(80)).status == 200
    assert [note.kind.id for note in compiled.notes] == ["engine-rewrite-unusable"] * 2
    seen = heads(backend.requests[0])
    assert "x-c" in seen
    assert not {"x-a", "x-b"} & seen.keys()


def test_custom_pages_stand_in_for_the_gateways_own():
    gateway = make.v2_gateway()
    other = make.add_listener(gateway, "other", port=80, host_name="other.contoso.com")
    make.change(make.find(gateway, HttpListener, make.LISTENER), host_name="www.contoso.com")
    make.add_rule(gateway, "other", other)
    traffic = Traffic(gateway)
    traffic.error_pages = {
        ("", 502): "<p>all 100%</p>",
        ("other", 502): "<p>other</p>",
        ("", 404): "<p>nowhere</p>",
    }
    with running(traffic.compile()):
        port = traffic.port(80)
        found = [ask(port, f"{name}.contoso.com") for name in ("www", "other", "unknown")]
    assert [(one.status, one.body) for one in found] == [
        (502, "<p>all 100%</p>"),
        (502, "<p>other</p>"),
        (404, "<p>nowhere</p>"),
    ]
    assert {one.headers["content-type"] for one in found} == {"text/html"}
