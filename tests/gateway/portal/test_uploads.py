"""Whatever bytes are uploaded: an answer, never a server error, and no secret in it."""

import logging

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates.x509.issuing import issue
from gateway.models import Activity, TrustedRootCertificate
from gateway.portal.listeners import NEW_PORT
from tests import factories
from tests.gateway.portal.test_access import address, signed_in

ROOT = issue.make_root("Fuzzed Root", now=factories.NOW)
PEM = ROOT.certificate.pem.encode()
FUZZ = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

damaged = st.builds(
    lambda data, at, junk: data[: at % len(data)] + junk + data[at % len(data) :],
    st.sampled_from([PEM, ROOT.certificate.der, b"\xff\xfe" + PEM.decode().encode("utf-16-le")]),
    st.integers(0, 10_000),
    st.binary(max_size=40),
)
anything = st.one_of(st.binary(max_size=600), damaged)


def setting_with(data: bytes) -> dict[str, object]:
    return {
        "cookie_based_affinity": "Disabled",
        "connection_draining_enabled": "False",
        "protocol": "Https",
        "port": "443",
        "request_timeout": "30",
        "certificate_source": "new",
        "certificate_name": "uploaded",
        "certificate_file": SimpleUploadedFile("x.cer", data),
        "validate_cert_chain_and_expiry": "on",
        "validate_sni": "on",
    }


@pytest.fixture
def client(db: None) -> Client:
    gateway = factories.v2_gateway()
    client = signed_in(factories.owner_of(gateway))
    client.where = address(gateway)  # type: ignore[attr-defined]
    return client


@FUZZ
@given(data=anything)
def test_no_bytes_in_the_cer_box_make_a_server_error(client: Client, data: bytes) -> None:
    where = client.where  # type: ignore[attr-defined]
    answer = client.post(f"{where}http-settings/{factories.SETTINGS}/edit/", setting_with(data))
    assert answer.status_code in (302, 422)


@FUZZ
@given(data=anything, kind=st.sampled_from(["authentication", "root"]))
def test_no_bytes_in_the_preview_make_a_server_error(
    client: Client, data: bytes, kind: str
) -> None:
    answer = client.post(
        f"/certificates/preview/{kind}/", {"certificate_file": SimpleUploadedFile("x.cer", data)}
    )
    assert answer.status_code == 200


def test_no_bytes_in_the_pfx_box_make_a_server_error(client: Client) -> None:
    where = client.where  # type: ignore[attr-defined]
    made = issue.make_leaf(ROOT, "www.contoso.test", now=factories.NOW)
    good = issue.to_pfx(made, "Secret12")
    for data in (b"", b"\x30", good[: len(good) // 2], PEM, good[::-1]):
        form = {
            "name": "secure",
            "frontend_ip_configuration": "1",
            "frontend_port": NEW_PORT,
            "port_name": "port_443",
            "port_number": "443",
            "protocol": "Https",
            "certificate_source": "new",
            "certificate_name": "mycert",
            "certificate_password": "Secret12",
            "certificate_file": SimpleUploadedFile("x.pfx", data),
        }
        answer = client.post(f"{where}listeners/add/basic/", form)
        assert answer.status_code == 422
        assert "Secret12" not in answer.content.decode()


def test_an_upload_above_the_limit_is_refused_with_words(client: Client) -> None:
    where = client.where  # type: ignore[attr-defined]
    answer = client.post(
        f"{where}http-settings/{factories.SETTINGS}/edit/", setting_with(b"x" * 1_200_000)
    )
    assert answer.status_code == 413
    assert "MB" in answer.content.decode() or "KB" in answer.content.decode()


def test_password_and_key_stay_out_of_page_log_and_activity(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    where = client.where  # type: ignore[attr-defined]
    made = issue.make_leaf(ROOT, "www.contoso.test", now=factories.NOW)
    secret = "Tr1ckyPass"
    page = client.get(f"{where}listeners/add/basic/")
    frontend = page.context["form"].fields["frontend_ip_configuration"].queryset[0].pk
    form = {
        "name": "secure",
        "frontend_ip_configuration": str(frontend),
        "frontend_port": NEW_PORT,
        "port_name": "port_443",
        "port_number": "443",
        "protocol": "Https",
        "certificate_source": "new",
        "certificate_name": "mycert",
        "certificate_password": secret,
        "certificate_file": SimpleUploadedFile("x.pfx", issue.to_pfx(made, secret)),
    }
    assert client.post(f"{where}listeners/add/basic/", form).status_code == 302
    key = issue.key_pem(made).decode().splitlines()[1]
    seen = [client.get(where + blade).content.decode() for blade in ("json/", "activity/", "")]
    seen.append(client.get(f"{where}listeners/secure/edit/").content.decode())
    seen.append(caplog.text)
    seen.append(str(list(Activity.objects.values())))
    for text in seen:
        assert secret not in text
        assert key not in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("blade", "condition", "link"),
    [
        ("http-settings/add/", "certificate_source=new", "/certificates/files/"),
        ("listeners/add/basic/", "certificate_source=new", "/certificates/lab-ca/"),
    ],
)
def test_beside_the_box_for_a_file_stands_where_such_files_come_from(
    blade: str, condition: str, link: str
) -> None:
    gateway = factories.v2_gateway()
    shown = signed_in(factories.owner_of(gateway)).get(address(gateway, blade)).content.decode()
    note = shown.split("field-source", 1)[1].split("</p>")[0]
    assert condition in note.split(">")[0]
    assert 'href="/certificates/stores/current-user/personal/"' in note
    assert f'href="{link}"' in note


def test_a_stored_root_keeps_the_bytes_as_they_were_sent(client: Client) -> None:
    where = client.where  # type: ignore[attr-defined]
    form = setting_with(PEM)
    assert client.post(f"{where}http-settings/{factories.SETTINGS}/edit/", form).status_code == 302
    stored = TrustedRootCertificate.objects.get(name="uploaded")
    assert bytes(stored.data or b"") == PEM
    assert stored.certificate is not None
    assert stored.certificate.sha256 == ROOT.certificate.sha256


def test_003_14_a_root_in_binary_form_is_refused_and_explained(client: Client) -> None:
    where = client.where  # type: ignore[attr-defined]
    edit = f"{where}http-settings/{factories.SETTINGS}/edit/"
    answer = client.post(edit, setting_with(ROOT.certificate.der))
    assert answer.status_code == 422
    assert "Base-64" in answer.content.decode()
    assert not TrustedRootCertificate.objects.exists()
    # The preview offers the same certificate in the form that is taken.
    preview = client.post(
        "/certificates/preview/root/",
        {"certificate_file": SimpleUploadedFile("root.cer", ROOT.certificate.der)},
    )
    assert preview.context["upload"].base64_text.encode() == PEM
    assert client.post(edit, setting_with(PEM)).status_code == 302
