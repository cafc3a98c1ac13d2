"""Importing: every usual format, where each certificate goes, and what is refused and why."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates.models import Folder, Store, StoredCertificate, StoredKey
from certificates.workshop import imports
from certificates.workshop.imports import Content, import_content, read_file
from certificates.workshop.manager import folder_url
from certificates.x509.issuing.issue import Issued, key_pem, make_leaf, make_root, to_pem, to_pfx
from certificates.x509.problems import KINDS, ProblemError
from gateway.accounts.models import User
from tests.certificates import visits
from tests.certificates.visits import COMPUTER, USER, text
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NOW, openssl

PASSWORD = "Pa55 wörd"
URL = "/certificates/stores/current-user/personal/import/"
CHAIN = (makers.leaf, makers.intermediate, makers.root)


@cache
def pfx(password: str = PASSWORD, *, legacy: bool = False, key: str = "ec") -> bytes:
    leaf = makers.leaf() if key == "ec" else _leaf(key)
    chain = makers.certs(makers.intermediate(), makers.root())
    return to_pfx(leaf, password, name="my site", chain=chain, legacy=legacy)


@cache
def _leaf(key: Any) -> Issued:
    return make_leaf(makers.intermediate(), makers.NAME, now=NOW, key=key)


@cache
def p7b() -> bytes:
    path = makers.put("chain.pem", to_pem(*makers.certs(*(one() for one in CHAIN))))
    return openssl("crl2pkcs7", "-nocrl", "-certfile", path, "-outform", "DER")


@cache
def request() -> bytes:
    key = makers.put("request.key", key_pem(makers.leaf()))
    return openssl("req", "-new", "-key", key, "-subj", "/CN=a", "-outform", "PEM")


@cache
def without_key() -> bytes:
    path = makers.put("nokey.pem", to_pem(makers.root().certificate))
    return openssl("pkcs12", "-export", "-nokeys", "-in", path, "-passout", f"pass:{PASSWORD}")


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("anna")


@pytest.fixture
def client(user: User) -> Client:
    return visits.signed_in(user)


def send(
    client: Client, data: bytes | None, *, url: str = URL, htmx: bool = False, **typed: str
) -> Any:
    fields: dict[str, Any] = {"place": "type", "exportable": "on", **typed}
    if data is not None:
        fields["file"] = SimpleUploadedFile("file.bin", data)
    return client.post(url, fields, headers={"HX-Request": "true"} if htmx else {})


def where(user: User) -> dict[str, tuple[str, str]]:
    rows = StoredCertificate.objects.filter(owner=user)
    return {str(row.certificate.parsed.label): (row.store, row.folder) for row in rows}


# -- what is taken, and where it goes --------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        pfx,
        lambda: pfx(legacy=True),
        lambda: pfx(""),
        lambda: pfx(key="rsa2048"),
        lambda: pfx(key="ed25519"),
    ],
    ids=["modern", "legacy", "unprotected", "rsa", "ed25519"],
)
def test_a_pfx_brings_its_key_and_its_chain_each_to_its_folder(
    user: User, client: Client, make: Callable[[], bytes]
) -> None:
    data = make()
    answer = send(client, data, password="" if data == pfx("") else PASSWORD)
    assert answer.status_code == 302, text(answer)
    assert answer["Location"] == folder_url(USER, Folder.PERSONAL)
    assert where(user) == {
        makers.NAME: ("current-user", "personal"),
        "Contoso Issuing CA": ("current-user", "intermediates"),
        "Contoso Root": ("current-user", "roots"),
    }
    key = StoredKey.objects.get()
    leaf = key.entry.certificate.parsed
    assert leaf.label == makers.NAME
    private = load_pem_private_key(bytes(key.pem), None)
    assert private.public_key() == leaf.x509.public_key()
    assert key.exportable


@pytest.mark.parametrize("algorithm", ["ED448", "DSA"])
def test_a_pfx_with_a_key_of_a_rare_kind_is_taken_and_shown(
    user: User, client: Client, algorithm: str
) -> None:
    options = ("-algorithm", algorithm)
    if algorithm == "DSA":
        small = openssl("genpkey", "-genparam", *options, "-pkeyopt", "dsa_paramgen_bits:1024")
        options = ("-paramfile", makers.put("rare.parameters", small))
    key = makers.put("rare.key", openssl("genpkey", *options))
    certificate = openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=rare", "-days", "30")
    data = openssl(
        "pkcs12", "-export", "-inkey", key, "-in", makers.put("rare.crt", certificate),
        "-passout", "pass:secret12",
    )  # fmt: skip
    assert send(client, data, password="secret12").status_code == 302
    entry = StoredCertificate.objects.get()
    assert "rare" in text(client.get(folder_url(USER, Folder.PERSONAL)))
    for window in ("view", "export"):
        answer = client.get(reverse(f"certificates:{window}", args=["entries", entry.pk]))
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "wrap",
    [
        base64.b64encode,
        base64.encodebytes,
        lambda data: b"\xef\xbb\xbf" + base64.encodebytes(data),
        lambda data: b"-----BEGIN PKCS12-----\n%s-----END PKCS12-----\n" % base64.encodebytes(data),
    ],
    ids=["one line", "lines", "byte order mark", "armour"],
)
def test_a_pfx_written_as_text_is_taken_too(client: Client, wrap: Callable[[bytes], bytes]) -> None:
    assert send(client, wrap(pfx()), password=PASSWORD).status_code == 302
    assert StoredKey.objects.get().entry.certificate.parsed.label == makers.NAME


def test_a_pfx_without_any_key_brings_its_certificates(user: User, client: Client) -> None:
    assert send(client, without_key(), password=PASSWORD).status_code == 302
    assert where(user) == {"Contoso Root": ("current-user", "roots")}
    assert not StoredKey.objects.exists()


def test_a_pfx_in_a_text_with_foreign_letters_is_answered(client: Client) -> None:
    text_with_blanks = base64.b64encode(pfx()).replace(b"A", b"A\xa0", 3)
    assert send(client, text_with_blanks, password=PASSWORD).status_code in {302, 422}


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pfx_made_by_openssl_is_taken(user: User, client: Client, legacy: bool) -> None:
    key, certificate = makers.leaf(), makers.leaf().certificate
    openssl_pfx = openssl(
        "pkcs12", "-export", "-inkey", makers.put("leaf.key", key_pem(key)),
        "-in", makers.put("leaf.pem", to_pem(certificate)), "-passout", "pass:secret",
        *(["-legacy"] if legacy else []),
    )  # fmt: skip
    assert send(client, openssl_pfx, password="secret").status_code == 302
    assert StoredKey.objects.get().entry.certificate.parsed == certificate


@pytest.mark.parametrize(
    "make",
    [
        lambda: to_pem(*makers.certs(*(one() for one in CHAIN))),
        lambda: b"".join(one.der for one in makers.certs(*(one() for one in CHAIN))),
        p7b,
        lambda: to_pem(*makers.certs(*(one() for one in CHAIN))) * 2,
    ],
    ids=["pem", "der", "p7b", "pem twice"],
)
def test_public_certificates_go_by_their_type(
    user: User, client: Client, make: Callable[[], bytes]
) -> None:
    assert send(client, make()).status_code == 302
    assert {label: folder for label, (_, folder) in where(user).items()} == {
        makers.NAME: "personal",
        "Contoso Issuing CA": "intermediates",
        "Contoso Root": "roots",
    }
    assert not StoredKey.objects.exists()


def test_all_may_be_put_into_the_folder_that_was_open(user: User, client: Client) -> None:
    url = reverse("certificates:import", args=[COMPUTER, Folder.ROOTS])
    answer = send(client, pfx(), password=PASSWORD, url=url, place="folder")
    assert answer["Location"] == folder_url(COMPUTER, Folder.ROOTS)
    assert set(where(user).values()) == {("local-computer", "roots")}
    assert len(where(user)) == 3


def test_a_name_of_ones_own_goes_to_the_first_certificate(user: User, client: Client) -> None:
    send(client, pfx(), password=PASSWORD, friendly_name="Contoso web")
    named = StoredCertificate.objects.exclude(friendly_name="").get()
    assert (named.friendly_name, named.certificate.parsed.label) == ("Contoso web", makers.NAME)


def test_the_name_in_the_file_is_kept_where_no_other_is_given(user: User, client: Client) -> None:
    send(client, pfx(), password=PASSWORD)
    named = StoredCertificate.objects.exclude(friendly_name="").get()
    assert (named.friendly_name, named.certificate.parsed.label) == ("my site", makers.NAME)
    shown = text(client.get(folder_url(USER, Folder.PERSONAL)))
    assert "into Personal. Its friendly name is “my site”." in shown


def test_the_name_in_a_file_does_not_replace_one_of_ones_own(client: Client) -> None:
    send(client, pfx(), password=PASSWORD, friendly_name="Contoso web")
    send(client, pfx(), password=PASSWORD)
    assert StoredCertificate.objects.exclude(friendly_name="").get().friendly_name == "Contoso web"


def test_the_name_in_a_file_goes_to_an_entry_without_one(client: Client) -> None:
    send(client, to_pem(makers.leaf().certificate))
    assert not StoredCertificate.objects.exclude(friendly_name="").exists()
    send(client, pfx(), password=PASSWORD)
    assert StoredCertificate.objects.exclude(friendly_name="").get().friendly_name == "my site"


def test_a_key_may_be_kept_from_ever_leaving(client: Client) -> None:
    send(client, pfx(), password=PASSWORD, exportable="")
    assert not StoredKey.objects.get().exportable


def test_a_key_that_signs_only_itself_goes_to_personal(user: User, client: Client) -> None:
    issued = make_root("My own", now=NOW)
    send(client, to_pfx(issued, "x"), password="x")
    assert where(user) == {"My own": ("current-user", "personal")}


def test_importing_again_changes_nothing_and_is_no_fault(user: User, client: Client) -> None:
    for _ in range(2):
        assert send(client, pfx(), password=PASSWORD).status_code == 302
    assert StoredCertificate.objects.count() == 3


def test_the_answer_tells_what_lies_where(client: Client) -> None:
    send(client, pfx(), password=PASSWORD)
    shown = text(client.get(folder_url(USER, Folder.PERSONAL)))
    assert f"“{makers.NAME}” was imported with its private key into Personal." in shown
    assert "“Contoso Root” was imported into Trusted Root Certification Authorities." in shown


def test_of_many_certificates_three_are_named(client: Client) -> None:
    many = to_pem(*(makers.root(f"Root {number}").certificate for number in range(5)))
    send(client, many)
    shown = text(client.get(folder_url(USER, Folder.ROOTS)))
    assert "“Root 0”, “Root 1”, “Root 2” and 2 more were imported into Trusted Root" in shown


def test_a_key_beside_certificates_in_a_text_is_left_out_with_a_warning(client: Client) -> None:
    leaf = makers.leaf()
    data = to_pem(leaf.certificate) + key_pem(leaf)
    assert send(client, data).status_code == 302
    assert "only a PFX brings a key in" in text(client.get(folder_url(USER, Folder.PERSONAL)))
    assert not StoredKey.objects.exists()


def test_what_was_put_up_with_is_told(client: Client) -> None:
    send(client, b"\xef\xbb\xbf" + to_pem(makers.root().certificate))
    assert "byte order mark" in text(client.get(folder_url(USER, Folder.ROOTS)))


# -- what is refused -------------------------------------------------------------------------------

# kind: file, password, the field that tells it
REFUSED: dict[str, tuple[Callable[[], bytes | None], str, str]] = {
    "import-file-missing": (lambda: None, "", "file"),
    "import-key-alone": (lambda: key_pem(makers.leaf()), "", "file"),
    "cer-empty": (lambda: b"", "", "file"),
    "cer-not-certificate": (lambda: b"hello", "", "file"),
    "cer-is-request": (request, "", "file"),
    "cer-trailing-data": (lambda: makers.root().certificate.der + b"more", "", "file"),
    "pfx-password-missing": (pfx, "", "password"),
    "pfx-password-wrong": (pfx, "not this", "password"),
    "pfx-cut-off": (lambda: pfx()[:-40], PASSWORD, "file"),
}
# Kinds that tests with a name of their own raise.
ELSEWHERE = {"import-key-left-out", "store-full"}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("htmx", [False, True])
def test_what_cannot_be_imported_is_told_at_its_field(
    client: Client, kind: str, htmx: bool
) -> None:
    make, password, field = REFUSED[kind]
    answer = send(client, make(), password=password, htmx=htmx)
    assert answer.status_code == 422
    shown = text(answer)
    assert shown.count("<main") == (0 if htmx else 1)
    assert KINDS[kind].remedy in shown.replace("\n", " "), shown
    assert reverse("portal:help", args=[kind]) in shown
    assert KINDS[kind].remedy in shown.split(f'id="import-{field}_error"')[1].split("</div>")[0]
    assert "Nothing was imported" in shown
    assert not StoredCertificate.objects.exists()


def test_the_password_is_never_shown_again(client: Client) -> None:
    answer = send(client, pfx(), password="S3cret-and-wrong", friendly_name="kept text")
    assert "S3cret" not in text(answer)
    assert "kept text" in text(answer)


def test_the_key_of_a_refused_file_is_never_shown(client: Client) -> None:
    body = key_pem(makers.leaf()).decode().splitlines()[1]
    assert body not in text(send(client, key_pem(makers.leaf())))


def test_no_more_is_stored_than_a_user_may_have(
    user: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_STORED", 3)
    assert send(client, pfx(), password=PASSWORD).status_code == 302
    answer = send(client, to_pem(makers.other_root().certificate))
    assert answer.status_code == 422
    assert KINDS["store-full"].remedy in text(answer)
    # What is there already takes no room, and another user's stores are other stores.
    assert send(client, to_pem(makers.root().certificate)).status_code == 302
    other = visits.signed_in(User.objects.create_user("ben"))
    assert send(other, to_pem(makers.other_root().certificate)).status_code == 302


def test_certificates_take_no_more_bytes_than_a_user_may_have(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, other = makers.root().certificate, makers.other_root().certificate
    monkeypatch.setattr(imports, "MAX_STORED_BYTES", len(root.der) + 10)
    assert send(client, to_pem(root)).status_code == 302
    answer = send(client, to_pem(other))
    assert answer.status_code == 422
    assert "bytes of certificates" in text(answer)
    assert send(client, to_pem(root)).status_code == 302


def test_of_a_file_that_does_not_fit_nothing_is_stored(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_STORED", 2)
    content = Content(tuple(makers.certs(*(one() for one in CHAIN))))
    with pytest.raises(ProblemError) as caught:
        import_content(user.pk, Store.CURRENT_USER, content, folder=None)
    assert caught.value.problem.id == "store-full"
    assert not StoredCertificate.objects.exists()


def test_the_page_asks_for_what_it_needs(client: Client) -> None:
    shown = text(client.get(URL))
    for label in ("File to import", "Password", "Mark this key as exportable", "Friendly name"):
        assert label in shown
    assert "Place all certificates in Personal" in shown
    assert client.get(URL.replace("personal", "attic")).status_code == 404
    assert Client().get(URL).status_code == 302


@given(data=st.binary(max_size=400), password=st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_bytes_raise_anything_but_a_problem(data: bytes, password: str) -> None:
    try:
        content = read_file(data, password)
    except ProblemError:
        return
    assert content.certificates


damaged = st.builds(
    lambda data, cut, spot, byte: (data[:spot] + bytes([byte]) + data[spot + 1 :])[:cut],
    st.sampled_from(
        [pfx(), p7b(), to_pem(makers.leaf().certificate), makers.leaf().certificate.der]
    ),
    st.integers(1, 4000),
    st.integers(0, 3000),
    st.integers(0, 255),
)
texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "\0", "type", "folder", "on", PASSWORD, "x" * 3000, "<b>", "٣", "\u202e"]),
)


@given(
    data=st.one_of(st.none(), st.binary(max_size=60), damaged),
    fields=st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(texts, st.lists(texts, min_size=2, max_size=3))
            for name in ("password", "place", "exportable", "friendly_name", "file", "folder")
        },
    ),
    htmx=st.booleans(),
    store=st.sampled_from(["current-user", "local-computer", "elsewhere"]),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_forged_form_makes_a_server_error(
    client: Client, data: bytes | None, fields: dict[str, Any], htmx: bool, store: str
) -> None:
    if data is not None:
        fields = {**fields, "file": SimpleUploadedFile("x\0.pfx", data)}
    url = f"/certificates/stores/{store}/personal/import/"
    answer = client.post(url, fields, headers={"HX-Request": "true"} if htmx else {})
    assert answer.status_code in {200, 302, 404, 422}
