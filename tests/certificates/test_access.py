"""Every address of the workshop, tried by somebody else, without signing in, and from elsewhere.

The addresses come from the urlconf itself: a page that is added tomorrow is tried as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import NoReverseMatch, reverse

from certificates import labca, urls
from certificates.files import save_file
from certificates.labca import Order, validity
from certificates.models import (
    Authority,
    AuthorityKey,
    Certificate,
    Place,
    SavedFile,
    StoredCertificate,
    StoredKey,
)
from certificates.x509.places.export import base64_text
from gateway.accounts.models import User
from tests.certificates.visits import signed_in
from tests.factories import NOW

pytestmark = pytest.mark.django_db

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
# What the parts of an address may be, beside the numbers and digests of somebody's things.
WORDS: dict[str, tuple[str, ...]] = {
    "store": ("current-user",),
    "folder": ("personal",),
    "what": ("authorities", "certificates"),
}
KINDS = ("entries", "files", "root", "server", "cer", "pem", "zip", "listener-v2")
FORM = {
    "format": "der",
    "key": "no",
    "file_name": "stolen",
    "how": "utf8-bom",
    "password": "Secret12",
    "confirm": "Secret12",
}
TABLES = (Authority, AuthorityKey, Certificate, SavedFile, StoredCertificate, StoredKey)


def owner_with_everything(name: str) -> User:
    """Somebody with an authority, a certificate made here with its key, and an exported file."""
    user = User.objects.create_user(name)
    first, last = validity("valid", NOW)
    of_root = Order(kind="root", name=f"Root of {name}", valid_from=first, valid_to=last)
    root = labca.make(user.pk, of_root, now=NOW).authority
    assert root is not None
    order = replace(of_root, kind="server", name=f"{name}.contoso.test", issuer_id=root.pk)
    made = labca.make(user.pk, order, now=NOW).entry
    save_file(user.pk, Place.DESKTOP, f"{name}.cer", base64_text(made.certificate.parsed))
    return user


def addresses(user: User) -> Iterator[tuple[str, bool]]:
    """Every address with the user's numbers, and whether it names a thing of theirs."""
    numbers = [
        *Authority.objects.filter(owner=user).values_list("pk", flat=True),
        *StoredCertificate.objects.filter(owner=user).values_list("pk", flat=True),
        *SavedFile.objects.filter(owner=user).values_list("pk", flat=True),
    ]
    digests = Certificate.objects.filter(storedcertificate__owner=user)
    values: dict[str, Any] = WORDS | {
        "kind": KINDS,
        "pk": tuple(dict.fromkeys(numbers)),
        "sha256": tuple(digests.values_list("sha256", flat=True)),
    }
    for pattern in urls.urlpatterns:
        sets: list[dict[str, Any]] = [{}]
        for part in pattern.pattern.converters:
            sets = [one | {part: value} for one in sets for value in values[part]]
        for arguments in sets:
            try:
                url = reverse(f"certificates:{pattern.name}", kwargs=arguments)
            except NoReverseMatch:
                continue
            yield url, "pk" in arguments


def everything() -> list[object]:
    return [list(table._default_manager.order_by("pk").values_list()) for table in TABLES]


def test_somebody_elses_things_answer_as_if_they_did_not_exist() -> None:
    anna = owner_with_everything("anna")
    # Numbers of their own that look like hers must not help.
    stranger = signed_in(owner_with_everything("bert"))
    before = everything()
    reached = []
    numbered = [url for url, of_a_thing in addresses(anna) if of_a_thing]
    own = {url for url, _ in addresses(User.objects.get(username="bert"))}
    assert len(numbered) > 20
    for url in numbered:
        if url in own:
            continue
        for method in METHODS:
            answer = getattr(stranger, method)(url, FORM if method == "post" else None)
            if answer.status_code not in {404, 405}:
                reached.append((method, url, answer.status_code))
    assert not reached
    assert everything() == before


def test_nobody_gets_anywhere_without_signing_in() -> None:
    anna = owner_with_everything("anna")
    before = everything()
    for url, _ in addresses(anna):
        for method in METHODS:
            answer = getattr(Client(), method)(url, FORM if method == "post" else None)
            assert answer.status_code == 302, (method, url)
            assert answer.headers["Location"].startswith(settings.LOGIN_URL), (method, url)
    assert everything() == before


