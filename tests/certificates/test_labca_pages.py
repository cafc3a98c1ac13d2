"""The Lab CA's pages: what they show, what they make, and to whom they answer."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import pkcs12
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from certificates import labca, stores
from certificates.labca import Made, Order, make
from certificates.models import Authority, AuthorityKey, ChainForm, StoredCertificate, StoredKey
from certificates.workshop.labca_forms import FORMS
from certificates.x509.facts.certificate import Certificate
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing.issue import load_issued, make_leaf, make_root
from gateway.accounts.models import User
from gateway.lab.supplies import ensure_lab_authority
from tests.factories import make_user

pytestmark = pytest.mark.django_db

INDEX = "/certificates/lab-ca/"
SERVER: dict[str, Any] = {
    "name": "backend.contoso.test",
    "issuer": "self-signed",
    "names": "",
    "validity": "valid",
    "key": "ec",
    "purpose": "server",
    "digest": "sha256",
    "chain_form": "complete",
    "friendly_name": "",
}
KEPT = {
    "name": "kept.test",
    "purpose": "both",
    "valid_from": "2026-01-01T00:00",
    "valid_to": "2027-01-01T00:00",
}
ROOT: dict[str, Any] = {"name": "My Root", "validity": "valid", "key": "ec", "digest": "sha256"}


@pytest.fixture
def user() -> User:
    return make_user("alice")


@pytest.fixture
def client(user: User) -> Client:
    return signed_in(user)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def new(kind: str) -> str:
    return f"{INDEX}new/{kind}/"


def text(response: Any) -> str:
    return unescape(response.content.decode())


def order(user: User, kind: labca.Kind, name: str, **changes: Any) -> Made:
    begin, end = labca.validity("valid", timezone.now())
    changes = {"valid_from": begin, "valid_to": end, **changes}
    return make(user.pk, Order(kind=kind, name=name, **changes), now=timezone.now())


def chain(user: User, **changes: Any) -> Made:
    """A server certificate below an intermediate of a root."""
    top = order(user, "root", "My Root").authority
    assert top is not None
    below = order(user, "intermediate", "My Issuing CA", issuer_id=top.pk).authority
    assert below is not None
    return order(user, "server", "backend.contoso.test", issuer_id=below.pk, **changes)


# -- forms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(FORMS))
def test_every_form_is_drawn(client: Client, kind: str) -> None:
    answer = client.get(new(kind))
    assert answer.status_code == 200
    assert f"New {FORMS[kind].noun}" in text(answer)


def test_a_form_of_an_unknown_kind_is_not_there(client: Client) -> None:
    assert client.get(new("wildcard")).status_code == 404


def test_a_root_is_made_by_form(client: Client, user: User) -> None:
    answer = client.post(new("root"), ROOT | {"path_length": "2"}, follow=True)

    assert "The root “My Root” was made." in text(answer)
    made = Authority.objects.get(owner=user).certificate.parsed
    assert made.path_length == 2
    assert made.not_after > timezone.now() + timedelta(days=3600)


def test_an_intermediate_and_a_client_certificate_are_made_below_it(
    client: Client, user: User
) -> None:
    client.post(new("root"), ROOT)
    top = Authority.objects.get(owner=user)
    client.post(new("intermediate"), ROOT | {"name": "My Issuing CA", "issuer": str(top.pk)})
    below = Authority.objects.get(owner=user, name="My Issuing CA")
    wanted = {"name": "Anna", "issuer": str(below.pk), "validity": "valid", "key": "ec",
              "purpose": "client", "digest": "sha256"}  # fmt: skip
    client.post(new("client"), wanted)

    made = StoredCertificate.objects.get(owner=user, made_here=True).certificate.parsed
    assert made.issuer_common_name == "My Issuing CA"
    assert not made.may_serve
    assert below.parent == top


def test_a_server_certificate_is_made_as_the_form_says(client: Client, user: User) -> None:
    wanted = SERVER | {
        "names": "shop.contoso.test, 10.0.1.4\nbücher.test",
        "validity": "own",
        "valid_from": "2031-01-02T03:04",
        "valid_to": "2031-02-03T04:05",
        "key": "rsa1024",
        "purpose": "none",
        "digest": "sha1",
        "chain_form": "reversed",
        "friendly_name": "Shop",
    }
    assert client.post(new("server"), wanted).status_code == 302

    entry = StoredCertificate.objects.get(owner=user)
    made = entry.certificate.parsed
    assert made.names == ("shop.contoso.test", "xn--bcher-kva.test", "10.0.1.4")
    assert f"{made.not_before:%Y-%m-%d %H:%M}" == "2031-01-02 03:04"
    assert f"{made.not_after:%Y-%m-%d %H:%M}" == "2031-02-03 04:05"
    assert (made.key.label, made.may_serve, made.has_weak_signature) == ("RSA 1024", False, True)
    assert (entry.chain_form, entry.friendly_name) == ("reversed", "Shop")


def test_a_common_name_alone_leaves_the_other_names_out(client: Client, user: User) -> None:
    client.post(new("server"), SERVER | {"cn_only": "on"})
    assert StoredCertificate.objects.get(owner=user).certificate.parsed.names == ()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "required"),
        ({"name": "My server"}, "no host name"),
        ({"names": "a b://c"}, "neither a host name nor an IP address"),
        ({"issuer": ""}, "required"),
        ({"issuer": "999999"}, "Select a valid choice"),
        ({"validity": "own", "valid_to": ""}, "Enter a date and a time"),
        ({"validity": "own", "valid_from": "yesterday"}, "Enter a valid date/time"),
        ({"validity": "own", "valid_from": "0001-01-01T00:00+23:59"}, "before the year 1950"),
        ({"validity": "own", "valid_to": "9999-12-31T23:59:59-23:59"}, "than the year 9999"),
        ({"key": "rsa512"}, "Select a valid choice"),
        ({"friendly_name": "x" * 81}, "at most 80"),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_typed(
    client: Client, wrong: dict[str, str], words: str
) -> None:
    answer = client.post(new("server"), SERVER | KEPT | wrong)

    assert answer.status_code == 422
    assert words in text(answer)
    assert wrong.get("name", "kept.test") in text(answer)
    assert '<option value="both" selected>' in text(answer)
    assert not StoredCertificate.objects.exists()


def test_somebody_elses_authority_is_not_offered(client: Client) -> None:
    theirs = order(make_user("bob"), "root", "Theirs").authority
    assert theirs is not None
    answer = client.get(f"{new('server')}?issuer={theirs.pk}")
    assert "Theirs" not in text(answer)
    posted = client.post(new("server"), SERVER | {"issuer": str(theirs.pk)})
    assert posted.status_code == 422


def test_a_form_begins_with_the_issuer_asked_for_else_an_intermediate(
    client: Client, user: User
) -> None:
    chain(user)
    top, below = (Authority.objects.get(name=name) for name in ("My Root", "My Issuing CA"))
    assert f'<option value="{below.pk}" selected>' in text(client.get(new("server")))
    asked = client.get(f"{new('server')}?issuer={top.pk}")
    assert f'<option value="{top.pk}" selected>' in text(asked)


@pytest.mark.parametrize("kind", ["intermediate", "client"])
def test_without_an_authority_the_form_leads_to_a_root(client: Client, kind: str) -> None:
    assert "Make a root first" in text(client.get(new(kind)))


def test_notes_tell_what_a_gateway_does_with_each_defect(client: Client) -> None:
    page = text(client.get(new("server")))
    for condition in ("validity=expired", "key=rsa1024", "purpose=client", "digest=sha1",
                      "chain_form=leaf-only", "issuer=self-signed", "cn_only"):  # fmt: skip
        assert f'data-show-when="{condition}"' in page


# -- the list -------------------------------------------------------------------------------------


def test_an_empty_lab_ca_leads_to_its_first_root(client: Client) -> None:
    page = text(client.get(INDEX))
    assert "No authorities" in page
    assert "No certificates" in page
    assert new("root") in page


def test_the_tree_shows_roots_before_what_is_below_them(client: Client, user: User) -> None:
    chain(user)
    order(user, "root", "Another Root")
    page = text(client.get(INDEX))

    names = ["Another Root", "My Root", "My Issuing CA"]
    places = [page.index(f"<span>{name}") for name in names]
    assert places == sorted(places)
    assert "below My Root" in page
    assert "1 intermediate," in page


def test_defects_are_marked_in_the_list(client: Client, user: User) -> None:
    begin, end = labca.validity("expired", timezone.now())
    order(user, "self-signed", "a.test", valid_from=begin, valid_to=end, cn_only=True,
          key="rsa1024", digest="sha1", purposes=("client",))  # fmt: skip
    order(user, "self-signed", "b.test", cn_only=True)
    begin, end = labca.validity("future", timezone.now())
    chain(user, valid_from=begin, valid_to=end, chain_form=ChainForm.LEAF_ONLY)
    page = text(client.get(INDEX))
    for trait in ("expired", "self-signed", "CN only", "weak key", "SHA-1", "not for servers",
                  "not yet valid", "chain without intermediates"):  # fmt: skip
        assert f'<span class="pill">{trait}</span>' in page


def test_the_sandboxs_authorities_are_shown_and_stay(client: Client, user: User) -> None:
    ensure_lab_authority(user, timezone.now())
    row = Authority.objects.get(owner=user, name="lab-root")
    page = text(client.get(INDEX))
    assert "Lab Root CA of alice (lab-root)" in page
    url = reverse("certificates:lab-ca-delete", args=["authorities", row.pk])
    assert url not in page
    assert client.post(url).status_code == 404
    assert Authority.objects.filter(pk=row.pk).exists()


def test_the_list_takes_as_many_queries_for_many_as_for_one(client: Client, user: User) -> None:
    def queries() -> int:
        client.get(INDEX)
        with CaptureQueriesContext(connection) as captured:
            client.get(INDEX)
        return len(captured)

    first = chain(user)
    few = queries()
    parent = Authority.objects.get(name="My Root")
    for number in range(6):
        below = order(user, "intermediate", f"CA {number}", issuer_id=parent.pk).authority
        assert below is not None
        parent = below
        order(user, "server", f"s{number}.test", issuer_id=below.pk)
    assert queries() == few <= 10
    assert first.entry.made_here


# -- deleting ------------------------------------------------------------------------------------


def test_deleting_asks_first(client: Client, user: User) -> None:
    entry = chain(user).entry
    url = reverse("certificates:lab-ca-delete", args=["certificates", entry.pk])
    assert "private key" in text(client.get(url))
    assert StoredCertificate.objects.filter(pk=entry.pk).exists()
    assert "was deleted" in text(client.post(url, follow=True))
    assert not StoredCertificate.objects.filter(pk=entry.pk).exists()
    assert not StoredKey.objects.exists()


def test_a_deleted_authority_leaves_its_certificates_and_their_chain(
    client: Client, user: User
) -> None:
    entry = chain(user).entry
    row = Authority.objects.get(name="My Root")
    client.post(reverse("certificates:lab-ca-delete", args=["authorities", row.pk]))

    assert not Authority.objects.filter(owner=user).exists()
    chain_file = download(client, entry.pk, "pem")
    assert len(read_certificates(chain_file).certificates) == 2


# -- whose it is ----------------------------------------------------------------------------------


def addresses(user: User) -> Iterator[str]:
    made = chain(user)
    authority = Authority.objects.get(owner=user, name="My Root")
    for what, pk in (("authorities", authority.pk), ("certificates", made.entry.pk)):
        for kind in ("cer", "der", "pem", "p7b"):
            yield reverse("certificates:lab-ca-file", args=[what, pk, kind])
        yield reverse("certificates:lab-ca-pfx", args=[what, pk])
        yield reverse("certificates:lab-ca-delete", args=[what, pk])
    yield reverse("certificates:lab-ca-file", args=["certificates", made.entry.pk, "zip"])


def test_everything_is_its_owners_alone(client: Client, user: User) -> None:
    stranger = signed_in(make_user("bob"))
    for url in addresses(user):
        assert client.get(url).status_code == 200, url
        assert stranger.get(url).status_code == 404, url
        assert stranger.post(url, {"password": "x"}).status_code in {404, 405}, url
        assert Client().get(url).status_code == 302, url


def test_what_was_not_made_here_has_no_files_here(client: Client, user: User) -> None:
    leaf = make_leaf(make_root("r", now=timezone.now()), "a", now=timezone.now())
    entry = stores.add(user.pk, "current-user", "personal", leaf.certificate)
    assert client.get(f"{INDEX}certificates/{entry.pk}/zip/").status_code == 404
    assert client.get(f"{INDEX}certificates/{entry.pk}/pfx/").status_code == 404


@pytest.mark.parametrize("path", ["certificates/{}/exe/", "authorities/{}/zip/", "files/{}/cer/"])
def test_other_files_do_not_exist(client: Client, user: User, path: str) -> None:
    chain(user)
    pk = Authority.objects.first() if "authorities" in path else StoredCertificate.objects.last()
    assert pk is not None
    assert client.get(INDEX + path.format(pk.pk)).status_code == 404


# -- downloads ------------------------------------------------------------------------------------


def download(client: Client, pk: int, kind: str, what: str = "certificates") -> bytes:
    answer = client.get(reverse("certificates:lab-ca-file", args=[what, pk, kind]))
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    return bytes(answer.content)


def found_in(data: bytes) -> list[Certificate]:
    return list(read_certificates(data).certificates)


def test_each_form_of_file_holds_what_it_should(client: Client, user: User) -> None:
    entry = chain(user, chain_form=ChainForm.WITH_ROOT).entry
    leaf = entry.certificate.parsed
    below, top = (
        Authority.objects.get(name=name).certificate.parsed for name in ("My Issuing CA", "My Root")
    )

    assert found_in(download(client, entry.pk, "cer")) == [leaf]
    assert download(client, entry.pk, "der") == leaf.der
    assert found_in(download(client, entry.pk, "pem")) == [leaf, below, top]
    assert set(found_in(download(client, entry.pk, "p7b"))) == {leaf, below, top}


def test_an_authoritys_files_hold_it_and_those_above(client: Client, user: User) -> None:
    chain(user)
    row = Authority.objects.get(name="My Issuing CA")
    assert found_in(download(client, row.pk, "cer", "authorities")) == [row.certificate.parsed]
    assert len(found_in(download(client, row.pk, "p7b", "authorities"))) == 2


@pytest.mark.parametrize("encryption", ["modern", "legacy"])
@pytest.mark.parametrize("what", ["certificates", "authorities"])
def test_a_pfx_is_protected_by_the_users_password(
    client: Client, user: User, encryption: str, what: str
) -> None:
    pk = chain(user).entry.pk
    if what == "authorities":
        pk = Authority.objects.get(name="My Issuing CA").pk
    url = reverse("certificates:lab-ca-pfx", args=[what, pk])
    answer = client.post(url, {"password": "Passw0rd", "encryption": encryption})

    assert answer.status_code == 200
    loaded = pkcs12.load_pkcs12(answer.content, b"Passw0rd")
    assert loaded.key is not None
    assert loaded.cert is not None
    assert loaded.key.public_key() == loaded.cert.certificate.public_key()
    assert len(loaded.additional_certs) == (2 if what == "certificates" else 1)
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_pkcs12(answer.content, b"other")


@pytest.mark.parametrize("password", ["", "a\u0001\U0001f511"])
def test_a_pfx_without_a_good_password_is_refused_and_the_password_forgotten(
    client: Client, user: User, password: str
) -> None:
    url = reverse("certificates:lab-ca-pfx", args=["certificates", chain(user).entry.pk])
    answer = client.post(url, {"password": password, "encryption": "legacy"})
    assert answer.status_code == 422
    assert "No file was made" in text(answer)
    assert re.search(r'value="legacy"[^>]* checked', text(answer))
    assert not password or password not in text(answer)


def test_a_lost_encryption_key_is_said_and_nothing_else_breaks(
    client: Client, user: User, settings: Settings
) -> None:
    entry = chain(user).entry
    settings.GATEWRIGHT_KEYS = [Fernet.generate_key().decode()]
    pfx = reverse("certificates:lab-ca-pfx", args=["certificates", entry.pk])
    refused = client.post(pfx, {"password": "Passw0rd", "encryption": "modern"})
    assert refused.status_code == 422
    assert "key file" in text(refused)
    zipped = reverse("certificates:lab-ca-file", args=["certificates", entry.pk, "zip"])
    assert "key file" in text(client.get(zipped, follow=True))
    assert client.get(INDEX).status_code == 200


def test_a_key_that_is_gone_is_not_offered(client: Client, user: User) -> None:
    entry = chain(user).entry
    StoredKey.objects.all().delete()
    url = reverse("certificates:lab-ca-pfx", args=["certificates", entry.pk])
    assert url not in text(client.get(INDEX))
    assert client.get(f"{INDEX}certificates/{entry.pk}/zip/").status_code == 404
    answer = client.post(url, {"password": "Passw0rd", "encryption": "modern"})
    assert answer.status_code == 404


def test_a_key_that_was_imported_again_as_not_exportable_stays(client: Client, user: User) -> None:
    made = order(user, "self-signed", "kept.contoso.test")
    assert made.entry is not None
    stores.add(
        user.pk,
        made.entry.store,
        made.entry.folder,
        made.entry.certificate.parsed,
        key_pem=bytes(made.entry.key.pem),
        exportable=False,
    )
    base = f"{INDEX}certificates/{made.entry.pk}"
    assert f"{base}/zip/" not in text(client.get(INDEX))
    assert client.get(f"{base}/zip/").status_code == 404
    pfx = {"password": "Passw0rd", "encryption": "modern"}
    assert client.post(f"{base}/pfx/", pfx).status_code == 404


def test_the_zip_for_a_server_holds_its_private_key_and_says_so(client: Client, user: User) -> None:
    entry = chain(user).entry
    with zipfile.ZipFile(io.BytesIO(download(client, entry.pk, "zip"))) as archive:
        members = {one.filename.split("/")[1]: archive.read(one) for one in archive.infolist()}
        modes = {one.filename.split("/")[1]: one.external_attr >> 16 for one in archive.infolist()}

    stem = "backend.contoso.test"
    assert load_issued(entry.certificate.parsed, members[f"{stem}.key"])
    assert modes[f"{stem}.key"] == 0o600
    assert [one.label for one in found_in(members[f"{stem}-chain.pem"])] == [stem, "My Issuing CA"]
    assert found_in(members[f"{stem}-root.cer"])[0].label == "My Root"
    assert b"HOLDS THE PRIVATE KEY" in members["READ-ME.txt"]
    assert b"ssl_certificate backend.contoso.test-chain.pem;" in members["nginx.conf"]
    page = text(client.get(INDEX))
    assert "for a server with backend.contoso.test, holds the private key" in page


def test_without_its_issuers_the_zip_holds_the_certificate_alone(
    client: Client, user: User
) -> None:
    entry = chain(user).entry
    Authority.objects.all().delete()
    StoredCertificate.objects.exclude(pk=entry.pk).delete()
    with zipfile.ZipFile(io.BytesIO(download(client, entry.pk, "zip"))) as archive:
        names = {name.rpartition("/")[2] for name in archive.namelist()}
        told = archive.read("backend.contoso.test/READ-ME.txt").decode()
    stem = "backend.contoso.test"
    assert names == {f"{stem}.key", f"{stem}.cer", f"{stem}-chain.pem",
                     "READ-ME.txt", "nginx.conf", "s_server.sh"}  # fmt: skip
    assert "the root" not in told


def test_an_authority_without_its_key_has_no_pfx(client: Client, user: User) -> None:
    chain(user)
    AuthorityKey.objects.all().delete()
    url = f"{INDEX}authorities/{Authority.objects.latest('pk').pk}/pfx/"
    assert client.post(url, {"password": "Passw0rd", "encryption": "modern"}).status_code == 404


def test_a_chain_in_wrong_order_is_marked(client: Client, user: User) -> None:
    chain(user, chain_form=ChainForm.REVERSED)
    assert "chain in wrong order" in text(client.get(INDEX))


def test_no_page_shows_a_private_key(client: Client, user: User) -> None:
    entry = chain(user).entry
    for url in (INDEX, new("server"), f"{INDEX}certificates/{entry.pk}/pfx/"):
        assert "PRIVATE KEY" not in text(client.get(url))
    for kind in ("cer", "der", "pem", "p7b"):
        assert b"PRIVATE" not in download(client, entry.pk, kind)


# -- anything at all -------------------------------------------------------------------------------


def test_nothing_that_is_posted_breaks_a_form(client: Client, user: User) -> None:
    chain(user)
    issuers = [str(one.pk) for one in Authority.objects.all()]
    junk = st.text(max_size=70)

    @given(
        kind=st.sampled_from(list(FORMS)),
        data=st.fixed_dictionaries(
            {},
            optional={
                "name": junk,
                "issuer": st.sampled_from([*issuers, "self-signed", "self-signed-ca", "٣"]) | junk,
                "names": junk,
                "cn_only": st.just("on") | junk,
                "validity": st.sampled_from(["valid", "expired", "future", "own"]) | junk,
                "valid_from": st.datetimes().map(str) | junk,
                "valid_to": st.datetimes().map(lambda moment: f"{moment}+23:59") | junk,
                "key": st.sampled_from(["ec", "ed25519"]) | junk,
                "purpose": st.sampled_from(["server", "none", "any"]) | junk,
                "digest": st.sampled_from(["sha256", "sha1"]) | junk,
                "path_length": st.integers().map(str) | junk,
                "chain_form": st.sampled_from(ChainForm.values) | junk,
                "friendly_name": junk,
            },
        ),
    )
    def posting(kind: str, data: dict[str, str]) -> None:
        typed = {name: value.encode(errors="replace").decode() for name, value in data.items()}
        assert client.post(new(kind), typed).status_code in {302, 422}

    posting()


def test_nothing_that_is_posted_breaks_the_pfx_form(client: Client, user: User) -> None:
    url = reverse("certificates:lab-ca-pfx", args=["certificates", chain(user).entry.pk])

    @given(
        password=st.text(max_size=20),
        encryption=st.sampled_from(["modern", "legacy"]) | st.text(max_size=5),
    )
    def posting(password: str, encryption: str) -> None:
        typed = {"password": password.encode(errors="replace").decode(), "encryption": encryption}
        assert client.post(url, typed).status_code in {200, 422}

    posting()
