"""The port of a listener: one of the gateway's, or a new one."""

import pytest

from gateway.models import FrontendPort, HttpListener
from tests import factories
from tests.gateway.portal import visits

pytestmark = pytest.mark.django_db


def test_a_port_that_is_named_new_can_be_chosen() -> None:
    gateway = factories.v2_gateway()
    port = factories.add(gateway, FrontendPort, "new", port=8085)
    client = visits.visitor(gateway)
    url = visits.address(gateway, "listeners-add", "basic")
    form = {**visits.drawn(client, url), "name": "chosen", "protocol": "Http"}
    answer = visits.send(client, url, {**form, "frontend_port": "new"})
    assert answer.status_code == 302, visits.said(answer)
    assert HttpListener.objects.get(name="chosen").frontend_port == port
