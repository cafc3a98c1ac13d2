"""What the compiler announces stands on a page, and on the Overview."""

from __future__ import annotations

import pytest

from gateway.models import ApplicationGateway
from gateway.portal import announced
from tests import factories as make
from tests.gateway.portal import carried, visits

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway() -> ApplicationGateway:
    gateway = make.v2_gateway(
        ssl_policy_type="Predefined", ssl_policy_name="AppGwSslPolicy20170401S"
    )
    site = make.add_listener(
        gateway,
        "site",
        port=443,
        protocol="Https",
        host_name="www.contoso.com",
        ssl_certificate=make.add_ssl_certificate(gateway, "cert"),
    )
    carried.publish(gateway, site, 8443)
    make.add_rule(gateway, "rule", site)
    return gateway


def test_a_note_names_its_listener_and_what_helps(gateway: ApplicationGateway) -> None:
    client = visits.visitor(gateway)
    url = visits.address(gateway, "announced")
    page = visits.said(client.get(url))
    assert "<html" in page
    assert "Listener “site” does not offer" in page
    assert visits.address(gateway, "listeners-edit", "site") in page
    part = visits.said(client.get(url, headers={"HX-Request": "true"}))
    # Nothing needs to be done about suites that the engine lacks.
    assert "Information" in part
    assert part.lstrip().startswith('<div id="announced"')
    assert url in visits.said(client.get(visits.address(gateway, "overview")))


def test_a_gateway_without_notes_says_so(gateway: ApplicationGateway) -> None:
    plain = make.v2_gateway(name="plain")
    client = visits.visitor(plain)
    said = visits.said(client.get(visits.address(plain, "announced")))
    assert "The port is not published" in said
    carried.publish(plain, make.loaded(plain).listeners[0], 8080)
    said = visits.said(client.get(visits.address(plain, "announced")))
    assert "The engine does what is configured." in said


def test_a_fault_of_the_compiler_is_told_and_no_fault_of_the_page(
    gateway: ApplicationGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(inputs: object) -> None:
        raise ValueError("unforeseen")

    monkeypatch.setattr(announced, "compile_gateway", broken)
    client = visits.visitor(gateway)
    said = visits.said(client.get(visits.address(gateway, "announced")))
    assert "a fault of Gatewright, not of yours" in said
    assert "unforeseen" not in said
