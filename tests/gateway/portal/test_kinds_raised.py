"""Every kind of problem that only a form can get into is told at its field."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from gateway.models import ApplicationGateway
from gateway.portal.listeners import NEW_PORT
from gateway.problems import KINDS
from tests import factories
from tests.gateway.portal import visits

pytestmark = pytest.mark.django_db

EDIT = ("http-settings-edit", factories.SETTINGS)
ADD = ("listeners-add", "basic")
CER = SimpleUploadedFile("root.cer", factories.root().certificate.pem.encode())
HTTPS = {"protocol": "Https", "port": "443"}
LISTENER = {
    "name": "secure",
    "protocol": "Https",
    "frontend_port": NEW_PORT,
    "port_name": "port_443",
    "port_number": "443",
}

# kind: page, what is typed into its form as it was drawn, the field that tells it
MISTAKES: dict[str, tuple[tuple[str, ...], dict[str, Any], str]] = {
    "cer-file-missing": (EDIT, {**HTTPS, "certificate_name": "root"}, "certificate_file"),
    "certificate-name-missing": (EDIT, {**HTTPS, "certificate_file": CER}, "certificate_name"),
    "trust-missing": (EDIT, HTTPS, "certificate_file"),
    "pfx-file-missing": (ADD, {**LISTENER, "certificate_name": "site"}, "certificate_file"),
    "pfx-name-missing": (ADD, LISTENER, "certificate_name"),
    "listener-certificate-unchosen": (
        ADD,
        {**LISTENER, "certificate_source": "existing"},
        "ssl_certificate",
    ),
}


@pytest.fixture
def gateway() -> ApplicationGateway:
    gateway = factories.v2_gateway()
    factories.add_ssl_certificate(gateway, "stored")
    return gateway


@pytest.mark.parametrize("id", MISTAKES)
def test_each_kind_stands_at_its_field_with_remedy_and_help(
    id: str, gateway: ApplicationGateway
) -> None:
    (view, *rest), typed, field = MISTAKES[id]
    client, url = visits.visitor(gateway), visits.address(gateway, view, *rest)
    answer = visits.send(client, url, {**visits.drawn(client, url), **typed})
    assert answer.status_code == 422
    told = {error.code: error for error in answer.context["form"].errors.as_data()[field]}
    assert told[id].remedy == KINDS[id].remedy
    text = visits.said(answer)
    assert KINDS[id].remedy in text
    assert reverse("portal:help", args=[id]) in text


def test_the_same_forms_without_the_mistake_are_taken(gateway: ApplicationGateway) -> None:
    client, url = visits.visitor(gateway), visits.address(gateway, *EDIT)
    CER.seek(0)
    typed = {**HTTPS, "certificate_name": "root", "certificate_file": CER}
    assert visits.send(client, url, {**visits.drawn(client, url), **typed}).status_code == 302
    url = visits.address(gateway, *ADD)
    typed = {**LISTENER, "certificate_source": "existing", "ssl_certificate": "stored"}
    assert visits.send(client, url, {**visits.drawn(client, url), **typed}).status_code == 302
