"""The Certificate Export Wizard over HTTP: its pages, the files it makes, what it refuses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from certificates import files, stores
from certificates.files import FileRefusedError
from certificates.models import Folder, Place, SavedFile, Store, StoredCertificate, StoredKey
from certificates.workshop.wizard_form import Target, parse_path
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing import issue
from certificates.x509.issuing.issue import Issued
from gateway.accounts.models import User
from tests.certificates.x509.makers import openssl, put

NOW = timezone.now()
PASSWORD = "1aB2cd3E"
ROOT = issue.make_root("Wizard Root", now=NOW)
MIDDLE = issue.make_intermediate(ROOT, "Wizard Issuing CA", now=NOW)
LEAF = issue.make_leaf(MIDDLE, "wizard.test", now=NOW, dns_names=["wizard.test"])
BASE64 = {"key": "no", "format": "base64", "file_name": "Desktop\\backend"}
PFX = {
    "key": "yes",
    "format": "pfx",
    "password": PASSWORD,
    "confirm": PASSWORD,
    "file_name": "backend",
}


def client_of(name: str) -> tuple[Client, User]:
    user, _ = User.objects.get_or_create(username=name)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client, user


def stored(
    user: User, issued: Issued = LEAF, *, key: bool = True, exportable: bool = True
) -> StoredCertificate:
    """A certificate in the user's store, and the authorities that the tests know."""
    for authority, folder in ((ROOT, Folder.ROOTS), (MIDDLE, Folder.INTERMEDIATES)):
        stores.add(user.pk, Store.CURRENT_USER, folder, authority.certificate)
    return stores.add(
        user.pk,
        Store.CURRENT_USER,
        Folder.PERSONAL,
        issued.certificate,
        key_pem=issue.key_pem(issued) if key else None,
        exportable=exportable,
        friendly_name="Backend certificate",
    )


def address(entry: StoredCertificate, sha256: str = "") -> str:
    return f"/certificates/entries/{entry.pk}/export/" + (f"{sha256}/" if sha256 else "")


