"""The Lab page: files to upload, and a sandbox that can be put back."""

import subprocess
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gateway.accounts import links
from gateway.accounts.models import User
from gateway.lab.sandbox import ensure_sandbox
from gateway.models import (
    ApplicationGateway,
    BackendHttpSettings,
    LabServer,
    ResourceGroup,
    writing,
)
from tests import factories
from tests.gateway.portal.test_access import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    user = factories.make_user()
    ensure_sandbox(user)
    return user


def test_files_of_somebody_elses_server_do_not_exist(user: User) -> None:
    server = LabServer.objects.filter(name="full-chain").first()
    assert server is not None
    stranger = signed_in(factories.make_user())
    address = reverse("portal:lab-file", args=[server.pk, "leaf.cer"])
    assert stranger.get(address).status_code == 404
    assert signed_in(user).get(address).status_code == 200


@pytest.mark.parametrize("file", ["leaf.cer", "leaf-der.cer", "root.cer", "chain.pem"])
def test_openssl_reads_every_file_of_a_server(user: User, file: str, tmp_path: Path) -> None:
    server = LabServer.objects.filter(name="full-chain")[0]
    answer = signed_in(user).get(reverse("portal:lab-file", args=[server.pk, file]))
    assert "attachment" in answer.headers["Content-Disposition"]
    path = tmp_path / "file"
    path.write_bytes(answer.content)
    form = ["-inform", "DER"] if "der" in file else []
    done = subprocess.run(
        ["openssl", "x509", "-in", str(path), "-noout", "-subject", *form],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "subject" in done.stdout


def test_a_listener_file_needs_a_password_and_keeps_what_was_typed(user: User) -> None:
    answer = signed_in(user).post(reverse("portal:lab-pfx"), {"host_name": "my.contoso.test"})
    assert answer.status_code == 422
    assert "my.contoso.test" in answer.content.decode()


def test_a_reset_asks_first_and_brings_the_defaults_back(user: User) -> None:
    client = signed_in(user)
    settings = BackendHttpSettings.objects.filter(gateway__group__subscription__sandbox_of=user)[0]
    with writing():
        settings.request_timeout = 77
        settings.save()
    groups = ResourceGroup.objects.filter(subscription__sandbox_of=user)
    factories.make_network(groups[0], "mine")
    asked = client.get(reverse("portal:lab-reset")).content.decode()
    replaced = [
        *groups.values_list("name", flat=True),
        "myAppGateway",
        "myVNet",
        "myAGPublicIPAddress",
        "mine",
        f"{LabServer.objects.count()} lab servers",
        "zone records",
        "Backend certificate",
        "Expired certificate",
        "Certificate of another server",
    ]
    assert [name for name in replaced if name not in asked] == []
    # The table is a page: no script asks a shorter question instead.
    lab = client.get(reverse("portal:lab")).content.decode()
    assert "Reset sandbox" in lab
    assert 'data-confirm="Reset' not in lab
    assert BackendHttpSettings.objects.get(pk=settings.pk).request_timeout == 77
    assert client.post(reverse("portal:lab-reset")).status_code == 302
    gateways = ApplicationGateway.objects.filter(group__subscription__sandbox_of=user)
    assert gateways.count() == 2
    found = BackendHttpSettings.objects.filter(gateway__in=gateways)
    assert [one.request_timeout for one in found] == [30, 30]


def test_without_a_free_address_a_reset_changes_nothing_and_says_why(
    user: User, settings: Any
) -> None:
    before = set(ApplicationGateway.objects.values_list("pk", flat=True))
    settings.GATEWRIGHT_LOOPBACK_RANGE = ip_network("127.9.0.0/28")
    answer = signed_in(user).post(reverse("portal:lab-reset"), follow=True)
    assert "was not reset: “myAGPublicIPAddress” got no address" in answer.content.decode()
    assert set(ApplicationGateway.objects.values_list("pk", flat=True)) == before


def test_without_a_free_address_people_still_get_in(settings: Any) -> None:
    settings.GATEWRIGHT_LOOPBACK_RANGE = ip_network("127.9.0.0/28")
    newcomer = factories.make_user()
    token = links.issue(newcomer, now=timezone.now())
    answer = Client().post(reverse("sign-in-link", args=[token]), follow=True)
    assert answer.status_code == 200
    assert "Your sandbox could not be set up" in answer.content.decode()


def test_somebody_without_a_sandbox_cannot_reset_one() -> None:
    client: Client = signed_in(factories.make_user())
    assert client.post(reverse("portal:lab-reset")).status_code == 404
    assert "Reset sandbox" not in client.get(reverse("portal:lab")).content.decode()
