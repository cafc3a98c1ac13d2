"""Which listener takes which name."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gateway.dataplane import forbidden
from gateway.dataplane.pages import default_page
from gateway.dataplane.sites import covers, places_of, regex_of
from gateway.models import FrontendPort, HttpListener, RequestRoutingRule
from tests import factories as make


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    [
        ("*.contoso.com", "www.contoso.com", True),
        ("*.contoso.com", "a.b.contoso.com", True),
        ("*.contoso.com", "contoso.com", False),
        ("*.contoso.com", ".contoso.com", False),
        ("*.contoso.com", "*.a.contoso.com", True),
        ("w?w.contoso.com", "WXW.contoso.com", True),
        ("w?w.contoso.com", "ww.contoso.com", False),
        ("*wing*.com", "awingb.com", True),
        ("w?w.contoso.com", "w?w.contoso.com", False),
        ("*.a.com", "*.com", False),
    ],
)
def test_a_pattern_covers_names(pattern: str, host: str, covered: bool):
    assert covers(pattern, host) is covered


def test_only_wildcards_mean_something_in_a_pattern():
    assert regex_of("w?w.*.com") == r"w.w\..*\.com"


@pytest.mark.django_db
def test_listeners_without_a_place_or_a_rule_answer_nothing():
    gateway = make.v2_gateway()
    make.add_listener(gateway, "ruleless", port=8080)
    placeless = make.add_listener(gateway, "placeless", frontend_port=None)
    homeless = make.add_listener(gateway, "homeless", port=8081, frontend_ip_configuration=None)
    for listener in (placeless, homeless, None):
        make.add_rule(gateway, f"rule{listener}", listener)
    twice = make.find(gateway, HttpListener, make.LISTENER)
    make.add_rule(gateway, "twice", twice)
    (place,) = places_of(make.loaded(gateway))
    assert [(site.listener.name, site.rule.name) for site in place.sites] == [
        (make.LISTENER, make.RULE)
    ]


@pytest.mark.django_db
def test_whoever_comes_after_a_basic_listener_is_never_asked():
    gateway = make.v1_gateway()
    port = make.find(gateway, FrontendPort, make.FRONTEND_PORT)
    late = make.add_listener(gateway, "late", frontend_port=port, host_name="www.contoso.com")
    rule = make.add_rule(gateway, "late", late)
    (place,) = places_of(make.loaded(gateway))
    assert [site.listener.name for site in place.sites] == [make.LISTENER]
    make.change(rule, position=0)
    make.change(make.find(gateway, RequestRoutingRule, make.RULE), position=1)
    (place,) = places_of(make.loaded(gateway))
    assert [site.listener.name for site in place.sites] == ["late", make.LISTENER]
    assert place.basic is place.sites[1]


def test_pages_by_tier():
    assert "Server Error" in default_page(502, is_v1=True)
    assert "413" in default_page(413, is_v1=True)


def test_the_portals_own_ports_and_its_database_are_forbidden(monkeypatch: pytest.MonkeyPatch):
    databases = {
        "default": {"ENGINE": "django.db.backends.postgresql", "HOST": "db", "PORT": "5433"},
        "second": {"ENGINE": "django.db.backends.postgresql", "HOST": ""},
        "socket": {"ENGINE": "django.db.backends.postgresql", "HOST": "/run", "PORT": "1"},
        "file": {"ENGINE": "django.db.backends.sqlite3"},
    }
    doors = ("127.0.0.1:8000", "[::1]:8443", "nonsense")
    told = SimpleNamespace(GATEWRIGHT_PORTAL_ADDRESSES=doors, DATABASES=databases)
    monkeypatch.setattr(forbidden, "settings", told)
    ports = {one.port for one in forbidden.forbidden_now() if one.prefix == "127.0.0.0"}
    assert ports == {8000, 8443, 5432, 5433}
    networks = {one.prefix for one in forbidden.forbidden_now() if one.port is None}
    assert "169.254.0.0" in networks