def words(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


def refused(client: Client, url: str, data: dict[str, str]) -> str:
    response = client.post(url, data)
    assert response.status_code == 422
    assert "Content-Disposition" not in response.headers
    return words(response)


@pytest.mark.django_db
def test_the_pages_ask_about_the_private_key_where_there_is_one() -> None:
    client, user = client_of("anna")
    page = words(client.get(address(stored(user))))
    for text in (
        "Certificate Export Wizard",
        "Export Private Key",
        "Yes, export the private key",
        "No, do not export the private key",
        "Export File Format",
        "DER encoded binary X.509 (.CER)",
        "Base-64 encoded X.509 (.CER)",
        "Cryptographic Message Syntax Standard - PKCS #7 Certificates (.P7B)",
        "Include all certificates in the certification path if possible",
        "Personal Information Exchange - PKCS #12 (.PFX)",
        "File to Export",
        "Finish",
    ):
        assert text in page


@pytest.mark.django_db
def test_without_a_private_key_nothing_is_asked_about_one() -> None:
    client, user = client_of("anna")
    entry = stored(user, key=False)
    file = files.save_file(user.pk, Place.DESKTOP, "leaf.cer", LEAF.certificate.pem.encode())
    with_key = stored(user, issue.make_leaf(MIDDLE, "other.test", now=NOW))
    for url in (
        address(entry),
        f"/certificates/files/{file.pk}/export/",
        address(with_key, MIDDLE.certificate.sha256),
        address(with_key, ROOT.certificate.sha256),
    ):
        page = words(client.get(url))
        assert "Export Private Key" not in page
        assert 'name="password"' not in page
        assert 'name="key"' not in page
        assert "Choose another format" in refused(client, url, PFX)


@pytest.mark.django_db
def test_a_key_marked_as_not_exportable_stays() -> None:
    client, user = client_of("anna")
    entry = stored(user, exportable=False)
    page = words(client.get(address(entry)))
    assert "marked as not exportable" in page
    assert "marked as not exportable" in refused(client, address(entry), PFX)
    assert client.post(address(entry), BASE64).status_code == 200


@pytest.mark.django_db
def test_the_base_64_form_comes_as_a_download_and_lies_in_the_folder() -> None:
    client, user = client_of("anna")
    response = client.post(address(stored(user)), BASE64)
    assert response.headers["Content-Disposition"] == 'attachment; filename="backend.cer"'
    assert response.headers["Content-Type"] == "application/pkix-cert"
    assert response.headers["Cache-Control"] == "no-store"
    assert openssl("x509", "-outform", "DER", stdin=response.content) == LEAF.certificate.der
    kept = SavedFile.objects.get(owner=user)
    assert (kept.place, kept.name, bytes(kept.data)) == ("desktop", "backend.cer", response.content)


@pytest.mark.django_db
def test_the_binary_form_and_the_collection_are_read_by_openssl() -> None:
    client, user = client_of("anna")
    url = address(stored(user))
    der = client.post(url, {"format": "der", "file_name": "Documents/leaf"}).content
    assert openssl("x509", "-inform", "DER", "-outform", "DER", stdin=der) == LEAF.certificate.der
    everything = {LEAF.certificate, MIDDLE.certificate, ROOT.certificate}
    for path, wanted in (({}, {LEAF.certificate}), ({"p7b_path": "on"}, everything)):
        data = {"format": "p7b", "file_name": "path", "replace": "on", **path}
        p7b = client.post(url, data).content
        listed = openssl("pkcs7", "-inform", "DER", "-print_certs", stdin=p7b)
        assert set(read_certificates(listed).certificates) == wanted
    names = set(SavedFile.objects.filter(owner=user).values_list("place", "name"))
    assert names == {("documents", "leaf.cer"), ("documents", "path.p7b")}


@pytest.mark.django_db
@pytest.mark.parametrize("encryption", ["aes", "tripledes"])
def test_a_pfx_opens_with_its_password_and_is_not_kept(encryption: str) -> None:
    client, user = client_of("anna")
    url = address(stored(user))
    old = ["-legacy"] if encryption == "tripledes" else []
    for path, wanted in (({}, 1), ({"pfx_path": "on"}, 3)):
        response = client.post(url, {**PFX, "encryption": encryption, **path})
        assert response.headers["Content-Disposition"] == 'attachment; filename="backend.pfx"'
        assert response.headers["Content-Type"] == "application/x-pkcs12"
        file = put("wizard.pfx", response.content)
        opened = openssl("pkcs12", "-in", file, "-passin", f"pass:{PASSWORD}", "-nodes", *old)
        assert len(read_certificates(opened).certificates) == wanted
        assert issue.load_key(opened[opened.index(b"-----BEGIN PRIVATE") :])
        assert b"friendlyName: Backend certificate" in opened
        done = subprocess.run(
            ["openssl", "pkcs12", "-in", file, "-passin", "pass:wrong", "-noout", *old],
            capture_output=True,
            check=False,
        )
        assert done.returncode != 0
    assert not SavedFile.objects.exists()


@pytest.mark.django_db
def test_a_node_of_the_path_is_exported_alone() -> None:
    client, user = client_of("anna")
    url = address(stored(user), ROOT.certificate.sha256.lower())
    response = client.post(url, {"format": "base64", "file_name": "Desktop\\root.cer"})
    assert openssl("x509", "-outform", "DER", stdin=response.content) == ROOT.certificate.der
    everything = client.post(
        address(stored(user), MIDDLE.certificate.sha256),
        {"format": "p7b", "p7b_path": "on", "file_name": "up"},
    ).content
    found = set(read_certificates(everything).certificates)
    assert found == {MIDDLE.certificate, ROOT.certificate}


@pytest.mark.django_db
def test_a_saved_file_is_exported_in_another_format() -> None:
    client, user = client_of("anna")
    file = files.save_file(user.pk, Place.DESKTOP, "leaf.cer", LEAF.certificate.der)
    url = f"/certificates/files/{file.pk}/export/"
    response = client.post(url, {"format": "base64", "file_name": "Desktop\\text.cer"})
    assert read_certificates(response.content).encoding == "base64"


@pytest.mark.django_db
def test_what_belongs_to_another_user_is_not_there() -> None:
    client, _ = client_of("anna")
    _, other = client_of("bert")
    entry = stored(other)
    file = files.save_file(other.pk, Place.DESKTOP, "leaf.cer", LEAF.certificate.der)
    for url in (
        address(entry),
        address(entry, ROOT.certificate.sha256),
        f"/certificates/files/{file.pk}/export/",
        "/certificates/entries/987654/export/",
        "/certificates/drawers/1/export/",
    ):
        assert client.get(url).status_code == 404
        assert client.post(url, PFX).status_code == 404
    assert SavedFile.objects.count() == 1


@pytest.mark.django_db
def test_a_certificate_outside_the_path_is_not_there() -> None:
    client, user = client_of("anna")
    stranger = issue.make_root("Stranger", now=NOW).certificate
    for sha256 in (stranger.sha256, "0", "z" * 64):
        assert client.get(address(stored(user), sha256)).status_code == 404


def test_only_the_signed_in_come_in(client: Client) -> None:
    response = client.get("/certificates/entries/1/export/")
    assert response.status_code == 302
    assert response.headers["Location"].startswith(settings.LOGIN_URL)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "base64"}, "A private key leaves in a PFX file alone."),
        ({"key": "no"}, "Say Yes to exporting it"),
        ({"format": ""}, "Choose a format."),
        ({"format": "store"}, "store is not one of the available choices."),
        ({"key": "maybe"}, "maybe is not one of the available choices."),
        ({"password": "", "confirm": ""}, "Enter a password"),
        ({"confirm": "another"}, "The two passwords are not the same."),
        ({"password": "x" * 129, "confirm": "x" * 129}, "at most 128 characters"),
        ({"password": "😀", "confirm": "😀"}, "PFX readers do not agree on"),
        ({"file_name": ""}, "Enter a file name."),
        ({"file_name": "Desktop\\"}, "Enter a file name."),
        ({"file_name": "Attic\\a.pfx"}, "is none of the folders here"),
        ({"file_name": "a|b"}, "A file name cannot hold"),
        ({"encryption": "rot13"}, "rot13 is not one of the available choices."),
    ],
)
def test_what_cannot_be_is_refused_in_words(change: dict[str, str], message: str) -> None:
    client, user = client_of("anna")
    page = refused(client, address(stored(user)), {**PFX, **change})
    assert message in page
    assert PASSWORD not in page
    assert not SavedFile.objects.exists()


