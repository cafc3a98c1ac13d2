"""The advisor's page, and the dashboard's list of certificates that expire."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from certificates.x509.issuing import issue
from gateway.accounts.models import Role
from gateway.models import BackendHttpSettings
from tests import factories as make
from tests.gateway.portal import visits

pytestmark = pytest.mark.django_db


def test_findings_name_the_object_and_lead_to_its_field() -> None:
    gateway = make.v2_gateway()
    probe = make.add_probe(gateway, "slow", interval=10, timeout=20)
    make.change(make.find(gateway, BackendHttpSettings, make.SETTINGS), probe=probe)
    client = visits.visitor(gateway, Role.READER)
    text = client.get(visits.address(gateway, "advisor")).content.decode()
    assert "The probe waits longer than its interval" in text
    link = re.search(r'href="([^"]+#id_timeout)"', text)
    assert link is not None
    assert 'id="id_timeout"' in client.get(unescape(link[1]).split("#")[0]).content.decode()


def test_what_has_expired_comes_first_and_in_red() -> None:
    now = timezone.now()
    gateway = make.v1_gateway()
    for name, days in (("soon", 5), ("past", -5)):
        one = issue.make_self_signed(
            name,
            now=now,
            ca=False,
            not_before=now - timedelta(days=30),
            not_after=now + timedelta(days=days),
        )
        make.add_authentication_certificate(gateway, name, one.certificate)
    client = visits.visitor(gateway)
    text = client.get(visits.address(gateway, "advisor")).content.decode()
    past, soon = text.index("“past”"), text.index("“soon”")
    assert past < soon
    assert "status--failed" in text[:past]
    assert "The v1 tiers are retired" in text


def test_the_dashboard_lists_what_expires_on_gateways_that_one_may_see() -> None:
    now = timezone.now()
    gateway = make.v2_gateway()
    for name, days in (("soon", 5), ("past", -5), ("later", 90)):
        root = issue.make_root(
            f"Root {name}",
            now=now,
            not_before=now - timedelta(days=30),
            not_after=now + timedelta(days=days),
        )
        make.add_root(gateway, name, root.certificate)
    text = visits.visitor(gateway).get("/portal/").content.decode()
    assert text.index("CN=Root past") < text.index("CN=Root soon")
    assert f"Expired on {now - timedelta(days=5):%Y-%m-%d}" in text
    assert "Root later" not in text
    stranger = visits.visitor(make.v2_gateway()).get("/portal/").content.decode()
    assert "Root past" not in stranger


def test_a_gateway_without_findings_says_so() -> None:
    gateway = make.v2_gateway()
    text = visits.visitor(gateway).get(visits.address(gateway, "advisor")).content.decode()
    assert "Nothing to say" in text
