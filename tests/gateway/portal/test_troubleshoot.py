"""The page of one verdict: picture, cure, commands, evidence, search."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from certificates.x509.issuing import issue
from gateway.health.history import noted
from gateway.health.reading import verdicts_of
from gateway.models import ApplicationGateway, LabEndpoint, LabServer, Probe, Verdict
from tests import crowds, factories
from tests.gateway.portal import visits

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway() -> ApplicationGateway:
    return crowds.crowd(2)


@pytest.fixture
def client(gateway: ApplicationGateway) -> Client:
    return visits.visitor(gateway)


def judged(gateway: ApplicationGateway, cause: str, **evidence: Any) -> Verdict:
    """The verdict on the one server of the last site, turned bad by ``cause``."""
    verdict = Verdict.objects.get(gateway=gateway, address__pool__name="pool1")
    known = {"scheme": "https", "dialed": "10.0.2.9:443", "sni": "a.contoso.test", **evidence}
    Verdict.objects.filter(pk=verdict.pk).update(
        status=Verdict.Status.UNHEALTHY, error_id=cause, message="It failed.", evidence=known
    )
    return verdict


def page_of(client: Client, gateway: ApplicationGateway, verdict: Verdict) -> str:
    answer = client.get(visits.address(gateway, "health-detail", str(verdict.pk)))
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("cause", "field"),
    [
        ("E-ROOT-MISMATCH", "id_certificate_file"),
        ("E-ROOT-MISMATCH-NOROOT", "id_certificate_file"),
        ("E-NOT-PUBLIC", "id_use_well_known_ca"),
        ("E-INT-NOT-PUBLIC", "id_use_well_known_ca"),
        ("E-TIMEOUT", "id_timeout"),
        ("E-STATUS", "id_status_codes"),
        ("E-BODY", "id_match_body"),
        ("E-CN", "id_host"),
        ("E-TCP", "id_port"),
        ("E-DNS", "id_targets-0-target"),
        ("U-NOT-ALLOWED", "id_targets-0-target"),
        ("U-CDNS", "id_choice"),
        ("U-DNS", "id_choice"),
        ("U-FW", "id_cause-"),
    ],
)
@pytest.mark.parametrize("with_probe", [True, False])
def test_the_cure_is_a_link_to_a_field_that_is_there(
    gateway: ApplicationGateway, client: Client, cause: str, field: str, with_probe: bool
) -> None:
    verdict = judged(gateway, cause)
    if not with_probe:
        with factories.writing():
            type(verdict.settings).objects.filter(pk=verdict.settings_id).update(probe=None)
        field = "id_host_name" if cause == "E-CN" else field
    else:
        with factories.writing():
            Probe.objects.filter(pk=verdict.settings.probe_id).update(host="a.contoso.test")
    link = re.search(r'id="evidence-cure" href="([^"]+)"', page_of(client, gateway, verdict))
    assert link is not None
    url, _, anchor = unescape(link[1]).partition("#")
    assert anchor.startswith(field)
    assert f'id="{anchor}"' in client.get(url).content.decode()


def test_a_probe_with_a_port_of_its_own_is_cured_there(
    gateway: ApplicationGateway, client: Client
) -> None:
    verdict = judged(gateway, "E-TCP")
    with factories.writing():
        Probe.objects.filter(pk=verdict.settings.probe_id).update(port=8443)
    assert "of the health probe probe1" in page_of(client, gateway, verdict)


@pytest.mark.parametrize("cause", ["E-INT-MISSING", "E-LEAF-ORDER", "E-VERIFY"])
def test_what_lies_on_the_server_has_no_field_here(
    gateway: ApplicationGateway, client: Client, cause: str
) -> None:
    text = page_of(client, gateway, judged(gateway, cause))
    assert "evidence-cure" not in text
    assert "It failed." in text


def certificate(label: str, role: str, issuer: str = "CN=Issuing") -> dict[str, Any]:
    made = issue.make_self_signed(label, now=factories.NOW, ca=False)
    return {
        "label": label,
        "subject": f"CN={label}",
        "issuer": issuer,
        "names": [label],
        "not_before": "2026-01-01T00:00:00+00:00",
        "not_after": "2027-01-01T00:00:00+00:00",
        "thumbprint": "AB" * 20,
        "sha256": "CD" * 32,
        "key": "EC P-256",
        "role": role,
        "pem": made.certificate.pem,
    }


def test_the_picture_draws_the_chain_and_marks_the_guilty_one(
    gateway: ApplicationGateway, client: Client
) -> None:
    chain = [certificate("server", "leaf"), certificate("Other Root", "root")]
    stages = [
        {"name": "handshake", "ok": True, "ms": 4.0, "detail": "TLSv1.3."},
        {"name": "certificate", "ok": False, "ms": 0.5, "detail": "No."},
    ]
    verdict = judged(gateway, "E-ROOT-MISMATCH", chain=chain, at_fault=1, stages=stages)
    text = page_of(client, gateway, verdict)
    picture = text[text.index('class="picture ') : text.index("Stages</h2>")]
    assert "picture--broken" in picture
    assert picture.index("server</b>") < picture.index("Other Root</b>")
    assert re.search(r'is-guilty">\s*<svg.*?Other Root', picture, re.S)
    assert "at fault" in text[text.index('id="evidence-text"') :]


def test_a_missing_issuer_is_drawn_as_a_gap(gateway: ApplicationGateway, client: Client) -> None:
    stages = [{"name": "certificate", "ok": False, "ms": 0.5, "detail": "No."}]
    chain = [certificate("server", "leaf", "CN=Far Away")]
    verdict = judged(gateway, "E-INT-MISSING", chain=chain, at_fault=0, stages=stages)
    text = page_of(client, gateway, verdict)
    assert "CN=Far Away" in text
    assert "Not sent by the server" in text


def test_the_commands_name_what_the_probe_used_and_the_real_endpoint_of_a_lab_server(
    gateway: ApplicationGateway, client: Client
) -> None:
    server = LabServer.objects.filter(name="vm0").get()
    LabEndpoint.objects.create(
        server=server,
        port=443,
        real_host="127.9.9.9",
        real_port=40443,
        reported_at=factories.NOW,
    )
    trust = {"kind": "roots", "certificates": [{"name": "root0", "thumbprint": "AB"}]}
    verdict = judged(
        gateway, "E-CN", dialed=f"{server.address}:443", checked_name="b.test", trust=trust
    )
    text = unescape(page_of(client, gateway, verdict))
    assert "openssl s_client -connect 127.9.9.9:40443 -servername a.contoso.test" in text
    assert "-CAfile roots.cer -verify_hostname b.test" in text
    found = re.search(r'id="evidence-roots" href="([^"]+)"', text)
    assert found is not None
    roots = client.get(found[1])
    assert roots.content.startswith(b"-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize(
    ("evidence", "line"),
    [
        ({"sni": None}, "openssl s_client -connect 10.0.2.9:443 -noservername"),
        (
            {"scheme": "http", "host_header": "a b; rm", "request": "GET /x with Host: a"},
            "curl -v -H 'Host: a b; rm' http://10.0.2.9:443/x",
        ),
    ],
)
def test_what_a_user_named_is_quoted_for_the_shell(
    gateway: ApplicationGateway, client: Client, evidence: dict[str, Any], line: str
) -> None:
    assert line in unescape(page_of(client, gateway, judged(gateway, "E-STATUS", **evidence)))


def test_without_a_connection_there_is_nothing_to_type(
    gateway: ApplicationGateway, client: Client
) -> None:
    text = page_of(client, gateway, judged(gateway, "E-DNS", dialed=""))
    assert "s_client" not in text


def test_the_roots_of_a_setting_without_any_are_not_found(
    gateway: ApplicationGateway, client: Client
) -> None:
    verdict = judged(gateway, "E-CN")
    with factories.writing():
        verdict.settings.root_links.all().delete()
    assert client.get(visits.address(gateway, "health-roots", str(verdict.pk))).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [("server1", 1), ("settings1 server1", 1), ("10.0.2", 2), ("nowhere", 0), ("%", 0)],
)
def test_the_report_is_searched_on_the_server(
    gateway: ApplicationGateway, client: Client, query: str, found: int
) -> None:
    every = verdicts_of(gateway)
    assert every.total == 4
    shown = verdicts_of(gateway, search=query)
    assert shown.total == every.total
    assert len(shown.rows) == found
    text = client.get(visits.address(gateway, "health"), {"q": query}).content.decode()
    assert text.count('id="details-') == found
    if not found:
        assert "No server fits" in text


def test_a_search_is_kept_over_the_pages(gateway: ApplicationGateway) -> None:
    shown = verdicts_of(gateway, search="10.0.2", size=1, page=2)
    assert (shown.page, shown.pages, len(shown.rows)) == (2, 2, 1)


def test_the_history_of_a_server_is_told_newest_first(
    gateway: ApplicationGateway, client: Client
) -> None:
    verdict = judged(gateway, "E-STATUS")
    history = noted([], "Healthy", "", 12.0, factories.NOW)
    history = noted(history, "Unhealthy", "E-STATUS", 40.0, factories.NOW)
    Verdict.objects.filter(pk=verdict.pk).update(history=history)
    text = page_of(client, gateway, verdict)
    told = text[text.index('id="history-title"') :]
    assert told.index("E-STATUS") < told.index("Success")
    assert "40&nbsp;ms" in told


def test_backend_health_marks_a_healthy_server_whose_users_get_a_502(
    gateway: ApplicationGateway, client: Client
) -> None:
    url = visits.address(gateway, "health")
    assert "Users get 502" not in client.get(url).content.decode()
    verdict = Verdict.objects.filter(gateway=gateway).earliest("pk")
    Verdict.objects.filter(pk=verdict.pk).update(
        status=Verdict.Status.HEALTHY, error_id="", requests_fail=True
    )
    text = unescape(client.get(url).content.decode())
    assert "1 healthy server whose users get 502" in text
    assert "Users get 502" in text
    assert visits.address(gateway, "health-detail", str(verdict.pk)) + "#legs-title" in text
    link = re.search(r'id="health-failing-link" href="([^"]+)"', text)
    assert link is not None
    listed = client.get(link[1]).content.decode()
    assert f'id="details-{verdict.pk}"' in listed
    assert listed.count('id="details-') == 1