@pytest.mark.django_db
def test_what_was_typed_stays_and_passwords_do_not() -> None:
    client, user = client_of("anna")
    data = {**PFX, "confirm": "Different9", "file_name": "Desktop\\mine", "encryption": "tripledes"}
    page = refused(client, address(stored(user)), data)
    assert 'value="Desktop\\mine"' in page
    assert '<option value="tripledes" selected>' in page
    assert PASSWORD not in page
    assert "Different9" not in page


@pytest.mark.django_db
def test_a_file_that_is_there_is_replaced_only_on_request() -> None:
    client, user = client_of("anna")
    url = address(stored(user))
    assert client.post(url, BASE64).status_code == 200
    again = {**BASE64, "format": "der", "file_name": "desktop/BACKEND.CER"}
    assert "is there already" in refused(client, url, again)
    kept = SavedFile.objects.get(owner=user)
    assert bytes(kept.data).startswith(b"-----BEGIN")
    assert client.post(url, {**again, "replace": "on"}).status_code == 200
    kept.refresh_from_db()
    assert bytes(kept.data) == LEAF.certificate.der


@pytest.mark.django_db
def test_a_full_disk_is_told_beside_the_file_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 0)
    client, user = client_of("anna")
    assert "exported files already" in refused(client, address(stored(user)), BASE64)


@pytest.mark.django_db
def test_a_key_that_the_installation_cannot_open_is_told(settings: object) -> None:
    client, user = client_of("anna")
    entry = stored(user)
    settings.GATEWRIGHT_KEYS = [Fernet.generate_key().decode()]  # type: ignore[attr-defined]
    assert client.get(address(entry)).status_code == 200
    assert "cannot be opened" in refused(client, address(entry), PFX)
    assert client.post(address(entry), BASE64).status_code == 200


