"""The decoder's page: any file in, an answer out, and no secret in it."""

from __future__ import annotations

import logging
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates import stores
from certificates.models import Folder, Store, StoredCertificate
from certificates.x509.issuing import issue
from tests import factories

pytestmark = pytest.mark.django_db

URL = "/certificates/decoder/"
NOW = timezone.now()
ROOT = issue.make_root("Decoder Root", now=NOW)
MIDDLE = issue.make_intermediate(ROOT, "Decoder Issuing CA", now=NOW)
LEAF = issue.make_leaf(MIDDLE, "shop.contoso.test", now=NOW, dns_names=["shop.contoso.test"])
CHAIN = issue.to_pem(LEAF.certificate, MIDDLE.certificate, ROOT.certificate)
PASSWORD = "Secret12word"
PFX = issue.to_pfx(LEAF, PASSWORD, chain=[MIDDLE.certificate, ROOT.certificate])
KEY = issue.key_pem(LEAF).decode()


@pytest.fixture
def client(db: None) -> Client:
    client = Client()
    client.force_login(factories.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    return client


def send(
    client: Client,
    *,
    text: str = "",
    file: bytes | None = None,
    name: str = "chosen.cer",
    password: str = "",
    htmx: bool = True,
) -> Any:
    data: dict[str, Any] = {"text": text, "password": password}
    if file is not None:
        data["file"] = SimpleUploadedFile(name, file)
    return client.post(URL, data, headers={"HX-Request": "true"} if htmx else {})


def said(response: Any) -> str:
    assert response.status_code == 200, response.content
    return unescape(response.content.decode())


def test_nobody_decodes_without_signing_in() -> None:
    assert Client().get(URL).status_code == 302
    assert Client().post(URL, {"text": "x"}).status_code == 302


def test_the_page_has_a_box_for_files_one_for_text_and_one_for_the_password(
    client: Client,
) -> None:
    page = said(client.get(URL))
    assert reverse("certificates:decoder") == URL
    for name in ("file", "text", "password"):
        assert f'name="{name}"' in page
    assert "Certificate decoder" in page
    assert "decoder-title" not in page
    assert client.put(URL).status_code == 405


def test_a_pasted_chain_is_explained_and_stays_in_the_box(client: Client) -> None:
    page = said(send(client, text=CHAIN.decode(), htmx=False))
    assert "3 certificates: the server certificate “shop.contoso.test”" in page
    assert "The pasted text" in page
    assert "What a gateway would answer" in page
    assert "decoder-root.cer" in page
    assert "shop.contoso.test.cer" in page
    assert CHAIN.decode().strip().replace("\n", "") in page.replace("\n", "")
    assert page.count("<html") == 1


def test_htmx_gets_the_answer_alone(client: Client) -> None:
    page = said(send(client, text=CHAIN.decode()))
    assert "<html" not in page
    assert "What a gateway would answer" in page
    assert "<textarea" not in page


def test_a_file_goes_before_a_text(client: Client) -> None:
    page = said(send(client, text=CHAIN.decode(), file=b"hello", name="note.txt"))
    assert "note.txt" in page
    assert "No certificate" in page
    assert "Decoder Root" not in page


def test_nothing_given_is_told(client: Client) -> None:
    for htmx in (True, False):
        answer = send(client, htmx=htmx)
        assert answer.status_code == 422
        assert "Drop or choose a file" in answer.content.decode()


def test_an_empty_file_is_a_file(client: Client) -> None:
    assert "The file is empty." in said(send(client, file=b""))


def test_a_pfx_asks_for_its_password_first(client: Client) -> None:
    page = said(send(client, file=PFX, name="shop.pfx"))
    assert "Enter the password" in page
    assert "data-needs-password" in page
    assert "Waits for the password" in page
    page = said(send(client, file=PFX, name="shop.pfx", password="not this one"))
    assert "The password does not open the PFX file." in page
    assert "TripleDES" in page
    page = said(send(client, file=PFX, name="shop.pfx", password=PASSWORD))
    assert "data-needs-password" not in page
    assert "shop.contoso.test-chain.pem" in page
    assert "Its private key is in the file." in page


@pytest.mark.parametrize("htmx", [True, False])
def test_password_and_key_are_never_in_an_answer(
    client: Client, htmx: bool, caplog: pytest.LogCaptureFixture
) -> None:
    body = KEY.splitlines()[1]
    caplog.set_level(logging.DEBUG)
    for sent in (
        {"text": KEY},
        {"text": KEY + CHAIN.decode()},
        {"text": KEY.replace("-----", "——")},
        {"text": KEY.replace("PRIVATE KEY", "Private\u00a0key")},
        {"text": KEY, "file": CHAIN},
        {"text": "".join(KEY.splitlines()[1:-1])},
        {"file": KEY.encode()},
        {"file": KEY.encode("utf-16")},
    ):
        answer = send(client, htmx=htmx, password=PASSWORD, **sent)  # type: ignore[arg-type]
        page = said(answer)
        assert body not in page
        assert PASSWORD not in page
        assert body not in caplog.text
        assert PASSWORD not in caplog.text
    page = said(send(client, file=PFX, password=PASSWORD, htmx=htmx))
    assert PASSWORD not in page
    assert "PRIVATE KEY-----" not in page


@pytest.mark.parametrize("htmx", [True, False])
def test_a_text_with_a_key_is_taken_out_of_its_box(client: Client, htmx: bool) -> None:
    page = said(send(client, text=KEY + CHAIN.decode(), htmx=htmx))
    assert "The box was emptied" in page
    assert ('hx-swap-oob="true"' in page) is htmx
    assert page.count("<textarea") == 1
    assert "The box was emptied" not in said(send(client, text=CHAIN.decode(), htmx=htmx))


def test_the_file_is_shown_as_an_editor_shows_it_unless_a_key_is_in_it(client: Client) -> None:
    heading = "How an editor shows it"
    page = said(send(client, file=b"\xef\xbb\xbf" + CHAIN))
    assert heading in page
    assert "[BOM]" in page
    for data in (KEY.encode(), KEY.encode() + CHAIN, PFX, b""):
        assert heading not in said(send(client, file=data))


def test_a_root_is_fetched_from_ones_own_stores_and_nobody_elses(client: Client) -> None:
    leaf = issue.to_pem(LEAF.certificate).decode()
    somebody = factories.make_user()
    for certificate in (MIDDLE.certificate, ROOT.certificate):
        stores.add(somebody.pk, Store.CURRENT_USER, Folder.ROOTS, certificate)
    assert "decoder-root.cer" not in said(send(client, text=leaf))
    StoredCertificate.objects.update(owner_id=client.session["_auth_user_id"])
    page = said(send(client, text=leaf))
    assert "decoder-root.cer" in page
    assert "in your certificate stores" in page


def test_what_is_refused_in_a_form_leads_here(client: Client) -> None:
    answer = client.post(
        "/certificates/preview/root/",
        {"certificate_file": SimpleUploadedFile("x.cer", LEAF.certificate.pem.encode())},
    )
    assert URL in answer.content.decode()
    answer = client.post(
        "/certificates/preview/root/",
        {"certificate_file": SimpleUploadedFile("x.cer", ROOT.certificate.pem.encode())},
    )
    assert URL not in answer.content.decode()


def test_markup_in_names_is_shown_as_text(client: Client) -> None:
    odd = issue.make_root("<script>alert(1)</script>", now=NOW).certificate
    page = send(client, file=odd.pem.encode(), name="<b>x</b>.cer").content.decode()
    assert "<script>" not in page
    assert "<b>x" not in page


def test_too_much_is_refused_in_words(client: Client) -> None:
    answer = send(client, file=b"0" * 1_200_000)
    assert answer.status_code == 413
    assert "too much at once" in answer.content.decode()


FUZZ = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SAMPLES = [
    CHAIN,
    ROOT.certificate.der,
    b"\xff\xfe" + CHAIN.decode().encode("utf-16-le"),
    KEY.encode(),
]
damaged = st.builds(
    lambda data, at, junk: data[: at % len(data)] + junk + data[at % len(data) + len(junk) // 2 :],
    st.sampled_from(SAMPLES),
    st.integers(0, 10_000),
    st.binary(max_size=40),
)
anything = st.one_of(st.binary(max_size=600), damaged)


@FUZZ
@given(data=anything, password=st.text(max_size=20), htmx=st.booleans())
def test_no_file_makes_a_server_error(
    client: Client, data: bytes, password: str, htmx: bool
) -> None:
    assert send(client, file=data, password=password, htmx=htmx).status_code in (200, 422)


@FUZZ
@given(
    text=st.one_of(st.text(max_size=300), damaged.map(lambda data: data.decode("latin-1"))),
    htmx=st.booleans(),
)
def test_no_text_makes_a_server_error(client: Client, text: str, htmx: bool) -> None:
    assert send(client, text=text, htmx=htmx).status_code in (200, 422)


def test_no_spoilt_pfx_makes_a_server_error(client: Client) -> None:
    for data in (PFX[:-1], PFX[: len(PFX) // 2], PFX[::-1], PFX + b"x", PFX[:40]):
        assert send(client, file=data, password=PASSWORD).status_code == 200