def test_looking_changes_nothing() -> None:
    anna = owner_with_everything("anna")
    client = signed_in(anna)
    before = everything()
    found = 0
    for url, _ in addresses(anna):
        for method in ("get", "head", "options"):
            answer = getattr(client, method)(url)
            assert answer.status_code in {200, 302, 404, 405}, (method, url)
            found += answer.status_code == 200
    assert found > 40
    assert everything() == before


def test_no_page_takes_a_method_that_it_has_no_answer_for() -> None:
    anna = owner_with_everything("anna")
    client = signed_in(anna)
    for url, _ in addresses(anna):
        for method in ("put", "patch", "delete"):
            assert getattr(client, method)(url).status_code in {404, 405}, (method, url)


def test_a_form_from_another_site_is_refused() -> None:
    anna = owner_with_everything("anna")
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna, backend="django.contrib.auth.backends.ModelBackend")
    before = everything()
    for url, _ in addresses(anna):
        assert client.post(url, FORM).status_code == 403, url
    assert everything() == before


def test_private_keys_leave_in_the_pfx_and_the_marked_zip_alone() -> None:
    anna = owner_with_everything("anna")
    client = signed_in(anna)
    pems = [bytes(row.pem) for row in StoredKey.objects.all()]
    pems += [bytes(row.pem) for row in AuthorityKey.objects.all()]
    bodies = [pem.split(b"-----")[2].strip() for pem in pems]
    assert all(bodies)
    for url, _ in addresses(anna):
        answer = client.get(url)
        if answer.headers.get("Content-Type") == "application/zip":
            assert url.endswith("/zip/")
            continue
        assert b"PRIVATE KEY" not in answer.content, url
        for body in bodies:
            assert body.splitlines()[0] not in answer.content, url


def test_downloads_are_kept_by_nobody_and_never_taken_for_a_page() -> None:
    anna = owner_with_everything("anna")
    client = signed_in(anna)
    downloads = 0
    for url, _ in addresses(anna):
        answer = client.get(url)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer.headers["Cache-Control"]
        if answer.headers["Content-Type"].startswith("text/html"):
            continue
        downloads += 1
        assert answer.headers["Content-Disposition"].startswith("attachment"), url
    assert downloads >= 6


@pytest.mark.parametrize(
    "name",
    [
        'a";x=".html.cer',
        "a\r\nSet-Cookie: x=y.cer",
        "ü-€-🙂.cer",
        "a‮rec.exe.cer",
        "%0d%0aX: y.cer",
        "semi;colon, comma.cer",
    ],
)
def test_no_name_of_a_file_breaks_out_of_its_header(name: str) -> None:
    anna = owner_with_everything("anna")
    client = signed_in(anna)
    entry = StoredCertificate.objects.filter(made_here=True).get()
    url = reverse("certificates:export", args=["entries", entry.pk])
    answer = client.post(url, {"format": "der", "key": "no", "file_name": name})
    if answer.status_code == 200:
        row = SavedFile.objects.latest("pk")
        answer = client.get(reverse("certificates:file-download", args=[row.pk]))
        told = answer.headers["Content-Disposition"]
        assert told.startswith("attachment; filename")
        assert told.isascii()
        assert "Set-Cookie" not in answer.headers
        assert '"' not in told or told.count('"') == 2 + told.count('\\"')
    else:
        assert answer.status_code == 422


def test_an_uploaded_file_reaches_nobody_elses_store() -> None:
    anna, bert = owner_with_everything("anna"), owner_with_everything("bert")
    theirs = StoredCertificate.objects.filter(owner=anna).count()
    certificate = StoredCertificate.objects.filter(owner=anna).first()
    assert certificate is not None
    file = SimpleUploadedFile("a.cer", base64_text(certificate.certificate.parsed))
    url = reverse("certificates:import", args=["current-user", "personal"])
    data = {"file": file, "place": "folder", "owner": anna.pk, "owner_id": anna.pk}
    assert signed_in(bert).post(url, data).status_code == 302
    assert StoredCertificate.objects.filter(owner=anna).count() == theirs
    # The certificate is hers, too; her key is not.
    entry = StoredCertificate.objects.filter(owner=bert).latest("pk")
    assert not StoredKey.objects.filter(entry=entry).exists()