@pytest.mark.django_db
def test_a_key_that_is_of_no_use_is_told() -> None:
    client, user = client_of("anna")
    entry = stored(user)
    key = StoredKey.objects.get(entry=entry)
    key.pem = issue.key_pem(ROOT)
    key.save()
    assert "another certificate" in refused(client, address(entry), PFX)


@pytest.mark.django_db
def test_each_format_says_what_a_gateway_answers() -> None:
    client, user = client_of("anna")
    entry = stored(user, key=False)
    leaf, root = (
        words(client.get(address(entry))),
        words(client.get(address(entry, ROOT.certificate.sha256))),
    )
    for page in (leaf, root):
        assert "v2 trusted root certificate: refused" in page  # the binary form
    assert "v1 authentication certificate: accepted<" in leaf
    assert "v1 authentication certificate: accepted with a warning<" in root
    assert "v2 trusted root certificate: accepted" not in leaf
    assert "v2 trusted root certificate: accepted<" in root
    assert "/portal/help/root-is-leaf/" in leaf
    # What a listener says is of use only where there is a key to export.
    assert "Listener certificate" not in leaf + root
    assert "Listener certificate: accepted<" in words(client.get(address(stored(user))))


@pytest.mark.parametrize(
    ("typed", "format", "wanted"),
    [
        ("backend", "base64", Target(Place.DOCUMENTS, "backend.cer")),
        ("Desktop\\backend", "base64", Target(Place.DESKTOP, "backend.cer")),
        ("downloads/backend.CER", "der", Target(Place.DOWNLOADS, "backend.CER")),
        (r"C:\Users\Anna\Desktop\a b.cer", "der", Target(Place.DESKTOP, "a b.cer")),
        ("backend.cer", "pfx", Target(Place.DOCUMENTS, "backend.pfx")),
        ("backend.txt", "p7b", Target(Place.DOCUMENTS, "backend.txt.p7b")),
        ("  Documents\\x  ", "base64", Target(Place.DOCUMENTS, "x.cer")),
    ],
)
def test_a_path_names_a_folder_and_a_file_with_the_ending_of_its_format(
    typed: str, format: str, wanted: Target
) -> None:
    assert parse_path(typed, format) == wanted  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "typed", ["", "Desktop\\", "Attic\\a.cer", "con", "a:b", "Desktop\\.cer\0"]
)
def test_a_path_that_cannot_be_is_refused_in_words(typed: str) -> None:
    with pytest.raises(FileRefusedError) as caught:
        parse_path(typed, "base64")
    assert str(caught.value)


anything = st.text(max_size=20)


class WizardPosts(TestCase):
    """Whatever is posted is answered with a file or with the pages and what is wrong."""

    @given(
        data=st.fixed_dictionaries(
            {},
            optional={
                "key": anything | st.sampled_from(["yes", "no"]),
                "format": anything | st.sampled_from(["der", "base64", "p7b", "pfx"]),
                "p7b_path": anything,
                "pfx_path": anything,
                "password": anything | st.just(PASSWORD),
                "confirm": anything | st.just(PASSWORD),
                "encryption": anything | st.sampled_from(["aes", "tripledes"]),
                "file_name": anything | st.text(alphabet="Desktop\\/:.cer\0\u202e", max_size=40),
                "replace": anything,
                "other": anything,
            },
        )
    )
    def test_nothing_that_is_posted_is_a_fault(self, data: dict[str, str]) -> None:
        client, user = client_of("anna")
        response = client.post(address(stored(user)), data)
        assert response.status_code in {200, 422}
        assert ("Content-Disposition" in response.headers) is (response.status_code == 200)


def test_the_script_asks_for_the_endings_that_the_server_adds() -> None:
    script = (Path(settings.BASE_DIR) / "static/wizard.js").read_text()
    assert 'const ENDINGS = [".cer", ".p7b", ".pfx"];' in script
    assert f"const MAX_NAME = {files.MAX_NAME};" in script
